"""Detection of events by a prototypical network on windows."""

from collections.abc import Sequence
from numbers import Real
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skfewaudio._documentation import DocumentedMixin
from skfewaudio.audio.clips import as_file_part, is_file_part, is_path
from skfewaudio.classifiers import PrototypicalClassifier
from skfewaudio.features import LogMel

from ._detect import window_probabilities
from .event_labels import BACKGROUND_LABELS, separate_background

_SHORTEST, _LONGEST = 0.2, 2.0  # seconds of a window
_HOPS_PER_WINDOW = 4


class PrototypicalDetector(DocumentedMixin, BaseEstimator):
    """Find events with a prototypical network that classifies windows.

    This is a baseline: prototypical networks [1]_ are the usual method of few-shot event detection. The
    network is trained on the annotated events and the background alone. Consecutive windows in which a class
    is above the threshold are joined into events.

    Parameters
    ----------
    classifier : PrototypicalClassifier or None, default=None
        Classifier of windows. Its `patch_frames` is replaced by the length of the windows. None uses the
        default parameters with ``random_state=0``.
    features : LogMel or None, default=None
        Transformer that computes spectrograms. None uses 64 bands every 23 ms at 44,100 Hz.
    window : float or None, default=None
        Length of the windows in seconds. None uses the median length of the training events, between 0.2 and
        2 s.
    background_label : str or sequence of str, default=("background", "noise", "silence")
        Labels of clips without events.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of events, without background.
    pipeline_ : Pipeline
        Fitted features and classifier.
    window_ : float
        Length of the windows in seconds.

    See Also
    --------
    EventDetector : Detector that is trained on events mixed with background.
    TemplateMatching : Detection by correlation, without training.

    References
    ----------
    .. [1] J. Snell, K. Swersky, R. Zemel, "Prototypical networks for few-shot learning", NeurIPS 2017.
       arXiv:1703.05175.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio import PrototypicalClassifier
    >>> from skfewaudio.detection import PrototypicalDetector
    >>> rng = np.random.default_rng(0)
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(22050) / 44100)
    >>> events = [tone + 0.1 * rng.normal(size=22050) for _ in range(3)]
    >>> noise = [0.1 * rng.normal(size=44100) for _ in range(3)]
    >>> classifier = PrototypicalClassifier(max_epochs=2, device="cpu", random_state=0)
    >>> detector = PrototypicalDetector(classifier).fit(events + noise, ["tone"] * 3 + ["background"] * 3)
    >>> detector.window_
    0.51...
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "classifier": [PrototypicalClassifier, None],
        "features": [LogMel, None],
        "window": [Interval(Real, 0, None, closed="neither"), None],
        "background_label": [str, tuple, list, set],
    }

    def __init__(
        self,
        classifier: PrototypicalClassifier | None = None,
        *,
        features: LogMel | None = None,
        window: float | None = None,
        background_label: str | Sequence[str] = BACKGROUND_LABELS,
    ) -> None:
        self.classifier = classifier
        self.features = features
        self.window = window
        self.background_label = background_label

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Train the network.

        Parameters
        ----------
        X : list of n_clips
            Clips of any form: ``(path, start, end)``, paths, waveforms.
        y : array-like of shape (n_clips,)
            Labels. All labels of background become one class.
        groups : array-like of shape (n_clips,) or None, default=None
            Ignored.

        Returns
        -------
        self : PrototypicalDetector

        Raises
        ------
        ValueError
            If `y` has another length or only background, or `features` has no fixed sample rate.
        """
        labels, is_event = separate_background(y, len(X), self.background_label)
        labels = labels.astype(str)
        features = LogMel(top_db=None) if self.features is None else clone(self.features)
        if features.sample_rate == "auto":
            raise ValueError("features has sample_rate='auto'; expected a number of Hz")
        seconds = features.hop_length / features.sample_rate
        spectrograms = list(features.fit_transform(X))
        median = float(np.median([len(spectrograms[i].T) for i in np.flatnonzero(is_event)])) * seconds
        wanted = float(np.clip(median, _SHORTEST, _LONGEST)) if self.window is None else self.window
        n_frames = max(2, round(wanted / seconds))
        classifier = PrototypicalClassifier(random_state=0) if self.classifier is None else self.classifier
        classifier = clone(classifier).set_params(patch_frames=n_frames)
        # One class of background, under the name that detect_events knows.
        classifier.fit(spectrograms, np.where(is_event, labels, "background"))
        self.classes_ = np.unique(labels[is_event])
        self.window_ = n_frames * seconds
        self.pipeline_ = Pipeline([("features", features), ("classifier", classifier)])
        return self

    def detect(self, recording: Any, *, threshold: float = 0.5) -> pd.DataFrame:
        """Find the events of one recording.

        Parameters
        ----------
        recording : path, tuple or dict
            A file, a part of a file ``(path, start, end)``, or sound with its rate.
        threshold : float, default=0.5
            Lowest probability of an event.

        Returns
        -------
        DataFrame
            Columns path, start, end, label and probability, in the order of time. Times are in seconds from
            the start of the file.

        Raises
        ------
        AudioLoadError
            If the recording cannot be read.
        """
        check_is_fitted(self)
        hop = self.window_ / _HOPS_PER_WINDOW
        found = window_probabilities(self.pipeline_, recording, window=self.window_, hop=hop)
        is_file = is_path(recording) or is_file_part(recording)
        part = as_file_part(recording) if is_file else as_file_part("<sound 0>")
        rows = []
        for code, label in enumerate(found.classes):
            # With overlapping windows, a single window above the threshold is an outlier.
            for first, last in _find_runs(found.probabilities[:, code] >= threshold):
                start, end = max(0.0, found.times[first] - hop / 2), found.times[last] + hop / 2
                if last > first and start >= part.start:
                    probability = float(found.probabilities[first : last + 1, code].max())
                    rows.append((part.path, start, end, str(label), probability))
        return pd.DataFrame(sorted(rows), columns=["path", "start", "end", "label", "probability"])


def _find_runs(mask: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Return the first and last index of each run of true values; gaps of one index are filled."""
    kept = np.flatnonzero(mask)
    if not len(kept):
        return []
    breaks = np.flatnonzero(np.diff(kept) > 2)
    return list(zip(np.r_[kept[0], kept[breaks + 1]], np.r_[kept[breaks], kept[-1]], strict=True))
