"""Scaler that weights all blocks of a feature vector equally."""

from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from skfewaudio._arrays import to_numpy
from skfewaudio._documentation import DocumentedMixin

# Share of the block's root mean square deviation that is added to every deviation: a column that is nearly
# constant in a few clips may vary more in other clips.
DEVIATION_FLOOR = 1e-3
# Share of the block's largest absolute value: smaller deviations are rounding errors of a constant block.
ROUNDING = 1e-6


class BlockScaler(DocumentedMixin, OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Standardise columns, and normalise each block of every row to the same Euclidean norm.

    Columns are centred, divided by their standard deviation in the training data and clipped. Then each block
    of every row is divided by its Euclidean norm. The dot product of two rows is therefore the mean over
    blocks of the cosine similarity of the blocks. A block with more columns or a larger spread does not
    outweigh the others.

    Parameters
    ----------
    block_sizes : sequence of int, default=None
        Number of columns of each block, in the order of the columns. None treats all columns as one block.
    limit : float, default=8.0
        Largest absolute standardised value; larger ones are clipped. With few training rows, the estimated
        deviation of a column is unreliable.

    Attributes
    ----------
    mean_ : ndarray of shape (n_features,)
        Mean of each column in the training data.
    scale_ : ndarray of shape (n_features,)
        Divisor of each column: its standard deviation plus a thousandth of the block's root mean square
        deviation. Infinite for constant blocks.
    n_features_in_ : int
        Number of columns seen during `fit`.
    feature_names_in_ : ndarray of str
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    SpectrogramStatistics : Computes such blocks and returns their sizes.
    sklearn.preprocessing.StandardScaler : Standardises columns only.

    Notes
    -----
    A block that is constant in the training data is set to zero.

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
        """Compute the mean and standard deviation of each column.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            The training data. With a single row, every transformed value is 0.
        y : None
            Ignored.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            If X is invalid, or if the block sizes do not add up to its number of columns.
        """
        rows: NDArray[np.floating] = validate_data(self, to_numpy(X), dtype=[np.float64, np.float32])
        # In single precision, the rounding error of a large mean would look like a deviation.
        self.mean_ = rows.mean(axis=0, dtype=np.float64)
        deviations = (rows - self.mean_).std(axis=0)
        self.scale_ = np.empty_like(self.mean_)
        for block in self._column_slices():
            overall = np.sqrt(np.square(deviations[block]).mean())
            varies = overall > ROUNDING * np.abs(rows[:, block]).max()
            self.scale_[block] = deviations[block] + DEVIATION_FLOOR * overall if varies else np.inf
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.floating]:
        """Standardise columns and normalise blocks.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_features)
            The data, with the same columns as in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_features)
            Rows of Euclidean norm 1. A block that equals the training mean is 0, and the norm is then
            smaller.
        """
        check_is_fitted(self)
        rows: NDArray[np.floating] = validate_data(
            self, to_numpy(X), reset=False, dtype=[np.float64, np.float32]
        )
        scaled = ((rows - self.mean_) / self.scale_).astype(rows.dtype, copy=False)
        np.clip(scaled, -self.limit, self.limit, out=scaled)
        blocks = self._column_slices()
        for block in blocks:
            lengths = np.linalg.norm(scaled[:, block], axis=1, keepdims=True) * len(blocks) ** 0.5
            scaled[:, block] /= np.where(lengths > 0, lengths, 1)
        return scaled

    def _column_slices(self) -> list[slice]:
        """Check `block_sizes` and return the columns of each block."""
        n_columns = self.n_features_in_
        sizes: list[Any] = [n_columns] if self.block_sizes is None else list(self.block_sizes)
        if not all(isinstance(size, Integral) and int(size) > 0 for size in sizes) or sum(sizes) != n_columns:
            raise ValueError(
                f"block_sizes={self.block_sizes!r}; expected positive sizes that add up to the {n_columns} "
                "columns of X, such as SpectrogramStatistics.block_sizes(n_mels)"
            )
        ends = np.cumsum(sizes)
        return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
