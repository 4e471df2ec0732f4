"""Files of weights, the cache, and downloads from a server on this machine."""

import hashlib
import http.server
import pickle
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from skfewaudio import _weights
from skfewaudio._checkpoint import LAYERS
from skfewaudio._weights import find_weights, have_weights, read_state_dict, weights_home
from skfewaudio.exceptions import WeightsNotFoundError

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache for every test."""
    monkeypatch.setenv("SKFEWAUDIO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def save_npz(state, path):
    np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})


def save_legacy(state, path):
    """Write as torch did before version 1.6, as the published files are."""
    torch.save(state, path, _use_new_zipfile_serialization=False)


WRITERS = {
    "x.pth": torch.save,
    "x.pt": torch.save,
    "legacy.pth": save_legacy,
    "x.safetensors": save_file,
    "x.npz": save_npz,
}
every_kind = pytest.mark.parametrize("name", WRITERS)


@every_kind
def test_tensors_come_back_by_name(name, tmp_path):
    WRITERS[name](STATE, tmp_path / name)
    state = read_state_dict(tmp_path / name)
    assert set(state) == set(STATE)
    assert all(torch.equal(state[key], tensor) for key, tensor in STATE.items())


@every_kind
def test_a_truncated_file_is_named(name, tmp_path):
    path = tmp_path / name
    WRITERS[name](STATE, path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(WeightsNotFoundError, match=rf"{name} cannot be read as .* damaged or something else"):
        read_state_dict(path)


@every_kind
@pytest.mark.parametrize("content", [b"", b"<html>404</html>"], ids=["empty", "a web page"])
def test_another_file_under_the_name_is_named(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsNotFoundError, match=rf"{name} cannot be read as"):
        read_state_dict(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ([1, 2], "it holds a list, not tensors by name"),
        ({"epoch": 3}, "'epoch' in it is a int, not a tensor"),
        ({0: torch.ones(1)}, "0 in it is a Tensor"),
        ({"a": np.array(["x"])}, "more than tensors|can't convert"),
    ],
)
def test_what_is_not_a_state_dict_is_refused(content, message, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsNotFoundError, match=message):
        read_state_dict(tmp_path / "x.pth")


class Intruder:
    """Pickles as a call that leaves a file behind."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "write", [torch.save, save_legacy, lambda x, path: path.write_bytes(pickle.dumps(x, 2))]
)
def test_code_in_a_file_is_not_run(write, tmp_path):
    write({"a": Intruder(tmp_path / "intruder")}, tmp_path / "x.pth")
    with pytest.raises(WeightsNotFoundError, match="holds more than tensors") as caught:
        read_state_dict(tmp_path / "x.pth")
    assert not (tmp_path / "intruder").exists()
    assert "weights_only" not in str(caught.value)  # torch's advice on how to run it


def test_code_in_numpy_arrays_is_not_run(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([Intruder(tmp_path / "intruder")], dtype=object))
    with pytest.raises(WeightsNotFoundError, match=r"x\.npz cannot be read"):
        read_state_dict(tmp_path / "x.npz")
    assert not (tmp_path / "intruder").exists()


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_in_an_old_pytorch_file_are_tensors(module, dtype, tmp_path):
    array = np.linspace(0, 1, 12, dtype=dtype).reshape(3, 4)
    save_legacy({"pca_means": array}, tmp_path / "x.pth")
    written = (tmp_path / "x.pth").read_bytes()
    old = written.replace(b"numpy._core.multiarray", module).replace(b"numpy.core.multiarray", module)
    (tmp_path / "x.pth").write_bytes(old)
    np.testing.assert_array_equal(read_state_dict(tmp_path / "x.pth")["pca_means"].numpy(), array)


