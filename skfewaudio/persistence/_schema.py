"""Schemas of skops files (trees of objects), with checks that skops does not make."""

import json
from collections.abc import Collection, Iterator
from importlib import import_module
from typing import Any

SCHEMA = "schema.json"
# Nodes that only refer to a type or function: nothing is called and no attribute is set.
NAMING_LOADERS = ("TypeNode", "FunctionNode")


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
        If two different objects have the same number.
    """
    first: dict[int, dict[str, Any]] = {}

    def without_number(node: dict[str, Any]) -> dict[str, Any]:
        number = node.pop("__id__", None)
        if number is not None and first.setdefault(number, node) != node:
            raise ValueError(f"two different objects, one a {node.get('__class__')!r}, have one number")
        return node

    json.loads(text, object_hook=without_number)
    return json.loads(text)


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
    numbers: dict[str, int] = {}
    for path, node in iter_nodes(schema):
        loader, number = node.get("__loader__"), node.get("__id__")
        if not isinstance(loader, str) or type(number) is not int or loader == "CachedNode":
            raise ValueError(f"{path or 'the model'} is not an object that skops wrote")
        if "file" in node and numbers.setdefault(node["file"], number) != number:
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


def find_unimportable(schema: Any) -> tuple[str, str] | None:
    """Return the path and name of the first type or function that another program cannot import."""
    for path, node in iter_nodes(schema):
        if not _is_importable(node["__module__"], node["__class__"]):
            return path, name_of(node)
    return None


def _is_importable(module: str, name: str) -> bool:
    return module != "__main__" and hasattr(import_module(module), name)
