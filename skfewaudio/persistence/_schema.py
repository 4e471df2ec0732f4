"""The tree of objects in a skops file, checked beyond what skops checks."""

import json
from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Any

# Of a type that may be named, and not called or filled with attributes.
NAMING_LOADERS = ("TypeNode", "FunctionNode")


def iter_nodes(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the objects of a tree, each with its place, such as ``steps[1][1].architecture``."""
    stack: list[tuple[str, Any]] = [("", schema)]
    while stack:
        place, value = stack.pop()
        if isinstance(value, list):
            stack += [(f"{place}[{i}]", item) for i, item in reversed(list(enumerate(value)))]
        elif isinstance(value, dict):
            is_node = "__loader__" in value or "__id__" in value
            if is_node:
                yield place, value
            parts = [
                (place if is_node else f"{place}.{key}".lstrip("."), item) for key, item in value.items()
            ]
            stack += reversed(parts)


def name_of(node: dict[str, Any]) -> str:
    """Name the type of an object, or the type or function that it is."""
    return f"{node['__module__']}.{node['__class__']}"


def read_schema(text: bytes) -> Any:
    """Read a tree, and check that it is as large as it looks.

    An object that stands in several places has one number, and is written out in each. skops goes by the
    number alone, so that a few lines could stand for endless work.

    Parameters
    ----------
    text : bytes
        What ``schema.json`` holds.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        If two objects of one number differ.
    """
    first: dict[int, dict[str, Any]] = {}

    def without_number(node: dict[str, Any]) -> dict[str, Any]:
        number = node.pop("__id__", None)
        if number is not None and first.setdefault(number, node) != node:
            raise ValueError(f"two objects, of {node.get('__class__')!r} and another, have one number")
        return node

    json.loads(text, object_hook=without_number)
    return json.loads(text)


def check_schema(schema: Any, named_only: Collection[str]) -> None:
    """Check that a tree reads each array once, and calls no more than it should.

    skops calls the types of a dict's keys, and whatever type it trusts.

    Parameters
    ----------
    schema : object
        What `read_schema` gives.
    named_only : collection of str
        Types that may be named, as a parameter, but neither called nor filled.

    Raises
    ------
    ValueError
        If the tree is none that skops wrote.
    """
    numbers: dict[str, int] = {}
    for place, node in iter_nodes(schema):
        loader, number = node.get("__loader__"), node.get("__id__")
        if not isinstance(loader, str) or type(number) is not int or loader == "CachedNode":
            raise ValueError(f"{place or 'the model'} is no object as skops writes it")
        if "file" in node and numbers.setdefault(node["file"], number) != number:
            raise ValueError(f"{place} has the array of another object")
        if loader not in NAMING_LOADERS and name_of(node) in named_only:
            raise ValueError(f"{place} is a {name_of(node)}, which may be named here and not made")
        if "key_types" in node:
            _check_key_types(place, node["key_types"])


def _check_key_types(place: str, node: Any) -> None:
    """Check that the keys of a dict are texts and numbers."""
    for kind in node["content"]:
        is_plain = kind["__loader__"] == "TypeNode" and kind["__module__"] in ("builtins", "numpy")
        if node["__loader__"] != "ListNode" or not is_plain:
            raise ValueError(f"{place} has keys of type {name_of(kind)}; expected texts or numbers")


def find_unimportable(schema: Any) -> tuple[str, str] | None:
    """Give the place and the name of the first type or function that another program would not find."""
    for place, node in iter_nodes(schema):
        if not _is_found(node["__module__"], node["__class__"]):
            return place, name_of(node)
    return None


def _is_found(module: str, name: str) -> bool:
    return module != "__main__" and hasattr(import_module(module), name)
