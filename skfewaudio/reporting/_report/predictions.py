"""What the predictions say: confusions, accuracy by class, and the clips that are most often confused."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .table import Cell, Table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

COLUMNS = ("pipeline", "n_shots", "repeat", "fold", "clip", "predicted")
N_PAIRS = 10  # rows of the table of confusions
MAX_CLASSES = 60  # a larger matrix is neither read nor small: 15 of 60 x 60 take 0.2 MB


class HardClip(NamedTuple):
    """A clip, and what it was taken for."""

    clip: int
    true: str
    predicted: str
    n_so: int
    n_wrong: int
    n_predictions: int


@dataclass(frozen=True)
class Predictions:
    """Predictions with the true classes beside them.

    Parameters
    ----------
    frame : DataFrame
        Columns `COLUMNS`, "probability" and "true"; "true" and "predicted" are positions in `classes`.
    classes : list of str
    """

    frame: pd.DataFrame
    classes: list[str]

    @classmethod
    def check(cls, predictions: pd.DataFrame, dataset: "AudioDataset | None") -> "Predictions":
        """Take predictions that fit the data set, or say what does not."""
        missing = [name for name in COLUMNS if name not in predictions]
        if missing:
            raise ValueError(
                f"predictions lack the columns {', '.join(missing)}; expected {', '.join(COLUMNS)}"
            )
        true = _true_classes(predictions, dataset)
        predicted = predictions["predicted"].astype(str).to_numpy()
        classes = dataset.target_names if dataset is not None else np.union1d(true, predicted).tolist()
        unknown = np.setdiff1d(predicted, classes)
        if len(unknown):
            raise ValueError(
                f"predictions hold the class {str(unknown[0])!r}; the data set's are {', '.join(classes)}"
            )
        probability = pd.to_numeric(predictions["probability"]) if "probability" in predictions else 0.0
        frame = predictions[list(COLUMNS)].assign(
            true=np.searchsorted(classes, true),
            predicted=np.searchsorted(classes, predicted),
            probability=probability,
        )
        return cls(frame, classes)

    @property
    def pipelines(self) -> list[str]:
        """Names, in order of appearance."""
        return list(map(str, self.frame["pipeline"].unique()))

    @property
    def shots(self) -> list[int]:
        """Labelled clips per class, ascending."""
        return sorted(self.frame["n_shots"].unique().tolist())

    def best(self, wanted: str | None) -> str:
        """Give `wanted` if it has predictions, else the pipeline most often right with the most clips."""
        if wanted in self.pipelines:
            return str(wanted)
        last = self.frame[self.frame["n_shots"] == self.shots[-1]]
        right = (last["true"] == last["predicted"]).groupby(last["pipeline"], sort=False).mean()
        return str(right.idxmax())

    def part(self, pipeline: str, n_shots: int) -> pd.DataFrame:
        """Take the predictions of one pipeline with one number of clips."""
        return self.frame[(self.frame["pipeline"] == pipeline) & (self.frame["n_shots"] == n_shots)]

    def confusion(self, pipeline: str, n_shots: int) -> NDArray[np.integer]:
        """Count predictions, shape (n_classes true, n_classes predicted)."""
        counts = np.zeros((len(self.classes), len(self.classes)), dtype=int)
        part = self.part(pipeline, n_shots)
        np.add.at(counts, (part["true"].to_numpy(), part["predicted"].to_numpy()), 1)
        return counts

    def all_confusions(self) -> dict[str, Any]:
        """Give what the controls choose from: counts by pipeline and number of clips, as plain lists."""
        return {
            "pipelines": self.pipelines,
            "shots": self.shots,
            "counts": [[self.confusion(p, n).tolist() for n in self.shots] for p in self.pipelines],
        }


def confusion_table(predictions: Predictions, pipeline: str, n_shots: int) -> Table:
    """Lay one confusion matrix out, in per cent of the true class."""
    counts = predictions.confusion(pipeline, n_shots)
    names = predictions.classes
    rows = [
        [Cell(name), *(share_cell(count, total) for count in row)]
        for name, row, total in zip(names, counts, counts.sum(axis=1), strict=True)
    ]
    caption = f"{pipeline}, {n_shots} per class: {_right(counts)}"
    return Table(caption, ["true \\ predicted", *names], rows, kind="matrix", sortable=False)


def class_table(predictions: Predictions, pipeline: str) -> Table:
    """Lay out how often the clips of each class are recognised, by number of labelled clips."""
    columns = [predictions.confusion(pipeline, n) for n in predictions.shots]
    rows = [
        [Cell(name), *(share_cell(counts[k, k], counts[k].sum()) for counts in columns)]
        for k, name in enumerate(predictions.classes)
    ]
    heads = ["class", *map(str, predictions.shots)]
    return Table(f"{pipeline}: per cent right by labelled clips per class", heads, rows, kind="heat")


def pair_table(predictions: Predictions, pipeline: str, n_shots: int) -> Table:
    """List the classes most often taken for another."""
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
    heads = ["true class", "taken for", "per cent", "predictions"]
    return Table(
        f"{pipeline}, {n_shots} per class: which classes are taken for which", heads, rows, kind="bars"
    )


def hard_clips(predictions: Predictions, pipeline: str, n_shots: int, n_clips: int) -> list[HardClip]:
    """Find the clips most often wrong; of equals, those most often taken for one class, most surely."""
    part = predictions.part(pipeline, n_shots)
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
    return [HardClip(int(c), names[t], names[p], int(so), int(w), int(n)) for c, t, p, so, w, n in fields]


def _true_classes(predictions: pd.DataFrame, dataset: "AudioDataset | None") -> NDArray[np.str_]:
    """Look the true classes up in the data set; without one, take those that the predictions have."""
    told = predictions["true"].astype(str).to_numpy(dtype=str) if "true" in predictions else None
    if dataset is None:
        if told is None:
            raise ValueError("predictions have no column true: pass the dataset they are of")
        return told
    if dataset.label_names is not None:
        raise ValueError(
            f"the clips of {dataset.name!r} have several labels each, which are not confused with one "
            "another: leave predictions out"
        )
    clips = predictions["clip"].to_numpy()
    outside = clips[(clips < 0) | (clips >= len(dataset))]
    if len(outside):
        raise ValueError(
            f"predictions hold clip {outside[0]}, but the data set has {len(dataset)} clips (0 to "
            f"{len(dataset) - 1}): pass the data set they were made with"
        )
    true = np.asarray(dataset.target).astype(str)[clips.astype(int)]
    if told is not None and (told != true).any():
        k = int((told != true).argmax())
        raise ValueError(
            f"predictions hold {str(told[k])!r} as the true class of clip {clips[k]}, the data set "
            f"{str(true[k])!r}: pass the data set they were made with"
        )
    return true


def share_cell(count: int, total: int) -> Cell:
    """Write a share in whole per cent."""
    if not total:
        return Cell("-")
    share = float(count / total)
    # What rounds to 0 or 100 without being it would read as never and always.
    text = "<1" if 0 < share < 0.005 else ">99" if 0.995 <= share < 1 else f"{100 * share:.0f}"
    return Cell(text, share, share=share)


def _right(counts: NDArray[np.integer]) -> str:
    total = counts.sum()
    return (
        f"{100 * np.trace(counts) / total:.1f} % of {total:,} predictions right"
        if total
        else "no predictions"
    )
