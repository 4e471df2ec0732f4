"""Learning curves in events: the first events of each recording are the shots, and the rest is searched."""

import time
import warnings
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.utils.validation import has_fit_parameter

from skfewaudio.audio import audio_duration
from skfewaudio.model_selection.draws import check_positive_int

from ._detect import detect_events
from ._event_scores import event_scores
from .event_tables import as_event_table

METRICS = ("f_score", "precision", "recall", "false_alarms_per_hour")
MARGIN = 0.25  # seconds beside an event that are not used as background, because annotations are rounded
END_TOLERANCE = 0.1  # seconds by which a rounded annotation may exceed the recording
MIN_BACKGROUND, MAX_BACKGROUND = 0.5, 10.0  # seconds of a clip of background

Clip = tuple[str, float, float]


class Recording(NamedTuple):
    """Events of a recording, and the part that is searched.

    Parameters
    ----------
    path : str
        The file.
    events : DataFrame
        Events of the classes that are learned, by start.
    others : DataFrame
        Events of classes with too few events.
    limit : float
        Start of the part that is searched, in seconds.
    duration : float
        Length in seconds.
    """

    path: str
    events: pd.DataFrame
    others: pd.DataFrame
    limit: float
    duration: float


def few_shot_detection_curve(
    detectors: Any,
    events: Any,
    *,
    n_shots: Sequence[int] = (1, 2, 5),
    background: str | None = "background",
    min_overlap: float | None = 0.3,
    onset_tolerance: float | None = None,
    offset_tolerance: float | None = None,
    offset_share: float = 0.0,
    n_jobs: int | None = None,
) -> pd.DataFrame:
    """Compute learning curves of detectors: event scores against the number of annotated events per class.

    This is the protocol of the DCASE challenge's few-shot task [1]_. In each recording, a detector is trained
    on the first n events of each class, and finds the events in the rest of the recording. The background
    between the events before the last shot is used for training, too. The part that is searched starts after
    the last shot of the largest of `n_shots`, so that all scores of a recording belong to the same events.

    Parameters
    ----------
    detectors : detector, list of (name, detector) or dict of name -> detector
        An :class:`EventDetector`, a classifier of clips that :func:`detect_events` accepts, or an object with
        `fit` and `detect`, such as :class:`TemplateMatching`. A single detector is named after its class.
    events : DataFrame or AudioDataset
        All events of the recordings: columns path, start, end (seconds) and label, or parts of files
        ``(path, start, end)``.
    n_shots : sequence of int, default=(1, 2, 5)
        Numbers of annotated events per class.
    background : str or None, default="background"
        Label of the background for detectors. None trains on events alone.
    min_overlap, onset_tolerance, offset_tolerance, offset_share
        As in :func:`event_scores`.
    n_jobs : int or None, default=None
        Number of recordings that are searched in parallel. None is 1, or the value set by
        ``joblib.parallel_config``.

    Returns
    -------
    DataFrame
        One row per pipeline (name of the detector), n_shots, fold (index of the recording) and metric, with
        the columns repeat (0), value, recording (path), n_true, n_found, n_matched, seconds (length of the
        part that was searched), fit_time and detect_time (seconds). The metrics are f_score, precision,
        recall and false_alarms_per_hour, over all classes. Values that are not defined are NaN.

    Raises
    ------
    ValueError
        If no class of any recording has more events than the largest of `n_shots`, an event ends after its
        recording, the shots reach to the end of a recording, or a table is invalid.
    AudioLoadError
        If a recording cannot be read.

    Warns
    -----
    UserWarning
        If classes of a recording have too few events. These events are neither learned nor counted.

    See Also
    --------
    skfewaudio.model_selection.few_shot_curve : The same for clips.
    skfewaudio.reporting.FewShotCurveDisplay : Plots the result.

    References
    ----------
    .. [1] V. Morfi et al., "Few-shot bioacoustic event detection: a new task at the DCASE 2021 challenge",
       DCASE Workshop 2021.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.datasets import load_long_recordings
    >>> from skfewaudio.detection import TemplateMatching, few_shot_detection_curve
    >>> with TemporaryDirectory() as folder:
    ...     dataset = load_long_recordings(
    ...         2, n_folds=2, duration=30.0, events_per_class=(4, 4), sample_rate=8000, folder=folder
    ...     )
    ...     curve = few_shot_detection_curve(TemplateMatching(), dataset, n_shots=[1, 2])
    >>> curve[curve["metric"] == "f_score"][["pipeline", "n_shots", "fold", "n_true"]]
                pipeline  n_shots  fold  n_true
    0   TemplateMatching        1     0       8
    4   TemplateMatching        1     1       6
    8   TemplateMatching        2     0       8
    12  TemplateMatching        2     1       6
    """
    named = _name_detectors(detectors)
    shots = sorted({check_positive_int(n, "n_shots") for n in n_shots})
    rule = {
        "min_overlap": min_overlap,
        "onset_tolerance": onset_tolerance,
        "offset_tolerance": offset_tolerance,
        "offset_share": offset_share,
    }
    recordings = _list_recordings(as_event_table(events, "events"), shots[-1])
    tasks = [
        ({"pipeline": name, "n_shots": n, "repeat": 0, "fold": fold}, detector, recording)
        for name, detector in named.items()
        for n in shots
        for fold, recording in enumerate(recordings)
    ]
    done = Parallel(n_jobs=n_jobs)(
        delayed(_score)(detector, recording, key["n_shots"], background, rule)
        for key, detector, recording in tasks
    )
    rows = [
        {**key, "metric": metric, "value": values[metric], **facts}
        for (key, _, _), (values, facts) in zip(tasks, done, strict=True)
        for metric in METRICS
    ]
    return pd.DataFrame(rows)


