"""Ridge regression without an intercept, with a penalty chosen by exact leave-one-out errors.

Throughout, H is (n_rows, n_columns), Y is (n_rows, n_targets), and the coefficients B minimise
``sum_i weight_i * |Y_i - H_i B|^2 + penalty * |B|^2``; with a penalty of 0, B is the
smallest minimiser.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from torch import Tensor

from .leave_one_out import errors_by_columns, errors_by_rows, leave_groups_out, rows_by_group_size

# Relative to the sum of squares of H. Below the smallest value, H nearly interpolates Y; above the largest, B
# is nearly 0. A step is half a power of ten.
RELATIVE_GRID = np.logspace(-8, 1, 19)
# Relative to the sum of squares of H, for rows without leave-one-out errors if no penalty is expected. Within
# a point of the best value for one clip per class on features of several kinds.
RELATIVE_DEFAULT = 1e-2
# Added to the logarithm of the leave-one-out error times the number of groups, for each squared power of ten
# between a penalty and the expected one.
PER_SQUARED_DECADE = 0.2
# Relative to the sum of squares of H. A product of H with itself has a rounding error of 1e-16 of this sum,
# so smaller penalties would be added to noise. They use singular values, at two to four times the cost.
SMALLEST_FOR_PRODUCTS = 1e-10
# Errors of two penalties that differ by less, relative to them, count as equal: the larger penalty is chosen.
EQUAL_ERRORS = 1e-5
TINY = np.finfo(float).tiny

Penalty = float | ArrayLike | Literal["auto"]


@dataclass(frozen=True)
class RidgeFit:
    """Coefficients of a ridge regression, with the candidates of its penalty and a compact form of its rows.

    Parameters
    ----------
    coef : ndarray of shape (n_columns, n_targets)
        Coefficients B.
    penalty : float
        Penalty of the coefficients.
    penalties : ndarray of shape (n_penalties,)
        Candidates from which the penalty was chosen.
    errors : ndarray of shape (n_penalties,) or None
        Squared leave-one-out error of each candidate, averaged over targets and, with their weights, over
        rows; None if the penalty was a number.
    rows : ndarray of shape (min(n_rows, n_columns), n_columns + n_targets)
        Rows of H and Y that represent all rows: with `rows_penalty`, they have the same solution, also after
        any rows are added.
    rows_penalty : float
        `penalty`, or 0 if the rows include it already.
    intercept : ndarray of shape (n_targets,)
        Intercepts, 0 unless they are fitted.
    """

    coef: NDArray[np.float64]
    penalty: float
    penalties: NDArray[np.float64]
    errors: NDArray[np.float64] | None
    rows: NDArray[np.float64]
    rows_penalty: float
    intercept: NDArray[np.float64]

    def predict(self, H: NDArray[np.float64]) -> NDArray[np.float64]:
        """Predict the targets of rows.

        Parameters
        ----------
        H : ndarray of shape (n_rows, n_columns)
            Rows.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
        """
        return H @ self.coef + self.intercept


def fit_ridge(
    H: NDArray[np.float64],
    Y: NDArray[np.float64],
    penalty: Penalty,
    *,
    sample_weight: NDArray[np.float64] | None = None,
    device: str | torch.device = "cpu",
) -> RidgeFit:
    """Solve a ridge regression with the penalty that has the smallest leave-one-out error.

    Parameters
    ----------
    H : ndarray of shape (n_rows, n_columns)
        Finite values in double precision.
    Y : ndarray of shape (n_rows, n_targets)
        Targets, which share one penalty.
    penalty : float, array-like of shape (n_penalties,) or "auto"
        A number is used as it is. ``"auto"`` is `RELATIVE_GRID` times the weighted sum of squares of H.
    sample_weight : ndarray of shape (n_rows,), default=None
        Non-negative weights. A row of any weight is left out as a whole; see `merge_duplicates`.
    device : str or torch.device, default="cpu"
        Device of the computation.

    Returns
    -------
    RidgeFit

    Raises
    ------
    ValueError
        If `penalty` is empty, or a value is negative or not finite.
    """
    return RidgeSystem(H, sample_weight, device=device).fit(Y, penalty)


class RidgeSystem:
    """Weighted rows of a ridge regression, factorised once for all targets and penalties.

    Parameters
    ----------
    H : ndarray of shape (n_rows, n_columns)
        Finite values in double precision.
    sample_weight : ndarray of shape (n_rows,), default=None
        Non-negative weights. A row of any weight is left out as a whole; see `merge_duplicates`.
    groups : ndarray of shape (n_rows,), default=None
        Group numbers of the rows. Rows of one group are left out together. None leaves out each row alone.
    counted : ndarray of shape (n_rows,), default=None
        Whether each row takes part in the choice of the penalty. None counts all rows.
    fit_intercept : bool, default=False
        Whether the targets have intercepts without a penalty. Predictions for rows that were left out are
        exact, but for the mean of the targets, which includes these rows: a mean without them would reveal
        the class of a row, which becomes rarer by leaving it out.
    device : str or torch.device, default="cpu"
        Device of the computation.
    """

    def __init__(
        self,
        H: NDArray[np.float64],
        sample_weight: NDArray[np.float64] | None = None,
        *,
        groups: NDArray[np.int64] | None = None,
        counted: NDArray[np.bool_] | None = None,
        fit_intercept: bool = False,
        device: str | torch.device = "cpu",
    ) -> None:
        self.weights = np.ones(len(H)) if sample_weight is None else sample_weight
        self.root = torch.from_numpy(np.sqrt(self.weights))[:, None].to(device)
        self.H = H
        self.fit_intercept = fit_intercept
        self.centre = np.average(H, axis=0, weights=self.weights) if fit_intercept else np.zeros(H.shape[1])
        self.h = self._weigh(H - self.centre if fit_intercept else H)
        self.counted = None if counted is None else torch.from_numpy(counted).to(self.h)
        self.size = float(self.h.square().sum())
        self.wide = self.h.shape[0] <= self.h.shape[1]
        each = np.arange(len(H))
        self.rows_are_groups = groups is None or len(np.unique(groups)) == len(H)
        self.groups = rows_by_group_size(each if groups is None else groups)

    def _weigh(self, rows: NDArray[np.float64]) -> Tensor:
        # torch.from_numpy warns about read-only arrays, although they are never written to.
        tensor = torch.from_numpy(np.require(rows, requirements=["C", "W"])).to(self.root.device)
        return tensor if (self.weights == 1).all() else self.root * tensor

    def candidates(self, penalty: Penalty, least: float) -> Penalty:
        """Return the candidates of the penalty that are not below a value, or the largest one.

        Parameters
        ----------
        penalty : float, array-like of shape (n_penalties,) or "auto"
            As in :meth:`fit`. A number is returned as it is.
        least : float
            Smallest penalty.

        Returns
        -------
        float or ndarray of shape (n_penalties,)
        """
        if not isinstance(penalty, str) and np.ndim(penalty) == 0:
            return penalty
        penalties = self.size * RELATIVE_GRID if isinstance(penalty, str) else check_penalties(penalty)
        kept = penalties[penalties >= least * (1 - EQUAL_ERRORS)]
        return kept if len(kept) else penalties.max(keepdims=True)

    def fit(
        self,
        Y: NDArray[np.float64],
        penalty: Penalty,
        mean: NDArray[np.float64] | None = None,
        *,
        expected: float | None = None,
    ) -> RidgeFit:
        """Solve for targets with the penalty that has the smallest leave-one-out error.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_targets)
            Targets, which share one penalty.
        penalty : float, array-like of shape (n_penalties,) or "auto"
            A number is used as it is. ``"auto"`` is `RELATIVE_GRID` times the weighted sum of squares of H.
        mean : ndarray of shape (n_targets,), default=None
            Mean of the targets that the intercepts reproduce. None is the mean of Y.
        expected : float, default=None
            Penalty that is expected before any group is left out, relative to the weighted sum of squares of
            H. With few groups, the penalty is drawn to it. None expects no penalty more than another.

        Returns
        -------
        RidgeFit

        Raises
        ------
        ValueError
            If `penalty` is empty, or a value is negative or not finite.
        """
        mean = self._mean(Y) if mean is None else mean
        if not isinstance(penalty, str) and np.ndim(penalty) == 0:
            penalties = check_penalties([penalty])
            return self._solve(Y, mean, penalties[0], penalties, None)
        penalties = self.size * RELATIVE_GRID if isinstance(penalty, str) else check_penalties(penalty)
        if self.counted is not None and not self.counted.any():
            wanted = RELATIVE_DEFAULT if expected is None else expected
            nearest = self._decades_from(wanted, penalties).argmin()
            return self._solve(Y, mean, penalties[nearest], penalties, None)
        counted = self.weights if self.counted is None else self.weights * self.counted.cpu().numpy()
        errors = (
            (self._sum_errors(self._weigh(Y), mean, penalties) / (counted.sum() * Y.shape[1])).cpu().numpy()
        )
        losses = np.log(np.maximum(errors, TINY))
        if expected is not None:
            n_groups = sum(len(rows) for rows in self.groups)
            losses += PER_SQUARED_DECADE / n_groups * self._decades_from(expected, penalties) ** 2
        least = np.flatnonzero(losses <= losses.min() + EQUAL_ERRORS)
        return self._solve(Y, mean, penalties[least].max(), penalties, errors)

    def _decades_from(self, relative: float, penalties: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the powers of ten between penalties and one relative to the sum of squares."""
        wanted = max(self.size * relative, TINY)
        decades: NDArray[np.float64] = np.abs(np.log10(np.maximum(penalties, TINY) / wanted))
        return decades

    def predict_left_out(
        self, Y: NDArray[np.float64], penalty: float, mean: NDArray[np.float64] | None = None
    ) -> NDArray[np.float64]:
        """Predict the targets of each row by a fit to the rows of all other groups.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_targets)
            Targets.
        penalty : float
            Penalty, above 0.
        mean : ndarray of shape (n_targets,), default=None
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
            Exactly the predictions of separate fits, from one factorisation. All weights must be above 0.
        """
        y = self._weigh(Y)
        errors = torch.empty_like(y)
        mean = self._mean(Y) if mean is None else mean
        for rows, (error,) in self._leave_out(y, mean, np.array([penalty])):
            errors[rows] = error
        return ((y - errors) / self.root).cpu().numpy()

    @cached_property
    def product(self) -> Tensor:
        """The smaller of H H' and H'H."""
        return self.h @ self.h.mT if self.wide else self.h.mT @ self.h

    @cached_property
    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues and eigenvectors of the product."""
        return decompose(self.product)

    @cached_property
    def rotated(self) -> Tensor:
        """H times the eigenvectors of H'H."""
        d, v = self.eigen
        return v * d.sqrt() if self.wide else self.h @ v

    @cached_property
    def singular(self) -> tuple[Tensor, Tensor, Tensor]:
        """Singular vectors and values, without the values that are 0 up to rounding."""
        u, s, vt = _svd(self.h)
        kept = s > max(self.h.shape) * torch.finfo(s.dtype).eps * s.max()
        return u[:, kept], s[kept], vt[kept]

    def _sum_errors(self, y: Tensor, mean: NDArray[np.float64], penalties: NDArray[np.float64]) -> Tensor:
        """Compute the sum of the squared leave-one-out errors for each penalty."""
        if not self.rows_are_groups or self.counted is not None or self.fit_intercept:
            sums = torch.zeros(len(penalties), dtype=y.dtype, device=y.device)
            for rows, errors in self._leave_out(y, mean, penalties):
                factor = 1.0 if self.counted is None else self.counted[rows][..., None]
                sums += torch.stack([(factor * error.square()).sum() for error in errors])
            return sums
        if penalties.min() <= SMALLEST_FOR_PRODUCTS * self.size:
            u, s, _ = self.singular
            return errors_by_rows(u, s.square(), y, penalties)
        d, v = self.eigen
        if self.wide:
            return errors_by_rows(v, d, y, penalties)
        return errors_by_columns(self.h, v, d, y, penalties)

    def _leave_out(
        self, y: Tensor, mean: NDArray[np.float64], penalties: NDArray[np.float64]
    ) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """Yield the rows of groups, and for each penalty their errors in fits without the group."""
        # Smaller penalties would be lost in the rounding error of the products.
        least = max(SMALLEST_FOR_PRODUCTS * self.size, TINY)
        penalties = np.maximum(penalties, least)
        z, d = self.rotated, self.eigen[0]
        if not self.fit_intercept:
            return leave_groups_out(z, d, y, penalties, self.groups)
        added = torch.from_numpy(mean)[None].to(y)
        return leave_groups_out(z, d, y, penalties, self.groups, self.root, added)

    def _mean(self, Y: NDArray[np.float64]) -> NDArray[np.float64]:
        mean: NDArray[np.float64] = np.average(Y, axis=0, weights=self.weights)
        return mean

    def _solve(
        self,
        Y: NDArray[np.float64],
        mean: NDArray[np.float64],
        penalty: float,
        penalties: NDArray[np.float64],
        errors: NDArray[np.float64] | None,
    ) -> RidgeFit:
        """Solve for one penalty."""
        # The mean has no effect on the coefficients, but would add rounding errors.
        y = self._weigh(Y - self._mean(Y) if self.fit_intercept else Y)
        rows, remaining = (self.h, y), penalty
        if penalty <= SMALLEST_FOR_PRODUCTS * self.size:
            u, s, vt = self.singular
            uy = u.mT @ y
            coef = vt.mT @ ((s / (s.square() + penalty))[:, None] * uy)
            if not self.wide:
                rows = s[:, None] * vt, uy
        else:
            product = self.product.clone()
            product.diagonal().add_(penalty)
            factor = torch.linalg.cholesky(product)
            if self.wide:
                # H'(H H' + penalty)^-1 is (H'H + penalty)^-1 H'.
                coef = self.h.mT @ torch.cholesky_solve(y, factor)
            else:
                z = torch.linalg.solve_triangular(factor, self.h.mT @ y, upper=False)
                coef = torch.linalg.solve_triangular(factor.mT, z, upper=True)
                rows, remaining = (factor.mT, z), 0.0
        weights = coef.cpu().numpy()
        intercept = np.zeros(Y.shape[1])
        if self.fit_intercept:
            intercept = mean - self.centre @ weights
        return RidgeFit(
            coef=weights,
            penalty=float(penalty),
            penalties=penalties,
            errors=errors,
            rows=torch.hstack(rows).cpu().numpy(),
            rows_penalty=float(remaining),
            intercept=intercept,
        )


