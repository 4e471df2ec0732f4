"""Detector of sound events that is trained on clips of events and of background."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, MetaEstimatorMixin, _fit_context, clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Tags
from sklearn.utils._param_validation import HasMethods, Interval

from skfewaudio._documentation import DocumentedMixin
from skfewaudio._targets import check_groups
from skfewaudio.features import LogMel

from ._default_estimators import default_estimators
from ._finder import Finder
from ._folds import make_folds, number_recordings
from ._recorded_events import RecordedEvent, separate_noise
from ._scenes import Grid, SceneMaker, separate_parts
from ._simulation import simulate
from ._spectra import BLOCK_SECONDS, Frames
from ._thresholds import DEFAULT_THRESHOLD, check_wanted, choose_threshold
from ._training import Examples, fit_finder
from .event_labels import BACKGROUND_LABELS, separate_background

# Windows are as long as short training events, in these limits in seconds.
SHORTEST_WINDOW, LONGEST_WINDOW = 0.4, 2.0
SHORTEST_EVENT = 0.1  # seconds
# The background is estimated from this many seconds at least, and this many times the longest event.
CONTEXT_SECONDS, CONTEXT_EVENTS = 20.0, 4.0
MARGIN_SECONDS, LEAST_SECONDS = 0.1, 0.28
FOLD_EXAMPLES = Examples(windows=5, regions=7, pieces=5, scenes=3)


class EventDetector(DocumentedMixin, MetaEstimatorMixin, BaseEstimator):
    """Find sound events in recordings of any length, after training on a handful of clips of each.

    The clips of events are mixed with the clips of background at many levels, and two classifiers are fitted
    to these scenes: one of short windows finds the regions of events, and one of whole events assigns their
    classes. :func:`detect_events` applies them to recordings.

    Parameters
    ----------
    estimator : Pipeline or LogMel, default=None
        Unfitted pipeline of a :class:`~skfewaudio.features.LogMel` in decibels and a classifier of
        spectrograms with ``predict_proba``. None uses a LogMel of 64 bands, logistic regression on
        :class:`~skfewaudio.features.SpectrogramStatistics` for windows, and for whole events the mean of
        logistic regression and :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier` on
        SpectrogramStatistics and two layers of :class:`~skfewaudio.features.SoundEmbed`. The classifier of
        :func:`~skfewaudio.pipelines.make_few_shot_classifier` has a vote on the classes of the events that
        these find. A LogMel is used with the classifiers of this default.
    background_label : str or sequence of str, default=("background", "noise", "silence")
        Labels of the clips without events. Without such clips, synthetic noise is used as background.
    window : float, default=None
        Length of the windows in seconds. None uses the duration of short training events.
    precision : float, default=None
        Wanted precision of the detections of each class, which determines its threshold. None uses
        the threshold 0.45, unless a recall is wanted.
    recall : float, default=None
        Wanted recall, instead of a precision.
    random_state : int, default=0
        Seed of the scenes.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Classes of events, without background.
    thresholds_ : dict of label to float
        Threshold of the probability of each class.
    expected_ : dict of label to dict
        Precision and recall of each class at its threshold, ``{"precision": float, "recall": float}``, as
        estimated from events in scenes that the classifiers were not fitted to. Missing if no class has two
        recordings.
    windows_ : ndarray of shape (1,)
        Length of the windows in seconds.
    durations_ : ndarray of shape (n_classes, 3)
        Shortest, median and longest training event of each class, in seconds.
    logmel_ : LogMel
        Fitted transformer of recordings.
    window_classifier_, region_classifier_ : classifier
        Fitted classifiers of the spectrograms of windows, and of whole events. Their classes are the indices
        of `classes_`, and -1 for background.
    event_classifier_ : classifier or None
        Fitted classifier of the spectrograms of events as recorded, whose classes are the indices of
        `classes_`. None for a pipeline as `estimator`, and for events of one class.

    See Also
    --------
    detect_events : Find events with a fitted detector.
    annotated_clips : Clips of events and of background from annotated recordings.

    Notes
    -----
    Levels are relative to the background, which is estimated in each band as the 40th percentile over 20
    seconds or four times the longest training event. An event that lasts longer than half of this time is
    therefore not found as a whole.

    The scenes have events at 0 to 25 dB above the background, and 30 to 50 dB for a third of them. Events
    from recordings with clips of background, parts of the same file or clips of the same group, contain the
    noise of their recording. It is subtracted before mixing, and half of the examples are as recorded.

    `expected_` and the thresholds for a wanted precision or recall are estimated without the vote of
    `event_classifier_`.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.detection import EventDetector, detect_events
    >>> rng = np.random.default_rng(0)
    >>> seconds = np.arange(8000) / 16000
    >>> clips = [(np.sin(2 * np.pi * pitch * seconds), 16000) for pitch in (500, 520, 3000, 3100)]
    >>> detector = EventDetector().fit(clips, ["low", "low", "high", "high"])
    >>> recording = 0.001 * rng.standard_normal(16000 * 10)
    >>> recording[48000:56000] += np.sin(2 * np.pi * 3050 * seconds)
    >>> events = detect_events(detector, (recording, 16000))
    >>> events[["start", "end", "label"]].round(1).values.tolist()
    [[3.0, 3.5, 'high']]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict"]), LogMel, None],
        "background_label": [str, "array-like"],
        "window": [Interval(Real, 0, None, closed="neither"), None],
        "precision": [Interval(Real, 0, 1, closed="neither"), None],
        "recall": [Interval(Real, 0, 1, closed="neither"), None],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(
        self,
        estimator: Any = None,
        *,
        background_label: str | Sequence[str] = BACKGROUND_LABELS,
        window: float | None = None,
        precision: float | None = None,
        recall: float | None = None,
        random_state: int = 0,
    ) -> None:
        self.estimator = estimator
        self.background_label = background_label
        self.window = window
        self.precision = precision
        self.recall = recall
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Fit to clips of events and of background, and choose the thresholds.

        Parameters
        ----------
        X : list of n_clips
            Clips of any form: ``(path, start, end)``, paths, waveforms. Silence around events is removed.
        y : array-like of shape (n_clips,)
            Label of each clip: a class, or a label of background.
        groups : array-like of shape (n_clips,), default=None
            Recording of each clip. None treats the clips of one file as one recording.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If there is no event, or a parameter or the estimator is invalid.
        AudioLoadError
            If a clip cannot be read.
        """
        check_wanted(self.precision, self.recall)
        labels, is_event = separate_background(y, len(X), self.background_label)
        files = number_recordings(X)
        recordings = files if groups is None else check_groups(groups, len(labels))
        logmel, classifiers, event_classifier = self._split_estimator()
        spectrograms = [np.asarray(clip) for clip in logmel.fit_transform(X)]
        self.logmel_ = logmel
        self.classes_, codes = np.unique(labels[is_event], return_inverse=True)
        backgrounds = [spectrograms[i] for i in np.flatnonzero(~is_event)]
        # A file is one recording, whatever the groups are.
        is_own = np.logical_or(*(names[is_event, None] == names[~is_event] for names in (recordings, files)))
        clips = [spectrograms[i] for i in np.flatnonzero(is_event)]
        events = separate_noise(clips, backgrounds, is_own)
        order = np.concatenate([np.flatnonzero(is_event), np.flatnonzero(~is_event)])
        rows = np.unique(recordings[order], return_inverse=True)[1]
        self._measure_durations([event.clean for event in events], codes)
        self._fit(classifiers, events, backgrounds, codes, rows)
        self.event_classifier_ = None
        if event_classifier is not None and len(self.classes_) > 1:
            recorded = [event.recorded for event in events]
            self.event_classifier_ = event_classifier.fit(recorded, codes, groups=rows[: len(events)])
        return self

    def _fit(
        self,
        classifiers: list[Any],
        events: list[RecordedEvent],
        backgrounds: list[Frames],
        codes: NDArray[np.int64],
        groups: NDArray[np.int64],
    ) -> None:
        """Fit the classifiers, and copies to parts of the recordings for the thresholds."""
        found: list[list[float]] = [[] for _ in self.classes_]
        false: list[list[float]] = [[] for _ in self.classes_]
        n_events = len(events)
        rng = np.random.default_rng(self.random_state)
        for fold in make_folds(codes, groups[:n_events], groups[n_events:], rng):
            kept, others = np.flatnonzero(~fold[:n_events]), np.flatnonzero(~fold[n_events:])
            scenes = self._make_scenes(events, backgrounds, kept, others, rng)
            finder = self._make_finder(*map(clone, classifiers))
            rows = groups[np.concatenate([kept, n_events + others])]
            fit_finder(finder, scenes, codes[kept], rows, FOLD_EXAMPLES)
            left, away = np.flatnonzero(fold[:n_events]), np.flatnonzero(fold[n_events:])
            unseen = self._make_scenes(events, backgrounds, left, away, rng)
            simulate(finder, unseen, codes[left], found, false)
        self.window_classifier_, self.region_classifier_ = map(clone, classifiers)
        all_events, all_backgrounds = np.arange(n_events), np.arange(len(backgrounds))
        scenes = self._make_scenes(events, backgrounds, all_events, all_backgrounds, rng)
        fit_finder(self.make_finder(), scenes, codes, groups, Examples())
        self._choose_thresholds(found, false)

    def _make_scenes(
        self,
        events: list[RecordedEvent],
        backgrounds: list[Frames],
        kept: NDArray[np.int64],
        others: NDArray[np.int64],
        generator: np.random.Generator,
    ) -> SceneMaker:
        """Return the source of examples of the events `kept` and of the backgrounds `others`."""
        chosen = [events[i].among(others) for i in kept]
        return SceneMaker(chosen, [backgrounds[i] for i in others], self._grid, generator)

    def _choose_thresholds(self, found: list[list[float]], false: list[list[float]]) -> None:
        self.thresholds_, self.expected_ = {}, {}
        for label, true, wrong in zip(self.classes_.tolist(), found, false, strict=True):
            chosen = choose_threshold(true, wrong, precision=self.precision, recall=self.recall)
            self.thresholds_[label] = chosen.threshold if true else DEFAULT_THRESHOLD
            if true:
                self.expected_[label] = {"precision": chosen.precision, "recall": chosen.recall}

    def _split_estimator(self) -> tuple[LogMel, list[Any], Any]:
        """Return the transformer of recordings, the classifiers of windows and of regions, and of events."""
        estimator = self.estimator
        if estimator is None or isinstance(estimator, LogMel):
            logmel, windows, regions, events = default_estimators()
            return (logmel if estimator is None else clone(estimator)), [windows, regions], events
        first = estimator[0] if isinstance(estimator, Pipeline) and len(estimator.steps) > 1 else None
        if not isinstance(first, LogMel) or first.compression != "db":
            raise ValueError(
                f"estimator={estimator!r}; expected a pipeline that begins with LogMel(compression='db'), "
                "such as make_few_shot_classifier()"
            )
        rest = estimator[1:] if len(estimator.steps) > 2 else estimator[1]
        if not hasattr(rest, "predict_proba"):
            raise ValueError(f"estimator={estimator!r} has no predict_proba; choose another classifier")
        return clone(first), [clone(rest), clone(rest)], None

    def _measure_durations(self, events: list[Frames], codes: NDArray[np.int64]) -> None:
        """Measure the durations of the events of each class, and choose the length of the windows."""
        step = self._frame_seconds
        whole = np.array([event.shape[1] for event in events]) * step
        # The shortest sound may be one of several in a clip.
        gap = round(BLOCK_SECONDS / step) // 4
        shortest = (
            np.array([min(b - a for a, b in separate_parts(event, gap=gap)) for event in events]) * step
        )
        shortest = np.maximum(shortest, SHORTEST_EVENT)
        rows = [codes == code for code in range(len(self.classes_))]
        self.durations_ = np.array(
            [
                [min(shortest[row].min(), whole[row].min()), np.median(whole[row]), whole[row].max()]
                for row in rows
            ]
        )
        self.windows_ = np.array([self._choose_window(np.minimum(whole, np.maximum(shortest, whole / 4)))])

    def _choose_window(self, seconds: NDArray[np.float64]) -> float:
        if self.window is not None:
            return float(self.window)
        return float(np.clip(np.percentile(seconds, 25), SHORTEST_WINDOW, LONGEST_WINDOW))

    @property
    def _frame_seconds(self) -> float:
        params = self.logmel_.__feature_params__()
        return float(params["hop_length"] / params["sample_rate"])

    @property
    def _context_seconds(self) -> float:
        return max(CONTEXT_SECONDS, CONTEXT_EVENTS * float(self.durations_[:, 2].max()))

    @property
    def _grid(self) -> Grid:
        step = self._frame_seconds
        return Grid(
            window=max(4, round(float(self.windows_[0]) / step)),
            block=max(1, round(BLOCK_SECONDS / step)),
            context=round(self._context_seconds / BLOCK_SECONDS) + 1,
            margin=max(1, round(MARGIN_SECONDS / step)),
            least=max(2, round(LEAST_SECONDS / step)),
        )

    def make_finder(self) -> Finder:
        """Return the search in spectrograms, for the functions of this package."""
        # A detector of an earlier version has no classifier of events.
        events = getattr(self, "event_classifier_", None)
        return self._make_finder(self.window_classifier_, self.region_classifier_, events)

    def _make_finder(self, windows: Any, regions: Any, events: Any = None) -> Finder:
        step = self._frame_seconds
        return Finder(windows, regions, self._grid, self.durations_[:, [0, 2]] / step, step, events)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.string = True
        return tags
