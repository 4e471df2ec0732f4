"""Scores of every pipeline of a suite on one data set.

With no options: few-shot learning curves on the embedded data set, a table, a picture, and every score as
JSON Lines. The suite few-data varies the number of labelled clips; random-cnn takes all of them, and compares
features of untrained networks; large-scale compares large networks that tag clips, in the tables of
arXiv:1609.09430.
"""

import argparse
import inspect
import json
import platform
import re
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import large_scale
from options import parse_options
from suites import NEEDS_WEIGHTS, SUITES

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from sklearn.model_selection import PredefinedSplit

    from skfewaudio.datasets import AudioDataset
    from skfewaudio.reporting import ResultStore

# Everything heavy is imported where it is used, so that --help answers at once.


def main(argv: list[str] | None = None) -> int:
    """Run the benchmark.

    Parameters
    ----------
    argv : list of str or None, default=None
        Options; None takes those of the command line.

    Returns
    -------
    int
        Exit status: 0, 2 for a wrong request or missing data, 130 after Ctrl-C.
    """
    args = parse_options(argv, description=__doc__)
    try:
        return _run(args)
    except KeyboardInterrupt:
        print(
            f"\nStopped. Finished fits are kept in {args.output}; the same command goes on from there.",
            file=sys.stderr,
        )
        return 130


def _run(args: argparse.Namespace) -> int:
    """Prepare, compute, and write what came of it."""
    from skfewaudio._torch import resolve_device
    from skfewaudio.exceptions import SkfewaudioError
    from skfewaudio.reporting import ResultStore

    started = time.monotonic()
    protocol = {"few-data": _few_shot, "random-cnn": _random_weights, "large-scale": _large_scale}[args.suite]
    try:
        device = str(resolve_device(args.device))
        dataset = _load(args)
        cv = _folds_of(dataset, args.folds)
        store = ResultStore(args.output / "results.jsonl")
        compute = protocol(args, dataset, cv, device)
    except (SkfewaudioError, ValueError, OSError) as error:
        print(f"run_all: {error}", file=sys.stderr)
        return 2

    print(f"{dataset!r}\n{dataset.licence}\n", file=sys.stderr)
    try:
        pictures = compute(store)
    except (SkfewaudioError, OSError) as error:
        print(f"run_all: {error}", file=sys.stderr)
        return 2
    written = [store.path, args.output / "config.json", *pictures]
    print(f"{time.monotonic() - started:.0f} s. Written:", *written, sep="\n  ")
    return 0


# From the store, whose rows need not be computed again, to the pictures made.
Compute = Callable[["ResultStore"], list[Path]]


def _few_shot(
    args: argparse.Namespace, dataset: "AudioDataset", cv: "PredefinedSplit", device: str
) -> Compute:
    """Prepare scores against the number of labelled clips."""
    from skfewaudio.model_selection import FewShotSplit, few_shot_curve
    from skfewaudio.reporting import accuracy_table

    # What cannot work is said before anything is computed.
    next(FewShotSplit(max(args.n_shots), cv=cv).split(dataset.X, dataset.y))
    pipelines = {name: _pipeline(args, name, device, dataset) for name in _runnable(args)}
    _write_config(args, dataset, pipelines, device)

    def compute(store: "ResultStore") -> list[Path]:
        progress = _Progress(len(args.n_shots) * args.n_repeats * cv.get_n_splits())
        results = few_shot_curve(
            pipelines,
            dataset.X,
            dataset.y,
            n_shots=args.n_shots,
            n_repeats=args.n_repeats,
            cv=cv,
            random_state=args.random_state,
            n_jobs=_n_jobs(args, device),
            finished=store.frame(),
            on_result=partial(_keep, store, dataset, progress),
            verbose=int(sys.stderr.isatty()),
        )
        spread = f"mean ± 95 % interval over {args.n_repeats} draws" if args.n_repeats > 1 else "one draw"
        print(f"\n{dataset.name}: accuracy (%), {spread}\n\n{accuracy_table(results)}\n")
        return _draw(results, dataset.name, args.output) if _can_draw() else []

    return compute


def _random_weights(
    args: argparse.Namespace, dataset: "AudioDataset", cv: "PredefinedSplit", device: str
) -> Compute:
    """Prepare scores of features of untrained networks, with all labelled clips."""
    from cross_validation import compare_table, draw_comparison, score_studies

    names = _runnable(args)
    make_study = partial(_study, args, device, dataset)
    _write_config(args, dataset, {name: make_study(name, random_state=0) for name in names}, device)

    def compute(store: "ResultStore") -> list[Path]:
        score_studies(
            make_study,
            names,
            dataset.X,
            dataset.y,
            cv,
            folds=_folds_of(dataset, None).test_fold,
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=_n_jobs(args, device),
            finished=store.frame(),
            on_result=partial(_keep, store, dataset, _Progress(args.n_repeats * cv.get_n_splits())),
        )
        rows = store.frame()
        wanted = rows["pipeline"].isin(names) & (rows["repeat"] < args.n_repeats)
        rows = rows[wanted & rows["fold"].isin(cv.unique_folds)]
        print(f"\n{dataset.name}: {compare_table(rows)}\n")
        return draw_comparison(rows, dataset.name, args.output) if _can_draw() else []

    return compute


