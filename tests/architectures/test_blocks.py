import math

import pytest
import torch

from skfewaudio.architectures._blocks import LearnedLog


def test_compression_starts_from_the_papers_gain_and_offset():
    x = torch.tensor([0.0, 1e-4, 3.0])
    expected = [math.log(math.exp(7) * value + math.log(1 + math.exp(1))) for value in x.tolist()]
    torch.testing.assert_close(LearnedLog()(x), torch.tensor(expected))


def test_gain_and_offset_stay_positive_for_any_parameters():
    compression = LearnedLog()
    torch.nn.init.constant_(compression.a, -20)
    torch.nn.init.constant_(compression.b, -20)
    assert torch.isfinite(compression(torch.tensor([0.0, 1.0]))).all()


def test_negative_input_is_named_in_the_error():
    with pytest.raises(ValueError, match=r"nothing below 0, and was given -12\.5; .*learn_compression=False"):
        LearnedLog()(torch.tensor([1.0, -12.5]))
