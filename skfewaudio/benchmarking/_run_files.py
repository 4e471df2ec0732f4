"""Scores and predictions of a run, and the names of its files."""

import sys
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from skfewaudio.datasets import AudioDataset
    from skfewaudio.reporting import ResultStore

RESULTS, PREDICTIONS, CONFIG, CLIPS = "results.jsonl", "predictions.jsonl", "config.json", "clips.jsonl"
LEAKS, SUGGESTIONS, EMBEDDING, TIMES = "leaks.csv", "suggestions.csv", "embedding.csv", "times.csv"
# What belongs to the results of a run, and is removed with them.
DERIVED = (
    *(RESULTS, PREDICTIONS, CLIPS, LEAKS, SUGGESTIONS, EMBEDDING, TIMES),
    *("curve.png", "trained.png", "report.html", "report.md"),
)
PREDICTION_KEY = ("dataset", "pipeline", "n_shots", "repeat", "fold")


class RunFiles:
    """Scores and predictions in the output folder of a run.

    Parameters
    ----------
    output : Path
        Output folder.
    dataset : AudioDataset
        Dataset of the run.
    n_fits : int
        Number of fits per pipeline. When a pipeline has as many, its time is printed.
    origin : dict
        Columns of every row, as returned by `write_config`.
    metric : str, default="accuracy"
        Metric by which fits are counted: one row per fit.
    """

    def __init__(
        self,
        output: Path,
        dataset: "AudioDataset",
        n_fits: int,
        *,
        origin: dict[str, str],
        metric: str = "accuracy",
    ) -> None:
        self.results = open_results(output)
        self.predictions = open_predictions(output)
        self._name = dataset.name
        self._origin = origin
        self._n_fits = n_fits
        self._metric = metric
        self._done: Counter[str] = Counter()
        self._started = time.monotonic()

    def finished_rows(self) -> "pd.DataFrame":
        """Return the result rows of all fits whose predictions are stored as well."""
        fits, rows = self.predictions.frame(), self.results.frame()
        if fits.empty:
            return rows.iloc[:0]
        return rows.merge(fits[list(PREDICTION_KEY)], on=list(PREDICTION_KEY))

    def add_results(self, rows: list[dict[str, Any]]) -> None:
        """Store rows; unless stderr is a terminal, which shows a bar, print when a pipeline is done."""
        self.results.append([{"dataset": self._name, **row, **self._origin} for row in rows])
        fresh = Counter(row["pipeline"] for row in rows if row["metric"] == self._metric)
        self._done += fresh
        for name in fresh:
            if self._done[name] == self._n_fits and not sys.stderr.isatty():
                fits = f"{self._n_fits} fit{'s' if self._n_fits > 1 else ''}"
                print(f"{name}: {fits}, {time.monotonic() - self._started:.0f} s", file=sys.stderr)

    def add_predictions(self, row: dict[str, Any]) -> None:
        """Store the predictions of one fit."""
        self.predictions.append([{"dataset": self._name, **row, **self._origin}])


def open_results(output: Path) -> "ResultStore":
    """Open the scores of a run."""
    from skfewaudio.reporting import ResultStore

    return ResultStore(output / RESULTS)


def open_predictions(output: Path) -> "ResultStore":
    """Open the predictions of a run, one row per fit."""
    from skfewaudio.reporting import ResultStore

    return ResultStore(output / PREDICTIONS, key=PREDICTION_KEY)
