"""What is in the cache of features, and how to make room."""

import os
from typing import Any

from .files import CachedFile, remove
from .store import FeatureStore, parse_size


class FeatureCache:
    """A folder of features, by transformer and by sound, that processes share.

    Each entry is a file of its own with a checksum, written aside and put in its place whole. There are no
    locks: any number of processes read, write and clear at once, and one that is killed leaves nothing that
    matters.

    Parameters
    ----------
    location : path-like, default=None
        The folder, made when it is first written to. None is ``features`` in the package's cache folder,
        which the environment variable ``SKFEWAUDIO_CACHE`` names.
    max_size : int, str or None, default="10G"
        Bytes on disk, or a string such as ``"500M"``. When there are more, the entries that were not used for
        longest are removed. None sets no limit.

    See Also
    --------
    CachedFeatures : The transformer that looks features up here.

    Notes
    -----
    Every process that writes may exceed the limit by a fiftieth of it. The time of use of an entry is that of
    its file, true to a minute.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import numpy as np
    >>> from skfewaudio.features import MFCC, CachedFeatures, FeatureCache
    >>> clips = np.random.default_rng(0).normal(size=(3, 12000))
    >>> with TemporaryDirectory() as folder:
    ...     _ = CachedFeatures(MFCC(), location=folder).transform(clips)
    ...     cache = FeatureCache(folder)
    ...     cache.info()["n_entries"], cache.clear("MFCC"), cache.info()["n_entries"]
    (3, 3, 0)
    """

    def __init__(
        self, location: str | os.PathLike[str] | None = None, max_size: int | str | None = "10G"
    ) -> None:
        self._store = FeatureStore(location, max_size)
        self.location = self._store.location
        self.max_size = self._store.max_size

    def __repr__(self) -> str:
        return f"FeatureCache({str(self.location)!r}, max_size={self.max_size})"

    def info(self) -> dict[str, Any]:
        """Tell what is in the cache.

        Returns
        -------
        dict
            ``location``; ``max_size``, in bytes, or None; ``n_entries``; ``n_bytes``, on disk; and
            ``transformers``, a list with a dict for each transformer and its parameters: ``name``, ``shelf``
            (its folder), ``params``, ``n_entries``, ``n_bytes`` and ``last_used`` (seconds since 1970).
        """
        files = list(self._store.files())
        by_shelf: dict[str, list[CachedFile]] = {}
        for file in files:
            by_shelf.setdefault(file.shelf, []).append(file)
        by_shelf.pop("", None)
        return {
            "location": str(self.location),
            "max_size": self.max_size,
            "n_entries": sum(map(len, by_shelf.values())),
            "n_bytes": sum(file.n_bytes for file in files),
            "transformers": [
                {
                    "name": shelf.rpartition("-")[0],
                    "shelf": shelf,
                    "params": self._store.params(shelf),
                    "n_entries": len(held),
                    "n_bytes": sum(file.n_bytes for file in held),
                    "last_used": max(file.used for file in held),
                }
                for shelf, held in sorted(by_shelf.items())
            ],
        }

    def clear(self, transformer: str | None = None) -> int:
        """Remove entries. Other files in the folder are left alone.

        Parameters
        ----------
        transformer : str or None, default=None
            A class name, such as ``"LogMel"``, or a ``shelf`` of `info`. None is everything.

        Returns
        -------
        int
            Number of entries removed.
        """
        n_removed = 0
        for file in self._store.files():
            if transformer in (None, file.shelf, file.shelf.rpartition("-")[0]):
                n_removed += remove(file.path) and bool(file.shelf)
        self._store.tidy()
        return n_removed

    def reduce_size(self, max_size: int | str | None = None) -> int:
        """Remove the entries that were not used for longest.

        Parameters
        ----------
        max_size : int, str or None, default=None
            Bytes on disk that may stay. None is the cache's own limit.

        Returns
        -------
        int
            Bytes removed.
        """
        limit = self.max_size if max_size is None else parse_size(max_size)
        return 0 if limit is None else self._store.reduce(limit, limit)
