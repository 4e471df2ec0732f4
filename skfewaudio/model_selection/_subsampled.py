"""A classifier that learns from n drawn clips per class."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import Tags, _safe_indexing, check_random_state, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import is_multilabel
from sklearn.utils.validation import check_is_fitted

from skfewaudio._delegation import estimator_has

from ._split import Indices, RandomState, check_labels, draw_support


class FewShotClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Classifier fitted on `n_shots` drawn clips of each class.

    The number of labelled clips becomes a parameter: ``GridSearchCV`` over ``n_shots`` gives the learning
    curve of any estimator. Draws are nested: those for fewer shots are among those for more.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a Pipeline that ends in one.
    n_shots : int or None, default=1
        Labelled clips per class; None takes all.
    random_state : int, RandomState or None, default=0
        Decides the draw. It also seeds those parts of `estimator` whose own `random_state` is None, unless it
        is None itself.

    Attributes
    ----------
    estimator_ : estimator
        The clone of `estimator` that was fitted.
    support_ : ndarray of int of shape (n_support,)
        The positions of the drawn clips in the `X` of `fit`, in ascending order.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    n_features_in_ : int
        As the fitted estimator has it, where it has it.
    feature_names_in_ : ndarray of str
        As the fitted estimator has it, where it has it.

    See Also
    --------
    FewShotSplit : The same draw as a splitter.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV, StratifiedKFold
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfewaudio.model_selection import FewShotClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> few_shot = FewShotClassifier(KNeighborsClassifier(1))
    >>> search = GridSearchCV(few_shot, {"n_shots": [1, 10]}, cv=StratifiedKFold(3))
    >>> search.fit(X, y).cv_results_["mean_test_score"].round(2)
    array([0.85, 0.94])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "estimator": [HasMethods(["fit", "predict"])],
        "n_shots": [Interval(Integral, 1, None, closed="left"), None],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator: Any, n_shots: int | None = 1, *, random_state: RandomState = 0) -> None:
        self.estimator = estimator
        self.n_shots = n_shots
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: ArrayLike) -> Self:
        """Draw the clips and fit a clone of the estimator on them.

        Parameters
        ----------
        X : sequence of length n_clips
            Whatever `estimator` takes: an array, a list of arrays, a list of paths.
        y : array-like of shape (n_clips,)
            One class label per clip.

        Returns
        -------
        self : FewShotClassifier

        Raises
        ------
        ValueError
            If a class has fewer than `n_shots` clips, or `y` is not one class label per clip.
        """
        check_not_tags(y)
        labels = check_labels(y, warn=True)
        X, labels = indexable(X, labels)
        return self._fit_within(X, labels, np.arange(len(labels)))

    def _fit_within(self, X: Any, labels: NDArray[Any], pool: Indices) -> Self:
        """Draw among the clips at the positions `pool`, and fit; no other clip is touched."""
        rng = check_random_state(self.random_state)
        self.support_ = pool[draw_support(labels[pool], self.n_shots, rng)]
        self.estimator_ = clone(self.estimator)
        if self.random_state is not None:
            _seed_unseeded(self.estimator_, int(rng.randint(np.iinfo(np.int32).max)))
        self.estimator_.fit(_safe_indexing(X, self.support_), labels[self.support_])
        self.classes_ = self.estimator_.classes_
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self.estimator_, name):
                setattr(self, name, getattr(self.estimator_, name))
        return self

    def predict(self, X: Any) -> NDArray[Any]:
        """Predict a class label for each clip.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        check_is_fitted(self)
        return self.estimator_.predict(X)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X: Any) -> NDArray[np.floating]:
        """Predict class probabilities.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
            Columns in the order of `classes_`.
        """
        check_is_fitted(self)
        return self.estimator_.predict_proba(X)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X: Any) -> NDArray[np.floating]:
        """Give the estimator's confidence in each class.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) for two classes
        """
        check_is_fitted(self)
        return self.estimator_.decision_function(X)

    @available_if(estimator_has("transform"))
    def transform(self, X: Any) -> Any:
        """Transform the clips with the fitted estimator, into embeddings for instance.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips.

        Returns
        -------
        array-like of length n_clips
        """
        check_is_fitted(self)
        return self.estimator_.transform(X)

    def __sklearn_tags__(self) -> Tags:
        tags = get_tags(self.estimator)
        tags.estimator_type = "classifier"
        tags.requires_fit = True
        tags.target_tags.required = True
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags


def check_not_tags(y: Any) -> None:
    """Raise if clips have several labels, and say what to use instead."""
    if is_multilabel(y):
        raise ValueError(
            f"y holds several labels a clip (an indicator matrix of shape {np.shape(y)}), and there is no "
            "draw of n clips of each. Score a tagger by sklearn.model_selection.cross_validate with "
            "scoring=skfewaudio.metrics.SCORERS, or against the number of clips by its learning_curve"
        )


def _seed_unseeded(estimator: Any, seed: int) -> None:
    """Set every `random_state` that is None, the nested ones too."""
    unseeded = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    estimator.set_params(**unseeded)
