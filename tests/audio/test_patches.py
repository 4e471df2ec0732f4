import numpy as np
import pytest

from skfewaudio.audio.patches import fix_length, patch_starts, sample_patches, split_patches


@pytest.mark.parametrize(
    ("n_frames", "expected"),
    [(1, [0]), (127, [0]), (128, [0]), (169, [0]), (170, [0, 42]), (216, [0, 42, 84])],
)
def test_patches_advance_by_the_hop_and_omit_the_remainder(n_frames, expected):
    assert patch_starts(n_frames, 128, 42).tolist() == expected


def test_long_clip_is_cropped_from_the_start():
    assert fix_length(np.arange(10), 4).tolist() == [0, 1, 2, 3]


def test_short_spectrogram_is_repeated_along_time():
    x = np.arange(6).reshape(2, 3)
    np.testing.assert_array_equal(fix_length(x, 7), np.tile(x, 3)[:, :7])


def test_short_clip_is_filled_with_zeros_of_its_own_type():
    fixed = fix_length(np.ones(3, dtype=np.float32), 5, pad_mode="zero")
    assert fixed.tolist() == [1, 1, 1, 0, 0]
    assert fixed.dtype == np.float32


def test_split_patches_are_slices_of_the_clip():
    x = np.random.default_rng(0).standard_normal((4, 20))
    patches = split_patches(x, 8, hop_frames=5)
    np.testing.assert_array_equal(patches, [x[:, 0:8], x[:, 5:13], x[:, 10:18]])


def test_sampled_patches_are_slices_and_reach_both_ends():
    x = np.arange(10)
    patches = sample_patches(x, 7, n_patches=200, random_state=np.random.RandomState(0))
    assert patches.shape == (200, 7)
    assert {p[0] for p in patches} == {0, 1, 2, 3}
    assert (np.diff(patches, axis=1) == 1).all()


def test_same_random_state_draws_the_same_patches():
    x = np.arange(100)
    a, b = (sample_patches(x, 5, n_patches=9, random_state=np.random.RandomState(3)) for _ in range(2))
    np.testing.assert_array_equal(a, b)


def test_clip_without_frames_is_refused():
    with pytest.raises(ValueError, match="has no frames"):
        fix_length(np.empty((4, 0)), 3)


def test_unknown_pad_mode_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'mirror' is unknown; expected one of \['repeat', 'zero'\]"):
        fix_length(np.ones(3), 5, pad_mode="mirror")
