"""Masks over bands and frames."""

import pytest
import torch

from skfewaudio.augmentation import SpecAugment


@pytest.fixture
def many():
    """A thousand spectrograms in which no value equals the mean, and their targets."""
    x = torch.rand(1000, 10, 16, generator=torch.Generator().manual_seed(2))
    return x, torch.ones(1000, 1)


def test_masked_values_are_the_mean_and_others_are_kept(many, generator):
    changed, _ = SpecAugment(4, 6)(*many, generator)
    masked = changed != many[0]
    assert torch.equal(changed[masked], many[0].mean(dim=(1, 2), keepdim=True).expand_as(changed)[masked])


@pytest.mark.parametrize(("axis", "largest"), [(1, 4), (2, 6)])
def test_masks_are_runs_of_every_width_up_to_the_largest(axis, largest, many, generator):
    masks = SpecAugment(4, 6, n_band_masks=int(axis == 1), n_frame_masks=int(axis == 2))
    masked = (masks(*many, generator)[0] != many[0]).any(dim=3 - axis)
    assert masked.sum(dim=1).unique().tolist() == list(range(largest + 1))
    assert (masked.int().diff(dim=1) == 1).sum(dim=1).max() == 1
    assert masked[:, 0].any()
    assert masked[:, -1].any()


def test_masks_along_one_axis_cover_the_whole_other_axis(many, generator):
    masked = SpecAugment(4, n_frame_masks=0)(*many, generator)[0] != many[0]
    assert torch.equal(masked, masked.any(dim=2, keepdim=True).expand_as(masked))


def test_several_masks_cover_several_runs(many, generator):
    masked = (SpecAugment(2, n_band_masks=2, n_frame_masks=0)(*many, generator)[0] != many[0])[:, :, 0]
    starts = (torch.nn.functional.pad(masked.int(), (1, 0)).diff(dim=1) == 1).sum(dim=1)
    assert starts.unique().tolist() == [0, 1, 2]


def test_no_mask_is_wider_than_half_of_the_axis(many, generator):
    masked = SpecAugment(99, 99, n_frame_masks=0)(*many, generator)[0] != many[0]
    assert masked[:, :, 0].sum(dim=1).max() == 5
    masked = SpecAugment(99, 99, n_band_masks=0)(*many, generator)[0] != many[0]
    assert masked[:, 0].sum(dim=1).max() == 8


def test_without_masks_nothing_is_changed(many, generator):
    assert torch.equal(SpecAugment(n_band_masks=0, n_frame_masks=0)(*many, generator)[0], many[0])
