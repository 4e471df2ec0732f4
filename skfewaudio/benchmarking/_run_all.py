"""Evaluate every pipeline of a suite on one dataset.

Without options, it computes few-shot learning curves on the embedded dataset. It prints a table, and writes a
plot, an HTML report, and all scores and predictions as JSON Lines. The suite few-data varies the number of
labelled clips. random-cnn uses all labelled clips to compare features of untrained networks. large-scale
compares large networks for multi-label tagging, in the tables of arXiv:1609.09430.
"""

import argparse
import shlex
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from ._dataset import load_dataset, select_folds
from ._options import parse_options
from ._run_files import CONFIG, PREDICTIONS, RESULTS

if TYPE_CHECKING:
    from ._protocols import Run

# Large dependencies are imported inside the functions, so that --help is fast.


def main(argv: list[str] | None = None, *, command: str = "run_all") -> int:
    """Run the benchmark.

    Parameters
    ----------
    argv : list of str or None, default=None
        Command-line options; None uses ``sys.argv``.
    command : str, default="run_all"
        Name of the command in messages.

    Returns
    -------
    int
        Exit status: 0 on success, 2 for invalid options or missing data, 130 after Ctrl-C.
    """
    args = parse_options(argv, description=__doc__, command=command)
    try:
        return _run(args, command)
    except KeyboardInterrupt:
        same_command = shlex.join(sys.argv if argv is None else [command, *argv])
        print(
            f"\nStopped. Finished fits are kept in {args.output}; resume with the same command:\n"
            f"  {same_command.replace(' --overwrite', '')}",
            file=sys.stderr,
        )
        return 130


def _run(args: argparse.Namespace, command: str) -> int:
    """Load the dataset, run the protocol of the suite and write the results; return the exit status."""
    from skfewaudio._torch import resolve_device
    from skfewaudio.datasets import list_audio_files
    from skfewaudio.exceptions import SkfewaudioError

    from ._protocols import PROTOCOLS, Run
    from ._run_report import write_leaks
    from ._workers import parallel_backend

    started = time.monotonic()
    try:
        dataset = load_dataset(args)
        run = Run(args, dataset, select_folds(dataset, args.folds), str(resolve_device(args.device)))
        unlabelled = list_audio_files(args.unlabelled) if args.unlabelled else []
        compute = PROTOCOLS[args.suite](run)
        print(f"{dataset!r}\n{dataset.licence}\n", file=sys.stderr)
        write_leaks(run)
        with parallel_backend(args.scheduler, args.n_workers):
            written = compute()
        written += _write_report(run, unlabelled)
    except (SkfewaudioError, ValueError, OSError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 2
    stored = [args.output / name for name in (RESULTS, PREDICTIONS, CONFIG)]
    print(f"{time.monotonic() - started:.0f} s. Written:", *filter(Path.exists, stored), *written, sep="\n  ")
    return 0


def _write_report(run: "Run", unlabelled: list[str]) -> list[Path]:
    """Write the report and its suggestions and embedding; only the suite few-data has one."""
    from ._run_report import write_embedding, write_run_report, write_suggestions

    if run.args.suite != "few-data" or run.args.report == "none":
        return []
    written = write_suggestions(run, unlabelled) if unlabelled else []
    write_embedding(run)
    return [*written, write_run_report(run.args.output, format=run.args.report, dataset=run.dataset)]
