"""Few-shot evaluation: splits, learning curves, leakage checks, extrapolation and clips to label next."""

from typing import Any

from skfewaudio._deprecated_names import current_name

from ._curve.few_shot_curve import few_shot_curve
from ._extrapolation import extrapolate_curve
from ._leakage.check_leakage import check_leakage
from ._split import FewShotSplit
from ._subsampled import SubsampledClassifier
from ._suggest import suggest_clips

__all__ = [
    "FewShotSplit",
    "SubsampledClassifier",
    "check_leakage",
    "extrapolate_curve",
    "few_shot_curve",
    "suggest_clips",
]


def __getattr__(name: str) -> Any:
    """Return the class that a deprecated name stands for, with a warning."""
    new = current_name(name)
    if new == name:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return globals()[new]
