"""Score table and summary sentences of the report."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from .._curve_display import FewShotCurveDisplay
from .._tables import MIN_REPEATS
from .table import Cell, Table, listing


class Unit(NamedTuple):
    """Format of scores: per cent for scores in [0, 1], else unscaled."""

    factor: float
    suffix: str
    digits: int

    def write(self, value: float) -> str:
        """Format a score with its unit."""
        return self.bare(value) + self.suffix

    def bare(self, value: float) -> str:
        """Format a score without its unit."""
        return f"{self.factor * value:.{self.digits}f}"

    def interval(self, low: float, high: float) -> str:
        """Format a 95 % interval."""
        return f"95 % interval {self.bare(low)} to {self.write(high)}"


PERCENT = Unit(100.0, " %", 1)
GUESS = "random"  # the benchmark's pipeline of random guesses, which is no method to compare


class Gap(NamedTuple):
    """Mean of paired differences and half-width of its 95 % interval (NaN for fewer than three pairs)."""

    mean: float
    half_width: float

    @property
    def clear(self) -> bool:
        """Whether the interval is above 0."""
        return self.mean - self.half_width > 0


@dataclass(frozen=True)
class MetricScores:
    """Scores of one metric, and comparisons between pipelines.

    Parameters
    ----------
    rows : DataFrame
        Result rows of the metric.
    summary : DataFrame
        Summary returned by `summarize`.
    metric : str
        Name of the metric.
    chance : float or None
        Score of random guessing, if known.
    unit : Unit
        Format of the scores.
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    metric: str
    chance: float | None
    unit: Unit

    @classmethod
    def from_results(cls, results: pd.DataFrame, metric: str) -> "MetricScores":
        """Select and summarise the rows of a metric."""
        display = FewShotCurveDisplay.from_results(results, metric=metric)
        rows = results[results["metric"] == metric]
        shares = rows["value"].dropna().between(0, 1).all()
        return cls(rows, display.frame(), metric, display.chance, PERCENT if shares else Unit(1.0, "", 3))

    @property
    def label(self) -> str:
        """Name of the metric in words."""
        return self.metric.replace("_", " ")

    @property
    def shots(self) -> list[int]:
        """Numbers of labelled clips per class, ascending."""
        return sorted(self.summary["n_shots"].unique().tolist())

    @property
    def pipelines(self) -> list[str]:
        """Names of the pipelines, in order of appearance."""
        return list(dict.fromkeys(self.summary["pipeline"]))

    def summary_row(self, pipeline: str, n_shots: int) -> pd.Series | None:
        """Return a row of the summary, or None if it is missing or its mean is NaN."""
        found = self.summary[(self.summary["pipeline"] == pipeline) & (self.summary["n_shots"] == n_shots)]
        return None if found.empty or np.isnan(found.iloc[0]["mean"]) else found.iloc[0]

    def best(self, n_shots: int) -> str | None:
        """Return the name of the pipeline with the highest mean."""
        column = self.summary[self.summary["n_shots"] == n_shots].dropna(subset="mean")
        return None if column.empty else str(column["pipeline"].iloc[column["mean"].argmax()])

    def tied_with_best(self, n_shots: int) -> list[str]:
        """Return the pipelines whose paired difference to the best has an interval that contains 0."""
        best = self.best(n_shots)
        if best is None:
            return []
        others = [p for p in self.pipelines if p != best and self.summary_row(p, n_shots) is not None]
        gaps = {p: self.gap((best, n_shots), (p, n_shots)) for p in others}
        return [p for p, gap in gaps.items() if not np.isnan(gap.half_width) and not gap.clear]

    def gap(self, upper: tuple[str, int], lower: tuple[str, int]) -> Gap:
        """Compare two settings (pipeline, n_shots) by repeat, on the folds available for both."""
        keys = ["repeat", "fold"]
        cells = self.rows.set_index(["pipeline", "n_shots"]).sort_index()
        pairs = cells.loc[[upper]].merge(cells.loc[[lower]], on=keys)
        by_repeat = (pairs["value_x"] - pairs["value_y"]).groupby(pairs["repeat"]).mean()
        count = by_repeat.count()
        if count < MIN_REPEATS:
            return Gap(float(by_repeat.mean()), np.nan)
        return Gap(float(by_repeat.mean()), float(student_t.ppf(0.975, count - 1) * by_repeat.sem()))


def score_table(scores: MetricScores) -> Table:
    """Create the table of scores, with marks for the best of each column and for ties."""
    marks = {(scores.best(n), n): "best" for n in scores.shots}
    marks |= {(name, n): "tied" for n in scores.shots for name in scores.tied_with_best(n)}
    rows = [
        [Cell(name), *(_score_cell(scores, name, n, marks.get((name, n), "")) for n in scores.shots)]
        for name in scores.pipelines
    ]
    unit = f" ({scores.unit.suffix.strip()})" if scores.unit.suffix else ""
    notes = ["★ best of its column."]
    if scores.summary["n_repeats"].max() >= MIN_REPEATS:
        notes = [
            "★ best of its column; ≈ not distinguishable from it: the 95 % interval of the paired difference "
            "over draws contains 0. There is no correction for multiple comparisons.",
            "± is the half-width of a 95 % interval over draws of the labelled clips.",
        ]
    heads = ["method", *(f"{n} {_clips_word(n)}" for n in scores.shots)]
    return Table(f"{scores.label.capitalize()}{unit} by labelled clips per class", heads, rows, notes=notes)


