"""Modules of the HEAR challenge (Holistic Evaluation of Audio Representations)."""

from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, Self
from urllib.parse import parse_qs

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._torch import resolve_device, torch_threads
from skfewaudio._weights import check_file
from skfewaudio.audio.io import resolve_threads

from .backend import import_extra

# Turian et al., "HEAR: Holistic evaluation of audio representations", PMLR 176, 2022. arXiv:2203.03022. The
# interface: https://hearbenchmark.com/hear-api.html
FUNCTIONS = ("load_model", "get_scene_embeddings", "get_timestamp_embeddings")
SIZES = {"scene": "scene_embedding_size", "timestamp": "timestamp_embedding_size"}


class HearBackend:
    """Module of the HEAR challenge, which embeds whole clips and the neighbourhood of points in time.

    Parameters
    ----------
    module : module
        Module with the functions of the challenge.
    model : object
        What its function `load_model` returned.
    output : {"scene", "timestamp"}
        Which embeddings are computed.
    device : torch.device
        Device of models of torch.
    n_threads : int
        Number of threads of torch on a CPU.
    """

    window = None
    min_duration = 0.0
    fill = "zeros"
    parallel = False
    layers = tuple(SIZES)

    def __init__(
        self, module: ModuleType, model: Any, output: str, *, device: torch.device, n_threads: int
    ) -> None:
        self._functions = module
        self._model = model
        self._output = output
        self._device = device
        self._n_threads = n_threads
        self.sample_rate = int(model.sample_rate)
        self.n_dims = int(getattr(model, SIZES[output]))
        self.module = model if isinstance(model, torch.nn.Module) else None

    @classmethod
    def open(
        cls,
        location: str,
        *,
        output: str | int | None = None,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> Self:
        """Import a module and load its model.

        Parameters
        ----------
        location : str
            Name of an installed module, such as ``"hearbaseline.wav2vec2"``. ``?weights=`` and a file or
            folder may follow, which is passed to the function `load_model` of the module.
        output : {"scene", "timestamp"}, default=None
            Embedding of the clip, or embeddings in order of time. None is "scene".
        n_threads : int, default=None
            Number of threads of torch on a CPU. None uses one per available core.
        device : str, default=None
            Torch device, if the model is one of torch. None selects CUDA if available.

        Returns
        -------
        HearBackend

        Raises
        ------
        ImportError
            If the module, or a library that it needs, is not installed.
        WeightsNotFoundError
            If the file of the weights does not exist.
        ValueError
            If the module or its model lacks a part of the interface, or there is no such output.
        """
        name, weights = split_location(location)
        if output not in (None, *SIZES):
            raise ValueError(f"output={output!r}; expected {' or '.join(map(repr, SIZES))}")
        module = _import(name)
        _check_parts(module, FUNCTIONS, name)
        model = module.load_model(weights) if weights else module.load_model()
        _check_parts(model, ("sample_rate", *SIZES.values()), f"the model of {name}")
        torch_device = resolve_device(device)
        if isinstance(model, torch.nn.Module):
            model = model.eval().to(torch_device)
        return cls(
            module, model, str(output or "scene"), device=torch_device, n_threads=resolve_threads(n_threads)
        )

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the Python files of a module and the file of the weights.

        Parameters
        ----------
        location : str
            As in `open`.

        Returns
        -------
        list of Path
        """
        name, weights = split_location(location)
        try:
            spec = find_spec(name)
        except ModuleNotFoundError:  # the package that contains it
            spec = None
        if spec is None or spec.origin is None:
            raise _missing(name)
        file = Path(spec.origin)
        is_package = spec.submodule_search_locations is not None
        return (sorted(file.parent.glob("*.py")) if is_package else [file]) + _list_files(weights)

    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms of equal lengths.

        Returns
        -------
        ndarray of shape (n, d) or (n, n_times, d), float32

        Raises
        ------
        ValueError
            If the module returns embeddings of another shape than its model states.
        """
        if self._output == "scene":
            found = self._run(self._functions.get_scene_embeddings, batch)
        else:
            found = self._run(self._functions.get_timestamp_embeddings, batch)
        n_axes = 2 if self._output == "scene" else 3
        if found.ndim != n_axes or len(found) != len(batch) or found.shape[-1] != self.n_dims:
            middle = "" if n_axes == 2 else "n_times, "
            raise ValueError(
                f"{self._functions.__name__} returned embeddings of shape {found.shape} for {len(batch)} "
                f"clips; expected ({len(batch)}, {middle}{self.n_dims})"
            )
        return found

    def _run(self, function: Any, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Call a function of the module with tensors of its library, and return the embeddings."""
        if _is_of_tensorflow(self._model):
            tensorflow = import_extra("tensorflow", extra=None)
            found = function(tensorflow.convert_to_tensor(batch), self._model)
        else:
            # A copy, because modules may write to it.
            audio = torch.tensor(batch, device=self._device)
            with torch.no_grad(), torch_threads(self._n_threads):
                found = function(audio, self._model)
        embeddings = found[0] if isinstance(found, tuple | list) else found
        if isinstance(embeddings, torch.Tensor):
            embeddings = embeddings.detach().cpu()
        return np.asarray(embeddings, dtype=np.float32)


def split_location(location: str) -> tuple[str, str]:
    """Return the name of a module, and the file or folder of its weights, which is empty if not given.

    Parameters
    ----------
    location : str
        Such as ``"module"`` or ``"module?weights=file.pt"``.

    Returns
    -------
    name, weights : str

    Raises
    ------
    ValueError
        If it is something else.
    WeightsNotFoundError
        If the file does not exist.
    """
    name, _, query = location.partition("?")
    options = parse_qs(query, keep_blank_values=True)
    if not all(part.isidentifier() for part in name.split(".")) or set(options) - {"weights"}:
        raise ValueError(
            f"hear:{location}: expected the name of a Python module, and '?weights=' with a file if it needs "
            "one, such as 'hear:hearbaseline.wav2vec2' or 'hear:module?weights=file.pt'"
        )
    weights = options.get("weights", [""])[-1]
    if not weights:
        return name, ""
    path = Path(weights).expanduser()
    return name, str(path if path.is_dir() else check_file(path))


def _import(name: str) -> ModuleType:
    try:
        return import_module(name)
    except ImportError as error:
        raise _missing(name, f" ({error})") from error


def _missing(name: str, reason: str = "") -> ImportError:
    package = name.partition(".")[0]
    return ImportError(
        f"hear:{name}: there is no module {name} that can be imported{reason}. Install the package that "
        f"contains it, such as {package}, or add its folder to PYTHONPATH",
        name=name,
    )


def _list_files(weights: str) -> list[Path]:
    """Return the file of the weights, or all files of their folder."""
    path = Path(weights)
    if not weights or path.is_file():
        return [path] if weights else []
    return sorted(file for file in path.rglob("*") if file.is_file())


def _check_parts(owner: Any, parts: tuple[str, ...], name: str) -> None:
    missing = [part for part in parts if not hasattr(owner, part)]
    if missing:
        raise ValueError(
            f"hear: {name} has no {', '.join(missing)}; expected the interface described at "
            "https://hearbenchmark.com/hear-api.html"
        )


def _is_of_tensorflow(model: Any) -> bool:
    modules = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    return bool(modules & {"tensorflow", "keras", "tf_keras"})
