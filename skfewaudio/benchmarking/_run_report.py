"""Leakage check, suggestions for labelling, embedding and report of a run."""

import argparse
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._files import read_regular, write_file
from skfewaudio._names import as_cell, as_path_cell
from skfewaudio._option_types import reading_of

from ._dataset import load_dataset
from ._protocols import Run, build_pipeline, print_message
from ._run_config import DATASET_OPTIONS, check_unchanged, read_config
from ._run_files import EMBEDDING, LEAKS, SUGGESTIONS, open_predictions, open_results
from ._unreadable import leave_out

if TYPE_CHECKING:
    import pandas as pd

    from skfewaudio.datasets import AudioDataset

SUFFIXES = {"html": "html", "markdown": "md"}
N_SUGGESTIONS = 20
PREDICTION_LISTS = ["clip", "true", "predicted", "probability", "true_probability"]
HIDDEN_SETTINGS = ("pipelines", "parameters", "data", "runs", "classes", "licence", "citation", "source")


def write_leaks(run: Run) -> None:
    """Check for leakage between folds and write the findings, once per output folder."""
    from skfewaudio.exceptions import LeakageWarning
    from skfewaudio.model_selection import check_leakage

    path = run.args.output / LEAKS
    if not run.args.leaks or (path.exists() and not run.args.overwrite):
        return
    dataset = run.dataset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # replaced by the message below
        found = check_leakage(
            dataset.X,
            dataset.y,
            folds=run.cv.test_fold,
            groups=dataset.groups,
            sample_rate=dataset.sample_rate,
            **reading_of(run.args),
        )
    _write_table(found, path)
    if len(found):
        kinds = found["kind"].value_counts()
        counts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        print_message(f"Warning: possible leakage between folds ({counts}); see {path}")


def write_suggestions(run: Run, paths: list[str]) -> list[Path]:
    """Fit the best pipeline with predict_proba and write which unlabelled clips to label next."""
    import pandas as pd

    from skfewaudio.audio import iter_clips
    from skfewaudio.model_selection import suggest_clips

    dataset = run.dataset
    ranked = rank_pipelines(open_results(run.args.output).frame())
    models = {name: build_pipeline(run, name) for name in ranked if name in run.args.pipelines}
    name = next((name for name, model in models.items() if hasattr(model, "predict_proba")), None)
    if name is None:
        print_message("No clips suggested for labelling: no pipeline of the run has predict_proba")
        return []
    model = run.cached(models[name]).fit(dataset.X, dataset.y)
    are_files = isinstance(dataset.X[0], str)
    clips = paths if are_files else list(iter_clips(paths, sample_rate=dataset.sample_rate))
    chosen = suggest_clips(model, clips, n_clips=min(N_SUGGESTIONS, len(paths)))
    path = run.args.output / SUGGESTIONS
    clips_to_label = [as_path_cell(paths[i]) for i in chosen]
    _write_table(pd.DataFrame({"clip": clips_to_label, "pipeline": name}), path)
    return [path]


def rank_pipelines(rows: "pd.DataFrame") -> list[str]:
    """Return the pipelines by decreasing mean accuracy at the largest number of clips per class."""
    ours = rows[rows["metric"] == "accuracy"]
    most = ours[ours["n_shots"] == ours["n_shots"].max()]
    return most.groupby("pipeline")["value"].mean().sort_values(ascending=False).index.tolist()


def write_embedding(run: Run) -> None:
    """Write the projected embeddings of test clips and prototypes, for the first prototypical pipeline."""
    from skfewaudio import PrototypicalClassifier
    from skfewaudio.model_selection import FewShotSplit
    from skfewaudio.reporting import EmbeddingDisplay

    dataset = run.dataset
    for name in run.args.pipelines:
        model = build_pipeline(run, name)
        if isinstance(getattr(model, "steps", [(None, model)])[-1][1], PrototypicalClassifier):
            split = FewShotSplit(max(run.args.n_shots), cv=run.cv, random_state=run.args.random_state)
            train, test = next(split.split(dataset.X, dataset.y))
            model = run.cached(model).fit([dataset.X[i] for i in train], dataset.y[train])
            display = EmbeddingDisplay.from_estimator(model, [dataset.X[i] for i in test], dataset.y[test])
            _write_table(display.frame(), run.args.output / EMBEDDING)
            return


