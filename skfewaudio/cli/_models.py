"""Load saved models and predict files in batches."""

import argparse
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import Output
from ._data import Clip, Part, as_part
from ._unreadable import UnreadableFiles, path_of

if TYPE_CHECKING:
    import numpy as np

UNKNOWN = "unknown"
# A batch ends at either limit.
FILES_AT_ONCE, BYTES_AT_ONCE = 64, 2**25
BYTES_PER_SECOND = 192_000  # of stereo sound at 48 kHz with 16 bits; estimates the size of a part of a file


class Prediction(NamedTuple):
    """Predicted class of a clip; `ranking` lists the classes by probability, if the model has them.

    The predicted class is the first one of the ranking, unless the model rejects the clip.
    """

    clip: Clip
    label: str
    ranking: list[tuple[str, float]]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a saved model, and the option --trust."""
    parser.add_argument("model", metavar="MODEL", help="file written by skfewaudio train or save_model")
    parser.add_argument(
        "--trust",
        metavar="TYPE",
        action="append",
        default=[],
        help="allow a type in MODEL that is not known to be safe (may be repeated)",
    )


def check_model_file(path: str) -> None:
    """Raise ValueError unless there is a regular file."""
    file = Path(path)
    if not file.is_file():
        kinds = {"is a folder": file.is_dir(), "is not a regular file": file.exists()}
        problem = next((kind for kind, is_kind in kinds.items() if is_kind), "does not exist")
        raise ValueError(f"{path} {problem}; expected a file written by skfewaudio train or save_model")


def open_model(path: str, trusted: Sequence[str], *, detects: bool = False) -> Any:
    """Load a classifier of clips or, to detect, a model of any kind."""
    check_model_file(path)

    from skfewaudio.exceptions import UntrustedTypeError
    from skfewaudio.persistence import load_model

    try:
        model = load_model(path, trusted=trusted)
    except UntrustedTypeError as error:
        options = " ".join(f"--trust {name}" for name in error.names)
        raise ValueError(
            f"{path}: contains types that are not known to be safe to load. If you would run code of the "
            f"file's author, add {options}"
        ) from error
    if not hasattr(model, "classes_"):
        raise ValueError(f"{path}: contains a {type(model).__name__}, which is not a classifier")
    if not (detects or hasattr(model, "predict")):
        raise ValueError(
            f"{path}: is a detector of events, which does not classify clips; use skfewaudio detect"
        )
    return model


def set_model_reading(model: Any, args: argparse.Namespace) -> dict[str, Any]:
    """Set the channel and the use of truncated files if requested, and return how the model reads files."""
    from skfewaudio._reading import get_reading, set_reading

    try:
        set_reading(model, channel=args.channel, allow_truncated=args.allow_truncated)
    except ValueError as error:
        raise ValueError(f"{args.model} reads files in a fixed way: {error}") from error
    return get_reading(model)


def find_unknown_label(model: Any) -> str | None:
    """Return the label of rejected clips; None if the model rejects none."""
    from skfewaudio._reading import last_part

    params = model.get_params()
    for key, value in params.items():
        if last_part(key) == "false_rejection_rate" and value is not None:
            return str(params[f"{key.removesuffix('false_rejection_rate')}unknown_label"])
    return None


def iter_predictions(
    model: Any,
    clips: Sequence[Clip],
    out: Output,
    unreadable: UnreadableFiles,
    *,
    done: Collection[Part] = (),
) -> Iterator[Prediction]:
    """Predict the class of each readable clip.

    Parameters
    ----------
    model : classifier
        Classifier that accepts paths and parts of files.
    clips : sequence of str or of tuple
        Clips to predict.
    out : Output
        Receives the progress.
    unreadable : UnreadableFiles
        Receives the unreadable files.
    done : collection of tuple, default=()
        Clips that are left out because an earlier run has predicted them. The others of their batch are
        predicted together with them, so that probabilities are the same to the last bit.

    Yields
    ------
    Prediction
        In the order of `clips`.
    """
    unreadable.count(clips)
    n_done = 0
    for batch in _batches(clips):
        n_done += len(batch)
        yield from _predict_readable(model, batch, unreadable, done)
        out.progress("files", n_done, len(clips))


def _batches(clips: Sequence[Clip]) -> Iterator[list[Clip]]:
    """Yield batches of clips that are small enough to hold their features in memory."""
    batch: list[Clip] = []
    n_bytes = 0
    for clip in clips:
        size = _estimate_size(clip)
        if batch and (len(batch) == FILES_AT_ONCE or n_bytes + size > BYTES_AT_ONCE):
            yield batch
            batch, n_bytes = [], 0
        batch.append(clip)
        n_bytes += size
    if batch:
        yield batch


def _estimate_size(clip: Clip) -> int:
    """Return the size of a file in bytes, or an estimate for a part of it; 0 if there is no file."""
    path = Path(path_of(clip))
    try:
        size = path.stat().st_size if path.is_file() else 0
    except (OSError, ValueError):  # reading the file raises an error that names it
        return 0
    if isinstance(clip, str) or clip[2] is None:
        return size
    return min(size, round((clip[2] - clip[1]) * BYTES_PER_SECOND))


def _predict_readable(
    model: Any, batch: list[Clip], unreadable: UnreadableFiles, done: Collection[Part]
) -> Iterator[Prediction]:
    """Predict the readable clips of a batch that are not done.

    Opening the files finds most of the unreadable ones, so that the others are read once. If an error is
    raised all the same, all files of the batch are decoded once to find the damaged ones.
    """
    from skfewaudio.exceptions import AudioLoadError

    if all(as_part(clip) in done for clip in batch):
        return
    batch = unreadable.drop(batch, decode=False)
    while not all(as_part(clip) in done for clip in batch):
        try:
            labels, probabilities = _predict(model, batch)
        except AudioLoadError as error:
            batch = unreadable.drop_failed(batch, error)
            continue
        names = [str(name) for name in model.classes_]
        for row, clip in enumerate(batch):
            if as_part(clip) not in done:
                _check_finite(probabilities, row, clip)
                yield Prediction(clip, labels[row], _rank(names, probabilities, row, labels[row]))
        return


def _check_finite(probabilities: "np.ndarray | None", row: int, clip: Clip) -> None:
    """Raise ValueError if a model has computed no probabilities, so that its prediction means nothing."""
    import numpy as np

    if probabilities is not None and not np.isfinite(probabilities[row]).all():
        raise ValueError(
            f"{path_of(clip)}: the model's probabilities are not finite numbers: the model is damaged, or "
            "the samples of the recording are far outside of the usual range"
        )


def _predict(model: Any, batch: list[Clip]) -> tuple[list[str], "np.ndarray | None"]:
    """Return the predicted classes and, if the model has them, the probabilities."""
    classifier, features = _split_last(model, batch)
    if not hasattr(classifier, "predict_proba"):
        return [str(label) for label in classifier.predict(features)], None
    probabilities = classifier.predict_proba(features)
    if _predicts_most_probable(classifier):
        labels = model.classes_[probabilities.argmax(axis=1)]
    else:
        labels = classifier.predict(features)
    return [str(label) for label in labels], probabilities


def _split_last(model: Any, X: Any) -> tuple[Any, Any]:
    """Return the last classifier of nested pipelines and its input, so that features are computed once."""
    from sklearn.pipeline import Pipeline

    from skfewaudio.classifiers import AugmentedClassifier

    while True:
        if isinstance(model, Pipeline) and len(model.steps) > 1:
            model, X = model[-1], model[:-1].transform(X)
        elif isinstance(model, AugmentedClassifier):
            model = model.estimator_
        else:
            return model, X


def _predicts_most_probable(classifier: Any) -> bool:
    """Return whether `predict` is known to return the most probable class, which saves its computation."""
    from skfewaudio.classifiers import PrototypicalClassifier, SkorchCNN

    return isinstance(classifier, PrototypicalClassifier | SkorchCNN)


def _rank(
    names: list[str], probabilities: "np.ndarray | None", row: int, label: str
) -> list[tuple[str, float]]:
    """List classes from the most to the least probable, after the predicted one."""
    if probabilities is None:
        return []
    order = sorted(range(len(names)), key=lambda i: (names[i] != label, -probabilities[row, i]))
    return [(names[i], float(probabilities[row, i])) for i in order]
