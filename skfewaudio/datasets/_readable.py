"""Search for files that cannot be read, so that they can be left out before anything is computed."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from skfewaudio._threads import ThreadPool
from skfewaudio.audio.clips import as_file_part, is_file_part, is_path
from skfewaudio.audio.io import list_lines, map_ahead, open_blocks, resolve_threads
from skfewaudio.exceptions import AudioLoadError

from ._base import AudioDataset
from ._home import printable
from ._warnings import warn_user

SMALL_FILE = 2**16  # bytes; decoding takes no longer than opening


def find_unreadable(
    clips: Sequence[Any],
    *,
    channel: str | int = "mean",
    allow_truncated: bool = False,
    decode: bool = True,
    n_threads: int | None = None,
) -> dict[int, AudioLoadError]:
    """Find the clips whose files cannot be read.

    Parameters
    ----------
    clips : sequence
        Paths, or parts of files ``(path, start, end)``. Clips of other forms are taken as readable.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        The channel that is read, as in :func:`~skfewaudio.audio.load_audio`.
    allow_truncated : bool, default=False
        Whether files that were cut off or are damaged count as readable if some sound can be decoded.
    decode : bool, default=True
        Whether each clip is decoded to its end. False only opens the files. This is about ten times faster,
        and finds files that are missing, empty, no sound or shorter than their header states.
    n_threads : int or None, default=None
        Number of threads. None uses one per available core.

    Returns
    -------
    dict of int to AudioLoadError
        Indices of the clips in increasing order, and their errors.

    See Also
    --------
    drop_unreadable : Leave the clips out of a dataset.

    Notes
    -----
    Clips are decoded in blocks, so that long recordings need no more memory than short ones.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.datasets import find_unreadable
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "empty.wav")
    ...     path.touch()
    ...     {index: error.reason for index, error in find_unreadable([path]).items()}
    {0: 'is empty (0 bytes)'}
    """

    def check(clip: Any) -> AudioLoadError | None:
        return _find_error(clip, channel, allow_truncated, decode)

    n_threads = resolve_threads(n_threads)
    with ThreadPool(n_threads) as pool:
        found = map_ahead(pool, check, clips, n_ahead=4 * n_threads)
        return {index: error for index, error in enumerate(found) if error is not None}


def drop_unreadable(
    dataset: AudioDataset,
    *,
    channel: str | int = "mean",
    allow_truncated: bool = False,
    n_threads: int | None = None,
) -> AudioDataset:
    """Return a dataset without the clips whose files cannot be read.

    Parameters
    ----------
    dataset : AudioDataset
        Dataset of paths or parts of files.
    channel, allow_truncated, n_threads
        As in :func:`find_unreadable`.

    Returns
    -------
    AudioDataset
        The readable clips with their labels, folds and groups.

    Raises
    ------
    ValueError
        If no clip can be read.

    Warns
    -----
    UserWarning
        If clips are left out. The warning names the first ten of their files, and the classes that lose all
        clips.

    See Also
    --------
    find_unreadable : Find the clips without leaving them out.
    """
    errors = find_unreadable(dataset.X, channel=channel, allow_truncated=allow_truncated, n_threads=n_threads)
    if not errors:
        return dataset
    reasons = list(dict.fromkeys(printable(error) for error in errors.values()))
    kept = np.setdiff1d(np.arange(len(dataset)), list(errors))
    if not len(kept):
        head = f"none of the {len(dataset)} clips of {dataset.name!r} can be read:"
        raise ValueError(list_lines(head, reasons))
    readable = dataset.subset(kept)
    lost = sorted(set(dataset.target_names).difference(readable.target_names))
    without = f" No clip is left of {', '.join(lost)}." if lost else ""
    head = (
        f"{len(errors)} of {len(dataset)} clips of {dataset.name!r} cannot be read and are left out.{without}"
    )
    warn_user(list_lines(head, reasons))
    return readable


def _find_error(clip: Any, channel: str | int, allow_truncated: bool, decode: bool) -> AudioLoadError | None:
    """Return the error that reading a clip raises, or None."""
    if not (is_path(clip) or is_file_part(clip)):
        return None
    part = as_file_part(clip)
    try:
        with open_blocks(part, channel, allow_truncated, []) as (blocks, _):
            if not decode and os.stat(part.path).st_size > SMALL_FILE:  # noqa: PTH116
                return None
            n_samples = 0
            for block in blocks:
                n_samples += len(block)
                if not np.isfinite(block).all():
                    return AudioLoadError(part.path, "holds NaN or infinite samples")
    except AudioLoadError as error:
        return error
    return None if n_samples else AudioLoadError(part.path, "holds no samples")
