"""The protocol of each suite: prepared, so that what cannot work is said at once, and then computed."""

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._adapt_pipelines import cache_features, fit_to_clips
from ._clips import folds_of
from ._record import Record, write_config
from ._suites import NEEDS_WEIGHTS, SUITES

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.model_selection import PredefinedSplit

    from skfewaudio.datasets import AudioDataset


class Run(NamedTuple):
    """What is to be done."""

    args: argparse.Namespace
    dataset: "AudioDataset"
    cv: "PredefinedSplit"  # the folds that are tested on
    device: str

    @property
    def n_jobs(self) -> int:
        """Give the number of fits at a time."""
        return self.args.n_jobs or (1 if self.device.startswith("cuda") else -1)

    @property
    def precision(self) -> bool | None:
        """Give the parameter mixed_precision of networks."""
        return self.args.mixed_precision or None

    def cached(self, pipeline: Any) -> Any:
        """Let a pipeline look its features up, unless that is not wanted."""
        return cache_features(pipeline, self.args.cache_dir) if self.args.cache else pipeline


# Computes, prints tables, and gives the pictures made.
Compute = Callable[[], list[Path]]


def few_data(run: Run) -> Compute:
    """Prepare scores against the number of labelled clips."""
    from skfewaudio.model_selection import FewShotSplit, few_shot_curve
    from skfewaudio.reporting import accuracy_table

    args, dataset = run.args, run.dataset
    if dataset.y.ndim > 1:
        raise ValueError(
            f"{dataset.name} has several labels a clip, of which few-data cannot draw n clips per class; "
            "take --suite large-scale"
        )
    next(FewShotSplit(max(args.n_shots), cv=run.cv).split(dataset.X, dataset.y))
    pipelines = {name: build_pipeline(run, name) for name in _runnable(args)}
    write_config(args, dataset, pipelines, run.device)

    def compute() -> list[Path]:
        record = Record(args.output, dataset, len(args.n_shots) * args.n_repeats * run.cv.get_n_splits())
        results = few_shot_curve(
            {name: run.cached(pipeline) for name, pipeline in pipelines.items()},
            dataset.X,
            dataset.y,
            n_shots=args.n_shots,
            n_repeats=args.n_repeats,
            cv=run.cv,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=record.finished(),
            on_result=record.add_results,
            on_predictions=record.add_predictions,
            verbose=int(sys.stderr.isatty()),
        )
        spread = f"mean ± 95 % interval over {args.n_repeats} draws" if args.n_repeats > 1 else "one draw"
        print(f"\n{dataset.name}: accuracy (%), {spread}\n\n{accuracy_table(results)}\n")
        return _draw(results, dataset.name, args.output) if can_draw() else []

    return compute


def random_cnn(run: Run) -> Compute:
    """Prepare scores of features of untrained networks, with all labelled clips."""
    from ._random_cnn.scores import compare_table, draw_comparison, score_feature_studies

    args, dataset = run.args, run.dataset
    names = _runnable(args)
    write_config(args, dataset, {name: _study(run, name, random_state=0) for name in names}, run.device)

    def make_feature_study(name: str, *, random_state: int) -> Any:
        study = _study(run, name, random_state=random_state)
        return study._replace(features=run.cached(study.features))

    def compute() -> list[Path]:
        record = Record(args.output, dataset, args.n_repeats * run.cv.get_n_splits())
        score_feature_studies(
            make_feature_study,
            names,
            dataset.X,
            dataset.y,
            run.cv,
            folds=folds_of(dataset, None).test_fold,
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=record.results.frame(),
            on_result=record.add_results,
        )
        rows = _wanted(record.results.frame(), names, args.n_repeats, run.cv.unique_folds)
        print(f"\n{dataset.name}: {compare_table(rows)}\n")
        return draw_comparison(rows, dataset.name, args.output) if can_draw() else []

    return compute


