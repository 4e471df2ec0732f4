import numpy as np
import pytest

from skfewaudio.audio.aggregation import AGGREGATIONS, aggregate

SCORES = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4]])


@pytest.mark.parametrize(
    ("how", "first"), [("mean", [1.4 / 3, 1.6 / 3]), ("max", [0.9, 0.8]), ("vote", [1 / 3, 2 / 3])]
)
def test_scores_of_a_clip_come_from_its_own_patches(how, first):
    np.testing.assert_allclose(aggregate(SCORES, [3, 1], how=how)[0], first)


@pytest.mark.parametrize("how", sorted(AGGREGATIONS))
def test_one_patch_per_clip_keeps_the_order(how):
    assert aggregate(SCORES, np.ones(4, dtype=int), how=how).argmax(1).tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize("counts", [[3, 2], [4, 0], [1]])
def test_counts_that_do_not_fit_are_refused(counts):
    with pytest.raises(ValueError, match="add up to the 4 rows"):
        aggregate(SCORES, counts)


def test_unknown_aggregation_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"'median' is unknown; expected one of \['max', 'mean', 'vote'\]"):
        aggregate(SCORES, [4], how="median")
