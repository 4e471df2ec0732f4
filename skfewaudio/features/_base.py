"""What every transformer of waveforms shares: kinds of X, threads, batches, the output's layout."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from itertools import chain
from numbers import Integral, Real
from threading import Barrier, Lock
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions

from skfewaudio._torch import resolve_device
from skfewaudio._validation import Waveforms, check_waveforms
from skfewaudio.audio.io import iter_clips, map_ahead, resolve_threads

from ._mel_spectrogram import FILTER_AT_ONCE, MelSpec, frames_at_once, mel_spectrograms

# Parameters that say how features are computed, not which.
NO_PART_IN_RESULT = frozenset({"n_threads", "on_error", "device"})

# Of the parameters that all these transformers have, and of those about mel spectrograms.
WAVEFORM_CONSTRAINTS: dict[str, list[Any]] = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "n_threads": [Interval(Integral, 1, None, closed="left"), None],
    "on_error": [StrOptions({"raise", "warn"})],
    "device": [str, torch.device, None],
}
MEL_CONSTRAINTS: dict[str, list[Any]] = {
    "n_fft": [Interval(Integral, 1, None, closed="left")],
    "hop_length": [Interval(Integral, 1, None, closed="left")],
    "win_length": [Interval(Integral, 1, None, closed="left"), None],
    "window": [str, tuple, Real],
    "center": ["boolean"],
    "pad_mode": [StrOptions({"constant", "edge", "linear_ramp", "reflect", "symmetric"})],
    "n_mels": [Interval(Integral, 1, None, closed="left")],
    "fmin": [Interval(Real, 0, None, closed="left")],
    "fmax": [Interval(Real, 0, None, closed="neither"), None],
    "htk": ["boolean"],
    "norm": [StrOptions({"slaney"}), Interval(Real, 0, None, closed="neither"), None],
    "top_db": [Interval(Real, 0, None, closed="left"), None],
}


class WaveformTransformerMixin:
    """Fit without learning, and the kinds of X, for estimators that transform clip by clip.

    The estimator has the parameters `sample_rate`, `n_threads`, `on_error` and `device`.
    """

    # To be raised where a change of code changes results, so that features cached before are found no more:
    # here if it is the spectrograms that change, otherwise in the class.
    feature_version = 1

    sample_rate: int
    n_threads: int | None
    on_error: Literal["raise", "warn"]
    device: str | None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of X; nothing is learned and no file is opened.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.
        y : None
            Ignored.

        Returns
        -------
        self : object
            The estimator itself.
        """
        self._check_settings()
        self._check_clips(X, reset=True)
        return self

    def __feature_params__(self) -> dict[str, Any]:
        """Give all that a sound's features depend on, for `CachedFeatures`; files of weights as Path."""
        params: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        kept = {name: value for name, value in params.items() if name not in NO_PART_IN_RESULT}
        return {"feature_version": self.feature_version} | kept

    def _check_settings(self) -> Any:
        """Check parameters against each other; estimators say how."""

    def _check_clips(self, X: Any, *, reset: bool) -> Waveforms:
        read = partial(
            iter_clips, sample_rate=self.sample_rate, n_threads=self.n_threads, on_error=self.on_error
        )
        return check_waveforms(self, X, reset=reset, read=read)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the estimator's next base
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def transform_mel(
    clips: Waveforms,
    finish: Callable[[torch.Tensor], torch.Tensor],
    *,
    spec: MelSpec,
    n_threads: int | None,
    device: str | None,
    one_by_one: bool = False,
) -> np.ndarray | list[np.ndarray]:
    """Turn the mel spectrogram of each clip into that clip's result.

    Parameters
    ----------
    clips : Waveforms
        The clips, read while those before them are transformed.
    finish : callable
        From a mel spectrogram (n_mels, n_frames), which it may overwrite, to a clip's result.
    spec : MelSpec
        What the mel spectrograms are.
    n_threads : int or None
        Batches worked on at once, if on a CPU.
    device : str or None
        Where to work.
    one_by_one : bool, default=False
        Hand clips to the threads singly: where `finish` takes longer than the spectrogram, that shares the
        work out evenly.

    Returns
    -------
    ndarray of shape (n_clips, ...) or list of n_clips ndarrays, float32
        An array where all results have one shape.
    """
    target = resolve_device(device)

    def work(batch: list[np.ndarray]) -> list[torch.Tensor]:
        return [finish(mel) for mel in mel_spectrograms(batch, spec, target)]

    n_at_once = 1 if one_by_one else FILTER_AT_ONCE * frames_at_once(spec, target)
    batches = _batches(clips, spec, n_at_once)
    return transform_batches(batches, work, len(clips), n_threads=n_threads, device=target)


