"""Log-compressed mel spectrograms."""

from collections.abc import Callable, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.utils._param_validation import Interval, StrOptions

from skfewaudio._presets import choose_preset

from ._base import MEL_CONSTRAINTS, WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._mel_spectrogram import COMPRESSIONS, MelParams, needs_double
from ._native_rate import REFERENCE_RATE, find_native_rate, scale_frames

PRESETS: dict[str, dict[str, Any]] = {
    # Pons, Serrà, Serra, "Training neural audio classifiers with few data", arXiv:1810.10274.
    "few-data": {
        "sample_rate": 44100,
        "n_fft": 1024,
        "hop_length": 1024,
        "n_mels": 128,
        "compression": "log10",
    },
    # Hershey et al., "CNN architectures for large-scale audio classification", arXiv:1609.09430;
    # 25 ms windows every 10 ms, with the triangles and the frames of the published VGGish code.
    "vggish": {
        "sample_rate": 16000,
        "n_fft": 512,
        "win_length": 400,
        "hop_length": 160,
        "center": False,
        "frame_length": "win_length",
        "power": 1.0,
        "n_mels": 64,
        "fmin": 125.0,
        "fmax": 7500.0,
        "htk": True,
        "norm": None,
        "mel_slopes": "mel",
        "compression": "log",
        "offset": 0.01,
    },
    # Pons, Serra, "Randomly weighted CNNs for (music) audio classification", arXiv:1805.00237.
    "random-cnn": {
        "sample_rate": 12000,
        "n_fft": 512,
        "hop_length": 256,
        "n_mels": 96,
        "fmin": 0.0,
        "fmax": 6000.0,
        "compression": "db",
    },
}


