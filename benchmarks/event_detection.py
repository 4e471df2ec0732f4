"""Evaluation of EventDetector: events of ESC-10 in recordings of two minutes, false alarms, and speed.

Dogs, roosters, sneezes and clock ticks are mixed into rain, sea waves and crackling fire, or into quiet
noise, at several signal-to-noise ratios. Five clips per class and background clips for training come from
some folds of ESC-10, the events of the recordings from another. Background clips for training and for the
recordings differ. With --development, the clips of each of the folds 1 to 3 are searched for after training
on the other two, which is what parameters were chosen by. Without it, training is on folds 1 to 3, and the
events are those of fold 4.
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.audio import load_audio
from skfewaudio.datasets import AudioDataset, load_esc50
from skfewaudio.detection import EventDetector, detect_events, event_scores

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


def score(detector: EventDetector, recordings: Iterator[Recording]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the annotated and the found events of recordings."""
    true, found = [], []
    for number, recording in enumerate(recordings):
        events = detect_events(detector, recording.sound)
        found.append(events.assign(path=str(number)))
        true += [(str(number), *event) for event in recording.events]
    return pd.DataFrame(true, columns=["path", "start", "end", "label"]), pd.concat(found, ignore_index=True)


def run(options: argparse.Namespace) -> None:
    """Print the scores of each signal-to-noise ratio, and the false alarms on background."""
    pool = Pool(load_esc50(options.data_home, subset="esc10"))
    splits = [([1, 2, 3], [4])]
    if options.development:
        splits = [([other for other in (1, 2, 3) if other != fold], [fold]) for fold in (1, 2, 3)]
    tables: dict[Any, list[tuple[pd.DataFrame, pd.DataFrame]]] = {}
    false_alarms, seconds = 0, 0.0
    for (training, testing), repeat in [(split, r) for split in splits for r in range(options.repeats)]:
        rng = np.random.default_rng([repeat, *testing])
        clips, labels = draw_shots(pool, training, options.shots, rng)
        start = time.process_time()
        detector = EventDetector(random_state=repeat).fit(clips, labels)
        print(f"fit {time.process_time() - start:.0f} s of processor time", detector.thresholds_, flush=True)
        for ratio in options.ratios:
            name = "quiet" if ratio is None else f"{ratio:g} dB"
            seed = 1000 * repeat + (500 if ratio is None else round(ratio))
            mixed = (mix(pool, i, ratio, testing, seed, options.changing) for i in range(options.recordings))
            true, found = score(detector, mixed)
            tables.setdefault(name, []).append((true, found))
            print(f"{name}: {event_scores(true, found).f_score:.3f}", flush=True)
        for number in range(options.background_minutes):
            label = BACKGROUNDS[number % len(BACKGROUNDS)]
            rng = np.random.default_rng([9, repeat, number])
            sound = 0.03 * make_background(pool, label, 60.0, rng, changing=options.changing)
            false_alarms += len(detect_events(detector, (sound, RATE)))
            seconds += 60.0
    for name, pairs in tables.items():
        true = pd.concat([t.assign(path=f"{i}-" + t["path"]) for i, (t, _) in enumerate(pairs)])
        found = pd.concat([f.assign(path=f"{i}-" + f["path"]) for i, (_, f) in enumerate(pairs)])
        scores = event_scores(true, found)
        each = [event_scores(*pair).f_score for pair in pairs]
        print(f"\n{name}: F-score {scores.f_score:.3f} (repeats {min(each):.3f} to {max(each):.3f})")
        print(scores.frame().round(3).to_string())
    if seconds:
        rate = false_alarms / seconds * 3600
        print(f"\nbackground alone: {rate:.1f} false alarms per hour in {seconds / 60:.0f} min")


def main() -> None:
    """Run the evaluation."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data-home", type=Path, required=True, help="folder of ESC-50")
    parser.add_argument("--development", action="store_true", help="do not use fold 4")
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
