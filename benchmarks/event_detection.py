"""Evaluation of detectors: events of ESC-10 in recordings of two minutes, false alarms, and speed.

Dogs, roosters, sneezes and clock ticks are mixed into rain, sea waves and crackling fire, or into quiet
noise, at several signal-to-noise ratios. Five clips per class and background clips for training come from
some folds of ESC-10, the events of the recordings from another. Background clips for training and for the
recordings differ. With --development, the clips of each of the folds 1 to 3 are searched for after training
on the other two, which is what parameters were chosen by. Without it, training is on folds 1 to 3, and the
events are those of fold 4.
"""

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.audio import load_audio
from skfewaudio.datasets import AudioDataset, load_esc50
from skfewaudio.detection import (
    EventDetector,
    EventScores,
    PrototypicalDetector,
    TemplateMatching,
    detect_events,
    event_scores,
)

RATE = 44100
EVENTS = ("dog", "rooster", "sneezing", "clock_tick")
BACKGROUNDS = ("rain", "sea_waves", "crackling_fire")
# Parts of a clip within this many decibels of its loudest 10 ms are one event if their gaps in seconds are
# shorter. The ticks of a clock are one event.
ACTIVE_DECIBELS = 25.0
GAPS = {"clock_tick": 1.5}
GAP = 0.5
QUIET_RATIO = 40.0  # decibels of events over quiet noise
SECONDS = 120.0
PER_CLASS = 2  # events of a class in a recording
PAUSE = 1.0  # shortest pause between events in seconds

Samples = NDArray[np.float32]


class Recording(NamedTuple):
    """A mixed recording and its events."""

    sound: tuple[Samples, int]
    events: list[tuple[float, float, str]]


