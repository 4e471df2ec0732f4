"""Registries of architectures, embeddings and datasets, from this package and from plugins."""

import difflib
import inspect
import sys
import warnings
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, NamedTuple

from skfewaudio.exceptions import PluginError, PluginWarning

_BUILT_IN = "skfewaudio"


class PluginInfo(NamedTuple):
    """Description and origin of a plugin.

    Parameters
    ----------
    summary : str
        First line of its docstring, or the error if the plugin is broken.
    distribution : str
        Installed package that declares it, or "run time".
    """

    summary: str
    distribution: str


class _Declared(NamedTuple):
    """Entry point, and the name of the distribution that declares it."""

    entry_point: EntryPoint
    distribution: str

    @property
    def is_built_in(self) -> bool:
        """Whether this package declares the plugin."""
        return self.distribution == _BUILT_IN

    def load(self) -> Any:
        """Import the plugin."""
        try:
            return self.entry_point.load()
        except (Exception, SystemExit) as error:  # a third-party module can raise anything on import
            raise PluginError(
                f"{self.entry_point.name!r} of the distribution {self.distribution} cannot be imported from "
                f"{self.entry_point.value}: {error!r}"
            ) from error


class Registry:
    """Plugins of one entry-point group, including the built-in ones.

    A package adds plugins by declaring entry points, and a program by calling `register`.

    Parameters
    ----------
    group : str
        Entry-point group, such as ``"skfewaudio.datasets"``.

    Examples
    --------
    >>> from skfewaudio.plugins import Registry
    >>> registry = Registry("skfewaudio.doctest")
    >>> registry.register("silence", lambda: None)
    >>> registry.names()
    ['silence']
    """

    def __init__(self, group: str) -> None:
        self.group = group
        self._registered: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Registry({self.group!r})"

    def names(self) -> list[str]:
        """List the names of the plugins without importing them.

        Returns
        -------
        list of str
            Names in alphabetical order.

        Warns
        -----
        PluginWarning
            If two distributions declare the same name.
        """
        return list(self._all())

    def built_in_names(self) -> list[str]:
        """List the names of the built-in plugins without importing them.

        Returns
        -------
        list of str
            Names in alphabetical order.
        """
        return sorted(name for name, plugin in self._declared().items() if plugin.is_built_in)

    def built_in(self) -> dict[str, Any]:
        """Import the built-in plugins.

        Returns
        -------
        dict of str to object
            Objects by name, in alphabetical order.
        """
        declared = self._declared()
        return {name: declared[name].load() for name in self.built_in_names()}

    def get(self, name: str) -> Any:
        """Return the object registered under a name.

        Parameters
        ----------
        name : str
            Name of the plugin, one of `names`.

        Returns
        -------
        object

        Raises
        ------
        PluginError
            If the name is unknown, or the plugin cannot be imported.
        """
        known = self._all()
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise PluginError(f"{name!r} is not in {self.group}; known: {', '.join(known) or 'none'}.{hint}")
        plugin = known[name]
        return self._registered[name] if plugin is None else plugin.load()

    def describe(self) -> dict[str, PluginInfo]:
        """Import and describe every plugin.

        Returns
        -------
        dict of str to PluginInfo
            Descriptions in the order of `names`.

        Warns
        -----
        PluginWarning
            For each plugin that cannot be imported.
        """
        return {name: self._describe(name, plugin) for name, plugin in self._all().items()}

    def register(self, name: str, obj: Any) -> None:
        """Register a plugin until the program ends.

        Parameters
        ----------
        name : str
            Name of the plugin. A built-in plugin of this name is kept; any other is replaced.
        obj : object
            Object that `get` returns for the name.

        Warns
        -----
        PluginWarning
            If the name is already in use.
        """
        if not isinstance(name, str) or not name:
            raise PluginError(f"a plugin needs a name, a str that is not empty; got {name!r}")
        declared = self._declared().get(name)
        if declared is not None and declared.is_built_in:
            _warn(f"{name!r} in {self.group} is built in and cannot be replaced; register under another name")
            return
        if declared is not None or self._registered.get(name, obj) is not obj:
            _warn(f"{name!r} in {self.group} is replaced")
        self._registered[name] = obj

    def _all(self) -> dict[str, _Declared | None]:
        """Map every name to its declaration, or to None if registered at run time."""
        known = {**self._declared(), **dict.fromkeys(self._registered)}
        return {name: known[name] for name in sorted(known)}

    def _declared(self) -> dict[str, _Declared]:
        """Map names to declared plugins; in conflicts the built-in or first distribution takes precedence."""
        chosen: dict[str, _Declared] = {}
        for plugin in _find_declared(self.group, _folder_times()):
            name = plugin.entry_point.name
            kept = chosen.setdefault(name, plugin)
            if (kept.entry_point.value, kept.distribution) != (plugin.entry_point.value, plugin.distribution):
                _warn(
                    f"{name!r} in {self.group} is declared by {kept.distribution}, which keeps it, and by "
                    f"{plugin.distribution}, which is ignored"
                )
        return chosen

    def _describe(self, name: str, plugin: _Declared | None) -> PluginInfo:
        """Describe one plugin, even if it is broken."""
        if plugin is None:
            return PluginInfo(_summary(self._registered[name]), "run time")
        try:
            return PluginInfo(_summary(plugin.load()), plugin.distribution)
        except PluginError as error:
            _warn(f"{error}; it is ignored")
            return PluginInfo(f"broken: {error.__cause__!r}", plugin.distribution)


def _folder_times() -> tuple[tuple[str, int], ...]:
    """Return the folders of modules, and when a package was last installed in or removed from each."""
    times = []
    for folder in sys.path:
        with suppress(OSError):
            times.append((folder, Path(folder).stat().st_mtime_ns))
    return tuple(times)


@lru_cache(maxsize=16)
def _find_declared(group: str, folder_times: tuple[tuple[str, int], ...]) -> tuple[_Declared, ...]:
    """Return the plugins of a group, the built-in ones first. A change of `folder_times` finds them again."""
    found = entry_points(group=group)
    # Each access to the name of a distribution parses its metadata.
    distributions = {id(entry_point.dist): entry_point.dist for entry_point in found}
    names = {key: "unknown" if dist is None else dist.name for key, dist in distributions.items()}
    plugins = [_Declared(entry_point, names[id(entry_point.dist)]) for entry_point in found]
    return tuple(sorted(plugins, key=lambda plugin: (not plugin.is_built_in, plugin.distribution)))


def _summary(obj: Any) -> str:
    """Return the first line of the docstring."""
    return (inspect.getdoc(obj) or "").partition("\n")[0]


def _warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=4)


ARCHITECTURES = Registry("skfewaudio.architectures")
EMBEDDINGS = Registry("skfewaudio.embeddings")
DATASETS = Registry("skfewaudio.datasets")
