"""Synthesis of ten urban sounds, without reverberation."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import iirpeak, lfilter

Signal = NDArray[np.float64]


@dataclass(frozen=True)
class Take:
    """Length of one rendered sound, and the random generators of its fold, its sound source and its clip.

    Every clip must draw from `fold` and `source` in the same order and number. Draws whose number varies
    therefore use `clip` only.
    """

    n_samples: int
    sample_rate: int
    fold: np.random.Generator
    source: np.random.Generator
    clip: np.random.Generator

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.n_samples / self.sample_rate

    def between(self, low: float, high: float) -> float:
        """Draw a positive quantity on a log scale, similar within a fold and more so within a source."""
        position = 0.45 * self.fold.random() + 0.4 * self.source.random() + 0.15 * self.clip.random()
        return float(low * (high / low) ** position)

    def choose(self, n_options: int) -> int:
        """Draw the kind of the source, which is the same in all its clips."""
        return int(self.source.integers(n_options))

    def samples(self, seconds: float) -> int:
        """Convert seconds to a number of samples, at least two."""
        return max(2, round(seconds * self.sample_rate))

    def curve(self, rate: float, low: float, high: float) -> Signal:
        """Return a smooth random curve between two values, with `rate` knots per second."""
        knots = self.clip.uniform(low, high, size=int(self.seconds * rate) + 3)
        at = np.arange(self.n_samples) * (rate / self.sample_rate)
        before = at.astype(int)
        along = at - before
        return knots[before] + np.diff(knots)[before] * along**2 * (3 - 2 * along)

    def noise(self, n_samples: int | None = None) -> Signal:
        """Return white noise of unit variance; None is the length of the sound."""
        return self.clip.standard_normal(self.n_samples if n_samples is None else n_samples)

    def onsets(self, gap: float, spread: float, most: int) -> Signal:
        """Draw at most `most` start times in seconds, the first one early, at intervals of about `gap`."""
        first = self.clip.uniform(0.0, 0.6) * self.seconds
        gaps = gap * self.clip.uniform(1 - spread, 1 + spread, size=int(self.clip.integers(most)))
        times = first + np.concatenate([[0.0], np.cumsum(gaps)])
        return times[times < self.seconds - 0.05]

    def gate(self, on: float, off: float, *, attack: float, release: float) -> Signal:
        """Return an envelope that is 1 for about `on` and 0 for about `off` seconds in turn, with slopes."""
        start = self.clip.uniform(-0.5 * on, 0.4 * self.seconds)
        times, levels = [start - attack], [0.0]
        while times[-1] < self.seconds:
            end = start + attack + on * self.clip.uniform(0.6, 1.5)
            times += [start, start + attack, end, end + release]
            levels += [0.0, 1.0, 1.0, 0.0]
            start = end + release + off * self.clip.uniform(0.5, 1.8)
        return np.interp(np.arange(self.n_samples) / self.sample_rate, times, levels)

    def pulses(self, rate: float | Signal, jitter: float) -> Signal:
        """Return impulses at `rate` Hz with irregular spacing and strength."""
        count = int(np.max(rate) * self.seconds * 1.5) + 8
        steps = 1.0 + jitter * self.clip.standard_normal(count)
        beats = np.cumsum(np.full(self.n_samples, 1.0 / self.sample_rate) * rate)
        at = np.searchsorted(beats, np.cumsum(np.maximum(steps, 0.2)) - self.clip.random())
        train = np.zeros(self.n_samples)
        inside = at[at < self.n_samples]
        train[inside] = self.clip.uniform(1 - 2 * jitter, 1 + 2 * jitter, size=len(inside))
        return train


def harmonics(frequency: float | Signal, amplitudes: Signal, take: Take, n: int | None = None) -> Signal:
    """Return the sum of a tone's harmonics below the Nyquist frequency; `frequency`, in Hz, may vary."""
    track = np.broadcast_to(frequency, (take.n_samples if n is None else n,))
    kept = max(1, min(len(amplitudes), int(0.48 * take.sample_rate / np.max(track))))
    tone = np.exp(2j * np.pi * (np.cumsum(track) / take.sample_rate + take.clip.random()))
    phases = np.exp(2j * np.pi * take.clip.random(kept))
    total = np.zeros(len(track), dtype=complex)
    # Horner's rule: a complex product per harmonic is several times as fast as a sine per harmonic.
    for amplitude in (amplitudes[:kept] * phases)[::-1]:
        total = (total + amplitude) * tone
    return total.imag


def rolloff(count: int, power: float) -> Signal:
    """Return amplitudes of harmonics that fall with a power of their number."""
    return np.arange(1.0, count + 1.0) ** np.float64(-power)


