"""Features of stateless pipeline steps, computed once."""

import time
from pickle import PicklingError
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


class SharedFeatures:
    """Outputs of the stateless first steps of pipelines, kept until no estimator needs them any more.

    Parameters
    ----------
    named : dict of name -> estimator
        Pipelines whose first steps are equal share the features.

    Attributes
    ----------
    seconds : dict of str to float
        Time in which the features of each named estimator were computed; 0 without stateless steps.
    """

    def __init__(self, named: dict[str, Any]) -> None:
        self.parts = {name: _split_stateless(estimator) for name, estimator in named.items()}
        self.pending = {name: _steps_key(head) for name, (head, _) in self.parts.items()}
        self.features: dict[Any, Any] = {}
        self.seconds = dict.fromkeys(named, 0.0)
        self._times: dict[Any, float] = {}

    def compute(self, name: str, X: Any) -> tuple[Any, Any]:
        """Return the features for the named estimator and its remaining steps; call once per name."""
        head, rest = self.parts[name]
        if head is None:
            return X, rest
        key = self.pending.pop(name)
        if key not in self.features:
            started = time.perf_counter()
            self.features[key] = clone(head).fit_transform(X)
            self._times[key] = time.perf_counter() - started
        self.seconds[name] = self._times[key]
        last = key not in self.pending.values()
        return self.features.pop(key) if last else self.features[key], rest


def _split_stateless(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Split a Pipeline into its stateless first steps (None if it has none) and the remaining steps."""
    if not isinstance(estimator, Pipeline):
        return None, estimator
    n_stateless = 0
    for _, step in estimator.steps[:-1]:
        if step is not None and step != "passthrough" and get_tags(step).requires_fit:
            break
        n_stateless += 1
    return (estimator[:n_stateless], estimator[n_stateless:]) if n_stateless else (None, estimator)


def _steps_key(head: Pipeline | None) -> Any:
    """Return a key that is the same for equal steps."""
    if head is None:
        return None
    try:
        return joblib.hash([step for _, step in head.steps])
    except (PicklingError, AttributeError, TypeError):
        return id(head)  # a step that cannot be pickled, such as one with a lambda, is not shared
