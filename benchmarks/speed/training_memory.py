"""Peak memory of training a network on a large number of patches.

A network is trained twice on each number of patches, from a memory-mapped file and from memory, each in a
separate process. The peak includes the pages of the file that the system keeps in memory and releases on
demand.

    python benchmarks/speed/training_memory.py
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from numpy.lib.format import open_memmap

GIB = 2**30
SHAPE = (64, 96)  # bands, frames of a patch
N_LABELS = 20


def write_patches(path: Path, n_patches: int) -> None:
    """Write patches of noise, each of them a clip, in blocks."""
    file = open_memmap(path, mode="w+", dtype=np.float32, shape=(n_patches, *SHAPE))
    rng = np.random.default_rng(0)
    for first in range(0, n_patches, 1000):
        part = file[first : first + 1000]
        part[:] = rng.standard_normal(part.shape, dtype=np.float32)
    file.flush()


def train(path: Path, architecture: str, *, mapped: bool) -> None:
    """Train for one epoch, predict, and print the seconds and the peak memory in bytes."""
    from skfewaudio import SkorchCNN

    X = np.load(path, mmap_mode="r" if mapped else None)
    y = np.random.default_rng(0).integers(0, 2, (len(X), N_LABELS))
    network = SkorchCNN(architecture, max_epochs=1, learning_rate=0.01, random_state=0, device="cpu")
    started = time.perf_counter()
    network.fit(X, y).predict_proba(X[:1000])
    seconds = time.perf_counter() - started
    print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


def main() -> None:
    """Print the size of the patches and the peak memory, for each number of patches."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-patches", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--architecture", default="fully_connected")
    parser.add_argument(
        "--folder", type=Path, help="folder to write the patches to; default: a temporary folder"
    )
    parser.add_argument("--train", choices=("file", "memory"), help=argparse.SUPPRESS)  # in the subprocesses
    args = parser.parse_args()
    if args.train:
        train(args.folder, args.architecture, mapped=args.train == "file")
        return
    print(f"{'patches':>8}{'GiB':>7}{'from file: GiB':>16}{'s':>6}{'from memory: GiB':>18}{'s':>6}")
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for n_patches in args.n_patches:
            path = Path(folder) / "patches.npy"
            write_patches(path, n_patches)
            line = f"{n_patches:8}{path.stat().st_size / GIB:7.2f}"
            for source, width in (("file", 16), ("memory", 18)):
                command = [sys.executable, __file__, "--folder", str(path), "--train", source]
                command += ["--architecture", args.architecture]
                reply = subprocess.run(command, check=True, capture_output=True, text=True).stdout
                seconds, peak = map(float, reply.split())
                line += f"{peak / GIB:{width}.2f}{seconds:6.0f}"
            print(line, flush=True)


if __name__ == "__main__":
    main()