def write_run_report(
    folder: Path, *, format: str = "html", path: Path | None = None, dataset: "AudioDataset | None" = None
) -> Path:
    """Write the report of a run from its stored results.

    Parameters
    ----------
    folder : Path
        Output folder of a run.
    format : {"html", "markdown"}, default="html"
        Format of the report, as for :func:`skfewaudio.reporting.write_report`.
    path : Path or None, default=None
        File to write. None is ``report.html`` or ``report.md`` in `folder`.
    dataset : AudioDataset or None, default=None
        Dataset of the run. None loads it again; if that fails, the report contains no audio.

    Returns
    -------
    Path
        The written file.

    Raises
    ------
    FileNotFoundError
        If the folder has no results.
    ValueError
        If the results have no numbers of clips per class, or the format is unknown.
    """
    from skfewaudio.reporting import write_report

    folder = Path(folder)
    rows = open_results(folder).frame()
    if rows.empty:
        raise FileNotFoundError(f"{folder} holds no results; expected the output folder of a benchmark")
    config = read_config(folder)
    path = path or folder / f"report.{SUFFIXES.get(format, format)}"
    tables = {name: _read_table(folder / name) for name in (LEAKS, SUGGESTIONS, EMBEDDING)}
    return write_report(
        path,
        rows,
        predictions=_read_predictions(folder),
        dataset=dataset if dataset is not None else _reload_dataset(config, folder),
        config={name: value for name, value in config.items() if name not in HIDDEN_SETTINGS},
        leaks=tables[LEAKS],
        extrapolation=_extrapolate(rows),
        suggestions=tables[SUGGESTIONS],
        embedding=tables[EMBEDDING],
        format=format,
    )


def _write_table(frame: "pd.DataFrame", path: Path) -> None:
    """Write a table whole, with texts that a spreadsheet does not take for formulas."""
    cells = frame.map(lambda value: as_cell(value) if isinstance(value, str) else value)
    write_file(path, cells.to_csv(index=False).encode(errors="backslashreplace"))


def _read_table(path: Path) -> "pd.DataFrame | None":
    """Load a table of a run, or return None if it does not exist."""
    import pandas as pd

    if not path.exists():
        return None
    try:
        return pd.read_csv(io.BytesIO(read_regular(path)), dtype={"label": str}, keep_default_na=False)
    except ValueError as error:  # of pandas, too
        raise ValueError(
            f"{path} is not a table of a benchmark ({error}): remove it, and run the benchmark again"
        ) from error


def _read_predictions(folder: Path) -> "pd.DataFrame | None":
    """Load the predictions, one row per test clip and fit, or return None."""
    fits = open_predictions(folder).frame()
    if fits.empty:
        return None
    return fits.explode(PREDICTION_LISTS, ignore_index=True).astype({"clip": int, "probability": float})


def _extrapolate(rows: "pd.DataFrame") -> "pd.DataFrame | None":
    """Estimate the scores for twice the clips, or return None if there are too few points or repeats."""
    from skfewaudio.model_selection import extrapolate_curve

    try:
        return extrapolate_curve(rows)
    except ValueError as error:
        print_message(f"No extrapolation to more clips: {error}")
        return None


def _reload_dataset(config: dict[str, Any], folder: Path) -> "AudioDataset | None":
    """Load the dataset of a run again, or return None if that fails or the dataset has changed."""
    from skfewaudio.exceptions import SkfewaudioError

    source = config.get("source")
    if source is None:
        return None
    home = source["data_home"]
    absent = dict.fromkeys(DATASET_OPTIONS)  # in runs of earlier versions
    args = argparse.Namespace(**{**absent, **source, "data_home": Path(home) if home else None})
    try:
        dataset = leave_out(load_dataset(args), args.unreadable or [])
        check_unchanged(dataset, folder)
        return dataset
    except (SkfewaudioError, OSError, ValueError) as error:
        print_message(f"The report contains no audio: {error}")
        return None