def check_penalties(penalties: Any) -> NDArray[np.float64]:
    """Check a list of penalties.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        Penalties.

    Returns
    -------
    ndarray of shape (n_penalties,)

    Raises
    ------
    ValueError
        If there is no penalty, or a penalty is negative or not finite.
    """
    checked = np.asarray(penalties, dtype=np.float64)
    if checked.ndim != 1 or not len(checked) or not np.isfinite(checked).all() or checked.min() < 0:
        raise ValueError(
            f"penalty={penalties!r} cannot be used; expected a number from 0, a list of them, or 'auto'"
        )
    return checked


# On a CPU, SciPy's build of LAPACK takes half the time of torch's for these two functions.
def decompose(product: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the eigenvalues, clipped at 0, and the eigenvectors of a symmetric matrix.

    Parameters
    ----------
    product : Tensor of shape (n, n)
        Symmetric matrix in double precision without negative eigenvalues, up to rounding.

    Returns
    -------
    values : Tensor of shape (n,)
        Eigenvalues in increasing order.
    vectors : Tensor of shape (n, n)
        Eigenvectors, in columns.
    """
    if product.device.type != "cpu":
        d, v = torch.linalg.eigh(product)
    else:
        found = linalg.eigh(product.numpy().T, driver="evd", check_finite=False)
        d, v = (torch.from_numpy(a) for a in found)
    return d.clamp_(min=0), v


def _svd(h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Compute the thin singular value decomposition."""
    if h.device.type != "cpu":
        return torch.linalg.svd(h, full_matrices=False)
    u, s, vt = linalg.svd(h.numpy(), full_matrices=False, check_finite=False)
    return torch.from_numpy(u), torch.from_numpy(s), torch.from_numpy(vt)
