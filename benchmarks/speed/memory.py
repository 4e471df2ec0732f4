"""Peak memory of LogMel for growing numbers of files; it should grow with the output only.

Each number of clips is measured in a separate process.

    python benchmarks/speed/memory.py
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile as sf

MB = 2**20


def make_files(folder: Path, n_files: int, seconds: float) -> None:
    """Write a few clips of noise at 44.1 kHz."""
    rng = np.random.default_rng(0)
    for index in range(n_files):
        sf.write(folder / f"{index}.wav", rng.normal(0, 0.1, int(seconds * 44100)), 44100)


def measure(folder: Path, n_clips: int) -> None:
    """Print the size of the output and the peak memory before and after it, in bytes."""
    from skfewaudio.features import LogMel

    files = sorted(folder.glob("*.wav"))
    paths = [files[index % len(files)] for index in range(n_clips)]
    log_mel = LogMel.from_preset("few-data", n_threads=2, device="cpu")
    log_mel.transform(paths[:8])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    output = log_mel.transform(paths)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    n_bytes = output.nbytes if isinstance(output, np.ndarray) else sum(clip.nbytes for clip in output)
    print(n_bytes, before, after)


def main() -> None:
    """Print the sizes of clips and output, and the peak memory, for each number of clips."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-clips", type=int, nargs="+", default=[250, 500, 1000])
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)  # set in the measured processes
    args = parser.parse_args()
    if args.folder:
        measure(args.folder, args.n_clips[0])
        return
    print(f"{'clips':>6}{'clips MB':>10}{'output MB':>11}{'peak MB':>9}{'increase MB':>14}")
    with tempfile.TemporaryDirectory() as folder:
        make_files(Path(folder), 8, args.seconds)
        for n_clips in args.n_clips:
            command = [sys.executable, __file__, "--folder", folder, "--n-clips", str(n_clips)]
            reply = subprocess.run(command, check=True, capture_output=True, text=True).stdout
            output, before, after = (int(number) / MB for number in reply.split())
            clips = n_clips * args.seconds * 44100 * 4 / MB
            print(f"{n_clips:6}{clips:10.0f}{output:11.1f}{after:9.0f}{after - before:14.1f}")


if __name__ == "__main__":
    main()
