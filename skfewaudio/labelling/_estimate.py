"""Accuracy on the whole folder, estimated from the labelled clips alone."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

MIN_LABELLED = 10
CONFIDENCE = 0.95
# The interval is never narrower than for this many clips: on ESC-10, the error of the estimate did not shrink
# with more labels, because the calibration is from clips that are more difficult than the others.
MAX_COUNTED = 30


@dataclass(frozen=True)
class AccuracyEstimate:
    """Estimate of the accuracy on the clips without labels.

    Attributes
    ----------
    accuracy : float
        Share of clips whose class would be predicted correctly.
    low, high : float
        95 % interval; see the user guide for its measured coverage.
    n_labelled : int
        Number of labelled clips that the estimate is from.
    """

    accuracy: float
    low: float
    high: float
    n_labelled: int

    def as_entry(self) -> dict[str, Any]:
        """Return the values for the session file."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


def estimate_accuracy(proba: NDArray[np.floating], n_labelled: int) -> AccuracyEstimate | None:
    """Estimate the accuracy on clips without labels from their calibrated probabilities.

    Parameters
    ----------
    proba : ndarray of shape (n_clips, n_classes)
        Class probabilities of the clips without labels. Their temperature is calibrated on labelled clips
        that were left out.
    n_labelled : int
        Number of labelled clips.

    Returns
    -------
    AccuracyEstimate or None
        None with fewer than ten labelled clips, or without other clips.

    Notes
    -----
    The estimate is the mean of the highest probability of each clip. The share of correct predictions among
    the labelled clips themselves, each one left out, would be far too low: clips are chosen because they are
    unlike each other. The interval is Wilson's for a share among `n_labelled` clips drawn at random, because
    the calibration is from as many clips, but among 30 at most.
    """
    if n_labelled < MIN_LABELLED or not len(proba):
        return None
    share = float(proba.max(axis=1).mean())
    return AccuracyEstimate(share, *wilson_interval(share, min(n_labelled, MAX_COUNTED)), n_labelled)


def wilson_interval(share: float, n: float, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Compute Wilson's score interval of a share.

    Parameters
    ----------
    share : float
        Observed share, from 0 to 1.
    n : float
        Number of observations.
    confidence : float, default=0.95
        Nominal coverage.

    Returns
    -------
    low, high : float
    """
    z = float(norm.ppf((1 + confidence) / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, float(centre - half)), min(1.0, float(centre + half))
