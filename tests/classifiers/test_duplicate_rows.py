import numpy as np
import pytest
from scipy.sparse import csr_matrix

from skfewaudio.classifiers._ridge.duplicate_rows import find_duplicates, merge_duplicates


@pytest.mark.parametrize("kind", [np.asarray, csr_matrix])
def test_duplicates_are_merged_with_their_weights(kind):
    X = np.array([[0.0, 1.0], [2.0, 0.0], [-0.0, 1.0], [0.0, 1.0]])
    Y = np.array([[1.0], [1.0], [1.0], [-1.0]])
    rows, weights = merge_duplicates(kind(X), Y, np.array([1.0, 2.0, 4.0, 8.0]))
    assert rows.tolist() == [0, 1, 3]  # the last one has another target
    assert weights.tolist() == [5.0, 2.0, 8.0]


def test_first_of_equal_rows_is_found():
    X = np.array([[0.0, 1.0], [2.0, 0.0], [-0.0, 1.0], [2.0, 0.0], [3.0, 0.0]])
    assert find_duplicates(X).tolist() == [0, 1, 0, 1, 4]
