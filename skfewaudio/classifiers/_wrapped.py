"""Predictions of classifiers that prepare clips for another classifier."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skfewaudio._delegation import estimator_has
from skfewaudio._documentation import DocumentedMixin


class WrappedClassifierMixin(DocumentedMixin):
    """Methods that prepare clips by `_prepare` and pass them to the fitted `estimator_`."""

    estimator_: Any

    def _prepare(self, X: ArrayLike | Sequence[NDArray]) -> Any:
        """Check clips, and return the input of the estimator."""
        raise NotImplementedError

    def _call(self, method: str, X: ArrayLike | Sequence[NDArray]) -> NDArray[Any]:
        check_is_fitted(self)
        found: NDArray[Any] = getattr(self.estimator_, method)(self._prepare(X))
        return found

    def predict(self, X: ArrayLike | Sequence[NDArray]) -> NDArray:
        """Predict the label of each clip.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        return self._call("predict", X)

    @available_if(estimator_has("predict_proba"))
    def predict_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict class probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return self._call("predict_proba", X)

    @available_if(estimator_has("predict_log_proba"))
    def predict_log_proba(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Predict the logarithms of the class probabilities.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes)
        """
        return self._call("predict_log_proba", X)

    @available_if(estimator_has("decision_function"))
    def decision_function(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the decision function of the estimator.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips, n_classes), or (n_clips,) with two classes
        """
        return self._call("decision_function", X)

    @available_if(estimator_has("score_samples"))
    def score_samples(self, X: ArrayLike | Sequence[NDArray]) -> NDArray[np.floating]:
        """Compute the familiarity of clips, which is higher for clips of known classes.

        Parameters
        ----------
        X : array-like of n_clips
            As in :meth:`fit`.

        Returns
        -------
        ndarray of shape (n_clips,)
        """
        return self._call("score_samples", X)
