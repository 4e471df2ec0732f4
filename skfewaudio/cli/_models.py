"""Saved models at work: files in, predictions out, a few at a time."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import Output

if TYPE_CHECKING:
    import numpy as np

UNKNOWN = "unknown"
# What is predicted at once: so many files, or so many bytes of them.
FILES_AT_ONCE, BYTES_AT_ONCE = 64, 2**25


class Prediction(NamedTuple):
    """A class for a file; the most probable ones, best first, where the model knows probabilities."""

    path: str
    label: str
    ranking: list[tuple[str, float]]


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a saved model, and what to trust in its file."""
    parser.add_argument("model", metavar="MODEL", help="file written by skfewaudio train, or by save_model")
    parser.add_argument(
        "--trust",
        metavar="TYPE",
        action="append",
        default=[],
        help="allow a type in MODEL that is not known to be safe; may be repeated",
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
            f"{path}: holds what is not known to be safe to load. Where it comes from someone you trust as "
            f"much as their code, add {options}"
        ) from error
    if not hasattr(model, "classes_"):
        raise ValueError(f"{path}: holds a {type(model).__name__}, which is not a classifier")
    return model


def iter_predictions(
    model: Any, paths: Sequence[str], out: Output, unreadable: list[str]
) -> Iterator[Prediction]:
    """Predict file by file.

    Parameters
    ----------
    model : classifier
        Of files.
    paths : sequence of str
        The files.
    out : Output
        Is told of progress, and of the files that cannot be read.
    unreadable : list of str
        Those files are added to it.

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
    """Take few enough files at a time for their features to be held."""
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
    """Predict what can be read of a batch, and report the rest."""
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
    """Give the classes of files and, where the model knows them, their probabilities."""
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
