"""Detections in scenes of events that the classifiers were not fitted to."""

import numpy as np
from numpy.typing import NDArray

from ._events import Candidate, choose_events
from ._finder import Finder
from ._scenes import SceneMaker
from ._spectra import activity

SCENES_PER_EVENT = 2
# Scenes of background alone, relative to the number of scenes with events.
BACKGROUND_SHARE = 1.0
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
    n_scenes = 0
    for number in [*range(len(codes))] * SCENES_PER_EVENT:
        scene, first = scenes.place(number)
        end = first + scenes.events[number].shape[1]
        chosen = choose_events(finder.candidates(scene), activity(scene))
        right = [c for c in chosen if c.code == codes[number] and _overlap(c, first, end) >= MIN_OVERLAP]
        found[codes[number]].append(max((c.probability for c in right), default=0.0))
        for one in chosen:
            if one not in right:
                false[one.code].append(one.probability)
        n_scenes += 1
    n_frames = 10 * scenes.grid.block
    for number in range(round(BACKGROUND_SHARE * n_scenes)):
        scene = scenes.background_scene(number % max(1, len(scenes.backgrounds)), n_frames)
        for one in choose_events(finder.candidates(scene), activity(scene)):
            false[one.code].append(one.probability)


def _overlap(candidate: Candidate, start: int, end: int) -> float:
    """Return the intersection over union of two regions."""
    shared = min(candidate.end, end) - max(candidate.start, start)
    return max(0, shared) / (max(candidate.end, end) - min(candidate.start, start))
