"""Pre-trained weights: cache, downloads and file formats."""

import hashlib
import os
import pickle
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pooch
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save

from skfewaudio._checkpoint import convert_checkpoint
from skfewaudio._download import WrongChecksumError, download
from skfewaudio._files import write_file
from skfewaudio._threads import ProcessLock
from skfewaudio.exceptions import WeightsNotFoundError

PathLike = str | os.PathLike[str]
Kind = Literal["weights", "pca_params"]

# The PyTorch port of VGGish (Hershey et al., arXiv:1609.09430) by H. Taylor and others, release v0.1. The
# part of a file's name after the dash is the beginning of its SHA-256 checksum; whole checksums are below.
_TORCHVGGISH = "https://github.com/harritaylor/torchvggish/releases/download/v0.1"
PUBLISHED: dict[str, dict[str, str]] = {
    "weights": {"vggish": f"{_TORCHVGGISH}/vggish-10086976.pth"},
    "pca_params": {"vggish": f"{_TORCHVGGISH}/vggish_pca_params-970ea276.pth"},
}
SHA256 = {"vggish-10086976.pth": "10086976245803799d9194e9a73d9b6c1549c71d1b80106f5cade5608a561f4b"}
# A compressed file may become this many times larger, or as many bytes as the environment variable states.
MAX_GROWTH, MIN_CHECKED = 16, 2**22
GROWTH_VARIABLE = "SKFEWAUDIO_MAX_WEIGHTS"
MAX_DOWNLOAD = 2**30  # bytes; the largest published file has a quarter of it


def weights_home() -> Path:
    """Return the cache directory of weights, which need not exist.

    The environment variable ``SKFEWAUDIO_CACHE`` replaces the cache directory of the operating system.
    """
    home = os.environ.get("SKFEWAUDIO_CACHE") or pooch.os_cache("skfewaudio")
    return Path(home).expanduser() / "weights"


def have_weights(name: str, *, kind: Kind = "weights") -> bool:
    """Return whether published weights are in the cache, without network access."""
    return name in PUBLISHED[kind] and _cached_path(PUBLISHED[kind][name]).is_file()


def find_weights(name_or_path: PathLike, *, kind: Kind) -> Path:
    """Return the path of weights, and download published weights that are not in the cache.

    Parameters
    ----------
    name_or_path : str or path-like
        A published name, a file, or the prefix of a TensorFlow checkpoint. A file with a published name must
        be given as ``"./vggish"``.
    kind : {"weights", "pca_params"}
        Kind of weights, which is also the name of the parameter that sets them.

    Returns
    -------
    Path

    Raises
    ------
    WeightsNotFoundError
        If the file does not exist, cannot be downloaded, or differs from the published file.
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
    path = _cached_path(url)
    if not path.is_file():
        _download(url, path, kind)
    return path


def check_file(path: PathLike) -> Path:
    """Return the path of an existing file or checkpoint prefix."""
    path = Path(path).expanduser()
    if path.is_dir():
        raise WeightsNotFoundError(f"{path} is a folder, not a file of weights")
    if not weight_files(path):
        problem = "is not a regular file" if path.exists() else "does not exist"
        raise WeightsNotFoundError(f"{path} {problem}")
    return path


def file_state(path: Path) -> str:
    """Return a text that changes when the file, or one of a checkpoint's files, is rewritten."""
    states = [(file.name, file.stat()) for file in weight_files(path)]
    return repr([(name, state.st_size, state.st_mtime_ns) for name, state in states])


def weight_files(path: Path) -> list[Path]:
    """List the file, or the files of a TensorFlow checkpoint (V2) with that prefix."""
    if path.is_file() or not path.parent.is_dir():
        return [path] if path.is_file() else []
    starts = (f"{path.name}.index", f"{path.name}.data-")
    return sorted(file for file in path.parent.iterdir() if file.name.startswith(starts) and file.is_file())


def read_state_dict(path: PathLike) -> dict[str, torch.Tensor]:
    """Read a state dict without executing code in the file.

    Parameters
    ----------
    path : str or path-like
        A ``.pth``, ``.pt``, ``.safetensors`` or ``.npz`` file, or a TensorFlow checkpoint of VGGish: its
        single file (V1), or one of its files or their common prefix (V2). A checkpoint is converted to the
        names and axes of the PyTorch port when it is first read, which requires tensorflow. The result is
        cached.

    Returns
    -------
    dict of str to torch.Tensor
        Tensors on the CPU, by name.

    Raises
    ------
    WeightsNotFoundError
        If the file is missing or damaged, or is not a file of weights.
    ImportError
        If a checkpoint must be converted and tensorflow is not installed.
    """
    path = check_file(path)
    read, description = _choose_reader(path)
    try:
        _check_growth(path)
        values = read(path)
        return {
            name: torch.as_tensor(value, device="cpu") for name, value in _check_named_tensors(values).items()
        }
    except (ImportError, MemoryError, WeightsNotFoundError):
        raise
    except Exception as error:  # a damaged or malicious file can cause any error in its reader
        # torch's own message about code in a file suggests running it.
        unsafe = isinstance(error, pickle.UnpicklingError)
        reason = "it holds more than tensors" if unsafe else str(error).strip() or type(error).__name__
        raise WeightsNotFoundError(
            f"{path} cannot be read as {description} ({reason}): it is damaged or something else. Get it "
            "again, or give another file"
        ) from error


