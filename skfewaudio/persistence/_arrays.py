"""Arrays in the estimator of a model file: their sizes are checked before they are read."""

from collections.abc import Callable
from io import BytesIO
from math import prod
from typing import IO, Any
from zipfile import ZIP_STORED, ZipFile

from numpy.lib import format as npy

from ._container import check_archive, check_directory
from ._limits import MAX_ARRAYS

ZIP_SIGNATURE = b"PK"
MAX_DIMENSIONS = 8
_HEADERS: dict[tuple[int, int], Callable[[IO[bytes]], Any]] = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
}


def check_arrays(data: bytes, *, nested: bool = False) -> None:
    """Check the arrays of an estimator, and the zips in it, in which skops stores sparse matrices.

    Parameters
    ----------
    data : bytes
        Zip of the schema and the arrays.
    nested : bool, default=False
        Whether it is a zip in such a zip.

    Raises
    ------
    ValueError
        If a member is compressed, or an array has another size than its bytes.
    """
    check_directory(BytesIO(data), MAX_ARRAYS)
    with ZipFile(BytesIO(data)) as archive:
        check_archive(archive, len(data))
        for member in archive.infolist():
            content = archive.read(member)
            if content.startswith(npy.MAGIC_PREFIX):
                _check_array(member.filename, content)
            elif content.startswith(ZIP_SIGNATURE):
                if nested:
                    raise ValueError(f"{member.filename} is a zip in a zip in a zip")
                check_arrays(content, nested=True)


def _check_array(name: str, content: bytes) -> None:
    """Check that an array in NumPy's format has exactly the bytes that its header declares."""
    file = BytesIO(content)
    version = npy.read_magic(file)
    if version not in _HEADERS:
        raise ValueError(f"{name} has version {version} of NumPy's format")
    shape, _, dtype = _HEADERS[version](file)
    n_bytes = len(content) - file.tell()
    if dtype.hasobject or (dtype.itemsize == 0 and prod(shape)):
        raise ValueError(f"{name} is an array of {dtype}")
    if len(shape) > MAX_DIMENSIONS or prod(shape) * dtype.itemsize != n_bytes:
        raise ValueError(f"{name} declares the shape {shape} of {dtype}, and has {n_bytes} bytes")
    if max(shape, default=0) > max(MAX_ARRAYS, n_bytes):
        raise ValueError(f"{name} declares the shape {shape}, and is empty")


def unpack_nested(data: bytes) -> bytes:
    """Return a zip with all its members, and the members of zips in it, uncompressed."""
    whole = BytesIO()
    with ZipFile(BytesIO(data)) as source, ZipFile(whole, "w", ZIP_STORED) as target:
        for member in source.infolist():
            content = source.read(member)
            is_zip = content.startswith(ZIP_SIGNATURE)
            target.writestr(member.filename, unpack_nested(content) if is_zip else content)
    return whole.getvalue()
