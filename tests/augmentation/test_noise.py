"""Background noise."""

import pytest
import torch

from skfewaudio.augmentation import BackgroundNoise

QUIET, LOUD = -60.0, 0.0


@pytest.fixture
def tones():
    """Spectrograms with a quiet background and four loud bands, and their targets."""
    spectrograms = torch.full((200, 40, 50), QUIET)
    spectrograms[:, 10:14] = LOUD
    return spectrograms, torch.ones(200, 1)


def power(decibels):
    return 10 ** (decibels.double() / 10)


def test_noise_only_adds_power(tones, generator):
    noisy, _ = BackgroundNoise()(*tones, generator)
    assert (noisy >= tones[0]).all()
    assert (noisy[:, :10] > QUIET).all()


def test_mean_of_the_added_power_matches_the_level(tones, generator):
    noisy, _ = BackgroundNoise(3.0, 3.0)(*tones, generator)
    added = power(noisy[:, :10]) - power(tones[0][:, :10])
    level = 10 ** ((QUIET + 3) / 10)
    assert added.mean() / level == pytest.approx(0.886, abs=0.005)  # the mean of a Rayleigh variable


def test_noise_fluctuates_like_an_average_of_a_few_bins(tones, generator):
    noisy, _ = BackgroundNoise(0.0, 0.0)(*tones, generator)
    added = power(noisy[:, :10]) - power(tones[0][:, :10])
    assert added.std() / added.mean() == pytest.approx(0.5227, abs=0.005)


def test_loud_parts_are_kept(tones, generator):
    noisy, _ = BackgroundNoise()(*tones, generator)
    torch.testing.assert_close(noisy[:, 10:14], tones[0][:, 10:14], atol=1e-3, rtol=0)


def test_offsets_are_drawn_uniformly_for_each_clip(tones, generator):
    noisy, _ = BackgroundNoise(-10.0, 5.0)(*tones, generator)
    added = (power(noisy[:, :10]) - power(tones[0][:, :10])).mean(dim=(1, 2))
    offsets = 10 * torch.log10(added / 0.886) - QUIET
    assert offsets.min() > -10.3
    assert offsets.max() < 5.3
    assert offsets.quantile(0.5).item() == pytest.approx(-2.5, abs=1.5)


def test_noise_follows_the_level_of_the_clip(tones, generator):
    spectrograms, targets = tones
    noisy, _ = BackgroundNoise()(spectrograms, targets, generator)
    louder, _ = BackgroundNoise()(spectrograms + 20, targets, torch.Generator().manual_seed(0))
    torch.testing.assert_close(louder, noisy + 20, atol=1e-4, rtol=0)


def test_level_is_the_twentieth_percentile(generator):
    ramp = torch.linspace(-100, 0, 101)[torch.randperm(101, generator=generator)].expand(2, 1, 101)
    changes = BackgroundNoise(0.0, 0.0)(ramp, torch.ones(2, 1), generator)[0] - ramp
    quietest, loudest = changes[ramp == -100], changes[ramp == 0]
    assert ((quietest > 5) & (quietest < 28)).all()  # from -100 dB to about -80
    assert (loudest < 1e-3).all()
