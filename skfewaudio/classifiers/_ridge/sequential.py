"""Ridge regression on batches of rows."""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from .system import RidgeFit, fit_ridge


class SequentialRidge:
    """Ridge regression with a fixed penalty on batches of rows.

    The solution does not depend on the split into batches.

    Parameters
    ----------
    start : RidgeFit
        Fit to the first rows.
    """

    # One triangle holds R and Z of R'R = H'H + penalty and R'Z = H'Y, and rotations add new rows to it. An
    # update costs n_rows * n_columns^2, like an update of the inverse (the sequential method of Liang et
    # al.). Solving again from a sum of H'H would cost n_columns^3 per batch. Unlike both, rotations never
    # square the condition number of H, and errors do not grow with the number of batches.
    def __init__(self, start: RidgeFit) -> None:
        self.n_columns = len(start.coef)
        size = self.n_columns + start.coef.shape[1]
        self.triangle = np.zeros((size, size), order="F")
        self.triangle[range(self.n_columns), range(self.n_columns)] = np.sqrt(start.rows_penalty)
        self._rotate(start.rows)

    def update(
        self, H: NDArray[np.float64], Y: NDArray[np.float64], sample_weight: NDArray[np.float64]
    ) -> None:
        """Add a batch of rows.

        Parameters
        ----------
        H : ndarray of shape (n_rows, n_columns)
            Finite values in double precision.
        Y : ndarray of shape (n_rows, n_targets)
            Targets of the rows.
        sample_weight : ndarray of shape (n_rows,)
            Non-negative weights of the rows.
        """
        self._rotate(np.hstack([H, Y]) * np.sqrt(sample_weight)[:, None])

    def _rotate(self, rows: NDArray[np.float64]) -> None:
        block = min(32, len(self.triangle))
        self.triangle = linalg.lapack.dtpqrt(0, block, self.triangle, rows, overwrite_a=True)[0]

    def solve(self) -> NDArray[np.float64]:
        """Compute the coefficients for all rows so far.

        Returns
        -------
        ndarray of shape (n_columns, n_targets)
        """
        R, Z = np.split(self.triangle[: self.n_columns], [self.n_columns], axis=1)
        diagonal = np.abs(R.diagonal())
        if diagonal.min() > 1e-10 * diagonal.max():
            return linalg.solve_triangular(R, Z, check_finite=False)
        # Without a penalty and with fewer rows than columns, the smallest of many solutions.
        return fit_ridge(R, Z, 0.0).coef
