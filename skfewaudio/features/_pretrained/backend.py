"""Protocol of pre-trained networks, and the import of the libraries that run them."""

from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class EmbeddingBackend(Protocol):
    """Network that embeds waveforms.

    Some attributes are optional: ``min_duration`` (float, seconds; shorter clips are padded, default 0),
    ``fill`` (``"zeros"`` or ``"repeat"``: how clips shorter than the window are filled, default
    ``"zeros"``; None passes them as they are), ``n_dims`` (size of an embedding), ``digest`` (text that
    identifies the weights of an object, by which features are cached), ``module`` (the
    :class:`torch.nn.Module`, if there is one) and ``layers`` (the names that ``output`` accepts). `embed` is
    called from one thread at a time, except if the attribute ``parallel`` is true.
    """

    sample_rate: int
    window: float | None

    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms at ``sample_rate``, each of ``window`` seconds, or of equal lengths if ``window`` is
            None. Must not be written to.

        Returns
        -------
        ndarray of shape (n, d) or (n, n_frames, d), float32
            One embedding per waveform, or the embeddings of its frames.
        """
        ...


class BackendClass(Protocol):
    """Class of a scheme such as ``"onnx"`` in ``"onnx:model.onnx"``."""

    @classmethod
    def open(
        cls, location: str, *, output: str | int | None, n_threads: int | None, device: str | None
    ) -> Any:
        """Load the network.

        Parameters
        ----------
        location : str
            File, folder or name in a cache: the part after the scheme. Nothing is downloaded.
        output : str, int or None
            Layer whose output is the embedding. None is the default of the model.
        n_threads : int or None
            Number of threads of the runtime. None uses one per available core.
        device : str or None
            Torch device, for backends that use torch. None selects CUDA if available.

        Returns
        -------
        EmbeddingBackend
        """
        ...

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the files whose content decides the embeddings, without loading the network."""
        ...


def import_extra(module: str, *, extra: str | None, package: str | None = None) -> ModuleType:
    """Import an optional library.

    Parameters
    ----------
    module : str
        Module to import.
    extra : str or None
        Optional dependency of this package that installs it. None if there is none.
    package : str, default=None
        Distribution that contains the module. None if it has the name of the module.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed, or cannot be imported. The message has the line that installs it.
    """
    try:
        return import_module(module)
    except ImportError as error:
        wanted = f"'skfewaudio[{extra}]'" if extra else (package or module)
        raise ImportError(
            f"this embedding needs {module}, which cannot be imported ({error}). Install it with: "
            f"pip install {wanted}",
            name=module,
        ) from error


__all__ = ["BackendClass", "EmbeddingBackend", "Self", "import_extra"]
