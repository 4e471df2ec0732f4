"""Downloads and extraction, from a local server with archives made by the tests."""

import contextlib
import hashlib
import http.server
import io
import logging
import tarfile
import threading
import time
import zipfile

import numpy as np
import pooch
import pytest
import soundfile

from skfewaudio import _download
from skfewaudio.datasets import (
    _esc50,
    _fetch,
    _tut2017,
    _urbansound8k,
    fetch_esc50,
    fetch_tut2017,
    fetch_urbansound8k,
)
from skfewaudio.datasets._fetch import Archive
from skfewaudio.exceptions import DatasetNotFoundError


class Server:
    """HTTP server of `files` (name to bytes) that logs `requests`.

    `cut` truncates every response; `answer`, if set, writes the response.
    """

    def __init__(self):
        self.files, self.requests, self.cut, self.answer = {}, [], False, None
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.strip("/")
                outer.requests.append(name)
                if name not in outer.files:
                    self.send_error(404)
                    return
                if outer.answer is not None:
                    with contextlib.suppress(ConnectionError):
                        outer.answer(self)
                    return
                body = outer.files[name]
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if outer.cut else body)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    def offer(self, filename, body, known_hash="right"):
        self.files[filename] = body
        known_hash = f"md5:{hashlib.md5(body).hexdigest()}" if known_hash == "right" else known_hash
        return Archive(f"http://127.0.0.1:{self.server.server_port}/{filename}", known_hash, filename)


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    server = Server()
    thread = threading.Thread(target=server.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    pooch.get_logger().setLevel(logging.ERROR)
    yield server
    pooch.get_logger().setLevel(logging.INFO)
    server.server.shutdown()
    thread.join()
    server.server.server_close()


def sound():
    file = io.BytesIO()
    soundfile.write(file, np.zeros(80), 8000, format="WAV")
    return file.getvalue()


def zipped(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return file.getvalue()


ESC50 = {
    "ESC-50-master/meta/esc50.csv": "filename,fold,target,category,esc10,src_file,take\n"
    "1-1-A-0.wav,1,0,dog,True,1,A\n2-2-A-14.wav,2,14,chirping_birds,False,2,A\n",
    "ESC-50-master/audio/1-1-A-0.wav": sound(),
    "ESC-50-master/audio/2-2-A-14.wav": sound(),
}


@pytest.fixture
def esc50(server, monkeypatch):
    """Server with an ESC-50 archive of two clips."""
    monkeypatch.setattr(_esc50, "ARCHIVE", server.offer("ESC-50-master.zip", zipped(**ESC50), None))
    monkeypatch.setattr(_esc50, "N_CLIPS", 2)
    return server


def test_missing_dataset_is_downloaded_and_loaded(esc50, tmp_path):
    dataset = fetch_esc50(tmp_path / "new")
    assert dataset.y.tolist() == ["dog", "chirping_birds"]
    assert soundfile.info(dataset.paths[0]).frames == 80


def test_complete_dataset_is_not_downloaded_again(esc50, tmp_path):
    fetch_esc50(tmp_path)
    fetch_esc50(tmp_path)
    assert esc50.requests == ["ESC-50-master.zip"]


def test_temporary_folder_is_removed(esc50, tmp_path):
    fetch_esc50(tmp_path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["ESC-50-master", "archives"]


def test_subset_is_loaded_after_the_download(esc50, tmp_path):
    assert fetch_esc50(tmp_path, subset="esc10").y.tolist() == ["dog"]


def test_deleted_clip_is_restored_from_the_kept_archive(esc50, tmp_path):
    (tmp_path / fetch_esc50(tmp_path).paths[1]).unlink()
    assert len(fetch_esc50(tmp_path)) == 2
    assert len(esc50.requests) == 1


def test_interrupted_download_leaves_no_files_and_can_be_repeated(esc50, tmp_path):
    esc50.cut = True
    with pytest.raises(DatasetNotFoundError, match=r"could not download http.*put the file into .*archives"):
        fetch_esc50(tmp_path)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []
    esc50.cut = False
    assert len(fetch_esc50(tmp_path)) == 2


def test_damaged_archive_without_a_checksum_is_removed(esc50, tmp_path):
    whole = esc50.files["ESC-50-master.zip"]
    at = whole.index(b"RIFF")
    esc50.files["ESC-50-master.zip"] = whole[:at] + b"RUFF" + whole[at + 4 :]
    with pytest.raises(DatasetNotFoundError, match=r"ESC-50-master\.zip .* is damaged .*CRC"):
        fetch_esc50(tmp_path)
    assert not (tmp_path / "archives" / "ESC-50-master.zip").exists()
    assert not (tmp_path / "ESC-50-master").exists()
    esc50.files["ESC-50-master.zip"] = whole
    assert len(fetch_esc50(tmp_path)) == 2


def test_missing_file_on_the_server_is_an_error(esc50, tmp_path):
    esc50.files.clear()
    with pytest.raises(DatasetNotFoundError, match="404"):
        fetch_esc50(tmp_path)


def test_unexpected_number_of_clips_is_an_error(esc50, tmp_path, monkeypatch):
    monkeypatch.setattr(_esc50, "N_CLIPS", 3)
    with pytest.raises(DatasetNotFoundError, match="holds 2 clips of esc50, which has 3"):
        fetch_esc50(tmp_path)


def tarred(members):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return file.getvalue()


URBANSOUND8K = {
    "UrbanSound8K/metadata/UrbanSound8K.csv": b"slice_file_name,fsID,start,end,salience,fold,classID,class\n"
    b"7-3-0-0.wav,7,0,1,1,5,3,dog_bark\n",
    "UrbanSound8K/audio/fold5/7-3-0-0.wav": sound(),
}


def test_tar_archive_is_extracted(server, tmp_path, monkeypatch):
    monkeypatch.setattr(_urbansound8k, "ARCHIVE", server.offer("UrbanSound8K.tar.gz", tarred(URBANSOUND8K)))
    monkeypatch.setattr(_urbansound8k, "N_CLIPS", 1)
    assert fetch_urbansound8k(tmp_path).folds.tolist() == [5]


def test_checksum_error_names_the_file_and_both_checksums(server, tmp_path, monkeypatch):
    body, wrong = tarred(URBANSOUND8K), "0123456789abcdef0123456789abcdef"
    archive = server.offer("UrbanSound8K.tar.gz", body, f"md5:{wrong}")
    monkeypatch.setattr(_urbansound8k, "ARCHIVE", archive)
    with pytest.raises(DatasetNotFoundError, match=r"UrbanSound8K\.tar\.gz") as caught:
        fetch_urbansound8k(tmp_path)
    assert wrong in str(caught.value)
    assert hashlib.md5(body).hexdigest() in str(caught.value)
    assert list((tmp_path / "archives").iterdir()) == []


def test_incomplete_archive_is_downloaded_again(server, tmp_path, monkeypatch):
    body = tarred(URBANSOUND8K)
    monkeypatch.setattr(_urbansound8k, "ARCHIVE", server.offer("UrbanSound8K.tar.gz", body))
    monkeypatch.setattr(_urbansound8k, "N_CLIPS", 1)
    (tmp_path / "archives").mkdir()
    (tmp_path / "archives" / "UrbanSound8K.tar.gz").write_bytes(body[:100])
    assert len(fetch_urbansound8k(tmp_path)) == 1


@pytest.fixture
def tut2017(server, monkeypatch):
    """Server with both sets, of two clips each; the clips of a set are in two archives."""
    offers = {}
    for part in ("development", "evaluation"):
        root = f"TUT-acoustic-scenes-2017-{part}"
        meta = {
            f"{root}/meta.txt": f"audio/{part}1.wav\tbeach\t{part}1\naudio/{part}2.wav\tpark\t{part}2\n",
            f"{root}/evaluation_setup/fold1_test.txt": f"audio/{part}1.wav\n",
            f"{root}/evaluation_setup/fold2_test.txt": f"audio/{part}2.wav\n",
        }
        audio = [{f"{root}/audio/{part}{k}.wav": sound()} for k in (1, 2)]
        offers[part] = [server.offer(f"{part}.{k}.zip", zipped(**m)) for k, m in enumerate([meta, *audio])]
    monkeypatch.setattr(_tut2017, "ARCHIVES", offers)
    monkeypatch.setattr(_tut2017, "N_CLIPS", {"development": 2, "evaluation": 2})
    monkeypatch.setattr(_tut2017, "TEST_FOLDS", (1, 2))
    return server


def test_dataset_in_several_archives(tut2017, tmp_path):
    assert fetch_tut2017(tmp_path).folds.tolist() == [1, 2]
    assert tut2017.requests == ["development.0.zip", "development.1.zip", "development.2.zip"]


def test_only_missing_archives_are_downloaded(tut2017, tmp_path):
    last = tut2017.files.pop("development.2.zip")
    with pytest.raises(DatasetNotFoundError, match=r"development\.2\.zip"):
        fetch_tut2017(tmp_path)
    tut2017.requests.clear()
    tut2017.files["development.2.zip"] = last
    fetch_tut2017(tmp_path)
    assert tut2017.requests == ["development.2.zip"]


def test_subset_all_fetches_both_sets(tut2017, tmp_path):
    assert fetch_tut2017(tmp_path, subset="all").folds.tolist() == [-1, -1, 0, 0]


def all_files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


# Limits of size and time


def send_head(handler, **headers):
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def send_forever(handler):
    send_head(handler)
    while True:
        handler.wfile.write(bytes(10_000))


def drip(handler):
    send_head(handler)
    while True:
        handler.wfile.write(b"x")
        time.sleep(0.02)


def redirect_forever(handler):
    handler.send_response(302)
    handler.send_header("Location", handler.path)
    handler.end_headers()


def declare_too_much(handler):
    send_head(handler, **{"Content-Length": str(10**12)})


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (send_forever, "more than the 100,000 bytes allowed"),
        (declare_too_much, "has 1,000,000,000,000 bytes"),
        (drip, "arrives too slowly, with .* bytes per second"),
        (redirect_forever, "redirects"),
    ],
)
def test_endless_download_ends_with_an_error_and_leaves_nothing(
    answer, message, esc50, tmp_path, monkeypatch
):
    monkeypatch.setattr(_fetch, "MAX_DOWNLOAD", 100_000)
    monkeypatch.setattr(_download, "WINDOW", 0.2)
    esc50.answer = answer
    with pytest.raises(DatasetNotFoundError, match=message):
        fetch_esc50(tmp_path)
    assert all_files(tmp_path) == []


def test_server_that_falls_silent_is_an_error(esc50, tmp_path, monkeypatch):
    monkeypatch.setattr(_download, "READ_TIMEOUT", 0.1)
    silence = threading.Event()
    esc50.answer = lambda handler: (send_head(handler), handler.wfile.write(b"x"), silence.wait(2))
    with pytest.raises(DatasetNotFoundError, match="timed out"):
        fetch_esc50(tmp_path)
    silence.set()
    assert all_files(tmp_path) == []


def test_files_that_killed_downloads_left_are_removed(esc50, tmp_path, monkeypatch):
    names = (f".partial-{'0' * 32}", f".partial-{'1' * 32}", ".partial-mine")
    (tmp_path / "archives").mkdir()
    for folder in (tmp_path, tmp_path / "archives"):
        (folder / names[0]).mkdir()
        for path in (folder / names[0] / "x", folder / names[1], folder / names[2]):
            path.touch()
    fetch_esc50(tmp_path / "other")
    monkeypatch.setattr("skfewaudio._files.STALE_AFTER", -1.0)
    fetch_esc50(tmp_path)
    left = [path.name for path in tmp_path.glob("**/.partial-*") if path.name != "x"]
    assert left == [".partial-mine"] * 2
