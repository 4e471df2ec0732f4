"""Pairs of renderings of the synthesiser, which are stored, and varied anew whenever they are used."""

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from synthesiser import RANGE, RATES, Renderer, draw_settings, perturb
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample, interpolate

N_FRAMES = (32, 56, 87, 120)
RATE_SHARES = (0.1, 0.2, 0.15, 0.2, 0.2, 0.05, 0.1)  # high rates cost most
FAMILY = 4  # settings that share a part of their parameters
PER_FILE = 60 * FAMILY
LEVELS = 255 / RANGE  # per decibel
STEP = 10 * np.log10(2.0)  # decibels of a doubled power


def render_pool(folder: Path, n_files: int, seed: int, n_processes: int) -> None:
    """Render the files of a pool that are missing."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [number for number in range(n_files) if not _path(folder, number).exists()]
    with ProcessPoolExecutor(
        n_processes, get_context("spawn"), initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        for _ in pool.map(partial(_render_file, folder, seed), missing):
            pass


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number:05}.npz"


def _render_file(folder: Path, seed: int, number: int) -> None:
    """Render two views of the settings of a file, with random numbers of its own."""
    choice = np.random.default_rng([seed, number])
    rate, n_frames = int(choice.choice(RATES, p=RATE_SHARES)), int(choice.choice(N_FRAMES))
    generator = torch.Generator().manual_seed(seed * 10_000_019 + number)
    renderer = Renderer(rate, n_frames, generator)
    settings = draw_settings(PER_FILE, generator, FAMILY)
    views = torch.stack([renderer.render(perturb(settings, generator)) for _ in range(2)], dim=1)
    views = views - views.amax(dim=(2, 3), keepdim=True)
    coded = ((views + RANGE).clamp(0, RANGE) * LEVELS).round().to(torch.uint8).numpy()
    new = _path(folder, number).with_suffix(".new")
    with new.open("wb") as file:
        np.savez(file, views=coded, rate=rate)
    new.replace(_path(folder, number))


def load_pool(folder: Path, n_files: int) -> list[NDArray[np.uint8]]:
    """Load a pool: for each sample rate and number of frames, views (n_settings, 2, 64, n_frames)."""
    found: dict[tuple[int, int], list[NDArray[np.uint8]]] = {}
    for number in range(n_files):
        with np.load(_path(folder, number)) as file:
            views = file["views"]
            found.setdefault((int(file["rate"]), views.shape[-1]), []).append(views)
    return [np.concatenate(parts) for _, parts in sorted(found.items())]


def draw_views(pool: list[NDArray[np.uint8]], n: int, seed: list[int], strength: float = 1.0) -> Tensor:
    """Draw two varied views of n settings of one sample rate and duration, (2 n, 64, n_frames).

    Families are drawn whole, so that each sound has others in the batch that are nearly the same.
    """
    choice = np.random.default_rng(seed)
    sizes = np.array([len(part) for part in pool], dtype=float)
    part = pool[choice.choice(len(pool), p=sizes / sizes.sum())]
    families = choice.permutation(len(part) // FAMILY)[: n // FAMILY]
    rows = (families[:, None] * FAMILY + np.arange(FAMILY)).ravel()
    views = torch.from_numpy(part[rows]).transpose(0, 1).flatten(0, 1).float() / LEVELS - RANGE
    return vary(views, torch.Generator().manual_seed(int(choice.integers(2**62))), strength)


def vary(x: Tensor, generator: torch.Generator, strength: float = 1.0) -> Tensor:
    """Change tempo, start, pitch, frequency response and background of spectrograms in decibels.

    `strength`, from 0 to 1, scales the changes of tempo, pitch and frequency response. A quarter of the
    spectrograms is mixed with another sound, and half of them get noise.
    """
    n, n_mels, n_frames = x.shape

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(n, 1, 1, generator=generator)

    affine = torch.zeros(n, 2, 3)
    affine[:, 0, 0] = 2 ** (strength * uniform(-0.3, 0.3)[:, 0, 0])
    affine[:, 0, 2] = uniform(-0.15, 0.15)[:, 0, 0]
    affine[:, 1, 1] = 1
    affine[:, 1, 2] = strength * uniform(-2, 2)[:, 0, 0] * 2 / n_mels
    grid = affine_grid(affine, [n, 1, n_mels, n_frames], align_corners=False)
    x = grid_sample(x[:, None], grid, padding_mode="reflection", align_corners=False)[:, 0]
    knots = strength * 3 * torch.randn(n, 1, 6, generator=generator)
    x = x + interpolate(knots, n_mels, mode="linear", align_corners=True).transpose(1, 2)
    x = x - x.amax(dim=(1, 2), keepdim=True)
    mixed = torch.rand(n, generator=generator) < 0.25
    others = x[torch.randperm(n, generator=generator)] + uniform(-30, -6)
    x[mixed] = _add(x[mixed], others[mixed])
    noisy = torch.rand(n, generator=generator) < 0.5
    slope = uniform(-30, 10) * torch.linspace(0, 1, n_mels)[:, None]
    level = slope - slope.amax(dim=1, keepdim=True) + uniform(-70, -8)
    # The level of noise in a mel band and frame varies by about 3 dB.
    flutter = 3 * torch.randn(int(noisy.sum()), n_mels, n_frames, generator=generator)
    x[noisy] = _add(x[noisy], level[noisy] + flutter)
    x = x - x.amax(dim=(1, 2), keepdim=True)
    return x.clamp_min(-RANGE)


def _add(x: Tensor, y: Tensor) -> Tensor:
    """Add powers in decibels."""
    return torch.logaddexp2(x / STEP, y / STEP) * STEP
