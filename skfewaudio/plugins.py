"""Registries of architectures, embeddings and datasets, from this package and from plugins."""

import difflib
import inspect
import warnings
from collections.abc import Iterable
from importlib.metadata import EntryPoint, entry_points
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
        declared = self._entry_points().items()
        return sorted(name for name, entry_point in declared if _is_built_in(entry_point))

    def built_in(self) -> dict[str, Any]:
        """Import the built-in plugins.

        Returns
        -------
        dict of str to object
            Objects by name, in alphabetical order.
        """
        declared = self._entry_points()
        return {name: _load(declared[name]) for name in sorted(declared) if _is_built_in(declared[name])}

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
        entry_point = known[name]
        return self._registered[name] if entry_point is None else _load(entry_point)

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
        return {name: self._describe(name, entry_point) for name, entry_point in self._all().items()}

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
        declared = self._entry_points().get(name)
        if declared is not None and _is_built_in(declared):
            _warn(f"{name!r} in {self.group} is built in and cannot be replaced; register under another name")
            return
        if declared is not None or self._registered.get(name, obj) is not obj:
            _warn(f"{name!r} in {self.group} is replaced")
        self._registered[name] = obj

    def _all(self) -> dict[str, EntryPoint | None]:
        """Map every name to its entry point, or to None if registered at run time."""
        known = {**self._entry_points(), **dict.fromkeys(self._registered)}
        return {name: known[name] for name in sorted(known)}

    def _entry_points(self) -> dict[str, EntryPoint]:
        """Map names to declared plugins; in conflicts the built-in or first distribution takes precedence."""
        found = entry_points(group=self.group)
        names = _distributions(found)
        chosen: dict[str, EntryPoint] = {}
        for entry_point in sorted(found, key=lambda e: (names[id(e.dist)] != _BUILT_IN, names[id(e.dist)])):
            kept = chosen.setdefault(entry_point.name, entry_point)
            keeper, other = names[id(kept.dist)], names[id(entry_point.dist)]
            if (kept.value, keeper) != (entry_point.value, other):
                _warn(
                    f"{entry_point.name!r} in {self.group} is declared by {keeper}, which keeps it, and by "
                    f"{other}, which is ignored"
                )
        return chosen

    def _describe(self, name: str, entry_point: EntryPoint | None) -> PluginInfo:
        """Describe one plugin, even if it is broken."""
        if entry_point is None:
            return PluginInfo(_summary(self._registered[name]), "run time")
        distribution = _distribution(entry_point)
        try:
            return PluginInfo(_summary(_load(entry_point)), distribution)
        except PluginError as error:
            _warn(f"{error}; it is ignored")
            return PluginInfo(f"broken: {error.__cause__!r}", distribution)


def _load(entry_point: EntryPoint) -> Any:
    """Import the plugin."""
    try:
        return entry_point.load()
    except (Exception, SystemExit) as error:  # a third-party module can raise anything on import
        raise PluginError(
            f"{entry_point.name!r} of the distribution {_distribution(entry_point)} cannot be imported from "
            f"{entry_point.value}: {error!r}"
        ) from error


def _summary(obj: Any) -> str:
    """Return the first line of the docstring."""
    return (inspect.getdoc(obj) or "").partition("\n")[0]


def _distribution(entry_point: EntryPoint) -> str:
    """Return the name of the distribution that declares the plugin."""
    return entry_point.dist.name if entry_point.dist is not None else "unknown"


def _is_built_in(entry_point: EntryPoint) -> bool:
    """Return whether this package declares the plugin."""
    return _distribution(entry_point) == _BUILT_IN


def _distributions(found: Iterable[EntryPoint]) -> dict[int, str]:
    """Map the id of each distribution to its name, since each access to a name parses the metadata."""
    one_of_each = {id(entry_point.dist): entry_point for entry_point in found}
    return {key: _distribution(entry_point) for key, entry_point in one_of_each.items()}


def _warn(message: str) -> None:
    warnings.warn(message, PluginWarning, stacklevel=4)


ARCHITECTURES = Registry("skfewaudio.architectures")
EMBEDDINGS = Registry("skfewaudio.embeddings")
DATASETS = Registry("skfewaudio.datasets")
