"""Download of archives with published checksums, and their extraction."""

import errno
import hashlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from skfewaudio._download import WrongChecksumError, check_hash, download
from skfewaudio._files import open_regular, partial_name, remove_stale
from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._home import PathLike, get_data_home
from ._unpack import unpack

MAX_DOWNLOAD = 20 * 2**30  # bytes; three times the largest archive
# Errors of this machine, which do not mean that an archive is damaged.
OWN_ERRORS = frozenset(
    (
        *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM),
        *(errno.EIO, errno.EMFILE, errno.ENFILE, errno.ENOMEM),
    )
)


class Contents(NamedTuple):
    """Files of an archive whose bytes may differ although its files are the same.

    Parameters
    ----------
    folder : str
        Folder in the archive.
    patterns : tuple of str
        Patterns of the files in the folder.
    sha256 : str
        Checksum of the sorted lines ``"<MD5> <path in the folder>"`` of the files.
    """

    folder: str
    patterns: tuple[str, ...]
    sha256: str


class Archive(NamedTuple):
    """Zip or tar file to download.

    Parameters
    ----------
    url : str
        Address of the file.
    known_hash : str or None
        Checksum as ``"md5:..."``, or None.
    filename : str
        Local file name.
    contents : Contents or None, default=None
        Files that are verified after extraction.
    """

    url: str
    known_hash: str | None
    filename: str
    contents: Contents | None = None


def fetch_dataset(
    load: Callable[[Path], AudioDataset],
    archives: Sequence[Archive],
    *,
    n_clips: int,
    data_home: PathLike | None,
) -> AudioDataset:
    """Load the dataset, after downloading its archives if fewer than `n_clips` clips are found."""
    home = get_data_home(data_home)
    try:
        dataset = load(home)
    except DatasetNotFoundError:
        pass  # missing or incomplete: downloaded below
    else:
        if len(dataset) == n_clips:
            return dataset
    for archive in archives:
        _fetch_archive(archive, home)
    dataset = load(home)
    if len(dataset) != n_clips:
        raise DatasetNotFoundError(
            f"{home} holds {len(dataset)} clips of {dataset.name}, which has {n_clips}: the download is not "
            "the published dataset, or an incomplete version of it in the folder was loaded; fetch into an "
            "empty folder"
        )
    return dataset


def _fetch_archive(archive: Archive, home: Path) -> None:
    """Extract one archive into `home`, after downloading it unless it exists with the right checksum."""
    file = home / "archives" / archive.filename
    try:
        if not _is_there(file, archive.known_hash):
            download(archive.url, file, max_bytes=MAX_DOWNLOAD, known_hash=archive.known_hash)
    except WrongChecksumError as error:
        raise DatasetNotFoundError(
            f"{archive.filename} from {archive.url} is not the published file, and it was deleted: {error}. "
            "Try again"
        ) from error
    except OSError as error:
        raise DatasetNotFoundError(
            f"could not download {archive.url}: {error}. Try again, or put the file into {file.parent} "
            f"as {archive.filename} by other means"
        ) from error
    try:
        _unpack_into(file, home, archive.contents)
    except Exception as error:  # a damaged or malicious archive can cause many kinds of errors
        if isinstance(error, MemoryError) or getattr(error, "errno", None) in OWN_ERRORS:
            raise DatasetNotFoundError(f"{file} could not be unpacked into {home}: {error}") from error
        file.unlink(missing_ok=True)
        raise DatasetNotFoundError(
            f"{archive.filename} from {archive.url} is damaged ({error}) and was removed; fetch it again"
        ) from error


def _is_there(file: Path, known_hash: str | None) -> bool:
    """Return whether a file exists with the right checksum, if it has one."""
    try:
        open_regular(file).close()
        if known_hash is not None:
            check_hash(file, known_hash)
    except (FileNotFoundError, WrongChecksumError):
        return False
    return True


def _unpack_into(file: Path, home: Path, contents: Contents | None) -> None:
    """Extract to a temporary folder, then move each file into place, so that no file is ever incomplete."""
    remove_stale(home)
    temporary = home / partial_name()
    temporary.mkdir()
    try:
        names = [name.relative_to(temporary) for name in unpack(file, temporary)]
        if contents is not None:
            _check_contents(temporary, contents)
        for name in names:
            (home / name).parent.mkdir(parents=True, exist_ok=True)
            (temporary / name).replace(home / name)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _check_contents(temporary: Path, contents: Contents) -> None:
    """Raise ValueError unless the extracted files are the published ones."""
    folder = temporary / contents.folder
    files = sorted({file for pattern in contents.patterns for file in folder.glob(pattern)})
    lines = sorted(f"{_digest_md5(file)} {file.relative_to(folder).as_posix()}" for file in files)
    found = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    if found != contents.sha256:
        raise ValueError(
            f"its {len(files)} files {', '.join(contents.patterns)} are not the published ones: their "
            f"checksum is {found} instead of {contents.sha256}"
        )


def _digest_md5(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()