def _name_detectors(detectors: Any) -> dict[str, Any]:
    """Return the detectors by name."""
    if isinstance(detectors, Mapping):
        return dict(detectors)
    if hasattr(detectors, "fit"):
        return {type(detectors).__name__: detectors}
    named = dict(detectors)
    if len(named) < len(detectors):
        raise ValueError(f"detectors must have different names; got {[name for name, _ in detectors]}")
    return named


def _list_recordings(table: pd.DataFrame, n_shots: int) -> list[Recording]:
    """Divide the events of each recording into those that may be shots and those that are searched for."""
    recordings, rare = [], []
    for path, rows in table.sort_values(["start", "end"], kind="stable").groupby("path", sort=False):
        counts = rows["label"].value_counts()
        is_rare = rows["label"].map(counts) <= n_shots
        rare += [f"{label} ({counts[label]}) in {path}" for label in rows.loc[is_rare, "label"].unique()]
        events = rows[~is_rare]
        if len(events):
            limit = float(_first_events(events, n_shots)["end"].max())
            duration = audio_duration(str(path))
            _check_times(str(path), float(rows["end"].max()), limit, duration)
            recordings.append(Recording(str(path), events, rows[is_rare], limit, duration))
    named = f"{', '.join(rare[:5])}{f' and {len(rare) - 5} more' if len(rare) > 5 else ''}"
    if not recordings:
        raise ValueError(
            f"n_shots={n_shots} needs more than {n_shots} events of a class in a recording, but there are "
            f"{named or 'no events'}; take fewer shots"
        )
    if rare:
        warnings.warn(
            f"{len(rare)} classes have no more than {n_shots} events in a recording, and are neither learned "
            f"nor counted there: {named}",
            UserWarning,
            stacklevel=3,
        )
    return recordings


def _check_times(path: str, last: float, limit: float, duration: float) -> None:
    """Raise ValueError if an event ends after the recording, or the shots leave nothing to search."""
    if last > duration + END_TOLERANCE:
        raise ValueError(
            f"{path}: an event ends at {last:g} s, and the recording at {duration:.2f} s; correct the "
            "annotation, or name the recording that it belongs to"
        )
    if limit >= duration:
        raise ValueError(
            f"{path}: the last of the first events ends at {limit:g} s, where the recording ends; take fewer "
            "shots, or leave the recording out"
        )


def _first_events(events: pd.DataFrame, n_shots: int) -> pd.DataFrame:
    """Return the first events of each class."""
    return events.groupby("label", sort=False).head(n_shots)


def _score(
    detector: Any, recording: Recording, n_shots: int, background: str | None, rule: Mapping[str, Any]
) -> tuple[dict[str, float], dict[str, Any]]:
    """Train on the first events of a recording, and score the events found in its rest."""
    path, events, _, limit, duration = recording
    shots = _first_events(events, n_shots)
    X: list[Clip] = list(zip(shots["path"], shots["start"], shots["end"], strict=True))
    y = shots["label"].tolist()
    if background is not None:
        quiet = list_background(recording, float(shots["end"].max()))
        X, y = X + quiet, y + [background] * len(quiet)
    started = time.perf_counter()
    # Each clip counts as a recording, so that a detector may choose thresholds by leaving some out.
    groups = {"groups": np.arange(len(X))} if has_fit_parameter(detector, "groups") else {}
    fitted = clone(detector).fit(X, y, **groups)
    fit_time = time.perf_counter() - started
    found = find_in_part(fitted, (path, limit, None))
    found = found[found["label"] != background]
    detect_time = time.perf_counter() - started - fit_time
    true = events[events["start"] >= limit]
    seconds = duration - limit
    scores = event_scores(true, found[found["start"] >= limit], durations=seconds, **rule)
    values = {metric: getattr(scores, metric) for metric in METRICS}
    return values, {
        "recording": path,
        "n_true": scores.n_true,
        "n_found": scores.n_found,
        "n_matched": scores.n_matched,
        "seconds": seconds,
        "fit_time": fit_time,
        "detect_time": detect_time,
    }


def find_in_part(detector: Any, part: tuple[str, float, float | None]) -> pd.DataFrame:
    """Find the events of a part of a recording with any kind of detector."""
    return detector.detect(part) if hasattr(detector, "detect") else detect_events(detector, [part])


def list_background(recording: Recording, end: float) -> list[Clip]:
    """List clips of background between all events of a recording before `end` seconds."""
    known = pd.concat([recording.events, recording.others])
    before = known[known["start"] < end].sort_values("start")
    starts = np.concatenate([[0.0], np.maximum.accumulate(before["end"]) + MARGIN])
    ends = np.concatenate([before["start"] - MARGIN, [end]])
    clips: list[Clip] = []
    for first, last in zip(starts.tolist(), ends.tolist(), strict=True):
        n_parts = int(np.ceil((last - first) / MAX_BACKGROUND)) if last - first >= MIN_BACKGROUND else 0
        edges = np.linspace(first, last, n_parts + 1).tolist()
        clips += [(recording.path, *edge) for edge in pairwise(edges)]
    return clips
