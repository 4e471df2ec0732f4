"""Run a command and turn its outcome into an exit status."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from skfewaudio._version import __version__
from skfewaudio.exceptions import SkfewaudioError

from . import _cache, _datasets, _doctor, _evaluate, _plugins, _predict, _report, _train
from ._common import INTERRUPTED, INVALID_REQUEST, Output, Parser

COMMANDS = (_train, _predict, _evaluate, _report, _datasets, _plugins, _cache, _doctor)
EPILOG = (
    "Exit status: 0 success, 1 completed with failures or a negative finding, 2 invalid request, 130 Ctrl-C."
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    argv : sequence of str or None, default=None
        Command and options. None uses the arguments of the process.

    Returns
    -------
    int
        Exit status: 0 on success; 1 if completed with failures or with a negative finding; 2 for an invalid
        request; 130 after Ctrl-C.

    Raises
    ------
    SystemExit
        If the options cannot be parsed (2), and after ``--help`` and ``--version`` (0).
    """
    argv = sys.argv[1:] if argv is None else list(argv)
    _allow_any_file_name()
    if argv[:1] == ["benchmark"]:
        return _run_benchmark(argv[1:])
    args = build_parser().parse_args(argv)
    out = Output(f"skfewaudio {args.command}", quiet=args.quiet)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: out.warn(str(message))
        if not sys.warnoptions:
            warnings.simplefilter("default", UserWarning)
        try:
            status = args.run(args, out)
            sys.stdout.flush()
        except BrokenPipeError:
            return _close_broken_pipe()
        except (SkfewaudioError, OSError, ValueError) as error:
            out.error(str(error))
            return INVALID_REQUEST
        except KeyboardInterrupt:
            out.error("stopped")
            return INTERRUPTED
    return status


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands, without importing their dependencies."""
    parser = Parser(
        prog="skfewaudio", description="Audio classifiers from a handful of labelled clips.", epilog=EPILOG
    )
    parser.add_argument("--version", action="version", version=f"skfewaudio {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add_parser(commands)
    commands.add_parser("benchmark", help="compare pipelines on a dataset", add_help=False)
    return parser


def _run_benchmark(argv: list[str]) -> int:
    """Run the benchmark, which parses its options and writes its messages."""
    from skfewaudio.benchmarking import main as run_all

    try:
        status = run_all(argv, command="skfewaudio benchmark")
        sys.stdout.flush()
    except BrokenPipeError:
        return _close_broken_pipe()
    return status


def _allow_any_file_name() -> None:
    """Write file names as their bytes in UTF-8, and with backslash escapes in other encodings."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")


def _close_broken_pipe() -> int:
    """Return the status for a closed pipe; stdout is redirected, or Python reports the error again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 1
