import pickle

import numpy as np
import pytest
from joblib import Parallel, delayed
from sklearn.utils import _safe_indexing

from skfewaudio.model_selection._curve.packed_clips import PackedClips, pack

RNG = np.random.default_rng(0)
CLIPS = [RNG.normal(size=(8, n)).astype(np.float32) for n in (5, 3, 7)]


def test_unpacked_clips_equal_the_originals():
    packed = pack(CLIPS)
    assert isinstance(packed, PackedClips)
    assert len(packed) == 3
    for clip, found in zip(CLIPS, packed, strict=True):
        np.testing.assert_array_equal(found, clip)
        assert found.dtype == clip.dtype


def test_indexing_returns_writable_clips():
    first, last = _safe_indexing(pack(CLIPS), np.array([2, 0]))
    first += 1
    np.testing.assert_array_equal(first, CLIPS[2] + 1)
    np.testing.assert_array_equal(last, CLIPS[0])


def test_empty_clip_is_kept():
    packed = pack([CLIPS[0], np.zeros((8, 0), dtype=np.float32), CLIPS[1]])
    assert packed[1].shape == (8, 0)
    np.testing.assert_array_equal(packed[2], CLIPS[1])


@pytest.mark.parametrize(
    "X",
    [
        np.zeros((3, 4)),
        ["a.wav", "b.wav"],
        [],
        [CLIPS[0], CLIPS[1].astype(np.float64)],
        [CLIPS[0], CLIPS[1].T],  # another memory layout would change the rounding of sums
        [np.array(["a"]), np.array(["b"])],
        [CLIPS[0], CLIPS[1].tolist()],
    ],
)
def test_other_input_is_returned_unchanged(X):
    assert pack(X) is X


def test_pickle_contains_the_values_once():
    assert len(pickle.dumps(pack(CLIPS))) < 1.5 * sum(clip.nbytes for clip in CLIPS) + 1000


@pytest.mark.slow
def test_values_are_memory_mapped_in_worker_processes():
    # Each single clip is too small for joblib to memory-map it.
    packed = pack([np.zeros((64, 100))] * 40)
    kinds = Parallel(n_jobs=2)(delayed(lambda clips: type(clips.values).__name__)(packed) for _ in range(2))
    assert kinds == ["memmap", "memmap"]
