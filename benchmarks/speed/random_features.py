"""Time and peak memory of RandomCNNFeatures and of the same layer in plain PyTorch.

The plain version convolves a whole clip with all filters at once. It then computes ReLU, the maximum over
the bands and the mean over time, clip by clip with torch's own threads. Both versions include LogMel's
spectrograms. Times are measured in pairs, and each peak of memory in a separate process.

    OMP_NUM_THREADS=2 python benchmarks/speed/random_features.py
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812, as in torch's own documentation

from skfewaudio.architectures import init_he_
from skfewaudio.features import LogMel, RandomCNNFeatures

SAMPLE_RATE = 12000
N_FFT, N_FILTERS = 512, 3585
MB = 2**20
Features = Callable[[np.ndarray], np.ndarray]
# CPU seconds for a clip of 5 s in the published code: for the network, and in brackets for the loop that
# averages its maps.
COSTS = {
    "7x86, 3585 filters": (RandomCNNFeatures("single_layer", n_filters=3585), "0.16 (+ 0.23)"),
    "timbral + temporal, 256": (RandomCNNFeatures("musically_motivated", n_filters=256), "0.12"),
    "small filters, 90": (RandomCNNFeatures("small_filters", n_filters=90), "0.066"),
}


def make_clips(n_clips: int, seconds: float) -> np.ndarray:
    """Make clips of noise with varying loudness."""
    t = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    noise = np.random.default_rng(0).normal(0, 0.1, (n_clips, len(t)))
    return (noise * (1 + np.sin(2 * np.pi * t))).astype(np.float32)


def build_plain() -> Features:
    """Return the plain PyTorch function from clips to features."""
    log_mel = LogMel.from_preset("random-cnn", device="cpu")
    conv = nn.Conv2d(1, N_FILTERS, (86, 7))
    init_he_(conv)

    @torch.inference_mode()
    def transform(clips: np.ndarray) -> np.ndarray:
        rows = []
        for clip in clips:
            x = torch.from_numpy(np.asarray(log_mel.transform(clip[None])))[:, None]
            rows.append(F.relu(conv(x)).amax(dim=2).mean(dim=2)[0].numpy())
        return np.stack(rows)

    return transform


def build_ours(n_threads: int | None) -> Features:
    """Return the library's transform."""
    features = RandomCNNFeatures("single_layer", n_filters=N_FILTERS, n_threads=n_threads, device="cpu")
    return features.transform


def peak_memory() -> float:
    """Return the peak memory of this process so far, in MB."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024 / MB
    raise OSError("/proc/self/status has no VmHWM; peak memory is measured on Linux only")


def measure_memory(version: str, args: argparse.Namespace) -> None:
    """Print the peak memory before and after computing the features, in MB."""
    clips = make_clips(args.n_clips, args.seconds)
    LogMel.from_preset("random-cnn").transform(clips[:1, :N_FFT])  # librosa is imported on first use
    before = peak_memory()
    (build_plain() if version == "plain" else build_ours(args.n_threads))(clips)
    print(before, peak_memory())


def print_memory(args: argparse.Namespace) -> None:
    """Print the peak memory of both versions, each measured in a separate process."""
    print(f"{'':8}{'imports and clips MB':>22}{'peak MB':>10}{'increase MB':>14}")
    increase = {}
    for version in ("plain", "ours"):
        command = [sys.executable, __file__, "--memory-of", version, "--n-clips", str(args.n_clips)]
        command += ["--seconds", str(args.seconds), "--n-threads", str(args.n_threads)]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        before, after = map(float, output.split())
        increase[version] = after - before
        print(f"{version:8}{before:22.0f}{after:10.0f}{increase[version]:14.0f}", flush=True)
    print(f"ours/plain {increase['ours'] / increase['plain']:.2f} of the increase")


def measure_seconds(features: Features, clips: np.ndarray) -> float:
    """Measure the time of one call."""
    start = time.perf_counter()
    features(clips)
    return time.perf_counter() - start


def print_times(args: argparse.Namespace) -> None:
    """Print the times of both versions, measured in pairs in alternating order."""
    clips = make_clips(args.n_clips, args.seconds)
    versions = {"plain": build_plain(), "ours": build_ours(args.n_threads)}
    for version in versions.values():
        version(clips[:1])
    times: dict[str, list[float]] = {name: [] for name in versions}
    for index in range(args.n_repeats):
        for name in list(versions)[:: 1 if index % 2 else -1]:
            times[name].append(measure_seconds(versions[name], clips))
    ratio = np.array(times["plain"]) / times["ours"]
    print(f"{'plain s':>9}{'ours s':>9}{'plain/ours':>12}  range")
    print(
        f"{np.median(times['plain']):9.2f}{np.median(times['ours']):9.2f}{np.median(ratio):12.2f}"
        f"  {ratio.min():.2f}-{ratio.max():.2f}",
        flush=True,
    )


def print_costs(n_clips: int, n_repeats: int) -> None:
    """Print the CPU time for a clip of 5 s on one thread, next to the published code's."""
    clips = make_clips(n_clips, 5.0)
    print(f"{'CPU s per clip of 5 s':28}{'ours':>8}  range          published")
    for name, (features, published) in COSTS.items():
        features.set_params(n_threads=1, device="cpu").transform(clips[:1])
        costs = []
        for _ in range(n_repeats):
            start = time.process_time()
            features.transform(clips)
            costs.append((time.process_time() - start) / n_clips)
        print(
            f"{name:28}{np.median(costs):8.3f}  {min(costs):.3f}-{max(costs):.3f}    {published}", flush=True
        )


def main() -> None:
    """Print memory, times and costs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-clips", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--n-repeats", type=int, default=7)
    parser.add_argument("--n-threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--memory-of", choices=["plain", "ours"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.memory_of:
        measure_memory(args.memory_of, args)
        return
    print(
        f"{N_FILTERS} filters of 7 x 86, {args.n_clips} clips of {args.seconds:g} s, {args.n_repeats} pairs"
    )
    print(f"{args.n_threads} threads of ours, {torch.get_num_threads()} of torch's")
    print_memory(args)
    print_times(args)
    print_costs(4 * args.n_clips, args.n_repeats)


if __name__ == "__main__":
    main()