def summary_sentences(scores: MetricScores) -> list[str]:
    """Summarise best methods, gain from more clips, chance level and intervals in sentences."""
    return [
        *_best_sentences(scores),
        *_gain_sentences(scores),
        *_chance_sentences(scores),
        _interval_sentence(scores),
    ]


def headline(scores: MetricScores) -> str:
    """State the best score for the largest number of clips."""
    n_shots = scores.shots[-1]
    best = scores.best(n_shots)
    row = None if best is None else scores.summary_row(best, n_shots)
    if row is None:
        return f"No {scores.label} is known with {n_shots} labelled {_clips_word(n_shots)} per class."
    value = scores.unit.write(row["mean"])
    return f"{best} reaches {value} {scores.label} with {n_shots} labelled {_clips_word(n_shots)} per class."


def _score_cell(scores: MetricScores, pipeline: str, n_shots: int, mark: str) -> Cell:
    row = scores.summary_row(pipeline, n_shots)
    if row is None:
        return Cell("-")
    text = scores.unit.bare(row["mean"])
    if not np.isnan(row["half_width"]):
        text += f" ± {scores.unit.bare(row['half_width'])}"
    return Cell(text, float(row["mean"]), mark)


def _best_sentences(scores: MetricScores) -> list[str]:
    """Name the best methods, in one sentence per run of columns with the same result."""
    if len(scores.pipelines) == 1:
        return []
    runs: list[tuple[str, list[str], list[int]]] = []
    for n in scores.shots:
        best, tied = scores.best(n), scores.tied_with_best(n)
        if best is None:
            continue
        if runs and runs[-1][:2] == (best, tied):
            runs[-1][2].append(n)
        else:
            runs.append((best, tied, [n]))
    n_draws = int(scores.summary["n_repeats"].min())  # of the method with the fewest, so far
    return [
        f"With {_shots_text(ns)} per class, {_best_clause(best, tied, n_draws)}." for best, tied, ns in runs
    ]


def _best_clause(best: str, tied: list[str], n_draws: int) -> str:
    if n_draws < MIN_REPEATS:
        draws = "one draw of clips does" if n_draws == 1 else f"{n_draws} draws of clips do"
        return f"{best} scores highest; {draws} not show how certain this is"
    if tied:
        return f"{best} scores highest, not distinguishable from {listing(tied)}"
    return f"{best} is clearly better than every other method"


def _gain_sentences(scores: MetricScores) -> list[str]:
    """State the gain from more clips for the method that is best with the largest number of clips."""
    best = scores.best(scores.shots[-1])
    shots = [n for n in scores.shots if best is not None and scores.summary_row(best, n) is not None]
    if best is None or len(shots) < 2:
        return []
    whole = _gain_clause(scores, scores.gap((best, shots[-1]), (best, shots[0])))
    text = f"From {shots[0]} to {shots[-1]} clips per class, {best} gains {whole}"
    if len(shots) > 2:
        step = _gain_clause(scores, scores.gap((best, shots[-1]), (best, shots[-2])))
        text += f"; the step from {shots[-2]} to {shots[-1]} adds {step}"
    return [text + "."]


def _gain_clause(scores: MetricScores, gap: Gap) -> str:
    points = " points" if scores.unit.suffix else ""
    text = f"{scores.unit.bare(gap.mean)}{points}"
    if np.isnan(gap.half_width):
        return text
    low, high = scores.unit.bare(gap.mean - gap.half_width), scores.unit.bare(gap.mean + gap.half_width)
    return f"{text} (95 % interval {low} to {high})"


def _chance_sentences(scores: MetricScores) -> list[str]:
    """State the chance level and the methods that are not clearly above it."""
    if scores.chance is None:
        return []
    last = scores.summary[scores.summary["n_shots"] == scores.shots[-1]]
    lows = last["mean"] - last["half_width"].fillna(0)
    weak = last.loc[lows <= scores.chance, "pipeline"].tolist()
    weak = [name for name in weak if name != GUESS]
    text = f"Guessing at random scores {scores.unit.write(scores.chance)}"
    if weak:
        text += f"; {listing(weak)} {'is' if len(weak) == 1 else 'are'} not clearly above that"
    return [text + "."]


def _interval_sentence(scores: MetricScores) -> str:
    """State over how many draws and folds the intervals are."""
    counts = scores.summary["n_repeats"]
    folds = scores.rows["fold"].nunique()
    over = f"averaged over {folds} folds" if folds > 1 else "on one split"
    if counts.max() < MIN_REPEATS:
        draws = "is only one draw" if counts.max() == 1 else f"are only {counts.max()} draws"
        return f"There {draws} of labelled clips, {over}: the variation between draws is not known."
    number = str(counts.max()) if counts.nunique() == 1 else f"{counts.min()} to {counts.max()}"
    return (
        f"Intervals are over {number} draws of the labelled clips, {over}. They show the variation between "
        "draws, not how the scores would change with other test clips."
    )


def _clips_word(n: int) -> str:
    return "clip" if n == 1 else "clips"


def _shots_text(shots: list[int]) -> str:
    """Format consecutive numbers of clips of the table."""
    if len(shots) > 2:
        return f"{shots[0]} to {shots[-1]} labelled clips"
    return f"{listing(shots, 'or')} labelled {_clips_word(shots[-1])}"
