"""Score a saved model on labelled recordings."""

import argparse
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import FROM_MODEL, add_reading_options, add_table_options

from ._common import FOUND_FAULTS, Output, add_command, add_json_option, escape, terminal_width
from ._data import SOURCE_HELP, check_single_label, count_classes, load_recordings
from ._evaluate_events import add_event_options, run_on_events
from ._models import add_model, find_unknown_label, iter_predictions, open_model, set_model_reading
from ._scores import N_CONFUSIONS, accuracy, by_class, class_table, confusions
from ._unreadable import UnreadableFiles

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

EXAMPLES = (
    "skfewaudio evaluate sounds.model other-recordings",
    "skfewaudio evaluate sounds.model labels.csv --audio-root recordings --json",
    "skfewaudio evaluate field.model recordings --annotations labels",
)


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(commands, "evaluate", "score a model on labelled recordings", examples=EXAMPLES)
    add_model(parser)
    parser.add_argument("source", metavar="FOLDER_OR_TABLE", help=SOURCE_HELP)
    add_json_option(parser)
    add_event_options(parser)
    add_reading_options(parser, sample_rate=None, default=FROM_MODEL)
    add_table_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Predict the clips, or find the events of annotated recordings, and write the scores."""
    if args.annotations is not None:
        model = open_model(args.model, args.trust, detects=True)
        set_model_reading(model, args)
        return run_on_events(model, args, out)
    dataset = load_recordings(args.source, args)
    model = open_model(args.model, args.trust)
    reading = set_model_reading(model, args)
    with UnreadableFiles(out, reading) as unreadable:
        result = score_model(model, dataset, out, unreadable)
        if args.json:
            out.json(result.as_json())
        else:
            result.write(out)
    return FOUND_FAULTS if result.unknown else unreadable.status


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
    rejected_as : str or None
        Label of rejected clips; None if the model rejects none.
    """

    def __init__(
        self,
        pairs: list[tuple[str, str]],
        classes: list[str],
        unknown: dict[str, int],
        absent: list[str],
        unreadable: list[str],
        rejected_as: str | None,
    ) -> None:
        self.true = [true for true, _ in pairs]
        self.predicted = [predicted for _, predicted in pairs]
        self.classes, self.unknown, self.absent, self.unreadable = classes, unknown, absent, unreadable
        self.rejected_as = rejected_as
        self.accuracy = accuracy(self.true, self.predicted)

    @property
    def n_rejected(self) -> int:
        """Number of rejected clips."""
        return self.predicted.count(self.rejected_as) if self.rejected_as is not None else 0

    def as_json(self) -> dict[str, Any]:
        """Return the scores in the form of the JSON output."""
        score = self.accuracy
        return {
            "accuracy": score.value,
            "interval": [score.low, score.high],
            "n_clips": score.n_clips,
            "n_right": score.n_right,
            "n_rejected": self.n_rejected,
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
        if self.rejected_as is not None:
            out.print(f"  {self.n_rejected} clips rejected as {escape(self.rejected_as)}")
        out.print()
        out.print(class_table(by_class(self.true, self.predicted, self.classes), terminal_width()))
        wrong = confusions(self.true, self.predicted)
        if wrong:
            out.print("\nmost often confused:")
        for label, predicted, count in wrong[:N_CONFUSIONS]:
            out.print(f"  {escape(label)} predicted as {escape(predicted)}: {count}")
        for label, count in self.unknown.items():
            out.print(f"\n{escape(label)}: unknown to the model, {count} clips left out")
        if self.absent:
            out.print(f"\nclasses without clips: {', '.join(map(escape, self.absent))}")
        if self.unreadable:
            out.print(f"\n{len(self.unreadable)} files could not be read and are left out")


def score_model(model: Any, dataset: "AudioDataset", out: Output, unreadable: UnreadableFiles) -> Evaluation:
    """Predict the clips whose class the model knows.

    If the model rejects clips, the label of rejected clips counts as a class that it knows.

    Raises
    ------
    ValueError
        If there is no clip of these classes, or no readable one, or clips have several labels.
    """
    check_single_label(dataset, "the evaluation")
    rejected_as = find_unknown_label(model)
    trained = {str(name) for name in model.classes_}
    known = trained if rejected_as is None else {*trained, rejected_as}
    counts = count_classes(dataset)
    clips = {clip: str(label) for clip, label in zip(dataset.X, dataset.y, strict=True) if label in known}
    if not trained.intersection(clips.values()):
        raise ValueError(
            f"the model knows none of the classes {', '.join(counts)}; it knows {', '.join(sorted(trained))}"
        )
    found = iter_predictions(model, list(clips), out, unreadable)
    pairs = [(clips[prediction.clip], prediction.label) for prediction in found]
    if not pairs:
        raise ValueError(f"none of the {len(clips)} files can be read")
    return Evaluation(
        pairs,
        [name for name in counts if name in known],
        {name: count for name, count in counts.items() if name not in known},
        sorted(trained - set(counts)),
        list(unreadable.paths),
        rejected_as,
    )
