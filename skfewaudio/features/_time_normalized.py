"""Spectrograms of the active part of clips, stretched to one length."""

from collections.abc import Iterator, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from torch.nn import functional

from ._spectrogram_vectors import NOT_OF_DIRECTIONS, SpectrogramTransformer

PARTS = ("level", "shape", "change")
# Frames per step at which the description is not relevant any more, and fully relevant.
FRAMES_PER_STEP = (3.0, 1.5)
LEAST_RELEVANCE = 0.05


class TimeNormalizedSpectrogram(SpectrogramTransformer):
    """Transformer that describes the order of events in a clip by its spectrogram, stretched to one length.

    The active part of a clip, from its first to its last loud frame, is divided into steps of equal duration,
    and the levels of the bands are averaged in each step. Words, calls and other short sounds have the same
    vector if they are spoken faster or slower, or start later in the clip. Long recordings with events at
    arbitrary times are better described by :class:`SpectrogramStatistics`.

    Parameters
    ----------
    parts : sequence of str, default=("level", "change")
        Parts of the vector, in this order. ``"level"`` is the level in each band and step minus the mean of
        the clip, ``"shape"`` the level minus the mean of its band, which removes constant differences between
        voices or microphones, and ``"change"`` the difference between successive steps.
    n_bands : int, default=32
        Number of bands; the mel bands are averaged to them.
    n_steps : int, default=16
        Number of steps.
    active_db : float, default=35.0
        Frames whose level is at most this far below the loudest frame delimit the active part, in dB.
    range_db : float, default=60.0
        Levels lower than this below the maximum of a clip are clipped, in dB.
    noise_compensation : bool, default=False
        Whether the directions in which background noise moves the vectors are attenuated, as in
        :class:`SpectrogramStatistics`. The other parameters but `parts` must then have their default values.
    n_threads : int, default=None
        Number of batches of clips that are processed in parallel on a CPU. None uses one per available core.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    n_features_in_ : int
        Number of mel bands.
    max_silence_ : float
        Largest share of silent frames at the end of the active part of a clip of `fit`.
    checksum_ : str or None
        SHA-256 of the directions of noise in `fit`; None without `noise_compensation`.
    n_active_frames_ : ndarray of shape (n_clips,)
        Number of frames of the active part of each clip of `fit` and `partial_fit`.
    relevance_ : float
        Between 0.05 and 1: how well this description suits the clips of `fit`. 1 if a step of the median clip
        lasts at most 1.5 frames, 0.05 from 3 frames on, because several events then fall into one step.

    See Also
    --------
    SpectrogramStatistics : Vectors that do not depend on the order of events.
    SoundEmbed : Vectors of a network, which depend on the order within a second.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import LogMel, TimeNormalizedSpectrogram
    >>> clips = [np.sin(np.arange(44100)), np.cos(np.arange(60000))]
    >>> TimeNormalizedSpectrogram().fit_transform(LogMel().transform(clips)).shape
    (2, 992)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        **SpectrogramTransformer._parameter_constraints,
        "parts": ["array-like"],
        "n_bands": [Interval(Integral, 1, None, closed="left")],
        "n_steps": [Interval(Integral, 2, None, closed="left")],
        "active_db": [Interval(Real, 0, None, closed="neither")],
        "range_db": [Interval(Real, 0, None, closed="neither")],
    }

    n_active_frames_: NDArray[np.int64]
    _selection = "parts"
    _not_of_directions = NOT_OF_DIRECTIONS

    def __init__(
        self,
        parts: Sequence[str] = ("level", "change"),
        *,
        n_bands: int = 32,
        n_steps: int = 16,
        active_db: float = 35.0,
        range_db: float = 60.0,
        noise_compensation: bool = False,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> None:
        self.parts = parts
        self.n_bands = n_bands
        self.n_steps = n_steps
        self.active_db = active_db
        self.range_db = range_db
        self.noise_compensation = noise_compensation
        self.n_threads = n_threads
        self.device = device

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns: the part, two underscores, the band and the step.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_values,), object
            For example ``"level__band3_step0"``.
        """
        self._check_params()
        names = [
            f"{part}__band{band}_step{step}"
            for part in self.parts
            for band in range(self.n_bands)
            for step in range(self.n_steps - (part == "change"))
        ]
        return np.array(names, dtype=object)

    def _measure(self, clips: list[NDArray], *, reset: bool) -> None:
        if not reset and not hasattr(self, "n_active_frames_"):
            raise ValueError(
                "this TimeNormalizedSpectrogram was fitted by an earlier version, which did not keep the "
                "durations of the clips; fit it again to all clips"
            )
        super()._measure(clips, reset=reset)
        n_frames = np.array([clip.shape[1] for clip in clips])
        self.n_active_frames_ = n_frames if reset else np.concatenate([self.n_active_frames_, n_frames])
        longest, shortest = np.log(FRAMES_PER_STEP)
        n_per_step = np.median(self.n_active_frames_) / self.n_steps
        share = (np.log(n_per_step) - longest) / (shortest - longest)
        self.relevance_ = float(np.clip(share, LEAST_RELEVANCE, 1))

    def _blocks_of_directions(self) -> Iterator[tuple[str, int]]:
        for part in self.parts:
            yield f"order.{part}", self.n_bands * (self.n_steps - (part == "change"))

    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.maximum(x, x.amax(dim=(1, 2), keepdim=True) - float(self.range_db))
        steps = self._stretch(x)
        level = steps - steps.mean(dim=(1, 2), keepdim=True)
        parts = {
            "level": level,
            "shape": level - level.mean(dim=2, keepdim=True),
            "change": level.diff(dim=2),
        }
        return torch.cat([parts[part].flatten(1) for part in self.parts], dim=1)

    def _stretch(self, x: torch.Tensor) -> torch.Tensor:
        """Average spectrograms (n_clips, n_mels, n_frames) to (n_clips, n_bands, n_steps)."""
        n_bands, n_steps = int(self.n_bands), int(self.n_steps)
        longer = max(n_bands, x.shape[1]), max(n_steps, x.shape[2])
        if x.shape[1:] != longer:
            x = functional.interpolate(x[:, None], longer, mode="bilinear", align_corners=True)[:, 0]
        return functional.adaptive_avg_pool2d(x, (n_bands, n_steps))

    def _check_params(self) -> None:
        parts = list(self.parts)
        if not parts or len(set(parts)) < len(parts) or set(parts) - set(PARTS):
            raise ValueError(
                f"parts={self.parts!r}; expected one or more of {', '.join(PARTS)}, each at most once"
            )
