"""Batch and random generator for the tests of augmentations."""

import pytest
import torch


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


@pytest.fixture
def batch():
    """Twelve spectrograms in decibels, (12, 20, 30), with alternating classes, and their targets."""
    spectrograms = 10 * torch.randn(12, 20, 30, generator=torch.Generator().manual_seed(1)) - 40
    return spectrograms, torch.eye(3).repeat(4, 1)
