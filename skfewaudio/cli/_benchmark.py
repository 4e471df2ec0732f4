"""Compare pipelines on a dataset."""

import argparse
from typing import Any

from ._common import Output, Parser, add_command

EXAMPLES = (
    "skfewaudio benchmark --dataset recordings --output results/mine",
    "skfewaudio benchmark --dataset labels.csv --n-shots 1 2 5 --pipelines few-shot mfcc-1nn",
    "skfewaudio benchmark --dataset esc50 --subset esc10 --data-home ESC-50-master",
)


def add_parser(commands: Any) -> None:
    """Add the command; its options are added when they are needed."""
    add_command(
        commands,
        "benchmark",
        "compare pipelines on a dataset",
        examples=EXAMPLES,
        load_options=_add_options,
    ).set_defaults(run=run)


def _add_options(parser: Parser) -> None:
    from skfewaudio.benchmarking import DESCRIPTION, add_options

    parser.description = DESCRIPTION
    add_options(parser)


def run(args: argparse.Namespace, out: Output) -> int:
    """Run the benchmark, which writes its own messages."""
    from skfewaudio.benchmarking import run

    return run(args, command=out.prog)
