"""Load saved models and predict files in batches."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import Output

if TYPE_CHECKING:
    import numpy as np

UNKNOWN = "unknown"
# A batch ends at either limit.
FILES_AT_ONCE, BYTES_AT_ONCE = 64, 2**25


class Prediction(NamedTuple):
    """Predicted class of a file; `ranking` lists all classes by probability, if the model has them."""

    path: str
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


def open_model(path: str, trusted: Sequence[str]) -> Any:
    """Load a classifier."""
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
    return model


def iter_predictions(
    model: Any, paths: Sequence[str], out: Output, unreadable: list[str]
) -> Iterator[Prediction]:
    """Predict the class of each readable file.

    Parameters
    ----------
    model : classifier
        Classifier that accepts paths.
    paths : sequence of str
        Files to predict.
    out : Output
        Receives the progress, and the errors of unreadable files.
    unreadable : list of str
        The paths of unreadable files are appended to it.

    Yields
    ------
    Prediction
        In the order of `paths`.
    """
    done = 0
    for batch in _batches(paths):
        done += len(batch)
        yield from _predict_readable(model, batch, out, unreadable)
        out.progress("files", done, len(paths))


def _batches(paths: Sequence[str]) -> Iterator[list[str]]:
    """Yield batches of files that are small enough to hold their features in memory."""
    batch: list[str] = []
    n_bytes = 0
    for path in paths:
        size = Path(path).stat().st_size if Path(path).is_file() else 0
        if batch and (len(batch) == FILES_AT_ONCE or n_bytes + size > BYTES_AT_ONCE):
            yield batch
            batch, n_bytes = [], 0
        batch.append(path)
        n_bytes += size
    if batch:
        yield batch


def _predict_readable(
    model: Any, batch: list[str], out: Output, unreadable: list[str]
) -> Iterator[Prediction]:
    """Predict the readable files of a batch and report the others."""
    from skfewaudio.exceptions import AudioLoadError

    while batch:
        try:
            labels, probabilities = _predict(model, batch)
        except AudioLoadError as error:
            if error.path not in batch:
                raise
            out.error(str(error))
            unreadable.append(error.path)
            batch = [path for path in batch if path != error.path]
            continue
        names = [str(name) for name in model.classes_]
        for row, path in enumerate(batch):
            yield Prediction(path, labels[row], _rank(names, probabilities, row))
        return


def _predict(model: Any, batch: list[str]) -> tuple[list[str], "np.ndarray | None"]:
    """Return the predicted classes and, if the model has them, the probabilities."""
    if not hasattr(model, "predict_proba"):
        return [str(label) for label in model.predict(batch)], None
    probabilities = model.predict_proba(batch)
    return [str(label) for label in model.classes_[probabilities.argmax(axis=1)]], probabilities


def _rank(names: list[str], probabilities: "np.ndarray | None", row: int) -> list[tuple[str, float]]:
    """List classes from the most to the least probable."""
    if probabilities is None:
        return []
    order = (-probabilities[row]).argsort(kind="stable")
    return [(names[i], float(probabilities[row, i])) for i in order]