class LogMel(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that computes the log-compressed mel spectrogram of each clip.

    The parameters of the spectrogram have the same names and meanings as in librosa, and its values equal
    the output of :func:`librosa.feature.melspectrogram`. :meth:`from_preset` provides the settings of three
    papers, including [1]_.

    Parameters
    ----------
    sample_rate : int or "auto", default=44100
        In Hz. Files are resampled to it; arrays are assumed to have it. "auto" chooses the most frequent rate
        of the recordings in `fit`, and 44,100 Hz for arrays without a rate; `n_fft`, `hop_length` and
        `win_length` then refer to 44,100 Hz and are scaled to the chosen rate, so that frames keep their
        duration.
    n_fft : int, default=2048
        Length of the Fourier transform, in samples.
    hop_length : int, default=1024
        Number of samples between successive frames.
    win_length : int, default=None
        Length of the window, at most `n_fft`. None uses `n_fft`.
    window : str, tuple or float, default="hann"
        As in :func:`scipy.signal.get_window`.
    center : bool, default=True
        If True, a clip is padded by half a frame at both ends, so that frame t is centred on sample
        ``t * hop_length``. If False, frame t starts at this sample, and an incomplete frame at the end
        is dropped. A clip shorter than one frame is padded with zeros.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, default="constant"
        Mode of :func:`numpy.pad`, used if `center` is True.
    power : float, default=2.0
        Exponent of the magnitudes before they are summed in bands.
    n_mels : int, default=64
        Number of mel bands.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the bands, in Hz. None uses half the sample rate.
    htk : bool, default=False
        Whether to use HTK's mel scale instead of Slaney's.
    norm : {"slaney"}, float or None, default="slaney"
        "slaney" gives the triangles of all bands the same area. A number is the p of a p-norm. None
        disables normalisation.
    frame_length : {"n_fft", "win_length"}, default="n_fft"
        Length of a frame, which determines the number of frames and the padding. "n_fft" centres the
        window in the frame, as in librosa. With "win_length", a frame is as long as the window, as in
        TensorFlow and VGGish.
    mel_slopes : {"hz", "mel"}, default="hz"
        Frequency axis on which the filters of the bands are triangular: "hz" as in librosa, or "mel" as
        in VGGish.
    compression : {"db", "log10", "log", "log10_10000"} or None, default="db"
        "db" applies :func:`librosa.power_to_db` to each clip, "log10" ``log10(x + offset)``, "log"
        ``log(x + offset)``, and "log10_10000" ``log10(10000 x + 1)``. None disables compression.
    offset : float, default=None
        Offset of "log10" and "log". None uses 2.2e-16 (the machine epsilon) for "log10" and 0.01 for
        "log".
    ref : float or callable, default=1.0
        Reference of "db": the value at 0 dB, or a function that computes it from the spectrogram of a
        clip, such as `numpy.max`.
    amin : float, default=1e-10
        Lower bound of "db"; smaller values are clipped to it.
    top_db : float or None, default=80.0
        Range of "db" below the peak of a clip; lower values are clipped. None disables clipping.
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

    sample_rate_ : int
        Sample rate in Hz; only with ``sample_rate="auto"``.

    See Also
    --------
    MFCC : Cepstral coefficients, or their fixed-length summary.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`. With ``sample_rate="auto"``, it then uses 44,100
    Hz. The working memory does not grow with the number of clips. Recordings longer than a minute are read in
    blocks.

    The Fourier transform is computed in single precision if the compression hides its rounding errors
    (decibels of a limited range, and "log" with its default offset), and in double precision otherwise.

    With many bands and a short `n_fft`, some bands are narrower than the spacing of the FFT bins and
    therefore empty. They have the value of silence in every clip, and librosa issues a warning.

    References
    ----------
    .. [1] J. Pons, J. Serrà, X. Serra, "Training neural audio classifiers with few data", ICASSP
       2019. arXiv:1810.10274

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import LogMel
    >>> clips = np.random.default_rng(0).normal(size=(3, 44100))
    >>> LogMel().fit_transform(clips).shape
    (3, 64, 44)
    >>> [s.shape for s in LogMel.from_preset("vggish").transform([clips[0], clips[1, :8000]])]
    [(64, 274), (64, 48)]
    """

    _returns_table = False

    _parameter_constraints: dict[str, list[Any]] = {
        **WAVEFORM_CONSTRAINTS,
        **MEL_CONSTRAINTS,
        "sample_rate": [Interval(Integral, 1, None, closed="left"), StrOptions({"auto"})],
        "power": [Interval(Real, 0, None, closed="neither")],
        "frame_length": [StrOptions({"n_fft", "win_length"})],
        "mel_slopes": [StrOptions({"hz", "mel"})],
        "compression": [StrOptions({name for name in COMPRESSIONS if name}), None],
        "offset": [Interval(Real, 0, None, closed="neither"), None],
        "ref": [Interval(Real, 0, None, closed="neither"), callable],
        "amin": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        *,
        sample_rate: int | Literal["auto"] = 44100,
        n_fft: int = 2048,
        hop_length: int = 1024,
        win_length: int | None = None,
        window: str | tuple[Any, ...] | float = "hann",
        center: bool = True,
        pad_mode: str = "constant",
        power: float = 2.0,
        n_mels: int = 64,
        fmin: float = 0.0,
        fmax: float | None = None,
        htk: bool = False,
        norm: Literal["slaney"] | float | None = "slaney",
        frame_length: str = "n_fft",
        mel_slopes: str = "hz",
        compression: str | None = "db",
        offset: float | None = None,
        ref: float | Callable[[np.ndarray], Any] = 1.0,
        amin: float = 1e-10,
        top_db: float | None = 80.0,
        channel: str | int = "mean",
        allow_truncated: bool = False,
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        device: str | None = None,
    ) -> None:
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.win_length = win_length
        self.window = window
        self.center = center
        self.pad_mode = pad_mode
        self.power = power
        self.n_mels = n_mels
        self.fmin = fmin
        self.fmax = fmax
        self.htk = htk
        self.norm = norm
        self.frame_length = frame_length
        self.mel_slopes = mel_slopes
        self.compression = compression
        self.offset = offset
        self.ref = ref
        self.amin = amin
        self.top_db = top_db
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Create a transformer with the settings of a paper.

        Parameters
        ----------
        name : {"few-data", "vggish", "random-cnn"}
            Preset with the settings of arXiv:1810.10274, arXiv:1609.09430 or arXiv:1805.00237.
        **overrides : object
            Parameters that override the preset.

        Returns
        -------
        LogMel

        Raises
        ------
        ValueError
            If the preset does not exist.
        """
        return cls(**choose_preset(PRESETS, name, overrides))

    @classmethod
    def at_rate(cls, sample_rate: int | Literal["auto"], **params: Any) -> Self:
        """Create a transformer whose frames last at any rate as long as at 44,100 Hz.

        Parameters
        ----------
        sample_rate : int or "auto"
            Sample rate in Hz, or "auto".
        **params : object
            Other parameters. `n_fft` and `hop_length` refer to 44,100 Hz; `n_fft` is rounded up to a power of
            two.

        Returns
        -------
        LogMel
        """
        transformer = cls(sample_rate=sample_rate, **params)
        if not isinstance(sample_rate, Integral):
            return transformer
        n_fft, hop_length = scale_frames(transformer.n_fft, transformer.hop_length, int(sample_rate))
        return transformer.set_params(n_fft=n_fft, hop_length=hop_length)

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Compute the compressed mel spectrogram of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, n_mels, n_frames) or list of ndarray of shape (n_mels, n_frames), float32
            An array if all clips have the same number of frames, otherwise a list.

        Raises
        ------
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        """
        self._validate_params()
        compress = partial(
            COMPRESSIONS[self.compression],
            offset=self.offset,
            ref=self.ref,
            amin=self.amin,
            top_db=self.top_db,
        )
        params = self._check_settings()
        clips = self._check_clips(X, reset=False)
        spectrograms = transform_mel(
            clips,
            compress,
            params=params,
            n_threads=self.n_threads,
            device=self.device,
            on_error=self.on_error,
        )
        return self._keep_index(spectrograms, X)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the mel bands, the rows of each spectrogram.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_mels,), object
            ``mel0``, ``mel1``, ...
        """
        return np.array([f"mel{index}" for index in range(self.n_mels)], dtype=object)

    def _check_settings(self) -> MelParams:
        double = needs_double(self.compression, power=self.power, offset=self.offset, top_db=self.top_db)
        return MelParams.from_params(self.get_params(deep=False) | self._scaled_params(), double=double)

    def _scaled_params(self) -> dict[str, int]:
        """Return the parameters that depend on the rate that `fit` has chosen."""
        if self.sample_rate != "auto":
            return {}
        n_fft, hop_length = scale_frames(self.n_fft, self.hop_length, self._rate)
        scaled = {"sample_rate": self._rate, "n_fft": n_fft, "hop_length": hop_length}
        if self.win_length is not None:
            scaled["win_length"] = round(self.win_length * n_fft / self.n_fft)
        return scaled

    def with_rate(self, sample_rate: int) -> Self:
        """Return a copy with ``sample_rate="auto"`` that is fitted to recordings of a sample rate.

        Parameters
        ----------
        sample_rate : int
            In Hz.

        Returns
        -------
        LogMel
        """
        copy = clone(self)
        copy.sample_rate_ = sample_rate
        return copy

    def _fit_rate(self, clips: Sequence[Any]) -> None:
        if self.sample_rate == "auto":
            self.sample_rate_ = find_native_rate(clips)

    @property
    def _rate(self) -> int:
        return self._native_rate or (REFERENCE_RATE if self.sample_rate == "auto" else self.sample_rate)

    @property
    def _native_rate(self) -> int | None:
        return getattr(self, "sample_rate_", None) if self.sample_rate == "auto" else None

    def __feature_params__(self) -> dict[str, Any]:
        return super().__feature_params__() | self._scaled_params()
