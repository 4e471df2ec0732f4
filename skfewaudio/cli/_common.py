"""Exit statuses, messages, tables and options shared by the commands."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

DONE, FOUND_FAULTS, INVALID_REQUEST, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an invalid request in one line."""

    def error(self, message: str) -> NoReturn:
        """Exit with the message and a reference to the help."""
        self.exit(INVALID_REQUEST, f"{self.prog}: {message} (see {self.prog} --help)\n")


class Output:
    """Results on stdout; progress, notes, warnings and errors on stderr.

    Parameters
    ----------
    prog : str
        Prefix of warnings and errors.
    quiet : bool, default=False
        Suppress notes, progress and warnings.
    """

    def __init__(self, prog: str, *, quiet: bool = False) -> None:
        self.prog = prog
        self.quiet = quiet
        self._is_interactive = sys.stderr.isatty() and not quiet
        self._bar = ""

    def print(self, text: str = "") -> None:
        """Write a line of the result."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write part of the result; csv.writer requires this method."""
        self._clear()
        sys.stdout.write(text)
        sys.stdout.flush()  # a file, too, is written line by line

    def json(self, value: Any) -> None:
        """Write one line of JSON, in ASCII so that every file name can be encoded."""
        self.print(json.dumps(value, allow_nan=False))

    def note(self, text: str) -> None:
        """Write a note if stderr is a terminal."""
        if self._is_interactive:
            self._clear()
            print(text, file=sys.stderr)

    def warn(self, text: str) -> None:
        """Write a warning unless quiet."""
        if not self.quiet:
            self.error(f"warning: {text}")

    def error(self, text: str) -> None:
        """Write an error in one line."""
        self._clear()
        print(f"{self.prog}: {' '.join(text.split())}", file=sys.stderr)

    def progress(self, label: str, done: int, total: int) -> None:
        """Show progress on a terminal; the next output or the last step clears it."""
        if not self._is_interactive:
            return
        self._clear()
        if done < total:
            self._bar = f"{label}: {done}/{total}"
            print(self._bar, end="\r", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._bar:
            print(" " * len(self._bar), end="\r", file=sys.stderr, flush=True)
            self._bar = ""


def add_command(commands: Any, name: str, text: str, **options: Any) -> argparse.ArgumentParser:
    """Add a command or an action, with the common option --quiet."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", **options)
    parser.add_argument("-q", "--quiet", action="store_true", help="suppress notes, progress and warnings")
    return parser


def add_json_option(parser: argparse._ActionsContainer) -> None:
    """Add the option --json."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def terminal_width() -> int | None:
    """Return the width of the terminal; None if stdout is not a terminal."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shorten(text: str, width: int) -> str:
    """Replace the end of a text that is too long by an ellipsis."""
    return text if len(text) <= width else text[: width - 1] + "…"


def shorten_path(path: str, width: int) -> str:
    """Replace the beginning of a path that is too long by an ellipsis: paths differ at the end."""
    return path if len(path) <= width else "…" + path[len(path) - width + 1 :]


def format_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int | None = None) -> str:
    """Format a table, numbers aligned right; the widest column is shortened to fit `width`."""
    rows = list(rows)
    cells = [list(header), *([str(value) for value in row] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    if width is not None and (excess := sum(widths) + 2 * (len(widths) - 1) - width) > 0:
        widest = widths.index(max(widths))
        widths[widest] = max(8, widths[widest] - excess)
    to_right = [bool(rows) and not isinstance(value, str) for value in (rows or [header])[0]]
    lines = []
    for row in cells:
        fitted = [shorten(text, size) for text, size in zip(row, widths, strict=True)]
        padded = [
            text.rjust(size) if right else text.ljust(size)
            for text, size, right in zip(fitted, widths, to_right, strict=True)
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)
