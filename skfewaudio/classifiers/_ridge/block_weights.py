"""Weights of blocks of features, averaged over all weightings by their leave-one-out errors."""

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .copies import find_originals
from .leave_one_out import leave_groups_out, rows_by_group_size
from .system import RELATIVE_GRID, decompose

Array = NDArray[np.float64]

# Weights are multiples of 1 / STEPS. Five blocks have 70 weightings.
STEPS = 4
MAX_WEIGHTINGS = 150
# More rows do not change the weights noticeably, and the cost grows with their third power.
MAX_ROWS = 300
# Logarithms of the ratio of two weightings, per left-out group: for a group that only one of them classifies
# correctly, and for a doubled squared error; and per squared distance of the weights from the prior.
PER_CORRECT = 0.6
PER_ERROR = 0.25
PER_DISTANCE = 15.0
# Added to the squared errors, relative to the squares of the targets: of weightings that are all right, the
# one with the smallest error is hardly better.
SMALL_ERROR = 0.02
ROUNDING_ERROR = 1e-18  # of the mean square norm of a block, which is 1


def check_blocks(block_sizes: Any, block_prior: Any, n_features: int) -> tuple[list[slice], Array]:
    """Check the sizes of the blocks and their prior weights.

    Parameters
    ----------
    block_sizes : sequence of int or None
        Number of columns of each block; None is one block.
    block_prior : array-like of shape (n_blocks,) or None
        Prior weights; None gives all blocks the same.
    n_features : int
        Number of columns.

    Returns
    -------
    slices : list of slice
        Columns of each block.
    prior : ndarray of shape (n_blocks,)
        Prior weights, which sum to 1.

    Raises
    ------
    ValueError
        If the sizes do not add up to the number of columns, or the weights are negative or all 0.
    """
    sizes = [n_features] if block_sizes is None else [int(size) for size in block_sizes]
    if min(sizes, default=0) < 1 or sum(sizes) != n_features:
        raise ValueError(
            f"block_sizes={block_sizes!r}; expected positive sizes that add up to the {n_features} "
            "columns of X"
        )
    prior = np.ones(len(sizes)) if block_prior is None else np.asarray(block_prior, dtype=np.float64)
    if prior.shape != (len(sizes),) or not np.isfinite(prior).all() or prior.min() < 0 or not prior.any():
        raise ValueError(
            f"block_prior={block_prior!r}; expected {len(sizes)} weights from 0, one for each block"
        )
    ends = np.cumsum(sizes)
    return [slice(end - size, end) for end, size in zip(ends, sizes, strict=True)], prior / prior.sum()


def weigh_blocks(
    X: Array,
    Y: Array,
    weights: Array,
    groups: NDArray[np.int64],
    slices: Sequence[slice],
    prior: Array,
    *,
    fit_intercept: bool = False,
    device: Any = "cpu",
) -> tuple[Array, Array]:
    """Choose the weights of blocks of features.

    The errors of all weightings on a grid are computed by leave-one-out, and the weightings are averaged with
    weights that fall with the error and with the distance from the prior.

    Parameters
    ----------
    X : ndarray of shape (n_rows, n_features)
        Features.
    Y : ndarray of shape (n_rows, n_classes)
        Targets.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    groups : ndarray of shape (n_rows,)
        Groups of the rows, which are left out together. Rows with less weight than others of their class and
        group, such as augmented copies, are not used.
    slices : sequence of n_blocks slices
        Columns of each block.
    prior : ndarray of shape (n_blocks,)
        Weights that are used where errors do not differ, or cannot be measured because every class has one
        group.
    fit_intercept : bool, default=False
        Whether the regression has an intercept, so that a common offset of the features has no effect.
    device : str or torch.device, default="cpu"
        Device of the computation.

    Returns
    -------
    block_weights : ndarray of shape (n_blocks,)
        Weights, which sum to 1.
    factors : ndarray of shape (n_features,)
        Factors of the features, with which the mean square norm of each block is its weight; with an
        intercept, the norm without the mean.
    """
    if fit_intercept:
        X = X - np.average(X, axis=0, weights=weights)
    sizes = [np.average(np.square(X[:, block]).sum(axis=1), weights=weights) for block in slices]
    scales = np.array([1 / np.sqrt(size) if size > 0 else 0.0 for size in sizes])
    blocks = [X[:, block] * scale for block, scale in zip(slices, scales, strict=True)]
    chosen = _choose(blocks, Y, weights, groups, prior, fit_intercept, device)
    factors = np.empty(X.shape[1])
    for block, factor in zip(slices, scales * np.sqrt(chosen), strict=True):
        factors[block] = factor
    return chosen, factors


