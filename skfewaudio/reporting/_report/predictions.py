"""Confusions, accuracy by class and misclassified clips of the report."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .table import Cell, Table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

PREDICTION_COLUMNS = ("pipeline", "n_shots", "repeat", "fold", "clip", "predicted")
N_PAIRS = 10  # rows of the table of most frequent confusions
MAX_CLASSES = 60  # larger matrices are not readable, and 15 of 60 x 60 take 0.2 MB


class MisclassifiedClip(NamedTuple):
    """A clip with its true class, its most frequent wrong prediction and their counts."""

    clip: int
    true: str
    predicted: str
    n_as_predicted: int
    n_wrong: int
    n_predictions: int


@dataclass(frozen=True)
class Predictions:
    """Predictions with the true classes.

    Parameters
    ----------
    frame : DataFrame
        Columns `PREDICTION_COLUMNS`, "probability" and "true"; "true" and "predicted" are indices into
        `classes`.
    classes : list of str
        Class names, sorted.
    """

    frame: pd.DataFrame
    classes: list[str]

    @classmethod
    def check(cls, predictions: pd.DataFrame, dataset: "AudioDataset | None") -> "Predictions":
        """Validate predictions against the dataset and add the true classes."""
        missing = [name for name in PREDICTION_COLUMNS if name not in predictions]
        if missing:
            raise ValueError(
                f"predictions lack the columns {', '.join(missing)}; expected {', '.join(PREDICTION_COLUMNS)}"
            )
        true = _true_classes(predictions, dataset)
        predicted = predictions["predicted"].astype(str).to_numpy()
        classes = dataset.target_names if dataset is not None else np.union1d(true, predicted).tolist()
        unknown = np.setdiff1d(predicted, classes)
        if len(unknown):
            raise ValueError(
                f"predictions contain the class {str(unknown[0])!r}; the classes of the dataset are "
                f"{', '.join(classes)}"
            )
        probability = pd.to_numeric(predictions["probability"]) if "probability" in predictions else np.nan
        frame = predictions[list(PREDICTION_COLUMNS)].assign(
            true=np.searchsorted(classes, true),
            predicted=np.searchsorted(classes, predicted),
            probability=probability,
        )
        return cls(frame, classes)

    @property
    def pipelines(self) -> list[str]:
        """Names of the pipelines, in order of appearance."""
        return list(map(str, self.frame["pipeline"].unique()))

    @property
    def shots(self) -> list[int]:
        """Numbers of labelled clips per class, ascending."""
        return sorted(self.frame["n_shots"].unique().tolist())

    def best(self, wanted: str | None) -> str:
        """Return `wanted` if it has predictions, else the most accurate pipeline for the largest n_shots."""
        if wanted in self.pipelines:
            return str(wanted)
        last = self.frame[self.frame["n_shots"] == self.shots[-1]]
        right = (last["true"] == last["predicted"]).groupby(last["pipeline"], sort=False).mean()
        return str(right.idxmax())

    def select(self, pipeline: str, n_shots: int) -> pd.DataFrame:
        """Return the predictions of one pipeline with one number of clips."""
        return self.frame[(self.frame["pipeline"] == pipeline) & (self.frame["n_shots"] == n_shots)]

    def confusion(self, pipeline: str, n_shots: int) -> NDArray[np.integer]:
        """Compute the confusion matrix, with true classes as rows."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=int)
        part = self.select(pipeline, n_shots)
        np.add.at(counts, (part["true"].to_numpy(), part["predicted"].to_numpy()), 1)
        return counts

    def all_confusions(self) -> dict[str, Any]:
        """Return the confusion matrices by pipeline and number of clips as lists, for the page's controls."""
        return {
            "pipelines": self.pipelines,
            "shots": self.shots,
            "counts": [[self.confusion(p, n).tolist() for n in self.shots] for p in self.pipelines],
        }


def confusion_table(predictions: Predictions, pipeline: str, n_shots: int) -> Table:
    """Create the table of a confusion matrix in per cent of the true class."""
    counts = predictions.confusion(pipeline, n_shots)
    names = predictions.classes
    rows = [
        [Cell(name), *(share_cell(count, total) for count in row)]
        for name, row, total in zip(names, counts, counts.sum(axis=1), strict=True)
    ]
    caption = f"{pipeline}, {n_shots} per class: {_accuracy_text(counts)}"
    return Table(caption, ["true \\ predicted", *names], rows, kind="matrix", sortable=False)


def per_class_table(predictions: Predictions, pipeline: str) -> Table:
    """Create the table of the accuracy by class and number of labelled clips."""
    columns = [predictions.confusion(pipeline, n) for n in predictions.shots]
    rows = [
        [Cell(name), *(share_cell(counts[k, k], counts[k].sum()) for counts in columns)]
        for k, name in enumerate(predictions.classes)
    ]
    heads = ["class", *map(str, predictions.shots)]
    return Table(f"{pipeline}: accuracy in per cent by labelled clips per class", heads, rows, kind="heat")


