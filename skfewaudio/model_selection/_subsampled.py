"""Classifier that is fitted on n randomly drawn clips per class."""

from numbers import Integral
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.utils import Tags, _safe_indexing, check_random_state, get_tags, indexable
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.metadata_routing import MetadataRouter
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import is_multilabel
from sklearn.utils.validation import _check_method_params, check_is_fitted

from skfewaudio._delegation import estimator_has, route_fit, routed_fit_params
from skfewaudio._documentation import DocumentedMixin

from .draws import Indices, RandomState, check_labels, draw_support


class SubsampledClassifier(DocumentedMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Meta-estimator that fits its estimator on `n_shots` randomly drawn clips of each class.

    It makes the number of labelled clips a parameter, so that ``GridSearchCV`` over ``n_shots`` computes the
    learning curve of any estimator. Draws are nested: the clips drawn for fewer shots are among the clips
    drawn for more shots.

    Parameters
    ----------
    estimator : estimator
        A classifier, or a Pipeline that ends in one.
    n_shots : int or None, default=1
        Labelled clips per class. None uses all clips.
    random_state : int, RandomState or None, default=0
        Controls the draw. Unless it is None, it also seeds every `random_state` parameter of `estimator` that
        is None.

    Attributes
    ----------
    estimator_ : estimator
        The fitted clone of `estimator`.
    support_ : ndarray of int of shape (n_support,)
        Indices of the drawn clips in the `X` of `fit`, in ascending order.
    classes_ : ndarray of shape (n_classes,)
        The class labels.
    n_features_in_ : int
        Number of features seen during `fit`. Only defined if the fitted estimator defines it.
    feature_names_in_ : ndarray of str
        Names of features seen during `fit`. Only defined if the fitted estimator defines them.

    See Also
    --------
    FewShotSplit : Splitter that draws the same clips.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.model_selection import GridSearchCV, StratifiedKFold
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfewaudio.model_selection import SubsampledClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> few_shot = SubsampledClassifier(KNeighborsClassifier(1))
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
    def fit(self, X: Any, y: ArrayLike, **fit_params: Any) -> Self:
        """Draw the clips and fit a clone of the estimator on them.

        Parameters
        ----------
        X : sequence of length n_clips
            The clips in any form that `estimator` accepts: an array, a list of arrays, a list of paths.
        y : array-like of shape (n_clips,)
            One class label per clip.
        **fit_params
            Parameters of the estimator's `fit`, such as ``sample_weight``. Of values with one entry per clip,
            it receives the entries of the drawn clips. With metadata routing, it must request them.

        Returns
        -------
        self : SubsampledClassifier

        Raises
        ------
        ValueError
            If a class has fewer than `n_shots` clips, or `y` is not one class label per clip.
        TypeError
            If the estimator's `fit` does not accept one of `fit_params`.
        """
        check_not_tags(y)
        labels = check_labels(y, warn=True)
        X, labels = indexable(X, labels)
        params = routed_fit_params(self, fit_params, name="estimator")
        return self._fit_within(X, labels, np.arange(len(labels)), params)

    def _fit_within(self, X: Any, labels: NDArray[Any], pool: Indices, params: dict[str, Any]) -> Self:
        """Draw from the clips with the indices `pool` and fit; other clips are not accessed."""
        rng = check_random_state(self.random_state)
        self.support_ = pool[draw_support(labels[pool], self.n_shots, rng)]
        self.estimator_ = clone(self.estimator)
        if self.random_state is not None:
            _seed_unseeded(self.estimator_, int(rng.randint(np.iinfo(np.int32).max)))
        params = _check_method_params(labels, params, indices=self.support_)
        self.estimator_.fit(_safe_indexing(X, self.support_), labels[self.support_], **params)
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
        """Compute the decision function of the fitted estimator.

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
        """Transform the clips with the fitted estimator, for example into embeddings.

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

    @available_if(estimator_has("get_feature_names_out"))
    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns that `transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Passed to the estimator.

        Returns
        -------
        ndarray of str, object
        """
        return getattr(self, "estimator_", self.estimator).get_feature_names_out(input_features)

    @available_if(estimator_has("set_output"))
    def set_output(self, *, transform: str | None = None) -> Self:
        """Set the container of the output of `transform`, such as "pandas".

        Parameters
        ----------
        transform : {"default", "pandas", "polars"} or None, default=None
            Passed to the estimator. None leaves the container unchanged.

        Returns
        -------
        self : SubsampledClassifier
        """
        for estimator in (self.estimator, getattr(self, "estimator_", None)):
            if estimator is not None:
                estimator.set_output(transform=transform)
        return self

    def get_metadata_routing(self) -> MetadataRouter:
        """Return the router that passes parameters of `fit` to the estimator.

        Returns
        -------
        MetadataRouter
        """
        return route_fit(self, estimator=self.estimator)

    def __sklearn_tags__(self) -> Tags:
        tags = get_tags(self.estimator)
        tags.estimator_type = "classifier"
        tags.requires_fit = True
        tags.array_api_support = False  # clips are drawn with NumPy, on the CPU
        tags.target_tags.required = True
        tags.target_tags.multi_output = False
        if tags.classifier_tags is not None:
            tags.classifier_tags.multi_label = False
        return tags


def check_not_tags(y: Any) -> None:
    """Raise ValueError if clips have several labels each."""
    if is_multilabel(y):
        raise ValueError(
            f"y holds several labels per clip (an indicator matrix of shape {np.shape(y)}), so that n clips "
            "per class cannot be drawn. Score a tagger by sklearn.model_selection.cross_validate with "
            "scoring=skfewaudio.metrics.SCORERS, or against the number of clips by its learning_curve"
        )


def _seed_unseeded(estimator: Any, seed: int) -> None:
    """Set every `random_state` parameter that is None, including nested ones, to `seed`."""
    unseeded = {
        name: seed
        for name, value in estimator.get_params(deep=True).items()
        if value is None and (name == "random_state" or name.endswith("__random_state"))
    }
    estimator.set_params(**unseeded)