def resonate(x: Signal, take: Take, peaks: Sequence[tuple[float, float, float]]) -> Signal:
    """Filter by parallel resonances, each (frequency in Hz, quality, gain)."""
    total = np.zeros_like(x)
    for peak, quality, gain in peaks:
        frequency = min(peak, 0.45 * take.sample_rate)
        # The filter of iirpeak is unstable if its bandwidth exceeds half the sample rate.
        b, a = iirpeak(frequency, max(quality, frequency / (0.4 * take.sample_rate)), fs=take.sample_rate)
        total += gain * lfilter(b, a, x)
    return total


def smooth(x: Signal, cutoff: float, take: Take) -> Signal:
    """Filter by a one-pole low-pass with its cut-off at `cutoff` Hz."""
    pole = np.exp(-2 * np.pi * cutoff / take.sample_rate)
    return lfilter([1 - pole], [1, -pole], x)


def decay(n: int, seconds: float, take: Take) -> Signal:
    """Return an exponential decay by 60 dB in `seconds`."""
    return np.exp(-6.9 / (seconds * take.sample_rate) * np.arange(n))


def rms(x: Signal) -> float:
    """Return the root mean square, which is never zero."""
    return float(np.sqrt(np.mean(x**2))) + 1e-12


def add_at(total: Signal, sound: Signal, at: float, take: Take) -> None:
    """Add a sound to `total` in place, starting at `at` seconds; samples beyond the end are dropped."""
    start = round(at * take.sample_rate)
    room = max(0, len(total) - start)
    total[start : start + len(sound)] += sound[:room]


def car_horn(take: Take) -> Signal:
    """Render two or three detuned bright tones, sounded once or repeatedly."""
    pitch, interval, fall = take.between(260, 560), take.between(1.12, 1.4), take.between(0.4, 1.5)
    peak, on, off = take.between(1200, 4500), take.between(0.2, 1.6), take.between(0.1, 1.0)
    voices = [pitch, pitch * interval, pitch * interval * 1.26][: 2 + take.choose(2)]
    passing = take.curve(0.5, 0.98, 1.02)
    chord = sum((harmonics(f * passing, rolloff(24, fall), take) for f in voices), np.zeros(take.n_samples))
    reed = chord + resonate(chord, take, [(peak, 2.0, 2.0)])
    return reed * take.gate(on, off, attack=0.015, release=0.05)


def siren(take: Take) -> Signal:
    """Render one swept tone: a slow wail, a fast yelp, or two alternating pitches."""
    low, span, fall = take.between(420, 900), take.between(1.3, 2.6), take.between(0.7, 2.2)
    kind, speed = take.choose(3), take.between(0.7, 1.6)
    cycles = np.arange(take.n_samples) / take.sample_rate * speed * (0.3, 3.0, 0.8)[kind] + take.clip.random()
    sweep = np.abs(2 * (cycles % 1.0) - 1.0)
    if kind == 2:
        sweep = smooth((sweep > 0.5).astype(float), 15.0, take)
    passing = take.curve(0.4, 0.95, 1.05)
    tone = harmonics(low * span**sweep * passing, rolloff(14, fall), take)
    return tone * take.curve(0.8, 0.3, 1.0) * take.gate(4.0, 0.3, attack=0.1, release=0.3)


def drilling(take: Take) -> Signal:
    """Render a motor that speeds up and slows down under load, with gear whine and cutting noise."""
    pitch, fall, teeth = take.between(130, 420), take.between(0.6, 1.3), take.between(5, 14)
    noisiness, bite = take.between(0.3, 2.0), take.between(1500, 6000)
    on, off = take.between(0.8, 3.0), take.between(0.2, 0.8)
    running = take.gate(on, off, attack=0.15, release=0.25)
    turns = pitch * (0.35 + 0.65 * running) * take.curve(2.5, 0.8, 1.05)
    motor = harmonics(turns, rolloff(24, fall), take) + 0.7 * harmonics(turns * teeth, rolloff(2, 1.0), take)
    load = np.maximum(0.0, take.curve(2.0, -0.4, 1.0)) * running
    cutting = resonate(take.noise(), take, [(bite, 1.0, 2.0), (bite * 0.4, 1.5, 1.0)])
    return motor / rms(motor) * running + noisiness * cutting / rms(cutting) * load


