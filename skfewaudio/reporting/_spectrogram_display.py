"""Plot of the spectrograms of several clips."""

from collections.abc import Sequence
from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import librosa
import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.pipeline import Pipeline

from skfewaudio.audio.clips import is_file_part, is_path, is_sound

from ._detection_events import DYNAMIC_DB, compute_spectrogram, describe_recording
from ._plotting import get_axes, hertz_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAME_RATE = 44100  # Hz; with sample_rate="auto", frames last as long as at this rate
COLUMNS, CLIP_SIZE = 4, (3.2, 2.3)  # of a new figure: clips in a row, and inches of each


class SpectrogramDisplay:
    """Plot of mel spectrograms, one pair of axes per clip.

    Create it with `from_clips`, or with `from_estimator` for the spectrograms that a classifier receives.

    Parameters
    ----------
    spectrograms : list of ndarray of shape (n_mels, n_frames)
        Mel spectrograms in dB or another logarithmic unit, the lowest band first.
    durations : list of float
        Durations in seconds.
    fmax : list of float
        Highest frequency of each spectrogram in Hz.
    fmin : float, default=0.0
        Lowest frequency in Hz.
    titles : list of str or None, default=None
        A title for each clip.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_clips,)
        The axes of the clips.
    figure_ : matplotlib Figure
        The figure of `axes_`.

    See Also
    --------
    DetectionDisplay : Spectrogram of a recording with its events.
    skfewaudio.features.LogMel : Computes spectrograms.

    Examples
    --------
    >>> from skfewaudio.datasets import load_synthetic
    >>> from skfewaudio.reporting import SpectrogramDisplay
    >>> X, y = load_synthetic(2, n_folds=2, duration=1.0)
    >>> display = SpectrogramDisplay.from_clips(X[:2], y[:2])
    >>> len(display.spectrograms), round(display.durations[0], 1)
    (2, 1.0)
    """

    def __init__(
        self,
        spectrograms: Sequence[NDArray[np.floating]],
        *,
        durations: Sequence[float],
        fmax: Sequence[float],
        fmin: float = 0.0,
        titles: Sequence[str] | None = None,
    ) -> None:
        self.spectrograms = spectrograms
        self.durations = durations
        self.fmax = fmax
        self.fmin = fmin
        self.titles = titles

    @classmethod
    def from_clips(
        cls, clips: Any, titles: ArrayLike | None = None, *, sample_rate: int | None = None, n_mels: int = 128
    ) -> Self:
        """Compute the spectrograms of clips at their own sample rates.

        Parameters
        ----------
        clips : sequence of length n_clips
            Files, parts of files ``(path, start, end)`` in seconds, or sound with its rate. Arrays need
            `sample_rate`.
        titles : array-like of str, shape (n_clips,), or None, default=None
            Titles, such as the labels. None uses the names of files.
        sample_rate : int or None, default=None
            Rate in Hz to which files and sound with a rate are resampled, or the rate of arrays. None uses
            the rate of each clip.
        n_mels : int, default=128
            Number of bands of the spectrograms.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        AudioLoadError
            If a file cannot be read.
        ValueError
            If there are no clips, a clip is invalid, or titles have another length.
        """
        spectrograms, durations, fmax = [], [], []
        for clip in clips:
            if sample_rate is not None and not (is_path(clip) or is_file_part(clip) or is_sound(clip)):
                clip = (np.asarray(clip), sample_rate)
            rate = sample_rate or describe_recording(clip)[2]
            spectrogram, seconds = compute_spectrogram(clip, rate, n_mels)
            spectrograms.append(spectrogram)
            durations.append(seconds)
            fmax.append(rate / 2)
        return cls(spectrograms, durations=durations, fmax=fmax, titles=_check_titles(titles, clips))

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, titles: ArrayLike | None = None) -> Self:
        """Compute the spectrograms of clips as a classifier receives them.

        Parameters
        ----------
        estimator : transformer or Pipeline
            :class:`~skfewaudio.features.LogMel`, or a Pipeline that begins with it. If its sample rate is
            "auto", it must be fitted.
        X : sequence of length n_clips
            The clips, in any form that `estimator` accepts.
        titles : array-like of str, shape (n_clips,), or None, default=None
            Titles, such as the labels. None uses the names of files.

        Returns
        -------
        SpectrogramDisplay

        Raises
        ------
        ValueError
            If the transformer returns no spectrograms, or titles have another length.
        """
        transformer = estimator.steps[0][1] if isinstance(estimator, Pipeline) else estimator
        transformer = getattr(transformer, "transformer", transformer)  # unwraps CachedFeatures
        spectrograms = [np.asarray(spectrogram) for spectrogram in transformer.transform(X)]
        if not spectrograms or spectrograms[0].ndim != 2 or not hasattr(transformer, "hop_length"):
            raise ValueError(
                f"{type(transformer).__name__} returns no mel spectrograms; expected LogMel, or a Pipeline "
                "that begins with it"
            )
        rate: Any = transformer.sample_rate
        frame_rate = rate if isinstance(rate, Integral) else FRAME_RATE
        rate = rate if isinstance(rate, Integral) else transformer.sample_rate_
        seconds = transformer.hop_length / frame_rate
        return cls(
            spectrograms,
            durations=[max(1, spectrogram.shape[1] - 1) * seconds for spectrogram in spectrograms],
            fmax=[float(transformer.fmax or rate / 2)] * len(spectrograms),
            fmin=transformer.fmin,
            titles=_check_titles(titles, X),
        )

    def plot(self, ax: "Axes | ArrayLike | None" = None, *, title: str | None = None) -> Self:
        """Draw the spectrograms.

        Parameters
        ----------
        ax : matplotlib Axes, array-like of them, or None, default=None
            Axes of the clips, one for each. None creates a new figure with four clips in a row.
        title : str or None, default=None
            Title of the figure. None draws none.

        Returns
        -------
        self : SpectrogramDisplay

        Raises
        ------
        ValueError
            If `ax` does not have one pair of axes per clip.
        ImportError
            If matplotlib is not installed.
        """
        axes = self._make_axes() if ax is None else np.atleast_1d(np.asarray(ax, dtype=object)).ravel()
        if len(axes) != len(self.spectrograms):
            raise ValueError(f"ax has {len(axes)} axes, but there are {len(self.spectrograms)} clips")
        titles = self.titles or [""] * len(axes)
        for k, (target, spectrogram) in enumerate(zip(axes, self.spectrograms, strict=True)):
            peak = float(spectrogram.max(initial=-np.inf))
            lowest = max(float(spectrogram.min(initial=np.inf)), peak - DYNAMIC_DB)
            target.imshow(
                spectrogram,
                origin="lower",
                aspect="auto",
                extent=(0.0, self.durations[k], 0.0, 1.0),
                vmin=lowest,
                vmax=peak,
                cmap="magma",
                interpolation="nearest",
            )
            low, high = np.asarray(librosa.hz_to_mel(np.array([self.fmin, self.fmax[k]])), dtype=float)
            hertz, heights = hertz_ticks(low, high)
            target.set_yticks(heights, labels=[f"{value / 1000:g}" for value in hertz])
            target.set_title(titles[k], loc="left", fontsize="medium")
            target.set_xlabel("Time (s)")
            target.set_ylabel("Frequency (kHz)")
        if title:
            axes[0].figure.suptitle(title)
        self.axes_ = axes
        self.figure_ = axes[0].figure
        return self

    def _make_axes(self) -> NDArray[Any]:
        """Return the axes of a new figure."""
        n_clips = len(self.spectrograms)
        n_columns = min(COLUMNS, n_clips)
        n_rows = -(-n_clips // n_columns)
        first = get_axes(None, (CLIP_SIZE[0] * n_columns, CLIP_SIZE[1] * n_rows))
        figure = first.figure
        first.remove()
        grid = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for unused in grid[n_clips:]:
            unused.remove()
        return np.asarray(grid[:n_clips])


def _check_titles(titles: Any, clips: Any) -> list[str]:
    """Return one title per clip, by default the name of its file."""
    if len(clips) == 0:
        raise ValueError("there are no clips; expected one or more")
    if titles is None:
        return [_name_clip(clip) for clip in clips]
    names = list(map(str, np.asarray(titles)))
    if len(names) != len(clips):
        raise ValueError(f"titles must have one for each of {len(clips)} clips; got {len(names)}")
    return names


def _name_clip(clip: Any) -> str:
    """Return the name of the file of a clip; empty for sound in memory."""
    path = clip[0] if is_file_part(clip) else clip
    return str(path).replace("\\", "/").rpartition("/")[2] if is_path(path) else ""
