"""Augmentations along the time axis."""

from math import exp

import numpy as np
import pytest
import torch

from skfewaudio.augmentation import RandomCrop, TimeShift, TimeStretch

N_CLIPS, N_FRAMES = 300, 40


@pytest.fixture
def ramps():
    """Spectrograms whose values are their frame numbers, and their targets."""
    return torch.arange(float(N_FRAMES)).expand(N_CLIPS, 2, N_FRAMES), torch.ones(N_CLIPS, 1)


def test_stretched_frames_have_a_constant_rate(ramps, generator):
    stretched = TimeStretch(0.3)(*ramps, generator)[0]
    rates = stretched[:, 0, 1]
    places = (rates[:, None] * torch.arange(N_FRAMES)) % N_FRAMES
    inside = places <= N_FRAMES - 1
    torch.testing.assert_close(stretched[:, 0][inside], places[inside], atol=1e-3, rtol=0)
    assert torch.equal(stretched[:, 1], stretched[:, 0])


def test_rates_are_log_uniform(ramps, generator):
    rates = TimeStretch(0.3)(*ramps, generator)[0][:, 0, 1]
    assert exp(-0.3) <= rates.min() < exp(-0.28)
    assert exp(0.28) < rates.max() <= exp(0.3)
    assert rates.log().mean().abs() < 0.03


def test_fast_clip_continues_from_its_beginning(ramps, generator):
    stretched = TimeStretch(0.5)(*ramps, generator)[0][:, 0]
    fast = stretched[:, 1] > 1.05
    assert (stretched[fast].diff(dim=1) < 0).any(dim=1).all()
    assert (stretched[stretched[:, 1] < 1].diff(dim=1) > 0).all()


def test_zero_change_of_tempo_keeps_clips(batch, generator):
    assert torch.equal(TimeStretch(0.0)(*batch, generator)[0], batch[0])


def test_shift_rolls_frames(ramps, generator):
    shifted = TimeShift()(*ramps, generator)[0]
    starts = shifted[:, :, :1].long()
    assert torch.equal(shifted.long(), (starts + torch.arange(N_FRAMES)) % N_FRAMES)


def test_all_shifts_occur(generator):
    frames = torch.arange(6.0).expand(200, 1, 6)
    starts = TimeShift()(frames, torch.ones(200, 1), generator)[0][:, 0, 0]
    assert starts.unique().tolist() == list(range(6))


def test_crop_is_a_repeated_run_of_frames(ramps, generator):
    for row in RandomCrop(0.25)(*ramps, generator)[0][:, 0].long().numpy():
        ends = np.flatnonzero(np.diff(row) != 1)
        length = ends[0] + 1 if len(ends) else N_FRAMES
        np.testing.assert_array_equal(row, row[0] + np.arange(N_FRAMES) % length)


def test_all_possible_crops_occur(generator):
    frames = torch.arange(4.0).expand(500, 1, 4)
    rows = {tuple(row.int().tolist()) for row in RandomCrop()(frames, torch.ones(500, 1), generator)[0][:, 0]}
    two = {(start, start + 1) * 2 for start in range(3)}
    three = {(start, start + 1, start + 2, start) for start in range(2)}
    assert rows == two | three | {(0, 1, 2, 3)}


def test_crop_of_the_whole_clip_keeps_clips(batch, generator):
    assert torch.equal(RandomCrop(1.0)(*batch, generator)[0], batch[0])
