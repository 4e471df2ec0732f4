import numpy as np
import pytest
import torch
from torch import nn

from skfewaudio.classifiers._networks.building import recalibrate_batch_norm
from skfewaudio.classifiers._networks.patches import PatchData


@pytest.fixture
def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3), nn.BatchNorm1d(3))


@pytest.fixture
def rows():
    return 3 + 2 * torch.randn(600, 4, generator=torch.Generator().manual_seed(0))


def test_statistics_are_computed_from_all_rows(network, rows):
    recalibrate_batch_norm(network, [rows])
    hidden = network[0](rows)
    torch.testing.assert_close(network[1].running_mean, hidden.mean(dim=0))
    torch.testing.assert_close(network[1].running_var, hidden.var(dim=0))
    found = network[:2](rows)
    torch.testing.assert_close(found.std(dim=0), torch.ones(8), rtol=1e-3, atol=1e-3)


def test_several_batches_are_close_to_one_batch(network, rows):
    recalibrate_batch_norm(network, [rows])
    whole = [norm.running_var.clone() for norm in (network[1], network[4])]
    recalibrate_batch_norm(network, iter(rows.split(100)))
    for found, expected in zip((network[1].running_var, network[4].running_var), whole, strict=True):
        torch.testing.assert_close(found, expected, rtol=0.1, atol=0.0)


def test_each_batch_goes_through_the_network_once(rows):
    n_runs = 0

    class Counted(nn.Sequential):
        def forward(self, x):
            nonlocal n_runs
            n_runs += 1
            return super().forward(x)

    recalibrate_batch_norm(Counted(*(nn.BatchNorm1d(4) for _ in range(5))), rows.split(200))
    assert n_runs == 3


def test_module_is_in_evaluation_mode_and_momentum_is_restored(network, rows):
    recalibrate_batch_norm(network.train(), [rows])
    assert not any(module.training for module in network.modules())
    assert network[1].momentum == 0.1


def test_shuffled_batches_contain_every_patch_once():
    clips = [np.zeros((3, 10), dtype=np.float32)] * 7
    data = PatchData(clips, patch_frames=4, hop_frames=2, pad_mode="zero", device=torch.device("cpu"))
    parts = data.shuffled_batches(8, np.random.RandomState(0))
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    assert max(map(len, parts)) <= 8
    drawn = np.concatenate(parts)
    assert not np.array_equal(drawn, np.arange(len(data)))
    np.testing.assert_array_equal(np.sort(drawn), np.arange(len(data)))