def _large_scale(
    args: argparse.Namespace, dataset: "AudioDataset", cv: "PredefinedSplit", device: str
) -> Compute:
    """Prepare scores of large networks that tag clips."""
    from tagging_scores import score_studies, tagging_tables

    weights = args.vggish_weights or "vggish"
    studies = {
        name: SUITES[args.suite][name](scale=args.scale, vggish_weights=weights) for name in _runnable(args)
    }
    _write_config(args, dataset, studies, device)
    folds = cv.unique_folds if args.folds else cv.unique_folds[:1]
    splits = {
        int(fold): split for fold, split in zip(cv.unique_folds, cv.split(), strict=True) if fold in folds
    }

    def compute(store: "ResultStore") -> list[Path]:
        score_studies(
            studies,
            dataset,
            splits,
            n_repeats=args.n_repeats,
            random_state=args.random_state,
            n_jobs=_n_jobs(args, device),
            finished=store.frame(),
            on_result=partial(
                _keep, store, dataset, _Progress(args.n_repeats * len(splits), metric="mean_auc")
            ),
            device=device,
            mixed_precision=args.mixed_precision or None,
        )
        rows = store.frame()
        wanted = rows["pipeline"].isin(list(studies)) & (rows["repeat"] < args.n_repeats)
        tables = tagging_tables(rows[wanted & rows["fold"].isin(folds)])
        print(f"\n{dataset.name}, scale {args.scale:g}\n\n{tables}\n")
        return []

    return compute


def _study(
    args: argparse.Namespace, device: str, dataset: "AudioDataset", name: str, *, random_state: int
) -> Any:
    """Build a study whose features are those of the data set's clips."""
    study = SUITES[args.suite][name](
        device=device, random_state=random_state, mixed_precision=args.mixed_precision or None
    )
    return study._replace(features=_resampled(study.features, dataset))


def _n_jobs(args: argparse.Namespace, device: str) -> int:
    """Give the number of fits at a time."""
    return args.n_jobs or (1 if device.startswith("cuda") else -1)


def _keep(
    store: "ResultStore", dataset: "AudioDataset", progress: "_Progress", rows: list[dict[str, Any]]
) -> None:
    """Store rows, and count them."""
    store.append([{"dataset": dataset.name, **row} for row in rows])
    progress.count(rows)


class _Progress:
    """Where there is no terminal for a bar: a line for each pipeline when it is done."""

    def __init__(self, n_fits: int, *, metric: str = "accuracy") -> None:
        self.n_fits = n_fits
        self.metric = metric
        self.done: Counter[str] = Counter()
        self.started = time.monotonic()

    def count(self, rows: list[dict[str, Any]]) -> None:
        """Count the rows of some fits."""
        fresh = Counter(row["pipeline"] for row in rows if row["metric"] == self.metric)
        self.done += fresh
        if sys.stderr.isatty():
            return
        for name in fresh:
            if self.done[name] == self.n_fits:
                fits = f"{self.n_fits} fit{'s' if self.n_fits > 1 else ''}"
                print(f"{name}: {fits}, {time.monotonic() - self.started:.0f} s", file=sys.stderr)


def _load(args: argparse.Namespace) -> "AudioDataset":
    """Load the data set, or for large-scale the share of it that was asked for."""
    if args.suite == "large-scale":
        return large_scale.load(args.dataset, partial(_load_whole, args), scale=args.scale)
    return _load_whole(args)


def _load_whole(args: argparse.Namespace, **overrides: Any) -> "AudioDataset":
    """Load the data set, with those options that it takes."""
    from skfewaudio.datasets import load_folder
    from skfewaudio.plugins import DATASETS

    if args.dataset == "folder":
        if args.data_home is None:
            raise ValueError("--dataset folder needs --data-home, the folder that holds a folder per class")
        return load_folder(args.data_home)
    load = DATASETS.get(args.dataset)
    options = {"data_home": args.data_home, "subset": args.subset, **overrides}
    given = {name: value for name, value in options.items() if value is not None}
    for name in given:
        if name not in inspect.signature(load).parameters:
            raise ValueError(f"the data set {args.dataset} takes no --{name.replace('_', '-')}")
    return load(**given)


