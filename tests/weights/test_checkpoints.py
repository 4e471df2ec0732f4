"""TensorFlow checkpoints, read with and without TensorFlow."""

import pickle
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from skfewaudio._checkpoint import LAYERS
from skfewaudio._weights import find_weights, read_state_dict
from skfewaudio.exceptions import WeightsNotFoundError


def random_checkpoint():
    """Return small random tensors under VGGish's TensorFlow names, with all axes of different lengths."""
    rng = np.random.default_rng(0)
    tensors = {}
    for layer in LAYERS:
        shape = (3, 2, 4, 5) if "conv" in layer else (6, 7)
        tensors[f"{layer}/weights"] = rng.normal(size=shape).astype(np.float32)
        tensors[f"{layer}/biases"] = rng.normal(size=shape[-1]).astype(np.float32)
    return tensors


def save_checkpoint(tensors, prefix, version):
    """Save a checkpoint with TensorFlow."""
    tf = pytest.importorskip("tensorflow")
    op = {1: tf.raw_ops.Save, 2: tf.raw_ops.SaveV2}[version]
    names, values = list(tensors), [tf.constant(value) for value in tensors.values()]
    if version == 1:
        op(filename=str(prefix), tensor_names=names, data=values)
    else:
        op(prefix=str(prefix), tensor_names=names, shape_and_slices=[""] * len(names), tensors=values)


@pytest.fixture
def tensorflow(monkeypatch):
    """Fake TensorFlow module whose checkpoints are pickles and whose `reads` lists the opened files."""

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
    tensors = random_checkpoint()
    conv = state["features.8.weight"].numpy()
    np.testing.assert_array_equal(conv, tensors["vggish/conv3/conv3_2/weights"].transpose(3, 2, 0, 1))
    np.testing.assert_array_equal(state["embeddings.2.weight"].numpy(), tensors["vggish/fc1/fc1_2/weights"].T)
    np.testing.assert_array_equal(state["embeddings.4.bias"].numpy(), tensors["vggish/fc2/biases"])
    assert len(state) == 18


def test_a_checkpoint_gets_torchs_names_and_axes(tensorflow, tmp_path):
    (tmp_path / "vggish_model.ckpt").write_bytes(pickle.dumps(random_checkpoint()))
    check_converted(read_state_dict(tmp_path / "vggish_model.ckpt"))


def test_a_converted_checkpoint_is_read_without_tensorflow(tensorflow, tmp_path, monkeypatch):
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(random_checkpoint()))
    read_state_dict(tmp_path / "x.ckpt")
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    check_converted(read_state_dict(tmp_path / "x.ckpt"))


def test_a_changed_checkpoint_is_converted_again(tensorflow, tmp_path, cache):
    tensors = random_checkpoint()
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(tensors))
    read_state_dict(tmp_path / "x.ckpt")
    tensors["vggish/fc2/biases"] = np.zeros(9, dtype=np.float32)
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(tensors))
    assert not read_state_dict(tmp_path / "x.ckpt")["embeddings.4.bias"].any()
    assert len(list((cache / "weights" / "converted").iterdir())) == 1


def test_a_damaged_conversion_is_repeated(tensorflow, tmp_path, cache):
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(random_checkpoint()))
    read_state_dict(tmp_path / "x.ckpt")
    (kept,) = (cache / "weights" / "converted").iterdir()
    kept.write_bytes(b"{")
    check_converted(read_state_dict(tmp_path / "x.ckpt"))
    assert len(tensorflow.reads) == 2


def test_a_cache_that_cannot_be_written_warns(tensorflow, tmp_path, cache):
    cache.touch()
    (tmp_path / "x.ckpt").write_bytes(pickle.dumps(random_checkpoint()))
    with pytest.warns(UserWarning, match=r"converted again each time: .*Set SKFEWAUDIO_CACHE"):
        check_converted(read_state_dict(tmp_path / "x.ckpt"))


def test_the_error_without_tensorflow_says_how_to_install_it(tmp_path, monkeypatch):
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
def test_the_second_format_is_read_from_the_prefix_or_a_file(given, tmp_path):
    save_checkpoint(random_checkpoint(), tmp_path / "x.ckpt", 2)
    check_converted(read_state_dict(find_weights(tmp_path / given, kind="weights")))


def test_the_first_format_is_read(tmp_path):
    save_checkpoint(random_checkpoint(), tmp_path / "x.ckpt", 1)
    check_converted(read_state_dict(tmp_path / "x.ckpt"))


@pytest.mark.parametrize("version", [1, 2])
def test_a_truncated_checkpoint_is_named(version, tmp_path):
    save_checkpoint(random_checkpoint(), tmp_path / "x.ckpt", version)
    file = tmp_path / ("x.ckpt" if version == 1 else "x.ckpt.data-00000-of-00001")
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with pytest.raises(WeightsNotFoundError, match=r"x\.ckpt cannot be read as a TensorFlow checkpoint"):
        read_state_dict(tmp_path / "x.ckpt")


def test_a_checkpoint_without_its_data_is_named(tmp_path):
    save_checkpoint(random_checkpoint(), tmp_path / "x.ckpt", 2)
    (tmp_path / "x.ckpt.data-00000-of-00001").unlink()
    with pytest.raises(WeightsNotFoundError, match=r"x\.ckpt cannot be read as a TensorFlow checkpoint"):
        read_state_dict(tmp_path / "x.ckpt")
