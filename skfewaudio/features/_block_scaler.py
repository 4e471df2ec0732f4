"""The same weight for every block of a vector."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

# Of the root mean square deviation of a block's columns, added to each: a column that hardly varies among a
# few clips may be far off in the next.
DEVIATION_FLOOR = 1e-3
# Of a block's largest value: deviations this small are the rounding of what is constant.
ROUNDING = 1e-6


class BlockScaler(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns, and give each block of every row the same length.

    Columns are centred and divided by their standard deviation over the training rows; what is left is
    limited; each row's part in a block is divided by its Euclidean length. A product of two rows is then the
    mean over blocks of the cosines of their parts, and no block outweighs another for having more columns or
    a larger spread.

    Parameters
    ----------
    block_sizes : sequence of int, default=None
        Columns of each block, in their order; None is one block of all.
    limit : float, default=8.0
        Largest standardised value: with few training rows a column's deviation is known badly.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Means over the training rows.
    scale_ : ndarray of shape (n_features,)
        What columns are divided by: the deviation and a thousandth of the block's.
    n_features_in_ : int
        Columns.
    feature_names_in_ : ndarray of str
        Only if fitted on a DataFrame that has column names.

    See Also
    --------
    SpectrogramStatistics : Makes such blocks, and tells their sizes.
    sklearn.preprocessing.StandardScaler : Columns by themselves.

    Notes
    -----
    A block in which nothing varies among the training rows says nothing of others, and is 0 throughout.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import BlockScaler
    >>> X = np.array([[1.0, 5.0, 70.0], [3.0, 5.5, 50.0], [2.0, 6.0, 90.0]])
    >>> scaled = BlockScaler([2, 1]).fit_transform(X)
    >>> float(np.linalg.norm(scaled[0, :2])), float(np.linalg.norm(scaled[1, 2:]))
    (0.707..., 0.707...)
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "block_sizes": ["array-like", None],
        "limit": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, block_sizes: Sequence[int] | None = None, *, limit: float = 8.0) -> None:
        self.block_sizes = block_sizes
        self.limit = limit

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: ArrayLike, y: Any = None) -> Self:
        """Measure the columns' means and deviations.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows of blocks beside each other; one row is enough, though all it leaves is 0.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X cannot be used, or the blocks do not add up to its columns.
        """
        rows: NDArray[np.floating] = validate_data(self, X, dtype=[np.float64, np.float32])
        # In double precision, where the rounding of a large mean does not pass for a deviation.
        self.mean_ = rows.mean(axis=0, dtype=np.float64)
        deviations = (rows - self.mean_).std(axis=0)
        self.scale_ = np.empty_like(self.mean_)
        for block in self._blocks():
            overall = np.sqrt(np.square(deviations[block]).mean())
            varies = overall > ROUNDING * np.abs(rows[:, block]).max()
            self.scale_[block] = deviations[block] + DEVIATION_FLOOR * overall if varies else np.inf
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Scale rows.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            Rows like those of :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_features)
            Rows of length 1, unless a part of them is exactly at the training rows' mean, which stays 0.
        """
        check_is_fitted(self)
        rows: NDArray[np.floating] = validate_data(self, X, reset=False, dtype=[np.float64, np.float32])
        scaled = ((rows - self.mean_) / self.scale_).astype(rows.dtype, copy=False)
        np.clip(scaled, -self.limit, self.limit, out=scaled)
        blocks = self._blocks()
        for block in blocks:
            lengths = np.linalg.norm(scaled[:, block], axis=1, keepdims=True) * len(blocks) ** 0.5
            scaled[:, block] /= np.where(lengths > 0, lengths, 1)
        return scaled

    def _blocks(self) -> list[slice]:
        n_columns = self.n_features_in_
        sizes: list[Any] = [n_columns] if self.block_sizes is None else list(self.block_sizes)
        if not all(isinstance(size, Integral) and int(size) > 0 for size in sizes) or sum(sizes) != n_columns:
            raise ValueError(
                f"block_sizes={self.block_sizes!r} are to be positive and add up to the {n_columns} columns "
                "of X; SpectrogramStatistics.block_sizes(n_mels) gives them"
            )
        ends = np.cumsum(sizes)
        return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
