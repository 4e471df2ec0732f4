"""Windows of waveforms, and batches of them."""

import numpy as np
import pytest

from skfewaudio.features._pretrained.loaded import describe_backend
from skfewaudio.features._pretrained.windows import ClipEmbedder, cut_windows, fill_window


def cut(n_samples, n_window, n_hop, n_block=None):
    """Return the first and last sample of each window of a ramp that is read in blocks."""
    ramp = np.arange(n_samples, dtype=np.float32)
    n_block = n_block or n_samples
    blocks = [ramp[i : i + n_block] for i in range(0, n_samples, n_block)]
    return [(int(x[0]), int(x[-1])) for x in cut_windows(blocks, n_window, n_hop)]


@pytest.mark.parametrize("n_block", [None, 1, 3, 7])
@pytest.mark.parametrize(
    ("n_samples", "n_window", "n_hop", "expected"),
    [
        (20, 10, 10, [(0, 9), (10, 19)]),
        (25, 10, 10, [(0, 9), (10, 19), (15, 24)]),
        (21, 10, 5, [(0, 9), (5, 14), (10, 19), (11, 20)]),
        (10, 10, 3, [(0, 9)]),
        (7, 10, 10, [(0, 6)]),
        (24, 4, 10, [(0, 3), (10, 13), (20, 23)]),
        (22, 4, 10, [(0, 3), (10, 13), (18, 21)]),
    ],
)
def test_windows_cover_the_clip_and_the_last_one_ends_with_it(n_samples, n_window, n_hop, expected, n_block):
    assert cut(n_samples, n_window, n_hop, n_block) == expected


@pytest.mark.parametrize(("fill", "expected"), [("zeros", [1, 2, 0, 0, 0]), ("repeat", [1, 2, 1, 2, 1])])
def test_short_clips_are_filled(fill, expected):
    np.testing.assert_array_equal(fill_window(np.array([1.0, 2.0], np.float32), 5, fill), expected)


class Lengths:
    """Network that records the shapes of its batches, and returns the mean of each waveform."""

    sample_rate, window = 100, None

    def __init__(self):
        self.shapes = []

    def embed(self, batch):
        self.shapes.append(batch.shape)
        return batch.mean(axis=1, keepdims=True)


def run(network, clips, batch_size=4):
    model = describe_backend(network, "lengths", sample_rate=None, window=None)
    embedder = ClipEmbedder(model, n_hop=None, batch_size=batch_size, on_error="raise")
    return embedder.run(clips, lambda rows: rows.mean(axis=0))


def test_clips_of_one_length_share_batches_and_keep_their_order():
    network = Lengths()
    lengths = [5, 7, 5, 7, 5, 5, 7]
    clips = [np.full(n, i, dtype=np.float32) for i, n in enumerate(lengths)]
    found = run(network, clips)
    np.testing.assert_array_equal(np.concatenate(found), range(7))
    assert sorted(network.shapes) == [(3, 7), (4, 5)]


def test_few_waveforms_wait_if_all_lengths_differ():
    network = Lengths()
    n_waiting = []

    def clips():
        for i in range(40):
            n_waiting.append(i - sum(n for n, _ in network.shapes))
            yield np.full(i + 1, i, dtype=np.float32)

    np.testing.assert_array_equal(np.concatenate(run(network, clips(), batch_size=2)), range(40))
    assert max(n_waiting) <= 8
