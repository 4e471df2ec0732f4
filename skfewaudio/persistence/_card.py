"""Model cards: the metadata of a model file, in JSON."""

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
    """Read the card of a model file without loading the model.

    Neither torch nor scikit-learn is imported. The content of a card is not verified.

    Parameters
    ----------
    path : str or path-like
        A file written by :func:`save_model`.

    Returns
    -------
    dict
        The entries listed in :func:`save_model`.

    Raises
    ------
    ModelFileError
        If the file is damaged or not a model file.
    FileNotFoundError
        If the file does not exist.
    """
    path = Path(path)
    (data,) = read_members(path, (CARD,))
    return parse_card(path, data)


def parse_card(path: Path, data: bytes) -> dict[str, Any]:
    """Parse a card, and check the entries that loading depends on."""
    with errors_about(path):
        card = json.loads(data)
        if not isinstance(card, dict) or card.get("format") != FORMAT:
            raise ValueError("its card is not a skfewaudio card")
        version, versions = card.get("format_version"), card.get("versions")
        if type(version) is not int or version < 1:
            raise ValueError(f"its card has format_version={version!r}")
        if not isinstance(versions, dict) or not all(isinstance(text, str) for text in versions.values()):
            raise ValueError("its card lists no versions")
    if version > FORMAT_VERSION:
        raise ModelFileError(
            str(path),
            f"has version {version} of the format, but this skfewaudio reads versions up to "
            f"{FORMAT_VERSION}; upgrade skfewaudio",
        )
    return card
