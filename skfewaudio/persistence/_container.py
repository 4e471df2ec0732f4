"""Model files: uncompressed zip archives of three members."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZIP_STORED, ZipFile

from skfewaudio.exceptions import ModelFileError

CARD, ESTIMATOR, TENSORS = MEMBERS = ("card.json", "estimator.skops", "tensors.safetensors")
ZIP_SIGNATURE = b"PK"


@contextmanager
def errors_about(path: Path) -> Iterator[None]:
    """Turn any exception into a ModelFileError that names the file."""
    try:
        yield
    except ModelFileError:
        raise
    except Exception as error:
        reason = f"{type(error).__name__}: {error}".rstrip(": ")
        raise ModelFileError(
            str(path),
            f"cannot be read as a model ({reason}): it is damaged or not a model file. Get the file again, "
            "or save the model again",
        ) from error


def write_members(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a file atomically: into a temporary folder first, then move it into place."""
    with TemporaryDirectory(dir=path.parent, prefix=".partial-") as folder:
        part = Path(folder) / path.name
        with ZipFile(part, "w", ZIP_STORED) as archive:
            for name, data in members.items():
                archive.writestr(name, data)
        part.replace(path)


def read_members(path: Path, names: tuple[str, ...]) -> list[bytes]:
    """Read members of a file; errors in opening it are raised unchanged."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        with errors_about(path):
            if not size:
                raise ModelFileError(str(path), "is empty (0 bytes); save the model again")
            with ZipFile(file) as archive:
                check_archive(archive, size)
                _check_names(path, archive)
                return [archive.read(name) for name in names]


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


def check_nested(data: bytes) -> None:
    """Check a zip and the zips in it, in which skops stores sparse matrices."""
    with ZipFile(BytesIO(data)) as archive:
        check_archive(archive, len(data))
        for member in archive.infolist():
            with archive.open(member) as file:
                if file.read(len(ZIP_SIGNATURE)) == ZIP_SIGNATURE:
                    check_nested(archive.read(member))


def unpack_nested(data: bytes) -> bytes:
    """Return a zip with all its members, and the members of zips in it, uncompressed."""
    whole = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(whole, "w", ZIP_STORED) as target:
        for member in source.infolist():
            content = source.read(member)
            is_zip = content.startswith(ZIP_SIGNATURE)
            target.writestr(member.filename, unpack_nested(content) if is_zip else content)
    return whole.getvalue()


def replace_member(data: bytes, name: str, content: str) -> bytes:
    """Return a zip with one of its members replaced."""
    whole = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(whole, "w", ZIP_STORED) as target:
        for member in source.infolist():
            target.writestr(member.filename, content if member.filename == name else source.read(member))
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
