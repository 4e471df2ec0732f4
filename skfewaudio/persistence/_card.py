"""The card of a model: what it is, in JSON."""

import json
import os
from pathlib import Path
from typing import Any

from skfewaudio.exceptions import ModelFileError

from ._container import CARD, errors_about, read_members

FORMAT = "skfewaudio model"
FORMAT_VERSION = 1

PathLike = str | os.PathLike[str]


def read_card(path: PathLike) -> dict[str, Any]:
    """Read what a file says of the model in it, without loading the model.

    Neither torch nor scikit-learn is imported. Nothing vouches for a card: it says what its writer wrote.

    Parameters
    ----------
    path : str or path-like
        A file that :func:`save_model` wrote.

    Returns
    -------
    dict
        As :func:`save_model` lists it.

    Raises
    ------
    ModelFileError
        If the file is damaged or something else.
    FileNotFoundError
        If there is none.
    """
    path = Path(path)
    (data,) = read_members(path, (CARD,))
    return parse_card(path, data)


def parse_card(path: Path, data: bytes) -> dict[str, Any]:
    """Check the card of a file, as far as loading goes by it."""
    with errors_about(path):
        card = json.loads(data)
        if not isinstance(card, dict) or card.get("format") != FORMAT:
            raise ValueError("its card is none of skfewaudio")
        version, versions = card.get("format_version"), card.get("versions")
        if type(version) is not int or version < 1:
            raise ValueError(f"its card has format_version={version!r}")
        if not isinstance(versions, dict) or not all(isinstance(text, str) for text in versions.values()):
            raise ValueError("its card names no versions")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            str(path),
            f"has version {version} of the format, and this is skfewaudio for versions up to "
            f"{FORMAT_VERSION}; upgrade skfewaudio",
        )
    return card
