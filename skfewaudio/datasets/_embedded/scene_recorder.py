"""Recorder of the clips of the embedded multi-label dataset."""

from dataclasses import dataclass

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
from .scene_labels import CLASSES
from .sounds import SOUNDS, Signal, Take, add_at, rms

_MIN_EVENT_SHARE = 0.5  # share of the clip; with at least half, any two events overlap
_MIN_RANGE_SHARE = 0.2  # smallest share of a quantity's range per variety, so that its sources differ
# Keys of random generators. make_sound_events uses 0 to 5, and the labels use 6 and 7.
_CLIP, _SITE, _RECORDING, _KIND, _LABEL, _SOURCE, _EVENT, _PLACE = range(8, 16)


@dataclass(frozen=True)
class SceneRecorder:
    """Recorder of single clips, each from its own random generators."""

    entropy: int
    n_labels: int
    duration: tuple[float, float]
    sample_rate: int
    snr_db: tuple[float, float]

    def record(self, clip: int, fold: int, recording: int, labels: list[int]) -> NDArray[np.float32]:
        """Render the events, and record them in the fold's room with one background."""
        clip_rng = self._generator(_CLIP, clip)
        n_samples = round(clip_rng.uniform(*self.duration) * self.sample_rate)
        site = Take(
            n_samples,
            self.sample_rate,
            self._generator(_SITE, fold),
            self._generator(_RECORDING, fold, recording),
            clip_rng,
        )
        reverberation = site.between(*REVERBERATION)
        sound = make_background(site, choose_background(fold, self._generator(_KIND)))
        sound /= rms(sound)
        for label in labels:
            event = Take(
                n_samples,
                self.sample_rate,
                self._generator(_PLACE, fold),
                self._generator(_PLACE, fold, label, recording),
                self._generator(_EVENT, clip, label),
            )
            wet = apply_room(self._render_event(label, fold, recording, event), event, reverberation)
            sound += 10 ** (event.clip.uniform(*self.snr_db) / 20) / loudness(wet, event) * wet
        sound = apply_microphone(sound, site)
        return (clip_rng.uniform(0.4, 0.95) / np.max(np.abs(sound)) * sound).astype(np.float32)

    def _render_event(self, label: int, fold: int, recording: int, event: Take) -> Signal:
        """Render one event, faded in and out, at a random position in the clip, without the room."""
        variety, sound = divmod(label, len(CLASSES))
        take = Variety(
            round(event.clip.uniform(_MIN_EVENT_SHARE, 1.0) * event.n_samples),
            self.sample_rate,
            self._generator(_LABEL, fold, label),
            self._generator(_SOURCE, fold, label, recording),
            event.clip,
            variety,
            len(range(sound, self.n_labels, len(CLASSES))),
            # Independent of the entropy, so that a label has the same meaning for every random state.
            np.random.default_rng(sound),
        )
        start = event.clip.uniform(0.0, event.seconds - take.seconds)
        fade = take.samples(event.clip.uniform(0.02, 0.3))
        to_edge = np.minimum(np.arange(take.n_samples), np.arange(take.n_samples)[::-1])
        total = np.zeros(event.n_samples)
        add_at(total, SOUNDS[CLASSES[sound]](take) * np.minimum(1.0, to_edge / fade), start, event)
        return total

    def _generator(self, *key: int) -> np.random.Generator:
        """Return the random generator of `key`, which does not depend on other draws."""
        return make_generator(self.entropy, *key)


@dataclass(frozen=True)
class Variety(Take):
    """Rendering of one variety, whose quantities are drawn from its part of their range.

    The order of the varieties' parts differs between quantities, but is the same in every clip.
    """

    variety: int
    n_varieties: int
    order: np.random.Generator

    def between(self, low: float, high: float) -> float:
        """Draw a positive quantity from the variety's part of its range."""
        width = max(1 / self.n_varieties, _MIN_RANGE_SHARE)
        rank = self.order.permutation(self.n_varieties)[self.variety]
        start = (1 - width) * rank / max(1, self.n_varieties - 1)
        return super().between(low * (high / low) ** start, low * (high / low) ** (start + width))

    def choose(self, n_options: int) -> int:
        """Return the variety's kind; draw it if the sound has no varieties."""
        return self.variety % n_options if self.n_varieties > 1 else super().choose(n_options)