def test_what_torch_allows_elsewhere_stays_as_it_was(tmp_path):
    save_legacy({"a": np.ones(2)}, tmp_path / "x.pth")
    before = set(torch.serialization.get_safe_globals())
    read_state_dict(tmp_path / "x.pth")
    assert set(torch.serialization.get_safe_globals()) == before
    with pytest.raises(pickle.UnpicklingError):
        torch.load(tmp_path / "x.pth", weights_only=True)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.pth", r"nowhere\.pth does not exist"),
        ("nowhere/x.pth", r"x\.pth does not exist"),
        ("folder", "folder is a folder, not a file of weights"),
        ("x.h5", r"x\.h5 is of no known kind; expected \.pth, \.pt, \.safetensors, \.npz or a TensorFlow"),
    ],
)
def test_what_is_no_file_of_weights_is_named(name, message, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.h5").touch()
    with pytest.raises(WeightsNotFoundError, match=message):
        read_state_dict(tmp_path / name)


# Checkpoints


def made_up_checkpoint():
    """TensorFlow's tensors under VGGish's names, with few values but all axes of different lengths."""
    rng = np.random.default_rng(0)
    tensors = {}
    for layer in LAYERS:
        shape = (3, 2, 4, 5) if "conv" in layer else (6, 7)
        tensors[f"{layer}/weights"] = rng.normal(size=shape).astype(np.float32)
        tensors[f"{layer}/biases"] = rng.normal(size=shape[-1]).astype(np.float32)
    return tensors


def save_checkpoint(tensors, prefix, version):
    """Write a checkpoint by TensorFlow itself."""
    tf = pytest.importorskip("tensorflow")
    op = {1: tf.raw_ops.Save, 2: tf.raw_ops.SaveV2}[version]
    names, values = list(tensors), [tf.constant(value) for value in tensors.values()]
    if version == 1:
        op(filename=str(prefix), tensor_names=names, data=values)
    else:
        op(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values)


@pytest.fixture
def tensorflow(monkeypatch):
    """A stand-in for TensorFlow, whose checkpoints are pickles; it lists in `reads` what it opened."""

    class Reader:
        def __init__(self, prefix):
            fake.reads.append(prefix)
            self.tensors = pickle.loads(Path(prefix).read_bytes())
            self.has_tensor, self.get_tensor = self.tensors.__contains__, self.tensors.__getitem__

        def get_variable_to_shape_map(self):
            return {name: value.shape for name, value in self.tensors.items()}

    fake = SimpleNamespace(train=SimpleNamespace(load_checkpoint=Reader), reads=[])
    monkeypatch.setitem(sys.modules, "tensorflow", fake)
    return fake


def check_converted(state):
    tensors = made_up_checkpoint()
    conv = state["features.8.weight"].numpy()
    np.testing.assert_array_equal(conv, tensors["vggish/conv3/conv3_2/weights"].transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(state["embeddings.2.weight"].numpy(), tensors["vggish/fc1/fc1_2/weights"].T)
    np.testing.assert_array_equal(state["embeddings.4.bias"].numpy(), tensors["vggish/fc2/biases"])
    assert len(state) == 18


def test_a_checkpoint_gets_torchs_names_and_axes(tensorflow, tmp_path):
    (tmp_path / "vggish_model.ckpt").write_bytes(pickle.dumps(made_up_checkpoint()))
    check_converted(read_state_dict(tmp_path / "vggish_model.ckpt"))


def test_a_converted_checkpoint_is_read_without_tensorflow(tensorflow, tmp_path, monkeypatch):
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(made_up_checkpoint()))
    read_state_dict(tmp_path / "x.ckpt")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    check_converted(read_state_dict(tmp_path / "x.ckpt"))


def test_a_changed_checkpoint_is_converted_anew(tensorflow, tmp_path, cache):
    tensors = made_up_checkpoint()
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(tensors))
    read_state_dict(tmp_path / "x.ckpt")
    tensors["vggish/fc2/biases"] = np.zeros(9, dtype=np.float32)
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(tensors))
    assert not read_state_dict(tmp_path / "x.ckpt")["embeddings.4.bias"].any()
    assert len(list((cache / "weights" / "converted").iterdir())) == 1


def test_a_damaged_conversion_is_made_anew(tensorflow, tmp_path, cache):
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(made_up_checkpoint()))
    read_state_dict(tmp_path / "x.ckpt")
    (kept,) = (cache / "weights" / "converted").iterdir()
    kept.write_bytes(b"{")
    check_converted(read_state_dict(tmp_path / "x.ckpt"))
    assert len(tensorflow.reads) == 2


