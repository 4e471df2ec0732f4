import numpy as np
import pytest

from skfewaudio import BlockScaler

SIZES = [4, 1, 7]


def rows(n=30, seed=0):
    """Return rows with blocks of very different means and deviations."""
    rng = np.random.default_rng(seed)
    return np.hstack([rng.normal(10.0**i, 10.0**i, (n, size)) for i, size in enumerate(SIZES)])


def parts(X):
    return np.split(X, np.cumsum(SIZES)[:-1], axis=1)


def test_every_block_of_every_row_has_the_same_norm():
    scaler = BlockScaler(SIZES).fit(rows())
    lengths = [np.linalg.norm(part, axis=1) for part in parts(scaler.transform(rows(seed=1)))]
    np.testing.assert_allclose(lengths, 3**-0.5)


def test_dot_product_of_rows_is_mean_cosine_similarity_of_blocks():
    X = rows()
    standard = (X - X.mean(axis=0)) / X.std(axis=0)
    cosine = [
        part @ part.T / np.outer(np.linalg.norm(part, axis=1), np.linalg.norm(part, axis=1))
        for part in parts(standard)
    ]
    scaled = BlockScaler(SIZES).fit_transform(X)
    np.testing.assert_allclose(scaled @ scaled.T, np.mean(cosine, axis=0), atol=1e-3)


def test_default_is_one_block():
    X = rows()
    np.testing.assert_array_equal(BlockScaler().fit_transform(X), BlockScaler([12]).fit_transform(X))


def test_result_is_invariant_to_shift_and_scale_of_columns():
    X = rows()
    np.testing.assert_allclose(
        BlockScaler(SIZES).fit_transform(1000 * X - 7), BlockScaler(SIZES).fit_transform(X), atol=1e-9
    )


def test_outlier_is_clipped_to_the_limit():
    X = rows()
    scaler = BlockScaler(SIZES, limit=3.0).fit(X)
    far, farther = X[[0]].copy(), X[[0]].copy()
    far[0, 0], farther[0, 0] = 1e3, 1e6
    np.testing.assert_array_equal(scaler.transform(far), scaler.transform(farther))


def test_constant_training_column_stays_finite():
    X = rows()
    X[:, 1] = 5
    scaler = BlockScaler(SIZES).fit(X)
    other = rows(seed=1)
    other[:, 1] = 6
    scaled = scaler.transform(other)
    assert np.isfinite(scaled).all()
    np.testing.assert_array_equal(scaler.transform(X)[:, 1], 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_constant_block_is_zero(dtype):
    X = rows().astype(dtype)
    X[:, :4] = 0.1  # the computed mean is not exactly 0.1
    scaler = BlockScaler(SIZES).fit(X)
    scaled = scaler.transform(rows(seed=1).astype(dtype))
    np.testing.assert_array_equal(scaled[:, :4], 0)
    assert (scaled[:, 4:] != 0).all()


def test_single_training_row_gives_zeros():
    scaler = BlockScaler(SIZES).fit(rows(1))
    np.testing.assert_array_equal(scaler.transform(rows(3)), 0)


def test_two_training_rows_are_scaled():
    scaled = BlockScaler(SIZES).fit_transform(rows(2))
    np.testing.assert_allclose(np.linalg.norm(scaled, axis=1), 1)
    np.testing.assert_allclose(scaled[0], -scaled[1], atol=1e-6)


def test_single_precision_agrees_with_double():
    X = rows() + 1000
    np.testing.assert_allclose(
        BlockScaler(SIZES).fit_transform(X.astype(np.float32)), BlockScaler(SIZES).fit_transform(X), atol=1e-3
    )


@pytest.mark.parametrize("sizes", [[4, 1], [4, 1, 8], [12, 0], [6.0, 6.0], [-1, 13], []])
def test_invalid_block_sizes_are_refused(sizes):
    with pytest.raises(ValueError, match="add up to the 12 columns"):
        BlockScaler(sizes).fit(rows())


def test_feature_names_are_unchanged():
    assert BlockScaler(SIZES).fit(rows()).get_feature_names_out()[3] == "x3"
