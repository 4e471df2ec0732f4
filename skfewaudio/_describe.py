"""Descriptions of estimators with all their parameters, to find out whether they have changed."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from ._files import digest_file
from ._json import to_json_value

N_HEX = 20  # hexadecimal digits of a digest, 80 bits
MAX_LISTED = 64  # values of an array that are listed, not represented by a digest


def describe(value: Any) -> Any:
    """Describe an estimator with all its parameters, or the value of a parameter, as JSON.

    Classes and functions are named; arrays and files are represented by their content.
    """
    if hasattr(value, "get_params") and not isinstance(value, type):
        return _describe_estimator(value)
    if hasattr(value, "_asdict"):  # a named tuple
        return {"class": type(value).__name__, **describe(value._asdict())}
    if isinstance(value, Mapping):
        return {str(name): describe(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        named = value and all(isinstance(item, tuple) and isinstance(item[0], str) for item in value)
        return describe(dict(item[:2] for item in value)) if named else [describe(item) for item in value]
    return _describe_plain(value)


def _describe_estimator(estimator: Any) -> dict[str, Any]:
    """Describe an estimator; a transformer has the version of its features, too."""
    version = getattr(estimator, "feature_version", None)
    versions = {} if version is None else {"feature_version": version}
    params = {name: describe(value) for name, value in sorted(estimator.get_params(deep=False).items())}
    return {"class": _qualified_name(type(estimator)), **versions, **params}


def _describe_plain(value: Any) -> Any:
    """Describe a value that has no parts."""
    if isinstance(value, Path):
        return _describe_file(value)
    if isinstance(value, np.ndarray) and value.size > MAX_LISTED and not value.dtype.hasobject:
        return {"shape": list(value.shape), "digest": hashlib.sha256(value.tobytes()).hexdigest()[:N_HEX]}
    value = to_json_value(value)
    if value is None or isinstance(value, bool | int | float | str | list):
        return value
    if isinstance(value, partial):
        return {"partial": [describe(part) for part in (value.func, value.args, value.keywords)]}
    if hasattr(value, "__qualname__"):
        return _qualified_name(value)
    return re.sub(r" at 0x\w+", "", repr(value))  # addresses change from run to run


def _describe_file(path: Path) -> Any:
    """Represent a file by its content, and another path by its name."""
    try:
        return {"file": digest_file(path)[:N_HEX]}
    except OSError:
        return str(path)


def _qualified_name(value: Any) -> str:
    """Return the package and the name of a class or function; its module may be moved."""
    return f"{value.__module__.partition('.')[0]}.{value.__qualname__}"


def find_changed_parameters(before: Any, now: Any) -> list[str]:
    """Describe how descriptions of a pipeline differ, such as ``"n_neighbors=3 instead of 1"``."""
    old, new = dict(_flatten(before)), dict(_flatten(now))
    names = [name for name in {**new, **old} if old.get(name) != new.get(name)]
    return [f"{name}={_show(name, new)} instead of {_show(name, old)}" for name in names]


def _flatten(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of a description, with the names of nested parameters joined as in scikit-learn."""
    if not isinstance(value, Mapping):
        yield name, value
        return
    for key, item in value.items():
        yield from _flatten(item, "__".join(filter(None, [name, key])).replace("steps__", ""))


def _show(name: str, values: Mapping[str, Any]) -> str:
    return repr(values[name]) if name in values else "nothing"


def digest(value: Any) -> str:
    """Return a digest of a JSON value."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:N_HEX]
