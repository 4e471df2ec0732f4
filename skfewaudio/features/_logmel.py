"""Log-compressed mel spectrograms."""

from collections.abc import Callable
from functools import partial
from numbers import Real
from typing import Any, Literal, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions

from skfewaudio._presets import choose_preset

from ._base import MEL_CONSTRAINTS, WAVEFORM_CONSTRAINTS, WaveformTransformerMixin, transform_mel
from ._mel_spectrogram import COMPRESSIONS, MelSpec, needs_double

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
    """Log-compressed mel spectrogram of each clip.

    The parameters of the spectrogram have librosa's names and meanings, and its values are
    :func:`librosa.feature.melspectrogram`'s. :meth:`from_preset` gives the settings of three papers,
    of which [1]_ is one.

    Parameters
    ----------
    sample_rate : int, default=44100
        In Hz. Files are resampled to it; arrays are taken to have it.
    n_fft : int, default=2048
        Length of the Fourier transform, in samples.
    hop_length : int, default=1024
        Samples from one frame to the next.
    win_length : int, default=None
        Length of the window, at most and by default `n_fft`.
    window : str, tuple or float, default="hann"
        As in :func:`scipy.signal.get_window`.
    center : bool, default=True
        Whether a clip is padded by half a frame at both ends, so that frame t is centred on sample
        ``t * hop_length``. Otherwise a frame starts there; what does not fill a frame is dropped,
        but a clip shorter than one frame is padded with zeros to one.
    pad_mode : {"constant", "edge", "linear_ramp", "reflect", "symmetric"}, default="constant"
        How :func:`numpy.pad` pads if `center` is set.
    power : float, default=2.0
        Power that magnitudes are raised to before they are summed in bands.
    n_mels : int, default=64
        Mel bands.
    fmin, fmax : float, default=0.0 and None
        Lowest and highest frequency of the bands, in Hz. None is half the sample rate.
    htk : bool, default=False
        Whether the mel scale is HTK's rather than Slaney's.
    norm : {"slaney"}, float or None, default="slaney"
        "slaney" gives each band's triangle the same area; a number is the p of a p-norm.
    frame_length : {"n_fft", "win_length"}, default="n_fft"
        Samples that a frame spans, by which frames are counted and clips are padded: librosa's
        `n_fft`, with the window in its middle, or the window's own, as in TensorFlow and VGGish.
    mel_slopes : {"hz", "mel"}, default="hz"
        Axis on which the sides of the bands' triangles are straight: librosa's Hz, or mel, as in
        VGGish.
    compression : {"db", "log10", "log", "log10_10000"} or None, default="db"
        :func:`librosa.power_to_db` of each clip; ``log10(x + offset)``; ``log(x + offset)``;
        ``log10(10000 x + 1)``; or none.
    offset : float, default=None
        Of "log10" and "log". None is 2.2e-16 (the machine epsilon) and 0.01.
    ref : float or callable, default=1.0
        Of "db": the value of 0 dB, or a function that gives it for a clip (`numpy.max`).
    amin : float, default=1e-10
        Of "db": smallest value told from zero.
    top_db : float or None, default=80.0
        Of "db": range of a clip below its peak.
    n_threads : int, default=None
        Threads that decode files, and on a CPU as many that make spectrograms. None takes as many
        as there are cores to use.
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
    MFCC : Cepstral coefficients, and their summary of fixed length.

    Notes
    -----
    Nothing is learned: `transform` needs no `fit`. The working memory does not grow with the number
    of clips, nor do their lengths count beyond that of the longest few.

    The Fourier transform has single precision where the compression hides its rounding (decibels of a
    limited range, and "log" with its default offset), otherwise double.

    With many bands and a short `n_fft`, some bands are narrower than the spacing of the FFT's bins and
    empty: they have the value of silence in every clip, and librosa warns of them.

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

    _parameter_constraints: dict[str, list[Any]] = {
        **WAVEFORM_CONSTRAINTS,
        **MEL_CONSTRAINTS,
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
        sample_rate: int = 44100,
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
        self.n_threads = n_threads
        self.on_error = on_error
        self.device = device

    @classmethod
    def from_preset(cls, name: str, **overrides: Any) -> Self:
        """Make the transformer with a paper's settings.

        Parameters
        ----------
        name : {"few-data", "vggish", "random-cnn"}
            The settings of arXiv:1810.10274, arXiv:1609.09430 or arXiv:1805.00237.
        **overrides : object
            Parameters that differ from the preset.

        Returns
        -------
        LogMel

        Raises
        ------
        ValueError
            If there is no such preset.
        """
        return cls(**choose_preset(PRESETS, name, overrides))

    def transform(self, X: Any) -> np.ndarray | list[np.ndarray]:
        """Give the compressed mel spectrogram of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>` for the kinds.

        Returns
        -------
        ndarray of shape (n_clips, n_mels, n_frames) or list of ndarray of shape (n_mels, n_frames), float32
            An array if all clips have as many frames, otherwise a list.

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
        clips = self._check_clips(X, reset=False)
        return transform_mel(
            clips, compress, spec=self._check_settings(), n_threads=self.n_threads, device=self.device
        )

    def _check_settings(self) -> MelSpec:
        double = needs_double(self.compression, power=self.power, offset=self.offset, top_db=self.top_db)
        return MelSpec.from_params(self.get_params(deep=False), double=double)
