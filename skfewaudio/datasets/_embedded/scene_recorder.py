"""Records the clips of the embedded data set with several labels a clip."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .room import REVERBERATION, background, draws, in_room, kind_of_background, loudness, through_microphone
from .scene_labels import CLASSES
from .sounds import SOUNDS, Signal, Take, level, place

_SHORTEST_EVENT = 0.5  # share of the clip; any two events then overlap
_NARROWEST = 0.2  # share of a quantity's range that a variety has at least, so that its sources differ
# What random numbers are for. make_sound_events has 0 to 5, the labels 6 and 7: no two share any.
_CLIP, _SITE, _RECORDING, _KIND, _LABEL, _SOURCE, _EVENT, _PLACE = range(8, 16)


@dataclass(frozen=True)
class SceneRecorder:
    """Records one clip at a time, each from random numbers of its own."""

    entropy: int
    n_labels: int
    duration: tuple[float, float]
    sample_rate: int
    snr_db: tuple[float, float]

    def record(self, clip: int, fold: int, recording: int, labels: list[int]) -> NDArray[np.float32]:
        """Render the events in the fold's room over one background, and record them."""
        own = self._chance(_CLIP, clip)
        n_samples = round(own.uniform(*self.duration) * self.sample_rate)
        site = Take(
            n_samples,
            self.sample_rate,
            self._chance(_SITE, fold),
            self._chance(_RECORDING, fold, recording),
            own,
        )
        reverberation = site.between(*REVERBERATION)
        sound = background(site, kind_of_background(fold, self._chance(_KIND)))
        sound /= level(sound)
        for label in labels:
            spot = Take(
                n_samples,
                self.sample_rate,
                self._chance(_PLACE, fold),
                self._chance(_PLACE, fold, label, recording),
                self._chance(_EVENT, clip, label),
            )
            wet = in_room(self._dry(label, fold, recording, spot), spot, reverberation)
            sound += 10 ** (spot.clip.uniform(*self.snr_db) / 20) / loudness(wet, spot) * wet
        sound = through_microphone(sound, site)
        return (own.uniform(0.4, 0.95) / np.max(np.abs(sound)) * sound).astype(np.float32)

    def _dry(self, label: int, fold: int, recording: int, spot: Take) -> Signal:
        """Render one event in part of the clip, faded in and out."""
        turn, sound = divmod(label, len(CLASSES))
        take = Variety(
            round(spot.clip.uniform(_SHORTEST_EVENT, 1.0) * spot.n_samples),
            self.sample_rate,
            self._chance(_LABEL, fold, label),
            self._chance(_SOURCE, fold, label, recording),
            spot.clip,
            turn,
            len(range(sound, self.n_labels, len(CLASSES))),
            # Not from the entropy: a label is to mean the same whatever the random state.
            np.random.default_rng(sound),
        )
        start = spot.clip.uniform(0.0, spot.seconds - take.seconds)
        fade = take.samples(spot.clip.uniform(0.02, 0.3))
        to_edge = np.minimum(np.arange(take.n_samples), np.arange(take.n_samples)[::-1])
        total = np.zeros(spot.n_samples)
        place(total, SOUNDS[CLASSES[sound]](take) * np.minimum(1.0, to_edge / fade), start, spot)
        return total

    def _chance(self, *key: int) -> np.random.Generator:
        """Give the random numbers that belong to `key`, whatever else is drawn."""
        return draws(self.entropy, *key)


@dataclass(frozen=True)
class Variety(Take):
    """A rendering whose quantities each lie in one variety's part of their range.

    For each quantity the varieties' parts are in another order, the same in every clip.
    """

    variety: int
    n_varieties: int
    order: np.random.Generator

    def between(self, low: float, high: float) -> float:
        """Draw a positive quantity as ever, but in the variety's part of its range."""
        width = max(1 / self.n_varieties, _NARROWEST)
        rank = self.order.permutation(self.n_varieties)[self.variety]
        start = (1 - width) * rank / max(1, self.n_varieties - 1)
        return super().between(low * (high / low) ** start, low * (high / low) ** (start + width))

    def choose(self, n_options: int) -> int:
        """Give the variety's kind; a sound without varieties comes in all kinds."""
        return self.variety % n_options if self.n_varieties > 1 else super().choose(n_options)
