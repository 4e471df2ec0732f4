"""Colours of lines and classes, which do not repeat."""

from functools import cache

import numpy as np
from numpy.typing import NDArray

# Okabe and Ito's hues without yellow, darker on white and lighter on black: at least 3:1 against the surface.
BASE = (
    ("#0b6aa8", "#5fb3f2"),
    ("#c8500a", "#f58a4b"),
    ("#00835f", "#2fc79a"),
    ("#b0508a", "#e79cc9"),
    ("#9a6700", "#e8b93a"),
    ("#4a90d9", "#a9dcfa"),
    ("#3b4450", "#d5dae1"),
)
HUES = np.deg2rad(np.arange(0, 360, 15))
LEVELS = ((0.42, 0.66), (0.50, 0.74), (0.58, 0.80), (0.64, 0.88))  # lightness on white and on black, of OKLCH
CHROMAS = (0.07, 0.17)
# Matrices of https://bottosson.github.io/posts/oklab from OKLab to linear sRGB.
TO_LMS = np.array(
    [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
)
TO_RGB = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)


def color_of(position: int, *, dark: bool = False) -> str:
    """Return the colour of an index as ``#rrggbb``, for a white or a black background."""
    return _palette()[position % len(_palette())][dark]


@cache
def _palette() -> tuple[tuple[str, str], ...]:
    """Order all colours: after `BASE`, each is the one most different from those before it."""
    left = [
        (_from_oklch(light, chroma, hue), _from_oklch(dark, chroma, hue))
        for hue in HUES
        for light, dark in LEVELS
        for chroma in CHROMAS
    ]
    points = np.array([[_to_oklab(color) for color in pair] for pair in [*BASE, *left]])
    chosen = list(range(len(BASE)))
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1).min(axis=-1)  # in the worse theme
    nearest = distances[:, chosen].min(axis=1)
    while len(chosen) < len(points):
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, distances[:, chosen[-1]])
    pairs = [*BASE, *left]
    return tuple(pairs[k] for k in chosen)


def _from_oklch(lightness: float, chroma: float, hue: float) -> str:
    """Convert a colour to sRGB, with less chroma if sRGB does not contain it."""
    for factor in np.linspace(1, 0, 21):
        a, b = factor * chroma * np.cos(hue), factor * chroma * np.sin(hue)
        linear = TO_RGB @ (TO_LMS @ [lightness, a, b]) ** 3
        if linear.min() >= -1e-6 and linear.max() <= 1:
            break
    linear = np.clip(linear, 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return "#" + "".join(f"{value:02x}" for value in (255 * encoded).round().astype(int))


def _to_oklab(color: str) -> NDArray[np.floating]:
    """Convert ``#rrggbb`` to OKLab, in which distances are about those that the eye sees."""
    encoded = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.linalg.solve(TO_LMS, np.cbrt(np.linalg.solve(TO_RGB, linear)))
