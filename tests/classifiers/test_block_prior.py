import numpy as np
import pytest

from skfewaudio.classifiers.block_prior import measured_relevance, weigh_by_relevance
from skfewaudio.features import SpectrogramStatistics, TimeNormalizedSpectrogram

UNKNOWN = np.nan


def test_blocks_without_a_prior_have_the_same_weight():
    assert weigh_by_relevance(None, [UNKNOWN, UNKNOWN]).tolist() == [1, 1]


def test_one_row_is_multiplied_by_the_relevance():
    assert weigh_by_relevance([3, 2], [UNKNOWN, 0.25]).tolist() == [3, 0.5]


def test_two_rows_are_interpolated():
    assert weigh_by_relevance([[4, 0], [0, 8]], [UNKNOWN, 0.25]).tolist() == [3, 2]


def test_block_without_a_relevance_follows_the_mean_of_the_others():
    weights = weigh_by_relevance([[4, 0, 0], [0, 8, 8]], [UNKNOWN, 0.25, 0.75])
    assert weights.tolist() == [2, 2, 6]


def test_second_row_holds_if_no_block_measures_its_relevance():
    assert weigh_by_relevance([[1, 0], [2, 3]], [UNKNOWN, UNKNOWN]).tolist() == [2, 3]


@pytest.mark.parametrize("prior", [[1, 2, 3], [[1, 2, 3]] * 2, [[1, 2]] * 3, 1])
def test_prior_of_another_shape_is_refused(prior):
    with pytest.raises(ValueError, match="expected 2 weights, one for each block, or two rows"):
        weigh_by_relevance(prior, [UNKNOWN, 1.0])


def test_only_some_transformers_measure_their_relevance(rng_clips):
    assert np.isnan(measured_relevance(SpectrogramStatistics().fit(rng_clips)))
    assert measured_relevance(TimeNormalizedSpectrogram().fit(rng_clips)) == 1


@pytest.fixture
def rng_clips():
    return np.random.default_rng(0).normal(-40, 3, (3, 64, 20))
