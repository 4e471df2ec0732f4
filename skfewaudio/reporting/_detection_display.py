"""Plot of a spectrogram with annotated and found events."""

from typing import TYPE_CHECKING, Any, Self

import librosa
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.detection import detect_events

from ._detection_events import DYNAMIC_DB, classify_events, compute_spectrogram, describe_recording
from ._plotting import COLORS, get_axes, hertz_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LANE = 0.11  # height of a class, relative to the spectrogram
GAP = 0.04  # between the spectrogram and the first class
# Kind of event: whether it is drawn in the upper half of its lane, its colour, and whether it is filled.
KINDS: dict[str, tuple[bool, str, bool]] = {
    "annotated": (True, "0.35", True),
    "missed": (True, "0.35", False),
    "found": (False, COLORS[0], True),
    "false alarm": (False, COLORS[1], True),
}


class DetectionDisplay:
    """Plot of the spectrogram of a recording above its annotated and found events.

    Each class has a row. Annotated events are drawn in its upper half, hollow if they were missed, and found
    events in its lower half, in another colour if they are false alarms.

    Create it with `from_predictions` or `from_estimator`.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_mels, n_frames)
        Mel spectrogram in dB, the lowest band first.
    events : DataFrame
        Columns start, end (seconds), label, kind ("annotated", "missed", "found" or "false alarm") and
        probability (NaN for annotated events).
    start, end : float
        The part of the recording that is shown, in seconds.
    fmax : float
        Highest frequency of the spectrogram in Hz.
    has_truth : bool, default=True
        Whether the annotated events are known.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skfewaudio.detection.detect_events : Finds the events.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from skfewaudio.reporting import DetectionDisplay
    >>> sound = np.random.default_rng(0).normal(size=3 * 22050)
    >>> found = pd.DataFrame({"path": "", "start": [0.5, 2.0], "end": [1.0, 2.5], "label": "owl"})
    >>> display = DetectionDisplay.from_predictions((sound, 22050), found, true=found.head(1))
    >>> display.frame()["kind"].tolist()
    ['annotated', 'found', 'false alarm']
    """

    def __init__(
        self,
        spectrogram: NDArray[np.floating],
        events: pd.DataFrame,
        *,
        start: float,
        end: float,
        fmax: float,
        has_truth: bool = True,
    ) -> None:
        self.spectrogram = spectrogram
        self.events = events
        self.start = start
        self.end = end
        self.fmax = fmax
        self.has_truth = has_truth

    @classmethod
    def from_predictions(
        cls,
        recording: Any,
        found: pd.DataFrame,
        *,
        true: Any = None,
        min_overlap: float = 0.3,
        sample_rate: int | None = None,
        n_mels: int = 128,
    ) -> Self:
        """Compute the spectrogram of a recording, and match its events.

        Parameters
        ----------
        recording : path, tuple or dict
            A file; a part of a file ``(path, start, end)`` in seconds, outside of which events are not shown;
            or sound with its rate.
        found : DataFrame
            Events as returned by :func:`~skfewaudio.detection.detect_events`. Events of other files are
            ignored; for sound in memory, all events are used.
        true : DataFrame, AudioDataset or None, default=None
            Annotated events. None shows all found events alike.
        min_overlap : float, default=0.3
            Lowest intersection over union of an annotated and a found event of the same label that are
            matched.
        sample_rate : int or None, default=None
            Rate in Hz to which the recording is resampled. None uses its own, so that the whole band is
            shown.
        n_mels : int, default=128
            Number of bands of the spectrogram.

        Returns
        -------
        DetectionDisplay

        Raises
        ------
        AudioLoadError
            If the recording cannot be read.
        ValueError
            If a table of events is invalid.
        """
        path, start, rate = describe_recording(recording)
        rate = rate if sample_rate is None else sample_rate
        spectrogram, seconds = compute_spectrogram(recording, rate, n_mels)
        end = start + seconds
        events = classify_events(found, true, path, min_overlap)
        shown = events[(events["end"] > start) & (events["start"] < end)].reset_index(drop=True)
        return cls(spectrogram, shown, start=start, end=end, fmax=rate / 2, has_truth=true is not None)

    @classmethod
    def from_estimator(
        cls, estimator: Any, recording: Any, *, true: Any = None, threshold: Any = None, **options: Any
    ) -> Self:
        """Find the events of a recording with a detector.

        Parameters
        ----------
        estimator : detector
            A fitted :class:`~skfewaudio.detection.EventDetector`, a pipeline that
            :func:`~skfewaudio.detection.detect_events` accepts, or an object with `detect`, such as
            :class:`~skfewaudio.detection.TemplateMatching`.
        recording : path, tuple or dict
            A file, a part of a file ``(path, start, end)`` in seconds, or sound with its rate.
        true : DataFrame, AudioDataset or None, default=None
            Annotated events. None shows all found events alike.
        threshold : float, dict of label to float, or None, default=None
            Lowest probability of events. None uses the default of the detector.
        **options
            Further options of `from_predictions`.

        Returns
        -------
        DetectionDisplay
        """
        limit = {} if threshold is None else {"threshold": threshold}
        if hasattr(estimator, "detect"):
            found = estimator.detect(recording, **limit)
        else:
            found = detect_events(estimator, [recording], **limit)
        return cls.from_predictions(recording, found, true=true, **options)

    def frame(self) -> pd.DataFrame:
        """Return the shown events.

        Returns
        -------
        DataFrame
            Columns start, end, label, kind and probability; annotated events first.
        """
        return self.events.copy()

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw the spectrogram, and the events of each class below it.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        title : str or None, default=None
            Title of the plot. None draws no title.

        Returns
        -------
        self : DetectionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        labels = sorted(self.events["label"].unique())
        ax = get_axes(ax, (10.0, 3.4 + 0.3 * len(labels)))
        peak = float(self.spectrogram.max(initial=-np.inf))
        ax.imshow(
            self.spectrogram,
            origin="lower",
            aspect="auto",
            extent=(self.start, self.end, 0.0, 1.0),
            vmin=peak - DYNAMIC_DB,
            vmax=peak,
            cmap="gray_r",
            interpolation="nearest",
        )
        self._draw_events(ax, labels)
        self._style_axes(ax, labels)
        if title:
            ax.set_title(title, loc="left")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _draw_events(self, ax: "Axes", labels: list[str]) -> None:
        """Draw the events as bars, each kind with one entry of the legend."""
        for kind, (is_upper, color, is_filled) in KINDS.items():
            rows = self.events[self.events["kind"] == kind]
            lanes = rows["label"].map(labels.index).to_numpy(dtype=float)
            ax.bar(
                rows["start"],
                height=0.4 * LANE,
                width=rows["end"] - rows["start"],
                bottom=-GAP - LANE * lanes - LANE * (0.46 if is_upper else 0.92),
                align="edge",
                color=color if is_filled else "none",
                edgecolor=color,
                linewidth=1.0,
                label=kind if len(rows) else None,
            )

    def _style_axes(self, ax: "Axes", labels: list[str]) -> None:
        """Set labels, ticks and limits, and draw the legend."""
        hertz, heights = hertz_ticks(0.0, float(librosa.hz_to_mel(self.fmax)))
        lanes = [-GAP - LANE * (lane + 0.5) for lane in range(len(labels))]
        ax.set_yticks([*heights, *lanes], labels=[*(_kilohertz(value) for value in hertz), *labels])
        for line in ax.get_yticklines()[2 * len(hertz) :]:
            line.set_visible(False)
        lowest = -GAP - LANE * len(labels) if labels else 0.0
        ax.set_ylim(lowest, 1.0)
        ax.set_xlim(self.start, self.end)
        ax.set_xlabel("Time (s)")
        ax.set_ylabel("Frequency (kHz)", y=(0.5 - lowest) / (1.0 - lowest))
        ax.spines[["top", "right"]].set_visible(False)
        for lane in range(len(labels)):
            ax.axhline(-GAP - LANE * lane, color="0.85", linewidth=0.6, zorder=0)
        if len(self.events):
            ax.legend(frameon=False, loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=4, fontsize="small")


def _kilohertz(hertz: float) -> str:
    return f"{hertz / 1000:g}"
