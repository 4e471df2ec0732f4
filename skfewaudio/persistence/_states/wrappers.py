"""States of this package's estimators that wrap classifiers, and of its augmentations."""

from typing import Any

from sklearn.ensemble._forest import BaseForest
from sklearn.multioutput import MultiOutputClassifier

from skfewaudio import augmentation
from skfewaudio.classifiers.saved_state import full_name

from .. import _limits as limits
from .networks import SILENCE, patch_frames
from .objects import fitted, plain
from .pipelines import named_parts
from .scope import Scope
from .state import FEATURES, State
from .values import flag, floats, integer, integers, labels

_INNER = {"classes_": labels(), "estimator_": fitted(classes="same", method="predict")}


def _check_patches(scope: Scope) -> None:
    """Check that the classifier takes the patches as vectors, and can be aggregated."""
    model, n_values = scope.estimator, scope.sizes["features"] * (scope.estimator.patch_frames_ or 1)
    found = scope.inspect(model.estimator_, True).find("features")
    scope.need(
        found in (None, n_values), f"has a classifier of {found} features for patches of {n_values} values"
    )
    _check_patch_classes(scope)
    able = model.aggregation == "vote" or hasattr(model.estimator_, "predict_proba")
    scope.need(able, f"has a classifier without predict_proba, which aggregation={model.aggregation!r} needs")


def _check_patch_classes(scope: Scope) -> None:
    """Check that the classifier has the labels of the clips, or one output per label."""
    model = scope.estimator
    last = _last_classifier(model.estimator_)
    if full_name(type(last)) in scope.trusted:
        return
    several = _predicts_several_labels(last)
    scope.need(model.multilabel_ == several, f"has multilabel_={model.multilabel_}, unlike its classifier")
    if several:
        scope.need(scope.classes == list(range(scope.sizes["classes"])), "has other classes_ than columns")
        n_labels = len(getattr(model.estimator_, "classes_", ()))
        scope.need(n_labels == scope.sizes["classes"], f"has a classifier of {n_labels} labels")
    else:
        classes = scope.inspect(model.estimator_, True).classes
        scope.need(classes == scope.classes, "has a classifier of other classes")


def _last_classifier(estimator: Any) -> Any:
    """Return the last classifier in pipelines, searches and other wrappers."""
    while True:
        inner = estimator.steps[-1][1] if hasattr(estimator, "steps") else None
        inner = inner or getattr(estimator, "best_estimator_", None)
        if inner is None and not isinstance(estimator, BaseForest):
            inner = getattr(estimator, "estimator_", None)
        if inner is None:
            return estimator
        estimator = inner


def _predicts_several_labels(classifier: Any) -> bool:
    """Return whether a classifier predicts several labels per row."""
    held = vars(classifier)
    binarizer = held.get("label_binarizer_", held.get("_label_binarizer"))
    return (
        held.get("multilabel_") is True
        or held.get("outputs_2d_") is True
        or getattr(binarizer, "y_type_", "") == "multilabel-indicator"
        or held.get("n_outputs_", 1) > 1
        or isinstance(classifier, MultiOutputClassifier)
    )


def _check_block_classifier(scope: Scope) -> None:
    """Check that the blocks together have the columns of the classifier, and one weight each."""
    model = scope.estimator
    widths = [_block_width(block, scope) for _, block in model.blocks_]
    found = scope.inspect(model.estimator_, True).find("features")
    scope.need(found == sum(widths), f"has blocks of {sum(widths)} columns; its classifier expects {found}")
    weights = list(model.block_weights_.values())
    is_right = len(weights) == len(widths) and all(0 <= weight <= 1 for weight in weights)
    scope.need(is_right, "has other block_weights_ than blocks")


def _block_width(block: Any, scope: Scope) -> int:
    width = scope.inspect(block, True).outputs
    scope.need(width is not None, f"has a block of unknown size, {type(block).__name__}")
    return int(width or 0)


def _same_features(scope: Scope) -> None:
    inner = scope.inspect(scope.estimator.estimator_, True)
    known = scope.sizes.get("features"), inner.find("features")
    scope.need(
        None in known or len(set(known)) == 1, f"has {known[0]} features, and its estimator {known[1]}"
    )


def _check_detector(scope: Scope) -> None:
    """Check that the classes are the events and the background, and that the times are possible."""
    model, n_classes = scope.estimator, scope.sizes["classes"]
    for classifier in (model.window_classifier_, model.region_classifier_):
        found = scope.inspect(classifier, True).classes
        scope.need(found == list(range(-1, n_classes)), f"has a classifier of the classes {found}")
    times = model.durations_
    scope.need((times[:, :-1] <= times[:, 1:]).all(), "has durations_ in another order")
    thresholds = list(model.thresholds_.items())
    scope.need([name for name, _ in thresholds] == scope.classes, "has thresholds_ of other classes")
    is_right = all(isinstance(value, float) and 0 <= value <= 1 for _, value in thresholds)
    scope.need(is_right, "has thresholds_ that are no probabilities")


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
    "skfewaudio.classifiers._block_classifier.BlockClassifier": State(
        fitted={**FEATURES, **_INNER, "blocks_": named_parts, "block_weights_": plain},
        rule=_check_block_classifier,
    ),
    "skfewaudio.detection._detector.EventDetector": State(
        fitted={
            "classes_": labels(),
            "logmel_": fitted("skfewaudio.features._logmel.LogMel"),
            "window_classifier_": fitted(method="predict_proba"),
            "region_classifier_": fitted(method="predict_proba"),
            "durations_": floats("classes", 3, low=1e-4, high=limits.LONGEST_WINDOW),
            "windows_": floats(1, low=1e-4, high=limits.LONGEST_WINDOW),
            "thresholds_": plain,
            "expected_": plain,
        },
        rule=_check_detector,
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
