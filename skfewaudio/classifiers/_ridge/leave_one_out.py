"""Exact leave-one-out errors of a ridge regression from one factorisation.

H is (n_rows, n_columns) and y (n_rows, n_targets), both multiplied by the square roots of the row weights.
"""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

# Below this, the part of a row outside the span of the columns counts as 0.
NEGLIGIBLE = 1e-12
ROWS_AT_ONCE = 1024


def errors_by_rows(u: Tensor, d: Tensor, y: Tensor, penalties: NDArray[np.float64]) -> Tensor:
    """Sum the squares of c_i / G_ii for G = (H H' + penalty)^-1 and c = G y, given H H' = u d u'.

    The quotient equals the error at row i of a fit to all other rows.
    """
    uy, squares = u.mT @ y, u.square()
    # The part outside the span of H, where G is 1 / penalty.
    rest, y_rest = 1 - squares.sum(dim=1), y - u @ uy
    inside = rest < NEGLIGIBLE
    rest[inside], y_rest[inside] = 0.0, 0.0
    sums = []
    for penalty in penalties:
        # Multiplied by the penalty, so that the limit for a penalty of 0 exists.
        w = penalty / (d + penalty)
        c, g = u @ (w[:, None] * uy) + y_rest, squares @ w + rest
        if penalty == 0:
            # Both are 0 for rows inside the span; the limit of their quotient uses the inverse eigenvalues.
            c[inside], g[inside] = u[inside] @ (uy / d[:, None]), squares[inside] @ (1 / d)
        sums.append((c / g[:, None]).square().sum())
    return torch.stack(sums)


def errors_by_columns(h: Tensor, v: Tensor, d: Tensor, y: Tensor, penalties: NDArray[np.float64]) -> Tensor:
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


def leave_groups_out(
    z: Tensor,
    d: Tensor,
    y: Tensor,
    penalties: NDArray[np.float64],
    groups: list[Tensor],
    root: Tensor | None = None,
    mean: Tensor | float = 0.0,
) -> Iterator[tuple[Tensor, list[Tensor]]]:
    """Yield the rows of groups, and for each penalty their errors in fits without the group.

    The errors of a group are (1 - P)^-1 r, with the group's block of P = H (H'H + penalty)^-1 H' and its
    residuals r = y - P y, given P = z (d + penalty)^-1 z'. `groups` holds one tensor for each group size,
    whose rows are the groups.

    With `root`, the square roots of the row weights, the rows of H are centred and the fits have an intercept
    without a penalty, which adds u u' to P, where u is `root` at unit length. The mean of the targets in each
    fit is then exchanged for `mean`, (1, n_targets).
    """
    zy = z.mT @ y
    if root is not None:
        total, whole = root.square().sum(), root.mT @ y
    for rows in groups:
        size = rows.shape[1]
        one = torch.eye(size, dtype=z.dtype, device=z.device)
        for part in rows.split(max(1, ROWS_AT_ONCE // size)):
            own_z = z[part]
            common: Tensor | float = 0.0
            average: Tensor | float = 0.0
            exchanged: Tensor | float = 0.0
            if root is not None:
                own = root[part]
                common = (1 - NEGLIGIBLE) * (own @ own.mT) / total
                average = own * whole / total
                rest = (total - own.square().sum(1, keepdim=True)).clamp_min(NEGLIGIBLE * total)
                exchanged = own * ((whole - own.mT @ y[part]) / rest - mean)
            errors = []
            for penalty in penalties:
                scaled = own_z / (d + penalty)
                left = y[part] - (scaled.flatten(0, 1) @ zy).unflatten(0, part.shape) - average
                if size == 1:
                    leverage = (scaled * own_z).sum(dim=-1, keepdim=True) + common
                    error = left / (1 - leverage).clamp_min(NEGLIGIBLE)
                else:
                    error = torch.linalg.solve(one - scaled @ own_z.mT - common, left)
                errors.append(error + exchanged)
            yield part, errors


def rows_by_group_size(groups: NDArray[np.int64]) -> list[Tensor]:
    """Return the rows of all groups of one size, (n_groups, size), for each size."""
    order = np.argsort(groups, kind="stable")
    sizes = np.unique(groups, return_counts=True)[1]
    rows = np.split(order, np.cumsum(sizes)[:-1])
    return [
        torch.from_numpy(np.stack([row for row in rows if len(row) == size])) for size in np.unique(sizes)
    ]
