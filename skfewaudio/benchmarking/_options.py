"""The options of run_all's command line."""

import argparse
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from ._suites import SLOW, SUITES

# Networks of large-scale take several labels a clip, and are trained once, as published.
DEFAULTS: dict[str, dict[str, Any]] = {
    "few-data": {"dataset": "synthetic", "n_repeats": 5},
    "random-cnn": {"dataset": "synthetic", "n_repeats": 5},
    "large-scale": {"dataset": "sound_scenes", "n_repeats": 1},
}


def parse_options(
    argv: list[str] | None, *, description: str | None = None, command: str | None = None
) -> argparse.Namespace:
    """Read the command line.

    Parameters
    ----------
    argv : list of str or None
        Options; None takes those of the command line.
    description : str or None, default=None
        What ``--help`` begins with.
    command : str or None, default=None
        What it calls the command; None is the name of the program.

    Returns
    -------
    Namespace
        ``pipelines`` are names, and ``slow_left_out`` those left out for being slow.
    """
    parser = _build_parser(description, command)
    args = parser.parse_args(argv)
    for name, value in DEFAULTS[args.suite].items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if args.output is None:
        suite = args.suite if args.suite != "few-data" else None
        args.output = Path("results") / "-".join(filter(None, [args.dataset, args.subset, suite]))
    if min(*args.n_shots, args.n_repeats) < 1:
        parser.error("--n-shots and --n-repeats must be at least 1")
    if not 0 < args.scale <= 1:
        parser.error(f"--scale must be above 0 and at most 1; got {args.scale}")
    pipelines = SUITES[args.suite]
    args.slow_left_out = [name for name in pipelines if args.pipelines is None and name in SLOW]
    wanted = ["*"] if args.pipelines in (None, ["all"]) else args.pipelines
    unknown = [pattern for pattern in wanted if not any(fnmatch(name, pattern) for name in pipelines)]
    if unknown:
        parser.error(f"--pipelines: unknown {', '.join(unknown)}; {args.suite} has {', '.join(pipelines)}")
    args.pipelines = [
        name
        for name in pipelines
        if any(fnmatch(name, pattern) for pattern in wanted) and name not in args.slow_left_out
    ]
    return args


def _build_parser(description: str | None, command: str | None) -> argparse.ArgumentParser:
    """Say which options there are."""
    parser = argparse.ArgumentParser(
        prog=command, description=description, formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    _add_sounds_and_pipelines(parser)
    _add_protocol(parser)
    _add_work(parser)
    _add_results(parser)
    return parser


def _add_sounds_and_pipelines(parser: argparse.ArgumentParser) -> None:
    """Say what is compared, on which sounds."""
    parser.add_argument("--suite", choices=SUITES, default="few-data", help="group of pipelines")
    parser.add_argument(
        "--dataset",
        help="synthetic, sound_scenes, esc50, urbansound8k, tut2017, gtzan, extended_ballroom, audioset, one "
        "from a plugin, or folder (a folder per class); synthetic, or for large-scale sound_scenes, if not "
        "given",
    )
    parser.add_argument("--data-home", type=Path, help="where the data set is; for folder, the folder itself")
    parser.add_argument("--subset", help="part of the data set, such as esc10 of esc50")
    parser.add_argument(
        "--pipelines",
        nargs="+",
        help="names, patterns such as '7x86*', or all; all but the slow ones if not given",
    )
    parser.add_argument(
        "--vggish-weights", type=Path, help="file of VGGish's weights; those in the cache if not given"
    )
    parser.add_argument(
        "--mixed-precision",
        action="store_true",
        help="train in bfloat16 on the CPU too; twice as fast on some",
    )


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    """Say how much is computed."""
    parser.add_argument(
        "--n-shots",
        type=int,
        nargs="+",
        default=[1, 2, 5, 10, 20],
        help="clips per class; the other suites take all",
    )
    parser.add_argument(
        "--n-repeats",
        type=int,
        help="random draws of the labelled clips, or of the networks' weights; 5, or for large-scale 1, if "
        "not given",
    )
    parser.add_argument(
        "--scale",
        type=float,
        default=0.0625,
        help="size of large-scale: share of the clips, and the square of that of filters; time goes with its "
        "square",
    )
    parser.add_argument(
        "--folds",
        type=int,
        nargs="+",
        help="folds to test on; all, or for large-scale the first, if not given",
    )


def _add_work(parser: argparse.ArgumentParser) -> None:
    """Say where it is computed."""
    parser.add_argument("--n-jobs", type=int, help="fits at a time; all cores if not given, one on a GPU")
    parser.add_argument(
        "--scheduler", help="address of a Dask scheduler, or local for workers of this machine"
    )
    parser.add_argument(
        "--n-workers", type=int, help="of --scheduler local; one for each GPU, or core, if not given"
    )
    parser.add_argument(
        "--cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look up features of sounds that were computed before",
    )
    parser.add_argument("--cache-dir", type=Path, help="folder of these; the package's own if not given")


def _add_results(parser: argparse.ArgumentParser) -> None:
    """Say what is written, and where."""
    parser.add_argument(
        "--leaks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="look for test clips that training knows",
    )
    parser.add_argument(
        "--unlabelled", type=Path, help="folder of recordings, of which the report says what to label next"
    )
    parser.add_argument(
        "--report", choices=("html", "markdown", "none"), default="html", help="what is written at the end"
    )
    parser.add_argument("--device", help="torch device, such as cpu or cuda; the fastest if not given")
    parser.add_argument("--random-state", type=int, default=0, help="seed of the first draw")
    parser.add_argument("--output", type=Path, help="folder for the results; results/<dataset> if not given")
    parser.add_argument("--overwrite", action="store_true", help="start anew where the output has results")
