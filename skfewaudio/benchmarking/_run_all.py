"""Scores of every pipeline of a suite on one data set.

With no options: few-shot learning curves on the embedded data set, a table, a picture, a report as one HTML
page, and every score and prediction as JSON Lines. The suite few-data varies the number of labelled clips;
random-cnn takes all of them, and compares features of untrained networks; large-scale compares large networks
that tag clips, in the tables of arXiv:1609.09430.
"""

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ._clips import folds_of, load_clips
from ._options import parse_options
from ._record import CONFIG, PREDICTIONS, RESULTS

if TYPE_CHECKING:
    from ._protocols import Run

# Everything heavy is imported where it is used, so that --help answers at once.


def main(argv: list[str] | None = None, *, command: str = "run_all") -> int:
    """Run the benchmark.

    Parameters
    ----------
    argv : list of str or None, default=None
        Options; None takes those of the command line.
    command : str, default="run_all"
        What the messages call it.

    Returns
    -------
    int
        Exit status: 0, 2 for a wrong request or missing data, 130 after Ctrl-C.
    """
    args = parse_options(argv, description=__doc__, command=command)
    try:
        return _run(args, command)
    except KeyboardInterrupt:
        again = shlex.join(sys.argv if argv is None else [command, *argv])
        print(
            f"\nStopped. Finished fits are kept in {args.output}; the same command goes on from there:\n"
            f"  {again.replace(' --overwrite', '')}",
            file=sys.stderr,
        )
        return 130


def _run(args: argparse.Namespace, command: str) -> int:
    """Prepare, compute, and write what came of it."""
    from skfewaudio._torch import resolve_device
    from skfewaudio.datasets import list_audio_files
    from skfewaudio.exceptions import SkfewaudioError

    from ._protocols import PROTOCOLS, Run
    from ._run_report import find_leaks
    from ._workers import workers

    started = time.monotonic()
    try:
        dataset = load_clips(args)
        run = Run(args, dataset, folds_of(dataset, args.folds), str(resolve_device(args.device)))
        unlabelled = list_audio_files(args.unlabelled) if args.unlabelled else []
        compute = PROTOCOLS[args.suite](run)
        print(f"{dataset!r}\n{dataset.licence}\n", file=sys.stderr)
        find_leaks(run)
        with workers(args.scheduler, args.n_workers):
            written = compute()
        written += _conclude(run, unlabelled)
    except (SkfewaudioError, ValueError, OSError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    kept = [args.output / name for name in (RESULTS, PREDICTIONS, CONFIG)]
    print(f"{time.monotonic() - started:.0f} s. Written:", *filter(Path.exists, kept), *written, sep="\n  ")
    return 0


def _conclude(run: "Run", unlabelled: list[str]) -> list[Path]:
    """Write the report, of a suite that has curves."""
    from ._run_report import embed_clips, suggest_next, write_run_report

    if run.args.suite != "few-data" or run.args.report == "none":
        return []
    written = suggest_next(run, unlabelled) if unlabelled else []
    embed_clips(run)
    return [*written, write_run_report(run.args.output, format=run.args.report, dataset=run.dataset)]
