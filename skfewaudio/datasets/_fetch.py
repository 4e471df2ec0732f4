"""Downloads: archives checked against their checksums and unpacked file by file."""

import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import pooch

from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._tables import PathLike, get_data_home


class Archive(NamedTuple):
    """A zip or tar file to download, its checksum as ``"md5:..."`` or None, and its name here."""

    url: str
    known_hash: str | None
    filename: str


def fetch_dataset(
    load: Callable[[Path], AudioDataset],
    archives: Sequence[Archive],
    *,
    n_clips: int,
    data_home: PathLike | None,
) -> AudioDataset:
    """Load the data set, downloading what it lacks; nothing is requested if all `n_clips` are there."""
    home = get_data_home(data_home)
    try:
        dataset = load(home)
    except DatasetNotFoundError:
        pass  # not there, or not whole: fetched below
    else:
        if len(dataset) == n_clips:
            return dataset
    for archive in archives:
        _fetch_archive(archive, home)
    dataset = load(home)
    if len(dataset) != n_clips:
        raise DatasetNotFoundError(
            f"{home} holds {len(dataset)} clips of {dataset.name}, which has {n_clips}: the download is not "
            "the published set, or an incomplete copy is in the way; fetch into an empty folder"
        )
    return dataset


def _fetch_archive(archive: Archive, home: Path) -> None:
    """Download one archive unless it is there with the right checksum, and unpack it into `home`."""
    folder = home / "archives"
    try:
        # Written under another name and moved here only once whole and checked.
        file = pooch.retrieve(
            archive.url,
            archive.known_hash,
            fname=archive.filename,
            path=folder,
            progressbar=sys.stderr.isatty(),
        )
    except OSError as error:
        raise DatasetNotFoundError(
            f"could not download {archive.url}: {error}. Try again, or put the file into {folder} "
            f"as {archive.filename} by other means"
        ) from error
    try:
        _unpack(Path(file), home)
    except (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError) as error:
        Path(file).unlink()
        raise DatasetNotFoundError(
            f"{archive.filename} from {archive.url} is damaged ({error}) and was removed; fetch it again"
        ) from error


def _unpack(file: Path, home: Path) -> None:
    """Unpack aside and move every file into place, so that none is ever there in part."""
    with tempfile.TemporaryDirectory(dir=home, prefix=".unpacking-") as aside:
        unpack = pooch.Unzip if file.suffix == ".zip" else pooch.Untar
        for name in unpack(extract_dir=aside)(str(file), "download", None):
            target = home / Path(name).relative_to(aside)
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(name).replace(target)
