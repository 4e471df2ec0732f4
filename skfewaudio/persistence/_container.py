"""The file of a model: a zip of a few members, none of them compressed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_STORED, ZipFile

from skfewaudio.exceptions import ModelFileError

CARD, ESTIMATOR, TENSORS = MEMBERS = ("card.json", "estimator.skops", "tensors.safetensors")
ZIP = b"PK"  # what any zip begins with


@contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """Name the file in whatever a damaged or foreign one makes of its readers."""
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ModelFileError(
            str(path),
            f"cannot be read as a model ({reason}): it is damaged or something else. Get the file again, or "
            "save the model anew",
        ) from error


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a file that takes its place only when it is whole."""
    with TemporaryDirectory(dir=path.parent, prefix=".partial-") as aside:
        part = Path(aside) / path.name
        with ZipFile(part, "w", ZIP_STORED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        part.replace(path)


def read_members(path: Path, names: tuple[str, ...]) -> list[bytes]:
    """Read members of a file; errors to open it are its own."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        with errors_about(path):
            if not size:
                raise ModelFileError(str(path), "is empty (0 bytes); save the model anew")
            with ZipFile(file) as archive:
                check_archive(archive, size)
                _check_names(path, archive)
                return [archive.read(name) for name in names]


def check_archive(archive: ZipFile, size: int) -> None:
    """Refuse a zip that says it holds more than its own bytes, or that needs unpacking."""
    members = archive.infolist()
    names = [member.filename for member in members]
    if len(set(names)) < len(names):
        raise ValueError("two members have one name")
    for member in members:
        if member.compress_type != ZIP_STORED or member.flag_bits & 1:
            raise ValueError(f"{member.filename} is compressed or encrypted, and save_model does neither")
    if members and min(member.header_offset for member in members) > 0:
        raise ValueError("something stands before its first member, as where the end of a file is missing")
    declared = sum(member.file_size for member in members)
    if declared > size:
        raise ValueError(f"its members declare {declared} bytes, and there are {size}")


def check_nested(data: bytes) -> None:
    """Check a zip and the zips in it, such as skops makes of sparse matrices."""
    with ZipFile(BytesIO(data)) as archive:
        check_archive(archive, len(data))
        for member in archive.infolist():
            with archive.open(member) as file:
                if file.read(len(ZIP)) == ZIP:
                    check_nested(archive.read(member))


def unpack_nested(data: bytes) -> bytes:
    """Give a zip again without compression in it or in the zips that it holds."""
    whole = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(whole, "w", ZIP_STORED) as target:
        for member in source.infolist():
            content = source.read(member)
            target.writestr(member.filename, unpack_nested(content) if content[:2] == ZIP else content)
    return whole.getvalue()


def _check_names(path: Path, archive: ZipFile) -> None:
    """Tell a model of skfewaudio from another zip."""
    found = set(archive.namelist())
    if found != set(MEMBERS):
        shown = ", ".join(sorted(found)[:5]) or "nothing"
        raise ModelFileError(
            str(path),
            f"is a zip, and no model of skfewaudio: expected {', '.join(MEMBERS)} in it, and found {shown}. "
            "Give a file that save_model wrote",
        )
