"""What follows the scores of a run: leaks, an outlook, the clips to label next, and the report."""

import argparse
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._clips import load_clips
from ._protocols import Run, build_pipeline, say
from ._record import open_predictions, open_results, read_config

if TYPE_CHECKING:
    import pandas as pd

    from skfewaudio.datasets import AudioDataset

LEAKS, SUGGESTIONS, EMBEDDING = "leaks.csv", "suggestions.csv", "embedding.csv"
SUFFIXES = {"html": "html", "markdown": "md"}
N_SUGGESTIONS = 20
LISTS = ["clip", "true", "predicted", "probability", "true_probability"]
HIDDEN = ("pipelines", "classes", "licence", "citation", "source")


def find_leaks(run: Run) -> None:
    """Look for test clips that training knows, once for each folder of results, and keep what is found."""
    from skfewaudio.exceptions import LeakageWarning
    from skfewaudio.model_selection import check_leakage

    path = run.args.output / LEAKS
    if not run.args.leaks or (path.exists() and not run.args.overwrite):
        return
    dataset = run.dataset
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LeakageWarning)  # said in a line of its own
        found = check_leakage(
            dataset.X,
            dataset.y,
            folds=run.cv.test_fold,
            groups=dataset.groups,
            sample_rate=dataset.sample_rate,
        )
    found.to_csv(path, index=False)
    if len(found):
        kinds = found["kind"].value_counts()
        counts = ", ".join(f"{n} {kind}" for kind, n in kinds.items())
        say(f"Careful: test clips may be known from training ({counts}); see {path}")


def suggest_next(run: Run, paths: list[str]) -> list[Path]:
    """Fit the best pipeline that knows probabilities to all clips, and suggest which others to label next."""
    import pandas as pd

    from skfewaudio.audio import iter_clips
    from skfewaudio.model_selection import suggest_clips

    dataset = run.dataset
    ranked = rank_pipelines(open_results(run.args.output).frame())
    models = {name: build_pipeline(run, name) for name in ranked if name in run.args.pipelines}
    name = next((name for name, model in models.items() if hasattr(model, "predict_proba")), None)
    if name is None:
        say("No suggestion what to label next: no pipeline of the run knows probabilities")
        return []
    model = run.cached(models[name]).fit(dataset.X, dataset.y)
    are_files = isinstance(dataset.X[0], str)
    clips = paths if are_files else list(iter_clips(paths, sample_rate=dataset.sample_rate))
    chosen = suggest_clips(model, clips, n_clips=min(N_SUGGESTIONS, len(paths)))
    path = run.args.output / SUGGESTIONS
    pd.DataFrame({"clip": [paths[i] for i in chosen], "pipeline": name}).to_csv(path, index=False)
    return [path]


def rank_pipelines(rows: "pd.DataFrame") -> list[str]:
    """Name the pipelines, that with the highest mean accuracy where there are most clips per class first."""
    ours = rows[rows["metric"] == "accuracy"]
    most = ours[ours["n_shots"] == ours["n_shots"].max()]
    return most.groupby("pipeline")["value"].mean().sort_values(ascending=False).index.tolist()


def embed_clips(run: Run) -> None:
    """Keep a picture of test clips and prototypes, of the first pipeline that has both."""
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
            display.frame().to_csv(run.args.output / EMBEDDING, index=False)
            return


def write_run_report(
    folder: Path, *, format: str = "html", path: Path | None = None, dataset: "AudioDataset | None" = None
) -> Path:
    """Write the report on a run from what it has stored.

    Parameters
    ----------
    folder : Path
        The output of a run.
    format : {"html", "markdown"}, default="html"
        As for :func:`skfewaudio.reporting.write_report`.
    path : Path or None, default=None
        The file; None is ``report.html`` or ``report.md`` in `folder`.
    dataset : AudioDataset or None, default=None
        The clips; None loads what the run had. If it is gone, the report goes without sound.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    FileNotFoundError
        If the folder holds no results.
    ValueError
        If the results have no numbers of clips per class, or the format is unknown.
    """
    from skfewaudio.reporting import write_report

    folder = Path(folder)
    rows = open_results(folder).frame()
    if rows.empty:
        raise FileNotFoundError(f"{folder} holds no results; give the output folder of a benchmark")
    config = read_config(folder)
    path = path or folder / f"report.{SUFFIXES.get(format, format)}"
    tables = {name: _read_table(folder / name) for name in (LEAKS, SUGGESTIONS, EMBEDDING)}
    return write_report(
        path,
        rows,
        predictions=_read_predictions(folder),
        dataset=dataset if dataset is not None else _load_again(config),
        config={name: value for name, value in config.items() if name not in HIDDEN},
        leaks=tables[LEAKS],
        extrapolation=_extrapolate(rows),
        suggestions=tables[SUGGESTIONS],
        embedding=tables[EMBEDDING],
        format=format,
    )


def _read_table(path: Path) -> "pd.DataFrame | None":
    """Read a table that a run has kept, if it has."""
    import pandas as pd

    return pd.read_csv(path, dtype={"label": str}, keep_default_na=False) if path.exists() else None


def _read_predictions(folder: Path) -> "pd.DataFrame | None":
    """Lay predictions out, a row each."""
    fits = open_predictions(folder).frame()
    if fits.empty:
        return None
    return fits.explode(LISTS, ignore_index=True).astype({"clip": int, "probability": float})


def _extrapolate(rows: "pd.DataFrame") -> "pd.DataFrame | None":
    """Estimate what twice the clips would bring, where there are enough numbers of clips and repeats."""
    from skfewaudio.model_selection import extrapolate_curve

    try:
        return extrapolate_curve(rows)
    except ValueError as error:
        say(f"No outlook on more clips: {error}")
        return None


def _load_again(config: dict[str, Any]) -> "AudioDataset | None":
    """Load the data set of a run, if it is still there."""
    from skfewaudio.exceptions import SkfewaudioError

    source = config.get("source")
    if source is None:
        return None
    home = source["data_home"]
    try:
        return load_clips(argparse.Namespace(**{**source, "data_home": Path(home) if home else None}))
    except (SkfewaudioError, OSError, ValueError) as error:
        print(f"The report goes without sound: {error}", file=sys.stderr)
        return None