def precision_recall_table(predictions: Predictions, pipeline: str, n_shots: int) -> Table:
    """Create the table of precision, recall and F1 score by class."""
    counts = predictions.confusion(pipeline, n_shots)
    true, found, right = counts.sum(axis=1), counts.sum(axis=0), np.diag(counts)
    rows = [
        [
            Cell(name),
            share_cell(right[k], found[k]),
            share_cell(right[k], true[k]),
            share_cell(2 * right[k], true[k] + found[k]),
            Cell(f"{true[k]:,}", float(true[k])),
        ]
        for k, name in enumerate(predictions.classes)
    ]
    heads = ["class", "precision", "recall", "F1", "predictions"]
    return Table(f"{pipeline}, {n_shots} per class: per cent by class", heads, rows, kind="heat")


def confused_pairs_table(predictions: Predictions, pipeline: str, n_shots: int) -> Table:
    """Create the table of the most frequent confusions."""
    counts = predictions.confusion(pipeline, n_shots)
    totals = counts.sum(axis=1)
    wrong = counts * (1 - np.eye(len(counts), dtype=int)) / np.maximum(totals, 1)[:, None]
    order = np.argsort(-wrong, axis=None, kind="stable")[:N_PAIRS]
    names = predictions.classes
    rows = [
        [
            Cell(names[i]),
            Cell(names[j]),
            share_cell(counts[i, j], totals[i]),
            Cell(f"{totals[i]:,}", totals[i]),
        ]
        for i, j in zip(*np.unravel_index(order, wrong.shape), strict=True)
        if i != j and counts[i, j]
    ]
    heads = ["true class", "predicted as", "per cent", "predictions"]
    return Table(f"{pipeline}, {n_shots} per class: most frequent confusions", heads, rows, kind="bars")


def misclassified_clips(
    predictions: Predictions, pipeline: str, n_shots: int, n_clips: int
) -> list[MisclassifiedClip]:
    """Return the most misclassified clips; ties are broken by count and probability of one wrong class."""
    part = predictions.select(pipeline, n_shots)
    totals = part.groupby("clip").size()
    wrong = part[part["true"] != part["predicted"]]
    taken = wrong.groupby(["clip", "true", "predicted"])["probability"].agg(["size", "mean"]).reset_index()
    taken = taken.sort_values(["size", "mean"], ascending=False, kind="stable").drop_duplicates("clip")
    taken["wrong"] = taken["clip"].map(wrong.groupby("clip").size())
    taken["total"] = taken["clip"].map(totals)
    taken["share"] = taken["wrong"] / taken["total"]
    keys = ["share", "size", "mean", "clip"]
    worst = taken.sort_values(keys, ascending=[False, False, False, True]).head(n_clips)
    fields = worst[["clip", "true", "predicted", "size", "wrong", "total"]].itertuples(index=False, name=None)
    names = predictions.classes
    return [
        MisclassifiedClip(int(c), names[t], names[p], int(so), int(w), int(n)) for c, t, p, so, w, n in fields
    ]


def _true_classes(predictions: pd.DataFrame, dataset: "AudioDataset | None") -> NDArray[np.str_]:
    """Return the true classes from the dataset, or from the predictions if there is no dataset."""
    given = predictions["true"].astype(str).to_numpy(dtype=str) if "true" in predictions else None
    if dataset is None:
        if given is None:
            raise ValueError("predictions have no column true: pass the dataset that they belong to")
        return given
    if dataset.label_names is not None:
        raise ValueError(
            f"the clips of {dataset.name!r} have several labels each, for which there are no confusion "
            "matrices: omit predictions"
        )
    clips = predictions["clip"].to_numpy()
    outside = clips[(clips < 0) | (clips >= len(dataset))]
    if len(outside):
        raise ValueError(
            f"predictions contain clip {outside[0]}, but the dataset has {len(dataset)} clips (0 to "
            f"{len(dataset) - 1}): pass the dataset that they belong to"
        )
    true = np.asarray(dataset.target).astype(str)[clips.astype(int)]
    if given is not None and (given != true).any():
        k = int((given != true).argmax())
        raise ValueError(
            f"predictions contain {str(given[k])!r} as the true class of clip {clips[k]}, the dataset "
            f"{str(true[k])!r}: pass the dataset that they belong to"
        )
    return true


def share_cell(count: int, total: int) -> Cell:
    """Create a cell with a share in whole per cent."""
    if not total:
        return Cell("-")
    share = float(count / total)
    # Shares that only round to 0 or 100 must not look like never and always.
    text = "<1" if 0 < share < 0.005 else ">99" if 0.995 <= share < 1 else str(int(100 * share + 0.5))
    return Cell(text, share, share=share)


def _accuracy_text(counts: NDArray[np.integer]) -> str:
    total = counts.sum()
    return (
        f"{100 * np.trace(counts) / total:.1f} % of {total:,} predictions correct"
        if total
        else "no predictions"
    )
