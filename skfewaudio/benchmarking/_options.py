"""Command-line options of the benchmark."""

import argparse
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from skfewaudio._option_types import add_embedding, add_reading_options, add_table_options

from ._suites import SLOW, SUITES

# Options for reading recordings, which other suites than few-data prescribe.
READING_OPTIONS = ("sample_rate", "channel", "allow_truncated")
# large-scale needs clips with several labels, and trains each network once, as published.
SUITE_DEFAULTS: dict[str, dict[str, Any]] = {
    "few-data": {"dataset": "synthetic", "n_repeats": 5},
    "random-cnn": {"dataset": "synthetic", "n_repeats": 5},
    "large-scale": {"dataset": "sound_scenes", "n_repeats": 1},
}


def parse_options(
    argv: list[str] | None, *, description: str | None = None, command: str | None = None
) -> argparse.Namespace:
    """Parse the command line and set the defaults of the suite.

    Parameters
    ----------
    argv : list of str or None
        Command-line options; None uses ``sys.argv``.
    description : str or None, default=None
        First paragraph of ``--help``.
    command : str or None, default=None
        Name of the command in ``--help``; None is the name of the program.

    Returns
    -------
    Namespace
        The options. ``pipelines`` are the names to run, and ``skipped_slow`` the slow ones that are skipped.
    """
    parser = argparse.ArgumentParser(prog=command, description=description)
    parser.add_argument("-q", "--quiet", action="store_true", help="suppress notes, progress and warnings")
    add_options(parser)
    args = parser.parse_args(argv)
    try:
        complete_options(args)
    except ValueError as error:
        parser.error(str(error))
    return args


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add all options, except --quiet.

    Parameters
    ----------
    parser : ArgumentParser
        Receives the options.
    """
    _add_data_and_pipelines(parser)
    _add_protocol(parser)
    _add_computation(parser)
    _add_output(parser)


def complete_options(args: argparse.Namespace) -> None:
    """Set the defaults of the suite, and check the options.

    Parameters
    ----------
    args : Namespace
        Parsed options; changed in place.

    Raises
    ------
    ValueError
        If an option is invalid.
    """
    for name, value in SUITE_DEFAULTS[args.suite].items():
        if getattr(args, name) is None:
            setattr(args, name, value)
    if is_file_source(args.dataset):
        args.dataset = str(Path(args.dataset).resolve())
    if args.output is None:
        suite = args.suite if args.suite != "few-data" else None
        parts = [Path(args.dataset).stem, args.subset, suite]
        args.output = Path("results") / "-".join(filter(None, parts))
    if min([*(args.n_shots or ()), args.n_repeats]) < 1:
        raise ValueError("--n-shots and --n-repeats must be at least 1")
    if not 0 < args.scale <= 1:
        raise ValueError(f"--scale must be above 0 and at most 1; got {args.scale}")
    reading = [name for name in READING_OPTIONS if getattr(args, name) is not None]
    if reading and args.suite != "few-data":
        raise ValueError(f"--{reading[0].replace('_', '-')} is for the suite few-data; {args.suite} is fixed")
    if args.embedding and args.suite != "few-data":
        raise ValueError(f"--embedding is for the suite few-data; {args.suite} is fixed")
    args.unreadable = []
    _select_pipelines(args)


def is_file_source(dataset: str) -> bool:
    """Return whether the option --dataset is the path of a folder or table, not a name."""
    from skfewaudio.plugins import DATASETS

    return dataset != "folder" and Path(dataset).exists() and dataset not in DATASETS.names()


def _select_pipelines(args: argparse.Namespace) -> None:
    """Replace the patterns of --pipelines by the names that match them."""
    pipelines = SUITES[args.suite]
    args.skipped_slow = [name for name in pipelines if args.pipelines is None and name in SLOW]
    patterns = ["*"] if args.pipelines in (None, ["all"]) else args.pipelines
    unknown = [pattern for pattern in patterns if not any(fnmatch(name, pattern) for name in pipelines)]
    if unknown:
        raise ValueError(
            f"--pipelines: unknown {', '.join(unknown)}; {args.suite} has {', '.join(pipelines)}"
        )
    args.pipelines = [
        name
        for name in pipelines
        if any(fnmatch(name, pattern) for pattern in patterns) and name not in args.skipped_slow
    ]


def _add_data_and_pipelines(parser: argparse.ArgumentParser) -> None:
    """Add the options that select the dataset and the pipelines."""
    parser.add_argument(
        "--suite", choices=SUITES, default="few-data", help="group of pipelines (default: %(default)s)"
    )
    parser.add_argument(
        "--dataset",
        metavar="NAME_OR_PATH",
        help="folder with one subfolder of sound files per class; table with the columns path and label; "
        "synthetic, sound_scenes, esc50, urbansound8k, tut2017, gtzan, extended_ballroom, audioset, the "
        "name of a plugin's dataset; or folder, for the one that --data-home names (default: synthetic; "
        "large-scale: sound_scenes)",
    )
    parser.add_argument(
        "--data-home",
        metavar="FOLDER",
        type=Path,
        help="folder of the dataset; required for --dataset folder",
    )
    parser.add_argument("--subset", metavar="NAME", help="part of the dataset, such as esc10 of esc50")
    parser.add_argument(
        "--pipelines",
        metavar="NAME",
        nargs="+",
        help="names, patterns such as '7x86*', or all (default: all except slow ones)",
    )
    parser.add_argument(
        "--vggish-weights",
        metavar="FILE",
        type=Path,
        help="file of the VGGish weights (default: weights in the cache)",
    )
    add_embedding(parser)
    parser.add_argument(
        "--mixed-precision",
        action="store_true",
        help="train in bfloat16 on the CPU, too; twice as fast on some CPUs",
    )
    add_reading_options(parser, sample_rate="auto for few-shot, fixed for others")
    add_table_options(parser)


def _add_protocol(parser: argparse.ArgumentParser) -> None:
    """Add the options of the evaluation protocol."""
    parser.add_argument(
        "--n-shots",
        metavar="N",
        type=int,
        nargs="+",
        help="labelled clips per class for few-data; other suites use all clips (default: those of 1 2 5 10 "
        "20 that every class has)",
    )
    parser.add_argument(
        "--n-repeats",
        metavar="N",
        type=int,
        help="random draws of the labelled clips or of the networks' weights (default: 5; large-scale: 1)",
    )
    parser.add_argument(
        "--scale",
        metavar="X",
        type=float,
        default=0.0625,
        help="scale of large-scale, up to 1: multiplies the number of clips, and its square root the number "
        "of filters; time grows with its square (default: %(default)s)",
    )
    parser.add_argument(
        "--folds",
        metavar="N",
        type=int,
        nargs="+",
        help="test folds (default: all; large-scale: the first)",
    )


def _add_computation(parser: argparse.ArgumentParser) -> None:
    """Add the options of workers and the feature cache."""
    parser.add_argument(
        "--n-jobs", metavar="N", type=int, help="number of parallel fits (default: one per core; on a GPU: 1)"
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a Dask scheduler, or local to start workers on this machine",
    )
    parser.add_argument(
        "--n-workers",
        metavar="N",
        type=int,
        help="number of workers of --scheduler local (default: one per GPU, or per core without GPUs)",
    )
    parser.add_argument(
        "--cache",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="cache the features of each clip on disk; enabled by default",
    )
    parser.add_argument(
        "--cache-dir",
        metavar="FOLDER",
        type=Path,
        help="directory of the feature cache (default: the package's cache)",
    )


def _add_output(parser: argparse.ArgumentParser) -> None:
    """Add the options of checks, report and output folder."""
    parser.add_argument(
        "--leaks",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="check for leakage between the folds; enabled by default",
    )
    parser.add_argument(
        "--unlabelled",
        metavar="FOLDER",
        type=Path,
        help="folder of unlabelled recordings; the report suggests which to label next",
    )
    parser.add_argument(
        "--report",
        choices=("html", "markdown", "none"),
        default="html",
        help="format of the report (default: %(default)s)",
    )
    parser.add_argument(
        "--device", metavar="DEVICE", help="torch device, such as cpu or cuda (default: cuda if available)"
    )
    parser.add_argument(
        "--random-state",
        metavar="N",
        type=int,
        default=0,
        help="seed of the first draw (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        metavar="FOLDER",
        type=Path,
        help="output folder (default: results/DATASET[-SUBSET][-SUITE])",
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="delete earlier results in the output folder"
    )