def _bark(take: Take, pitch: float, throat: float, rough: float, seconds: float) -> Signal:
    """Render one bark: the pitch rises and falls, and the mouth opens and closes."""
    n = take.samples(seconds)
    t = np.linspace(0.0, 1.0, n)
    track = pitch * (0.75 + 0.6 * np.sin(np.pi * t**0.5))
    track = track * (1 + 0.03 * take.noise(n))
    glottis = harmonics(track, rolloff(20, 0.6), take, n) + rough * take.noise(n)
    shut = resonate(glottis, take, [(throat * 0.7, 3.0, 1.0), (throat * 2.0, 4.0, 0.3)])
    opened = resonate(glottis, take, [(throat * 1.3, 3.0, 1.0), (throat * 2.6, 4.0, 0.6)])
    mouth = np.sin(np.pi * t)
    return (shut * (1 - mouth) + opened * mouth) * np.minimum(1.0, t * 12) * (1 - t) ** 1.2


def dog_bark(take: Take) -> Signal:
    """Render one or several short, rough barks."""
    pitch, throat, rough = take.between(180, 900), take.between(500, 1600), take.between(0.3, 2.0)
    seconds, gap = take.between(0.09, 0.35), take.between(0.25, 0.9)
    total = np.zeros(take.n_samples)
    for at in take.onsets(gap, 0.4, 6):
        bend, strength = take.clip.uniform(0.85, 1.15), take.clip.uniform(0.4, 1.0)
        add_at(total, strength * _bark(take, pitch * bend, throat, rough, seconds * bend), at, take)
    return total


def gun_shot(take: Take) -> Signal:
    """Render one or a few shots: a crack, a decaying rumble and distant echoes."""
    tail, dull, thump = take.between(0.15, 1.2), take.between(800, 7000), take.between(45, 160)
    gap, echo = take.between(0.12, 1.2), take.between(0.06, 0.4)
    total = np.zeros(take.n_samples)
    for at in take.onsets(gap, 0.3, 5):
        n = take.samples(tail)
        blast = smooth(take.noise(n), dull, take) * decay(n, tail, take)
        boom = np.sin(2 * np.pi * thump * np.arange(n) / take.sample_rate) * decay(n, 0.15, take)
        shot = blast / np.max(np.abs(blast)) + 0.5 * boom
        add_at(total, shot, at, take)
        for k in range(1, 4):
            faint = 0.45**k * take.clip.uniform(0.3, 1.0)
            later = at + k * echo * take.clip.uniform(0.8, 1.2)
            add_at(total, faint * smooth(shot, 2500.0 / k, take), later, take)
    return total


def engine_idling(take: Take) -> Signal:
    """Render uneven firing pulses filtered by the exhaust's resonances, with valve clatter."""
    rate, uneven, clatter = take.between(11, 45), take.between(0.02, 0.12), take.between(0.05, 0.8)
    pipe, body, valves = take.between(50, 140), take.between(180, 600), take.between(900, 4000)
    train = take.pulses(rate * take.curve(0.7, 0.92, 1.1), uneven)
    exhaust = resonate(train, take, [(pipe, 2.0, 1.0), (body, 3.0, 0.7), (body * 2.7, 3.0, 0.4)])
    ticking = resonate(take.noise(), take, [(valves, 1.5, 1.0)]) * smooth(train, 40.0, take)
    return exhaust / rms(exhaust) + clatter * ticking / rms(ticking)


def jackhammer(take: Take) -> Signal:
    """Render blows at 10 to 30 Hz: ringing metal, thumps of the ground and bursts of noise."""
    rate, ring, sharp = take.between(9, 32), take.between(700, 4500), take.between(3, 25)
    brief, ground, grit = take.between(15, 80), take.between(60, 200), take.between(0.3, 2.0)
    working = take.gate(take.between(1.0, 4.0), take.between(0.2, 0.8), attack=0.03, release=0.08)
    train = take.pulses(rate * take.curve(1.0, 0.95, 1.05), 0.04) * working
    metal = resonate(train, take, [(ring, sharp, 1.0), (ring * 1.53, sharp, 0.7), (ring * 2.41, sharp, 0.5)])
    thump = resonate(train, take, [(ground, 1.5, 1.0)])
    debris = resonate(take.noise(), take, [(ring * 1.8, 0.7, 1.0)]) * smooth(train, brief, take)
    return metal / rms(metal) + 0.7 * thump / rms(thump) + grit * debris / rms(debris)


def air_conditioner(take: Take) -> Signal:
    """Render rushing air with a mains hum and a slowly beating fan."""
    dull, rush, hum = take.between(200, 3000), take.between(300, 2500), take.between(0.05, 1.0)
    blades, depth, fall = take.between(6, 40), take.between(0.03, 0.4), take.between(0.5, 1.6)
    noise = take.noise()
    air = smooth(noise, dull, take)
    air = air / rms(air) + 0.5 * resonate(noise, take, [(rush, 2.0, 1.0)])
    beat = 1 + depth * np.sin(2 * np.pi * blades * np.arange(take.n_samples) / take.sample_rate)
    motor = harmonics((100.0, 120.0)[take.choose(2)], rolloff(8, fall), take)
    return (air * beat + hum * motor / rms(motor)) * take.curve(0.7, 0.7, 1.0)


