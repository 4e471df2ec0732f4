import math

import pytest
import torch

from skfewaudio.architectures._blocks import LearntLog


def test_compression_starts_from_the_papers_gain_and_offset():
    x = torch.tensor([0.0, 1e-4, 3.0])
    expected = [math.log(math.exp(7) * value + math.log(1 + math.exp(1))) for value in x.tolist()]
    torch.testing.assert_close(LearntLog()(x), torch.tensor(expected))


def test_gain_and_offset_stay_positive_whatever_is_learnt():
    compression = LearntLog()
    torch.nn.init.constant_(compression.a, -20)
    torch.nn.init.constant_(compression.b, -20)
    assert torch.isfinite(compression(torch.tensor([0.0, 1.0]))).all()


def test_compression_names_the_negative_value_that_it_was_given():
    with pytest.raises(ValueError, match=r"nothing below 0, and was given -12\.5; .*learn_compression=False"):
        LearntLog()(torch.tensor([1.0, -12.5]))
