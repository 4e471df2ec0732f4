"""Progress of a search, with the time left."""

import sys
import warnings
from collections.abc import Iterable, Sequence
from typing import Any, Self

from skfewaudio._progress_bar import tqdm

from ._tasks import Note, Task, size_of

BAR = "{desc} |{bar}| {percentage:3.0f} % [{elapsed}, {remaining} left]"


class Progress:
    """Bar on stderr, if this is a terminal: recordings that are done, and the time that the others will take.

    The time is estimated by the sizes of the files.

    Parameters
    ----------
    recordings : sequence of str
        Recordings that are still to be searched.
    n_done : int
        Number of the others.
    show : bool
        Show the bar if stderr is a terminal.
    """

    def __init__(self, recordings: Sequence[str], n_done: int, show: bool) -> None:
        self.n_all = n_done + len(recordings)
        self.n_done, self.n_failed = n_done, 0
        self._sizes = [max(1, size_of(recording)) for recording in recordings]
        self._seen: set[Any] = set()
        self._bar = tqdm(
            total=sum(self._sizes),
            bar_format=BAR,
            file=sys.stderr,
            disable=None if show else True,
            dynamic_ncols=True,
            leave=False,
        )
        self._show()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()

    def part_done(self, task: Task) -> None:
        """Count a recording, or a part of it."""
        self._bar.update(round(self._sizes[task.index] * task.share))

    def recording_done(self, notes: Iterable[Note], *, is_readable: bool) -> None:
        """Count a recording, and repeat its warnings, each once for all recordings."""
        self.n_done += 1
        self.n_failed += not is_readable
        self._show()
        for note in notes:
            if note not in self._seen:
                self._seen.add(note)
                with tqdm.external_write_mode(file=sys.stderr):
                    warnings.warn(note[0], note[1], stacklevel=4)

    def _show(self) -> None:
        failed = f", {self.n_failed} unreadable" if self.n_failed else ""
        self._bar.set_description_str(f"{self.n_done} of {self.n_all} recordings{failed}")
