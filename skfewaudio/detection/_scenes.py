"""Training examples as they are met in recordings: events over backgrounds at many levels."""

from dataclasses import dataclass

import numpy as np

from ._events import find_runs, merge_runs
from ._recorded_events import RecordedEvent
from ._spectra import (
    SILENCE,
    Frames,
    activity,
    add_powers,
    background_floor,
    cut_region,
    excess,
    mean_level,
    trim,
)
from ._variation import vary

# Decibels of events over the background: in loud, and in quiet background.
SIGNAL_TO_NOISE = (0.0, 25.0)
QUIET = (30.0, 50.0)
QUIET_SHARE = 0.3
# Share of events that are varied in pitch, colour and tempo.
VARIED_SHARE = 0.5
# Share of examples of an event that are as recorded, if background of its recording is known.
RECORDED_SHARE = 0.5
# Share of backgrounds that are synthetic noise, and of those that are two backgrounds at once.
NOISE_SHARE = 0.12
DOUBLE_SHARE = 0.2
# The power of noise in a mel band is about a gamma variable of this shape.
NOISE_SHAPE = 3.7
# Decibels by which the lowest band of synthetic noise may exceed the highest one.
MAX_TILT = 25.0
MANY = 2**31  # blocks: one floor for a whole background
# Share of the parts of an event that are some of its separate sounds, if there are several.
SEPARATE_SHARE = 0.7
SEPARATE_DECIBELS = 20.0
PIECE_SHARES = (0.2, 0.7)


@dataclass(frozen=True)
class Grid:
    """Lengths in frames.

    Parameters
    ----------
    window : int
        Length of the windows.
    block, context : int
        As in :func:`background_floor`.
    margin, least : int
        As in :func:`cut_region`.
    """

    window: int
    block: int
    context: int
    margin: int = 4
    least: int = 12


