"""Downloads with limits of size and time, verified by a checksum."""

import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pooch

from ._files import partial_name, remove_stale, sync_folder

CONNECT_TIMEOUT, READ_TIMEOUT = 30.0, 60.0  # seconds without an answer, and without any data
# A download ends if it receives less than MIN_RATE bytes per second, on average over WINDOW seconds.
MIN_RATE, WINDOW = 5000, 60.0
CHUNK = 2**16  # bytes


class WrongChecksumError(OSError):
    """Raised if a downloaded file is not the expected one.

    Parameters
    ----------
    expected, found : str
        Checksums, without the name of the algorithm.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"its checksum is {found} instead of {expected}")
        self.expected = expected
        self.found = found


def download(url: str, target: Path, *, max_bytes: int, known_hash: str | None) -> None:
    """Download a file; nothing is left if that fails.

    Parameters
    ----------
    url : str
        Address of the file, with the protocol HTTP or HTTPS.
    target : Path
        The file to write. Its folder is created.
    max_bytes : int
        Largest size of the file.
    known_hash : str or None
        Checksum such as ``"sha256:..."``, or its beginning. None does not verify the file.

    Raises
    ------
    OSError
        If the file cannot be downloaded or written, is too large, arrives too slowly or has another checksum.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    remove_stale(target.parent)
    part = target.with_name(partial_name())
    fetch = pooch.HTTPDownloader(
        progressbar=sys.stderr.isatty(),
        timeout=(CONNECT_TIMEOUT, READ_TIMEOUT),
        headers={"Accept-Encoding": "identity"},  # the size is that of the file
        hooks={"response": partial(_limit, max_bytes)},
    )
    try:
        with part.open("xb") as file:
            fetch(url, file, None)
        if known_hash is not None:
            check_hash(part, known_hash)
        part.replace(target)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    sync_folder(target.parent)


def check_hash(path: Path, known_hash: str) -> None:
    """Raise WrongChecksumError unless a file has a checksum such as ``"sha256:..."``, or begins with it."""
    algorithm, _, expected = known_hash.partition(":")
    found = pooch.file_hash(str(path), alg=algorithm)
    if not found.startswith(expected):
        raise WrongChecksumError(expected, found[: len(expected)])


def _limit(max_bytes: int, response: Any, *_: Any, **__: Any) -> None:
    """Replace the method of a response that yields its body by one with limits."""
    if not response.ok:  # pooch raises an error without reading the body
        response.close()
        return
    response.iter_content = lambda *_, **__: _iter_body(response, max_bytes)


def _iter_body(response: Any, max_bytes: int) -> Iterator[bytes]:
    """Yield the body of a response as it arrives; any error is an OSError."""
    declared = response.headers.get("Content-Length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        response.close()
        raise OSError(f"it has {int(declared):,} bytes, more than the {max_bytes:,} allowed")
    # read1 returns what has arrived, read waits for all. Earlier versions of urllib3 have no read1.
    read = getattr(response.raw, "read1", None) or response.raw.read
    n_bytes = n_before = 0
    started = time.monotonic()
    with closing(response):
        while chunk := _read_chunk(read):
            n_bytes += len(chunk)
            if n_bytes > max_bytes:
                raise OSError(f"it has more than the {max_bytes:,} bytes allowed")
            seconds = time.monotonic() - started
            if seconds > WINDOW:
                _check_rate((n_bytes - n_before) / seconds)
                started, n_before = time.monotonic(), n_bytes
            yield chunk


def _check_rate(rate: float) -> None:
    if rate < MIN_RATE:
        raise OSError(f"it arrives too slowly, with {rate:.0f} bytes per second")


def _read_chunk(read: Any) -> bytes:
    """Read a part of a body; errors of the connection, which have several kinds, are OSErrors."""
    try:
        return read(CHUNK)
    except OSError:
        raise
    except Exception as error:
        raise OSError(str(error)) from error
