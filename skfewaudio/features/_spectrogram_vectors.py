"""What transformers have in common that compute one vector per spectrogram."""

import math
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from inspect import signature
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from torch.nn import functional

from skfewaudio._documentation import DocumentedMixin
from skfewaudio._input_warnings import measure_silence, warn_of_padding
from skfewaudio._torch import resolve_device
from skfewaudio._validation import check_spectrograms

from ._base import transform_batches
from ._noise_compensation import N_MELS, compensate_noise, directions_checksum

# Values of the spectrograms that are processed at once. On a CPU, the responses fit in the cache of a core.
SPECTROGRAM_VALUES_AT_ONCE = {"cpu": 2**16, "cuda": 2**23}
# Parameters on which the directions of noise do not depend. The seed has no effect with them.
NOT_OF_DIRECTIONS = frozenset({"noise_compensation", "random_state", "n_threads", "device"})


class SpectrogramTransformer(DocumentedMixin, TransformerMixin, BaseEstimator):
    """Transformer of spectrograms to vectors of one length, without fitted parameters."""

    _parameter_constraints: dict[str, list[Any]] = {
        "active_db": [Interval(Real, 0, None, closed="neither"), None],
        "noise_compensation": ["boolean"],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device, None],
    }

    active_db: float | None
    noise_compensation: bool
    n_threads: int | None
    device: Any
    # Name of the parameter that selects the blocks of the vector.
    _selection: str
    _not_of_directions = NOT_OF_DIRECTIONS | {"active_db"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A model of an earlier version lacks the parameters.
        super().__setstate__({"active_db": None, "noise_compensation": False} | state)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the spectrograms, and measure the clips.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames)
            Log mel spectrograms.
        y : None
            Ignored.

        Returns
        -------
        self
        """
        self._check_all_params()
        self._measure(self._check_clips(X, reset=True), reset=True)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Measure further clips; the result equals one `fit` to all clips.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames)
            Log mel spectrograms.
        y : None
            Ignored.

        Returns
        -------
        self
        """
        self._check_all_params()
        is_first = not hasattr(self, "n_features_in_")
        self._measure(self._check_clips(X, reset=is_first), reset=is_first)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Compute the vector of each clip.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames)
            Log mel spectrograms with any numbers of frames.

        Returns
        -------
        ndarray of shape (n_clips, n_values), float32

        Raises
        ------
        ValueError
            If X does not contain spectrograms, their numbers of bands differ, or a parameter is invalid.
        """
        self._validate_params()
        self._check_all_params()
        self._check_files()
        clips = self._check_clips(X, reset=False)
        warn_of_padding(clips, getattr(self, "max_silence_", None))
        device = resolve_device(self.device)

        def process(batch: list[NDArray]) -> list[torch.Tensor]:
            x = torch.from_numpy(np.stack(batch).astype(np.float32, copy=False)).to(device)
            with torch.inference_mode():
                return list(self._compute(to_bands(x, N_MELS) if self.noise_compensation else x))

        order = np.argsort([clip.shape[1] for clip in clips], kind="stable")
        batches = _batch_by_shape(
            [clips[i] for i in order], SPECTROGRAM_VALUES_AT_ONCE.get(device.type, 2**16)
        )
        found = transform_batches(batches, process, len(clips), n_threads=self.n_threads, device=device)
        vectors = np.empty((len(clips), len(found[0])), dtype=np.float32)
        vectors[order] = found
        if self.noise_compensation:
            compensate_noise(vectors, self._blocks_of_directions())
        return vectors

    def _measure(self, clips: list[NDArray], *, reset: bool) -> None:
        """Measure properties of clips that no vector depends on."""
        if not reset:
            self._check_files()
        self.checksum_ = self._find_checksum()
        longest = float(measure_silence(clips).max())
        known = None if reset else getattr(self, "max_silence_", None)
        self.max_silence_ = longest if known is None else max(known, longest)

    @abstractmethod
    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the vectors (n_clips, n_values) of spectrograms (n_clips, n_mels, n_frames)."""

    @abstractmethod
    def _blocks_of_directions(self) -> Iterable[tuple[str, int]]:
        """Return the names of the blocks in the file of the directions of noise, and their sizes."""

    def _find_checksum(self) -> str | None:
        """Return the SHA-256 of the files on which the vectors depend, or None."""
        return directions_checksum() if self.noise_compensation else None

    def _check_files(self) -> None:
        """Check that the files on which the vectors depend are the ones of `fit`, if it was called."""
        expected = self._find_checksum()
        if getattr(self, "checksum_", expected) != expected:
            raise ValueError(
                f"this {type(self).__name__} was fitted with other weights than the ones of the installed "
                f"version of skfewaudio with noise_compensation={self.noise_compensation}; fit the model "
                "again, or use the version and the value that it was fitted with"
            )

    def _check_all_params(self) -> None:
        """Check the parameters beyond their types, and whether directions of noise are known for them."""
        self._check_params()
        if not self.noise_compensation:
            return
        for name, parameter in signature(type(self)).parameters.items():
            value = getattr(self, name)
            if name not in {*self._not_of_directions, self._selection} and value != parameter.default:
                raise ValueError(
                    f"{name}={value!r} with noise_compensation=True; the directions of noise were measured "
                    f"with {name}={parameter.default!r}: use it, or set noise_compensation=False"
                )

    def _check_params(self) -> None:
        """Check the parameters beyond their types."""

    def _check_clips(self, X: Any, *, reset: bool) -> list[NDArray]:
        clips = check_spectrograms(self, X, reset=reset)
        if not isinstance(clips, list):
            raise ValueError(
                f"X has shape {clips.shape}, one row per clip; expected spectrograms, a list of arrays "
                "(n_mels, n_frames) or an array (n_clips, n_mels, n_frames): put LogMel() before this"
            )
        if self.active_db is None:
            return clips
        return [crop_to_active(clip, float(self.active_db)) for clip in clips]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def crop_to_active(clip: NDArray, decibels: float) -> NDArray:
    """Return the frames from the first to the last one that is at most `decibels` below the loudest one."""
    peaks = clip.max(axis=0)
    # The power of a frame is at least that of its loudest band, and at most that times the number of bands.
    if min(peaks[0], peaks[-1]) >= peaks.max() + 10 * math.log10(len(clip)) - decibels:
        return clip
    power = np.exp((clip - peaks.max()) * (math.log(10) / 10)).sum(axis=0)
    active = np.flatnonzero(power >= power.max() * 10 ** (-decibels / 10))
    return clip[:, active[0] : active[-1] + 1]


def to_bands(x: torch.Tensor, n_bands: int) -> torch.Tensor:
    """Interpolate spectrograms (n_clips, n_mels, n_frames) to a number of bands."""
    if x.shape[1] == n_bands:
        return x
    size = n_bands, x.shape[2]
    return functional.interpolate(x[:, None], size, mode="bilinear", align_corners=True)[:, 0]


def _batch_by_shape(clips: list[NDArray], n_at_once: int) -> Iterator[list[NDArray]]:
    """Group consecutive clips of the same shape into batches of at most `n_at_once` values."""
    batch: list[NDArray] = []
    for clip in clips:
        if batch and (clip.shape != batch[0].shape or (len(batch) + 1) * clip.size > n_at_once):
            yield batch
            batch = []
        batch.append(clip)
    yield batch
