"""Time of LogMel and of a loop over librosa on clips in memory, in paired runs with the same threads.

The environment sets the number of threads of the numeric libraries before they are loaded.

    OMP_NUM_THREADS=2 python benchmarks/speed/logmel.py
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import librosa
import numpy as np

from skfewaudio.features import LogMel

SETTINGS: dict[str, dict[str, Any]] = {
    "22.05 kHz, 2048/512, 128 bands, dB": {"sample_rate": 22050, "hop_length": 512, "n_mels": 128},
    "defaults (44.1 kHz, 2048/1024, 64, dB)": {},
    "few-data (44.1 kHz, 1024/1024, 128, log10)": {
        "n_fft": 1024,
        "n_mels": 128,
        "compression": "log10",
    },
}


def librosa_loop(clips: np.ndarray, log_mel: LogMel) -> list[np.ndarray]:
    """Compute the estimator's spectrograms with librosa, clip by clip."""
    spectrograms = []
    for clip in clips:
        mel = librosa.feature.melspectrogram(
            y=clip,
            sr=log_mel.sample_rate,
            n_fft=log_mel.n_fft,
            hop_length=log_mel.hop_length,
            n_mels=log_mel.n_mels,
        )
        is_db = log_mel.compression == "db"
        spectrograms.append(librosa.power_to_db(mel) if is_db else np.log10(mel + np.finfo(float).eps))
    return spectrograms


def seconds(function: Callable[..., object], *args: object) -> float:
    """Measure the time of one call."""
    start = time.perf_counter()
    function(*args)
    return time.perf_counter() - start


def main() -> None:
    """Print the times of both and the ratio within each pair, for each setting."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-clips", type=int, default=400)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--n-repeats", type=int, default=5)
    parser.add_argument("--n-threads", type=int, default=2)
    args = parser.parse_args()
    print(f"{args.n_clips} clips of {args.seconds:g} s, {args.n_threads} threads, {args.n_repeats} pairs")
    print(f"{'setting':44}{'librosa s':>10}{'LogMel s':>10}{'ratio':>8}  range")
    for name, params in SETTINGS.items():
        log_mel = LogMel(n_threads=args.n_threads, device="cpu", **params)
        n_samples = int(args.seconds * log_mel.sample_rate)
        clips = np.random.default_rng(0).normal(0, 0.1, (args.n_clips, n_samples)).astype(np.float32)
        librosa_loop(clips, log_mel)  # warm-up: fills the filter caches and allocates memory
        log_mel.transform(clips)
        theirs, ours = np.transpose(
            [
                (seconds(librosa_loop, clips, log_mel), seconds(log_mel.transform, clips))
                for _ in range(args.n_repeats)
            ]
        )
        ratio = theirs / ours
        print(
            f"{name:44}{np.median(theirs):10.2f}{np.median(ours):10.2f}"
            f"{np.median(ratio):8.1f}  {ratio.min():.1f}-{ratio.max():.1f}"
        )


if __name__ == "__main__":
    main()
