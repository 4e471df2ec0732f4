"""What a ridge regression says of its own training rows, each left out."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax

from ._ridge import NEGLIGIBLE, SMALLEST_FOR_PRODUCTS

# Of a temperature, in deviations of the scores: probabilities from next to certain to next to equal.
TEMPERATURES = (1e-2, 1e2)
EQUAL = 1e-12  # of the largest score: differences that are rounding


def leave_one_out(
    H: NDArray[np.float64],
    Y: NDArray[np.float64],
    penalty: float,
    weights: NDArray[np.float64],
    *,
    device: str | torch.device = "cpu",
) -> NDArray[np.float64]:
    """Predict each row's targets from a ridge regression, without an intercept, on all the other rows.

    Parameters
    ----------
    H : ndarray of shape (n_rows, n_columns)
        Finite, in double precision.
    Y : ndarray of shape (n_rows, n_targets)
        Targets.
    penalty : float
        Above 0.
    weights : ndarray of shape (n_rows,)
        Of the rows, all above 0.
    device : str or torch.device, default="cpu"
        Where it is computed.

    Returns
    -------
    ndarray of shape (n_rows, n_targets)
        Exactly what as many fits would give, from one factorisation.
    """
    root = torch.from_numpy(np.sqrt(weights))[:, None].to(device)
    h, y = (root * torch.from_numpy(np.array(a)).to(device) for a in (H, Y))
    # Less would be added to the rounding of the products.
    penalty = max(penalty, SMALLEST_FOR_PRODUCTS * float(h.square().sum()), np.finfo(float).tiny)
    wide = h.shape[0] <= h.shape[1]
    product = h @ h.mT if wide else h.mT @ h
    product.diagonal().add_(penalty)
    factor = torch.linalg.cholesky(product)
    if wide:
        inverse = torch.cholesky_inverse(factor)
        errors = (inverse @ y) / inverse.diagonal()[:, None]
    else:
        leverage = torch.linalg.solve_triangular(factor, h.mT, upper=False).square().sum(dim=0)
        residuals = y - h @ torch.cholesky_solve(h.mT @ y, factor)
        errors = residuals / (1 - leverage[:, None]).clamp_(min=NEGLIGIBLE)
    return ((y - errors) / root).cpu().numpy()


def find_temperature(
    scores: NDArray[np.float64], codes: NDArray[np.int64], weights: NDArray[np.float64]
) -> float:
    """Find by what scores are to be divided so that their softmax has the least log loss.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Of rows that the scores were not fitted to.
    codes : ndarray of shape (n_rows,)
        The rows' true classes.
    weights : ndarray of shape (n_rows,)
        Of the rows.

    Returns
    -------
    float
        1 where all scores are equal.

    Notes
    -----
    Where all rows are right, ever lower temperatures would fit ever better. As in Platt's scaling, the
    targets are therefore not quite certain: all rows together have one more, shared among the classes.
    """
    spread = float(np.sqrt(np.square(scores - scores.mean(axis=1, keepdims=True)).mean()))
    if spread <= EQUAL * np.abs(scores).max():
        return 1.0

    def loss(log_temperature: float) -> float:
        log_proba = log_softmax(scores / (spread * np.exp(log_temperature)), axis=1)
        own = log_proba[np.arange(len(codes)), codes]
        return -float(weights @ own + np.average(log_proba.mean(axis=1), weights=weights))

    found = minimize_scalar(loss, bounds=np.log(TEMPERATURES), method="bounded")
    return spread * float(np.exp(found.x))


def familiarity(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Say how near scores are to what is wanted of a class.

    Parameters
    ----------
    scores : ndarray of shape (n_rows, n_classes)
        Fitted to 1 for a row's class and 0 for others, less their mean.

    Returns
    -------
    ndarray of shape (n_rows,)
        Minus the squared distance from the targets of the nearest class.
    """
    # |s - (e_k - 1 / n)|^2 for scores that sum to 0, with the k of the highest score.
    return 2 * scores.max(axis=1) - np.square(scores).sum(axis=1) - (1 - 1 / scores.shape[1])


def find_threshold(left_out: NDArray[np.float64], rate: float) -> float:
    """Find the value that a new clip falls below with a probability of `rate` at most.

    Parameters
    ----------
    left_out : ndarray of shape (n_rows,)
        Values of training clips under fits without them.
    rate : float
        Between 0 and 1.

    Returns
    -------
    float
        One of those values; minus infinity where they are too few for so small a rate.
    """
    # A new clip is as likely to have any rank among them and itself.
    rank = int(rate * (len(left_out) + 1))
    return float(np.sort(left_out)[rank - 1]) if rank else -np.inf
