from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, PredefinedSplit
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

import skfewaudio
from skfewaudio.model_selection import FewShotSplit, SubsampledClassifier

RNG = np.random.default_rng(0)
Y = np.repeat(["bark", "horn", "siren"], 20)
X = RNG.normal(size=(60, 4)) + np.repeat(np.arange(3), 20)[:, None]
FOLDS = np.tile([1, 2, 3, 4], 15)


def expected_failures(estimator):
    reason = "clips that are not drawn are not validated"
    return {"check_dtype_object": reason, "check_estimators_nan_inf": reason}


@parametrize_with_checks(
    [SubsampledClassifier(KNeighborsClassifier(1))], expected_failed_checks=expected_failures
)
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_common_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [
        SubsampledClassifier(LogisticRegression(), n_shots=None),
        SubsampledClassifier(make_pipeline(StandardScaler(), LogisticRegression()), n_shots=None),
    ]
)
def test_common_checks_with_all_clips(estimator, check):
    check(estimator)


def test_draws_what_few_shot_split_draws():
    train, _ = next(FewShotSplit(3, cv=PredefinedSplit(FOLDS), random_state=5).split(X, Y))
    pool = np.flatnonzero(FOLDS != 1)
    model = SubsampledClassifier(KNeighborsClassifier(1), 3, random_state=5).fit(X[pool], Y[pool])
    np.testing.assert_array_equal(pool[model.support_], train)


def test_fits_only_on_the_support():
    model = SubsampledClassifier(KNeighborsClassifier(1), 2).fit(X, Y)
    assert model.estimator_.n_samples_fit_ == len(model.support_) == 6
    np.testing.assert_array_equal(model.predict(X[model.support_]), Y[model.support_])


def test_none_uses_all_clips():
    model = SubsampledClassifier(LogisticRegression(), None).fit(X, Y)
    np.testing.assert_array_equal(model.predict_proba(X), LogisticRegression().fit(X, Y).predict_proba(X))


def as_list(clips):
    return [row.reshape(2, 2) for row in clips]


def as_paths(clips):
    return [Path(str(k)) for k in range(len(clips))]


def flatten(clips):
    return np.stack([X[int(clip.name)] if isinstance(clip, Path) else np.ravel(clip) for clip in clips])


@pytest.mark.parametrize("kind", [as_list, as_paths, lambda clips: clips.reshape(-1, 2, 2)])
def test_accepts_lists_paths_and_three_dimensional_arrays(kind):
    pipe = make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(1))
    found = SubsampledClassifier(pipe, 2).fit(kind(X), Y).predict(kind(X))
    expected = SubsampledClassifier(KNeighborsClassifier(1), 2).fit(X, Y).predict(X)
    np.testing.assert_array_equal(found, expected)


def test_n_shots_can_be_searched_over():
    search = GridSearchCV(
        SubsampledClassifier(make_pipeline(StandardScaler(), KNeighborsClassifier(1))),
        {"n_shots": [1, 2, 5]},
        cv=PredefinedSplit(FOLDS),
        error_score="raise",
    ).fit(X, Y)
    assert len(search.cv_results_["mean_test_score"]) == 3


def test_seeds_an_unseeded_estimator_with_its_own_random_state():
    model = SubsampledClassifier(DummyClassifier(strategy="uniform"))
    first, again, other = (
        clone(model).set_params(random_state=seed).fit(X, Y).predict(X).tolist() for seed in (0, 0, 1)
    )
    assert first == again != other


def test_keeps_the_seed_of_a_seeded_estimator():
    model = SubsampledClassifier(make_pipeline(DummyClassifier(random_state=3))).fit(X, Y)
    assert model.estimator_[-1].random_state == 3


def test_does_not_change_the_global_random_state():
    np.random.seed(0)  # noqa: NPY002 - the global state is what is tested
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    SubsampledClassifier(DummyClassifier(strategy="uniform")).fit(X, Y).predict(X)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_has_only_the_methods_of_its_estimator():
    model = SubsampledClassifier(KNeighborsClassifier(1))
    assert hasattr(model, "predict_proba")
    assert not hasattr(model, "decision_function")
    assert not hasattr(model, "transform")


def test_inherits_the_tags_of_its_estimator():
    tags = get_tags(SubsampledClassifier(KNeighborsClassifier(metric="nan_euclidean")))
    assert tags.input_tags.allow_nan
    assert not tags.target_tags.multi_output


@pytest.mark.parametrize("n_shots", [0, -3, 1.5, "all"])
def test_n_shots_must_be_a_count_or_none(n_shots):
    with pytest.raises(ValueError, match="'n_shots' parameter"):
        SubsampledClassifier(KNeighborsClassifier(1), n_shots).fit(X, Y)


def test_class_with_too_few_clips_is_named():
    with pytest.raises(ValueError, match="horn has 2"):
        SubsampledClassifier(KNeighborsClassifier(1), 3).fit(X[:22], Y[:22])


def test_multi_label_error_names_the_alternatives():
    with pytest.raises(ValueError, match=r"\(60, 2\).*cross_validate.*learning_curve"):
        SubsampledClassifier(LogisticRegression()).fit(X, np.tile([[0, 1], [1, 1]], (30, 1)))


def test_unknown_fit_argument_is_an_error():
    with pytest.raises(TypeError, match="sample_weight"):
        SubsampledClassifier(KNeighborsClassifier()).fit(X, Y, sample_weight=np.ones(60))


def test_fit_parameters_are_those_of_the_drawn_clips():
    weights = np.linspace(0.1, 2, 60)
    model = SubsampledClassifier(LogisticRegression(), n_shots=4).fit(X, Y, sample_weight=weights)
    drawn = model.support_
    expected = LogisticRegression(random_state=model.estimator_.random_state)
    expected.fit(X[drawn], Y[drawn], sample_weight=weights[drawn])
    np.testing.assert_array_equal(model.estimator_.coef_, expected.coef_)


@pytest.mark.parametrize("module", [skfewaudio, skfewaudio.model_selection], ids=["top level", "package"])
def test_old_name_warns_and_returns_the_renamed_class(module):
    with pytest.warns(FutureWarning, match="FewShotClassifier was renamed to SubsampledClassifier") as caught:
        assert module.FewShotClassifier is SubsampledClassifier
    assert caught[0].filename == __file__
    assert "FewShotClassifier" not in module.__all__


def test_unknown_name_of_the_package_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'ManyShotClassifier'"):
        skfewaudio.model_selection.ManyShotClassifier  # noqa: B018 - the access is what is tested
