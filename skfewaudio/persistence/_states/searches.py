"""States of searches over parameters, and of the splitters and scorers that they hold."""

from functools import cache
from typing import Any

from sklearn.metrics import get_scorer, get_scorer_names

from skfewaudio.classifiers.saved_state import full_name

from .objects import fitted, named, plain
from .scope import Scope
from .state import State
from .values import choice

_SPLIT = "sklearn.model_selection._split."
SPLITTERS = (
    *(f"{_SPLIT}{kind}KFold" for kind in ("", "Stratified", "Group", "StratifiedGroup")),
    *(f"{_SPLIT}{kind}ShuffleSplit" for kind in ("", "Stratified", "Group")),
    *(f"{_SPLIT}{kind}" for kind in ("RepeatedKFold", "RepeatedStratifiedKFold", "TimeSeriesSplit")),
    *(f"{_SPLIT}{kind}" for kind in ("PredefinedSplit", "LeaveOneOut", "LeaveOneGroupOut")),
    "skfewaudio.model_selection._split.FewShotSplit",
)
_SPLITTER = State(
    optional={"cv": named(SPLITTERS)},
    unused="n_splits shuffle random_state test_fold unique_folds test_size train_size max_train_size gap "
    "cvargs n_repeats n_shots _default_test_size",
)


@cache
def score_functions() -> frozenset[str]:
    """List the functions of scikit-learn's named scorers."""
    return frozenset(full_name(get_scorer(name)._score_func) for name in get_scorer_names())


def _score_function(value: Any, scope: Scope) -> None:
    named(score_functions())(value, scope)


_SEARCH = State(
    fitted={"best_estimator_": fitted(method="predict", same_inputs=True)},
    optional={"feature_names_in_": plain},
    unused="scorer_ cv_results_ multimetric_ n_splits_ best_index_ best_score_ best_params_ refit_time_ "
    "_checked_cv_orig",
)

STATES = {
    "sklearn.model_selection._search.GridSearchCV": _SEARCH,
    "sklearn.model_selection._search.RandomizedSearchCV": _SEARCH,
    "sklearn.metrics._scorer._Scorer": State(
        fitted={"_score_func": _score_function, "_sign": choice(1, -1)},
        unused="_kwargs _response_method _deprecation_msg _metadata_request",
    ),
    "sklearn.metrics._scorer._PassthroughScorer": State(unused="_estimator _metadata_request"),
    "sklearn.utils._metadata_requests.MetadataRequest": State(
        unused="owner fit partial_fit predict predict_proba predict_log_proba decision_function score split "
        "transform inverse_transform"
    ),
    "sklearn.utils._metadata_requests.MethodMetadataRequest": State(unused="_requests owner method"),
    **dict.fromkeys(SPLITTERS, _SPLITTER),
}
