"""States of this package's estimators that wrap classifiers, and of its augmentations."""

from typing import Any

from sklearn.ensemble._forest import BaseForest
from sklearn.multioutput import MultiOutputClassifier

from skfewaudio import augmentation
from skfewaudio.classifiers.saved_state import full_name

from .. import _limits as limits
from .networks import SILENCE, patch_frames
from .objects import fitted, plain
from .scope import Scope
from .state import FEATURES, State
from .values import flag, integer, integers, labels

_INNER = {"classes_": labels(), "estimator_": fitted(classes="same", method="predict")}


def _check_patches(scope: Scope) -> None:
    """Check that the classifier takes the patches as vectors, and has what the aggregation needs."""
    model, n_values = scope.estimator, scope.sizes["features"] * (scope.estimator.patch_frames_ or 1)
    found = scope.inspect(model.estimator_, True).find("features")
    scope.need(
        found in (None, n_values), f"has a classifier of {found} features for patches of {n_values} values"
    )
    _check_patch_classes(scope)
    able = model.aggregation == "vote" or hasattr(model.estimator_, "predict_proba")
    scope.need(able, f"has a classifier without predict_proba, which aggregation={model.aggregation!r} needs")
    known = model.patch_frames_ in (None, model.patch_frames)
    scope.need(known, f"has patch_frames_={model.patch_frames_} and patch_frames={model.patch_frames}")


def _check_patch_classes(scope: Scope) -> None:
    """Check that the classifier has the labels of the clips, or one output per label."""
    model = scope.estimator
    has_several = _predicts_several_labels(model.estimator_)
    scope.need(
        model.multilabel_ == has_several, f"has multilabel_={model.multilabel_}, unlike its classifier"
    )
    if has_several:
        scope.need(scope.classes == list(range(scope.sizes["classes"])), "has other classes_ than columns")
        n_labels = len(getattr(model.estimator_, "classes_", ()))
        scope.need(n_labels == scope.sizes["classes"], f"has a classifier of {n_labels} labels")
    else:
        classes = scope.inspect(model.estimator_, True).classes
        scope.need(classes in (None, scope.classes), "has a classifier of other classes")


def _predicts_several_labels(estimator: Any) -> bool:
    """Return whether a classifier, or the last one in it, predicts several labels per row."""
    while True:
        inner = getattr(estimator, "best_estimator_", getattr(estimator, "estimator_", None))
        inner = estimator.steps[-1][1] if hasattr(estimator, "steps") else inner
        if inner is None or isinstance(estimator, BaseForest):
            break
        estimator = inner
    binarizer = getattr(estimator, "label_binarizer_", getattr(estimator, "_label_binarizer", None))
    return (
        getattr(estimator, "multilabel_", False) is True
        or getattr(estimator, "outputs_2d_", False) is True
        or getattr(binarizer, "y_type_", "") == "multilabel-indicator"
        or getattr(estimator, "n_outputs_", 1) > 1
        or isinstance(estimator, MultiOutputClassifier)
    )


def _same_features(scope: Scope) -> None:
    inner = scope.inspect(scope.estimator.estimator_, True)
    known = scope.sizes.get("features"), inner.find("features")
    scope.need(
        None in known or len(set(known)) == 1, f"has {known[0]} features, and its estimator {known[1]}"
    )


STATES = {
    "skfewaudio.classifiers._patch_classifier.PatchClassifier": State(
        fitted={
            **FEATURES,
            "classes_": labels(),
            "multilabel_": flag,
            "patch_frames_": patch_frames,
            "estimator_": fitted(method="predict"),
        },
        optional=SILENCE,
        parameters={"batch_size": integer(1, limits.MAX_BATCH)},
        rule=_check_patches,
    ),
    "skfewaudio.classifiers._augmented.AugmentedClassifier": State(
        fitted={**FEATURES, **_INNER}, rule=_same_features
    ),
    "skfewaudio.model_selection._subsampled.SubsampledClassifier": State(
        fitted={**_INNER, "support_": integers("shots")},
        optional={**FEATURES, "feature_names_in_": plain},
        rule=_same_features,
    ),
    **{
        full_name(kind): State()
        for kind in (getattr(augmentation, name) for name in augmentation.__all__)
        if isinstance(kind, type) and issubclass(kind, augmentation.Augmentation)
    },
}
