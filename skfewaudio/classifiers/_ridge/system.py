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
# Relative to the sum of squares of H. A product of H with itself has a rounding error of 1e-16 of this sum,
# so smaller penalties would be added to noise. They use singular values, at two to four times the cost.
SMALLEST_FOR_PRODUCTS = 1e-10

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
    """

    coef: NDArray[np.float64]
    penalty: float
    penalties: NDArray[np.float64]
    errors: NDArray[np.float64] | None
    rows: NDArray[np.float64]
    rows_penalty: float


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
    device : str or torch.device, default="cpu"
        Device of the computation.
    """

    def __init__(
        self,
        H: NDArray[np.float64],
        sample_weight: NDArray[np.float64] | None = None,
        *,
        groups: NDArray[np.int64] | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.weights = np.ones(len(H)) if sample_weight is None else sample_weight
        self.root = torch.from_numpy(np.sqrt(self.weights))[:, None].to(device)
        self.H = H
        self.h = self._weigh(H)
        self.size = float(self.h.square().sum())
        self.wide = self.h.shape[0] <= self.h.shape[1]
        each = np.arange(len(H))
        self.rows_are_groups = groups is None or len(np.unique(groups)) == len(H)
        self.groups = rows_by_group_size(each if groups is None else groups)

    def _weigh(self, rows: NDArray[np.float64]) -> Tensor:
        # torch.from_numpy warns about read-only arrays, although they are never written to.
        tensor = torch.from_numpy(np.require(rows, requirements=["C", "W"])).to(self.root.device)
        return tensor if (self.weights == 1).all() else self.root * tensor

    def fit(self, Y: NDArray[np.float64], penalty: Penalty) -> RidgeFit:
        """Solve for targets with the penalty that has the smallest leave-one-out error.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_targets)
            Targets, which share one penalty.
        penalty : float, array-like of shape (n_penalties,) or "auto"
            A number is used as it is. ``"auto"`` is `RELATIVE_GRID` times the weighted sum of squares of H.

        Returns
        -------
        RidgeFit

        Raises
        ------
        ValueError
            If `penalty` is empty, or a value is negative or not finite.
        """
        y = self._weigh(Y)
        if not isinstance(penalty, str) and np.ndim(penalty) == 0:
            penalties = check_penalties([penalty])
            return RidgeFit(**self._solve(y, penalties[0]), penalties=penalties, errors=None)
        penalties = self.size * RELATIVE_GRID if isinstance(penalty, str) else check_penalties(penalty)
        errors = (self._sum_errors(y, penalties) / (self.weights.sum() * Y.shape[1])).cpu().numpy()
        return RidgeFit(**self._solve(y, penalties[errors.argmin()]), penalties=penalties, errors=errors)

    def predict_left_out(self, Y: NDArray[np.float64], penalty: float) -> NDArray[np.float64]:
        """Predict the targets of each row by a fit to the rows of all other groups.

        Parameters
        ----------
        Y : ndarray of shape (n_rows, n_targets)
            Targets.
        penalty : float
            Penalty, above 0.

        Returns
        -------
        ndarray of shape (n_rows, n_targets)
            Exactly the predictions of separate fits, from one factorisation. All weights must be above 0.
        """
        y = self._weigh(Y)
        errors = torch.empty_like(y)
        for rows, (error,) in self._leave_out(y, np.array([penalty])):
            errors[rows] = error
        return ((y - errors) / self.root).cpu().numpy()

    @cached_property
    def product(self) -> Tensor:
        """The smaller of H H' and H'H."""
        return self.h @ self.h.mT if self.wide else self.h.mT @ self.h

    @cached_property
    def eigen(self) -> tuple[Tensor, Tensor]:
        """Eigenvalues and eigenvectors of the product."""
        return _eigh(self.product)

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

    def _sum_errors(self, y: Tensor, penalties: NDArray[np.float64]) -> Tensor:
        """Compute the sum of the squared leave-one-out errors for each penalty."""
        if not self.rows_are_groups:
            sums = torch.zeros(len(penalties), dtype=y.dtype, device=y.device)
            for _, errors in self._leave_out(y, penalties):
                sums += torch.stack([error.square().sum() for error in errors])
            return sums
        if penalties.min() <= SMALLEST_FOR_PRODUCTS * self.size:
            u, s, _ = self.singular
            return errors_by_rows(u, s.square(), y, penalties)
        d, v = self.eigen
        if self.wide:
            return errors_by_rows(v, d, y, penalties)
        return errors_by_columns(self.h, v, d, y, penalties)

    def _leave_out(self, y: Tensor, penalties: NDArray[np.float64]) -> Iterator[tuple[Tensor, list[Tensor]]]:
        """Yield the rows of groups, and for each penalty their errors in fits without the group."""
        # Smaller penalties would be lost in the rounding error of the products.
        least = max(SMALLEST_FOR_PRODUCTS * self.size, np.finfo(float).tiny)
        return leave_groups_out(self.rotated, self.eigen[0], y, np.maximum(penalties, least), self.groups)

    def _solve(self, y: Tensor, penalty: float) -> dict[str, Any]:
        """Solve for one penalty, and return the fields of RidgeFit that depend on it."""
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
        return {
            "coef": coef.cpu().numpy(),
            "penalty": float(penalty),
            "rows": torch.hstack(rows).cpu().numpy(),
            "rows_penalty": float(remaining),
        }


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
def _eigh(product: Tensor) -> tuple[Tensor, Tensor]:
    """Compute the eigenvalues, clipped at 0, and the eigenvectors of a symmetric matrix."""
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
