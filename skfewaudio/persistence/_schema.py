"""Schemas of skops files (trees of objects), with checks that skops does not make."""

import json
import re
from collections.abc import Collection, Iterator, Mapping
from importlib import import_module
from typing import Any

from ._limits import MAX_DEPTH, MAX_OBJECTS, MAX_SCHEMA_BYTES

SCHEMA = "schema.json"
OLDEST_PROTOCOL = 2  # of skops 0.13, the lowest version that this package allows
# Nodes that only refer to a type or function: nothing is called and no attribute is set.
NAMING_LOADERS = ("TypeNode", "FunctionNode")
NAME = re.compile(r"[\w.<>]+")


def iter_nodes(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects of a tree, each with its path, such as ``steps[1][1].architecture``."""
    stack: list[tuple[str, Any]] = [("", schema)]
    while stack:
        path, value = stack.pop()
        if isinstance(value, list):
            stack += [(f"{path}[{i}]", item) for i, item in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            is_node = "__loader__" in value or "__id__" in value
            if is_node:
                yield path, value
            parts = [(path if is_node else f"{path}.{key}".lstrip("."), item) for key, item in value.items()]
            stack += reversed(parts)


def name_of(node: dict[str, Any]) -> str:
    """Return the full name of an object's type, or of the type or function that the node refers to."""
    return f"{node['__module__']}.{node['__class__']}"


def read_schema(text: bytes) -> Any:
    """Read a tree, and check that equal numbers refer to equal objects.

    An object that is referenced several times has one number, and is written out each time. skops compares
    only the numbers: without this check, a few lines could expand to an exponential amount of work.

    Parameters
    ----------
    text : bytes
        Content of ``schema.json``.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If two different objects have the same number, or the tree is larger or deeper than any model's.
    """
    if len(text) > MAX_SCHEMA_BYTES:
        raise ValueError(f"its schema has {len(text)} bytes; expected at most {MAX_SCHEMA_BYTES}")
    _check_structure(text)
    first: dict[int, dict[str, Any]] = {}
    n_objects = 0

    def without_number(node: dict[str, Any]) -> dict[str, Any]:
        nonlocal n_objects
        n_objects += 1
        if n_objects > MAX_OBJECTS:
            raise ValueError(f"it has more than {MAX_OBJECTS} objects")
        number = node.pop("__id__", None)
        if number is None:
            return node
        known = first.setdefault(number, node)
        if known != node:
            raise ValueError(f"two different objects, one a {node.get('__class__')!r}, have one number")
        return known  # one object for both, so that comparing the objects that contain them is fast

    json.loads(text, object_hook=without_number)
    return json.loads(text)


def _check_structure(text: bytes) -> None:
    """Check how many values a tree has, and how deeply they are nested, before it is parsed."""
    if text.count(b"[") + text.count(b"{") > 10 * MAX_OBJECTS or text.count(b",") > 40 * MAX_OBJECTS:
        raise ValueError(f"it has far more than {MAX_OBJECTS} objects")
    depth = 0
    # Brackets in strings do not count.
    for outside in text.replace(b"\\\\", b"").replace(b'\\"', b"").split(b'"')[::2]:
        depth += outside.count(b"{") + outside.count(b"[")
        if depth > MAX_DEPTH:
            raise ValueError(f"it is nested more than {MAX_DEPTH} levels deep")
        depth -= outside.count(b"}") + outside.count(b"]")


def share_repeated(schema: Any) -> bool:
    """Write out an object that is referenced several times in the same way each time, in place.

    skops asks a random generator for its state at each reference, and stores new arrays each time.

    Parameters
    ----------
    schema : object
        A tree that skops has just written, in which equal numbers refer to one object.

    Returns
    -------
    bool
        Whether an object was written out in different ways.
    """
    first: dict[int, Any] = {}
    is_changed = False
    stack: list[tuple[Any, Any, Any]] = [(None, None, schema)]
    while stack:
        holder, key, value = stack.pop()
        number = value.get("__id__") if isinstance(value, dict) else None
        if number in first and holder is not None:
            is_changed |= first[number] != value
            holder[key] = first[number]
        elif isinstance(value, dict | list):
            if number is not None:
                first[number] = value
            items = list(value.items() if isinstance(value, dict) else enumerate(value))
            stack += [(value, name, item) for name, item in reversed(items)]
    return is_changed


def check_schema(schema: Any, named_only: Collection[str]) -> None:
    """Check that a tree reads each array once, and instantiates only allowed types.

    skops calls the types of a dict's keys, and any type that it trusts.

    Parameters
    ----------
    schema : object
        The result of `read_schema`.
    named_only : collection of str
        Types that may be referred to, as a parameter, but not instantiated.

    Raises
    ------
    ValueError
        If skops cannot have written the tree.
    """
    protocol = schema.get("protocol") if isinstance(schema, dict) else None
    if type(protocol) is not int or protocol < OLDEST_PROTOCOL:
        raise ValueError(f"it has protocol={protocol!r} of skops; expected {OLDEST_PROTOCOL} or later")
    numbers: dict[str, int] = {}
    for path, node in iter_nodes(schema):
        loader, number = node.get("__loader__"), node.get("__id__")
        is_node = isinstance(loader, str) and type(number) is int and loader != "CachedNode"
        if not is_node or not NAME.fullmatch(name_of(node)):
            raise ValueError(f"{path or 'the model'} is not an object that skops wrote")
        if "file" in node and numbers.setdefault(node["file"], int(node["__id__"])) != number:
            raise ValueError(f"{path} refers to the array of another object")
        if loader not in NAMING_LOADERS and name_of(node) in named_only:
            raise ValueError(f"{path} is a {name_of(node)}, which may be referred to but not instantiated")
        if "key_types" in node:
            _check_key_types(path, node["key_types"])


def _check_key_types(path: str, node: Any) -> None:
    """Check that the keys of a dict are strings and numbers."""
    for kind in node["content"]:
        is_plain = kind["__loader__"] == "TypeNode" and kind["__module__"] in ("builtins", "numpy")
        if node["__loader__"] != "ListNode" or not is_plain:
            raise ValueError(f"{path} has keys of type {name_of(kind)}; expected strings or numbers")


def find_untrusted(
    schema: Any, allowed: Mapping[str, Collection[str]], trusted: Collection[str]
) -> list[str]:
    """List the types and functions in a tree that are neither allowed nor trusted.

    Parameters
    ----------
    schema : object
        The result of `read_schema`.
    allowed : mapping of str to collection of str
        Types and functions that each kind of node may build or refer to.
    trusted : collection of str
        Types and functions that the caller trusts, for any kind of node.

    Returns
    -------
    list of str

    Raises
    ------
    ValueError
        If a node of one kind has a type that is only allowed for another.
    """
    known = set().union(*allowed.values())
    untrusted = set()
    for path, node in iter_nodes(schema):
        for name in _names_in(node):
            if name in trusted or name in allowed.get(node["__loader__"], ()):
                continue
            if name in known:
                raise ValueError(f"{path or 'the model'} is a {name}, which a {node['__loader__']} cannot be")
            untrusted.add(name)
    return sorted(untrusted)


def _names_in(node: dict[str, Any]) -> list[str]:
    """Return the names of the type or function of a node, and of the method that it refers to."""
    if node["__loader__"] != "MethodNode":
        return [name_of(node)]
    return [name_of(node), f"{name_of(node)}.{node['content']['func']}"]


def find_unimportable(schema: Any) -> tuple[str, str] | None:
    """Return the path and name of the first type or function that another program cannot import."""
    for path, node in iter_nodes(schema):
        if not _is_importable(node["__module__"], node["__class__"]):
            return path, name_of(node)
    return None


def _is_importable(module: str, name: str) -> bool:
    return module != "__main__" and hasattr(import_module(module), name)
