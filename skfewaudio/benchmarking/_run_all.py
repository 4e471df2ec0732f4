"""Evaluate every pipeline of a suite on one dataset."""

import argparse
import io
import shlex
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stderr
from pathlib import Path
from typing import TYPE_CHECKING

from skfewaudio._names import escape, escape_words

from ._dataset import load_dataset, select_folds
from ._options import complete_options, parse_options
from ._run_files import CLIPS, CONFIG, PREDICTIONS, RESULTS

if TYPE_CHECKING:
    from ._protocols import Run
    from ._unreadable import Unreadable

# Large dependencies are imported inside the functions, so that --help is fast.

DESCRIPTION = """\
Evaluate every pipeline of a suite on one dataset.

Without options, this computes few-shot learning curves on the embedded dataset.
It prints a table, and writes a plot, an HTML report, and all scores and
predictions as JSON Lines. The suite few-data varies the number of labelled
clips. random-cnn uses all labelled clips to compare features of untrained
networks. large-scale compares large networks for multi-label tagging, in the
tables of arXiv:1609.09430. An interrupted run goes on where it stopped."""


def main(argv: list[str] | None = None, *, command: str = "run_all") -> int:
    """Parse options and run the benchmark.

    Parameters
    ----------
    argv : list of str or None, default=None
        Command-line options; None uses ``sys.argv``.
    command : str, default="run_all"
        Name of the command in messages.

    Returns
    -------
    int
        Exit status, as for :func:`run`.
    """
    args = parse_options(argv, description=DESCRIPTION, command=command)
    return _run_until_stopped(args, command, sys.argv if argv is None else [command, *argv])


def run(args: argparse.Namespace, *, command: str) -> int:
    """Run the benchmark.

    Parameters
    ----------
    args : Namespace
        Parsed options of :func:`add_options`, and ``quiet``.
    command : str
        Name of the command in messages.

    Returns
    -------
    int
        Exit status: 0 on success, 1 if files could not be read and were left out, 2 for invalid options or
        missing data, 130 after Ctrl-C.

    Raises
    ------
    ValueError
        If an option is invalid.
    """
    complete_options(args)
    return _run_until_stopped(args, command, sys.argv)


def _run_until_stopped(args: argparse.Namespace, command: str, same_command: Sequence[str]) -> int:
    """Run the benchmark; after Ctrl-C, print how to resume it."""
    words = [Path(same_command[0]).name, *same_command[1:]]
    args.same_command = shlex.join(word for word in words if word != "--overwrite")
    try:
        return _run(args, command)
    except KeyboardInterrupt:
        print(
            f"\nStopped. Finished fits are kept in {args.output}; resume with the same command:\n"
            f"  {shlex.join(same_command).replace(' --overwrite', '')}",
            file=sys.stderr,
        )
        return 130


def _run(args: argparse.Namespace, command: str) -> int:
    """Run the benchmark, and print which files could not be read; return the exit status."""
    from skfewaudio.exceptions import SkfewaudioError

    from ._unreadable import Unreadable

    unreadable = Unreadable(args)
    status = 0
    try:
        with redirect_stderr(io.StringIO()) if args.quiet else nullcontext():
            _compute(args, unreadable)
    except (SkfewaudioError, ValueError, OSError) as error:
        print(f"{command}: {escape_words(str(error))}", file=sys.stderr)
        status = 2
    for message in unreadable.messages():
        print(f"{command}: {escape(message)}", file=sys.stderr)
        status = status or 1
    return status


def _compute(args: argparse.Namespace, unreadable: "Unreadable") -> None:
    """Load the dataset, run the protocol of the suite and write the results."""
    from skfewaudio._torch import resolve_device
    from skfewaudio.datasets import list_audio_files

    from ._protocols import PROTOCOLS, Run
    from ._run_report import write_leaks
    from ._workers import parallel_backend

    started = time.monotonic()
    dataset = unreadable.drop_from(load_dataset(args))
    run = Run(args, dataset, select_folds(dataset, args.folds), str(resolve_device(args.device)))
    unlabelled = unreadable.drop(list_audio_files(args.unlabelled)) if args.unlabelled else []
    compute = PROTOCOLS[args.suite](run)
    print(escape_words(f"{dataset!r}\n{dataset.licence}\n"), file=sys.stderr)
    write_leaks(run)
    with parallel_backend(args.scheduler, args.n_workers):
        written = compute()
    written += _write_report(run, unlabelled)
    stored = [args.output / name for name in (RESULTS, PREDICTIONS, CLIPS, CONFIG)]
    paths = map(escape, [*filter(Path.exists, stored), *written])
    print(f"{time.monotonic() - started:.0f} s. Written:", *paths, sep="\n  ")


def _write_report(run: "Run", unlabelled: list[str]) -> list[Path]:
    """Write the report and its suggestions and embedding; only the suite few-data has one."""
    from ._run_report import write_embedding, write_run_report, write_suggestions, write_times

    if run.args.suite != "few-data" or run.args.report == "none":
        return []
    written = write_suggestions(run, unlabelled) if unlabelled else []
    write_times(run)
    write_embedding(run)
    return [*written, write_run_report(run.args.output, format=run.args.report, dataset=run.dataset)]
