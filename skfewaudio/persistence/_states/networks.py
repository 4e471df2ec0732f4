"""States of this package's classifiers with networks, whose tensors are checked with their recipe."""

from typing import Any

import torch

from skfewaudio.classifiers.saved_state import recipe_of

from .. import _limits as limits
from .named_types import optimizers, own_architectures
from .objects import is_function, name_of, named
from .scope import Scope, StateError
from .state import FEATURES, State
from .values import choice, either, floats, integer, integers, labels, none, number


def _architecture(value: Any, scope: Scope) -> None:
    """Expect a name, an architecture of this package, a fitted estimator, or one that the caller trusts."""
    if hasattr(value, "fit") and not isinstance(value, type):
        scope.inspect(value, True)
    else:
        named(own_architectures())(value, scope)


def _optimizer(value: Any, scope: Scope) -> None:
    scope.need(is_function(value), "is no optimizer")
    named(optimizers())(value, scope)


def network(value: Any, scope: Scope) -> None:
    """Expect a network that computes numbers for patches of the estimator's size."""
    recipe = recipe_of(value) if isinstance(value, torch.nn.Module) else None
    if recipe is None:
        raise StateError(f"is a {type(value).__name__}; expected a network")
    builder = recipe.architecture
    if is_function(builder) and name_of(builder) in scope.trusted:
        return
    scope.sizes["outputs"] = recipe.n_outputs
    found = recipe.n_mels, recipe.n_frames
    expected = scope.find("features"), scope.estimator.patch_frames_ or 1
    scope.need(found == expected, f"takes patches of {found}, and the estimator cuts patches of {expected}")
    for name, tensor in value.state_dict().items():
        try:
            _check_tensor(name, tensor)
        except StateError as error:
            raise error.within(name) from None


def _check_tensor(name: str, tensor: torch.Tensor) -> None:
    """Check the data type of a tensor, and that it has values, without NaN and infinity."""
    expected = torch.int64 if name.endswith("num_batches_tracked") else torch.float32
    if tensor.dtype != expected or not tensor.numel():
        raise StateError(f"is a tensor of {tensor.dtype} of shape {tuple(tensor.shape)}; expected {expected}")
    low, high = map(float, tensor.aminmax())
    smallest = 0.0 if name.endswith("running_var") else -limits.LARGEST
    if not smallest <= low <= high <= limits.LARGEST and expected.is_floating_point:  # also for NaN
        raise StateError(f"has values from {low:g} to {high:g}; expected {smallest:g} to {limits.LARGEST:g}")


def _history(value: Any, scope: Scope) -> None:
    scope.need(isinstance(value, list) and all(isinstance(row, dict) for row in value), "is no history")


def patch_frames(value: Any, scope: Scope) -> None:
    """Expect None, or a number of frames that leaves patches small enough to be computed."""
    either(none, integer(1, limits.MAX_PATCH_VALUES))(value, scope)
    n_values = (value or 1) * scope.sizes["features"]
    scope.need(n_values <= limits.MAX_PATCH_VALUES, f"is {value}, with {scope.sizes['features']} bands")


def check_kind(scope: Scope) -> None:
    """Check that the state is of spectrograms, with patches and silence, or of vectors, without both."""
    held = vars(scope.estimator)
    frames, silence = held["patch_frames_"], held.get("max_silence_")
    scope.need(
        "max_silence_" not in held or (frames is None) == (silence is None),
        f"has patch_frames_={frames} with max_silence_={silence}; expected numbers for spectrograms, or None "
        "for feature vectors",
    )


def _check_cnn(scope: Scope) -> None:
    check_kind(scope)
    model = scope.estimator
    n_classes = scope.sizes["classes"]
    n_outputs = scope.sizes.get("outputs", n_classes)
    scope.need(n_outputs == n_classes, f"has a network of {n_outputs} outputs for {n_classes} classes")
    scope.need(
        not (model.multilabel_ and model.aggregation == "vote"), "has several labels with aggregation='vote'"
    )


def _check_prototypes(scope: Scope) -> None:
    """Check that the embeddings have the dimensions of the prototypes."""
    check_kind(scope)
    model, n_dimensions = scope.estimator, scope.sizes["dimensions"]
    if model.network_ is not None:
        expected = scope.sizes.get("outputs", n_dimensions)
        scope.need(model.patch_frames_ is not None, "has a network, and takes feature vectors")
    else:
        expected = scope.sizes["features"] * (model.patch_frames_ or 1)
    scope.need(n_dimensions == expected, f"has prototypes of {n_dimensions} dimensions; expected {expected}")


_PARAMETERS = {
    "architecture": _architecture,
    "optimizer": _optimizer,
    "batch_size": integer(1, limits.MAX_BATCH),
}
_FITTED = FEATURES | {"classes_": labels(), "patch_frames_": patch_frames, "net_": none}
# Absent in models of earlier versions.
SILENCE = {"max_silence_": either(none, number(0, 1))}

STATES = {
    "skfewaudio.classifiers._skorch_cnn.SkorchCNN": State(
        fitted=_FITTED | {"multilabel_": choice(False, True), "network_": network, "history_": _history},
        optional=SILENCE,
        parameters=_PARAMETERS,
        rule=_check_cnn,
    ),
    "skfewaudio.classifiers._prototypical.PrototypicalClassifier": State(
        fitted=_FITTED
        | {
            "network_": either(none, network),
            "history_": either(none, _history),
            "prototypes_": floats("classes", "dimensions"),
            "class_count_": integers("classes", low=0),
        },
        optional=SILENCE,
        parameters=_PARAMETERS,
        rule=_check_prototypes,
        outputs="dimensions",
    ),
}
