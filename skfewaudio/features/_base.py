"""Shared code of the transformers of waveforms: validation of X, threads, batches and stacking of results."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
import torch
from sklearn.base import _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval, StrOptions

from skfewaudio._threads import ThreadPool
from skfewaudio._torch import resolve_device, set_torch_threads, torch_threads
from skfewaudio.audio.channels import CHANNEL_CHOICES
from skfewaudio.audio.io import SILENCE_SECONDS, iter_clips, map_ahead, resolve_threads, warn_of_silence
from skfewaudio.audio.streaming import LongRecording
from skfewaudio.audio.waveforms import Waveforms, check_waveforms
from skfewaudio.exceptions import AudioLoadError

from ._mel_spectrogram import (
    FILTER_AT_ONCE,
    MelParams,
    frames_at_once,
    mel_spectrogram_of_blocks,
    mel_spectrograms,
)
from ._output import OutputMixin

# Parameters that do not change the features, and therefore are not part of cache keys.
EXECUTION_PARAMS = frozenset({"n_threads", "on_error", "device"})

# Constraints of the parameters that all transformers of waveforms share, and of mel spectrogram parameters.
WAVEFORM_CONSTRAINTS: dict[str, list[Any]] = {
    "sample_rate": [Interval(Integral, 1, None, closed="left")],
    "channel": [StrOptions(set(CHANNEL_CHOICES)), Interval(Integral, 0, None, closed="left")],
    "allow_truncated": ["boolean"],
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


class WaveformTransformerMixin(OutputMixin):
    """Mixin for stateless transformers that process waveforms clip by clip.

    The estimator must have the parameters `sample_rate`, `channel`, `allow_truncated`, `n_threads`,
    `on_error` and `device`.
    """

    # Increment when results change; this invalidates cached features. Increment it here if the spectrograms
    # change, otherwise in the subclass.
    feature_version = 1
    # Longer recordings are read in blocks; None if the features of a clip need it whole.
    long_seconds: float | None = 60.0

    sample_rate: Any
    channel: str | int
    allow_truncated: bool
    n_threads: int | None
    on_error: Literal["raise", "warn"]
    device: str | None

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the type of X, without opening any file.

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
        clips = self._check_clips(X, reset=True)
        self._fit_rate(clips.clips)
        self._check_settings()
        return self

    def _fit_rate(self, clips: Sequence[Any]) -> None:
        """Choose the sample rate by the recordings; a hook for subclasses."""

    @property
    def _rate(self) -> int:
        """Sample rate in Hz."""
        return self.sample_rate

    @property
    def _native_rate(self) -> int | None:
        """Sample rate that recordings are expected to have; None accepts all."""
        return None

    def __feature_params__(self) -> dict[str, Any]:
        """Return the values that the features depend on, for `CachedFeatures`; weight files are Paths."""
        params: dict[str, Any] = self.get_params(deep=False)  # type: ignore[attr-defined]
        kept = {name: value for name, value in params.items() if name not in EXECUTION_PARAMS}
        return {"feature_version": self.feature_version} | kept

    def _check_settings(self) -> Any:
        """Check that parameters are consistent; a hook for subclasses."""

    def _check_clips(self, X: Any, *, reset: bool) -> Waveforms:
        """Check the type of X and return the clips as waveforms."""

        def read(clips: Sequence[Any]) -> Iterator[Any]:
            return iter_clips(
                clips,
                sample_rate=self._rate,
                n_threads=self.n_threads,
                on_error=self.on_error,
                channel=self.channel,
                allow_truncated=self.allow_truncated,
                native_rate=self._native_rate,
                long_seconds=self.long_seconds,
            )

        return check_waveforms(self, X, reset=reset, read=read)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()  # type: ignore[misc]  # of the next base class
        tags.requires_fit = False
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def transform_mel(
    clips: Waveforms,
    clip_function: Callable[[torch.Tensor], torch.Tensor],
    *,
    params: MelParams,
    n_threads: int | None,
    device: str | None,
    one_by_one: bool = False,
    on_error: str = "raise",
) -> np.ndarray | list[np.ndarray]:
    """Compute the mel spectrogram of each clip and apply a function to it.

    Parameters
    ----------
    clips : Waveforms
        The clips. They are read while earlier clips are transformed.
    clip_function : callable
        Maps a mel spectrogram (n_mels, n_frames), which it may overwrite, to the result of the clip.
    params : MelParams
        Parameters of the mel spectrograms.
    n_threads : int or None
        Number of batches that are processed in parallel on a CPU. None uses one per available core.
    device : str or None
        Torch device. None selects CUDA if available.
    one_by_one : bool, default=False
        Whether every batch holds one clip. This balances the load of the threads if `clip_function` takes
        longer than the spectrogram.
    on_error : {"raise", "warn"}, default="raise"
        How to handle long recordings that cannot be read, as in :func:`~skfewaudio.audio.iter_clips`.

    Returns
    -------
    ndarray of shape (n_clips, ...) or list of n_clips ndarrays, float32
        An array if all results have the same shape, otherwise a list.
    """
    target = resolve_device(device)

    def process(batch: list[Any]) -> list[torch.Tensor]:
        if isinstance(batch[0], LongRecording):
            return [clip_function(_read_long_mel(batch[0], params, target, on_error))]
        return [clip_function(mel) for mel in mel_spectrograms(batch, params, target)]

    n_at_once = 1 if one_by_one else FILTER_AT_ONCE * frames_at_once(params, target)
    batches = _batch_by_frames(clips, params, n_at_once)
    return transform_batches(batches, process, len(clips), n_threads=n_threads, device=target)


def _read_long_mel(
    recording: LongRecording, params: MelParams, device: torch.device, on_error: str
) -> torch.Tensor:
    """Compute the mel spectrogram of a long recording, or of silence in its place."""
    try:
        return mel_spectrogram_of_blocks(recording, params, device)
    except AudioLoadError as error:
        if on_error == "raise":
            raise
        warn_of_silence([error])
        silence = np.zeros(round(SILENCE_SECONDS * params.sample_rate), dtype=np.float32)
        return mel_spectrograms([silence], params, device)[0]


def transform_waveforms(
    clips: Waveforms,
    clip_function: Callable[[torch.Tensor], torch.Tensor],
    *,
    n_threads: int | None,
    device: str | None,
) -> np.ndarray | list[np.ndarray]:
    """Apply a function to the waveform (n_samples,) of each clip; otherwise like `transform_mel`."""
    target = resolve_device(device)

    def process(batch: list[np.ndarray]) -> list[torch.Tensor]:
        return [clip_function(torch.tensor(clip, device=target)) for clip in batch]

    batches = ([clip] for clip in clips)
    return transform_batches(batches, process, len(clips), n_threads=n_threads, device=target)


def transform_batches(
    batches: Iterable[list[np.ndarray]],
    process: Callable[[list[np.ndarray]], list[torch.Tensor]],
    n_clips: int,
    *,
    n_threads: int | None,
    device: torch.device,
) -> np.ndarray | list[np.ndarray]:
    """Process batches of clips in threads, and stack the results of the clips in order.

    Parameters
    ----------
    batches : iterable of list of ndarray
        The clips. They are read while earlier batches are processed.
    process : callable
        Maps a batch to the results of its clips.
    n_clips : int
        Total number of clips.
    n_threads : int or None
        Number of batches that are processed in parallel on a CPU. None uses one per available core.
    device : torch.device
        Device that `process` uses.

    Returns
    -------
    ndarray of shape (n_clips, ...) or list of n_clips ndarrays
        An array if all results have the same shape, otherwise a list.
    """

    def compute(batch: list[np.ndarray]) -> list[np.ndarray]:
        return [result.cpu().numpy() for result in process(batch)]

    if n_clips == 1:  # a new thread and its first memory take as long as the features of a clip
        with torch_threads(1):
            return stack_results(chain.from_iterable(map(compute, batches)), n_clips)
    n_workers = resolve_threads(n_threads) if device.type == "cpu" else 1
    # Each thread computes on one core, which is faster than torch's own threads.
    with ThreadPool(n_workers, initializer=partial(set_torch_threads, 1)) as pool:
        results = map_ahead(pool, compute, batches, n_ahead=2 * n_workers)
        return stack_results(chain.from_iterable(results), n_clips)


def _batch_by_frames(
    clips: Iterable[np.ndarray], params: MelParams, n_at_once: int
) -> Iterator[list[np.ndarray]]:
    """Group consecutive clips into batches of at most `n_at_once` frames; a longer clip is a batch alone."""
    batch: list[np.ndarray] = []
    n_batched = 0
    for clip in clips:
        if isinstance(clip, LongRecording):
            if batch:
                yield batch
            batch, n_batched = [], 0
            yield [clip]
            continue
        n_frames = params.n_frames(len(clip))
        if batch and n_batched + n_frames > n_at_once:
            yield batch
            batch, n_batched = [], 0
        batch.append(clip)
        n_batched += n_frames
    if batch:
        yield batch


def stack_results(results: Iterator[np.ndarray], n_clips: int) -> np.ndarray | list[np.ndarray]:
    """Stack results into one array, or return a list if their shapes differ."""
    first = next(results)
    try:
        stacked = np.empty((n_clips, *first.shape), dtype=first.dtype)
    except MemoryError:  # a long first clip, followed by many short ones
        return [first, *results]
    stacked[0] = first
    for index, result in enumerate(results, start=1):
        if result.shape != first.shape:
            return [*stacked[:index], result, *results]
        stacked[index] = result
    return stacked
