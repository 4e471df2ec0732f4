"""Label names of the embedded multi-label dataset, and the assignment of labels to clips."""

import warnings
from numbers import Integral

import numpy as np
from numpy.typing import NDArray

from .room import make_generator
from .sounds import SOUNDS

CLASSES = sorted(SOUNDS)

_RANKS, _EVENTS = 6, 7  # keys of random generators; make_sound_events uses 0 to 5


def label_names(n_labels: int) -> list[str]:
    """Return the names of the ten sounds, then of the second variety of each, and so on."""
    pairs = [divmod(label, len(CLASSES)) for label in range(n_labels)]
    return [f"{CLASSES[sound]}-{variety + 1}" if variety else CLASSES[sound] for variety, sound in pairs]


def plan_scenes(
    n_clips: int, n_labels: int, n_folds: int, events: tuple[int, int], imbalance: float, entropy: int
) -> tuple[NDArray[np.int16], NDArray[np.int64]]:
    """Draw the labels of every clip, and assign the clips to alternating folds."""
    # Random ranks: otherwise all second varieties would be rare.
    ranks = make_generator(entropy, _RANKS).permutation(n_labels)
    weights = imbalance ** (-ranks / max(1, n_labels - 1))
    shares = weights / weights.sum()
    folds = np.arange(n_clips) % n_folds + 1
    Y = np.zeros((n_clips, n_labels), dtype=np.int16)
    for fold in range(1, n_folds + 1):
        here = np.flatnonzero(folds == fold)
        Y[here] = _plan_fold(len(here), events, shares, make_generator(entropy, _EVENTS, fold))
    _warn_of_absence(Y, folds, events, shares)
    return Y, folds


def _plan_fold(
    n_clips: int, events: tuple[int, int], shares: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.int16]:
    """Draw the labels of a fold's clips, one clip after the other.

    A label with a share s of the events is due at one random time in every 1/s events, so that rare labels
    occur too. Each clip gets the labels that are due next.
    """
    Y = np.zeros((n_clips, len(shares)), dtype=np.int16)
    times = np.zeros(len(shares))
    due = rng.random(len(shares)) / shares
    for labels in Y:
        taken = np.argsort(due)[: rng.integers(*events, endpoint=True)]
        labels[taken] = 1
        times[taken] += 1
        due[taken] = (times[taken] + rng.random(len(taken))) / shares[taken]
    return Y


def _warn_of_absence(
    Y: NDArray[np.int16], folds: NDArray[np.int64], events: tuple[int, int], shares: NDArray[np.float64]
) -> None:
    """Warn if a fold has no clip with a label, which can then be neither trained nor scored there."""
    present = np.array([Y[folds == fold].any(axis=0) for fold in np.unique(folds)])
    absent = np.flatnonzero(~present.all(axis=0))
    if len(absent):
        # All labels are due once in the first 1/share events, and each may occur once more before.
        enough = (1 / shares.min() + len(shares) + events[1]) / np.mean(events) * len(present)
        warnings.warn(
            f"{len(absent)} of {len(shares)} labels do not sound in every fold, such as "
            f"{label_names(len(shares))[absent[0]]!r} in fold {np.argmin(present[:, absent[0]]) + 1}. "
            f"About n_clips={int(np.ceil(enough))} would do, or a smaller imbalance",
            UserWarning,
            stacklevel=4,
        )


def check_count(name: str, count: int, least: int, why: str = "") -> int:
    """Return a count as an int, or raise if it is invalid."""
    if not isinstance(count, Integral) or count < least:
        raise ValueError(f"{name} must be an integer of at least {why or least}; got {count!r}")
    return int(count)


def check_events(events: tuple[int, int], n_labels: int) -> tuple[int, int]:
    """Return the (least, most) events per clip as ints, or raise if they are invalid."""
    values = tuple(np.atleast_1d(np.asarray(events)).tolist())
    if (
        len(values) != 2
        or not all(isinstance(value, int) for value in values)
        or not (0 <= values[0] <= values[1] and 1 <= values[1] <= n_labels)
    ):
        raise ValueError(
            f"events must be two integers, (least, most) per clip, with 0 <= least <= most and "
            f"1 <= most <= n_labels={n_labels}; got {events!r}"
        )
    return values[0], values[1]


def check_imbalance(imbalance: float) -> float:
    """Return the imbalance as a float, or raise if it is invalid."""
    if not 1 <= imbalance < np.inf:
        raise ValueError(f"imbalance must be finite and at least 1; got {imbalance!r}")
    return float(imbalance)
