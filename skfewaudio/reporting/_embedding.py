"""Scatter plot of embeddings and prototypes."""

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.decomposition import PCA
from sklearn.pipeline import Pipeline

from skfewaudio.classifiers import AugmentedClassifier
from skfewaudio.model_selection import SubsampledClassifier

from ._plotting import get_axes, style_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes


class EmbeddingDisplay:
    """Scatter plot of embedded clips with the prototypes of the classes.

    Create it with `from_estimator`.

    Parameters
    ----------
    data : DataFrame
        Columns x, y, label and kind ("clip" or "prototype"), one row per point. With the optional columns
        clip (position in the dataset) and predicted (class), the report plays the clips and marks errors.
    projection : str, default=""
        Name of the axes, such as "principal component".
    description : str, default=""
        Sentence on the classifier and the clips, which is the caption in a report.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
    >>> from skfewaudio.reporting import EmbeddingDisplay
    >>> X, y = load_iris(return_X_y=True)
    >>> display = EmbeddingDisplay.from_estimator(LinearDiscriminantAnalysis().fit(X, y), X, y)
    >>> display.frame().shape
    (150, 4)
    """

    def __init__(self, data: pd.DataFrame, *, projection: str = "", description: str = "") -> None:
        self.data = data
        self.projection = projection
        self.description = description

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: Any,
        y: ArrayLike | None = None,
        *,
        clips: ArrayLike | None = None,
        description: str = "",
    ) -> Self:
        """Embed clips with a fitted estimator.

        Parameters
        ----------
        estimator : fitted estimator
            A transformer, a classifier with `transform`, or a Pipeline. Its `prototypes_` are included if
            present.
        X : sequence of length n_clips
            The clips, in any form that `estimator` accepts.
        y : array-like of shape (n_clips,) or None, default=None
            Class labels of the clips. None draws all clips in grey.
        clips : array-like of int, shape (n_clips,), or None, default=None
            Positions of the clips in a dataset, which become the column clip.
        description : str, default=""
            Sentence on the classifier and the clips, which is the caption in a report.

        Returns
        -------
        EmbeddingDisplay
            Display of the first two principal components of the embeddings, or of two-dimensional embeddings
            without projection.

        Raises
        ------
        ValueError
            If the embeddings are not one vector of at least two numbers per clip, or `y` or `clips` has
            another length.
        TypeError
            If the estimator is a classifier without a transformer, so that it has no space of its own.

        Notes
        -----
        The space is the output of `transform` if the estimator has it. Otherwise it is the input of the last
        step of a Pipeline, the classifier: the vectors whose distances or products the classifier uses. In
        :func:`~skfewaudio.pipelines.make_few_shot_classifier`, the classifier has a `transform`: the scaled
        descriptions of a clip, each multiplied by the square root of the weight that was chosen for it, so
        that the product of two vectors is the similarity of two clips to the classifier.

        The principal components are fitted to the clips in X, not to the training clips. They show the
        largest differences between clips, which need not be the differences between classes.
        """
        embeddings = np.asarray(_embed(estimator, X), dtype=float)
        if embeddings.ndim != 2 or embeddings.shape[1] < 2:
            raise ValueError(
                f"embeddings must have shape (n_clips, 2 or more); {type(estimator).__name__}.transform "
                f"returned {embeddings.shape}"
            )
        labels = np.full(len(embeddings), "") if y is None else np.asarray(y).astype(str)
        if labels.shape != (len(embeddings),):
            raise ValueError(f"y must have one class for each of {len(embeddings)} clips; got {labels.shape}")
        prototypes, names = _prototypes_of(estimator, embeddings.shape[1])
        points = np.concatenate([embeddings, prototypes])
        projection = "embedding dimension"
        if embeddings.shape[1] > 2:
            if len(embeddings) < 2:
                raise ValueError(f"a projection to the plane needs at least two clips; got {len(embeddings)}")
            points = PCA(2, random_state=0).fit(embeddings).transform(points)
            projection = "principal component"
        data = pd.DataFrame(points, columns=["x", "y"])
        data["label"] = np.concatenate([labels, names])
        data["kind"] = ["clip"] * len(embeddings) + ["prototype"] * len(prototypes)
        if clips is not None:
            positions = np.asarray(clips, dtype=int)
            if positions.shape != (len(embeddings),):
                raise ValueError(
                    f"clips must have one position for each of {len(embeddings)} clips; got {positions.shape}"
                )
            data["clip"] = np.concatenate([positions, np.full(len(prototypes), -1)])
        return cls(data, projection=projection, description=description)

    def frame(self) -> pd.DataFrame:
        """Return the plotted points.

        Returns
        -------
        DataFrame
            Columns x, y, label and kind ("clip" or "prototype"), and clip if the positions are known.
        """
        return self.data.copy()

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw clips as points and prototypes as stars in the colours of their classes.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        title : str or None, default=None
            Title of the plot. None draws no title.

        Returns
        -------
        self : EmbeddingDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = get_axes(ax, (7.5, 5.2))
        from matplotlib.patheffects import withStroke

        styles = {label: style_of(k) for k, label in enumerate(sorted(set(self.data["label"]) - {""}))}
        styles[""] = {"color": "0.5", "marker": "o"}
        clips = self.data[self.data["kind"] == "clip"]
        for label, points in clips.groupby("label"):
            name = str(label) or "clips"
            ax.scatter(points["x"], points["y"], s=22, alpha=0.7, linewidths=0, label=name, **styles[label])
        stars = self.data[self.data["kind"] == "prototype"]
        for x, y, label in zip(stars["x"], stars["y"], stars["label"], strict=True):
            ax.scatter(x, y, s=190, marker="*", color=styles[label]["color"], edgecolors="black", zorder=3)
            ax.annotate(
                label,
                (x, y),
                xytext=(7, 7),
                textcoords="offset points",
                fontsize="small",
                path_effects=[withStroke(linewidth=3, foreground="white")],
                zorder=4,
            )
        ax.set_xlabel(f"{self.projection} 1".strip().capitalize())
        ax.set_ylabel(f"{self.projection} 2".strip().capitalize())
        ax.spines[["top", "right"]].set_visible(False)
        ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
        if title:
            ax.set_title(title, loc="left")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self


