"""Scores of the report: who is best, by how much, and how sure that is."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from .._curve_display import FewShotCurveDisplay
from .table import Cell, Table, listing


class Unit(NamedTuple):
    """How scores are written: in per cent where they lie in [0, 1], else as they are."""

    factor: float
    suffix: str
    digits: int

    def write(self, value: float) -> str:
        """Write a score with its unit."""
        return self.bare(value) + self.suffix

    def bare(self, value: float) -> str:
        """Write a score without its unit."""
        return f"{self.factor * value:.{self.digits}f}"

    def interval(self, low: float, high: float) -> str:
        """Write a 95 % interval."""
        return f"95 % interval {self.bare(low)} to {self.write(high)}"


PERCENT = Unit(100.0, " %", 1)


class Gap(NamedTuple):
    """Mean of paired differences with the half-width of its 95 % interval, NaN of one pair."""

    mean: float
    half_width: float

    @property
    def clear(self) -> bool:
        """Whether the interval lies above 0."""
        return self.mean - self.half_width > 0


@dataclass(frozen=True)
class Scores:
    """Scores of one metric, and what can be said about them.

    Parameters
    ----------
    rows : DataFrame
        Those of the metric.
    summary : DataFrame
        As `summarize` gives it.
    metric : str
    chance : float or None
        Score of guessing at random.
    unit : Unit
    """

    rows: pd.DataFrame
    summary: pd.DataFrame
    metric: str
    chance: float | None
    unit: Unit

    @classmethod
    def from_results(cls, results: pd.DataFrame, metric: str) -> "Scores":
        """Take the rows of a metric."""
        display = FewShotCurveDisplay.from_results(results, metric=metric)
        rows = results[results["metric"] == metric]
        shares = rows["value"].dropna().between(0, 1).all()
        return cls(rows, display.frame(), metric, display.chance, PERCENT if shares else Unit(1.0, "", 3))

    @property
    def label(self) -> str:
        """The metric in words."""
        return self.metric.replace("_", " ")

    @property
    def shots(self) -> list[int]:
        """Labelled clips per class, ascending."""
        return sorted(self.summary["n_shots"].unique().tolist())

    @property
    def pipelines(self) -> list[str]:
        """Names, in order of appearance."""
        return list(dict.fromkeys(self.summary["pipeline"]))

    def cell(self, pipeline: str, n_shots: int) -> pd.Series | None:
        """Give the row of the summary, None where there is none or it has no value."""
        found = self.summary[(self.summary["pipeline"] == pipeline) & (self.summary["n_shots"] == n_shots)]
        return None if found.empty or np.isnan(found.iloc[0]["mean"]) else found.iloc[0]

    def best(self, n_shots: int) -> str | None:
        """Name the pipeline of the highest mean."""
        column = self.summary[self.summary["n_shots"] == n_shots].dropna(subset="mean")
        return None if column.empty else str(column["pipeline"].iloc[column["mean"].argmax()])

    def level(self, n_shots: int) -> list[str]:
        """Name the pipelines that cannot be told from the best: the paired interval holds 0."""
        best = self.best(n_shots)
        if best is None:
            return []
        others = [p for p in self.pipelines if p != best and self.cell(p, n_shots) is not None]
        gaps = {p: self.gap((best, n_shots), (p, n_shots)) for p in others}
        return [p for p, gap in gaps.items() if not np.isnan(gap.half_width) and not gap.clear]

    def gap(self, upper: tuple[str, int], lower: tuple[str, int]) -> Gap:
        """Compare two cells (pipeline, n_shots) draw by draw, on the folds both have."""
        keys = ["repeat", "fold"]
        cells = self.rows.set_index(["pipeline", "n_shots"]).sort_index()
        pairs = cells.loc[[upper]].merge(cells.loc[[lower]], on=keys)
        by_repeat = (pairs["value_x"] - pairs["value_y"]).groupby(pairs["repeat"]).mean()
        count = by_repeat.count()
        if count < 2:
            return Gap(float(by_repeat.mean()), np.nan)
        return Gap(float(by_repeat.mean()), float(student_t.ppf(0.975, count - 1) * by_repeat.sem()))


def score_table(scores: Scores) -> Table:
    """Lay the scores out, the best of each column and what is level with it marked."""
    marks = {(scores.best(n), n): "best" for n in scores.shots}
    marks |= {(name, n): "level" for n in scores.shots for name in scores.level(n)}
    rows = [
        [Cell(name), *(_score_cell(scores, name, n, marks.get((name, n), "")) for n in scores.shots)]
        for name in scores.pipelines
    ]
    unit = f" ({scores.unit.suffix.strip()})" if scores.unit.suffix else ""
    notes = ["★ best of its column."]
    if scores.summary["n_repeats"].max() > 1:
        notes = [
            "★ best of its column; ≈ not distinguishable from it: the 95 % interval of the paired difference "
            "over draws holds 0. Each pair is compared by itself, without correction for their number.",
            "± is the half-width of a 95 % interval over draws of the labelled clips.",
        ]
    heads = ["method", *(f"{n} {_clips(n)}" for n in scores.shots)]
    return Table(f"{scores.label.capitalize()}{unit} by labelled clips per class", heads, rows, notes=notes)


def describe(scores: Scores) -> list[str]:
    """Say in sentences who is best, since when, by how much, and how sure that is."""
    return [*_leaders(scores), *_growth(scores), *_chance(scores), _sureness(scores)]


def headline(scores: Scores) -> str:
    """Say the best score of the most clips."""
    n_shots = scores.shots[-1]
    best = scores.best(n_shots)
    cell = None if best is None else scores.cell(best, n_shots)
    if cell is None:
        return f"No {scores.label} is known with {n_shots} labelled {_clips(n_shots)} per class."
    value = scores.unit.write(cell["mean"])
    return f"{best} reaches {value} {scores.label} with {n_shots} labelled {_clips(n_shots)} per class."


def _score_cell(scores: Scores, pipeline: str, n_shots: int, mark: str) -> Cell:
    cell = scores.cell(pipeline, n_shots)
    if cell is None:
        return Cell("-")
    text = scores.unit.bare(cell["mean"])
    if not np.isnan(cell["half_width"]):
        text += f" ± {scores.unit.bare(cell['half_width'])}"
    return Cell(text, float(cell["mean"]), mark)


def _leaders(scores: Scores) -> list[str]:
    """Say who is best, a sentence for each run of columns with one answer."""
    if len(scores.pipelines) == 1:
        return []
    runs: list[tuple[str, list[str], list[int]]] = []
    for n in scores.shots:
        best, level = scores.best(n), scores.level(n)
        if best is None:
            continue
        if runs and runs[-1][:2] == (best, level):
            runs[-1][2].append(n)
        else:
            runs.append((best, level, [n]))
    sure = scores.summary["n_repeats"].max() > 1
    return [f"With {_range(ns)} per class, {_lead(best, level, sure)}." for best, level, ns in runs]


def _lead(best: str, level: list[str], sure: bool) -> str:
    if not sure:
        return f"{best} scores highest; one draw of clips cannot say how surely"
    if level:
        return f"{best} scores highest, not distinguishable from {listing(level)}"
    return f"{best} is clearly better than every other method"


def _growth(scores: Scores) -> list[str]:
    """Say what more clips brought to the method that is best with most of them."""
    best = scores.best(scores.shots[-1])
    shots = [n for n in scores.shots if best is not None and scores.cell(best, n) is not None]
    if best is None or len(shots) < 2:
        return []
    whole = _gain(scores, scores.gap((best, shots[-1]), (best, shots[0])))
    text = f"From {shots[0]} to {shots[-1]} clips per class, {best} gains {whole}"
    if len(shots) > 2:
        step = _gain(scores, scores.gap((best, shots[-1]), (best, shots[-2])))
        text += f"; the step from {shots[-2]} to {shots[-1]} gives {step}"
    return [text + "."]


def _gain(scores: Scores, gap: Gap) -> str:
    points = " points" if scores.unit.suffix else ""
    text = f"{scores.unit.bare(gap.mean)}{points}"
    if np.isnan(gap.half_width):
        return text
    low, high = scores.unit.bare(gap.mean - gap.half_width), scores.unit.bare(gap.mean + gap.half_width)
    return f"{text} (95 % interval {low} to {high})"


def _chance(scores: Scores) -> list[str]:
    """Say what guessing scores, and who is not clearly above it."""
    if scores.chance is None:
        return []
    last = scores.summary[scores.summary["n_shots"] == scores.shots[-1]]
    lows = last["mean"] - last["half_width"].fillna(0)
    weak = last.loc[lows <= scores.chance, "pipeline"].tolist()
    text = f"Guessing at random scores {scores.unit.write(scores.chance)}"
    if weak:
        text += f"; {listing(weak)} {'is' if len(weak) == 1 else 'are'} not clearly above that"
    return [text + "."]


def _sureness(scores: Scores) -> str:
    """Say what the intervals are over, and what they do not say."""
    counts = scores.summary["n_repeats"]
    folds = scores.rows["fold"].nunique()
    over = f"averaged over {folds} folds" if folds > 1 else "on one split"
    if counts.max() == 1:
        return f"There is one draw of labelled clips, {over}: how much the draw matters is not known."
    number = str(counts.max()) if counts.nunique() == 1 else f"{counts.min()} to {counts.max()}"
    return (
        f"Intervals are over {number} draws of the labelled clips, {over}. They say how much the draw of the "
        "clips matters, not how the scores would change with other test clips."
    )


def _clips(n: int) -> str:
    return "clip" if n == 1 else "clips"


def _range(shots: list[int]) -> str:
    """Name numbers of clips that follow each other in the table."""
    if len(shots) > 2:
        return f"{shots[0]} to {shots[-1]} labelled clips"
    return f"{listing(shots, 'or')} labelled {_clips(shots[-1])}"
