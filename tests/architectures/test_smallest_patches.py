"""Patches that are too small, or of the wrong kind, for each architecture."""

import pytest

from skfewaudio.architectures import (
    SBCNN,
    VGG,
    FrameLevel,
    FrameLevelManyShapes,
    MusicallyMotivated,
    SampleLevel,
    SingleLayer,
    SmallFilters,
    Timbre,
)


@pytest.mark.parametrize(
    ("architecture", "patch", "smallest"),
    [
        (SBCNN, (31, 100), "32 x 100"),
        (SBCNN, (32, 99), "32 x 100"),
        (Timbre, (128, 6), "1 x 7"),
        (VGG, (128, 31), "32 x 32"),
        (VGG, (31, 128), "32 x 32"),
        (SingleLayer, (96, 6), "1 x 7"),
        (SmallFilters, (95, 1280), "96 x 1280"),
        (SmallFilters, (96, 1279), "96 x 1280"),
        (MusicallyMotivated, (2, 128), "3 x 1"),
        (SampleLevel, (1, 2186), "1 x 2187"),
        (FrameLevel, (1, 735), "1 x 736"),
        (FrameLevelManyShapes, (1, 224), "1 x 225"),
    ],
)
def test_too_small_a_patch_is_refused_with_the_smallest_size(architecture, patch, smallest):
    found = f"{patch[0]} bands x {patch[1]} frames are too small"
    with pytest.raises(ValueError, match=rf"{found} for {architecture.__name__}; .* {smallest}$"):
        architecture(10, *patch)


@pytest.mark.parametrize("architecture", [SampleLevel, FrameLevel, FrameLevelManyShapes])
def test_a_network_for_waveforms_refuses_more_than_one_band(architecture):
    with pytest.raises(ValueError, match=r"takes waveforms, as one band .* and was given 96 bands"):
        architecture(10, 96, 4096)
