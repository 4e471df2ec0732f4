"""Accuracy of check_leakage in finding near-duplicates on ESC-10, and its computing time.

The script prints the most similar pairs of different recordings, the number of modified versions of 100
clips that are found, and the time for clips of noise.
"""

import argparse
import io
import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from skfewaudio import MFCC, LogMel
from skfewaudio.audio import iter_clips
from skfewaudio.datasets import load_esc50
from skfewaudio.model_selection._leakage.content import MIN_SIMILARITY, Content, read_content

RATE = 44100
Modification = Callable[[NDArray, np.random.Generator], NDArray]


def encode(x: NDArray, quality: float = 0.1) -> NDArray:
    """Encode and decode as ogg with a quality from 0 to 1."""
    file = io.BytesIO()
    sf.write(file, x, RATE, format="OGG", subtype="VORBIS", compression_level=1 - quality)
    file.seek(0)
    return sf.read(file, dtype="float32")[0]


def excerpt(x: NDArray, rng: np.random.Generator) -> NDArray:
    """Cut an excerpt of four fifths at a random position."""
    length = 4 * len(x) // 5
    start = rng.integers(len(x) - length + 1)
    return x[start : start + length]


def add_noise(x: NDArray, rng: np.random.Generator) -> NDArray:
    """Add white noise 30 dB below the clip's mean power."""
    scale = np.sqrt(np.mean(x**2)) * 10 ** (-30 / 20)
    return (x + scale * rng.normal(size=len(x))).astype(np.float32)


MODIFICATIONS: dict[str, Modification] = {
    "gain of -6 dB": lambda x, rng: 0.5 * x,
    "ogg, quality 0.1": lambda x, rng: encode(x),
    "later by 50 ms": lambda x, rng: np.pad(x, (RATE // 20, 0))[: len(x)],
    "excerpt of 80 %": excerpt,
    "noise at 30 dB SNR": add_noise,
}
READERS: dict[str, Callable[[list[NDArray]], Content]] = {
    "sound": lambda clips: read_content(clips, RATE),
    "spectrogram": lambda clips: read_content(LogMel(sample_rate=RATE).transform(clips), None),
    "vector": lambda clips: read_content(MFCC(sample_rate=RATE).transform(clips), None),
}


def print_most_similar(content: Content, groups: NDArray, names: list[str], n_shown: int = 5) -> None:
    """Print the most similar pairs of different recordings."""
    lowest = 0.5 * MIN_SIMILARITY[content.kind]
    pairs = content.find_near_duplicates(lambda a, b: groups[a][:, None] != groups[b], lowest)
    ranked = sorted(pairs, key=lambda pair: -pair.similarity)
    flagged = sum(pair.similarity >= MIN_SIMILARITY[content.kind] for pair in ranked)
    n_pairs = sum(int((groups[:i] != group).sum()) for i, group in enumerate(groups))
    print(f"\n{content.kind}: {flagged} of {n_pairs} pairs of different recordings flagged; most similar:")
    for pair in ranked[:n_shown]:
        print(f"  {pair.similarity:.2f}  {names[pair.first]}  {names[pair.second]}")


def print_modified_found(kind: str, clips: list[NDArray], chosen: NDArray) -> None:
    """Print how many modified versions are found among all clips by the search of check_leakage."""
    for name, change in MODIFICATIONS.items():
        changed = [change(clips[i], np.random.default_rng(i)) for i in chosen]
        content = READERS[kind]([*clips, *changed])
        partner = dict(zip(chosen.tolist(), range(len(clips), len(content)), strict=True))
        pairs = content.find_near_duplicates(lambda a, b: np.ones((len(a), len(b)), dtype=bool), None)
        found = [pair.similarity for pair in pairs if partner.get(pair.first) == pair.second]
        least = f"least similar {min(found):.2f}" if found else ""
        print(f"  {name}: {len(found)} of {len(chosen)} found; {least}", flush=True)


def print_time(n_clips: int, seconds: float) -> None:
    """Print time and memory for fingerprints and comparison of clips of noise."""
    n_samples = round(seconds * 16000)
    rng = np.random.default_rng(0)
    clips = rng.normal(size=(n_clips, n_samples)).astype(np.float32)
    start = time.perf_counter()
    content = read_content(clips, 16000)
    read_seconds = time.perf_counter() - start
    del clips
    tracemalloc.start()
    start = time.perf_counter()
    content.find_near_duplicates(lambda a, b: np.ones((len(a), len(b)), dtype=bool), None)
    compare_seconds, (_, peak) = time.perf_counter() - start, tracemalloc.get_traced_memory()
    prints = sum(x.nbytes for x in content.data) / 2**20
    print(
        f"\n{n_clips} clips of {seconds:g} s: fingerprints {read_seconds:.0f} s and {prints:.0f} MiB, ",
        end="",
    )
    print(f"all pairs {compare_seconds:.0f} s and {peak / 2**20:.0f} MiB more")
    scale = 5000 / n_clips
    print(
        f"  5,000 such clips: {read_seconds * scale:.0f} s and {prints * scale:.0f} MiB, "
        f"{compare_seconds * scale**2:.0f} s"
    )


def main() -> None:
    """Print the requested results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", help="folder of ESC-50-master; without it only times are measured")
    parser.add_argument("--n-clips", type=int, default=2000, help="for the times; 0 leaves them out")
    args = parser.parse_args()
    if args.data_home:
        dataset = load_esc50(args.data_home, subset="esc10")
        names = [path.rsplit("/", 1)[-1] for path in dataset.paths]
        clips = list(iter_clips(dataset.paths, sample_rate=RATE))
        chosen = np.sort(np.random.default_rng(0).permutation(len(clips))[:100])
        for kind, read in READERS.items():
            content = read(clips)
            print_most_similar(content, dataset.groups, names)
            print_modified_found(kind, clips, chosen)
    if args.n_clips:
        print_time(args.n_clips, 5.0)


if __name__ == "__main__":
    main()