class Pool:
    """Clips of ESC-10 by class and fold.

    Parameters
    ----------
    dataset : AudioDataset
        ESC-10.
    """

    def __init__(self, dataset: AudioDataset) -> None:
        self._dataset = dataset
        self._loaded: dict[str, Samples] = {}

    def files(self, label: str, folds: Sequence[int]) -> list[str]:
        """Return the files of a class in some folds."""
        kept = (self._dataset.target == label) & np.isin(self._dataset.folds, folds)
        return sorted(path for path, one in zip(self._dataset.paths, kept, strict=True) if one)

    def load(self, path: str) -> Samples:
        """Return the samples of a file."""
        if path not in self._loaded:
            self._loaded[path] = load_audio(path, sample_rate=RATE)
        return self._loaded[path]

    def span(self, path: str, label: str) -> tuple[float, float]:
        """Return start and end in seconds of the part of a clip with the most energy."""
        samples = self.load(path)
        blocks = samples[: len(samples) // 441 * 441].reshape(-1, 441)
        power = np.square(blocks).mean(axis=1)
        loud = np.flatnonzero(power > power.max() * 10 ** (-ACTIVE_DECIBELS / 10))
        cuts = np.flatnonzero(np.diff(loud) > GAPS.get(label, GAP) * 100)
        starts, ends = np.r_[loud[0], loud[cuts + 1]], np.r_[loud[cuts], loud[-1]] + 1
        best = int(np.argmax([power[a:b].sum() for a, b in zip(starts, ends, strict=True)]))
        return float(starts[best] / 100), float(ends[best] / 100)

    def event(self, path: str, label: str) -> Samples:
        """Return the event of a clip, faded at its ends."""
        start, end = self.span(path, label)
        samples = self.load(path)[round(start * RATE) : round(end * RATE)].copy()
        n_faded = min(441, len(samples) // 4)
        samples[:n_faded] *= np.linspace(0, 1, n_faded, dtype=np.float32)
        samples[-n_faded:] *= np.linspace(1, 0, n_faded, dtype=np.float32)
        return samples

    def is_long(self, path: str) -> bool:
        """Return whether a clip has four seconds of sound."""
        return len(np.trim_zeros(self.load(path))) > 4 * RATE

    def backgrounds(self, label: str, folds: Sequence[int], *, training: bool) -> list[str]:
        """Return every second file of a background: those for training, or the others."""
        return self.files(label, folds)[0 if training else 1 :: 2]


def draw_shots(
    pool: Pool, folds: Sequence[int], n_shots: int, rng: np.random.Generator
) -> tuple[list[Any], list[str]]:
    """Return training clips and labels."""
    clips: list[Any] = []
    labels: list[str] = []
    for label in EVENTS:
        for path in rng.choice(pool.files(label, folds), n_shots, replace=False):
            clips.append((str(path), *pool.span(str(path), label)))
            labels.append(label)
    for label in BACKGROUNDS:
        for path in pool.backgrounds(label, folds, training=True):
            clips.append((path, 0.0, None))
            labels.append("background")
    return clips, labels


def make_background(
    pool: Pool, label: str, seconds: float, rng: np.random.Generator, *, changing: bool = False
) -> Samples:
    """Return a background of one level, joined with fades of a quarter of a second.

    One recording is repeated with random starts, as at one place; or, if it is changing, others follow.
    """
    files = [path for path in pool.backgrounds(label, (1, 2, 3), training=False) if pool.is_long(path)]
    one = str(rng.choice(files))
    n_samples, n_faded = round(seconds * RATE), RATE // 4
    ramp = np.sin(np.linspace(0, np.pi / 2, n_faded)).astype(np.float32)
    joined = np.zeros(n_samples + 10 * RATE, dtype=np.float32)
    position = 0
    while position < n_samples:
        samples = np.trim_zeros(pool.load(str(rng.choice(files)) if changing else one))
        samples = samples / np.sqrt(np.square(samples).mean())
        samples = samples[: len(samples) - int(rng.integers(RATE))] if not changing else samples
        samples[:n_faded] *= ramp
        samples[-n_faded:] *= ramp[::-1]
        joined[position : position + len(samples)] += samples
        position += len(samples) - n_faded
    return joined[:n_samples]


def make_quiet(seconds: float, rng: np.random.Generator) -> Samples:
    """Return pink noise."""
    n_samples = round(seconds * RATE)
    spectrum = np.fft.rfft(rng.standard_normal(n_samples))
    frequencies = np.maximum(np.fft.rfftfreq(n_samples, 1 / RATE), 50.0)
    noise = np.fft.irfft(spectrum / np.sqrt(frequencies), n_samples)
    return (noise / np.sqrt(np.square(noise).mean())).astype(np.float32)


def mix(
    pool: Pool, number: int, ratio: float | None, folds: Sequence[int], seed: int, changing: bool
) -> Recording:
    """Mix a recording, with quiet noise if the signal-to-noise ratio is None."""
    rng = np.random.default_rng([seed, number])
    label = BACKGROUNDS[number % len(BACKGROUNDS)]
    if ratio is None:
        sound = make_quiet(SECONDS, rng)
    else:
        sound = make_background(pool, label, SECONDS, rng, changing=changing)
    sound *= 10 ** (-30 / 20)
    labels = rng.permutation(np.repeat(EVENTS, PER_CLASS)).tolist()
    clips = [pool.event(str(rng.choice(pool.files(label, folds))), label) for label in labels]
    free = SECONDS - sum(map(len, clips)) / RATE - PAUSE * (len(clips) + 1)
    pauses = PAUSE + free * rng.dirichlet(np.ones(len(clips) + 1))
    events, seconds = [], 0.0
    for label, clip, pause in zip(labels, clips, pauses, strict=False):
        first = round((seconds + pause) * RATE)
        last = first + len(clip)
        level = np.sqrt(np.square(sound[first:last]).mean() / np.square(clip).mean())
        sound[first:last] += clip * level * 10 ** ((QUIET_RATIO if ratio is None else ratio) / 20)
        seconds = last / RATE
        events.append((first / RATE, seconds, label))
    return Recording((sound / max(1.0, float(np.abs(sound).max())), RATE), events)


def find(detector: Any, sound: tuple[Samples, int]) -> pd.DataFrame:
    """Return the events of a recording at the default threshold."""
    return detector.detect(sound) if hasattr(detector, "detect") else detect_events(detector, sound)


class Evaluation:
    """Scores of detectors that are fitted to the same clips and search the same recordings.

    Parameters
    ----------
    pool : Pool
        Clips.
    options : Namespace
        Options of the command.
    """

    def __init__(self, pool: Pool, options: argparse.Namespace) -> None:
        self._pool = pool
        self._options = options
        self._true: dict[str, list[tuple[str, float, float, str]]] = {}
        self._found: dict[tuple[str, str], list[pd.DataFrame]] = {}
        self._alarms: dict[str, int] = {}
        self._background_seconds = 0.0
        self._processor_seconds: dict[str, float] = {}
        self._searched_seconds = 0.0

    def run(self, training: list[int], testing: list[int], repeat: int) -> None:
        """Fit the detectors to clips of some folds, and search recordings with events of others."""
        options = self._options
        rng = np.random.default_rng([repeat, *testing])
        clips, labels = draw_shots(self._pool, training, options.shots, rng)
        detectors: dict[str, Any] = {"EventDetector": EventDetector(random_state=repeat)}
        if options.baselines:
            detectors |= {
                "TemplateMatching": TemplateMatching(),
                "PrototypicalDetector": PrototypicalDetector(),
            }
        for name, detector in detectors.items():
            start = time.process_time()
            detector.fit(clips, labels)
            print(f"{name}: fit {time.process_time() - start:.0f} s of processor time", flush=True)
        for ratio in options.ratios:
            self._search(detectors, ratio, testing, repeat)
        for number in range(options.background_minutes):
            label = BACKGROUNDS[number % len(BACKGROUNDS)]
            rng = np.random.default_rng([9, repeat, number])
            sound = 0.03 * make_background(self._pool, label, 60.0, rng, changing=options.changing)
            for name, detector in detectors.items():
                n_found = len(self._find(name, detector, (sound, RATE)))
                self._alarms[name] = self._alarms.get(name, 0) + n_found
            self._background_seconds += 60.0
            self._searched_seconds += 60.0

    def _search(
        self, detectors: dict[str, Any], ratio: float | None, testing: list[int], repeat: int
    ) -> None:
        """Search the recordings of a signal-to-noise ratio."""
        level = "quiet" if ratio is None else f"{ratio:g} dB"
        seed = 1000 * repeat + (500 if ratio is None else round(ratio))
        for number in range(self._options.recordings):
            recording = mix(self._pool, number, ratio, testing, seed, self._options.changing)
            path = f"{testing[0]}-{repeat}-{number}"
            self._true.setdefault(level, []).extend((path, *event) for event in recording.events)
            for name, detector in detectors.items():
                events = self._find(name, detector, recording.sound).assign(path=path)
                self._found.setdefault((level, name), []).append(events)
            self._searched_seconds += SECONDS
        for name in detectors:
            print(f"{level}, {name}: F-score {self._score(level, name).f_score:.3f}", flush=True)

    def _score(self, level: str, name: str) -> EventScores:
        """Return the scores of a detector in all recordings of a signal-to-noise ratio so far."""
        true = pd.DataFrame(self._true[level], columns=["path", "start", "end", "label"])
        return event_scores(true, pd.concat(self._found[level, name], ignore_index=True))

    def _find(self, name: str, detector: Any, sound: tuple[Samples, int]) -> pd.DataFrame:
        start = time.process_time()
        events = find(detector, sound)
        seconds = time.process_time() - start
        self._processor_seconds[name] = self._processor_seconds.get(name, 0.0) + seconds
        return events

    def print(self) -> None:
        """Print the scores of each signal-to-noise ratio, the false alarms on background, and the times."""
        for level, name in self._found:
            scores = self._score(level, name)
            print(f"\n{level}, {name}: F-score {scores.f_score:.3f}")
            print(scores.frame().round(3).to_string())
        for name, n_alarms in self._alarms.items():
            rate = n_alarms / self._background_seconds * 3600
            print(f"{name}: {rate:.1f} false alarms per hour of background alone")
        for name, seconds in self._processor_seconds.items():
            print(f"{name}: {seconds / self._searched_seconds * 3600:.0f} s of processor time per hour")


def run(options: argparse.Namespace) -> None:
    """Evaluate the detectors on each split and draw."""
    evaluation = Evaluation(Pool(load_esc50(options.data_home, subset="esc10")), options)
    splits = [([1, 2, 3], [4])]
    if options.development:
        splits = [([other for other in (1, 2, 3) if other != fold], [fold]) for fold in (1, 2, 3)]
    for training, testing in splits:
        for repeat in range(options.repeats):
            evaluation.run(training, testing, repeat)
    evaluation.print()


def main() -> None:
    """Run the evaluation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", type=Path, required=True, help="folder of ESC-50")
    parser.add_argument("--development", action="store_true", help="do not use fold 4")
    parser.add_argument("--baselines", action="store_true", help="compare with the two baselines")
    parser.add_argument("--changing", action="store_true", help="another background clip every 5 s")
    parser.add_argument("--shots", type=int, default=5, help="clips per class (default: 5)")
    parser.add_argument("--recordings", type=int, default=20, help="recordings per ratio (default: 20)")
    parser.add_argument("--repeats", type=int, default=1, help="draws of shots (default: 1)")
    parser.add_argument("--background-minutes", type=int, default=60, help="background alone (default: 60)")
    parser.add_argument(
        "--ratios",
        type=lambda text: None if text == "quiet" else float(text),
        nargs="+",
        default=[20.0, 14.0, 9.0, 4.0, 0.0, None],
        help='decibels, or "quiet"',
    )
    run(parser.parse_args())


if __name__ == "__main__":
    main()
