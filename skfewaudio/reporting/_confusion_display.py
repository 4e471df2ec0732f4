"""Plot of a confusion matrix in per cent of the true class."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ._plotting import get_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MAX_NUMBERED = 25  # classes; in larger matrices, numbers would not be readable
DARK = 0.55  # share above which the text is white


class ConfusionDisplay:
    """Plot of a confusion matrix in per cent of the true class.

    In addition to :class:`sklearn.metrics.ConfusionMatrixDisplay`, it reads the predictions of a learning
    curve, which cover several draws and folds, and lists the most frequent confusions.

    Create it with `from_estimator`, `from_predictions` or `from_results`.

    Parameters
    ----------
    confusion_matrix : ndarray of shape (n_classes, n_classes)
        Numbers of predictions, with true classes as rows.
    display_labels : sequence of str, length n_classes
        Names of the classes.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Plot of a matrix of counts.

    Examples
    --------
    >>> from skfewaudio.reporting import ConfusionDisplay
    >>> display = ConfusionDisplay.from_predictions(["dog", "dog", "cat", "cat"], ["dog"] + ["cat"] * 3)
    >>> display.confusion_matrix
    array([[2, 0],
           [1, 1]])
    >>> display.pairs()
      true predicted  count  share
    0  dog       cat      1    0.5
    """

    def __init__(self, confusion_matrix: NDArray[np.integer], *, display_labels: Any) -> None:
        self.confusion_matrix = confusion_matrix
        self.display_labels = display_labels

    @classmethod
    def from_estimator(cls, estimator: Any, X: Any, y: ArrayLike, *, labels: ArrayLike | None = None) -> Self:
        """Predict clips with a fitted classifier, and count the predictions.

        Parameters
        ----------
        estimator : fitted classifier
            Classifier with `predict`.
        X : sequence of length n_clips
            Clips that were not used for training.
        y : array-like of shape (n_clips,)
            True labels.
        labels : array-like of shape (n_classes,) or None, default=None
            Classes in the order of the matrix. None uses all labels, sorted.

        Returns
        -------
        ConfusionDisplay
        """
        return cls.from_predictions(y, estimator.predict(X), labels=labels)

    @classmethod
    def from_predictions(
        cls, y_true: ArrayLike, y_pred: ArrayLike, *, labels: ArrayLike | None = None
    ) -> Self:
        """Count predictions by true and predicted class.

        Parameters
        ----------
        y_true : array-like of shape (n_predictions,)
            True labels.
        y_pred : array-like of shape (n_predictions,)
            Predicted labels.
        labels : array-like of shape (n_classes,) or None, default=None
            Classes in the order of the matrix. None uses all labels, sorted.

        Returns
        -------
        ConfusionDisplay
        """
        truth, predicted = np.asarray(y_true), np.asarray(y_pred)
        names = np.union1d(truth, predicted) if labels is None else np.asarray(labels)
        table = pd.crosstab(truth, predicted).reindex(index=names, columns=names, fill_value=0)
        return cls(table.to_numpy(), display_labels=list(map(str, names)))

    @classmethod
    def from_results(
        cls, predictions: pd.DataFrame, *, pipeline: str | None = None, n_shots: int | None = None
    ) -> Self:
        """Count the predictions of a learning curve over all draws and folds.

        Parameters
        ----------
        predictions : DataFrame
            Columns pipeline, n_shots, true and predicted, one row per prediction: the concatenated
            predictions that :func:`~skfewaudio.model_selection.few_shot_curve` passes to `on_predictions`.
        pipeline : str or None, default=None
            Name of the pipeline. None is for predictions of a single one.
        n_shots : int or None, default=None
            Number of labelled clips per class. None uses the largest.

        Returns
        -------
        ConfusionDisplay

        Raises
        ------
        ValueError
            If a column is missing, there are several pipelines and none is chosen, or no prediction is left.
        """
        missing = [name for name in ("pipeline", "n_shots", "true", "predicted") if name not in predictions]
        if missing:
            raise ValueError(f"predictions lack the columns {', '.join(missing)}")
        names = list(map(str, predictions["pipeline"].unique()))
        if pipeline is None and len(names) > 1:
            raise ValueError(f"predictions are of several pipelines ({', '.join(names)}); choose one")
        chosen = predictions if pipeline is None else predictions[predictions["pipeline"] == pipeline]
        shots = chosen["n_shots"].max() if n_shots is None else n_shots
        chosen = chosen[chosen["n_shots"] == shots]
        if chosen.empty:
            raise ValueError(f"no predictions of pipeline={pipeline!r} with n_shots={n_shots!r}")
        return cls.from_predictions(chosen["true"].astype(str), chosen["predicted"].astype(str))

    def frame(self) -> pd.DataFrame:
        """Return the matrix.

        Returns
        -------
        DataFrame
            Numbers of predictions, with true classes as rows and predicted classes as columns.
        """
        names = list(self.display_labels)
        index, columns = pd.Index(names, name="true"), pd.Index(names, name="predicted")
        return pd.DataFrame(self.confusion_matrix, index=index, columns=columns)

    def pairs(self, n_pairs: int = 10) -> pd.DataFrame:
        """Return the most frequent confusions.

        Parameters
        ----------
        n_pairs : int, default=10
            Largest number of rows.

        Returns
        -------
        DataFrame
            Columns true, predicted, count and share (of the predictions for the true class), by falling
            share.
        """
        rows, columns = np.nonzero(self.confusion_matrix * (1 - np.eye(len(self.display_labels), dtype=int)))
        names = np.asarray(self.display_labels)
        table = pd.DataFrame(
            {
                "true": names[rows],
                "predicted": names[columns],
                "count": self.confusion_matrix[rows, columns],
                "share": self._shares()[rows, columns],
            }
        )
        return table.sort_values("share", ascending=False, kind="stable", ignore_index=True).head(n_pairs)

    def _shares(self) -> NDArray[np.floating]:
        """Return the share of each predicted class in the predictions of a true class."""
        totals = self.confusion_matrix.sum(axis=1, keepdims=True)
        return self.confusion_matrix / np.maximum(totals, 1)

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw the matrix, with per cent in its cells if there are at most 25 classes.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        title : str or None, default=None
            Title of the plot. None states the share of right predictions.

        Returns
        -------
        self : ConfusionDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        n_classes = len(self.display_labels)
        side = min(12.0, 2.4 + 0.38 * n_classes)
        ax = get_axes(ax, (side, side))
        shares = self._shares()
        ax.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        if n_classes <= MAX_NUMBERED:
            for (row, column), share in np.ndenumerate(shares):
                if share:
                    color = "white" if share > DARK else "black"
                    text = f"{100 * share:.0f}"
                    ax.text(column, row, text, ha="center", va="center", color=color, fontsize="small")
        ax.set_xticks(range(n_classes), labels=self.display_labels, rotation=90)
        ax.set_yticks(range(n_classes), labels=self.display_labels)
        ax.set_xlabel("Predicted class")
        ax.set_ylabel("True class")
        total = self.confusion_matrix.sum()
        right = 100 * np.trace(self.confusion_matrix) / max(1, total)
        ax.set_title(f"{right:.1f} % of {total:,} predictions right" if title is None else title, loc="left")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self