def _choose(
    blocks: Sequence[Array],
    Y: Array,
    weights: Array,
    groups: NDArray[np.int64],
    prior: Array,
    fit_intercept: bool,
    device: Any,
) -> Array:
    """Return the mean of all weightings of blocks whose rows have the mean square norm 1."""
    codes = Y.argmax(axis=1)
    rows = select_rows(codes, weights, groups)
    in_pairs = np.unique(np.column_stack([codes[rows], groups[rows]]), axis=0)[:, 0]
    usable = np.bincount(in_pairs, minlength=Y.shape[1])[codes[rows]] > 1
    if not usable.any():
        return prior
    chosen_rows = [block[rows] for block in blocks]
    if fit_intercept:
        chosen_rows = [block - block.mean(axis=0) for block in chosen_rows]
    # A block that is the same for all rows, such as the order in time of clips of one frame, says nothing.
    used = [b for b in np.flatnonzero(prior) if np.square(chosen_rows[b]).mean(axis=0).sum() > ROUNDING_ERROR]
    if len(used) < 2:
        return prior
    weightings = list_weightings(len(used))
    kernels = torch.stack([_kernel(chosen_rows[b], device) for b in used])
    y = torch.from_numpy(Y[rows]).to(kernels)
    members = np.unique(groups[rows], return_inverse=True)[1]
    counted = torch.from_numpy(usable).to(kernels)
    found = np.array(
        [
            _leave_out(torch.tensordot(mix, kernels, 1), y, members, counted, fit_intercept)
            for mix in torch.from_numpy(weightings).to(kernels)
        ]
    )
    errors, shares_correct = found.T
    errors = errors + SMALL_ERROR * float((counted[:, None] * y.square()).sum())
    n_groups = len(np.unique(members[usable]))
    logarithm = n_groups * (PER_CORRECT * shares_correct - PER_ERROR * errors / errors.min())
    logarithm -= PER_DISTANCE * np.square(weightings - prior[used] / prior[used].sum()).sum(axis=1)
    posterior = np.exp(logarithm - logarithm.max())
    chosen = np.zeros_like(prior)
    chosen[used] = posterior @ weightings / posterior.sum()
    return chosen


def list_weightings(n_blocks: int) -> Array:
    """List weightings of blocks whose weights are multiples of one number and sum to 1.

    Parameters
    ----------
    n_blocks : int
        Number of blocks.

    Returns
    -------
    ndarray of shape (n_weightings, n_blocks)
        All weightings in quarters, or, for many blocks, in halves or each block alone.
    """
    for steps in range(STEPS, 0, -1):
        if comb(n_blocks + steps - 1, steps) <= MAX_WEIGHTINGS:
            break
    # Bars between stars: a combination of positions of n_blocks - 1 bars is one weighting.
    n_places = steps + n_blocks - 1
    found = [np.diff([-1, *bars, n_places]) - 1 for bars in combinations(range(n_places), n_blocks - 1)]
    return np.array(found, dtype=np.float64) / steps


def select_rows(codes: NDArray[np.intp], weights: Array, groups: NDArray[np.int64]) -> NDArray[np.intp]:
    """Select the heaviest rows of each group, and about MAX_ROWS of them with all classes.

    Parameters
    ----------
    codes : ndarray of shape (n_rows,)
        Class indices of the rows.
    weights : ndarray of shape (n_rows,)
        Weights of the rows.
    groups : ndarray of shape (n_rows,)
        Groups of the rows.

    Returns
    -------
    ndarray of shape (n_selected,)
        Indices in increasing order. Augmented copies, which have less weight than their clips, are not
        selected.
    """
    rows = np.flatnonzero(find_originals(codes, weights, groups))
    if len(rows) <= MAX_ROWS:
        return rows
    # The rows of one class evenly from the first to the last, the classes in proportion.
    order = rows[np.argsort(codes[rows], kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, MAX_ROWS).round().astype(int)])


def _kernel(block: Array, device: Any) -> Tensor:
    """Return the products of all pairs of rows."""
    rows = torch.from_numpy(block).to(device)
    return rows @ rows.mT


def _leave_out(
    kernel: Tensor, y: Tensor, groups: NDArray[np.int64], counted: Tensor, fit_intercept: bool
) -> tuple[float, float]:
    """Return the least leave-one-out error of the counted rows over penalties, and the accuracy there."""
    d, v = decompose(kernel)
    penalties = float(d.sum()) * RELATIVE_GRID[2::2]
    errors, correct = np.zeros(len(penalties)), np.zeros(len(penalties))
    root = torch.ones_like(y[:, :1]) if fit_intercept else None
    by_size, mean = rows_by_group_size(groups), y.mean(dim=0, keepdim=True)
    for rows, found in leave_groups_out(v * d.sqrt(), d, y, penalties, by_size, root, mean):
        own = y[rows].argmax(dim=-1)
        for i, error in enumerate(found):
            errors[i] += float((error.square().sum(dim=-1) * counted[rows]).sum())
            right = (y[rows] - error).argmax(dim=-1) == own
            correct[i] += float((right * counted[rows]).sum())
    best = errors.argmin()
    return errors[best], correct[best] / float(counted.sum())