class SceneMaker:
    """Make training examples from the spectrograms of events and of background.

    Parameters
    ----------
    events : list of RecordedEvent
        Events, without silence around them.
    backgrounds : list of ndarray of shape (n_mels, n_frames)
        Decibels of each background; may be empty.
    grid : Grid
        Lengths.
    generator : numpy.random.Generator
        Source of random numbers.
    """

    def __init__(
        self,
        events: list[RecordedEvent],
        backgrounds: list[Frames],
        grid: Grid,
        generator: np.random.Generator,
    ) -> None:
        self.events = events
        self.backgrounds = backgrounds
        self.grid = grid
        self.generator = generator
        self._n_mels = len(events[0].clean)
        self._floors = [background_floor(part, block=grid.block, context=MANY) for part in backgrounds]

    def place(self, number: int) -> tuple[Frames, int]:
        """Return the excess of an event over a background, and its first frame."""
        return self._place(*self._draw(number))

    def _draw(self, number: int) -> tuple[Frames, int | None]:
        """Return an event without noise, or as recorded with the number of a background around it."""
        event = self.events[number]
        if event.own and self.generator.random() < RECORDED_SHARE:
            return event.recorded, int(self.generator.choice(event.own))
        return event.clean, None

    def _variant(self, number: int) -> tuple[Frames, int | None]:
        """Return an event as `_draw` does, or a random variation of it."""
        event, own = self._draw(number)
        return vary(event, self.generator) if self.generator.random() < VARIED_SHARE else event, own

    def _place(self, event: Frames, own: int | None) -> tuple[Frames, int]:
        duration = event.shape[1]
        n_frames = max(5 * self.grid.block, duration + self.grid.block)
        first = int(self.generator.integers(0, n_frames - duration + 1))
        if own is not None:
            scene = self._cut_background(own, n_frames).copy()
            scene[:, first : first + duration] = event
            return excess(scene, self._floors[own]), first
        return self._mix(event, n_frames, first), first

    def _mix(self, event: Frames, n_frames: int, first: int) -> Frames:
        """Return the excess of an event that begins at frame `first` of a random background."""
        rng = self.generator
        quiet = rng.random() < QUIET_SHARE
        floor, background = self._background(n_frames, noise=quiet and rng.random() < 0.5)
        ratio = rng.uniform(*(QUIET if quiet else SIGNAL_TO_NOISE))
        placed = np.full((self._n_mels, n_frames), SILENCE, dtype=np.float32)
        gain = ratio + mean_level(background) - mean_level(event)
        placed[:, first : first + event.shape[1]] = event + np.float32(gain)
        return excess(add_powers(placed, background), floor)

    def window_on(self, number: int) -> Frames:
        """Return a window that holds most of an event, or lies in it for the most part."""
        event, own = self._variant(number)
        scene, first = self._place(event, own)
        size, duration = self.grid.window, event.shape[1]
        least = int(np.ceil(0.7 * min(duration, size)))
        start = first + int(self.generator.integers(least - size, duration - least + 1))
        return cut_region(scene, start, start + size, margin=0, least=1)

    def region_on(self, number: int) -> Frames:
        """Return an event with inexact edges."""
        return self._region_on(*self._variant(number))

    def piece_of(self, number: int) -> Frames:
        """Return a part of an event: some of several barks, or any part of a longer sound."""
        event, own = self._variant(number)
        parts = separate_parts(event, gap=self.grid.block // 4)
        if len(parts) > 1 and self.generator.random() < SEPARATE_SHARE:
            first = int(self.generator.integers(len(parts)))
            last = min(len(parts) - 1, first + int(self.generator.integers(2)))
            return self._region_on(event[:, parts[first][0] : parts[last][1]], own)
        scene, begin = self._place(event, own)
        size = max(6, int(event.shape[1] * self.generator.uniform(*PIECE_SHARES)))
        start = begin + int(self.generator.integers(0, max(1, event.shape[1] - size)))
        start, end = trim(activity(scene), max(0, start - 4), start + size + 4, 0.25)
        return self._cut(scene, start, max(start + 4, end))

    def _region_on(self, event: Frames, own: int | None) -> Frames:
        scene, first = self._place(event, own)
        duration = event.shape[1]
        spread = 0.07 * duration + 1
        start, end = (round(edge + self.generator.normal() * spread) for edge in (first, first + duration))
        start = max(0, min(start, scene.shape[1] - 4))
        return self._cut(scene, start, max(start + 4, end))

    def window_beside(self, number: int) -> Frames:
        """Return a window of background `number`."""
        size = self.grid.window
        scene = self.background_scene(number, size)
        start = int(self.generator.integers(0, scene.shape[1] - size + 1))
        return cut_region(scene, start, start + size, margin=0, least=1)

    def region_beside(self, number: int) -> Frames:
        """Return a region of background `number` that is about as long as a random event."""
        durations = [event.clean.shape[1] for event in self.events]
        size = max(4, int(self.generator.choice(durations) * self.generator.uniform(0.6, 1.3)))
        scene = self.background_scene(number, size)
        start = int(self.generator.integers(0, scene.shape[1] - size + 1))
        end = start + size
        if self.generator.random() < 0.6:
            start, end = trim(activity(scene), start, end, 0.25)
        return self._cut(scene, start, max(start + 4, end))

    def _cut(self, scene: Frames, start: int, end: int) -> Frames:
        return cut_region(scene, start, end, margin=self.grid.margin, least=self.grid.least)

    def background_scene(self, number: int, n_frames: int) -> Frames:
        """Return the excess of background `number`, with `n_frames` frames at least."""
        floor, background = self._background(
            max(n_frames, 5 * self.grid.block), number=number, double=self.generator.random() < DOUBLE_SHARE
        )
        return excess(background, floor)

    def _background(
        self, n_frames: int, *, number: int | None = None, noise: bool = False, double: bool = False
    ) -> tuple[Frames, Frames]:
        """Return the floor and the frames of a background; a random one if `number` is None."""
        rng = self.generator
        if noise or not self.backgrounds or rng.random() < NOISE_SHARE:
            floor, frames = self._noise(n_frames)
        else:
            number = int(rng.integers(len(self.backgrounds))) if number is None else number
            floor, frames = self._floors[number], self._cut_background(number, n_frames)
        if double:
            other_floor, other = self._background(n_frames)
            gain = np.float32(rng.uniform(-15, 0) + mean_level(frames) - mean_level(other))
            floor, frames = add_powers(floor, other_floor + gain), add_powers(frames, other + gain)
        return floor, frames

    def _cut_background(self, number: int, n_frames: int) -> Frames:
        """Return frames of background `number` from a random one on."""
        whole = tile(self.backgrounds[number], n_frames)
        first = int(self.generator.integers(0, whole.shape[1] - n_frames + 1))
        return whole[:, first : first + n_frames]

    def _noise(self, n_frames: int) -> tuple[Frames, Frames]:
        """Return the floor and the frames of stationary noise that falls towards high bands."""
        rng = self.generator
        fluctuation = rng.gamma(NOISE_SHAPE, 1 / NOISE_SHAPE, (self._n_mels, n_frames)) + 1e-3
        tilt = -rng.uniform(0, MAX_TILT) * np.linspace(0, 1, self._n_mels)[:, None]
        decibels = 10 * np.log10(fluctuation)
        floor = tilt + np.median(decibels)
        return floor.astype(np.float32), (tilt + decibels).astype(np.float32)


def tile(frames: Frames, n_frames: int) -> Frames:
    """Repeat frames until there are `n_frames` at least."""
    n_times = -(-n_frames // frames.shape[1])
    return np.tile(frames, (1, n_times)) if n_times > 1 else frames


def separate_parts(frames: Frames, *, gap: int) -> list[tuple[int, int]]:
    """Return the parts of an event with pauses of more than `gap` frames between them."""
    level = 10 * np.log10(np.power(10, frames / 10).sum(axis=0) + 1e-20)
    return merge_runs(find_runs(level > level.max() - SEPARATE_DECIBELS), gap)


def join_scenes(scenes: list[Frames], *, pause: int) -> tuple[Frames, list[int]]:
    """Join scenes with silence between them, so that they are searched at once.

    Returns
    -------
    joined : ndarray of shape (n_mels, n_frames)
    firsts : list of int
        First frame of each scene.
    """
    silence = np.zeros((len(scenes[0]), pause), dtype=np.float32)
    firsts = np.cumsum([0] + [scene.shape[1] + pause for scene in scenes[:-1]]).tolist()
    return np.hstack([part for scene in scenes for part in (scene, silence)]), firsts
