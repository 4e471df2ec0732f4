"""Recorder of long recordings with events at known times."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .room import (
    REVERBERATION,
    apply_microphone,
    apply_room,
    choose_background,
    loudness,
    make_background,
    make_generator,
)
from .sounds import SOUNDS, Signal, Take, add_at, rms, smooth

MIN_GAP = 0.5  # seconds between events
_RENDERED = (0.5, 2.0)  # shortest and longest sound from which an event is cut, in seconds
_TAIL = 0.8  # seconds after an event in which its reverberation is rendered
_MAX_PAUSE = 0.25  # seconds; a sound with a longer pause would be annotated as several events
_ACTIVE_LEVEL = 0.05  # share of the largest amplitude above which a sound is active
# Keys of random generators. The other embedded datasets use 0 to 15.
_PLAN, _SITE, _RECORDING, _KIND, _LABEL, _SOURCE, _EVENT, _PLACE, _PLACED = range(16, 25)


class PlacedEvent(NamedTuple):
    """An event of a recording, in seconds."""

    start: float
    end: float
    label: str


@dataclass(frozen=True)
class LongRecorder:
    """Recorder of single recordings, each from its own random generators.

    Parameters
    ----------
    entropy : int
        Seed of all recordings.
    classes : tuple of str
        Classes of the events.
    duration : float
        Length of a recording in seconds.
    events_per_class : (int, int)
        Smallest and largest number of events per class.
    sample_rate : int
        In Hz.
    snr_db : (float, float)
        Lowest and highest level of an event relative to the background.
    """

    entropy: int
    classes: tuple[str, ...]
    duration: float
    events_per_class: tuple[int, int]
    sample_rate: int
    snr_db: tuple[float, float]

    def record(self, number: int, fold: int) -> tuple[NDArray[np.float32], list[PlacedEvent]]:
        """Render a recording of a fold's site, and list its events by time."""
        rng = self._generator(_RECORDING, number)
        site = Take(
            round(self.duration * self.sample_rate),
            self.sample_rate,
            self._generator(_SITE, fold),
            self._generator(_SITE, fold, number),
            rng,
        )
        reverberation = site.between(*REVERBERATION)
        sound = make_background(site, choose_background(fold, self._generator(_KIND)))
        sound /= rms(sound)
        labels = self._draw_labels(number)
        dry = [self._render_event(label, fold, number, position) for position, label in enumerate(labels)]
        starts = self._place([len(one) / self.sample_rate for one in dry], number)
        events = []
        for position, (label, event, start) in enumerate(zip(labels, dry, starts, strict=True)):
            first = round(start * self.sample_rate)
            wet = self._apply_room(event, label, fold, number, position, reverberation)
            add_at(sound, wet, first / self.sample_rate, site)
            last = first + len(event)
            events.append(PlacedEvent(first / self.sample_rate, last / self.sample_rate, label))
        sound = apply_microphone(sound, site)
        return (rng.uniform(0.4, 0.95) / np.max(np.abs(sound)) * sound).astype(np.float32), events

    def _draw_labels(self, number: int) -> list[str]:
        """Draw the classes of the events in random order."""
        rng = self._generator(_PLAN, number)
        labels = [
            label
            for label in self.classes
            for _ in range(rng.integers(*self.events_per_class, endpoint=True))
        ]
        return [str(label) for label in rng.permutation(labels)]

    def _place(self, lengths: list[float], number: int) -> list[float]:
        """Draw the start of each event, with at least `MIN_GAP` seconds around it."""
        free = self.duration - sum(lengths) - (len(lengths) + 1) * MIN_GAP
        if free < 0:
            raise ValueError(
                f"{len(lengths)} events of {sum(lengths):.0f} s with gaps of {MIN_GAP} s do not fit into "
                f"duration={self.duration:g}; expected at least {self.duration - free:.0f} s, or fewer events"
            )
        edges = np.sort(self._generator(_PLACED, number).uniform(0.0, free, len(lengths)))
        gaps = np.diff(edges, prepend=0.0) + MIN_GAP
        return list(np.cumsum(gaps) + np.cumsum([0.0, *lengths[:-1]])) if lengths else []

    def _render_event(self, label: str, fold: int, number: int, position: int) -> Signal:
        """Render one event without the room, cut to the part in which it sounds."""
        rng = self._generator(_EVENT, number, position)
        kind = self.classes.index(label)
        take = Take(
            round(rng.uniform(*_RENDERED) * self.sample_rate),
            self.sample_rate,
            self._generator(_LABEL, fold, kind),
            self._generator(_SOURCE, fold, kind, number),
            rng,
        )
        return cut_to_sound(SOUNDS[label](take), take)

    def _apply_room(
        self, event: Signal, label: str, fold: int, number: int, position: int, reverberation: float
    ) -> Signal:
        """Add reverberation to an event, and set its level."""
        n_samples = len(event) + round(_TAIL * self.sample_rate)
        take = Take(
            n_samples,
            self.sample_rate,
            self._generator(_PLACE, fold),
            self._generator(_PLACE, fold, self.classes.index(label), number),
            self._generator(_PLACE, fold, number, position, 0),
        )
        wet = apply_room(np.pad(event, (0, n_samples - len(event))), take, reverberation)
        return 10 ** (take.clip.uniform(*self.snr_db) / 20) / loudness(wet, take) * wet

    def _generator(self, *key: int) -> np.random.Generator:
        """Return the random generator of `key`, which does not depend on other draws."""
        return make_generator(self.entropy, *key)


def cut_to_sound(sound: Signal, take: Take) -> Signal:
    """Cut a sound to its loudest stretch without long pauses, and fade its ends."""
    # Forwards and backwards, so that the filter delays neither the start nor the end.
    envelope = smooth(smooth(np.abs(sound), 30.0, take)[::-1], 30.0, take)[::-1]
    active = np.flatnonzero(envelope > _ACTIVE_LEVEL * envelope.max())
    breaks = np.flatnonzero(np.diff(active) > _MAX_PAUSE * take.sample_rate)
    edges = zip(np.r_[active[0], active[breaks + 1]], np.r_[active[breaks], active[-1]] + 1, strict=True)
    first, last = max(edges, key=lambda edge: float(np.sum(sound[edge[0] : edge[1]] ** 2)))
    stretch = sound[first:last]
    to_edge = np.minimum(np.arange(len(stretch)), np.arange(len(stretch))[::-1])
    return stretch * np.minimum(1.0, to_edge / take.samples(0.005))
