"""Labels and groups that classifiers and splitters refuse."""

import numpy as np
import pandas as pd
import pytest

from skfewaudio import (
    AugmentedClassifier,
    ELMClassifier,
    FewShotSplit,
    PatchClassifier,
    PrototypicalClassifier,
    SkorchCNN,
    SubsampledClassifier,
    few_shot_curve,
    make_few_shot_classifier,
)

X = np.random.default_rng(0).normal(size=(6, 4))
WAVEFORMS = 0.1 * np.random.default_rng(0).normal(size=(6, 1000))
Y = ["rain", "wind"] * 3
CLASSIFIERS = [
    AugmentedClassifier(PatchClassifier()),
    ELMClassifier(),
    PatchClassifier(),
    PrototypicalClassifier(),
    SkorchCNN(max_epochs=1),
    SubsampledClassifier(PrototypicalClassifier()),
]
every_classifier = pytest.mark.parametrize("classifier", CLASSIFIERS, ids=lambda c: type(c).__name__)
MISSING = {
    "None": np.array([None, *Y[1:]], dtype=object),
    "None in a list": [None, *Y[1:]],
    "NaN in a list": [np.nan, *Y[1:]],
    "NaN": np.array([np.nan, 1, 0, 1, 0, 1]),
    "NA": pd.Series([None, *Y[1:]], dtype="string"),
}
MIXED = {
    "text and numbers": np.array([0, *Y[1:]], dtype=object),
    "text and numbers in a list": [0, *Y[1:]],
    "text and booleans": np.array([True, *Y[1:]], dtype=object),
}


@every_classifier
@pytest.mark.parametrize("y", MISSING.values(), ids=MISSING)
def test_missing_labels_are_named_with_the_remedy(classifier, y):
    with pytest.raises(ValueError, match=r"Input y contains .* y\[0\].* label them -1"):
        classifier.fit(X, y)


@every_classifier
@pytest.mark.parametrize("y", MIXED.values(), ids=MIXED)
def test_labels_of_several_types_are_refused(classifier, y):
    with pytest.raises(ValueError, match=r"y mixes .*; convert y to one type"):
        classifier.fit(X, y)


@every_classifier
def test_missing_y_is_named(classifier):
    with pytest.raises(ValueError, match="requires y to be passed, but the target y is None"):
        classifier.fit(X, None)


def test_few_shot_classifier_requires_y():
    with pytest.raises(ValueError, match="requires y to be passed"):
        make_few_shot_classifier(sample_rate=8000).fit(WAVEFORMS)


@pytest.mark.parametrize(
    "y", [[*Y[:4], -1, -1], np.array([*Y[:4], -1, -1], dtype=object)], ids=["list", "array"]
)
def test_unlabelled_clips_may_stand_among_text_for_self_training(y):
    model = make_few_shot_classifier(sample_rate=8000, n_copies=1, semi_supervised=True).fit(WAVEFORMS, y)
    assert model.classes_.tolist() == ["rain", "wind"]


def test_several_labels_per_clip_are_refused_by_the_few_shot_classifier():
    with pytest.raises(ValueError, match=r"several labels per clip .* use SkorchCNN"):
        make_few_shot_classifier(sample_rate=8000).fit(WAVEFORMS, np.eye(6, dtype=int))


def test_lengths_of_clips_and_labels_are_compared_alone():
    with pytest.raises(ValueError, match=r"\[6, 5\]"):
        make_few_shot_classifier(sample_rate=8000).fit(WAVEFORMS, Y[:5])


def fit_augmented(groups):
    AugmentedClassifier(PatchClassifier()).fit(X, Y, groups=groups)


def split(groups):
    list(FewShotSplit(1, n_repeats=1).split(X, Y, groups))


def compute_curve(groups):
    few_shot_curve(PrototypicalClassifier(), X, Y, n_shots=[1], n_repeats=1, groups=groups)


every_user = pytest.mark.parametrize("use", [fit_augmented, split, compute_curve])


@every_user
@pytest.mark.parametrize("missing", [None, np.nan], ids=["None", "NaN"])
@pytest.mark.parametrize("other", ["tape", 3], ids=["text", "numbers"])
def test_missing_groups_are_named_with_the_remedy(use, missing, other):
    with pytest.raises(ValueError, match=r"Input groups contains N.* groups\[1\].* group of their own"):
        use([other, missing, other, other, other, other])


@every_user
def test_groups_of_several_types_are_refused(use):
    with pytest.raises(ValueError, match="groups mixes"):
        use(np.array(["tape", 1, 2, 3, 4, 5], dtype=object))


@every_user
def test_number_of_groups_must_be_that_of_clips(use):
    with pytest.raises(ValueError, match=r"\[6, 5\]"):
        use(np.arange(5))