def transform_waveforms(
    clips: Waveforms,
    finish: Callable[[torch.Tensor], torch.Tensor],
    *,
    n_threads: int | None,
    device: str | None,
) -> np.ndarray | list[np.ndarray]:
    """Turn the waveform of each clip, (n_samples,), into that clip's result; otherwise as `transform_mel`."""
    target = resolve_device(device)

    def work(batch: list[np.ndarray]) -> list[torch.Tensor]:
        return [finish(torch.tensor(clip, device=target)) for clip in batch]

    batches = ([clip] for clip in clips)
    return transform_batches(batches, work, len(clips), n_threads=n_threads, device=target)


def transform_batches(
    batches: Iterable[list[np.ndarray]],
    work: Callable[[list[np.ndarray]], list[torch.Tensor]],
    n_clips: int,
    *,
    n_threads: int | None,
    device: torch.device,
) -> np.ndarray | list[np.ndarray]:
    """Work on batches of clips in threads, and put the clips' results together in order.

    Parameters
    ----------
    batches : iterable of list of ndarray
        The clips, read while those before them are worked on.
    work : callable
        From a batch to its clips' results.
    n_clips : int
        Clips of all batches.
    n_threads : int or None
        Batches worked on at once, if on a CPU.
    device : torch.device
        Where `work` works.

    Returns
    -------
    ndarray of shape (n_clips, ...) or list of n_clips ndarrays
        An array where all results have one shape.
    """
    n_workers = resolve_threads(n_threads) if device.type == "cpu" else 1
    with _single_threaded_pool(n_workers) as pool:
        results = map_ahead(
            pool,
            lambda batch: [result.cpu().numpy() for result in work(batch)],
            batches,
            n_ahead=2 * n_workers,
        )
        return stack_results(chain.from_iterable(results), n_clips)


def _batches(clips: Iterable[np.ndarray], spec: MelSpec, n_at_once: int) -> Iterator[list[np.ndarray]]:
    """Group neighbouring clips while their frames are few; a long clip is a batch alone."""
    batch: list[np.ndarray] = []
    n_held = 0
    for clip in clips:
        n_more = spec.n_frames(len(clip))
        if batch and n_held + n_more > n_at_once:
            yield batch
            batch, n_held = [], 0
        batch.append(clip)
        n_held += n_more
    if batch:
        yield batch


def stack_results(results: Iterator[np.ndarray], n_clips: int) -> np.ndarray | list[np.ndarray]:
    """Write the results into one array as they come; from the first of another shape on, keep a list."""
    first = next(results)
    try:
        stacked = np.empty((n_clips, *first.shape), dtype=first.dtype)
    except MemoryError:  # a long first clip among many short ones
        return [first, *results]
    stacked[0] = first
    for index, result in enumerate(results, start=1):
        if result.shape != first.shape:
            return [*stacked[:index], result, *results]
        stacked[index] = result
    return stacked


@contextmanager
def _single_threaded_pool(n_threads: int) -> Iterator[ThreadPoolExecutor]:
    """Give a pool whose threads each run torch on one core: faster here than torch's own threads.

    The count of threads is the calling thread's for torch, but the whole process's for MKL, which makes the
    transforms: it stays at one until the last pool of the process is done.
    """
    barrier = Barrier(n_threads)

    def start(_: int) -> None:
        torch.set_num_threads(1)
        barrier.wait()

    with _one_thread_each, ThreadPoolExecutor(n_threads) as pool:
        list(pool.map(start, range(n_threads)))
        yield pool


class _OneThreadEach:
    """Sets torch's count of threads to one for as long as anybody needs it, and then sets it back."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._n_users = 0
        self._before = 1

    def __enter__(self) -> None:
        with self._lock:
            if not self._n_users:
                self._before = torch.get_num_threads()
            self._n_users += 1
            torch.set_num_threads(1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._n_users -= 1
            if not self._n_users:
                torch.set_num_threads(self._before)


_one_thread_each = _OneThreadEach()
