"""Networks in files of torch: TorchScript and exported programs."""

import os
import warnings
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._threads import ProcessLock
from skfewaudio._torch import resolve_device, torch_threads
from skfewaudio._weights import check_file
from skfewaudio.audio.io import resolve_threads
from skfewaudio.exceptions import WeightsNotFoundError

from .layout import WaveformLayout, run_layout, waveform_layout

EXPORTED = ".pt2"
FORCE_TENSORS = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"  # environment variable of torch
_load_lock = ProcessLock()


class TorchBackend:
    """Network of one file: TorchScript (``.pt``, ``.ts``), or a program of `torch.export` (``.pt2``).

    Parameters
    ----------
    module : torch.nn.Module or callable
        The loaded network.
    layout : WaveformLayout
        Layout of its input.
    output : int or str or None
        Output of a network with several.
    inputs : mapping of str to float
        Values of further arguments.
    device : torch.device
        Device of the network.
    n_threads : int
        Number of threads.
    name : str
        Path of the file.
    """

    sample_rate = None
    window = None

    def __init__(
        self,
        module: Any,
        layout: WaveformLayout,
        *,
        output: str | int | None,
        inputs: Mapping[str, float],
        device: torch.device,
        n_threads: int,
        name: str,
    ) -> None:
        self.module = module
        self.n_samples = layout.n_samples
        self._layout = layout
        self._output = output
        self._inputs = {
            key: int(value) if float(value).is_integer() else value for key, value in inputs.items()
        }
        self._device = device
        self._n_threads = n_threads
        self._name = name

    @classmethod
    def open(
        cls,
        location: str,
        *,
        output: str | int | None,
        n_threads: int | None,
        device: str | None,
        inputs: Mapping[str, float] | None = None,
    ) -> Self:
        """Load the network.

        Parameters
        ----------
        location : str
            The file.
        output : str, int or None
            Index or key of the output, if the network returns several. None is the first one.
        n_threads : int or None
            Number of threads. None uses one per available core.
        device : str or None
            Torch device. None selects CUDA if available.
        inputs : mapping of str to float, default=None
            Values of further arguments of the network.

        Returns
        -------
        TorchBackend
        """
        path, place = check_file(location), resolve_device(device)
        is_exported = path.suffix.lower() == EXPORTED
        try:
            module, layout = (_load_exported if is_exported else _load_script)(path, place)
        except WeightsNotFoundError:
            raise
        except Exception as error:  # a damaged file can cause any error in its reader
            kind = "an exported program" if is_exported else "TorchScript"
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise WeightsNotFoundError(
                f"{path} cannot be read as {kind} of torch ({lines[0][:200]}): it is damaged or something "
                "else. Get it again, or give another file"
            ) from error
        return cls(
            module,
            layout,
            output=output,
            inputs=inputs or {},
            device=place,
            n_threads=resolve_threads(n_threads),
            name=str(path),
        )

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the file."""
        return [check_file(location)]

    @torch.inference_mode()
    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms.

        Returns
        -------
        ndarray of shape (n, d) or (n, n_frames, d)
        """
        with torch_threads(self._n_threads):
            return run_layout(self._layout, batch, self._run, self._name)

    def _run(self, fed: NDArray[np.float32]) -> NDArray[Any]:
        x = torch.tensor(fed, device=self._device)
        try:
            if hasattr(self.module, "reset_states"):  # a recurrent network that remembers earlier calls
                self.module.reset_states()
            found = self.module(x, **self._inputs)
        except (RuntimeError, TypeError, AssertionError) as error:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            raise ValueError(
                f"{self._name} cannot be run on waveforms of shape {tuple(x.shape)}: {lines[-1][:300]}"
            ) from error
        tensor = self._select(found)
        return tensor.float().cpu().numpy()

    def _select(self, found: Any) -> torch.Tensor:
        """Return the chosen output of a network."""
        if isinstance(found, torch.Tensor) and self._output in (None, 0):
            return found
        output = 0 if self._output is None else self._output
        if isinstance(found, Mapping):
            output = next(iter(found)) if self._output is None else self._output
        try:
            tensor = None if isinstance(found, torch.Tensor) else found[output]
        except (KeyError, IndexError, TypeError):
            tensor = None
        if not isinstance(tensor, torch.Tensor):
            kind = f"the outputs {list(found)}" if isinstance(found, Mapping) else type(found).__name__
            raise ValueError(f"output={self._output!r}: {self._name} returned {kind}")
        return tensor


def _load_script(path: Path, device: torch.device) -> tuple[Any, WaveformLayout]:
    """Load TorchScript; other files of torch are pickles, which are not run."""
    if not _is_script(path):
        raise WeightsNotFoundError(
            f"{path} is not TorchScript: a file of tensors holds no network, and a pickled module would run "
            "code of its author. Save it with torch.jit.save or torch.export.save, or pass the network as "
            "an object with sample_rate, window and embed"
        )
    with _load_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # recent versions of torch advise torch.export
        module = torch.jit.load(str(path), map_location=device).eval()
    return module, waveform_layout((None, None), str(path))


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") or "/code/" in name for name in archive.namelist())


def _load_exported(path: Path, device: torch.device) -> tuple[Any, WaveformLayout]:
    """Load an exported program, and the shape of its input."""
    _refuse_objects(path)
    with _only_tensors():
        program = torch.export.load(str(path))
    names = set(program.graph_signature.user_inputs)
    shapes = [
        node.meta["val"].shape
        for node in program.graph.nodes
        if node.name in names and isinstance(node.meta.get("val"), torch.Tensor)
    ]
    if len(shapes) != 1:
        raise WeightsNotFoundError(f"{path} has {len(shapes)} inputs; expected one, for waveforms")
    # A size that is not an int is a symbol, for any size.
    shape = [size if isinstance(size, int) else None for size in shapes[0]]
    return program.module().to(device), waveform_layout(shape, f"{path}: its input")


def _refuse_objects(path: Path) -> None:
    """Refuse a program with other constants than tensors, which torch would unpickle."""
    with zipfile.ZipFile(path) as archive:
        constants = [Path(name).name for name in archive.namelist() if "/constants/" in name]
    others = [name for name in constants if not name.startswith(("tensor_", "model_constants"))]
    if others:
        raise WeightsNotFoundError(
            f"{path} has constants that are no tensors ({others[0]}), and reading them could run code"
        )


@contextmanager
def _only_tensors() -> Iterator[None]:
    """Restrict torch to tensors, even where it would fall back to an unrestricted pickle."""
    with _load_lock:
        before = os.environ.get(FORCE_TENSORS)
        os.environ[FORCE_TENSORS] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[FORCE_TENSORS]
            else:
                os.environ[FORCE_TENSORS] = before
