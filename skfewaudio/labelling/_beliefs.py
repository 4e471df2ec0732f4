"""Predictions for each clip, and leave-one-out predictions for each labelled clip."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from skfewaudio.classifiers import CalibratedRidgeClassifier

from .block_features import ReadyBlocks

# The weights of the blocks are chosen by the labels from this many on, and anew when the number of labels has
# grown by this factor: it takes many times as long as a fit with given weights.
MIN_WEIGHED = 10
GROWTH = 1.4


@dataclass(frozen=True)
class Beliefs:
    """Class probabilities of the clips.

    Attributes
    ----------
    classes : list of str
        Classes that have a labelled clip, sorted.
    proba : ndarray of shape (n_ready, n_classes)
        Probabilities of all clips that are ready.
    left_out : ndarray of shape (n_labelled, n_classes)
        Probabilities of the labelled clips by fits without them and without others of their recording.
    """

    classes: list[str]
    proba: NDArray[np.float64]
    left_out: NDArray[np.float64]


class BeliefModel:
    """Ridge regression on precomputed blocks, fitted anew after every answer.

    Parameters
    ----------
    weighs_blocks : bool, default=True
        Whether the labels choose the weights of the blocks. False uses the prior weights.
    """

    def __init__(self, *, weighs_blocks: bool = True) -> None:
        self._weighs_blocks = weighs_blocks
        self._weights: NDArray[np.float64] | None = None
        self._n_weighted = 0

    def fit(
        self, ready: ReadyBlocks, rows: NDArray[np.intp], labels: Sequence[str], groups: Sequence[str]
    ) -> Beliefs:
        """Fit to labelled rows, and predict all rows.

        Parameters
        ----------
        ready : ReadyBlocks
            Features.
        rows : ndarray of int of shape (n_labelled,)
            Rows of the labelled clips.
        labels, groups : sequence of str
            Class and recording of each labelled clip.

        Returns
        -------
        Beliefs
            With one class, all probabilities are 1.
        """
        classes, codes = np.unique(np.array(labels, dtype=str), return_inverse=True)
        if len(classes) < 2:
            return Beliefs(classes.tolist(), np.ones((len(ready.X), 1)), np.ones((len(rows), 1)))
        members = np.unique(np.array(groups, dtype=str), return_inverse=True)[1]
        labelled = ready.X[rows].astype(np.float64)
        if not self._weighs_blocks or len(rows) < MIN_WEIGHED:
            self._weights, self._n_weighted = np.array(ready.prior) / sum(ready.prior), 0
        elif not self._n_weighted <= len(rows) <= GROWTH * self._n_weighted:
            self._weights = self._weigh(ready, labelled, codes, members)
            self._n_weighted = len(rows)
        factors = self._scale_blocks(ready, labelled)
        labelled *= factors
        model = CalibratedRidgeClassifier(fit_intercept=False).fit(labelled, codes, groups=members)
        # In single precision, one product of all clips with the coefficients.
        coef = (model.coef_ * factors).astype(np.float32)
        proba = softmax((ready.X @ coef.T).astype(np.float64) / model.temperature_, axis=1)
        left_out = leave_groups_out(
            labelled @ labelled.T, np.eye(len(classes))[codes], model.penalty_, members
        )
        return Beliefs(classes.tolist(), proba, softmax(left_out / model.temperature_, axis=1))

    @staticmethod
    def _weigh(
        ready: ReadyBlocks, labelled: NDArray[np.float64], codes: NDArray[np.intp], members: NDArray[np.intp]
    ) -> NDArray[np.float64]:
        model = CalibratedRidgeClassifier(
            fit_intercept=False, block_sizes=ready.sizes, block_prior=ready.prior
        )
        weights: NDArray[np.float64] = model.fit(labelled, codes, groups=members).block_weights_
        return weights

    def _scale_blocks(self, ready: ReadyBlocks, labelled: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the factors of the columns, with which the mean square norm of a block is its weight."""
        ends = np.cumsum(ready.sizes)
        factors = np.empty(labelled.shape[1])
        for weight, size, end in zip(self._weights, ready.sizes, ends, strict=True):  # type: ignore[arg-type]
            norm = np.square(labelled[:, end - size : end]).sum(axis=1).mean()
            factors[end - size : end] = np.sqrt(weight / norm) if norm > 0 else 0.0
        return factors


def leave_groups_out(
    kernel: NDArray[np.float64], Y: NDArray[np.float64], penalty: float, groups: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Compute the scores of each row by a ridge regression without its group.

    Parameters
    ----------
    kernel : ndarray of shape (n_rows, n_rows)
        Products of all pairs of rows.
    Y : ndarray of shape (n_rows, n_classes)
        Indicators of the classes.
    penalty : float
        Penalty.
    groups : ndarray of shape (n_rows,)
        Rows of one group are left out together.

    Returns
    -------
    ndarray of shape (n_rows, n_classes)
    """
    targets = Y - 1 / Y.shape[1]
    inverse = np.linalg.inv(kernel + penalty * np.eye(len(kernel)))
    dual = inverse @ targets
    scores = np.empty_like(targets)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        scores[rows] = targets[rows] - np.linalg.solve(inverse[np.ix_(rows, rows)], dual[rows])
    return scores
