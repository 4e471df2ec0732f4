"""Files of a run: settings, scores and predictions."""

import argparse
import json
import platform
import re
import sys
import time
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from skfewaudio.datasets import AudioDataset
    from skfewaudio.reporting import ResultStore

RESULTS, PREDICTIONS, CONFIG = "results.jsonl", "predictions.jsonl", "config.json"
PREDICTION_KEY = ("dataset", "pipeline", "n_shots", "repeat", "fold")
# Options that are needed to load the dataset again.
DATASET_OPTIONS = ("suite", "dataset", "data_home", "subset", "scale")
PACKAGES = ("numpy", "scikit-learn", "torch", "skorch", "librosa")


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
    metric : str, default="accuracy"
        Metric by which fits are counted: one row per fit.
    """

    def __init__(
        self, output: Path, dataset: "AudioDataset", n_fits: int, *, metric: str = "accuracy"
    ) -> None:
        self.results = open_results(output)
        self.predictions = open_predictions(output)
        self._name = dataset.name
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
        self.results.append([{"dataset": self._name, **row} for row in rows])
        fresh = Counter(row["pipeline"] for row in rows if row["metric"] == self._metric)
        self._done += fresh
        for name in fresh:
            if self._done[name] == self._n_fits and not sys.stderr.isatty():
                fits = f"{self._n_fits} fit{'s' if self._n_fits > 1 else ''}"
                print(f"{name}: {fits}, {time.monotonic() - self._started:.0f} s", file=sys.stderr)

    def add_predictions(self, row: dict[str, Any]) -> None:
        """Store the predictions of one fit."""
        self.predictions.append([{"dataset": self._name, **row}])


def open_results(output: Path) -> "ResultStore":
    """Open the scores of a run."""
    from skfewaudio.reporting import ResultStore

    return ResultStore(output / RESULTS)


def open_predictions(output: Path) -> "ResultStore":
    """Open the predictions of a run, one row per fit."""
    from skfewaudio.reporting import ResultStore

    return ResultStore(output / PREDICTIONS, key=PREDICTION_KEY)


def read_config(output: Path) -> dict[str, Any]:
    """Load the settings of a run."""
    return json.loads((output / CONFIG).read_text(encoding="utf-8"))


def write_config(
    args: argparse.Namespace, dataset: "AudioDataset", pipelines: dict[str, Any], device: str
) -> None:
    """Write the settings of a run, unless the folder has results with other settings."""
    config: dict[str, Any] = {
        "dataset": dataset.name,
        "n_clips": len(dataset),
        "classes": dataset.target_names,
        "random_state": args.random_state,
        "device": device,
        "skfewaudio": version("skfewaudio"),
        # Addresses of functions are removed: they change from run to run.
        "pipelines": {name: re.sub(r" at 0x\w+", "", repr(pipe)) for name, pipe in pipelines.items()},
    }
    if args.overwrite:
        for name in (RESULTS, PREDICTIONS):
            (args.output / name).unlink(missing_ok=True)
    elif (args.output / RESULTS).exists() and (args.output / CONFIG).exists():
        config["pipelines"] = _merge_pipelines(config, read_config(args.output), args.output)
    notes = {
        "licence": dataset.licence,
        "citation": dataset.citation,
        "n_shots": args.n_shots,
        "n_repeats": args.n_repeats,
        "folds": args.folds,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in PACKAGES},
        "source": {name: _to_json_value(getattr(args, name)) for name in DATASET_OPTIONS},
    }
    args.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps({**config, **notes}, indent=2, ensure_ascii=False)
    # A folder whose name is not UTF-8 is written with JSON's escapes.
    (args.output / CONFIG).write_text(f"{text}\n", encoding="utf-8", errors="backslashreplace")


def _merge_pipelines(config: dict[str, Any], before: dict[str, Any], output: Path) -> dict[str, str]:
    """Merge the pipelines of earlier runs and of this run; raise ValueError if a setting has changed."""
    pipelines = {**before["pipelines"], **config["pipelines"]}
    now = {**config, "pipelines": {name: pipelines[name] for name in before["pipelines"]}}
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise ValueError(
            f"{output} has results with other settings ({', '.join(changed)} differ): "
            "choose another --output, or use --overwrite to start again"
        )
    return pipelines


def _to_json_value(value: Any) -> Any:
    """Convert a path to a string."""
    return str(value.resolve()) if isinstance(value, Path) else value
