"""Text files in the encodings that spreadsheets and annotation programs write."""

import codecs
import unicodedata
from pathlib import Path

from skfewaudio._files import read_regular
from skfewaudio.audio.formats import has_audio_signature
from skfewaudio.exceptions import DatasetNotFoundError

from .._warnings import warn_user

# The mark of UTF-32 begins like the one of UTF-16, so that it comes first.
BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
FALLBACK = "cp1252"  # Windows in Western Europe and America, a superset of Latin-1's letters
ARCHIVES = {b"PK\x03\x04": ".xlsx or .ods", b"\xd0\xcf\x11\xe0": ".xls"}
HOW_TO_SAVE = (
    "save it as text: in Excel, File > Save As > CSV UTF-8; in LibreOffice, File > Save As > Text CSV; in "
    "pandas, table.to_csv"
)


def read_text(path: Path, encoding: str | None = None) -> str:
    """Return the text of a file.

    Without `encoding`, a byte order mark decides, then UTF-8 is tried, then Windows-1252 with a warning.
    """
    data = _read_bytes(path)
    if encoding is not None:
        return _decode(data, path, encoding)
    for mark, marked in BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _decode(data, path, marked)
    if has_audio_signature(path):
        raise ValueError(f"{path} is a sound file; expected a text file, such as a table in CSV")
    if b"\0" in data:
        raise ValueError(
            f"{path} is not a readable table: it has bytes of value 0, as no text in UTF-8. If it is text in "
            f"another encoding, pass encoding, such as 'utf-16-le'; otherwise {HOW_TO_SAVE}"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
    text = _decode(data, path, FALLBACK)
    warn_user(
        f"{path} is not UTF-8 (line {line}) and is read as Windows-1252: check its letters, such as "
        f"{_first_letters(text)!r}, and pass encoding if they are wrong"
    )
    return text


def _read_bytes(path: Path) -> bytes:
    """Return the content of a file that can be a table."""
    try:
        if path.is_dir():
            raise ValueError(
                f"{path} is a folder; expected a text file, such as a table in CSV. For a folder with one "
                "folder of sound files per class, use load_folder"
            )
        data = read_regular(path)
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path} does not exist") from error
    except OSError as error:
        raise DatasetNotFoundError(f"{path} cannot be read: {error.strerror}") from error
    for signature, kind in ARCHIVES.items():
        if data.startswith(signature):
            raise ValueError(f"{path} is a spreadsheet ({kind}) and not a text file: {HOW_TO_SAVE}")
    return data


def _decode(data: bytes, path: Path, encoding: str) -> str:
    """Decode bytes; errors state the line."""
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise ValueError(
            f"encoding={encoding!r} is unknown; expected one such as 'utf-8', 'utf-16' or 'cp1252'"
        ) from error
    except UnicodeError as error:
        raise ValueError(
            f"{path} is not a readable table: it is not text in {encoding} ({error}). Pass the right "
            "encoding, or save it as UTF-8"
        ) from error


def _first_letters(text: str) -> str:
    """Return the first word with a letter outside ASCII."""
    words = (word for word in text.replace(",", " ").replace(";", " ").split() if not word.isascii())
    return unicodedata.normalize("NFC", next(words, ""))[:40]
