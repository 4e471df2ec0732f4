import numpy as np
import pytest

from skfewaudio.reporting._colors import _to_oklab, color_of
from skfewaudio.reporting._plotting import style_of

SURFACES = {False: "#ffffff", True: "#171b21"}


def luminance(color):
    encoded = np.array([int(color[k : k + 2], 16) for k in (1, 3, 5)]) / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("dark", [False, True])
def test_sixty_colors_are_different(dark):
    assert len({color_of(k, dark=dark) for k in range(60)}) == 60


@pytest.mark.parametrize("dark", [False, True])
def test_colors_have_a_contrast_of_three_to_the_page(dark):
    page = luminance(SURFACES[dark])
    lights = np.array([luminance(color_of(k, dark=dark)) for k in range(30)])
    contrasts = (np.maximum(lights, page) + 0.05) / (np.minimum(lights, page) + 0.05)
    assert contrasts.min() >= 3


@pytest.mark.parametrize("dark", [False, True])
def test_twenty_colors_can_be_told_apart(dark):
    points = np.array([_to_oklab(color_of(k, dark=dark)) for k in range(20)])
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    assert distances[~np.eye(20, dtype=bool)].min() > 0.05


def test_styles_of_plots_do_not_repeat_colors():
    assert len({style_of(k)["color"] for k in range(20)}) == 20
