"""The few-shot protocol, and what to make of its scores: splits, learning curves, leaks, the next clips."""

from ._curve.few_shot_curve import few_shot_curve
from ._extrapolation import extrapolate_curve
from ._leakage.check_leakage import check_leakage
from ._split import FewShotSplit
from ._subsampled import FewShotClassifier
from ._suggest import suggest_clips

__all__ = [
    "FewShotClassifier",
    "FewShotSplit",
    "check_leakage",
    "extrapolate_curve",
    "few_shot_curve",
    "suggest_clips",
]
