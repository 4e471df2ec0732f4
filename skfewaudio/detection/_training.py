"""Fit of the classifiers of windows and of regions to scenes."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import has_fit_parameter

from ._finder import BACKGROUND, Finder
from ._scenes import SceneMaker, join_scenes
from ._spectra import Frames

# Regions of backgrounds that the classifier of windows finds suspicious are examples of background.
SUSPICIOUS = (0.1, 0.3)
MOST_SUSPICIOUS = 12  # regions of one background in one scene
MINED_SECONDS = 6.0


@dataclass(frozen=True)
class Examples:
    """Numbers of training examples.

    Parameters
    ----------
    windows, regions, pieces : int
        Windows, whole regions and pieces of each event.
    background : float
        Examples of background for each example of an event.
    scenes : int
        Scenes of each background in which suspicious regions are searched for.
    """

    windows: int = 8
    regions: int = 14
    pieces: int = 10
    background: float = 0.8
    scenes: int = 6


def fit_finder(
    finder: Finder,
    scenes: SceneMaker,
    codes: NDArray[np.int64],
    groups: NDArray[np.int64],
    numbers: Examples,
) -> None:
    """Fit the two classifiers of a finder to examples of events and backgrounds.

    Parameters
    ----------
    finder : Finder
        Its classifiers are fitted.
    scenes : SceneMaker
        Source of examples.
    codes : ndarray of shape (n_events,)
        Codes of the classes of its events.
    groups : ndarray of shape (n_events + n_backgrounds,)
        Recordings of its events and backgrounds.
    numbers : Examples
        Numbers of examples.
    """
    n_events, n_backgrounds = len(codes), len(scenes.backgrounds)
    events = np.arange(n_events)
    own_groups = groups[n_events:] if n_backgrounds else np.array([groups.max() + 1])
    kinds: list[list[Any]] = [
        [(scenes.window_on, numbers.windows)],
        [(scenes.region_on, numbers.regions), (scenes.piece_of, numbers.pieces)],
    ]
    for classifier, makers, beside in zip(
        (finder.windows, finder.regions), kinds, (scenes.window_beside, scenes.region_beside), strict=True
    ):
        numbered = [int(i) for _, n in makers for i in np.repeat(events, n)]
        clips: list[Frames] = [make(int(i)) for make, n in makers for i in np.repeat(events, n)]
        others = [i % max(1, n_backgrounds) for i in range(int(numbers.background * len(clips)))]
        clips += [beside(i) for i in others]
        if classifier is finder.regions:
            for _ in range(numbers.scenes):
                mined, sources = mine_background(finder, scenes)
                clips, others = clips + mined, others + sources
        labels = np.concatenate([codes[numbered], np.full(len(others), BACKGROUND)])
        rows = np.concatenate([groups[numbered], own_groups[others]])
        classifier.fit(clips, labels, **_group_params(classifier, rows))


def mine_background(finder: Finder, scenes: SceneMaker) -> tuple[list[Frames], list[int]]:
    """Find regions of each background that its windows do not clearly show to be background.

    Without backgrounds, the regions are those of synthetic noise.
    """
    n_backgrounds = max(1, len(scenes.backgrounds))
    n_frames = round(MINED_SECONDS / finder.frame_seconds)
    parts = [scenes.background_scene(number, n_frames) for number in range(n_backgrounds)]
    above, firsts = join_scenes(parts, pause=4 * scenes.grid.block)
    regions = np.array(finder.propose(above, levels=SUSPICIOUS)).reshape(-1, 2)
    sources = np.searchsorted(firsts, regions[:, 0], side="right") - 1
    kept: list[int] = []
    for number in range(n_backgrounds):
        own = np.flatnonzero(sources == number)
        kept += scenes.generator.permutation(own)[:MOST_SUSPICIOUS].tolist()
    return [finder.cut(above, *regions[i]) for i in kept], sources[kept].tolist()


def _group_params(classifier: Any, groups: NDArray[np.int64]) -> dict[str, NDArray[np.int64]]:
    """Return the keyword of `fit` for the recordings, if the classifier has one."""
    if isinstance(classifier, Pipeline):
        name, last = classifier.steps[-1]
        return {f"{name}__groups": groups} if has_fit_parameter(last, "groups") else {}
    return {"groups": groups} if has_fit_parameter(classifier, "groups") else {}
