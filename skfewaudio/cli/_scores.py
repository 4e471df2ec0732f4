"""Accuracy with a confidence interval, and scores per class."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

from ._common import format_table

N_CONFUSIONS = 5


class Accuracy(NamedTuple):
    """Share of correct clips, with the 95 % Wilson interval."""

    n_right: int
    n_clips: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        value, low, high = (100 * share for share in (self.value, self.low, self.high))
        return (
            f"accuracy {value:.1f} % (95 % interval {low:.1f} to {high:.1f} %), {self.n_right} of "
            f"{self.n_clips} clips"
        )


class ClassScore(NamedTuple):
    """Counts of a class: its clips, the correct ones, and the clips predicted as it."""

    label: str
    n_clips: int
    n_right: int
    n_predicted: int


def accuracy(true: Sequence[str], predicted: Sequence[str]) -> Accuracy:
    """Compute the accuracy; the interval assumes independent clips."""
    from scipy.stats import binomtest

    n_right = sum(a == b for a, b in zip(true, predicted, strict=True))
    interval = binomtest(n_right, len(true)).proportion_ci(method="wilson")
    return Accuracy(n_right, len(true), n_right / len(true), float(interval.low), float(interval.high))


def by_class(true: Sequence[str], predicted: Sequence[str], classes: Sequence[str]) -> list[ClassScore]:
    """Count the clips of each class."""
    n_true, n_predicted = Counter(true), Counter(predicted)
    n_right = Counter(a for a, b in zip(true, predicted, strict=True) if a == b)
    return [ClassScore(name, n_true[name], n_right[name], n_predicted[name]) for name in classes]


def confusions(true: Sequence[str], predicted: Sequence[str]) -> list[tuple[str, str, int]]:
    """List the pairs of true and wrongly predicted class with their counts, most frequent first."""
    wrong = Counter((a, b) for a, b in zip(true, predicted, strict=True) if a != b)
    return [(a, b, count) for (a, b), count in sorted(wrong.items(), key=lambda item: (-item[1], item[0]))]


def class_table(scores: Sequence[ClassScore], width: int | None) -> str:
    """Format the scores of the classes as a table."""
    rows: list[list[Any]] = [
        [score.label, score.n_clips, score.n_right, _percent(score.n_right, score.n_clips),
         _percent(score.n_right, score.n_predicted)]
        for score in scores
    ]  # fmt: skip
    return format_table(["class", "clips", "right", "recall", "precision"], rows, width=width)


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:5.1f} %" if whole else "    -"