# First three formants, in Hz, of four vowels in a child's short vocal tract, rounded.
_VOWELS = np.array([[950, 1500, 3400], [450, 2600, 3600], [500, 1000, 3200], [650, 2200, 3500]], dtype=float)


def _child(take: Take, pitch: float, tract: float, excitement: float) -> Signal:
    """Render one child's voice: syllables with a varying pitch, and occasional shouts."""
    talking = take.gate(0.25, 0.25, attack=0.05, release=0.08) * np.maximum(0.0, take.curve(1.0, -0.3, 1.0))
    track = pitch * take.curve(4.0, 0.8, 1.2) * take.curve(1.0, 1.0, 1.0 + excitement)
    voice = harmonics(track, rolloff(14, 0.7), take) + 0.1 * take.noise()
    one, other = (
        resonate(voice, take, list(zip(tract * vowel, (5.0, 8.0, 9.0), (1.0, 0.6, 0.3), strict=True)))
        for vowel in take.clip.permutation(_VOWELS)[:2]
    )
    blend = take.curve(4.0, 0.0, 1.0)
    return (one * (1 - blend) + other * blend) * talking


def children_playing(take: Take) -> Signal:
    """Render several simultaneous high voices, talking and shouting."""
    pitch, tract, excitement = take.between(230, 480), take.between(0.85, 1.3), take.between(0.2, 1.2)
    total = np.zeros(take.n_samples)
    for _ in range(int(take.clip.integers(2, 6))):
        nearness, size = take.clip.uniform(0.3, 1.0), take.clip.uniform(0.8, 1.3)
        total += nearness * _child(take, pitch * size, tract, excitement)
    return total


# Semitones above the root: a pentatonic melody, and the chords under it.
_SCALE = np.array([0, 2, 4, 7, 9, 12, 14, 16])
_ROOTS = np.array([0, 5, 7, 9, 4])


def _note(take: Take, pitch: float, seconds: float, fall: float, sustained: bool) -> Signal:
    """Render one note, either plucked or with a steady level."""
    n = take.samples(seconds)
    tone = harmonics(pitch, rolloff(12, fall), take, n)
    edge = np.minimum(1.0, np.minimum(np.arange(n), np.arange(n)[::-1]) / (0.02 * take.sample_rate))
    return tone * edge * (1.0 if sustained else decay(n, 2.5 * seconds, take))


def street_music(take: Take) -> Signal:
    """Render a melody over chords and a beat, plucked or sustained."""
    beat, root, fall = 60 / take.between(75, 170), take.between(130, 330), take.between(0.6, 2.0)
    drums, sustained, busy = take.between(0.05, 1.5), bool(take.choose(2)), take.between(0.4, 0.9)
    total = np.zeros(take.n_samples)
    start = -take.clip.random() * beat
    for k in range(int((take.seconds - start) / beat) + 1):
        at = max(0.0, start + k * beat)
        chord = _ROOTS[take.clip.integers(len(_ROOTS))] - 12
        for step in (0, 4, 7):
            pitch = root * 2 ** ((chord + step) / 12)
            add_at(total, 0.4 * _note(take, pitch, beat, fall, sustained), at, take)
        kick = resonate(np.r_[1.0, np.zeros(take.samples(0.2))], take, [(70.0, 3.0, 60.0)])
        add_at(total, drums * kick, at, take)
        for half in (0.0, beat / 2):
            pitch = root * 2 ** (_SCALE[take.clip.integers(len(_SCALE))] / 12)
            if take.clip.random() < busy:
                add_at(total, _note(take, 2 * pitch, 0.9 * beat / 2, fall, sustained), at + half, take)
            n = take.samples(0.06)
            add_at(total, 0.2 * drums * np.diff(take.noise(n + 1)) * decay(n, 0.08, take), at + half, take)
    return total


SOUNDS: dict[str, Callable[[Take], Signal]] = {
    "air_conditioner": air_conditioner,
    "car_horn": car_horn,
    "children_playing": children_playing,
    "dog_bark": dog_bark,
    "drilling": drilling,
    "engine_idling": engine_idling,
    "gun_shot": gun_shot,
    "jackhammer": jackhammer,
    "siren": siren,
    "street_music": street_music,
}
