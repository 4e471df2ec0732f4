"""Exit statuses, messages, tables and options shared by the commands."""

import argparse
import json
import re
import shutil
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NoReturn

from skfewaudio._names import escape

DONE, FOUND_FAULTS, INVALID_REQUEST, INTERRUPTED = 0, 1, 2, 130


class Parser(argparse.ArgumentParser):
    """Argument parser that reports an invalid request in one line and suggests a valid one.

    Parameters
    ----------
    load_options : callable, default=None
        Adds options to the parser when they are first needed, so that listing the commands stays fast.
    """

    def __init__(
        self, *args: Any, load_options: Callable[["Parser"], None] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **{"formatter_class": HelpFormatter, **kwargs})
        self._load_options = load_options
        self._given: Sequence[str] = ()

    def load_options(self) -> None:
        """Add the options that are not there yet."""
        load, self._load_options = self._load_options, None
        if load is not None:
            load(self)

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse arguments, and remember them for suggestions."""
        self.load_options()
        self._given = sys.argv[1:] if args is None else list(args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Exit with the message, suggestions and a reference to the help."""
        invalid = re.fullmatch(r"(.*invalid choice: )'?(.*?)'? \(choose from (.*)\)", message, re.DOTALL)
        if invalid is not None:
            choices = re.findall(r"[^\s',]+", invalid[3])
            hint = suggest(invalid[2], choices) or f"; expected one of {', '.join(choices)}"
            message = f"{invalid[1]}{invalid[2]!r}{hint}"
        known = self._option_string_actions
        given = (arg.partition("=")[0] for arg in self._given if arg.startswith("--") and arg[2:])
        unknown = [
            name for name in dict.fromkeys(given) if not any(option.startswith(name) for option in known)
        ]
        lead = "" if message.startswith("unrecognized") else "; unknown option {}"
        hints = [lead.format(name) + hint for name in unknown if (hint := suggest(name, known))]
        hint = "".join(hints)
        self.exit(INVALID_REQUEST, f"{self.prog}: {escape(message)}{escape(hint)} (see {self.prog} --help)\n")


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Formatter that keeps the lines of examples, and the longest command on one line with its purpose."""

    def add_argument(self, action: argparse.Action) -> None:
        """Add an action, and make room for the indented commands that it may have."""
        super().add_argument(action)
        names = [len(str(name)) for name in action.choices or ()] if action.nargs == argparse.PARSER else []
        self._action_max_length = max(self._action_max_length, *(size + 4 for size in [0, *names]))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return the clause "; did you mean ...?", or nothing if no known name is similar."""
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else ""


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
        """Write a warning unless quiet; the items of a list, which are indented, get lines of their own."""
        if self.quiet:
            return
        head, *items = text.split("\n  ")
        self.error(f"warning: {head}")
        for item in items:
            self._write_line(f"  {item}")

    def error(self, text: str) -> None:
        """Write an error in one line."""
        self._write_line(" ".join(text.split()))

    def _write_line(self, text: str) -> None:
        """Write a line to stderr, after the name of the command."""
        self._clear()
        print(f"{self.prog}: {escape(text)}", file=sys.stderr)

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


def add_command(
    commands: Any, name: str, text: str, *, examples: Sequence[str] = (), **options: Any
) -> Parser:
    """Add a command or an action, with examples and the common option --quiet."""
    parser: Parser = commands.add_parser(
        name,
        help=text,
        description=f"{text[0].upper()}{text[1:]}.",
        epilog=format_examples(examples),
        **options,
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="suppress notes, progress and warnings")
    parser.set_defaults(parser=parser)
    return parser


def add_group(commands: Any, name: str, text: str) -> Any:
    """Add a command with actions, and return what takes them; without an action, it prints its help."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    parser.set_defaults(parser=parser, run=lambda args, out: print_help(parser))
    return parser.add_subparsers(dest="action", metavar="ACTION", title="actions")


def format_examples(examples: Sequence[str]) -> str | None:
    """Return the end of a help text, with a command a line."""
    return "\n".join(["examples:", *(f"  {line}" for line in examples)]) if examples else None


def print_help(parser: argparse.ArgumentParser) -> int:
    """Print the help of a command, and return its exit status."""
    parser.print_help()
    return DONE


def add_json_option(parser: argparse._ActionsContainer) -> None:
    """Add the option --json."""
    parser.add_argument("--json", action="store_true", help="write JSON")


def check_output(path: Path) -> None:
    """Raise ValueError if a file cannot be written because of its folder."""
    if path.is_dir():
        raise ValueError(f"-o {path}: is a folder; expected a file to write")
    if not path.parent.is_dir():
        raise ValueError(f"-o {path}: folder {path.parent} does not exist; create it first")


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
    cells = [list(header), *([escape(value) for value in row] for row in rows)]
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
