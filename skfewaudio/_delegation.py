"""Helpers for meta-estimators: available methods, and parameters of `fit` with and without routing."""

from collections.abc import Callable, Iterable, Iterator
from inspect import signature
from typing import Any

from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import (
    MetadataRequest,
    MetadataRouter,
    MethodMapping,
    _routing_enabled,
    get_routing_for_object,
    process_routing,
)


def estimator_has(method: str) -> Callable[[Any], bool]:
    """Return a check for `available_if` that raises AttributeError if the estimator has no `method`."""

    def check(self: Any) -> bool:
        getattr(getattr(self, "estimator_", self.estimator), method)
        return True

    return check


def route_fit(meta_estimator: Any, methods: Iterable[str] = ("fit",), **wrapped: Any) -> MetadataRouter:
    """Return the router of a meta-estimator that passes parameters of `fit` to the estimators it wraps.

    `methods` can also contain ``partial_fit``.
    """
    router = MetadataRouter(owner=type(meta_estimator).__name__).add_self_request(meta_estimator)
    mapping = MethodMapping()
    for method in methods:
        mapping.add(caller=method, callee=method)
    return router.add(method_mapping=mapping, **wrapped)


def routed_fit_params(
    meta_estimator: Any, params: dict[str, Any], *, name: str, method: str = "fit"
) -> dict[str, Any]:
    """Return the parameters of `fit` or `partial_fit` that the wrapped estimator `name` receives.

    Without metadata routing, it receives all; with metadata routing, those that it requests.
    """
    if not _routing_enabled():
        return params
    return dict(process_routing(meta_estimator, method, **params)[name][method])


def consumed_fit_params(estimator: Any, params: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters that an estimator, or a part of it, requests for `fit` by metadata routing."""
    if not _routing_enabled() or not params:
        return {}
    consumed = get_routing_for_object(estimator).consumes("fit", list(params))
    return {name: params[name] for name in consumed}


def open_last_step(
    estimator: Any, names: Iterable[str], given: dict[str, Any], *, method: str = "fit"
) -> dict[str, str]:
    """Find the parameters of `fit` or `partial_fit` that reach the last step of an estimator alone.

    With metadata routing, missing requests are set: the last step requests the parameters, and all other
    steps reject them. Requests that are set already are not changed.

    Parameters
    ----------
    estimator : estimator
        A clone that may be changed: a Pipeline, at any depth, or any other estimator.
    names : iterable of str
        Parameters of `fit`, such as ``sample_weight``.
    given : dict of str to object
        Parameters of `fit` that the user has passed. Their requests must be set already.
    method : {"fit", "partial_fit"}, default="fit"
        Method that is called. Only an estimator without further steps has ``partial_fit``.

    Returns
    -------
    dict of str to str
        For each name that the last step accepts, the name under which the estimator passes it on.

    Raises
    ------
    sklearn.exceptions.UnsetMetadataPassedError
        With metadata routing, if a step neither requests nor rejects one of the parameters in `given`.
    """
    *others, (prefix, last) = _iter_steps(estimator)
    accepted = [name for name in names if name in signature(getattr(last, method)).parameters]
    if not _routing_enabled():
        return {name: prefix + name for name in accepted}
    routing = get_routing_for_object(estimator)
    if isinstance(routing, MetadataRouter):
        routing.route_params(params=given, caller=method)
    for _, step in others:
        for part in (step, *step.get_params(deep=True).values()):
            _set_missing_requests(part, method, accepted, value=False)
    _set_missing_requests(last, method, accepted, value=True)
    routing = get_routing_for_object(last)
    keys = {name: _find_alias(routing, method, name) for name in accepted}
    return {name: key for name, key in keys.items() if routing.consumes(method, [key])}


def _iter_steps(estimator: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the steps of nested Pipelines with the prefixes of their parameters."""
    if not isinstance(estimator, Pipeline):
        yield prefix, estimator
        return
    for name, step in estimator.steps:
        if step is not None and step != "passthrough":
            yield from _iter_steps(step, f"{prefix}{name}__")


def _set_missing_requests(part: Any, method: str, names: Iterable[str], *, value: bool) -> None:
    routing = get_routing_for_object(part)
    if not isinstance(routing, MetadataRequest):
        return
    requests = getattr(routing, method).requests
    missing = {name: value for name in names if name in requests and requests[name] is None}
    if missing:
        getattr(part, f"set_{method}_request")(**missing)


def _find_alias(routing: Any, method: str, name: str) -> str:
    """Return the name under which an estimator requests a parameter."""
    alias = getattr(routing, method).requests.get(name) if isinstance(routing, MetadataRequest) else None
    return alias if isinstance(alias, str) else name
