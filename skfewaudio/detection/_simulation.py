"""Detections in scenes of events that the classifiers were not fitted to."""

import numpy as np
from numpy.typing import NDArray

from ._events import Candidate
from ._finder import Finder
from ._scenes import SceneMaker, join_scenes
from ._spectra import activity

SCENES_PER_EVENT = 2
MIN_OVERLAP = 0.3  # intersection over union of a detection and its event


def simulate(
    finder: Finder,
    scenes: SceneMaker,
    codes: NDArray[np.int64],
    found: list[list[float]],
    false: list[list[float]],
) -> None:
    """Search for events in scenes, and append the probabilities of right and wrong detections.

    Parameters
    ----------
    finder : Finder
        Classifiers that were not fitted to the events.
    scenes : SceneMaker
        Events and backgrounds.
    codes : ndarray of shape (n_events,)
        Codes of the events.
    found, false : list of n_classes lists of float
        Receive the probability with which each event was found, 0 if it was missed, and the probabilities of
        other detections.
    """
    placed = [(number, *scenes.place(number)) for number in [*range(len(codes))] * SCENES_PER_EVENT]
    n_backgrounds = max(1, len(scenes.backgrounds))
    n_frames = 10 * scenes.grid.block
    empty = [scenes.background_scene(i % n_backgrounds, n_frames) for i in range(len(placed))]
    above, firsts = join_scenes([scene for _, scene, _ in placed] + empty, pause=4 * scenes.grid.block)
    chosen = finder.choose(finder.candidates(above), activity(above))
    right: set[Candidate] = set()
    for (number, _, begin), first in zip(placed, firsts, strict=False):
        start, code = first + begin, codes[number]
        end = start + scenes.events[number].clean.shape[1]
        matched = [c for c in chosen if c.code == code and _overlap(c, start, end) >= MIN_OVERLAP]
        found[code].append(max((c.probability for c in matched), default=0.0))
        right.update(matched)
    for one in chosen:
        if one not in right:
            false[one.code].append(one.probability)


def _overlap(candidate: Candidate, start: int, end: int) -> float:
    """Return the intersection over union of two regions."""
    shared = min(candidate.end, end) - max(candidate.start, start)
    return max(0, shared) / (max(candidate.end, end) - min(candidate.start, start))
