"""Protocols of the suites.

Each first checks the request and builds the pipelines, so that errors are raised before anything is computed.
"""

import argparse
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from skfewaudio._names import escape, escape_words

from ._adapt_pipelines import add_resampling, cache_features, set_reading_options
from ._dataset import select_folds
from ._n_shots import choose_n_shots
from ._run_config import write_config
from ._run_files import RunFiles
from ._suites import NEEDS_WEIGHTS, SUITES, TAKES_EMBEDDING

if TYPE_CHECKING:
    import pandas as pd
    from sklearn.model_selection import PredefinedSplit

    from skfewaudio.datasets import AudioDataset


class Run(NamedTuple):
    """Options, dataset, folds and device of a run."""

    args: argparse.Namespace
    dataset: "AudioDataset"
    cv: "PredefinedSplit"  # yields the test folds
    device: str

    @property
    def n_jobs(self) -> int:
        """Return --n-jobs, or by default one fit at a time on a GPU and all cores (-1) on a CPU."""
        return self.args.n_jobs or (1 if self.device.startswith("cuda") else -1)

    @property
    def mixed_precision(self) -> bool | None:
        """Return the parameter mixed_precision of the networks."""
        return self.args.mixed_precision or None

    def write_config(self, pipelines: dict[str, Any]) -> dict[str, str]:
        """Write the settings of the run, and return the columns that every row has; see `write_config`."""
        folds = select_folds(self.dataset, None).test_fold
        return write_config(self.args, self.dataset, pipelines, device=self.device, folds=folds)

    def cached(self, pipeline: Any) -> Any:
        """Return a pipeline with cached features, or the pipeline itself with --no-cache."""
        return cache_features(pipeline, self.args.cache_dir) if self.args.cache else pipeline


# Computes the scores, prints the tables and returns the paths of the plots.
Compute = Callable[[], list[Path]]


def prepare_few_data(run: Run) -> Compute:
    """Prepare learning curves over the number of labelled clips."""
    from skfewaudio.model_selection import FewShotSplit, few_shot_curve
    from skfewaudio.reporting import accuracy_table

    args, dataset = run.args, run.dataset
    if dataset.y.ndim > 1:
        raise ValueError(
            f"{dataset.name} has several labels per clip, but the suite few-data requires one class per "
            "clip; use --suite large-scale"
        )
    args.n_shots, message = choose_n_shots(args.n_shots, dataset, run.cv.split())
    if message:
        print_message(message)
    next(FewShotSplit(max(args.n_shots), cv=run.cv).split(dataset.X, dataset.y))
    pipelines = {name: build_pipeline(run, name) for name in _runnable_names(args)}
    _report_unchanged(run)
    origin = run.write_config(pipelines)

    def compute() -> list[Path]:
        n_fits = len(args.n_shots) * args.n_repeats * run.cv.get_n_splits()
        files = RunFiles(args.output, dataset, n_fits, origin=origin)
        results = few_shot_curve(
            {name: run.cached(pipeline) for name, pipeline in pipelines.items()},
            dataset.X,
            dataset.y,
            n_shots=args.n_shots,
            n_repeats=args.n_repeats,
            cv=run.cv,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=files.finished_rows(),
            on_result=files.add_results,
            on_predictions=files.add_predictions,
            verbose=int(sys.stderr.isatty()),
        )
        print(f"\n{escape(dataset.name)}: accuracy (%), {_describe_draws(args.n_repeats)}\n")
        print(f"{accuracy_table(results)}\n")
        return _plot_curve(results, dataset.name, args.output) if has_matplotlib() else []

    return compute


def prepare_random_cnn(run: Run) -> Compute:
    """Prepare the comparison of features of untrained networks, with all labelled clips."""
    from ._random_cnn.scores import comparison_table, plot_comparison, score_feature_studies

    args, dataset = run.args, run.dataset
    names = _runnable_names(args)
    origin = run.write_config({name: _build_feature_study(run, name, random_state=0) for name in names})

    def make_feature_study(name: str, *, random_state: int) -> Any:
        study = _build_feature_study(run, name, random_state=random_state)
        return study._replace(features=run.cached(study.features))

    def compute() -> list[Path]:
        files = RunFiles(args.output, dataset, args.n_repeats * run.cv.get_n_splits(), origin=origin)
        score_feature_studies(
            make_feature_study,
            names,
            dataset.X,
            dataset.y,
            run.cv,
            folds=select_folds(dataset, None).test_fold,
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=files.results.frame(),
            on_result=files.add_results,
        )
        rows = _select_rows(files.results.frame(), names, args.n_repeats, run.cv.unique_folds)
        print(f"\n{escape(dataset.name)}: {comparison_table(rows)}\n")
        return plot_comparison(rows, dataset.name, args.output) if has_matplotlib() else []

    return compute


