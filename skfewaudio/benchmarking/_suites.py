"""Suites of the benchmark: functions that build the pipelines or studies of each suite, by name."""

from collections.abc import Callable
from functools import partial
from typing import Any

from skfewaudio import pipelines

from ._large_scale import studies as large_scale
from ._random_cnn import studies as random_cnn

SUITES: dict[str, dict[str, Callable[..., Any]]] = {
    "few-data": pipelines.PIPELINES,
    "random-cnn": {name: partial(random_cnn.make_feature_study, name) for name in random_cnn.NAMES},
    "large-scale": {name: partial(large_scale.make_tagging_study, name) for name in large_scale.STUDIES},
}
SLOW = pipelines.SLOW | random_cnn.SLOW
TAKES_EMBEDDING = pipelines.TAKES_EMBEDDING
NEEDS_WEIGHTS = pipelines.NEEDS_WEIGHTS | large_scale.NEEDS_WEIGHTS
