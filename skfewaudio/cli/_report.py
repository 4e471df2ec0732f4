"""Write the report on a benchmark."""

import argparse
from pathlib import Path
from typing import Any

from ._common import DONE, Output, add_command


def add_parser(commands: Any) -> None:
    """Say which options there are."""
    parser = add_command(commands, "report", "write the report on a benchmark from its results")
    parser.add_argument("folder", metavar="RESULTS_FOLDER", type=Path, help="the benchmark's --output")
    parser.add_argument("--format", choices=("html", "markdown"), default="html", help="html if not given")
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help="the file to write; in RESULTS_FOLDER if not given"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the report, and say where it is."""
    from skfewaudio.benchmarking import write_run_report

    if not args.folder.is_dir():
        raise ValueError(f"{args.folder} is not a folder; expected the output folder of a benchmark")
    out.print(str(write_run_report(args.folder, format=args.format, path=args.output)))
    return DONE
