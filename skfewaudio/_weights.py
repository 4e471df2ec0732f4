"""Pre-trained weights: where they are, and files of several kinds as tensors by name."""

import hashlib
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import numpy as np
import pooch
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from skfewaudio._checkpoint import convert_checkpoint
from skfewaudio.exceptions import WeightsNotFoundError

PathLike = str | os.PathLike[str]
Kind = Literal["weights", "pca_params"]

# The PyTorch port of VGGish (Hershey et al., arXiv:1609.09430) by H. Taylor and others, release v0.1. What
# follows the dash in a file's name is the beginning of the file's SHA-256.
_TORCHVGGISH = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"
PUBLISHED: dict[str, dict[str, str]] = {
    "weights": {"vggish": f"{_TORCHVGGISH}/vggish-10086976.pth"},
    "pca_params": {"vggish": f"{_TORCHVGGISH}/vggish_pca_params-970ea276.pth"},
}


def weights_home() -> Path:
    """Give the folder that weights are fetched into, and looked for in; it need not exist.

    The environment variable ``SKFEWAUDIO_CACHE`` stands in for the cache folder of the operating system.
    """
    home = os.environ.get("SKFEWAUDIO_CACHE") or pooch.os_cache("skfewaudio")
    return Path(home).expanduser() / "weights"


def have_weights(name: str, *, kind: Kind = "weights") -> bool:
    """Tell whether published weights are in the cache; nothing is requested."""
    return name in PUBLISHED[kind] and _place(PUBLISHED[kind][name]).is_file()


def find_weights(name_or_path: PathLike, *, kind: Kind) -> Path:
    """Give the file of weights; published ones that are not in the cache are fetched.

    Parameters
    ----------
    name_or_path : str or path-like
        A published name (a file of that name is ``"./vggish"``), a file, or the prefix of a TensorFlow
        checkpoint.
    kind : {"weights", "pca_params"}
        What is looked for, by the name of the parameter that it is given in.

    Returns
    -------
    Path

    Raises
    ------
    WeightsNotFoundError
        If there is no such file, or it cannot be fetched, or is not the published one.
    """
    url = PUBLISHED[kind].get(os.fspath(name_or_path))
    if url is None:
        try:
            return check_file(name_or_path)
        except WeightsNotFoundError as error:
            names = ", ".join(map(repr, PUBLISHED[kind]))
            raise WeightsNotFoundError(
                f"{kind}={str(name_or_path)!r}: {error}. Expected a file or a published name: {names}"
            ) from error
    place = _place(url)
    if not place.is_file():
        _download(url, place, kind)
    return place


def check_file(path: PathLike) -> Path:
    """Give the path of a file, or of a checkpoint's prefix, that is there."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise WeightsNotFoundError(f"{path} is a folder, not a file of weights")
    if not weight_files(path):
        raise WeightsNotFoundError(f"{path} does not exist")
    return path


def stamp(path: Path) -> str:
    """Give what changes when the file, or one of a checkpoint's files, is written anew."""
    states = [(file.name, file.stat()) for file in weight_files(path)]
    return repr([(name, state.st_size, state.st_mtime_ns) for name, state in states])


def weight_files(path: Path) -> list[Path]:
    """List the file, or those that a TensorFlow checkpoint (V2) of that prefix has."""
    if path.is_file() or not path.parent.is_dir():
        return [path] if path.is_file() else []
    starts = (f"{path.name}.index", f"{path.name}.data-")
    return sorted(file for file in path.parent.iterdir() if file.name.startswith(starts))


def read_state_dict(path: PathLike) -> dict[str, torch.Tensor]:
    """Read tensors by name; no file's own code is ever run.

    Parameters
    ----------
    path : str or path-like
        A ``.pth``, ``.pt``, ``.safetensors`` or ``.npz`` file, or a TensorFlow checkpoint of VGGish: its one
        file (V1), or one of its files or their common prefix (V2). A checkpoint needs tensorflow when it is
        read first, and is kept in the cache in another form; names and axes become those of the PyTorch port.

    Returns
    -------
    dict of str to torch.Tensor
        On the CPU.

    Raises
    ------
    WeightsNotFoundError
        If the file is missing, damaged or something else.
    ImportError
        If a checkpoint has to be converted and tensorflow is not installed.
    """
    path = check_file(path)
    read, what = _reader(path)
    try:
        values = read(path)
        return {name: torch.as_tensor(value) for name, value in _named(values).items()}
    except (ImportError, MemoryError, WeightsNotFoundError):
        raise
    except Exception as error:  # whatever a stranger's file makes of its reader
        # What torch says of code in a file advises to run it.
        unsafe = isinstance(error, pickle.UnpicklingError)
        reason = "it holds more than tensors" if unsafe else str(error).strip() or type(error).__name__
        raise WeightsNotFoundError(
            f"{path} cannot be read as {what} ({reason}): it is damaged or something else. Get it again, or "
            "give another file"
        ) from error


