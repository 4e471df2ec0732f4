"""Files that cannot be read: left out, and named when a command ends."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from ._common import DONE, FOUND_FAULTS, Output, escape
from ._data import Clip, count_classes

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset
    from skfewaudio.exceptions import AudioLoadError

CHECKED_AT_ONCE = 256  # clips between two steps of the progress


class UnreadableFiles:
    """Files that cannot be read. When the `with` block ends, all are named on stderr.

    Parameters
    ----------
    out : Output
        Receives the progress and the names.
    reading : mapping of str to object
        Channel, and whether truncated files are used, as keyword arguments of `find_unreadable`.

    Attributes
    ----------
    paths : list of str
        The files.
    """

    def __init__(self, out: Output, reading: Mapping[str, Any]) -> None:
        self.out = out
        self.reading = dict(reading)
        self.paths: list[str] = []
        self._reasons: dict[str, None] = {}
        self._notes: list[str] = []
        self._n_clips, self._n_left_out, self._what = 0, 0, "files"

    @property
    def status(self) -> int:
        """Exit status of the command, if nothing else is wrong."""
        return FOUND_FAULTS if self.paths else DONE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for reason in [*self._reasons, *self._notes]:
            self.out.error(reason)
        if self.paths:
            self.out.error(f"{self._n_left_out} of {self._n_clips} {self._what} could not be read")

    def count(self, clips: Sequence[Clip]) -> None:
        """Add clips to the number of all clips."""
        self._n_clips += len(clips)
        if not all(isinstance(clip, str) for clip in clips):
            self._what = "clips"

    def drop(self, clips: Sequence[Clip], *, decode: bool = True) -> list[Clip]:
        """Return the readable clips; `decode` is a parameter of `find_unreadable`."""
        return [clips[index] for index in self._find_readable(clips, decode=decode)]

    def drop_failed(self, clips: Sequence[Clip], error: "AudioLoadError") -> list[Clip]:
        """Return the readable ones of clips, of which one has raised an error."""
        readable = self.drop(clips)
        if len(readable) == len(clips):  # decoding alone does not show the fault
            readable = [clip for clip in clips if path_of(clip) != error.path]
            if len(readable) == len(clips):
                raise error
            self._add(error, len(clips) - len(readable))
        return readable

    def drop_from(self, dataset: "AudioDataset") -> "AudioDataset":
        """Return the dataset without unreadable clips; a class that loses all clips is named at the end.

        Raises
        ------
        ValueError
            If no clip can be read.
        """
        self.count(dataset.X)
        readable = self._find_readable(dataset.X, decode=True, show=True)
        if len(readable) == len(dataset):
            return dataset
        if not readable:
            raise ValueError(f"none of the {len(dataset)} clips of {dataset.name} can be read")
        kept = dataset.subset(readable)
        if dataset.y.ndim == 1:
            counts = count_classes(dataset)
            lost = set(counts).difference(kept.target_names)
            self._notes += [
                f"{escape(name)}: none of its {counts[name]} clips can be read" for name in sorted(lost)
            ]
        return kept

    def _find_readable(self, clips: Sequence[Any], *, decode: bool, show: bool = False) -> list[int]:
        """Return the indices of the readable clips, and remember the errors of the others."""
        from skfewaudio.datasets import find_unreadable

        readable: list[int] = []
        for start in range(0, len(clips), CHECKED_AT_ONCE):
            if show:
                self.out.progress("reading clips", start, len(clips))
            part = clips[start : start + CHECKED_AT_ONCE]
            errors = find_unreadable(part, decode=decode, **self.reading)
            for error in errors.values():
                self._add(error, 1)
            readable += [start + index for index in range(len(part)) if index not in errors]
        if show:
            self.out.progress("reading clips", len(clips), len(clips))
        return readable

    def _add(self, error: "AudioLoadError", n_clips: int) -> None:
        """Remember an error, and that it concerns a number of clips."""
        self._n_left_out += n_clips
        self._reasons.setdefault(escape(error))
        if error.path not in self.paths:
            self.paths.append(error.path)


def path_of(clip: Clip) -> str:
    """Return the file of a clip."""
    return clip if isinstance(clip, str) else clip[0]
