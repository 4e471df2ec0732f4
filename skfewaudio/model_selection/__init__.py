"""The few-shot protocol: splits, a classifier limited to n shots, learning curves."""

from ._curve import few_shot_curve
from ._few_shot import FewShotClassifier
from ._split import FewShotSplit

__all__ = ["FewShotClassifier", "FewShotSplit", "few_shot_curve"]
