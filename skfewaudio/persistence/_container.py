"""Model files: uncompressed zip archives of three members."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO
from zipfile import ZIP_STORED, BadZipFile, ZipFile

from skfewaudio._files import open_regular, replace_file
from skfewaudio._names import escape
from skfewaudio.exceptions import ModelFileError, ModelSaveError

from ._limits import MAX_ENTRY_BYTES, ZIP64_FROM

CARD, ESTIMATOR, TENSORS = MEMBERS = ("card.json", "estimator.skops", "tensors.safetensors")
# The record at the end of a zip has 22 bytes without a comment.
END_SIGNATURE, END_BYTES = b"PK\x05\x06", 22
ZIP64_SIGNATURE, ZIP64_BYTES = b"PK\x06\x07", 20


@contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """Turn any exception into a ModelFileError that names the file."""
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        reason = escape(f"{type(error).__name__}: {error}".rstrip(": "))
        raise ModelFileError(
            str(path),
            f"cannot be read as a model ({reason}): it is damaged or not a model file. Get the file again, "
            "or save the model again",
        ) from error


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a file whole or not at all; if the path is a link, its target is replaced.

    Raises
    ------
    ModelSaveError
        If the path is a pipe, a device or a folder.
    OSError
        If the file cannot be written.
    """
    if path.exists() and not path.is_file():
        raise ModelSaveError(
            f"{path} is not a regular file; pass the path of a new file, or of one to replace"
        )
    with replace_file(path) as file, ZipFile(file, "w", ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def read_members(path: Path, names: tuple[str, ...], limits: Mapping[str, int] | None = None) -> list[bytes]:
    """Read members of a file, some of limited sizes; errors in opening it are raised unchanged."""
    if path.exists() and not path.is_file() and not path.is_dir():
        raise ModelFileError(str(path), "is a pipe or a device; pass a file that save_model wrote")
    with open_regular(path) as file:
        size = file.seek(0, 2)
        with errors_about(path):
            if not size:
                raise ModelFileError(str(path), "is empty (0 bytes); save the model again")
            check_directory(file, len(MEMBERS))
            with ZipFile(file) as archive:
                check_archive(archive, size)
                _check_names(path, archive)
                for name, limit in (limits or {}).items():
                    if archive.getinfo(name).file_size > limit:
                        raise ValueError(f"{name} has more than {limit} bytes")
                return [archive.read(name) for name in names]


def check_directory(file: IO[bytes], max_members: int) -> None:
    """Check the number of members of a zip before its directory is read.

    Raises
    ------
    ValueError
        If there are more members than expected, or their directory is larger than for so many members.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - END_BYTES - ZIP64_BYTES))
    end = file.read()
    file.seek(0)
    if not end[-END_BYTES:].startswith(END_SIGNATURE):
        raise BadZipFile("File is not a zip file, or its end is missing")
    n_members = int.from_bytes(end[-12:-10], "little")
    n_bytes = int.from_bytes(end[-10:-6], "little")
    if n_members > max_members or n_bytes > MAX_ENTRY_BYTES * n_members:
        raise ValueError(f"its directory has {n_members} members in {n_bytes} bytes, too many for a model")
    if end.startswith(ZIP64_SIGNATURE) and size < ZIP64_FROM:
        raise ValueError("it uses the 64-bit extension of zip, and is smaller than 2 GB")


def check_archive(archive: ZipFile, size: int) -> None:
    """Check that no member is compressed and that the declared sizes fit the file."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise ValueError("two members have the same name")
    for member in members:
        if member.compress_type != ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"{member.filename} is compressed or encrypted, which save_model never does")
    if members and min(member.header_offset for member in members) > 0:
        raise ValueError("there is data before its first member, as if the end of the file were missing")
    declared = sum(member.file_size for member in members)
    if declared > size:
        raise ValueError(f"its members declare {declared} bytes, but the file has {size}")


def replace_member(data: bytes, name: str, content: str, *, dropped: Collection[str] = ()) -> bytes:
    """Return a zip with one of its members replaced, and some dropped."""
    whole = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(whole, "w", ZIP_STORED) as target:
        for member in source.infolist():
            if member.filename not in dropped:
                new = content if member.filename == name else source.read(member)
                target.writestr(member.filename, new)
    return whole.getvalue()


def _check_names(path: Path, archive: ZipFile) -> None:
    """Check that a zip has exactly the members of a model file."""
    found = set(archive.namelist())
    if found != set(MEMBERS):
        shown = ", ".join(sorted(found)[:5]) or "nothing"
        raise ModelFileError(
            str(path),
            f"is a zip but not a skfewaudio model: expected the members {', '.join(MEMBERS)}, found {shown}. "
            "Pass a file that save_model wrote",
        )
