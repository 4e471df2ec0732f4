"""Pipeline steps that learn nothing, computed once."""

from pickle import PicklingError
from typing import Any

import joblib
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags


class FeatureStore:
    """Results of the pipelines' stateless first steps, kept as long as some estimator needs them."""

    def __init__(self, named: dict[str, Any]) -> None:
        self.parts = {name: _split_stateless(estimator) for name, estimator in named.items()}
        self.waiting = {name: _identify(head) for name, (head, _) in self.parts.items()}
        self.features: dict[Any, Any] = {}

    def take(self, name: str, X: Any) -> tuple[Any, Any]:
        """Give the features for an estimator, computed if need be, and the rest of it."""
        head, rest = self.parts[name]
        if head is None:
            return X, rest
        key = self.waiting.pop(name)
        if key not in self.features:
            self.features[key] = clone(head).fit_transform(X)
        last = key not in self.waiting.values()
        return self.features.pop(key) if last else self.features[key], rest


def _split_stateless(estimator: Any) -> tuple[Pipeline | None, Any]:
    """Part a Pipeline into its first steps that learn nothing and the rest; None where there are none."""
    if not isinstance(estimator, Pipeline):
        return None, estimator
    n_stateless = 0
    for _, step in estimator.steps[:-1]:
        if step is not None and step != "passthrough" and get_tags(step).requires_fit:
            break
        n_stateless += 1
    return (estimator[:n_stateless], estimator[n_stateless:]) if n_stateless else (None, estimator)


def _identify(head: Pipeline | None) -> Any:
    """Give a key that equal steps have in common."""
    if head is None:
        return None
    try:
        return joblib.hash([step for _, step in head.steps])
    except (PicklingError, AttributeError, TypeError):
        return id(head)  # a step that cannot be pickled, such as one with a lambda, is not shared
