"""Files of a run that cannot be read."""

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import reading_of

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset
    from skfewaudio.exceptions import AudioLoadError


class Unreadable:
    """Files that cannot be read: left out of a run, and named when it ends.

    Parameters
    ----------
    args : Namespace
        Options for reading recordings. ``unreadable`` receives the indices of the clips of the dataset that
        are left out, so that the report loads the same clips.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._reasons: dict[str, None] = {}
        self._lost: list[str] = []
        self._n_clips = self._n_left_out = 0

    def drop_from(self, dataset: "AudioDataset") -> "AudioDataset":
        """Return the dataset without clips that cannot be read; raise ValueError if none is left."""
        errors = self._find(dataset.X)
        if not errors:
            return dataset
        if len(errors) == len(dataset):
            raise ValueError(f"none of the {len(dataset)} clips of {dataset.name} can be read")
        self._args.unreadable = list(errors)
        kept = leave_out(dataset, errors)
        self._lost = sorted(set(dataset.target_names).difference(kept.target_names))
        return kept

    def drop(self, paths: Sequence[str]) -> list[str]:
        """Return the files that can be read."""
        errors = self._find(paths)
        return [path for index, path in enumerate(paths) if index not in errors]

    def messages(self) -> list[str]:
        """Return a line for each file, for each class that has lost all clips, and for their number."""
        if not self._reasons:
            return []
        lost = [f"{name}: none of its clips can be read" for name in self._lost]
        return [*self._reasons, *lost, f"{self._n_left_out} of {self._n_clips} clips could not be read"]

    def _find(self, clips: Sequence[Any]) -> "dict[int, AudioLoadError]":
        """Return the indices and errors of clips that cannot be read."""
        from skfewaudio.datasets import find_unreadable

        errors = find_unreadable(clips, **reading_of(self._args))
        self._n_clips += len(clips)
        self._n_left_out += len(errors)
        self._reasons |= dict.fromkeys(map(str, errors.values()))
        return errors


def leave_out(dataset: "AudioDataset", clips: Iterable[int]) -> "AudioDataset":
    """Return the dataset without the clips of some indices."""
    import numpy as np

    return dataset.subset(np.setdiff1d(np.arange(len(dataset)), list(clips)))
