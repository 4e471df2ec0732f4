"""Checks of the labels that a person types."""

import re
import unicodedata

from skfewaudio._names import FORMULA_STARTS, escape

MAX_LENGTH = 64


def check_label(label: object) -> str:
    """Check a label, and return it in Unicode's composed form without surrounding white space.

    Parameters
    ----------
    label : str
        Name of a class.

    Returns
    -------
    str

    Raises
    ------
    TypeError
        If the label is not a text.
    ValueError
        If the label is empty, too long, has control characters or cannot be written to a table.
    """
    if not isinstance(label, str):
        raise TypeError(f"label={label!r}; expected a text, such as 'rain'")
    name = unicodedata.normalize("NFC", re.sub(r"\s+", " ", label)).strip()
    if not name:
        raise ValueError("the label is empty; expected a text, such as 'rain'")
    if len(name) > MAX_LENGTH:
        raise ValueError(f"the label has {len(name)} characters; expected at most {MAX_LENGTH}")
    if escape(name) != name or not _is_encodable(name):
        raise ValueError(f"the label {escape(name)!r} has control characters; remove them")
    if name.startswith(FORMULA_STARTS):
        raise ValueError(
            f"the label {name!r} begins with {name[0]!r}, which a spreadsheet takes for a formula; begin it "
            "with a letter"
        )
    if name.startswith("#"):
        raise ValueError(f"the label {name!r} begins with '#', which marks comments; begin it with a letter")
    return name


def _is_encodable(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
