"""Weight cache, and downloads from a local server."""

import hashlib
import http.server
import threading

import numpy as np
import pytest
import torch

from skfewaudio import _weights
from skfewaudio._weights import find_weights, have_weights, read_state_dict, weights_home
from skfewaudio.exceptions import WeightsNotFoundError

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


class Server(http.server.ThreadingHTTPServer):
    """Server of `files` (name to bytes) that lists requested names in `requests`; `cut` sends halves."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files, self.requests, self.cut = {}, [], False


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        name = self.path.strip("/")
        self.server.requests.append(name)
        if name not in self.server.files:
            self.send_error(404)
            return
        body = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if self.server.cut else body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """Server of the published weights, which are named by their checksum."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    torch.save(STATE, tmp_path / "made.pth")
    body = (tmp_path / "made.pth").read_bytes()
    name = f"vggish-{hashlib.sha256(body).hexdigest()[:8]}.pth"
    with Server() as server:
        server.files[name] = body
        url = f"http://127.0.0.1:{server.server_port}/{name}"
        monkeypatch.setitem(_weights.PUBLISHED["weights"], "vggish", url)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def files_in(folder):
    return [path.name for path in folder.rglob("*") if path.is_file()]


def test_published_weights_are_fetched_into_the_cache(server, cache):
    path = find_weights("vggish", kind="weights")
    assert path.parent == cache / "weights"
    assert torch.equal(read_state_dict(path)["a.weight"], STATE["a.weight"])
    assert files_in(cache) == [path.name]


def test_weights_in_the_cache_are_not_requested_again(server):
    find_weights("vggish", kind="weights")
    find_weights("vggish", kind="weights")
    assert len(server.requests) == 1


def test_have_weights_sends_no_request(server):
    before = have_weights("vggish")
    find_weights("vggish", kind="weights")
    assert (before, have_weights("vggish"), have_weights("no such weights")) == (False, True, False)
    assert len(server.requests) == 1


def test_weights_with_a_wrong_checksum_are_not_kept(server, cache):
    (name,) = server.files
    server.files[name] = b"something else"
    found = hashlib.sha256(b"something else").hexdigest()[:8]
    with pytest.raises(
        WeightsNotFoundError,
        match=rf"{name} gave another file .* deleted: .* {found} instead of {name[7:15]}",
    ):
        find_weights("vggish", kind="weights")
    assert files_in(cache) == []


def test_a_download_cut_short_leaves_nothing_and_can_be_repeated(server, cache):
    server.cut = True
    with pytest.raises(WeightsNotFoundError, match="could not download"):
        find_weights("vggish", kind="weights")
    assert files_in(cache) == []
    server.cut = False
    assert find_weights("vggish", kind="weights").is_file()


def test_a_server_without_the_file_is_an_error(server):
    server.files.clear()
    with pytest.raises(WeightsNotFoundError, match="404"):
        find_weights("vggish", kind="weights")


def test_without_a_network_the_error_names_the_remedy(server, cache, monkeypatch):
    (name,) = server.files
    url = f"http://127.0.0.1:9/{name}"  # no server listens there
    monkeypatch.setitem(_weights.PUBLISHED["pca_params"], "vggish", url)
    with pytest.raises(WeightsNotFoundError) as caught:
        find_weights("vggish", kind="pca_params")
    message = str(caught.value)
    assert f"could not download {url}" in message
    assert f"put the file into {cache / 'weights'} by other means, or pass pca_params=PATH" in message


def test_a_cache_that_cannot_be_written_is_an_error(server, cache):
    cache.touch()
    with pytest.raises(WeightsNotFoundError, match="pass weights=PATH"):
        find_weights("vggish", kind="weights")


def test_an_unknown_name_lists_the_published_ones(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        WeightsNotFoundError,
        match=r"weights='vgish': vgish does not exist\. Expected a file or a published name: 'vggish'",
    ):
        find_weights("vgish", kind="weights")


def test_a_path_is_returned(tmp_path):
    (tmp_path / "x.pth").touch()
    assert find_weights(str(tmp_path / "x.pth"), kind="weights") == tmp_path / "x.pth"


def test_the_default_cache_is_the_operating_systems(monkeypatch, tmp_path):
    monkeypatch.delenv("SKFEWAUDIO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    assert weights_home() == tmp_path / "skfewaudio" / "weights"


def test_the_published_names_contain_checksums():
    names = [url.rpartition("/")[2] for urls in _weights.PUBLISHED.values() for url in urls.values()]
    assert names == ["vggish-10086976.pth", "vggish_pca_params-970ea276.pth"]


def test_the_full_checksums_begin_like_the_names():
    for name, checksum in _weights.SHA256.items():
        assert len(checksum) == 64
        assert checksum.startswith(name.rpartition("-")[2].removesuffix(".pth"))


def test_a_full_checksum_is_compared_as_a_whole(server, monkeypatch):
    (name,) = server.files
    found = hashlib.sha256(server.files[name]).hexdigest()
    wrong = found[:-1] + ("0" if found[-1] != "0" else "1")
    monkeypatch.setitem(_weights.SHA256, name, wrong)
    with pytest.raises(WeightsNotFoundError, match=f"{found} instead of {wrong}"):
        find_weights("vggish", kind="weights")
    monkeypatch.setitem(_weights.SHA256, name, found)
    assert find_weights("vggish", kind="weights").is_file()


def test_a_file_that_is_too_large_is_not_downloaded(server, cache, monkeypatch):
    monkeypatch.setattr(_weights, "MAX_DOWNLOAD", 100)
    with pytest.raises(WeightsNotFoundError, match="more than the 100 allowed"):
        find_weights("vggish", kind="weights")
    assert files_in(cache) == []


@pytest.mark.network
def test_the_published_files_can_be_used():
    from skfewaudio.features import VGGishEmbed

    clips = np.zeros((1, 16000), dtype=np.float32)
    for output in ("relu", "pca"):
        assert np.isfinite(VGGishEmbed(output=output).transform(clips)).all()