def prepare_large_scale(run: Run) -> Compute:
    """Prepare the scores of large networks for multi-label tagging."""
    from ._large_scale.scores import score_tagging_studies, tagging_tables

    args, dataset = run.args, run.dataset
    weights = args.vggish_weights or "vggish"
    studies = {
        name: SUITES[args.suite][name](scale=args.scale, vggish_weights=weights)
        for name in _runnable_names(args)
    }
    origin = run.write_config(studies)
    folds = run.cv.unique_folds if args.folds else run.cv.unique_folds[:1]
    splits = {int(fold): split for fold, split in zip(run.cv.unique_folds, run.cv.split(), strict=True)}

    def compute() -> list[Path]:
        n_fits = args.n_repeats * len(folds)
        files = RunFiles(args.output, dataset, n_fits, origin=origin, metric="mean_auc")
        score_tagging_studies(
            studies,
            dataset,
            {int(fold): splits[int(fold)] for fold in folds},
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=run.n_jobs,
            finished=files.results.frame(),
            on_result=files.add_results,
            device=run.device,
            mixed_precision=run.mixed_precision,
        )
        rows = _select_rows(files.results.frame(), list(studies), args.n_repeats, folds)
        print(f"\n{escape(dataset.name)}, scale {args.scale:g}\n\n{tagging_tables(rows)}\n")
        return []

    return compute


PROTOCOLS: dict[str, Callable[[Run], Compute]] = {
    "few-data": prepare_few_data,
    "random-cnn": prepare_random_cnn,
    "large-scale": prepare_large_scale,
}


def _select_rows(rows: "pd.DataFrame", names: list[str], n_repeats: int, folds: Any) -> "pd.DataFrame":
    """Select the rows of this run; the files may contain rows of earlier runs."""
    return rows[rows["pipeline"].isin(names) & (rows["repeat"] < n_repeats) & rows["fold"].isin(list(folds))]


def build_pipeline(run: Run, name: str) -> Any:
    """Build a pipeline of the suite, with resampling if the dataset requires it."""
    pipeline = SUITES[run.args.suite][name](
        device=run.device,
        mixed_precision=run.mixed_precision,
        vggish_weights=run.args.vggish_weights or "vggish",
        **({"embedding": run.args.embedding} if name in TAKES_EMBEDDING else {}),
    )
    set_reading_options(pipeline, name, run.args)
    return add_resampling(pipeline, run.dataset)


def _report_unchanged(run: Run) -> None:
    """Print which options for reading recordings do not apply to some pipelines."""
    unchanged: dict[str, list[str]] = {}
    for name in run.args.pipelines:
        pipeline = SUITES[run.args.suite][name](
            device=run.device, mixed_precision=None, vggish_weights=run.args.vggish_weights or "vggish"
        )
        for option in set_reading_options(pipeline, name, run.args):
            unchanged.setdefault(option, []).append(name)
    for option, names in unchanged.items():
        print_message(f"{option} does not apply to {', '.join(names)}")


def _build_feature_study(run: Run, name: str, *, random_state: int) -> Any:
    """Build a study of the suite random-cnn, with resampling if the dataset requires it."""
    study = SUITES[run.args.suite][name](
        device=run.device, random_state=random_state, mixed_precision=run.mixed_precision
    )
    return study._replace(features=add_resampling(study.features, run.dataset))


def _runnable_names(args: argparse.Namespace) -> list[str]:
    """Return the pipelines that can be run, and print which are skipped and why."""
    from skfewaudio._weights import have_weights

    if args.skipped_slow:
        print_message(f"Slow pipelines skipped: {', '.join(args.skipped_slow)} (--pipelines all runs them)")
    if args.vggish_weights is None and not have_weights("vggish", kind="weights"):
        skipped = [name for name in args.pipelines if name in NEEDS_WEIGHTS]
        if skipped:
            print_message(
                f"Skipped: {', '.join(skipped)}; no VGGish weights in the cache and no --vggish-weights"
            )
        args.pipelines = [name for name in args.pipelines if name not in skipped]
    if not args.pipelines:
        raise ValueError("there is no pipeline left to run")
    return args.pipelines


def print_message(text: str) -> None:
    """Print a message to stderr, wrapped at 80 columns."""
    print(
        textwrap.fill(escape_words(text), 80, subsequent_indent="  ", break_on_hyphens=False), file=sys.stderr
    )


def _describe_draws(n_repeats: int) -> str:
    """Describe what a table of scores shows; two draws give no interval."""
    if n_repeats == 1:
        return "one draw"
    return f"mean {'± 95 % interval ' if n_repeats > 2 else ''}over {n_repeats} draws"


def has_matplotlib() -> bool:
    """Check whether matplotlib is installed, and print a message if not."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        print_message("No plot: matplotlib is not installed (pip install skfewaudio[plot])")
        return False
    return True


def _plot_curve(results: "pd.DataFrame", title: str, output: Path) -> list[Path]:
    """Plot the learning curves and return the path of the file."""
    from matplotlib.figure import Figure

    from skfewaudio.reporting import FewShotCurveDisplay

    figure = Figure(figsize=(7.0, 4.4), dpi=150, layout="constrained")
    FewShotCurveDisplay.from_results(results).plot(figure.subplots(), title=title)
    figure.savefig(output / "curve.png")
    return [output / "curve.png"]
