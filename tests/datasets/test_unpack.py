"""Archives of strangers: nothing is written outside of the folder, and any fault is one kind of error."""

import errno
import hashlib
import io
import os
import tarfile
import zipfile

import pytest

from skfewaudio.datasets import _esc50, _tut2017, _unpack, _urbansound8k
from skfewaudio.datasets._fetch import Archive, Contents, _fetch_archive
from skfewaudio.exceptions import DatasetNotFoundError


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def fetch(body, home, filename="x.zip", contents=None):
    """Unpack an archive that was downloaded before."""
    (home / "archives").mkdir(parents=True, exist_ok=True)
    (home / "archives" / filename).write_bytes(body)
    _fetch_archive(Archive(f"http://127.0.0.1:9/{filename}", None, filename, contents), home)


def zipped(members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return file.getvalue()


def tar_member(name, **changes):
    """Return a tar archive with one member."""
    info = tarfile.TarInfo(name)
    for field, value in changes.items():
        setattr(info, field, value)
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        archive.addfile(info, io.BytesIO(bytes(info.size)))
    return file.getvalue()


OUTSIDE = "/tmp/skfewaudio-outside.txt"
HOSTILE_TARS = {
    "parent": tar_member("../outside.txt", size=4),
    "deep parent": tar_member("UrbanSound8K/../../outside.txt", size=4),
    "absolute": tar_member(OUTSIDE, size=4),
    "Windows parent": tar_member("..\\outside.txt", size=4),
    "drive": tar_member("C:/outside.txt", size=4),
    "symbolic link": tar_member("link", type=tarfile.SYMTYPE, linkname="/etc"),
    "hard link": tar_member("link", type=tarfile.LNKTYPE, linkname="/etc/passwd"),
    "device": tar_member("device", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
    "pipe": tar_member("pipe", type=tarfile.FIFOTYPE),
}


@pytest.mark.parametrize("kind", HOSTILE_TARS)
def test_hostile_tar_writes_nothing_and_is_removed(kind, tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"in it (would be outside|is a link or a device)"):
        fetch(HOSTILE_TARS[kind], tmp_path / "a" / "b", "x.tar.gz")
    assert all_files(tmp_path) == []
    assert not os.path.exists(OUTSIDE)  # noqa: PTH110


def test_permissions_and_owners_in_a_tar_are_ignored(tmp_path):
    fetch(tar_member("x", size=4, mode=0o6777, uid=12345), tmp_path, "x.tar.gz")
    state = (tmp_path / "x").stat()
    assert not state.st_mode & 0o6111
    assert state.st_uid == tmp_path.stat().st_uid


def zip_with_header(field, value):
    """Return a zip archive with a byte of both headers of its member changed."""
    body = bytearray(zipped({"a.txt": b"text"}))
    for signature, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(signature) + flags + field] = value
    return bytes(body)


UNUSABLE_ZIPS = {
    "encrypted": zip_with_header(0, 1),
    "unknown method": zip_with_header(2, 97),
    "file as folder": zipped({"a": b"1", "a/b": b"2"}),
    "folder as file": zipped({"a/b": b"1", "a": b"2"}),
    "parent": zipped({"../outside.txt": b"1"}),
    "long name": zipped({"n" * 300: b"1"}),
    "no zip": b"PK",
}


@pytest.mark.parametrize("kind", UNUSABLE_ZIPS)
def test_unusable_zip_raises_one_error_and_is_removed(kind, tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"x\.zip .* is damaged .* was removed"):
        fetch(UNUSABLE_ZIPS[kind], tmp_path / "home")
    assert all_files(tmp_path) == []


@pytest.mark.parametrize("filename", ["x.zip", "x.tar.gz"])
def test_archive_bomb_is_refused(filename, tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "MAX_BYTES", 500_000)
    body = zipped({"x": bytes(600_000)}) if filename == "x.zip" else tar_member("x", size=600_000)
    with pytest.raises(DatasetNotFoundError, match="unpacks to more than 500,000 bytes"):
        fetch(body, tmp_path, filename)
    assert all_files(tmp_path) == []


def test_archive_of_very_many_files_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(_unpack, "MAX_FILES", 2)
    with pytest.raises(DatasetNotFoundError, match="2 files"):
        fetch(zipped({str(k): b"" for k in range(3)}), tmp_path)
    assert all_files(tmp_path) == []


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), MemoryError("too little")], ids=str
)
def test_archive_is_kept_if_this_machine_cannot_unpack_it(error, tmp_path, monkeypatch):
    def fail(*args):
        raise error

    monkeypatch.setattr(_unpack.shutil, "copyfileobj", fail)
    with pytest.raises(DatasetNotFoundError, match=r"could not be unpacked .*: .*(No space|too little)"):
        fetch(zipped({"x": b"1"}), tmp_path)
    assert all_files(tmp_path) == ["archives/x.zip"]


FILES = {"data/audio/a.wav": b"sound", "data/audio/b.wav": b"more", "data/meta.csv": b"a,b", "data/x": b"x"}
LINES = [f"{hashlib.md5(FILES[name]).hexdigest()} {name[5:]}" for name in FILES if name != "data/x"]
CONTENTS = Contents(
    "data", ("audio/*.wav", "meta.csv"), hashlib.sha256("\n".join(sorted(LINES)).encode()).hexdigest()
)


def test_archive_without_checksum_is_verified_by_its_files(tmp_path):
    fetch(zipped(FILES), tmp_path, contents=CONTENTS)
    assert all_files(tmp_path) == ["archives/x.zip", *sorted(FILES)]


@pytest.mark.parametrize(
    "change", [{"data/audio/a.wav": b"Sound"}, {"data/audio/c.wav": b""}, {"data/meta.csv": b"b,a"}]
)
def test_archive_with_other_files_than_the_published_is_refused(change, tmp_path):
    with pytest.raises(DatasetNotFoundError, match="are not the published ones"):
        fetch(zipped(FILES | change), tmp_path, contents=CONTENTS)
    assert all_files(tmp_path) == []


def test_published_archives_have_checksums():
    archives = [_esc50.ARCHIVE, _urbansound8k.ARCHIVE]
    archives += [archive for part in _tut2017.ARCHIVES.values() for archive in part]
    assert all(archive.known_hash or archive.contents for archive in archives)
