"""Ridge regression without an intercept, its penalty chosen by exact leave-one-out errors.

Throughout, H is (n_rows, n_columns), Y is (n_rows, n_targets), and the coefficients B minimise
``sum_i weight_i * |Y_i - H_i B|^2 + penalty * |B|^2``; with a penalty of 0 they are the smallest that do.
"""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import linalg
from scipy.sparse import issparse
from torch import Tensor

# Of the sum of squares of H. Below the least of these H is all but interpolated, above the largest B is all
# but 0; a step is half a power of ten.
RELATIVE_GRID = np.logspace(-8, 1, 19)
# Of the sum of squares of H. A product of H with itself is known to 1e-16 of that, so that smaller penalties
# would be added to noise; they go by singular values, at two to four times the cost.
SMALLEST_FOR_PRODUCTS = 1e-10
# What is left of a row outside the span of the columns, below which it counts as none.
NEGLIGIBLE = 1e-12
ROWS_AT_ONCE = 1024

Penalty = float | ArrayLike | Literal["auto"]


@dataclass(frozen=True)
class RidgeFit:
    """Coefficients, and what was found out on the way to them.

    Parameters
    ----------
    coef : ndarray of shape (n_columns, n_targets)
        B.
    penalty : float
        The penalty they were computed with.
    penalties : ndarray of shape (n_penalties,)
        Those it was chosen from.
    errors : ndarray of shape (n_penalties,) or None
        The mean over rows, by their weights, and over targets of the squared leave-one-out errors; None where
        there was nothing to choose.
    rows : ndarray of shape (min(n_rows, n_columns), n_columns + n_targets)
        Rows of H and Y that stand for all of them: with `rows_penalty` they have the same solution, and the
        same after any rows are added.
    rows_penalty : float
        `penalty`, or 0 where the rows have it in them already.
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
    """Solve a ridge regression, for the penalty with the least leave-one-out error.

    Parameters
    ----------
    H : ndarray of shape (n_rows, n_columns)
        Finite, in double precision.
    Y : ndarray of shape (n_rows, n_targets)
        Targets; one penalty serves all of them.
    penalty : float, array-like of shape (n_penalties,) or "auto"
        A number is taken as it is. ``"auto"`` is `RELATIVE_GRID` times the weighted sum of squares of H.
    sample_weight : ndarray of shape (n_rows,), default=None
        Weights, none below 0. Whatever its weight, a row is left out as a whole; see `merge_copies`.
    device : str or torch.device, default="cpu"
        Where it is computed.

    Returns
    -------
    RidgeFit

    Raises
    ------
    ValueError
        If `penalty` holds none, or one that is negative or not finite.
    """
    weights = np.ones(len(H)) if sample_weight is None else sample_weight
    # torch takes no array that cannot be written to, though it is not.
    h, y = (torch.from_numpy(np.require(a, requirements=["C", "W"])).to(device) for a in (H, Y))
    if not (weights == 1).all():
        root = torch.from_numpy(np.sqrt(weights))[:, None].to(device)
        h, y = root * h, root * y
    system = _System(h, y)
    if not isinstance(penalty, str) and np.ndim(penalty) == 0:
        penalties = check_penalties([penalty])
        return RidgeFit(**system.solve(penalties[0]), penalties=penalties, errors=None)
    penalties = system.size * RELATIVE_GRID if isinstance(penalty, str) else check_penalties(penalty)
    errors = (system.sum_errors(penalties) / (weights.sum() * Y.shape[1])).cpu().numpy()
    return RidgeFit(**system.solve(penalties[errors.argmin()]), penalties=penalties, errors=errors)


def check_penalties(penalties: Any) -> NDArray[np.float64]:
    """Check a list of penalties.

    Parameters
    ----------
    penalties : array-like of shape (n_penalties,)
        Numbers.

    Returns
    -------
    ndarray of shape (n_penalties,)

    Raises
    ------
    ValueError
        If there is none, or one is negative or not finite.
    """
    checked = np.asarray(penalties, dtype=np.float64)
    if checked.ndim != 1 or not len(checked) or not np.isfinite(checked).all() or checked.min() < 0:
        raise ValueError(
            f"penalty={penalties!r} cannot be used; expected a number from 0, a list of them, or 'auto'"
        )
    return checked


def merge_copies(
    X: Any, Y: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[Any, NDArray[np.float64], NDArray[np.float64]]:
    """Keep one of every set of rows equal in X and Y, with the sum of their weights.

    The solution stays the same. Left out one by one, copies would predict each other; merged they are left
    out together, and a row repeated k times counts as one with k times its weight.

    Parameters
    ----------
    X : ndarray or CSR of shape (n_rows, n_features)
        Rows, before anything is computed of them that might differ in the last bit.
    Y : ndarray of shape (n_rows, n_targets)
        Their targets.
    weights : ndarray of shape (n_rows,)
        Their weights.

    Returns
    -------
    X, Y, weights
        Of the first rows of their kind, in the order they came.
    """
    number: dict[bytes, int] = {}
    groups = [number.setdefault(_digest(X, Y, i), len(number)) for i in range(len(Y))]
    if len(number) == len(Y):
        return X, Y, weights
    _, first = np.unique(groups, return_index=True)
    return X[first], Y[first], np.bincount(groups, weights=weights).astype(np.float64)


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


class _System:
    """Weighted H and Y, and their factorisations, each computed once."""

    def __init__(self, h: Tensor, y: Tensor) -> None:
        self.h, self.y = h, y
        self.size = float(h.square().sum())
        self.wide = h.shape[0] <= h.shape[1]

    @cached_property
    def product(self) -> Tensor:
        """The smaller of H H' and H'H."""
        return self.h @ self.h.mT if self.wide else self.h.mT @ self.h

    @cached_property
    def singular(self) -> tuple[Tensor, Tensor, Tensor]:
        """Singular vectors and values, without the values that are 0 but for rounding."""
        u, s, vt = _svd(self.h)
        kept = s > max(self.h.shape) * torch.finfo(s.dtype).eps * s.max()
        return u[:, kept], s[kept], vt[kept]

    def sum_errors(self, penalties: NDArray[np.float64]) -> Tensor:
        """Give the sum of the squared leave-one-out errors for each penalty."""
        if penalties.min() <= SMALLEST_FOR_PRODUCTS * self.size:
            u, s, _ = self.singular
            return _errors_by_rows(u, s.square(), self.y, penalties)
        d, v = _eigh(self.product)
        if self.wide:
            return _errors_by_rows(v, d, self.y, penalties)
        return _errors_by_columns(self.h, v, d, self.y, penalties)

    def solve(self, penalty: float) -> dict[str, Any]:
        """Give what is known of the solution for one penalty, as fields of RidgeFit."""
        rows, remaining = (self.h, self.y), penalty
        if penalty <= SMALLEST_FOR_PRODUCTS * self.size:
            u, s, vt = self.singular
            uy = u.mT @ self.y
            coef = vt.mT @ ((s / (s.square() + penalty))[:, None] * uy)
            if not self.wide:
                rows = s[:, None] * vt, uy
        else:
            product = self.product.clone()
            product.diagonal().add_(penalty)
            factor = torch.linalg.cholesky(product)
            if self.wide:
                # H'(H H' + penalty)^-1 is (H'H + penalty)^-1 H'.
                coef = self.h.mT @ torch.cholesky_solve(self.y, factor)
            else:
                z = torch.linalg.solve_triangular(factor, self.h.mT @ self.y, upper=False)
                coef = torch.linalg.solve_triangular(factor.mT, z, upper=True)
                rows, remaining = (factor.mT, z), 0.0
        return {
            "coef": coef.cpu().numpy(),
            "penalty": float(penalty),
            "rows": torch.hstack(rows).cpu().numpy(),
            "rows_penalty": float(remaining),
        }


def _errors_by_rows(u: Tensor, d: Tensor, y: Tensor, penalties: NDArray[np.float64]) -> Tensor:
    """Sum the squares of c_i / G_ii for G = (H H' + penalty)^-1 and c = G y, given H H' = u d u'.

    That quotient is exactly the error at row i of a fit to all other rows.
    """
    uy, squares = u.mT @ y, u.square()
    # What lies outside the span of H, where G is 1 / penalty.
    rest, y_rest = 1 - squares.sum(dim=1), y - u @ uy
    inside = rest < NEGLIGIBLE
    rest[inside], y_rest[inside] = 0.0, 0.0
    sums = []
    for penalty in penalties:
        # Times the penalty, so that the limit 0 exists.
        w = penalty / (d + penalty)
        c, g = u @ (w[:, None] * uy) + y_rest, squares @ w + rest
        if penalty == 0:
            # There both are 0 for rows that are hit exactly; the quotient's limit is that of the inverses.
            c[inside], g[inside] = u[inside] @ (uy / d[:, None]), squares[inside] @ (1 / d)
        sums.append((c / g[:, None]).square().sum())
    return torch.stack(sums)


def _errors_by_columns(h: Tensor, v: Tensor, d: Tensor, y: Tensor, penalties: NDArray[np.float64]) -> Tensor:
    """Sum the squares of (y_i - prediction_i) / (1 - leverage_i), given H'H = v d v'."""
    b = v.mT @ (h.mT @ y)
    sums = torch.zeros(len(penalties), dtype=h.dtype, device=h.device)
    scale = 1 / (d[:, None] + torch.from_numpy(penalties).to(d.device))
    for part, target in zip(h.split(ROWS_AT_ONCE), y.split(ROWS_AT_ONCE), strict=True):
        rotated = part @ v
        leverage = rotated.square() @ scale
        for i in range(len(penalties)):
            left = (1 - leverage[:, i, None]).clamp_(min=NEGLIGIBLE)
            error = (target - rotated @ (scale[:, i, None] * b)) / left
            sums[i] += error.square().sum()
    return sums


# On a processor SciPy's build of LAPACK takes half the time of torch's for these two.
def _eigh(product: Tensor) -> tuple[Tensor, Tensor]:
    """Give eigenvalues from 0 and eigenvectors of a symmetric matrix."""
    if product.device.type != "cpu":
        d, v = torch.linalg.eigh(product)
    else:
        found = linalg.eigh(product.numpy().T, driver="evd", check_finite=False)
        d, v = (torch.from_numpy(a) for a in found)
    return d.clamp_(min=0), v


def _svd(h: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Give the thin singular value decomposition."""
    if h.device.type != "cpu":
        return torch.linalg.svd(h, full_matrices=False)
    u, s, vt = linalg.svd(h.numpy(), full_matrices=False, check_finite=False)
    return torch.from_numpy(u), torch.from_numpy(s), torch.from_numpy(vt)


def _digest(X: Any, Y: NDArray[np.float64], i: int) -> bytes:
    """Give what is the same for equal rows alone."""
    parts = [Y[i]]
    if issparse(X):
        row = X[[i]]
        row.sum_duplicates()
        row.eliminate_zeros()
        parts += [row.data, row.indices]
    else:
        parts.append(X[i])
    # Adding 0 makes a negative zero positive.
    return hashlib.blake2b(b"".join((part + 0).tobytes() for part in parts), digest_size=16).digest()
