"""Background of annotated recordings: the parts between the events."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio.audio import audio_duration
from skfewaudio.audio.clips import as_file_part, is_file_part
from skfewaudio.datasets import AudioDataset

# Shorter parts say little about the background.
MIN_SECONDS = 0.5
# Background parts are at most so many times as long together as the events, and at least so many seconds.
MOST_RATIO, ENOUGH_SECONDS = 10.0, 120.0


def annotated_clips(
    dataset: AudioDataset,
    *,
    background: str | None = "background",
    margin: float = 0.25,
    max_duration: float = 10.0,
    random_state: int = 0,
) -> AudioDataset:
    """Add the background between the events of annotated recordings to a dataset.

    Parameters
    ----------
    dataset : AudioDataset
        Parts of recordings ``(path, start, end)``, as loaded by
        :func:`~skfewaudio.datasets.load_annotations`. All events of the recordings must be annotated.
        Whole recordings stay as they are.
    background : str or None, default="background"
        Label of the background. None adds no background.
    margin : float, default=0.25
        Seconds beside each event that are not used, because annotations are rounded.
    max_duration : float, default=10.0
        Longest part of background, in seconds.
    random_state : int, default=0
        Seed of the choice among parts of background. Ten times the duration of the events, and at least two
        minutes, are enough.

    Returns
    -------
    AudioDataset
        The events, followed by parts of the background. The recordings are the groups.

    Raises
    ------
    ValueError
        If the dataset has no parts of recordings or several labels per clip, or an event ends after its
        recording.
    AudioLoadError
        If a recording cannot be read.

    Examples
    --------
    >>> import tempfile, pathlib, numpy as np, soundfile
    >>> from skfewaudio.datasets import AudioDataset
    >>> from skfewaudio.detection import annotated_clips
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = str(pathlib.Path(folder, "night.wav"))
    ...     soundfile.write(path, np.zeros(8 * 8000), 8000)
    ...     events = AudioDataset([(path, 2.0, 3.0)], ["owl"], "night")
    ...     clips = annotated_clips(events)
    >>> [(start, end, str(label)) for (_, start, end), label in zip(clips.X, clips.y)]
    [(2.0, 3.0, 'owl'), (0.0, 1.75, 'background'), (3.25, 8.0, 'background')]
    """
    if dataset.label_names is not None:
        raise ValueError("the dataset has several labels per clip; expected one label for each event")
    events: dict[str, list[tuple[float, float]]] = {}
    for clip in dataset.X:
        part = as_file_part(clip) if is_file_part(clip) else None
        if part is not None and not part.is_whole:
            end = np.inf if part.end is None else part.end
            events.setdefault(part.path, []).append((part.start, end))
    if not events:
        raise ValueError("the dataset has no parts of recordings, (path, start, end), between which to look")
    if background is None:
        return dataset
    found: list[tuple[str, float, float]] = []
    total = 0.0
    for path, times in events.items():
        duration = audio_duration(path)
        gaps = _gaps(times, duration, margin, path)
        found += [(path, *part) for gap in gaps for part in _split(*gap, max_duration)]
        total += sum(min(end, duration) - start for start, end in times)
    chosen = _choose(found, max(MOST_RATIO * total, ENOUGH_SECONDS), np.random.default_rng(random_state))
    return _join(dataset, chosen, background)


def _gaps(
    events: Sequence[tuple[float, float]], duration: float, margin: float, path: str
) -> Iterator[tuple[float, float]]:
    """Yield the start and end of the gaps between events."""
    last = max((end for _, end in events if end < np.inf), default=0.0)
    if last > duration + 0.1:
        raise ValueError(
            f"{path}: an event ends at {last:g} s, and the recording at {duration:.2f} s; correct the "
            "annotation, or name the recording that it belongs to"
        )
    position = 0.0
    for start, end in sorted(events):
        if start - margin - position >= MIN_SECONDS:
            yield position, start - margin
        position = max(position, end + margin)
    if duration - position >= MIN_SECONDS:
        yield position, duration


def _split(start: float, end: float, longest: float) -> Iterator[tuple[float, float]]:
    """Yield equal parts of a gap that are at most `longest` long."""
    edges = np.linspace(start, end, int(np.ceil((end - start) / longest - 1e-9)) + 1)
    yield from zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)


def _choose(
    parts: list[tuple[str, float, float]], seconds: float, generator: np.random.Generator
) -> list[tuple[str, float, float]]:
    """Choose random parts of a total duration, in their order."""
    order = generator.permutation(len(parts))
    durations = np.array([end - start for _, start, end in parts])
    before = np.cumsum(durations[order]) - durations[order] if len(parts) else np.zeros(0)
    return [parts[i] for i in sorted(order[before < seconds])]


def _join(dataset: AudioDataset, parts: list[tuple[str, float, float]], label: str) -> AudioDataset:
    """Append parts of background to a dataset."""
    target: NDArray[Any] = np.concatenate([np.asarray(dataset.target, dtype=str), [label] * len(parts)])
    groups = None
    if dataset.groups is not None:
        by_path = dict(zip(dataset.paths, dataset.groups, strict=True))
        groups = np.concatenate([dataset.groups, [by_path[path] for path, _, _ in parts]])
    folds = None
    if dataset.folds is not None:
        fold_of = dict(zip(dataset.paths, dataset.folds, strict=True))
        folds = np.concatenate([dataset.folds, [fold_of[path] for path, _, _ in parts]])
    clips = [tuple(as_file_part(clip)) if is_file_part(clip) else clip for clip in dataset.X]
    return replace(dataset, X=[*clips, *parts], target=target, groups=groups, folds=folds)
