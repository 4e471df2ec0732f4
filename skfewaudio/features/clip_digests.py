"""Digests of the contents of clips, to find out whether clips have changed."""

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from skfewaudio._threads import ThreadPool
from skfewaudio.audio.io import resolve_threads

from ._cache.keys import FileDigests, key_of_clip
from ._cache.store import FeatureStore


def digest_clips(
    clips: Sequence[Any], *, location: str | os.PathLike[str] | None = None, store: bool = True
) -> list[str | None]:
    """Return a digest of the content of each clip.

    The digest of a file depends on its bytes and its suffix, not on its name.

    Parameters
    ----------
    clips : sequence
        Paths, parts of files, waveforms, or feature arrays.
    location : path-like, default=None
        Directory of the feature cache; None is the package's.
    store : bool, default=True
        Whether digests of files are stored in the cache. A file is read again only if its size, times or
        inode have changed.

    Returns
    -------
    list of str or None
        None for a file that cannot be read.
    """
    digests = FileDigests(FeatureStore(location, None))
    with ThreadPool(resolve_threads(None)) as pool:
        found = [key for key, _ in pool.map(lambda clip: key_of_clip(clip, digests), clips)]
    if store:
        with suppress(OSError):  # the cache cannot be written: the files are read again next time
            digests.save()
    return found