def _folds_of(dataset: "AudioDataset", wanted: list[int] | None) -> "PredefinedSplit":
    """Give the data set's folds, or folds made for it, with those not wanted for training only."""
    import numpy as np
    from sklearn.model_selection import PredefinedSplit

    folds = dataset.folds
    if folds is None:
        folds = np.empty(len(dataset), dtype=int)
        for number, (_, test) in enumerate(
            dataset.make_cv().split(folds, dataset.y, dataset.groups), start=1
        ):
            folds[test] = number
    known = sorted(set(folds.tolist()) - {-1})
    unknown = sorted(set(wanted or []) - set(known))
    if unknown:
        raise ValueError(f"--folds: no fold {', '.join(map(str, unknown))}; there are {known}")
    return PredefinedSplit(np.where(np.isin(folds, wanted or known), folds, -1))


def _runnable(args: argparse.Namespace) -> list[str]:
    """Give the pipelines that can be run, and say which are not and why."""
    from skfewaudio._weights import have_weights

    if args.slow_left_out:
        _say(f"Left out, being slow: {', '.join(args.slow_left_out)} (--pipelines all)")
    if args.vggish_weights is None and not have_weights("vggish", kind="weights"):
        skipped = [name for name in args.pipelines if name in NEEDS_WEIGHTS]
        if skipped:
            _say(f"Skipped: {', '.join(skipped)}; no weights of VGGish in the cache, and no --vggish-weights")
        args.pipelines = [name for name in args.pipelines if name not in skipped]
    if not args.pipelines:
        raise ValueError("there is no pipeline left to run")
    return args.pipelines


def _say(text: str) -> None:
    """Print what is not a result, within the width of a terminal."""
    print(textwrap.fill(text, 80, subsequent_indent="  ", break_on_hyphens=False), file=sys.stderr)


def _pipeline(args: argparse.Namespace, name: str, device: str, dataset: "AudioDataset") -> Any:
    """Build a pipeline for the data set's clips."""
    pipeline = SUITES[args.suite][name](
        device=device,
        mixed_precision=args.mixed_precision or None,
        vggish_weights=args.vggish_weights or "vggish",
    )
    return _resampled(pipeline, dataset)


def _resampled(pipeline: Any, dataset: "AudioDataset") -> Any:
    """Put resampling before features of waveforms, which they leave to the reading of files."""
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    steps = [step for _, step in pipeline.steps] if isinstance(pipeline, Pipeline) else [pipeline]
    rate = getattr(steps[0], "sample_rate", dataset.sample_rate)
    if isinstance(dataset.X[0], str) or rate == dataset.sample_rate:
        return pipeline
    rates = {"old_rate": dataset.sample_rate, "new_rate": rate}
    return make_pipeline(FunctionTransformer(_resample, kw_args=rates), *steps)


def _resample(clips: list["np.ndarray"], *, old_rate: int, new_rate: int) -> list["np.ndarray"]:
    """Bring waveforms to another sample rate, as reading files does."""
    import soxr

    return [soxr.resample(clip, old_rate, new_rate, quality="HQ") for clip in clips]


def _write_config(
    args: argparse.Namespace, dataset: "AudioDataset", pipelines: dict[str, Any], device: str
) -> None:
    """Write what the results depend on; refuse to mix them with those of other settings."""
    path = args.output / "config.json"
    results = args.output / "results.jsonl"
    config: dict[str, Any] = {
        "dataset": dataset.name,
        "n_clips": len(dataset),
        "classes": dataset.target_names,
        "random_state": args.random_state,
        "device": device,
        "skfewaudio": version("skfewaudio"),
        # Without the addresses of functions, which change from run to run.
        "pipelines": {name: re.sub(r" at 0x\w+", "", repr(pipe)) for name, pipe in pipelines.items()},
    }
    if args.overwrite:
        results.unlink(missing_ok=True)
    elif results.exists() and path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        config["pipelines"] = {**before["pipelines"], **config["pipelines"]}
        # Pipelines may be added to earlier ones, not changed.
        now = {**config, "pipelines": {name: config["pipelines"][name] for name in before["pipelines"]}}
        changed = [name for name in now if now[name] != before.get(name)]
        if changed:
            raise ValueError(
                f"{args.output} holds results of other settings ({', '.join(changed)} differ): "
                "give another --output, or --overwrite to start anew"
            )
    notes = {
        "licence": dataset.licence,
        "citation": dataset.citation,
        "n_shots": args.n_shots,
        "n_repeats": args.n_repeats,
        "folds": args.folds,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "versions": {name: version(name) for name in ("numpy", "scikit-learn", "torch", "skorch", "librosa")},
    }
    args.output.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({**config, **notes}, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _can_draw() -> bool:
    """Tell whether matplotlib is installed, and say so if it is not."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        print("No picture: it needs matplotlib (pip install skfewaudio[plot])", file=sys.stderr)
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


if __name__ == "__main__":
    sys.exit(main())
