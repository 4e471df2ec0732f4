"""Waveforms as the input of networks that are trained on them."""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin

from ._base import WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, stack_results


class RawWaveform(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that reads each clip as a waveform at one sample rate.

    The result has the shape of a spectrogram with a single band, whose frames are the samples. It is the
    input of a :class:`~skfewaudio.classifiers.SkorchCNN` with a
    :class:`~skfewaudio.features.PretrainedArchitecture`.

    Parameters
    ----------
    sample_rate : int, default=16000
        Sample rate in Hz. Files are resampled to it; arrays must have it.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off are used as far as they can be decoded, with a warning. False raises
        an error.
    n_threads : int, default=None
        Number of threads that read files. None uses one per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle files that cannot be read: raise an error, or warn and use one second of silence.
    device : str, default=None
        Ignored; present because all transformers of waveforms have it.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples per clip, if X was a 2-D array.

    See Also
    --------
    LogMel : Log-mel spectrograms, the input of networks on spectrograms.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import RawWaveform
    >>> RawWaveform(sample_rate=8000).fit_transform([np.zeros(800), np.zeros(400)])[1].shape
    (1, 400)
    """

    _parameter_constraints: dict = {**WAVEFORM_CONSTRAINTS}
    long_seconds = None
    _returns_table = False

    def __init__(
        self,
        sample_rate: int = 16000,
        *,
        channel: str | int = "mean",
        allow_truncated: bool = False,
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def transform(self, X: Any) -> NDArray[np.float32] | Sequence[NDArray[np.float32]]:
        """Read the clips.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips.

        Returns
        -------
        ndarray of shape (n_clips, 1, n_samples) or list of n_clips ndarrays of shape (1, n_samples), float32
            An array if all clips have the same length, otherwise a list.

        Raises
        ------
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        ValueError
            If X is not valid.
        """
        self._validate_params()
        clips = self._check_clips(X, reset=False)
        rows = (np.asarray(clip, dtype=np.float32)[None] for clip in clips)
        return self._keep_index(stack_results(rows, len(clips)), X)
