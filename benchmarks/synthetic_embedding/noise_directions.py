"""Measure in which directions background noise moves the vectors of spectrograms, on synthetic sounds alone.

Each sound is varied twice: it gets other noise, another sound in the background and another start. In each
block of columns, divided by their standard deviations, the principal components of the differences are the
directions. They are attenuated by within-class covariance normalization: the more, the larger the variance of
the differences is.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pool import LEVELS, load_pool, render_pool, vary
from safetensors.numpy import save_file
from scipy import linalg
from synthesiser import RANGE

from skfewaudio.features import SoundEmbed, SpectrogramStatistics, TimeNormalizedSpectrogram
from skfewaudio.features._spectrogram_statistics import BLOCKS
from skfewaudio.features._time_normalized import PARTS

Vectors = NDArray[np.float32]
TRANSFORMERS = (
    SpectrogramStatistics(BLOCKS, device="cpu"),
    TimeNormalizedSpectrogram(PARTS, device="cpu"),
    SoundEmbed(device="cpu"),
)


def compute_views(pool: list[NDArray[np.uint8]], seed: int) -> dict[str, Vectors]:
    """Compute the vectors of two variations of each sound, (n_sounds, 2, n_columns), of each block."""
    found: dict[str, list[Vectors]] = {}
    for sounds in pool:
        first = torch.from_numpy(sounds[:, 0]).float() / LEVELS - RANGE
        generator = torch.Generator().manual_seed(seed)
        varied = list(vary(torch.cat([first, first]), generator, strength=0.0).numpy())
        for transformer in TRANSFORMERS:
            vectors = transformer.fit_transform(varied).reshape(2, len(sounds), -1).transpose(1, 0, 2)
            start = 0
            for name, size in transformer._blocks_of_directions():
                found.setdefault(name, []).append(vectors[:, :, start : start + size])
                start += size
    return {name: np.concatenate(parts) for name, parts in found.items()}


def measure_directions(views: Vectors, n_directions: int) -> dict[str, NDArray]:
    """Measure the directions of noise in a block, from two variations of each sound."""
    mean, scale = views.mean(axis=(0, 1), dtype=np.float64), views.std(axis=(0, 1), dtype=np.float64)
    scale[scale < 1e-8] = 1.0
    differences = (views[:, 0] - views[:, 1]) / (scale * 2**0.5)
    covariance = differences.T @ differences / len(differences)
    variances, directions = linalg.eigh(covariance)
    largest, others = variances[-n_directions:], variances[:-n_directions]
    kept = np.sqrt((1 + others.mean()) / (1 + largest))
    return {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "directions": (directions[:, -n_directions:] * np.sqrt(1 - kept)).astype(np.float16),
    }


def main() -> None:
    """Render the sounds, and write the directions of all blocks."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/noise-directions"))
    parser.add_argument("--files", type=int, default=24, help="files of 240 sounds to render")
    parser.add_argument("--directions", type=int, default=16, help="directions of each block")
    parser.add_argument("--processes", type=int, default=2, help="processes that render")
    parser.add_argument("--seed", type=int, default=7)
    args = parser.parse_args()
    render_pool(args.output / "pool", args.files, args.seed, args.processes)
    views = compute_views(load_pool(args.output / "pool", args.files), args.seed)
    tensors = {
        f"{name}.{part}": np.ascontiguousarray(tensor)
        for name, block in views.items()
        for part, tensor in measure_directions(block, args.directions).items()
    }
    save_file(tensors, args.output / "directions.safetensors")


if __name__ == "__main__":
    main()
