"""Write completion scripts for shells."""

import argparse
from collections.abc import Iterator
from typing import Any

from ._common import DONE, Output, Parser, add_command

SHELLS = ("bash", "zsh", "tcsh")
FOLDERS = ("FOLDER", "RESULTS_FOLDER")
FILES = ("FILE", "MODEL", "PATH", "FOLDER_OR_TABLE", "NAME_OR_PATH")


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands,
        "completion",
        "write a script that completes commands and options in a shell",
        examples=[f"skfewaudio completion {shell}" for shell in SHELLS],
    )
    parser.add_argument("shell", metavar="SHELL", choices=SHELLS, help=f"one of {', '.join(SHELLS)}")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the script."""
    import shtab

    for part in _walk(args.root):
        part.load_options()
        for action in part._actions:
            if action.metavar in FOLDERS:
                action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]
            elif action.metavar in FILES:
                action.complete = shtab.FILE  # type: ignore[attr-defined]
    out.write(shtab.complete(args.root, args.shell))
    return DONE


def _walk(parser: Parser) -> Iterator[Parser]:
    """Yield a parser and the parsers of its commands and actions."""
    yield parser
    for action in parser._actions:
        if action.nargs == argparse.PARSER and isinstance(action.choices, dict):
            for part in action.choices.values():
                yield from _walk(part)
