"""States of this package's estimators that wrap classifiers, and of its augmentations."""

from typing import Any

import numpy as np
from sklearn.ensemble._forest import BaseForest
from sklearn.multioutput import MultiOutputClassifier
from sklearn.pipeline import Pipeline

from skfewaudio import augmentation
from skfewaudio.classifiers.saved_state import full_name

from .. import _limits as limits
from .networks import SILENCE, check_kind, patch_frames
from .objects import expect_inputs, fitted, match_inputs, plain
from .pipelines import named_parts
from .scope import Scope
from .state import FEATURES, State
from .values import (
    FLOATS,
    check_array,
    either,
    flag,
    floats,
    integer,
    integers,
    labels,
    none,
    refuse,
)

KEPT_CLIPS = "skfewaudio.classifiers._kept_clips.KeptClips"
_INNER = {"classes_": labels(), "estimator_": fitted(classes="same", method="predict")}


def _check_patches(scope: Scope) -> None:
    """Check that the classifier takes the patches as vectors, and can be aggregated."""
    check_kind(scope)
    model, n_values = scope.estimator, scope.sizes["features"] * (scope.estimator.patch_frames_ or 1)
    found = scope.inspect(model.estimator_, True).inputs
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
    """Check that the blocks take the clips, have the columns of the classifier, and one weight each."""
    model = scope.estimator
    widths = [_block_width(number, scope) for number in range(len(model.blocks_))]
    found = scope.inspect(model.estimator_, True).inputs
    scope.need(found == sum(widths), f"has blocks of {sum(widths)} columns; its classifier expects {found}")
    weights = list(model.block_weights_.values())
    is_right = len(weights) == len(widths) and all(0 <= weight <= 1 for weight in weights)
    scope.need(is_right, "has other block_weights_ than blocks")
    if getattr(model, "kept_clips_", None) is not None:
        _check_clips_of_blocks(scope, widths)


def _check_clips_of_blocks(scope: Scope, widths: list[int]) -> None:
    """Check that the kept clips have the columns of the blocks and the labels of the classifier."""
    clips = scope.estimator.kept_clips_
    found = [block.shape[1] for block in clips.features]
    scope.need(found == widths, f"has kept_clips_ with blocks of {found} columns; expected {widths}")
    labels, classes = set(clips.labels.tolist()), set(scope.classes or ())
    is_right = classes <= labels and labels - classes <= {-1, "-1"}  # unlabelled clips
    scope.need(is_right, "has kept_clips_ of other labels than its classes_")


def _kept_features(value: Any, scope: Scope) -> None:
    """Expect features of the same clips in each block, in single precision."""
    if type(value) is not list or not value:
        refuse(value, "a list of arrays")
    for number, block in enumerate(value):
        shape = "kept clips", f"columns of block {number}"
        check_array(block, FLOATS[1:], shape, scope)
        floats(*shape)(block, scope)


def _kept_labels(value: Any, scope: Scope) -> None:
    """Expect one label for each clip."""
    is_array = type(value) is np.ndarray and value.ndim == 1 and value.dtype.kind in "biufUS"
    if not is_array or not scope.match("kept clips", len(value)):
        refuse(value, "a 1-D array of strings or numbers, one for each of the kept clips")


def _check_kept_clips(scope: Scope) -> None:
    """Check that the names of recordings cover their numbers."""
    clips = scope.estimator
    n_names = 0 if clips.names is None else len(clips.names)
    highest = -1 if clips.recordings is None else int(clips.recordings.max())
    scope.need(highest < n_names, f"has recordings up to {highest} with {n_names} names")


def _block_width(number: int, scope: Scope) -> int:
    """Return the number of columns of a block, a pipeline of the clips or of one of their embeddings."""
    name, block = scope.estimator.blocks_[number]
    inner = scope.inspect(block, True)
    scope.need(isinstance(block, Pipeline), f"has a block that is a {type(block).__name__}, no Pipeline")
    scope.need(block[0] is not None, "has a block without a transformer")
    width = inner.outputs
    if isinstance(block[0], str):
        # No step of an embedding that is not scaled knows its size.
        width = width or _size_in_classifier(number, scope)
        scope.needed[name] = inner.inputs or width
    else:
        expect_inputs(inner, scope.inputs)
    scope.need(width and width > 0, f"has the block {name!r} of unknown size")
    return int(width or 0)


def _size_in_classifier(number: int, scope: Scope) -> int | None:
    """Return the size of a block by the parameters of the classifier, if it has one."""
    sizes = getattr(scope.estimator.estimator_, "block_sizes", None)
    if type(sizes) is not list or len(sizes) != len(scope.estimator.blocks_):
        return None
    return sizes[number] if type(sizes[number]) is int else None


def _check_passed_on(scope: Scope) -> None:
    match_inputs(scope.inspect(scope.estimator.estimator_, True), scope)


def _check_detector(scope: Scope) -> None:
    """Check the classes, with the background where it is one, and that bands and times are possible."""
    model, n_classes = scope.estimator, scope.sizes["classes"]
    # The background is -1.
    first_classes = [(model.window_classifier_, -1), (model.region_classifier_, -1)]
    if (voter := getattr(model, "event_classifier_", None)) is not None:
        first_classes.append((voter, 0))
    for classifier, first in first_classes:
        inner = scope.inspect(classifier, True)
        known = inner.classes == list(range(first, n_classes))
        scope.need(known, f"has a classifier of the classes {inner.classes}")
        expect_inputs(inner, scope.inspect(model.logmel_, True).outputs)
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
        fitted={**FEATURES, **_INNER},
        optional={"n_clips_seen_": integer(1, limits.MAX_CLIPS)},
        rule=_check_passed_on,
    ),
    KEPT_CLIPS: State(
        fitted={
            "features": _kept_features,
            "labels": _kept_labels,
            "weights": either(none, floats("kept clips", low=0)),
            "recordings": either(none, integers("kept clips", low=-limits.MAX_CLIPS, dtype=np.int64)),
            "names": either(none, labels("recordings")),
        },
        rule=_check_kept_clips,
    ),
    "skfewaudio.classifiers._block_classifier.BlockClassifier": State(
        fitted={**FEATURES, **_INNER, "blocks_": named_parts, "block_weights_": plain},
        optional={"kept_clips_": either(none, fitted(KEPT_CLIPS))},
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
        optional={"event_classifier_": either(none, fitted(method="predict_proba"))},
        rule=_check_detector,
    ),
    "skfewaudio.model_selection._subsampled.SubsampledClassifier": State(
        fitted={**_INNER, "support_": integers("shots")},
        optional={**FEATURES, "feature_names_in_": plain},
        rule=_check_passed_on,
    ),
    **{
        full_name(kind): State()
        for kind in (getattr(augmentation, name) for name in augmentation.__all__)
        if isinstance(kind, type) and issubclass(kind, augmentation.Augmentation)
    },
}
