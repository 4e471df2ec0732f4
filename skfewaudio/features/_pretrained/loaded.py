"""Networks in memory, which transformers with equal parameters share."""

import os
import warnings
from dataclasses import dataclass, field
from math import ceil, inf
from numbers import Integral
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import numpy as np
from numpy.typing import NDArray

from skfewaudio._threads import ProcessLock
from skfewaudio.exceptions import LicenceWarning, WeightsNotFoundError

from .schemes import find_backend
from .source import ModelSource, identify

FILLS = ("zeros", "repeat", None)
LEAST_SECONDS = 0.1  # of the silence that finds the size of an embedding


@dataclass(eq=False, kw_only=True)
class LoadedModel:
    """Network that can be run, and what its waveforms must be like.

    Parameters
    ----------
    backend : EmbeddingBackend
        The network.
    label : str
        Short name, for messages and column names.
    sample_rate : int
        In Hz.
    n_window : int or None
        Number of samples of a window. None accepts any number.
    n_least : int
        Smallest number of samples, without windows.
    fill : {"zeros", "repeat"} or None
        How clips shorter than a window are filled. None leaves it to the network.
    """

    backend: Any
    label: str
    sample_rate: int
    n_window: int | None
    n_least: int
    fill: str | None
    lock: ProcessLock = field(default_factory=ProcessLock)

    def embed(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embed waveforms of equal lengths, and check the result.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms.

        Returns
        -------
        ndarray of shape (n, n_frames, d), float32
            With one frame if the network returns vectors.

        Raises
        ------
        ValueError
            If the network returns something else than numbers of this shape.
        """
        if getattr(self.backend, "parallel", False):
            found = self.backend.embed(batch)
        else:
            with self.lock:
                found = self.backend.embed(batch)
        rows = np.asarray(found)
        if (
            rows.ndim not in (2, 3)
            or len(rows) != len(batch)
            or rows.dtype.kind not in "fiub"
            or not rows.size
        ):
            raise ValueError(
                f"{self.label}: embed returned {rows.dtype} values of shape {rows.shape} for {len(batch)} "
                f"waveforms; expected ({len(batch)}, d) or ({len(batch)}, n_frames, d)"
            )
        rows = rows if rows.ndim == 3 else rows[:, None]
        return rows.astype(np.float32, copy=False)

    def count_dims(self) -> int:
        """Return the size of an embedding; silence is embedded unless the network states it."""
        stated = getattr(self.backend, "n_dims", None)
        if isinstance(stated, Integral):
            return int(stated)
        n_samples = self.n_window or max(self.n_least, round(LEAST_SECONDS * self.sample_rate))
        return int(self.embed(np.zeros((1, n_samples), dtype=np.float32)).shape[2])


# Loaded networks by everything that they depend on, and the network of each transformer that was used. They
# are not attributes of transformers, because `transform` must not change one, and pickles must stay small.
_loaded: WeakValueDictionary[Any, LoadedModel] = WeakValueDictionary()
_in_use: WeakKeyDictionary[Any, LoadedModel] = WeakKeyDictionary()
_inherited: list[LoadedModel] = []
_lock = ProcessLock()
_lock_of_objects = ProcessLock()  # for all, because an object may not be hashable


def _forget_after_fork() -> None:
    """Forget the loaded networks in a forked process, which has none of the threads of their runtimes.

    The inherited networks are kept, because a runtime would wait for its threads when it is deleted.
    """
    _inherited.extend(_loaded.values())
    _loaded.clear()
    _in_use.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_after_fork)


def load_source(
    owner: Any,
    source: ModelSource,
    *,
    output: str | int | None,
    sample_rate: int | None,
    window: float | None,
    n_threads: int | None,
    device: str | None,
) -> LoadedModel:
    """Load a network, unless another transformer uses the same; it is kept as long as one of these.

    Parameters
    ----------
    owner : object
        The transformer.
    source : ModelSource
        Where the network is.
    output : str, int or None
        Its layer.
    sample_rate : int or None
        In Hz. None is the network's own.
    window : float or None
        In seconds. None is the network's own.
    n_threads : int or None
        Threads of the runtime.
    device : str or None
        Device of the network.

    Returns
    -------
    LoadedModel
    """
    source, digest = identify(source), source.digest()
    key = (repr(source), digest, output, sample_rate, window, n_threads, str(device))
    with _lock:
        model = _loaded.get(key)
        if model is None:
            backend = open_backend(source, output, n_threads, device)
            model = describe_backend(
                backend, source.label, sample_rate=sample_rate, window=window, source=source
            )
            _loaded[key] = model
        _in_use[owner] = model
    return model


def open_backend(
    source: ModelSource, output: str | int | None, n_threads: int | None, device: str | None
) -> Any:
    """Open the backend of a source, and say if its licence forbids commercial use."""
    known = source.known
    if known is not None and not known.is_commercial:
        warnings.warn(
            f"the weights of {source.label} have the licence {known.licence}, which forbids commercial use",
            LicenceWarning,
            stacklevel=5,
        )
    chosen = known.output if known is not None and output is None else output
    options: dict[str, Any] = {"inputs": source.inputs} if source.inputs else {}
    return find_backend(source.scheme).open(
        source.find(), output=chosen, n_threads=n_threads, device=device, **options
    )


def describe_backend(
    backend: Any,
    label: str,
    *,
    sample_rate: int | None,
    window: float | None,
    source: ModelSource | None = None,
) -> LoadedModel:
    """Determine the sample rate and the lengths that a backend accepts.

    Parameters
    ----------
    backend : EmbeddingBackend
        The network.
    label : str
        Its short name.
    sample_rate : int or None
        In Hz. None is the network's own.
    window : float or None
        In seconds. None is the network's own.
    source : ModelSource, default=None
        Name and files of the network.

    Returns
    -------
    LoadedModel

    Raises
    ------
    ValueError
        If the sample rate is not known, or the window is not the one that the network requires.
    """
    rate = sample_rate or _stated(backend, source, "sample_rate")
    if not isinstance(rate, Integral) or rate < 1:
        raise ValueError(
            f"{label} does not state its sample rate (sample_rate={rate!r}); pass it in Hz, such as "
            f"sample_rate=16000{_as_query(source)}"
        )
    fill = getattr(backend, "fill", "zeros")
    if fill not in FILLS:
        raise ValueError(f"{label} has fill={fill!r}; expected 'zeros', 'repeat' or None")
    least = float(getattr(backend, "min_duration", None) or 0.0)
    return LoadedModel(
        backend=backend,
        label=label,
        sample_rate=int(rate),
        n_window=_count_window(backend, source, label, int(rate), window),
        n_least=max(1, ceil(least * int(rate))),
        fill=fill,
        lock=_lock_of_objects if source is None else ProcessLock(),
    )


def _count_window(
    backend: Any, source: ModelSource | None, label: str, rate: int, window: float | None
) -> int | None:
    """Return the number of samples of a window; None if the network takes any."""
    n_fixed = getattr(backend, "n_samples", None)
    own = _stated(backend, source, "window")
    if own is not None and (not isinstance(own, int | float) or not 0 < own < inf):
        raise ValueError(f"{label} has window={own!r}; expected seconds above 0, or None")
    n_own = n_fixed
    if n_own is None and own is not None:
        # At another rate, the network still takes as many samples.
        n_own = round(own * (_stated(backend, source, "sample_rate") or rate))
    n_window: int | None = n_own if window is None else round(window * rate)
    if n_window is not None and (n_window < 1 or (n_fixed is not None and n_window != n_fixed)):
        takes = "1 sample or more" if n_own is None else f"{n_own} samples, {n_own / rate:g} s at {rate} Hz"
        raise ValueError(f"window={window!r}: {label} takes {takes}; set window=None")
    return n_window


def _stated(backend: Any, source: ModelSource | None, name: str) -> Any:
    """Return the sample rate or the window: of the name, of a known model, or of the backend."""
    for owner in (source, source.known if source else None, backend):
        value = getattr(owner, name, None)
        if value is not None:
            return value
    return None


def _as_query(source: ModelSource | None) -> str:
    if source is None or source.known is not None or not source.location:
        return ""
    return f", or as '{source.scheme}:{source.location}?sample_rate=16000'"


def check_digest(source: ModelSource, expected: str | None) -> None:
    """Raise WeightsNotFoundError if the files of a source are not the expected ones."""
    found = source.digest()
    if expected is not None and found != expected:
        raise WeightsNotFoundError(
            f"{source.label}: the weights have changed: their SHA-256 begins with {found[:8]}, and the model "
            f"was fitted with {expected[:8]}. Put the earlier file back, or fit the model again"
        )