def large_scale(run: Run) -> Compute:
    """Prepare scores of large networks that tag clips."""
    from ._large_scale.scores import score_tagging_studies, tagging_tables

    args, dataset = run.args, run.dataset
    weights = args.vggish_weights or "vggish"
    studies = {
        name: SUITES[args.suite][name](scale=args.scale, vggish_weights=weights) for name in _runnable(args)
    }
    write_config(args, dataset, studies, run.device)
    folds = run.cv.unique_folds if args.folds else run.cv.unique_folds[:1]
    splits = {int(fold): split for fold, split in zip(run.cv.unique_folds, run.cv.split(), strict=True)}

    def compute() -> list[Path]:
        record = Record(args.output, dataset, args.n_repeats * len(folds), metric="mean_auc")
        score_tagging_studies(
            studies,
            dataset,
            {int(fold): splits[int(fold)] for fold in folds},
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=record.results.frame(),
            on_result=record.add_results,
            device=run.device,
            mixed_precision=run.precision,
        )
        rows = _wanted(record.results.frame(), list(studies), args.n_repeats, folds)
        print(f"\n{dataset.name}, scale {args.scale:g}\n\n{tagging_tables(rows)}\n")
        return []

    return compute


PROTOCOLS: dict[str, Callable[[Run], Compute]] = {
    "few-data": few_data,
    "random-cnn": random_cnn,
    "large-scale": large_scale,
}


def _wanted(rows: "pd.DataFrame", names: list[str], n_repeats: int, folds: Any) -> "pd.DataFrame":
    """Leave out what other calls have computed."""
    return rows[rows["pipeline"].isin(names) & (rows["repeat"] < n_repeats) & rows["fold"].isin(list(folds))]


def build_pipeline(run: Run, name: str) -> Any:
    """Build a pipeline for the data set's clips."""
    pipeline = SUITES[run.args.suite][name](
        device=run.device,
        mixed_precision=run.precision,
        vggish_weights=run.args.vggish_weights or "vggish",
    )
    return fit_to_clips(pipeline, run.dataset)


def _study(run: Run, name: str, *, random_state: int) -> Any:
    """Build a study whose features are those of the data set's clips."""
    study = SUITES[run.args.suite][name](
        device=run.device, random_state=random_state, mixed_precision=run.precision
    )
    return study._replace(features=fit_to_clips(study.features, run.dataset))


def _runnable(args: argparse.Namespace) -> list[str]:
    """Give the pipelines that can be run, and say which are not and why."""
    from skfewaudio._weights import have_weights

    if args.slow_left_out:
        say(f"Left out, being slow: {', '.join(args.slow_left_out)} (--pipelines all)")
    if args.vggish_weights is None and not have_weights("vggish", kind="weights"):
        skipped = [name for name in args.pipelines if name in NEEDS_WEIGHTS]
        if skipped:
            say(f"Skipped: {', '.join(skipped)}; no weights of VGGish in the cache, and no --vggish-weights")
        args.pipelines = [name for name in args.pipelines if name not in skipped]
    if not args.pipelines:
        raise ValueError("there is no pipeline left to run")
    return args.pipelines


def say(text: str) -> None:
    """Print what is not a result, within the width of a terminal."""
    print(textwrap.fill(text, 80, subsequent_indent="  ", break_on_hyphens=False), file=sys.stderr)


def can_draw() -> bool:
    """Tell whether matplotlib is installed, and say so if it is not."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        say("No picture: it needs matplotlib (pip install skfewaudio[plot])")
        return False
    return True


def _draw(results: "pd.DataFrame", title: str, output: Path) -> list[Path]:
    """Draw the curves."""
    from matplotlib.figure import Figure

    from skfewaudio.reporting import FewShotCurveDisplay

    figure = Figure(figsize=(7.0, 4.4), dpi=150, layout="constrained")
    FewShotCurveDisplay.from_results(results).plot(figure.subplots(), title=title)
    figure.savefig(output / "curve.png")
    return [output / "curve.png"]
