"""Numbers of labelled clips per class that the training sets allow."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

DEFAULT_N_SHOTS = (1, 2, 5, 10, 20)


class Shots(NamedTuple):
    """Numbers of clips per class, and a message about the default ones that are left out, if any."""

    n_shots: list[int]
    message: str = ""


def choose_n_shots(
    requested: Sequence[int] | None, dataset: "AudioDataset", splits: Iterable[tuple[Any, Any]]
) -> Shots:
    """Check the requested numbers of clips per class, or choose the default ones that fit.

    Parameters
    ----------
    requested : sequence of int or None
        The option --n-shots. None chooses.
    dataset : AudioDataset
        Clips with one class each.
    splits : iterable of (train, test)
        Indices of the clips.

    Returns
    -------
    Shots

    Raises
    ------
    ValueError
        If a class is missing in a training set or has fewer clips than requested.
    """
    counts = _count_rarest(dataset, splits)
    missing = [name for name, count in counts.items() if count == 0]
    if missing:
        what = "clips" if dataset.groups is None else "recordings"
        raise ValueError(
            f"a training set has no clips of {', '.join(missing)}: every class needs {what} in at least two "
            f"folds, to be trained and tested on. Add {what}, or leave the class out by moving its clips "
            "elsewhere"
        )
    rarest = min(counts, key=lambda name: counts[name])
    largest = counts[rarest]
    if requested is None:
        fitting = [n for n in DEFAULT_N_SHOTS if n <= largest]
        left_out = ", ".join(str(n) for n in DEFAULT_N_SHOTS if n > largest)
        message = (
            f"Left out: {left_out} clips per class; {rarest} has {largest} training clips (see --n-shots)"
        )
        return Shots(fitting, message if left_out else "")
    n_shots = max(requested)
    few = [f"{name} has {count}" for name, count in counts.items() if count < n_shots]
    if few:
        raise ValueError(
            f"--n-shots {n_shots} needs at least {n_shots} training clips of every class, but "
            f"{', '.join(few)}; the largest number that fits is {largest}"
        )
    return Shots(list(requested))


def _count_rarest(dataset: "AudioDataset", splits: Iterable[tuple[Any, Any]]) -> dict[str, int]:
    """Return the smallest number of training clips of each class in any split."""
    labels = [dataset.y[train] for train, _ in splits]
    return {name: min(int((part == name).sum()) for part in labels) for name in dataset.target_names}
