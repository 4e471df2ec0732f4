"""Mel-frequency cepstral coefficients, by frame or summarised by clip."""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.metaestimators import available_if

from ._base import MEL_CONSTRAINTS, WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._mel_spectrogram import MelSpec, cepstra, needs_double, power_to_db


def _is_summarised(estimator: "MFCC") -> bool:
    """Tell whether the output is a table, whose columns have names."""
    if estimator.summary is None:
        raise AttributeError("with summary=None the output has no columns to name")
    return True


class MFCC(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Mel-frequency cepstral coefficients of each clip, by default summarised as one vector.

    The vector is the baseline of [1]_, 120 numbers by default: the mean and the standard deviation
    over a clip's frames of the coefficients, of their differences from frame to frame, and of the
    differences of these. The coefficients are :func:`librosa.feature.mfcc`'s.

    Parameters
    ----------
    sample_rate : int, default=12000
        In Hz. Files are resampled to it; arrays are taken to have it.
    n_mfcc : int, default=20
        Coefficients, at most `n_mels`.
    n_fft : int, default=2048
        Length of the Fourier transform, in samples.
    hop_length : int, default=512
        Samples from one frame to the next.
    win_length : int, default=None
        Length of the window, at most and by default `n_fft`.
    window : str, tuple or float, default="hann"
        As in :func:`scipy.signal.get_window`.
    center : bool, default=True
        Whether a clip is padded by half a frame at both ends; see :class:`LogMel`.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, default="constant"
        How :func:`numpy.pad` pads if `center` is set.
    n_mels : int, default=128
        Mel bands.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the bands, in Hz. None is half the sample rate.
    htk : bool, default=False
        Whether the mel scale is HTK's rather than Slaney's.
    norm : {"slaney"}, float or None, default="slaney"
        "slaney" gives each band's triangle the same area; a number is the p of a p-norm.
    top_db : float or None, default=80.0
        Range of a clip's log spectrogram below its peak, in dB.
    lifter : float, default=0
        Coefficient of the sinusoidal liftering; 0 is none.
    summary : {"mean_std_deltas"} or None, default="mean_std_deltas"
        The vector described above, or None for the coefficients of every frame.
    n_threads : int, default=None
        Threads that decode files, and on a CPU as many that work on clips. None takes as many as
        there are cores to use.
    on_error : {"raise", "warn"}, default="raise"
        What a file that cannot be read does: raise an AudioLoadError, or give a second of silence
        and be listed in an AudioLoadWarning when all are done.
    device : str, default=None
        Torch device. None takes CUDA where there is one.

    Attributes
    ----------
    n_features_in_ : int
        Samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    LogMel : The spectrograms that these are made from.

    Notes
    -----
    Nothing is learned: `transform` needs no `fit`. Second differences take three frames: to be
    summarised, a clip of fewer is padded with zeros to three.

    References
    ----------
    .. [1] J. Pons, J. Serrà, X. Serra, "Training neural audio classifiers with few data", ICASSP
       2019. arXiv:1810.10274

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import MFCC
    >>> clips = np.random.default_rng(0).normal(size=(3, 12000))
    >>> MFCC().fit_transform(clips).shape
    (3, 120)
    >>> MFCC(summary=None).fit_transform(clips).shape
    (3, 20, 24)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **WAVEFORM_CONSTRAINTS,
        **MEL_CONSTRAINTS,
        "n_mfcc": [Interval(Integral, 1, None, closed="left")],
        "lifter": [Interval(Real, 0, None, closed="left")],
        "summary": [StrOptions({"mean_std_deltas"}), None],
    }

    def __init__(
        self,
        *,
        sample_rate: int = 12000,
        n_mfcc: int = 20,
        n_fft: int = 2048,
        hop_length: int = 512,
        win_length: int | None = None,
        window: str | tuple[Any, ...] | float = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        n_mels: int = 128,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
        norm: Literal["slaney"] | float | None = "slaney",
        top_db: float | None = 80.0,
        lifter: float = 0,
        summary: str | None = "mean_std_deltas",
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.n_mfcc = n_mfcc
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.norm = norm
        self.top_db = top_db
        self.lifter = lifter
        self.summary = summary
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Give the cepstral coefficients of each clip, or their summary.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>` for the kinds.

        Returns
        -------
        ndarray of shape (n_clips, 6 * n_mfcc), float32
            With a summary: mean, then standard deviation, of the coefficients, of their first
            differences and of their second ones. Without, an array of shape (n_clips, n_mfcc,
            n_frames), or a list of 2-D arrays where the clips' numbers of frames differ.

        Raises
        ------
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        spec = self._check_settings()
        clips = self._check_clips(X, reset=False)
        return transform_mel(clips, self._finish, spec=spec, n_threads=self.n_threads, device=self.device)

    @available_if(_is_summarised)
    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Give the names of the summary's columns.

        Parameters
        ----------
        input_features : object
            Ignored: samples have no part in the names.

        Returns
        -------
        ndarray of shape (6 * n_mfcc,), object
            ``mfcc0_mean``, ..., ``mfcc0_std``, ..., ``mfcc0_delta_mean``, ...
        """
        return np.array(
            [
                f"mfcc{index}{delta}_{statistic}"
                for delta in ("", "_delta", "_delta2")
                for statistic in ("mean", "std")
                for index in range(self.n_mfcc)
            ],
            dtype=object,
        )

    def _check_settings(self) -> MelSpec:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc={self.n_mfcc} is above n_mels={self.n_mels}; expected at most that")
        min_frames = 1 if self.summary is None else 3
        double = needs_double("db", power=2.0, top_db=self.top_db)
        return MelSpec.from_params(
            self.get_params(deep=False), power=2.0, min_frames=min_frames, double=double
        )

    def _finish(self, mel: torch.Tensor) -> torch.Tensor:
        """Turn a clip's mel spectrogram into its row of the result."""
        db = power_to_db(mel, ref=1.0, amin=1e-10, top_db=self.top_db)
        coefficients = cepstra(db, n_mfcc=self.n_mfcc, lifter=self.lifter)
        return coefficients if self.summary is None else _summarise(coefficients)


def _summarise(coefficients: torch.Tensor) -> torch.Tensor:
    """Give the mean and deviation over frames of coefficients (n_mfcc, n_frames) and of their differences."""
    deltas = (coefficients, coefficients.diff(dim=1), coefficients.diff(n=2, dim=1))
    return torch.cat([s for d in deltas for s in (d.mean(dim=1), d.std(dim=1, correction=0))])
