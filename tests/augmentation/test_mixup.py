"""Mixtures of clips."""

import pytest
import torch

from skfewaudio.augmentation import MixUp

N = 400


@pytest.fixture
def marked():
    """Clips with a different band at 1 and a different class each."""
    return torch.eye(N)[:, :, None].expand(N, N, 2), torch.eye(N)


def power(decibels):
    return 10 ** (decibels.double() / 10)


def test_targets_equal_the_weights_in_the_spectrograms(marked, generator):
    mixed, targets = MixUp()(*marked, generator)
    torch.testing.assert_close(mixed, targets[:, :, None].expand_as(mixed))


def test_targets_of_mixtures_add_up_to_one(marked, generator):
    _, targets = MixUp(0.4)(*marked, generator)
    torch.testing.assert_close(targets.sum(dim=1), torch.ones(N))
    assert (targets >= 0).all()


def test_every_clip_is_mixed_with_one_other_at_most(marked, generator):
    _, targets = MixUp()(*marked, generator)
    assert (targets > 0).sum(dim=1).max() == 2
    others = targets.clone().fill_diagonal_(0)
    assert (others > 0).sum(dim=0).max() == 1


@pytest.mark.parametrize("alpha", [0.2, 1.0, 5.0])
def test_weights_have_the_requested_distribution(alpha, marked, generator):
    _, targets = MixUp(alpha)(*marked, generator)
    weights = targets.diagonal()
    assert weights.mean().item() == pytest.approx(0.5, abs=0.05)
    assert weights.var().item() == pytest.approx(1 / (4 * (2 * alpha + 1)), abs=0.015)


def test_within_class_mixes_only_clips_of_a_class(generator):
    labels = torch.arange(30) % 3
    spectrograms = torch.eye(30)[:, :, None]
    mixed, targets = MixUp(within_class=True)(spectrograms, torch.eye(3)[labels], generator)
    assert torch.equal(targets, torch.eye(3)[labels])
    parts = mixed[:, :, 0]
    assert (parts[labels[:, None] != labels[None]] == 0).all()
    assert (parts > 0).sum() > 50  # most clips are mixed with another clip


def test_only_clip_of_a_class_is_kept(batch, generator):
    spectrograms, mixed = batch[0][:3], MixUp(within_class=True)(batch[0][:3], torch.eye(3), generator)
    assert torch.equal(mixed[0], spectrograms)
    assert torch.equal(mixed[1], torch.eye(3))


def test_within_class_mixes_only_clips_with_the_same_labels(generator):
    targets = torch.tensor([[1.0, 1.0], [1.0, 0.0], [1.0, 1.0], [1.0, 0.0]])
    mixed, kept = MixUp(within_class=True)(torch.eye(4)[:, :, None], targets, generator)
    assert torch.equal(kept, targets)
    assert (mixed[[0, 2]][:, [1, 3]] == 0).all()
    assert (mixed[[1, 3]][:, [0, 2]] == 0).all()


def test_indicators_become_weights_of_labels(generator):
    targets = torch.tensor([[1.0, 1.0], [0.0, 1.0]]).repeat(10, 1)
    _, mixed = MixUp()(torch.zeros(20, 2, 2), targets, generator)
    torch.testing.assert_close(mixed[:, 1], torch.ones(20))
    assert ((mixed[:, 0] > 0) & (mixed[:, 0] < 1)).any()


def tones(levels):
    """Return clips with a different band at the given level each, and near silence in the other bands."""
    n = len(levels)
    spectrograms = torch.full((n, n, 3), -150.0)
    spectrograms[torch.arange(n), torch.arange(n)] = torch.as_tensor(levels)[:, None]
    return spectrograms, torch.eye(n)


def test_powers_of_equally_loud_clips_are_weighted_by_squares(generator):
    mixed, targets = MixUp(domain="power")(*tones([-20.0] * 50), generator)
    weights = targets.double() ** 2
    expected = weights / weights.sum(dim=1, keepdim=True) * power(torch.tensor(-20.0))
    torch.testing.assert_close(power(mixed[:, :, 0]), expected, atol=1e-7, rtol=1e-3)


def test_power_of_equally_loud_clips_is_kept(generator):
    spectrograms, targets = tones([-20.0] * 50)
    mixed, _ = MixUp(domain="power")(spectrograms, targets, generator)
    torch.testing.assert_close(
        power(mixed).mean(dim=(1, 2)), power(spectrograms).mean(dim=(1, 2)), atol=0, rtol=1e-3
    )


def test_louder_clip_does_not_drown_the_other(generator):
    mixed, targets = MixUp(domain="power")(*tones([0.0, -30.0] * 25), generator)
    parts, weights = power(mixed[:, :, 0]), targets.double() ** 2
    shares = parts / parts.sum(dim=1, keepdim=True)
    torch.testing.assert_close(shares, weights / weights.sum(dim=1, keepdim=True), atol=1e-6, rtol=1e-3)


def test_clip_mixed_with_itself_keeps_its_levels(generator):
    spectrograms = torch.randn(1, 8, 9, generator=generator) * 20
    mixed, _ = MixUp(domain="power")(spectrograms, torch.ones(1, 1), generator)
    torch.testing.assert_close(mixed, spectrograms, atol=1e-4, rtol=1e-5)
