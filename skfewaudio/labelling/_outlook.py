"""What more labels would bring: the learning curve of the labelled clips, extrapolated."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.model_selection import extrapolate_curve

from ._beliefs import BeliefModel
from .block_features import ReadyBlocks

MIN_LABELLED = 24
SHARES = (0.35, 0.5, 0.75)  # of the labelled clips, that are fitted to; the others are predicted
N_REPEATS = 12


@dataclass(frozen=True)
class Outlook:
    """Expected change of the accuracy by more labels.

    Attributes
    ----------
    n_more : int
        Number of additional labels.
    gain : float
        Expected increase of the accuracy.
    low, high : float
        95 % interval of the increase.
    """

    n_more: int
    gain: float
    low: float
    high: float


def estimate_gain(
    ready: ReadyBlocks,
    rows: NDArray[np.intp],
    labels: Sequence[str],
    *,
    error: float,
    n_more: int = 10,
    random_state: int = 0,
) -> Outlook | None:
    """Estimate how much more labels would raise the accuracy.

    Parameters
    ----------
    ready : ReadyBlocks
        Features.
    rows : ndarray of int of shape (n_labelled,)
        Rows of the labelled clips.
    labels : sequence of str
        Their labels.
    error : float
        Estimated share of clips without labels that are classified wrongly.
    n_more : int, default=10
        Number of additional labels.
    random_state : int, default=0
        Seed of the random halves.

    Returns
    -------
    Outlook or None
        None with fewer than 24 labelled clips or two classes.

    Notes
    -----
    The classifier is fitted to random parts of the labelled clips and predicts the others. The learning curve
    is extrapolated by :func:`~skfewaudio.model_selection.extrapolate_curve`, to the present number of labels
    and to more. The relative decrease of the error between them is applied to `error`. It refers to labels of
    random clips. The interval is that of the extrapolated error.
    """
    if len(rows) < MIN_LABELLED or len(set(labels)) < 2:
        return None
    results = _score_parts(ready, rows, np.array(labels), random_state)
    ends = extrapolate_curve(results, n_shots=[len(rows), len(rows) + n_more], random_state=random_state)
    now, later = ends.iloc[0], ends.iloc[1]
    # Shares of the error that go away. The labelled clips are more difficult than the others, so that the
    # difference itself would be too large.
    error_now = max(1 - float(now["mean"]), 1e-9)
    shares = [1 - (1 - float(later[name])) / error_now for name in ("mean", "low", "high")]
    gain, low, high = (error * min(max(share, 0.0), 1.0) for share in shares)
    return Outlook(n_more, gain, low, high)


def _score_parts(
    ready: ReadyBlocks, rows: NDArray[np.intp], labels: NDArray[np.str_], random_state: int
) -> pd.DataFrame:
    """Return the accuracy on the other labelled clips after fits to parts of them, in tidy form."""
    found = []
    for repeat in range(N_REPEATS):
        order = np.random.default_rng([random_state, repeat]).permutation(len(rows))
        model = BeliefModel(weighs_blocks=False)
        for share in SHARES:
            n_fitted = max(2, round(share * len(rows)))
            fitted, others = order[:n_fitted], order[n_fitted:]
            groups = [str(i) for i in fitted]
            beliefs = model.fit(ready, rows[fitted], labels[fitted].tolist(), groups)
            predicted = np.array(beliefs.classes)[beliefs.proba[rows[others]].argmax(axis=1)]
            found.append(
                ("labels", n_fitted, repeat, "accuracy", float((predicted == labels[others]).mean()))
            )
    return pd.DataFrame(found, columns=["pipeline", "n_shots", "repeat", "metric", "value"])
