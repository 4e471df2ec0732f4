"""Run a command and turn its outcome into an exit status."""

import argparse
import os
import sys
import warnings
from collections.abc import Sequence

from skfewaudio._version import __version__
from skfewaudio.exceptions import SkfewaudioError

from . import (
    _benchmark,
    _cache,
    _completion,
    _datasets,
    _detect,
    _doctor,
    _evaluate,
    _info,
    _label,
    _plugins,
    _predict,
    _report,
    _train,
)
from ._common import FOUND_FAULTS, INTERRUPTED, INVALID_REQUEST, Output, Parser, print_help

COMMANDS = (
    _label,
    _train,
    _predict,
    _detect,
    _evaluate,
    _info,
    _benchmark,
    _report,
    _datasets,
    _plugins,
    _cache,
    _doctor,
    _completion,
)
EPILOG = """\
Exit status: 0 success, 1 completed with failures or a negative finding,
2 invalid request, 130 Ctrl-C.

examples:
  skfewaudio train recordings -o sounds.model
  skfewaudio predict sounds.model night.wav
  skfewaudio help train"""


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
    if argv[:1] == ["help"]:
        argv = [*(name for name in argv[1:] if not name.startswith("-")), "--help"]
    args = parse_args(argv)
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
            out.error(_describe(error))
            return INVALID_REQUEST
        except KeyboardInterrupt:
            out.error("stopped")
            return INTERRUPTED
    return status


def parse_args(argv: Sequence[str]) -> argparse.Namespace:
    """Parse the command line; unknown options are reported by the parser of the command."""
    parser = build_parser()
    args, unknown = parser.parse_known_args(argv)
    if unknown:
        (args.parser or parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    return args


def build_parser() -> Parser:
    """Build the parser of all commands, without importing their dependencies."""
    parser = Parser(
        prog="skfewaudio", description="Audio classifiers from a handful of labelled clips.", epilog=EPILOG
    )
    parser.add_argument("-V", "--version", action="version", version=f"skfewaudio {__version__}")
    parser.set_defaults(root=parser, parser=None, quiet=False, run=lambda args, out: print_help(parser))
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    for command in COMMANDS:
        command.add_parser(commands)
    # main replaces this command by the option --help of the other one.
    commands.add_parser("help", help="show the help of a command", add_help=False)
    return parser


def _describe(error: Exception) -> str:
    """Return the message of an error, without the number of an error of the system."""
    if isinstance(error, OSError) and not isinstance(error, SkfewaudioError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _allow_any_file_name() -> None:
    """Write file names as their bytes in UTF-8, and with backslash escapes in other encodings."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="surrogateescape" if stream.encoding == "utf-8" else "backslashreplace")


def _close_broken_pipe() -> int:
    """Return the status for a closed pipe; stdout is redirected, or Python reports the error again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FOUND_FAULTS