def _check_growth(path: Path) -> None:
    """Refuse a compressed file whose content is far larger than the file, as no trained weights are."""
    if not zipfile.is_zipfile(path):
        return
    with zipfile.ZipFile(path) as archive:
        n_bytes = sum(member.file_size for member in archive.infolist())
    n_stored = path.stat().st_size
    limit = int(os.environ.get(GROWTH_VARIABLE) or MAX_GROWTH * max(n_stored, MIN_CHECKED))
    if n_bytes > limit:
        raise WeightsNotFoundError(
            f"{path} has {n_stored:,} bytes and would become {n_bytes:,}, as no trained weights do. To read "
            f"it nevertheless, set {GROWTH_VARIABLE} to a number of bytes"
        )


def _check_named_tensors(values: Any) -> Mapping[str, Any]:
    """Check that the content of a file maps names to tensors or arrays."""
    if not isinstance(values, Mapping):
        raise TypeError(f"it holds a {type(values).__name__}, not tensors by name")
    for name, value in values.items():
        if not isinstance(name, str) or not isinstance(value, torch.Tensor | np.ndarray):
            raise TypeError(f"{name!r} in it is a {type(value).__name__}, not a tensor")
    return values


def _choose_reader(path: Path) -> tuple[Callable[[Path], Any], str]:
    """Return the function that reads a file, and a description of its format."""
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
    # If given a path, NumPy leaves a damaged file open.
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return dict(arrays)


def _read_torch(path: Path) -> Any:
    """Read a PyTorch file that contains only tensors and NumPy arrays."""
    with _allow_numpy_arrays():
        return torch.load(path, weights_only=True, map_location="cpu")


def _make_reconstruct(module: str) -> Callable[..., np.ndarray]:
    """Return the function called by pickles of NumPy arrays, with its module name in a NumPy version."""

    def _reconstruct(subtype: type[np.ndarray], shape: Any, dtype: Any) -> np.ndarray:
        return np.ndarray.__new__(subtype, shape, dtype)

    _reconstruct.__module__, _reconstruct.__qualname__ = module, "_reconstruct"
    return _reconstruct


# The published PCA parameters are pickled NumPy arrays; torch allows only tensors by default.
_ARRAY_GLOBALS: list[Any] = [
    *map(_make_reconstruct, ("numpy.core.multiarray", "numpy._core.multiarray")),
    *(np.ndarray, np.dtype, np.dtypes.Float32DType, np.dtypes.Float64DType),
]
_lock = ProcessLock()


@contextmanager
def _allow_numpy_arrays() -> Iterator[None]:
    """Allow torch to load NumPy arrays of floats; the lock guards torch's list for the whole process."""
    with _lock:
        before = torch.serialization.get_safe_globals()
        torch.serialization.add_safe_globals(_ARRAY_GLOBALS)
        try:
            yield
        finally:
            torch.serialization.clear_safe_globals()
            torch.serialization.add_safe_globals(before)


def _read_checkpoint(path: Path) -> dict[str, torch.Tensor]:
    """Read a checkpoint, from the cache if it was converted before and has not changed since."""
    is_part = path.suffix == ".index" or path.suffix.startswith(".data-")
    prefix = path.with_suffix("") if is_part else path
    digest = hashlib.sha256(str(prefix.resolve()).encode()).hexdigest()[:8]
    converted = weights_home() / "converted" / f"{prefix.name}-{digest}.safetensors"
    current = file_state(prefix)
    if _recorded_state(converted) == current:
        return load_file(converted)
    state = convert_checkpoint(prefix)
    try:
        converted.parent.mkdir(parents=True, exist_ok=True)
        write_file(converted, save(state, metadata={"checkpoint": current}))
    except (OSError, SafetensorError) as error:
        warnings.warn(
            f"{prefix} will be converted again each time: {converted} cannot be written ({error}). Set "
            "SKFEWAUDIO_CACHE to a folder that can be written to",
            stacklevel=2,
        )
    return state


def _recorded_state(converted: Path) -> str | None:
    """Return the `file_state` of the checkpoint that a cached file was converted from, if recorded."""
    if not converted.is_file():
        return None
    try:
        with safe_open(converted, framework="pt") as file:
            return (file.metadata() or {}).get("checkpoint")
    except SafetensorError:  # damaged: to be converted again
        return None


def _cached_path(url: str) -> Path:
    """Return the path of a published file in the cache."""
    return weights_home() / url.rpartition("/")[2]


def _download(url: str, path: Path, kind: Kind) -> None:
    """Download a published file, and discard it if its checksum is another one."""
    remedy = f"Try again, or put the file into {path.parent} by other means, or pass {kind}=PATH"
    expected = SHA256.get(path.name, path.stem.rpartition("-")[2])
    try:
        download(url, path, max_bytes=MAX_DOWNLOAD, known_hash=f"sha256:{expected}")
    except WrongChecksumError as error:
        raise WeightsNotFoundError(
            f"{url} gave another file than the published one, and it was deleted: its SHA-256 begins with "
            f"{error.found} instead of {error.expected}. {remedy}"
        ) from error
    except OSError as error:  # includes the errors of requests
        raise WeightsNotFoundError(f"could not download {url}: {error}. {remedy}") from error
