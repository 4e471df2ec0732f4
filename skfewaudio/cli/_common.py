"""What the commands share: exit statuses, messages, tables and options."""

import argparse
import json
import shutil
import sys
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

DONE, FOUND_FAULTS, WRONG_REQUEST, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Answers a wrong request with one line."""

    def error(self, message: str) -> NoReturn:
        """End with the message and where to read on."""
        self.exit(WRONG_REQUEST, f"{self.prog}: {message} (see {self.prog} --help)\n")


class Output:
    """Results on stdout; progress, notes, warnings and errors on stderr.

    Parameters
    ----------
    prog : str
        What warnings and errors begin with.
    quiet : bool, default=False
        Leave out notes, progress and warnings.
    """

    def __init__(self, prog: str, *, quiet: bool = False) -> None:
        self.prog = prog
        self.quiet = quiet
        self._is_watched = sys.stderr.isatty() and not quiet
        self._bar = ""

    def print(self, text: str = "") -> None:
        """Write a line of the result."""
        self.write(f"{text}\n")

    def write(self, text: str) -> None:
        """Write part of the result, as a file does."""
        self._clear()
        sys.stdout.write(text)
        sys.stdout.flush()  # into a file, too, as it comes

    def json(self, value: Any) -> None:
        """Write one line of JSON; in ASCII, so that any file name comes through."""
        self.print(json.dumps(value, allow_nan=False))

    def note(self, text: str) -> None:
        """Tell someone who watches."""
        if self._is_watched:
            self._clear()
            print(text, file=sys.stderr)

    def warn(self, text: str) -> None:
        """Tell what may be wrong."""
        if not self.quiet:
            self.error(f"warning: {text}")

    def error(self, text: str) -> None:
        """Tell what is wrong, in one line."""
        self._clear()
        print(f"{self.prog}: {' '.join(text.split())}", file=sys.stderr)

    def progress(self, what: str, done: int, total: int) -> None:
        """Show someone who watches how far the work is; gone with the next line or when all is done."""
        if not self._is_watched:
            return
        self._clear()
        if done < total:
            self._bar = f"{what}: {done}/{total}"
            print(self._bar, end="\r", file=sys.stderr, flush=True)

    def _clear(self) -> None:
        if self._bar:
            print(" " * len(self._bar), end="\r", file=sys.stderr, flush=True)
            self._bar = ""


def add_command(commands: Any, name: str, text: str, **options: Any) -> argparse.ArgumentParser:
    """Add a command, or a command of a command, with the option that all have."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", **options)
    parser.add_argument("-q", "--quiet", action="store_true", help="no notes, progress or warnings")
    return parser


def add_json_option(parser: argparse._ActionsContainer) -> None:
    """Add the option for output that programs read."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def terminal_width() -> int | None:
    """Give the width that lines must fit; None where no terminal shows them."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else None


def shorten(text: str, width: int) -> str:
    """Leave out the end of what is too long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def shorten_path(path: str, width: int) -> str:
    """Leave out the beginning of what is too long: files differ at the end."""
    return path if len(path) <= width else "…" + path[len(path) - width + 1 :]


def format_table(header: Sequence[str], rows: Iterable[Sequence[Any]], *, width: int | None = None) -> str:
    """Lay out a table, numbers to the right; where it is too wide, its widest column is shortened."""
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
