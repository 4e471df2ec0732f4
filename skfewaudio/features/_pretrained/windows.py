"""Windows of waveforms, in batches of equal lengths."""

from collections.abc import Callable, Iterable, Iterator
from itertools import count

import numpy as np
from numpy.typing import NDArray

from skfewaudio.audio.io import SILENCE_SECONDS, warn_of_silence
from skfewaudio.audio.streaming import LongRecording
from skfewaudio.exceptions import AudioLoadError

from .loaded import LoadedModel

Array = NDArray[np.float32]
# Lists of waveforms that wait for others of the same length, in batches.
MAX_WAITING = 4


def cut_windows(blocks: Iterable[Array], n_window: int, n_hop: int) -> Iterator[Array]:
    """Cut a recording into windows, of which the last one ends with the recording.

    Parameters
    ----------
    blocks : iterable of ndarray of shape (n_samples,)
        Consecutive parts of a recording.
    n_window, n_hop : int
        Samples of a window, and from the start of one to the start of the next.

    Yields
    ------
    ndarray of shape (n_window,)
        One shorter array, if the recording is shorter than a window.
    """
    kept = np.empty(0, dtype=np.float32)  # the recording from `first`
    first, starts = 0, count(0, n_hop)
    start, end = next(starts), 0
    for block in blocks:
        kept = np.concatenate([kept, block]) if len(kept) else block
        while start + n_window <= first + len(kept):
            yield kept[start - first : start - first + n_window]
            start, end = next(starts), start + n_window
        # The last window may begin before the next one.
        n_done = min(start - first, len(kept) - n_window)
        if n_done > 0:
            kept, first = kept[n_done:], first + n_done
    n_samples = first + len(kept)
    if end < n_samples:
        yield kept[-n_window:]


def fill_window(clip: Array, n_samples: int, fill: str | None) -> Array:
    """Return a clip that is at least `n_samples` long, by zeros or by repetition."""
    n_missing = n_samples - len(clip)
    if n_missing <= 0:
        return clip
    return np.resize(clip, n_samples) if fill == "repeat" else np.pad(clip, (0, n_missing))


class ClipEmbedder:
    """Embedding of clips, in batches that may contain windows of several clips.

    Parameters
    ----------
    model : LoadedModel
        The network.
    n_hop : int or None
        Samples between the starts of windows. None is the length of a window.
    batch_size : int
        Largest number of windows of a batch.
    on_error : {"raise", "warn"}
        How to handle long recordings that cannot be read.
    """

    def __init__(self, model: LoadedModel, *, n_hop: int | None, batch_size: int, on_error: str) -> None:
        self._model = model
        self._n_hop = n_hop or model.n_window
        self._batch_size = batch_size
        self._on_error = on_error
        self._waiting: dict[int, list[tuple[list[Array | None], int, Array]]] = {}

    def run(self, clips: Iterable[Array | LongRecording], pool: Callable[[Array], Array]) -> list[Array]:
        """Embed clips.

        Parameters
        ----------
        clips : iterable
            Waveforms, or long recordings.
        pool : callable
            Maps the embeddings (n, d) of the frames of a clip to the result of the clip.

        Returns
        -------
        list of ndarray
            In the order of the clips.

        Raises
        ------
        ValueError
            If an embedding is not finite.
        """
        slots: list[list[Array | None]] = []
        unreadable: list[AudioLoadError] = []
        for clip in clips:
            slots.append([])
            try:
                self._add(slots[-1], clip)
            except AudioLoadError as error:
                if self._on_error == "raise":
                    raise
                unreadable.append(error)
                slots[-1] = []  # what was read is dropped
                self._add(slots[-1], self._silence())
        for batch in list(self._waiting.values()):
            self._embed(batch)
        self._waiting.clear()
        if unreadable:
            warn_of_silence(unreadable)
        return [self._finish(slot, index, pool) for index, slot in enumerate(slots)]

    def _silence(self) -> Array:
        return np.zeros(round(SILENCE_SECONDS * self._model.sample_rate), dtype=np.float32)

    def _add(self, slot: list[Array | None], clip: Array | LongRecording) -> None:
        """Add the windows of a clip to the batches; `slot` receives their embeddings in order."""
        n_window = self._model.n_window
        if n_window is None:
            whole = np.concatenate(list(clip)) if isinstance(clip, LongRecording) else clip
            windows: Iterable[Array] = [whole]
        else:
            blocks = clip if isinstance(clip, LongRecording) else [clip]
            windows = cut_windows(blocks, n_window, self._n_hop or n_window)
        for window in windows:
            n_least = self._model.n_least if self._model.fill is None else n_window or self._model.n_least
            filled = fill_window(window, n_least, self._model.fill)
            batch = self._waiting.setdefault(len(filled), [])
            batch.append((slot, len(slot), filled))
            slot.append(None)
            if len(batch) >= self._batch_size:
                self._embed(self._waiting.pop(len(filled)))
            elif sum(map(len, self._waiting.values())) >= MAX_WAITING * self._batch_size:
                longest = max(self._waiting, key=lambda n: len(self._waiting[n]))
                self._embed(self._waiting.pop(longest))

    def _embed(self, batch: list[tuple[list[Array | None], int, Array]]) -> None:
        embeddings = self._model.embed(np.stack([window for _, _, window in batch]))
        for (slot, position, _), rows in zip(batch, embeddings, strict=True):
            slot[position] = rows

    def _finish(self, slot: list[Array | None], index: int, pool: Callable[[Array], Array]) -> Array:
        found = pool(np.concatenate([rows for rows in slot if rows is not None]))
        if not np.isfinite(found).all():
            raise ValueError(
                f"{self._model.label} computes NaN or infinity for clip {index}; remove the clip, or check "
                "that its samples have full scale at 1"
            )
        return found
