"""Detection of events by template matching."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.signal import find_peaks
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.utils.validation import check_is_fitted

from skfewaudio._documentation import DocumentedMixin
from skfewaudio.audio.clips import as_file_part, is_file_part, is_path
from skfewaudio.features import LogMel

from ._correlation import CorrelatedSpectrogram, Template
from .event_labels import BACKGROUND_LABELS, separate_background

_MAX_SHARED = 0.3  # share of the shorter of two events that the other may cover
_COLUMNS = ["path", "start", "end", "label", "probability"]


class TemplateMatching(DocumentedMixin, BaseEstimator):
    """Find events by the normalised cross-correlation of spectrograms with training events.

    This is a baseline: the usual method before embeddings, and the baseline of the DCASE challenge's few-shot
    task [1]_. The spectrogram of each training event is a template. An event is found where the correlation
    of the recording with a template has a peak above the threshold of the class, and lasts as long as the
    template. The thresholds separate the training events of the class, each correlated with the other
    templates, from the other training clips.

    Parameters
    ----------
    features : LogMel or None, default=None
        Transformer that computes spectrograms in dB. None uses 64 bands of 1024 samples every 512 samples at
        22,050 Hz.
    by_band : bool, default=False
        Whether the mean of each band is subtracted from templates and windows, so that stationary noise does
        not correlate. False subtracts the mean of the whole spectrogram.
    overlapping : bool, default=False
        Whether events of different classes may overlap. False keeps the best match.
    background_label : str or sequence of str, default=("background", "noise", "silence")
        Labels of clips without events.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of events, without background.
    thresholds_ : dict of str to float
        Lowest correlation of an event of each class.
    templates_ : list of (str, Template)
        Class and template of each training event.
    features_ : LogMel
        The fitted transformer.

    See Also
    --------
    EventDetector : Finds events with a classifier of windows.

    Notes
    -----
    The spectrogram of a whole recording is held in memory: about 40 MB per hour by default.

    References
    ----------
    .. [1] V. Morfi et al., "Few-shot bioacoustic event detection: a new task at the DCASE 2021 challenge",
       DCASE Workshop 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.detection import TemplateMatching
    >>> rng = np.random.default_rng(0)
    >>> time = np.arange(11025) / 22050
    >>> chirp = np.sin(2 * np.pi * (1000 + 2000 * time) * time)
    >>> events = [chirp + 0.01 * rng.normal(size=11025) for _ in range(3)]
    >>> noise = [0.01 * rng.normal(size=22050) for _ in range(3)]
    >>> matching = TemplateMatching().fit(events + noise, ["chirp"] * 3 + ["background"] * 3)
    >>> recording = 0.01 * rng.normal(size=5 * 22050)
    >>> recording[44100:55125] += chirp
    >>> matching.detect((recording, 22050)).round(1)[["start", "end", "label"]]
       start  end  label
    0    2.0  2.5  chirp
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "features": [LogMel, None],
        "by_band": ["boolean"],
        "overlapping": ["boolean"],
        "background_label": [str, tuple, list, set],
    }

    def __init__(
        self,
        features: LogMel | None = None,
        *,
        by_band: bool = False,
        overlapping: bool = False,
        background_label: str | Sequence[str] = BACKGROUND_LABELS,
    ) -> None:
        self.features = features
        self.by_band = by_band
        self.overlapping = overlapping
        self.background_label = background_label

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Make templates of the events, and choose the thresholds.

        Parameters
        ----------
        X : list of n_clips
            Clips of any form: ``(path, start, end)``, paths, waveforms.
        y : array-like of shape (n_clips,)
            Labels, with the background label for clips without events, if there are any.
        groups : array-like of shape (n_clips,) or None, default=None
            Ignored.

        Returns
        -------
        self : TemplateMatching

        Raises
        ------
        ValueError
            If `y` has another length, or only background.
        """
        labels, is_event = separate_background(y, len(X), self.background_label)
        labels = labels.astype(str)
        self.classes_ = np.unique(labels[is_event])
        self.features_ = _make_features() if self.features is None else clone(self.features)
        if self.features_.sample_rate == "auto":
            raise ValueError("features has sample_rate='auto'; expected a number of Hz")
        spectrograms = list(self.features_.fit_transform(X))
        self.templates_ = [
            (str(label), Template.from_spectrogram(spectrogram, by_band=self.by_band))
            for label, spectrogram, kept in zip(labels, spectrograms, is_event, strict=True)
            if kept
        ]
        self._set_thresholds(spectrograms, labels)
        return self

    def _set_thresholds(self, spectrograms: list[NDArray[np.float32]], labels: NDArray[np.str_]) -> None:
        """Choose the threshold of each class by the training clips, each without its own template."""
        positions = np.flatnonzero(np.isin(labels, self.classes_))
        scores = np.full((len(labels), len(positions)), -np.inf)
        for row, spectrogram in enumerate(spectrograms):
            searched = self._pad(spectrogram)
            for column, position in enumerate(positions):
                if row != position:
                    scores[row, column] = searched.correlate(self.templates_[column][1]).max()
        self.thresholds_ = {
            str(name): choose_threshold(scores[:, labels[positions] == name].max(axis=1), labels == name)
            for name in self.classes_
        }

    def _pad(self, spectrogram: NDArray[np.float32]) -> CorrelatedSpectrogram:
        """Prepare a spectrogram so that events at its ends can be found."""
        longest = max(template.n_frames for _, template in self.templates_)
        return CorrelatedSpectrogram(spectrogram, n_padded=longest // 2, n_least=longest)

    def detect(self, recording: Any, *, threshold: float = 0.5) -> pd.DataFrame:
        """Find the events of one recording.

        Parameters
        ----------
        recording : path, tuple or dict
            A file, a part of a file ``(path, start, end)``, or sound with its rate.
        threshold : float, default=0.5
            Lowest value of the column probability.

        Returns
        -------
        DataFrame
            Columns path, start, end, label and probability, in the order of time. Times are in seconds from
            the start of the file. The probability is not calibrated: 0.5 is the threshold of the class, 1 a
            correlation of 1, and 0 a correlation of 0 or less. The path of sound in memory
            is ``"<sound 0>"``.

        Raises
        ------
        AudioLoadError
            If the recording cannot be read.
        """
        check_is_fitted(self)
        spectrogram = self.features_.transform([recording])[0]
        searched = self._pad(spectrogram)
        peaks = [
            _find_peaks(searched.correlate(template), template, self.thresholds_[label], label, threshold)
            for label, template in self.templates_
        ]
        found = pd.concat(peaks, ignore_index=True).sort_values("probability", ascending=False, kind="stable")
        chosen = _drop_overlapping(found, within_class=self.overlapping)
        part = as_file_part(recording) if is_path(recording) or is_file_part(recording) else None
        return self._in_seconds(chosen, searched.n_before, spectrogram.shape[1], part)

    def _in_seconds(self, events: pd.DataFrame, n_before: int, n_frames: int, part: Any) -> pd.DataFrame:
        """Convert frames to seconds of the file, and cut events at the ends of the recording."""
        start, end = (np.clip(events[name] - n_before, 0, n_frames - 1) for name in ("start", "end"))
        inside = 2 * (end - start) >= events["end"] - events["start"]
        seconds = self.features_.hop_length / self.features_.sample_rate
        offset = 0.0 if part is None else part.start
        table = events.assign(
            path="<sound 0>" if part is None else part.path,
            start=start * seconds + offset,
            end=end * seconds + offset,
        )[inside]
        return table.sort_values(["start", "end"], kind="stable", ignore_index=True)[_COLUMNS]


def _make_features() -> LogMel:
    """Return the default transformer; a floor relative to the peak would depend on the length of clips."""
    return LogMel(sample_rate=22050, n_fft=1024, hop_length=512, n_mels=64, fmin=50.0, top_db=None)


def choose_threshold(scores: NDArray[np.floating], is_event: NDArray[np.bool_]) -> float:
    """Choose the threshold with the best F-score; it lies in the middle between two scores.

    A single event has no score, since there is no other template. It counts as a correlation of 1.
    """
    known = np.where(np.isneginf(scores) & is_event, 1.0, scores)
    order = np.argsort(-known, kind="stable")
    ranked = np.append(known[order], 0.0)
    n_right = np.cumsum(is_event[order])
    f_scores = 2 * n_right / (np.arange(1, len(order) + 1) + is_event.sum())
    best = int(np.argmax(np.where(np.diff(ranked) < 0, f_scores, -1.0)))
    return float(np.clip((ranked[best] + ranked[best + 1]) / 2, 0.05, 0.999))


def _find_peaks(
    correlation: NDArray[np.float32], template: Template, threshold: float, label: str, least: float
) -> pd.DataFrame:
    """Return the peaks of a correlation with at least a probability, in frames."""
    scale = [-1.0, 0.0, threshold, 1.0], [0.0, 0.0, 0.5, 1.0]
    padded = np.concatenate([[-1.0], correlation, [-1.0]])  # peaks at the ends count, too
    lowest = float(np.interp(least, scale[1][1:], scale[0][1:]))
    starts = find_peaks(padded, height=max(lowest, 1e-6), distance=max(1, template.n_frames // 2))[0] - 1
    return pd.DataFrame(
        {
            "start": starts,
            # Frames are centred on their samples: a template of n frames spans n - 1 hops.
            "end": starts + max(1, template.n_frames - 1),
            "label": label,
            "probability": np.interp(correlation[starts], *scale),
        }
    )


def _drop_overlapping(events: pd.DataFrame, *, within_class: bool) -> pd.DataFrame:
    """Keep events that no earlier row covers, of the same class or of any."""
    starts, ends = events["start"].to_numpy(float), events["end"].to_numpy(float)
    labels = events["label"].to_numpy()
    kept: list[int] = []
    for position in range(len(events)):
        shared = np.minimum(ends[kept], ends[position]) - np.maximum(starts[kept], starts[position])
        shorter = np.minimum(ends[kept] - starts[kept], ends[position] - starts[position])
        covered = shared > _MAX_SHARED * shorter
        if within_class:
            covered &= labels[kept] == labels[position]
        if not covered.any():
            kept.append(position)
    return events.iloc[kept]