def _named(values: Any) -> Mapping[str, Any]:
    """Check that a file holds tensors or arrays by name."""
    if not isinstance(values, Mapping):
        raise TypeError(f"it holds a {type(values).__name__}, not tensors by name")
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor | np.ndarray):
            raise TypeError(f"{name!r} in it is a {type(value).__name__}, not a tensor")
    return values


def _reader(path: Path) -> tuple[Callable[[Path], Any], str]:
    """Choose how to read a file, and name its kind."""
    readers: dict[str, tuple[Callable[[Path], Any], str]] = {
        ".pth": (_read_torch, "a PyTorch file"),
        ".pt": (_read_torch, "a PyTorch file"),
        ".safetensors": (load_file, "safetensors"),
        ".npz": (_read_npz, "NumPy arrays"),
    }
    checkpoint = _read_checkpoint, "a TensorFlow checkpoint"
    if path.suffix in (".ckpt", ".index") or path.suffix.startswith(".data-") or not path.is_file():
        return checkpoint
    if path.suffix not in readers:
        raise WeightsNotFoundError(
            f"{path} is of no known kind; expected {', '.join(readers)} or a TensorFlow checkpoint (.ckpt)"
        )
    return readers[path.suffix]


def _read_npz(path: Path) -> dict[str, np.ndarray]:
    # Given a path, NumPy leaves a damaged file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_torch(path: Path) -> Any:
    """Read a PyTorch file that holds nothing but tensors and NumPy arrays."""
    with _arrays_allowed():
        return torch.load(path, weights_only=True, map_location="cpu")


def _reconstruct_of(module: str) -> Callable[..., np.ndarray]:
    """Give the function that pickles of NumPy arrays call, under its name in one version of NumPy."""

    def _reconstruct(subtype: type[np.ndarray], shape: Any, dtype: Any) -> np.ndarray:
        return np.ndarray.__new__(subtype, shape, dtype)

    _reconstruct.__module__, _reconstruct.__qualname__ = module, "_reconstruct"
    return _reconstruct


# The published PCA parameters are NumPy arrays, pickled long ago; torch allows tensors alone.
_ARRAYS: list[Any] = [
    *map(_reconstruct_of, ("numpy.core.multiarray", "numpy._core.multiarray")),
    *(np.ndarray, np.dtype, np.dtypes.Float32DType, np.dtypes.Float64DType),
]
_lock = Lock()


@contextmanager
def _arrays_allowed() -> Iterator[None]:
    """Let torch read NumPy arrays of floats for a while: what it allows is one list for the process."""
    with _lock:
        before = torch.serialization.get_safe_globals()
        torch.serialization.add_safe_globals(_ARRAYS)
        try:
            yield
        finally:
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(before)


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read a checkpoint, from the cache where it was converted before and has not changed since."""
    is_part = path.suffix == ".index" or path.suffix.startswith(".data-")
    prefix = path.with_suffix("") if is_part else path
    digest = hashlib.sha256(str(prefix.resolve()).encode()).hexdigest()[:8]
    kept = weights_home() / "converted" / f"{prefix.name}-{digest}.safetensors"
    now = stamp(prefix)
    if _kept_stamp(kept) == now:
        return load_file(kept)
    state = convert_checkpoint(prefix)
    try:
        with _written_whole(kept) as file:
            save_file(state, file, metadata={"checkpoint": now})
    except (OSError, SafetensorError) as error:
        warnings.warn(
            f"{prefix} will be converted again each time: {kept} cannot be written ({error}). Set "
            "SKFEWAUDIO_CACHE to a folder that can be written to",
            stacklevel=2,
        )
    return state


def _kept_stamp(kept: Path) -> str | None:
    """Give the stamp of the checkpoint that a kept file was made from."""
    if not kept.is_file():
        return None
    try:
        with safe_open(kept, framework="pt") as file:
            return (file.metadata() or {}).get("checkpoint")
    except SafetensorError:  # damaged: made anew from the checkpoint
        return None


def _place(url: str) -> Path:
    """Give the place of a published file in the cache."""
    return weights_home() / url.rpartition("/")[2]


def _download(url: str, place: Path, kind: Kind) -> None:
    """Fetch a published file; one that is not what its name says is not kept."""
    remedy = f"Try again, or put the file into {place.parent} by other means, or pass {kind}=PATH"
    expected = place.stem.rpartition("-")[2]
    try:
        with _written_whole(place) as file:
            pooch.HTTPDownloader(progressbar=sys.stderr.isatty())(url, str(file), None)
            found = pooch.file_hash(str(file), alg="sha256")
            if not found.startswith(expected):
                raise WeightsNotFoundError(
                    f"{url} gave another file than the published one, and it was deleted: its SHA-256 begins "
                    f"with {found[: len(expected)]} instead of {expected}. {remedy}"
                )
    except WeightsNotFoundError:
        raise
    except OSError as error:  # those of requests are such
        raise WeightsNotFoundError(f"could not download {url}: {error}. {remedy}") from error


@contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """Give a file to write that takes its place only when it is whole."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as aside:
        yield Path(aside) / target.name
        (Path(aside) / target.name).replace(target)
