"""Mel-frequency cepstral coefficients, per frame or summarised per clip."""

from numbers import Integral, Real
from typing import Any, Literal

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from ._base import MEL_CONSTRAINTS, WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._mel_spectrogram import MelParams, cepstra, needs_double, power_to_db


class MFCC(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that computes the mel-frequency cepstral coefficients of each clip.

    By default, the coefficients of a clip are summarised as one vector, the baseline of [1]_: the mean and
    standard deviation over frames of the coefficients, of their first differences and of their second
    differences, 120 numbers with the default parameters. The coefficients equal the output of
    :func:`librosa.feature.mfcc`.

    Parameters
    ----------
    sample_rate : int, default=12000
        In Hz. Files are resampled to it; arrays are assumed to have it.
    n_mfcc : int, default=20
        Number of coefficients, at most `n_mels`.
    n_fft : int, default=2048
        Length of the Fourier transform, in samples.
    hop_length : int, default=512
        Number of samples between successive frames.
    win_length : int, default=None
        Length of the window, at most `n_fft`. None uses `n_fft`.
    window : str, tuple or float, default="hann"
        As in :func:`scipy.signal.get_window`.
    center : bool, default=True
        Whether to pad a clip by half a frame at both ends; see :class:`LogMel`.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, default="constant"
        Mode of :func:`numpy.pad`, used if `center` is True.
    n_mels : int, default=128
        Number of mel bands.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the bands, in Hz. None uses half the sample rate.
    htk : bool, default=False
        Whether to use HTK's mel scale instead of Slaney's.
    norm : {"slaney"}, float or None, default="slaney"
        "slaney" gives the triangles of all bands the same area. A number is the p of a p-norm. None
        disables normalisation.
    top_db : float or None, default=80.0
        Range of the log spectrogram below the peak of a clip, in dB; lower values are clipped. None
        disables clipping.
    lifter : float, default=0
        Coefficient of the sinusoidal liftering. 0 disables liftering.
    summary : {"mean_std_deltas"} or None, default="mean_std_deltas"
        "mean_std_deltas" returns the vector described above, None the coefficients of every frame.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off or are damaged are used as far as they can be decoded, with a warning.
        False treats them as files that cannot be read.
    n_threads : int, default=None
        Number of threads that decode files. On a CPU, features are computed in the same number of
        threads. None uses one thread per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle files that cannot be read. "raise" raises an AudioLoadError. "warn" replaces each
        of them by one second of silence and issues one AudioLoadWarning at the end.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    LogMel : Spectrograms from which the coefficients are computed.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`. Second differences require three frames.
    With a summary, a shorter clip is therefore padded with zeros to three frames.

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
        channel: str | int = "mean",
        allow_truncated: bool = False,
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
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Compute the cepstral coefficients of each clip, or their summary.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, 6 * n_mfcc), float32
            With a summary: mean and standard deviation of the coefficients, then of their first
            differences, then of their second differences. Without a summary: an array of shape
            (n_clips, n_mfcc, n_frames), or a list of 2-D arrays if the numbers of frames differ.

        Raises
        ------
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        params = self._check_settings()
        clips = self._check_clips(X, reset=False)
        coefficients = transform_mel(
            clips,
            self._compute_clip,
            params=params,
            n_threads=self.n_threads,
            device=self.device,
            on_error=self.on_error,
        )
        return self._keep_index(coefficients, X)

    @property
    def _returns_table(self) -> bool:  # type: ignore[override]
        return self.summary is not None

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns of the summary, or of the coefficients of every frame.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (6 * n_mfcc,) or (n_mfcc,), object
            ``mfcc0_mean``, ..., ``mfcc0_std``, ..., ``mfcc0_delta_mean``, ...; without a summary ``mfcc0``,
            ...
        """
        suffixes = [f"{delta}_{of}" for delta in ("", "_delta", "_delta2") for of in ("mean", "std")]
        if self.summary is None:
            suffixes = [""]
        names = [f"mfcc{index}{suffix}" for suffix in suffixes for index in range(self.n_mfcc)]
        return np.array(names, dtype=object)

    def _check_settings(self) -> MelParams:
        if self.n_mfcc > self.n_mels:
            raise ValueError(f"n_mfcc={self.n_mfcc} is above n_mels={self.n_mels}; expected n_mfcc <= n_mels")
        min_frames = 1 if self.summary is None else 3
        double = needs_double("db", power=2.0, top_db=self.top_db)
        return MelParams.from_params(
            self.get_params(deep=False), power=2.0, min_frames=min_frames, double=double
        )

    def _compute_clip(self, mel: torch.Tensor) -> torch.Tensor:
        """Compute the result of a clip from its mel spectrogram."""
        db = power_to_db(mel, ref=1.0, amin=1e-10, top_db=self.top_db)
        coefficients = cepstra(db, n_mfcc=self.n_mfcc, lifter=self.lifter)
        return coefficients if self.summary is None else _summarise_frames(coefficients)


def _summarise_frames(coefficients: torch.Tensor) -> torch.Tensor:
    """Compute mean and deviation over frames of coefficients (n_mfcc, n_frames) and their differences."""
    deltas = (coefficients, coefficients.diff(dim=1), coefficients.diff(n=2, dim=1))
    return torch.cat([s for d in deltas for s in (d.mean(dim=1), d.std(dim=1, correction=0))])