def test_a_cache_that_cannot_be_written_warns(tensorflow, tmp_path, cache):
    cache.touch()
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(made_up_checkpoint()))
    with pytest.warns(UserWarning, match=r"converted again each time: .*Set SKFEWAUDIO_CACHE"):
        check_converted(read_state_dict(tmp_path / "x.ckpt"))


def test_a_checkpoint_without_tensorflow_says_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    (tmp_path / "x.ckpt").touch()
    with pytest.raises(ImportError, match=r'x\.ckpt .*pip install "skfewaudio\[tensorflow\]"'):
        read_state_dict(tmp_path / "x.ckpt")


def test_a_checkpoint_of_another_network_names_the_tensor(tensorflow, tmp_path):
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps({"resnet/conv1/weights": np.ones(3)}))
    with pytest.raises(
        WeightsNotFoundError, match="no tensor vggish/conv1/weights, but resnet/conv1/weights"
    ):
        read_state_dict(tmp_path / "x.ckpt")


@pytest.mark.parametrize("given", ["x.ckpt", "x.ckpt.index", "x.ckpt.data-00000-of-00001"])
def test_tensorflows_second_format_is_read_from_the_prefix_or_a_file(given, tmp_path):
    save_checkpoint(made_up_checkpoint(), tmp_path / "x.ckpt", 2)
    check_converted(read_state_dict(find_weights(tmp_path / given, kind="weights")))


def test_tensorflows_first_format_is_read(tmp_path):
    save_checkpoint(made_up_checkpoint(), tmp_path / "x.ckpt", 1)
    check_converted(read_state_dict(tmp_path / "x.ckpt"))


@pytest.mark.parametrize("version", [1, 2])
def test_a_truncated_checkpoint_is_named(version, tmp_path):
    save_checkpoint(made_up_checkpoint(), tmp_path / "x.ckpt", version)
    file = tmp_path / ("x.ckpt" if version == 1 else "x.ckpt.data-00000-of-00001")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(WeightsNotFoundError, match=r"x\.ckpt cannot be read as a TensorFlow checkpoint"):
        read_state_dict(tmp_path / "x.ckpt")


def test_a_checkpoint_without_its_data_is_named(tmp_path):
    save_checkpoint(made_up_checkpoint(), tmp_path / "x.ckpt", 2)
    (tmp_path / "x.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(WeightsNotFoundError, match=r"x\.ckpt cannot be read as a TensorFlow checkpoint"):
        read_state_dict(tmp_path / "x.ckpt")


# The cache, and downloads


class Server(http.server.ThreadingHTTPServer):
    """Serves `files` (name to bytes) and lists in `requests` what was asked for; `cut` sends halves."""

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
    """A server that has the published weights, which are called after their checksum."""
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


def test_weights_in_the_cache_are_not_asked_for_again(server):
    find_weights("vggish", kind="weights")
    find_weights("vggish", kind="weights")
    assert len(server.requests) == 1


def test_asking_whether_weights_are_there_requests_nothing(server):
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


def test_without_a_network_the_error_says_what_to_do(server, cache, monkeypatch):
    (name,) = server.files
    url = f"http://127.0.0.1:9/{name}"  # nobody listens there
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


def test_a_path_is_given_back(tmp_path):
    (tmp_path / "x.pth").touch()
    assert find_weights(str(tmp_path / "x.pth"), kind="weights") == tmp_path / "x.pth"


def test_the_cache_is_the_operating_systems_unless_told(monkeypatch, tmp_path):
    monkeypatch.delenv("SKFEWAUDIO_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr("pooch.os_cache", lambda project: tmp_path / project)
    assert weights_home() == tmp_path / "skfewaudio" / "weights"


def test_the_published_names_carry_checksums():
    names = [url.rpartition("/")[2] for urls in _weights.PUBLISHED.values() for url in urls.values()]
    assert names == ["vggish-10086976.pth", "vggish_pca_params-970ea276.pth"]


@pytest.mark.network
def test_the_published_files_are_the_published_ones():
    from skfewaudio.features import VGGishEmbed

    clips = np.zeros((1, 16000), dtype=np.float32)
    for output in ("relu", "pca"):
        assert np.isfinite(VGGishEmbed(output=output).transform(clips)).all()
