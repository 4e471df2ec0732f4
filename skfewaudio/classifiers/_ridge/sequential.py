"""Ridge regression on rows that come in batches."""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from .system import RidgeFit, fit_ridge


class SequentialRidge:
    """Ridge regression with a fixed penalty on rows that come in batches, however they are split.

    Parameters
    ----------
    start : RidgeFit
        The solution for the first rows.
    """

    # One triangle holds R and Z of R'R = H'H + penalty and R'Z = H'Y, and rotations take new rows into it.
    # That costs n_rows * n_columns^2, as updating the inverse does (the sequential method of Liang et al.),
    # where solving anew from a sum of H'H would cost n_columns^3 a batch. Unlike either it never squares the
    # condition number of H, and no error grows with the number of batches.
    def __init__(self, start: RidgeFit) -> None:
        self.n_columns = len(start.coef)
        size = self.n_columns + start.coef.shape[1]
        self.triangle = np.zeros((size, size), order="F")
        self.triangle[range(self.n_columns), range(self.n_columns)] = np.sqrt(start.rows_penalty)
        self._rotate(start.rows)

    def update(
        self, H: NDArray[np.float64], Y: NDArray[np.float64], sample_weight: NDArray[np.float64]
    ) -> None:
        """Take in rows.

        Parameters
        ----------
        H : ndarray of shape (n_rows, n_columns)
            Finite, in double precision.
        Y : ndarray of shape (n_rows, n_targets)
            Their targets.
        sample_weight : ndarray of shape (n_rows,)
            Their weights, none below 0.
        """
        self._rotate(np.hstack([H, Y]) * np.sqrt(sample_weight)[:, None])

    def _rotate(self, rows: NDArray[np.float64]) -> None:
        block = min(32, len(self.triangle))
        self.triangle = linalg.lapack.dtpqrt(0, block, self.triangle, rows, overwrite_a=True)[0]

    def solve(self) -> NDArray[np.float64]:
        """Give the coefficients for the rows so far.

        Returns
        -------
        ndarray of shape (n_columns, n_targets)
        """
        R, Z = np.split(self.triangle[: self.n_columns], [self.n_columns], axis=1)
        diagonal = np.abs(R.diagonal())
        if diagonal.min() > 1e-10 * diagonal.max():
            return linalg.solve_triangular(R, Z, check_finite=False)
        # With no penalty and fewer rows than columns, of many solutions the smallest.
        return fit_ridge(R, Z, 0.0).coef
