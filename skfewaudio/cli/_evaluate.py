"""Score a saved model on labelled recordings."""

import argparse
from typing import TYPE_CHECKING, Any

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, terminal_width
from ._data import count_classes, load_recordings
from ._models import add_model, iter_predictions, open_model
from ._scores import N_CONFUSIONS, accuracy, by_class, class_table, confusions

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(commands, "evaluate", "score a model on a folder per class")
    add_model(parser)
    parser.add_argument("folder", metavar="FOLDER", help="folder with one folder of sound files per class")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Predict the clips and write the scores."""
    dataset = load_recordings(args.folder)
    model = open_model(args.model, args.trust)
    result = score_model(model, dataset, out)
    if args.json:
        out.json(result.as_json())
    else:
        result.write(out)
    return FOUND_FAULTS if result.unreadable or result.unknown else DONE


class Evaluation:
    """True and predicted classes of the clips whose class the model knows.

    Parameters
    ----------
    pairs : list of (str, str)
        True and predicted class of each clip.
    classes : list of str
        Classes of both the model and the clips.
    unknown : dict of str to int
        Number of clips of each class that the model does not know; these clips are excluded.
    absent : list of str
        Classes of the model without clips.
    unreadable : list of str
        Paths of files that cannot be read.
    """

    def __init__(
        self,
        pairs: list[tuple[str, str]],
        classes: list[str],
        unknown: dict[str, int],
        absent: list[str],
        unreadable: list[str],
    ) -> None:
        self.true = [true for true, _ in pairs]
        self.predicted = [predicted for _, predicted in pairs]
        self.classes, self.unknown, self.absent, self.unreadable = classes, unknown, absent, unreadable
        self.accuracy = accuracy(self.true, self.predicted)

    def as_json(self) -> dict[str, Any]:
        """Return the scores in the form of the JSON output."""
        score = self.accuracy
        return {
            "accuracy": score.value,
            "interval": [score.low, score.high],
            "n_clips": score.n_clips,
            "n_right": score.n_right,
            "classes": [one._asdict() for one in by_class(self.true, self.predicted, self.classes)],
            "confusions": [
                {"label": label, "predicted": predicted, "n_clips": count}
                for label, predicted, count in confusions(self.true, self.predicted)
            ],
            "unknown_classes": self.unknown,
            "absent_classes": self.absent,
            "unreadable": self.unreadable,
        }

    def write(self, out: Output) -> None:
        """Write the scores as text."""
        out.print(str(self.accuracy))
        out.print()
        out.print(class_table(by_class(self.true, self.predicted, self.classes), terminal_width()))
        wrong = confusions(self.true, self.predicted)
        if wrong:
            out.print("\nmost often confused:")
        for label, predicted, count in wrong[:N_CONFUSIONS]:
            out.print(f"  {label} predicted as {predicted}: {count}")
        for label, count in self.unknown.items():
            out.print(f"\n{label}: unknown to the model, {count} clips left out")
        if self.absent:
            out.print(f"\nclasses without clips: {', '.join(self.absent)}")
        if self.unreadable:
            out.print(f"\n{len(self.unreadable)} files could not be read and are left out")


def score_model(model: Any, dataset: "AudioDataset", out: Output) -> Evaluation:
    """Predict the clips whose class the model knows.

    Raises
    ------
    ValueError
        If there is no clip of these classes, or no readable one.
    """
    known = {str(name) for name in model.classes_}
    counts = count_classes(dataset)
    clips = {path: str(label) for path, label in zip(dataset.X, dataset.y, strict=True) if label in known}
    if not clips:
        raise ValueError(
            f"the model knows none of the classes {', '.join(counts)}; it knows {', '.join(sorted(known))}"
        )
    unreadable: list[str] = []
    found = iter_predictions(model, list(clips), out, unreadable)
    pairs = [(clips[prediction.path], prediction.label) for prediction in found]
    if not pairs:
        raise ValueError(f"none of the {len(clips)} files can be read")
    return Evaluation(
        pairs,
        [name for name in counts if name in known],
        {name: count for name, count in counts.items() if name not in known},
        sorted(known - set(counts)),
        unreadable,
    )
