"""Weight files: formats, damage, and code in files."""

import os
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from skfewaudio import _weights
from skfewaudio._weights import read_state_dict
from skfewaudio.exceptions import WeightsNotFoundError

STATE = {"a.weight": torch.arange(6.0).reshape(2, 3), "a.bias": torch.ones(2)}


def save_npz(state, path):
    np.savez(path, **{name: tensor.numpy() for name, tensor in state.items()})


def save_legacy(state, path):
    """Save in torch's format before version 1.6, the format of the published files."""
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
def test_tensors_are_read_by_name(name, tmp_path):
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
def test_a_file_of_another_kind_is_named(name, content, tmp_path):
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
def test_other_content_than_a_state_dict_is_refused(content, message, tmp_path):
    torch.save(content, tmp_path / "x.pth")
    with pytest.raises(WeightsNotFoundError, match=message):
        read_state_dict(tmp_path / "x.pth")


class FileCreator:
    """Object whose unpickling creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


@pytest.mark.parametrize(
    "write", [torch.save, save_legacy, lambda x, path: path.write_bytes(pickle.dumps(x, 2))]
)
def test_code_in_a_file_is_not_run(write, tmp_path):
    write({"a": FileCreator(tmp_path / "created")}, tmp_path / "x.pth")
    with pytest.raises(WeightsNotFoundError, match="holds more than tensors") as caught:
        read_state_dict(tmp_path / "x.pth")
    assert not (tmp_path / "created").exists()
    assert "weights_only" not in str(caught.value)  # torch's advice on how to load it


def test_code_in_numpy_arrays_is_not_run(tmp_path):
    np.savez(tmp_path / "x.npz", a=np.array([FileCreator(tmp_path / "created")], dtype=object))
    with pytest.raises(WeightsNotFoundError, match=r"x\.npz cannot be read"):
        read_state_dict(tmp_path / "x.npz")
    assert not (tmp_path / "created").exists()


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_arrays_in_an_old_pytorch_file_are_tensors(module, dtype, tmp_path):
    array = np.linspace(0, 1, 12, dtype=dtype).reshape(3, 4)
    save_legacy({"pca_means": array}, tmp_path / "x.pth")
    written = (tmp_path / "x.pth").read_bytes()
    old = written.replace(b"numpy._core.multiarray", module).replace(b"numpy.core.multiarray", module)
    (tmp_path / "x.pth").write_bytes(old)
    np.testing.assert_array_equal(read_state_dict(tmp_path / "x.pth")["pca_means"].numpy(), array)


def test_torchs_safe_globals_are_restored(tmp_path):
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
def test_a_path_without_weights_is_named(name, message, tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "x.h5").touch()
    with pytest.raises(WeightsNotFoundError, match=message):
        read_state_dict(tmp_path / name)


def write_bomb(path):
    """Write a small file of 800 kB of zeros."""
    arrays = {"a.weight": np.zeros(200_000, np.float32)}
    if path.suffix == ".npz":
        np.savez_compressed(path, **arrays)
        return
    torch.save({name: torch.as_tensor(array) for name, array in arrays.items()}, path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)


@pytest.mark.parametrize("name", ["bomb.npz", "bomb.pth"])
def test_a_small_file_that_would_become_large_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.setattr(_weights, "MIN_CHECKED", 1)
    path = tmp_path / name
    write_bomb(path)
    with pytest.raises(WeightsNotFoundError, match=r"would become 80\d,\d+, .* set SKFEWAUDIO_MAX_WEIGHTS"):
        read_state_dict(path)
    monkeypatch.setenv("SKFEWAUDIO_MAX_WEIGHTS", "900000")
    assert read_state_dict(path)["a.weight"].shape == (200_000,)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.pth")
    with pytest.raises(WeightsNotFoundError, match="is not a regular file"):
        read_state_dict(tmp_path / "x.pth")
