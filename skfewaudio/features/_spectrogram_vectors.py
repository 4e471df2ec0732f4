"""What transformers have in common that compute one vector per spectrogram."""

from abc import abstractmethod
from collections.abc import Iterator
from numbers import Integral
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval

from skfewaudio._documentation import DocumentedMixin
from skfewaudio._input_warnings import measure_silence, warn_of_padding
from skfewaudio._torch import resolve_device
from skfewaudio._validation import check_spectrograms

from ._base import transform_batches

# Values of the spectrograms that are processed at once. On a CPU, the responses fit in the cache of a core.
SPECTROGRAM_VALUES_AT_ONCE = {"cpu": 2**16, "cuda": 2**23}


class SpectrogramTransformer(DocumentedMixin, TransformerMixin, BaseEstimator):
    """Transformer of spectrograms to vectors of one length, without fitted parameters."""

    _parameter_constraints: dict[str, list[Any]] = {
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device, None],
    }

    n_threads: int | None
    device: Any

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
        self._check_params()
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
        self._check_params()
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
        self._check_params()
        clips = self._check_clips(X, reset=False)
        warn_of_padding(clips, getattr(self, "max_silence_", None))
        device = resolve_device(self.device)

        def process(batch: list[NDArray]) -> list[torch.Tensor]:
            x = torch.from_numpy(np.stack(batch).astype(np.float32, copy=False)).to(device)
            with torch.inference_mode():
                return list(self._compute(x))

        order = np.argsort([clip.shape[1] for clip in clips], kind="stable")
        batches = _batch_by_shape(
            [clips[i] for i in order], SPECTROGRAM_VALUES_AT_ONCE.get(device.type, 2**16)
        )
        found = transform_batches(batches, process, len(clips), n_threads=self.n_threads, device=device)
        vectors = np.empty((len(clips), len(found[0])), dtype=np.float32)
        vectors[order] = found
        return vectors

    def _measure(self, clips: list[NDArray], *, reset: bool) -> None:
        """Measure properties of clips that no vector depends on."""
        longest = float(measure_silence(clips).max())
        known = None if reset else getattr(self, "max_silence_", None)
        self.max_silence_ = longest if known is None else max(known, longest)

    @abstractmethod
    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the vectors (n_clips, n_values) of spectrograms (n_clips, n_mels, n_frames)."""

    def _check_params(self) -> None:
        """Check the parameters beyond their types."""

    def _check_clips(self, X: Any, *, reset: bool) -> list[NDArray]:
        clips = check_spectrograms(self, X, reset=reset)
        if not isinstance(clips, list):
            raise ValueError(
                f"X has shape {clips.shape}, one row per clip; expected spectrograms, a list of arrays "
                "(n_mels, n_frames) or an array (n_clips, n_mels, n_frames): put LogMel() before this"
            )
        return clips

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _batch_by_shape(clips: list[NDArray], n_at_once: int) -> Iterator[list[NDArray]]:
    """Group consecutive clips of the same shape into batches of at most `n_at_once` values."""
    batch: list[NDArray] = []
    for clip in clips:
        if batch and (clip.shape != batch[0].shape or (len(batch) + 1) * clip.size > n_at_once):
            yield batch
            batch = []
        batch.append(clip)
    yield batch