def _embed(estimator: Any, X: Any) -> Any:
    """Return the vectors of clips in the space of a classifier; see the notes of `from_estimator`."""
    if hasattr(estimator, "transform"):
        return estimator.transform(X)
    if isinstance(estimator, SubsampledClassifier | AugmentedClassifier):
        return _embed(estimator.estimator_, X)
    if isinstance(estimator, Pipeline) and len(estimator.steps) > 1:
        features = estimator[:-1].transform(X)
        last = estimator.steps[-1][1]
        return features if _is_classifier_alone(last) else _embed(last, features)
    raise TypeError(
        f"{type(estimator).__name__} has no transform; expected a transformer, or a Pipeline of transformers "
        "and a classifier, whose features are shown"
    )


def _is_classifier_alone(estimator: Any) -> bool:
    """Return whether a classifier has neither `transform` nor an estimator inside that has."""
    while isinstance(estimator, SubsampledClassifier | AugmentedClassifier):
        estimator = estimator.estimator_
    return not hasattr(estimator, "transform") and not isinstance(estimator, Pipeline)


def _prototypes_of(estimator: Any, n_dims: int) -> tuple[NDArray[np.floating], NDArray[np.str_]]:
    """Return the prototypes and their classes, empty arrays if the estimator has no prototypes."""
    while not hasattr(estimator, "prototypes_"):
        if isinstance(estimator, Pipeline):
            estimator = estimator.steps[-1][1]
        elif hasattr(estimator, "estimator_"):
            estimator = estimator.estimator_
        else:
            return np.empty((0, n_dims)), np.empty(0, dtype=str)
    return np.asarray(estimator.prototypes_, dtype=float), np.asarray(estimator.classes_).astype(str)
