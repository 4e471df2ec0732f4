"""Write the report of a benchmark."""

import argparse
from pathlib import Path
from typing import Any

from ._common import DONE, Output, add_command, check_output

EXAMPLES = (
    "skfewaudio report results/mine",
    "skfewaudio report results/mine --format markdown -o report.md",
)


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands, "report", "write the report of a benchmark from its results", examples=EXAMPLES
    )
    parser.add_argument("folder", metavar="RESULTS_FOLDER", type=Path, help="--output of the benchmark")
    parser.add_argument("--format", choices=("html", "markdown"), default="html", help="(default: html)")
    parser.add_argument(
        "-o", "--output", metavar="PATH", type=Path, help="file to write (default: in RESULTS_FOLDER)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the report and print its path."""
    from skfewaudio.benchmarking import write_run_report

    if not args.folder.is_dir():
        raise ValueError(f"{args.folder} is not a folder; expected the output folder of a benchmark")
    if args.output is not None:
        check_output(args.output)
    out.print(str(write_run_report(args.folder, format=args.format, path=args.output)))
    return DONE
