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
from ._recipes import make_recipes
from ._run_config import DATASET_OPTIONS, check_unchanged, read_config
from ._run_files import EMBEDDING, LEAKS, SUGGESTIONS, TIMES, open_predictions, open_results
from ._suites import SLOW
from ._unreadable import leave_out

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from skfewaudio.datasets import AudioDataset
    from skfewaudio.reporting import EmbeddingDisplay

SUFFIXES = {"html": "html", "markdown": "md"}
N_SUGGESTIONS = 20
N_TIMED = 8  # clips whose features are computed for the time
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
    """Write the projected embeddings of the clips of a fold by the best pipeline that has embeddings."""
    from skfewaudio.model_selection import FewShotSplit

    ranked = rank_pipelines(open_results(run.args.output).frame())
    n_shots = max(run.args.n_shots)
    split = FewShotSplit(n_shots, cv=run.cv, random_state=run.args.random_state)
    train, test = next(split.split(run.dataset.X, run.dataset.y))
    fold = run.cv.unique_folds[0]
    for name in ranked:
        frame = _embed(run, name, train, test) if name in run.args.pipelines and name not in SLOW else None
        if frame is not None:
            known = frame.assign(pipeline=name, n_shots=n_shots, fold=fold)
            _write_table(known, run.args.output / EMBEDDING)
            return


def _embed(run: Run, name: str, train: "np.ndarray", test: "np.ndarray") -> "pd.DataFrame | None":
    """Fit a pipeline and return the embeddings of test clips; None if it has no vectors to show."""
    from skfewaudio.reporting import EmbeddingDisplay

    dataset = run.dataset
    model = run.cached(build_pipeline(run, name))
    if not hasattr(model, "steps"):
        return None
    clips = [dataset.X[i] for i in test]
    model.fit([dataset.X[i] for i in train], dataset.y[train])
    try:
        frame = EmbeddingDisplay.from_estimator(model, clips, dataset.y[test], clips=test).frame()
    except (TypeError, ValueError):
        return None  # the features of some classifiers are spectrograms, or one number
    is_clip = frame["kind"] == "clip"
    frame.loc[is_clip, "predicted"] = model.predict(clips).astype(str)
    return frame


def write_times(run: Run) -> None:
    """Measure the time for the features of a clip, without the cache, by pipeline, once per output folder."""
    import pandas as pd

    from skfewaudio.model_selection.shared_features import SharedFeatures

    path = run.args.output / TIMES
    before = None if run.args.overwrite else _read_table(path)
    known = {} if before is None else dict(zip(before["pipeline"], before["clip_feature_time"], strict=True))
    clips = [run.dataset.X[i] for i in range(0, len(run.dataset), max(1, len(run.dataset) // N_TIMED))][
        :N_TIMED
    ]
    for name in run.args.pipelines:
        if name not in known:
            pipeline = build_pipeline(run, name)
            SharedFeatures({name: pipeline}).compute(name, clips[:1])  # loads what the first clip needs
            features = SharedFeatures({name: pipeline})
            features.compute(name, clips)
            known[name] = features.seconds[name] / len(clips)
    _write_table(pd.DataFrame({"pipeline": known.keys(), "clip_feature_time": known.values()}), path)


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
    tables = {name: _read_table(folder / name) for name in (LEAKS, SUGGESTIONS, EMBEDDING, TIMES)}
    times = tables[TIMES]
    if times is not None:
        rows = rows.merge(times, on="pipeline", how="left")
    return write_report(
        path,
        rows,
        predictions=_read_predictions(folder),
        dataset=dataset if dataset is not None else _reload_dataset(config, folder),
        config={name: value for name, value in config.items() if name not in HIDDEN_SETTINGS},
        leaks=tables[LEAKS],
        extrapolation=_extrapolate(rows),
        suggestions=tables[SUGGESTIONS],
        embedding=_as_display(tables[EMBEDDING]),
        recipes=make_recipes(config),
        format=format,
    )


def _as_display(table: "pd.DataFrame | None") -> "EmbeddingDisplay | None":
    """Return the stored embedding with a description of the classifier and of the clips."""
    from skfewaudio.reporting import EmbeddingDisplay

    if table is None:
        return None
    description = ""
    if {"pipeline", "n_shots", "fold"} <= set(table):
        first = table.iloc[0]
        clips = "clip" if first["n_shots"] == 1 else "clips"
        description = (
            f"The features of {first['pipeline']}, fitted to {first['n_shots']} labelled {clips} per class "
            f"of the other folds; the clips are those of fold {first['fold']}, which it was not fitted to."
        )
    return EmbeddingDisplay(table, projection="principal component", description=description)


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
        return pd.read_csv(
            io.BytesIO(read_regular(path)), dtype={"label": str, "predicted": str}, keep_default_na=False
        )
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
