"""Time for reading ogg files with one thread and with two, in paired runs.

python benchmarks/speed/decoding.py --data-home <folder that contains ESC-50-master>
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import soundfile as sf

from skfewaudio.audio import iter_clips


def make_files(folder: Path, n_files: int) -> list[Path]:
    """Write clips of 5 s of fading noise at 44.1 kHz, and return their paths."""
    rng = np.random.default_rng(0)
    paths = [folder / f"{index}.ogg" for index in range(n_files)]
    for path in paths:
        noise = rng.normal(0, 0.1, 5 * 44100)
        sf.write(path, noise * np.geomspace(1, 0.01, len(noise)), 44100)
    return paths


def seconds(paths: list[Path], sample_rate: int | None, n_threads: int) -> float:
    """Measure the time to read all files."""
    start = time.perf_counter()
    for _ in iter_clips(paths, sample_rate=sample_rate, n_threads=n_threads):
        pass
    return time.perf_counter() - start


def main() -> None:
    """Print the times with one thread and two, and the ratio within each pair."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data-home", type=Path, help="folder that contains ESC-50-master; default: generated files"
    )
    parser.add_argument("--n-files", type=int, default=100)
    parser.add_argument("--n-repeats", type=int, default=7)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.data_home:
            paths = sorted((args.data_home / "ESC-50-master" / "audio").glob("*.ogg"))[: args.n_files]
        else:
            paths = make_files(Path(folder), args.n_files)
        if not paths:
            parser.error(f"no ogg files in {args.data_home / 'ESC-50-master' / 'audio'}")
        print(f"{len(paths)} files, {args.n_repeats} pairs")
        print(f"{'to':20}{'1 thread s':>12}{'2 threads s':>13}{'ratio':>8}  range")
        for sample_rate in (None, 12000):
            seconds(paths, sample_rate, 2)  # later reads come from the disk cache
            pairs = [[seconds(paths, sample_rate, n) for n in (1, 2)] for _ in range(args.n_repeats)]
            one, two = np.transpose(pairs)
            ratio = one / two
            name = "the files' own rate" if sample_rate is None else f"{sample_rate} Hz"
            print(
                f"{name:20}{np.median(one):12.2f}{np.median(two):13.2f}"
                f"{np.median(ratio):8.2f}  {ratio.min():.2f}-{ratio.max():.2f}"
            )


if __name__ == "__main__":
    main()
