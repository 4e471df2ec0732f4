"""Download of archives with published checksums, and their extraction."""

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
from ._home import PathLike, get_data_home


class Archive(NamedTuple):
    """Zip or tar file to download: URL, checksum as ``"md5:..."`` or None, and local file name."""

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
    folder = home / "archives"
    try:
        # Pooch renames the file only after the download is complete and its checksum is verified.
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
    """Extract to a temporary folder, then move each file into place, so that no file is ever incomplete."""
    with tempfile.TemporaryDirectory(dir=home, prefix=".unpacking-") as temporary:
        unpack = pooch.Unzip if file.suffix == ".zip" else pooch.Untar
        for name in unpack(extract_dir=temporary)(str(file), "download", None):
            target = home / Path(name).relative_to(temporary)
            target.parent.mkdir(parents=True, exist_ok=True)
            Path(name).replace(target)
