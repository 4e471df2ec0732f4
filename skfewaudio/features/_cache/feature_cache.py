"""Inspection and clearing of the feature cache."""

import os
from typing import Any

from .files import CachedFile, remove
from .store import FeatureStore, parse_size


class FeatureCache:
    """Cache directory of features, with one entry per transformer and clip, shared by processes.

    Each entry is a file with a checksum that is written atomically. No locks are needed: any number of
    processes may read, write and clear the cache at the same time, and may be killed. The checksum depends on
    a secret key of the user, so that entries written by others are not used.

    Parameters
    ----------
    location : path-like, default=None
        Cache directory, which is created at the first write. None uses the subfolder ``features`` of the
        cache folder of the operating system, or of the folder named by the environment variable
        ``SKFEWAUDIO_CACHE``.
    max_size : int, str or None, default="10G"
        Maximum size on disk in bytes, or as a string such as ``"500M"``. If the cache exceeds it, the least
        recently used entries are removed. None disables the limit.

    See Also
    --------
    CachedFeatures : Transformer that uses the cache.

    Notes
    -----
    Every writing process may exceed the limit by a fiftieth of it. The time of last use of an entry is the
    modification time of its file, with a precision of a minute.

    The key is the file ``features.key`` in the cache folder of the package. Users who trust one another can
    share entries by a common key, whose file the environment variable ``SKFEWAUDIO_CACHE_KEY`` names.

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
        """Summarise the contents of the cache.

        Returns
        -------
        dict
            ``location``; ``max_size``, in bytes, or None; ``n_entries``; ``n_bytes``, on disk; and
            ``transformers``, a list with one dict per transformer and parameters: ``name``, ``directory``
            (name of its subdirectory), ``params``, ``n_entries``, ``n_bytes`` and ``last_used`` (seconds
            since 1970).
        """
        files = list(self._store.files())
        by_directory: dict[str, list[CachedFile]] = {}
        for file in files:
            by_directory.setdefault(file.directory, []).append(file)
        by_directory.pop("", None)
        return {
            "location": str(self.location),
            "max_size": self.max_size,
            "n_entries": sum(map(len, by_directory.values())),
            "n_bytes": sum(file.n_bytes for file in files),
            "transformers": [
                {
                    "name": directory.rpartition("-")[0],
                    "directory": directory,
                    "params": self._store.read_description(directory),
                    "n_entries": len(entries),
                    "n_bytes": sum(file.n_bytes for file in entries),
                    "last_used": max(file.last_used for file in entries),
                }
                for directory, entries in sorted(by_directory.items())
            ],
        }

    def clear(self, transformer: str | None = None) -> int:
        """Remove entries. Other files in the cache directory are left alone.

        Parameters
        ----------
        transformer : str or None, default=None
            A class name, such as ``"LogMel"``, or a ``directory`` returned by `info`. None removes all.

        Returns
        -------
        int
            Number of entries removed.
        """
        n_removed = 0
        for file in self._store.files():
            if transformer in (None, file.directory, file.directory.rpartition("-")[0]):
                n_removed += remove(file.path) and bool(file.directory)
        self._store.tidy()
        return n_removed

    def reduce_size(self, max_size: int | str | None = None) -> int:
        """Remove the least recently used entries.

        Parameters
        ----------
        max_size : int, str or None, default=None
            Maximum size on disk after the removal. None uses the limit of the cache.

        Returns
        -------
        int
            Bytes removed.
        """
        limit = self.max_size if max_size is None else parse_size(max_size)
        return 0 if limit is None else self._store.reduce(limit, limit)
