"""Names of files and classes in forms that are safe in a terminal, a report or a spreadsheet."""

import re

# Control characters and line separators; marks that change the direction of the text after them, so that a
# name can look like another one; and bytes of file names, not in UTF-8, that terminals take for controls.
_CONTROLS = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\udc80-\udc9f]"
)
# The last four are the full-width forms, which some spreadsheets read as the others.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def escape(text: object) -> str:
    r"""Return a name on one line: characters that would change a terminal become escapes such as ``\n``."""
    return _CONTROLS.sub(lambda match: match[0].encode("unicode_escape").decode(), str(text))


def escape_words(text: str) -> str:
    """Return a text for a page, in which white space is as it was, with other characters as in `escape`."""
    return re.sub(r"\S+", lambda match: escape(match[0]), text)


def as_cell(text: str) -> str:
    """Return the text of a CSV cell; a text that spreadsheets would run as a formula begins with ``'``."""
    return f"'{text}" if text.startswith(FORMULA_STARTS) and not _is_number(text) else text


def as_path_cell(path: str) -> str:
    """Return the path in a CSV cell; a path that would be run as a formula begins with ``./``."""
    return f"./{path}" if path.startswith(FORMULA_STARTS) else path


def from_path_cell(cell: str) -> str:
    """Return the path that `as_path_cell` wrote."""
    path = cell.removeprefix("./")
    return path if path.startswith(FORMULA_STARTS) else cell


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
