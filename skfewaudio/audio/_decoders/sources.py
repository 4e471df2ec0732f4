"""Open files whose errors decoders survive."""

import io
from pathlib import Path

MOST_BYTES = 2**20  # read at once: damaged headers ask for gigabytes


class Source(io.BufferedReader):
    """Binary file that records an error instead of raising it.

    FFmpeg asks for impossible positions in damaged files, and PyAV prints the traceback of an error that is
    raised while it handles another one.

    Attributes
    ----------
    error : OSError or None
        Why reading failed, such as a defective disk.
    """

    error: OSError | None = None

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position and return it, or return -1 if there is no such position."""
        try:
            return super().seek(offset, whence)
        except (OSError, ValueError):
            return -1

    def read(self, size: int = -1, /) -> bytes:  # type: ignore[override]
        """Read at most `size` bytes, and none after an error."""
        try:
            return super().read(min(size, MOST_BYTES))
        except OSError as error:
            self.error = error
            return b""


def open_source(name: str, head: bytes = b"") -> Source:
    """Open a file of any name, also one that is not valid UTF-8; `head` stands for its first bytes."""
    return Source(PatchedFile(name, head) if head else io.FileIO(name))


class PatchedFile(io.FileIO):
    """Read-only file whose first bytes are replaced."""

    def __init__(self, name: str, head: bytes) -> None:
        super().__init__(name)
        self._head = head

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read bytes into a buffer, and return their number."""
        start = self.tell()
        n_read = super().readinto(buffer) or 0
        patch = self._head[start : start + n_read]
        buffer[: len(patch)] = patch
        return n_read


def open_slice(name: str, start: int, stop: int) -> Source:
    """Open the bytes of a file from `start` to `stop`."""
    return Source(FileSlice(name, start, stop))


class FileSlice(io.RawIOBase):
    """Read-only file that is a range of bytes of another one."""

    def __init__(self, name: str, start: int, stop: int) -> None:
        self._file = Path(name).open("rb")  # noqa: SIM115, closed with the slice
        self._start, self._size = start, stop - start
        self.seek(0)

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position of the slice."""
        origin = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell() - self._start, io.SEEK_END: self._size}
        position = origin[whence] + offset
        self._file.seek(self._start + max(0, position))
        return position  # -1 and below are errors

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read at most as many bytes as the slice has left."""
        n_left = self._start + self._size - self._file.tell()
        data = self._file.read(max(0, min(len(buffer), n_left)))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
