"""Plot of the accuracy of predictions against their probability."""

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._plotting import COLORS, get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class Reliability(NamedTuple):
    """Predictions in bins of their probability; the mean and the accuracy of an empty bin are NaN."""

    counts: NDArray[np.int64]
    confidence: NDArray[np.floating]
    accuracy: NDArray[np.floating]

    @property
    def error(self) -> float:
        """Expected calibration error; NaN without predictions."""
        if not self.counts.sum():
            return np.nan
        return float(np.nansum(self.counts * np.abs(self.accuracy - self.confidence)) / self.counts.sum())


def bin_predictions(probability: ArrayLike, is_right: ArrayLike, n_bins: int = 10) -> Reliability:
    """Compute numbers, mean probability and accuracy of predictions in bins of equal width."""
    known = np.asarray(probability, dtype=float)
    right = np.asarray(is_right, dtype=float)
    numbers = np.clip((known * n_bins).astype(int), 0, n_bins - 1)
    counts = np.bincount(numbers, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        means, shares = (np.bincount(numbers, values, n_bins) / counts for values in (known, right))
    return Reliability(counts, means, shares)


class ReliabilityDisplay:
    """Plot of the accuracy of predictions against the probability of the predicted class.

    The points of calibrated probabilities are on the diagonal: of the predictions with a probability of 80 %,
    80 % are right. :class:`sklearn.calibration.CalibrationDisplay` is for two classes; this display is for
    any number of them.

    Create it with `from_estimator` or `from_predictions`.

    Parameters
    ----------
    counts : ndarray of shape (n_bins,)
        Number of predictions in each bin.
    confidence : ndarray of shape (n_bins,)
        Mean probability of the predicted class; NaN in empty bins.
    accuracy : ndarray of shape (n_bins,)
        Share of right predictions; NaN in empty bins.
    name : str, default=""
        Name of the classifier.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    sklearn.calibration.CalibrationDisplay : Plot for two classes.

    Notes
    -----
    The expected calibration error is the mean difference between accuracy and probability over the bins,
    weighted by their numbers of predictions [1]_. It is biased upwards for few predictions.

    References
    ----------
    .. [1] Guo, C., Pleiss, G., Sun, Y. and Weinberger, K. Q. (2017). On calibration of modern neural
       networks. International Conference on Machine Learning.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.reporting import ReliabilityDisplay
    >>> probabilities = np.array([[0.9, 0.1, 0.0], [0.2, 0.8, 0.0], [0.1, 0.0, 0.9], [0.9, 0.1, 0.0]])
    >>> display = ReliabilityDisplay.from_predictions(["a", "b", "c", "b"], probabilities)
    >>> round(display.expected_calibration_error, 3)
    0.225
    """

    def __init__(
        self, counts: NDArray[Any], confidence: NDArray[Any], accuracy: NDArray[Any], *, name: str = ""
    ) -> None:
        self.counts = counts
        self.confidence = confidence
        self.accuracy = accuracy
        self.name = name

    @classmethod
    def from_estimator(
        cls, estimator: Any, X: Any, y: ArrayLike, *, n_bins: int = 10, name: str = ""
    ) -> Self:
        """Predict the probabilities of clips with a fitted classifier.

        Parameters
        ----------
        estimator : fitted classifier
            Classifier with `predict_proba`.
        X : sequence of length n_clips
            Clips that were not used for training.
        y : array-like of shape (n_clips,)
            True labels.
        n_bins : int, default=10
            Number of bins of equal width.
        name : str, default=""
            Name of the classifier. "" uses the name of its class.

        Returns
        -------
        ReliabilityDisplay
        """
        return cls.from_predictions(
            y,
            estimator.predict_proba(X),
            labels=estimator.classes_,
            n_bins=n_bins,
            name=name or type(estimator).__name__,
        )

    @classmethod
    def from_predictions(
        cls,
        y_true: ArrayLike,
        y_prob: ArrayLike,
        *,
        labels: ArrayLike | None = None,
        n_bins: int = 10,
        name: str = "",
    ) -> Self:
        """Count right predictions by the probability of the predicted class.

        Parameters
        ----------
        y_true : array-like of shape (n_clips,)
            True labels.
        y_prob : array-like of shape (n_clips, n_classes)
            Probabilities of the classes.
        labels : array-like of shape (n_classes,) or None, default=None
            Class of each column. None uses the sorted labels of `y_true`.
        n_bins : int, default=10
            Number of bins of equal width.
        name : str, default=""
            Name of the classifier.

        Returns
        -------
        ReliabilityDisplay

        Raises
        ------
        ValueError
            If lengths differ, or a probability is outside 0 to 1.
        """
        truth, probabilities = np.asarray(y_true), np.asarray(y_prob, dtype=float)
        classes = np.unique(truth) if labels is None else np.asarray(labels)
        if probabilities.shape != (len(truth), len(classes)):
            raise ValueError(
                f"y_prob must have a row for each of {len(truth)} clips and a column for each of "
                f"{len(classes)} classes; got {probabilities.shape}"
            )
        if len(truth) and not (probabilities.min() >= 0 and probabilities.max() <= 1 + 1e-6):
            raise ValueError(
                "y_prob must be probabilities from 0 to 1; got values from "
                f"{probabilities.min():g} to {probabilities.max():g}"
            )
        predicted = classes[probabilities.argmax(axis=1)]
        bins = bin_predictions(probabilities.max(axis=1), predicted == truth, n_bins)
        return cls(*bins, name=name)

    @property
    def expected_calibration_error(self) -> float:
        """Mean difference between accuracy and probability, weighted by the numbers of predictions."""
        return Reliability(self.counts, self.confidence, self.accuracy).error

    def frame(self) -> pd.DataFrame:
        """Return the plotted bins.

        Returns
        -------
        DataFrame
            Columns low and high (limits of the bin), count, confidence and accuracy.
        """
        edges = np.linspace(0, 1, len(self.counts) + 1)
        return pd.DataFrame(
            {
                "low": edges[:-1],
                "high": edges[1:],
                "count": self.counts,
                "confidence": self.confidence,
                "accuracy": self.accuracy,
            }
        )

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw the accuracy of each bin as a point, whose area is proportional to its number of predictions.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        title : str or None, default=None
            Title of the plot. None uses the name and the expected calibration error.

        Returns
        -------
        self : ReliabilityDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = get_axes(ax, (4.6, 4.6))
        filled = self.counts > 0
        ax.plot([0, 100], [0, 100], color="0.45", linestyle=":", linewidth=1.2)
        known, right = 100 * self.confidence[filled], 100 * self.accuracy[filled]
        ax.vlines(known, known, right, color=COLORS[1], linewidth=2, alpha=0.6)
        ax.plot(known, right, color=COLORS[0], linewidth=1, alpha=0.5)
        sizes = 20 + 280 * self.counts[filled] / max(1, self.counts.max())
        ax.scatter(known, right, s=sizes, color=COLORS[0], alpha=0.85, linewidths=0, zorder=3)
        ax.set_xlabel("Probability of the predicted class (%)")
        ax.set_ylabel("Right predictions (%)")
        ax.set_xlim(-3, 103)
        ax.set_ylim(-3, 103)
        ax.set_aspect("equal")
        ax.spines[["top", "right"]].set_visible(False)
        error = f"calibration error {100 * self.expected_calibration_error:.1f} %"
        ax.set_title(title or ": ".join(filter(None, [self.name, error])), loc="left")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self
