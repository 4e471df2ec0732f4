"""Pitch shifts and random equalisation."""

import pytest
import torch

from skfewaudio.augmentation import FrequencyShift, RandomEqualizer

N_CLIPS, N_MELS, N_FRAMES = 500, 21, 3


@pytest.fixture
def peak():
    """Spectrograms that are non-zero only in the eleventh band, and their targets."""
    spectrograms = torch.zeros(N_CLIPS, N_MELS, N_FRAMES)
    spectrograms[:, 10] = 1
    return spectrograms, torch.ones(N_CLIPS, 1)


def test_band_is_shifted_by_the_drawn_number(peak, generator):
    shifted, _ = FrequencyShift(3)(*peak, generator)
    drawn = torch.randint(-3, 4, (N_CLIPS, 1), generator=torch.Generator().manual_seed(0))
    assert torch.equal(shifted.sum(dim=1), torch.ones(N_CLIPS, N_FRAMES))
    assert torch.equal(shifted.argmax(dim=1), (10 + drawn).expand(-1, N_FRAMES))


def test_all_shifts_up_to_the_largest_occur(peak, generator):
    places = FrequencyShift(3)(*peak, generator)[0].argmax(dim=1)[:, 0] - 10
    assert places.unique().tolist() == [-3, -2, -1, 0, 1, 2, 3]


def test_outermost_band_is_repeated_at_the_edge(generator):
    ramp = torch.arange(6.0)[:, None].expand(100, 6, 1)
    shifted = FrequencyShift(2)(ramp, torch.ones(100, 1), generator)[0][:, :, 0]
    expected = {tuple((torch.arange(6) - shift).clamp(0, 5).tolist()) for shift in range(-2, 3)}
    assert {tuple(row.int().tolist()) for row in shifted} == expected


def test_curve_is_the_same_in_all_frames_and_differs_between_clips(batch, generator):
    curves = RandomEqualizer()(*batch, generator)[0] - batch[0]
    torch.testing.assert_close(curves, curves[:, :, :1].expand_as(curves), atol=1e-4, rtol=0)
    assert len(curves[:, 0, 0].round(decimals=3).unique()) == len(curves)


def test_curve_is_straight_between_its_points(generator):
    n_mels = 9  # points at bands 0, 4 and 8
    spectrograms = torch.zeros(5, n_mels, 2)
    curves = RandomEqualizer(n_points=3)(spectrograms, torch.ones(5, 1), generator)[0][:, :, 0]
    slopes = curves.diff(dim=1)
    torch.testing.assert_close(slopes[:, :4], slopes[:, :1].expand(-1, 4))
    torch.testing.assert_close(slopes[:, 4:], slopes[:, 4:5].expand(-1, 4))
    assert not torch.isclose(slopes[:, 0], slopes[:, 4], atol=1e-3).any()


def test_heights_have_the_requested_deviation(peak, generator):
    curves = RandomEqualizer(3.0)(torch.zeros_like(peak[0]), peak[1], generator)[0][:, :: N_MELS // 4, 0]
    assert curves.mean().abs() < 0.3
    torch.testing.assert_close(curves.std(dim=0), torch.full((5,), 3.0), atol=0.3, rtol=0)


def test_one_point_changes_only_the_gain(batch, generator):
    changes = RandomEqualizer(n_points=1)(*batch, generator)[0] - batch[0]
    torch.testing.assert_close(changes, changes[:, :1, :1].expand_as(changes), atol=1e-4, rtol=0)
