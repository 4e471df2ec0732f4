"""Reading a fitted estimator from a file."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from zipfile import ZipFile

import numpy as np
import skops.io
import torch
from safetensors.torch import load
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning
from skops.io.exceptions import UntrustedTypesFoundException

from skfewaudio._torch import resolve_device
from skfewaudio.classifiers.saved_state import NetworkParts, in_parts
from skfewaudio.exceptions import ModelFileWarning, UntrustedTypeError

from ._card import PathLike, parse_card
from ._container import MEMBERS, check_nested, errors_about, read_members
from ._save import VERSIONS
from ._schema import check_schema, read_schema
from ._trust import optimizers, own_architectures, own_estimators, resolve_trusted

COMPARED = ("skfewaudio", "scikit-learn", "torch")


def load_model(path: PathLike, *, trusted: Iterable[str | type] = ()) -> Any:
    """Read a fitted estimator from a file that `save_model` wrote.

    Nothing in the file is run. What it holds may be of scikit-learn's types, as far as skops takes them for
    safe, and NumPy's, SciPy's and this package's own. Any other type is refused by name, and loads where
    `trusted` has that name; then its code is run, on values from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str or type, default=()
        Further types and functions: themselves, or full names such as ``"sklearn.tree._tree.Tree"``. For an
        architecture of an installed plugin its registered name will do.

    Returns
    -------
    estimator
        On a CPU it predicts what the saved one did, to the bit. Where its `device` is not here, that is set
        to ``"cpu"``.

    Raises
    ------
    UntrustedTypeError
        If the file has types that are neither known to be safe nor `trusted`.
    ModelFileError
        If the file is damaged or something else.
    FileNotFoundError
        If there is none.

    Warns
    -----
    ModelFileWarning
        If another version of skfewaudio, scikit-learn or torch, the last number aside, saved the model, or if
        its device is not here.

    See Also
    --------
    save_model : The reverse, with an example.

    Notes
    -----
    A type that is safe to load may still hold what makes no sense: a file that someone made to mislead can
    predict anything.
    """
    path = Path(path)
    card_data, estimator, tensors = read_members(path, MEMBERS)
    card = parse_card(path, card_data)
    names = resolve_trusted(trusted)
    with errors_about(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)  # `_warn_of_versions` tells of it
        check_nested(estimator)
        parts = NetworkParts(load(tensors), allowed=[*own_architectures(), *names])
        with in_parts(parts):
            model = _construct(path, estimator, names)
        if not isinstance(model, BaseEstimator):
            raise ValueError(f"it holds a {type(model).__name__}, not an estimator")
        moved = _settle(model)
    _warn_of_versions(path, card["versions"])
    if moved:
        warnings.warn(
            f"{path}: device={', '.join(map(repr, moved))} is not here, and was set to 'cpu'",
            ModelFileWarning,
            stacklevel=2,
        )
    return model


def _construct(path: Path, data: bytes, trusted: list[str]) -> Any:
    """Build the estimator, when the types in the file are all allowed."""
    named_only = [*own_architectures(), *optimizers()]
    with ZipFile(BytesIO(data)) as archive:
        check_schema(read_schema(archive.read("schema.json")), set(named_only) - set(trusted))
    allowed = [*own_estimators(), *named_only, *trusted]
    try:
        return skops.io.loads(data, trusted=allowed)
    except UntrustedTypesFoundException as error:
        unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(allowed))
        raise UntrustedTypeError(str(path), unknown) from error


def _settle(model: Any) -> list[str]:
    """Move networks to their estimators' devices; give the names of those that are not here."""
    moved = set()
    for estimator in _iter_estimators(model):
        network, device = getattr(estimator, "network_", None), getattr(estimator, "device", None)
        if device is not None:
            try:
                resolve_device(device)
            except ValueError:
                moved.add(str(device))
                estimator.device = "cpu"
        if isinstance(network, torch.nn.Module):
            network.to(resolve_device(getattr(estimator, "device", None)))
    return sorted(moved)


def _iter_estimators(value: Any) -> Iterator[Any]:
    """Give an estimator and those in it, in whatever attributes they are."""
    stack, seen = [value], set()
    while stack:
        value = stack.pop()
        if id(value) in seen or isinstance(value, torch.nn.Module | type | FunctionType | ModuleType):
            continue
        seen.add(id(value))
        if isinstance(value, BaseEstimator):
            yield value
        if isinstance(value, Mapping):
            stack.extend(value.values())
        elif isinstance(value, list | tuple) or (isinstance(value, np.ndarray) and value.dtype == object):
            stack.extend(value)
        else:
            stack.extend(getattr(value, "__dict__", {}).values())


def _warn_of_versions(path: Path, saved: Mapping[str, str]) -> None:
    """Warn if other versions than those installed saved a model, the last number aside."""
    other = [
        f"{name} {saved.get(name, 'unknown')} (here {VERSIONS[name]})"
        for name in COMPARED
        if saved.get(name, "").split(".")[:2] != VERSIONS[name].split(".")[:2]
    ]
    if other:
        warnings.warn(
            f"{path} was saved by {', '.join(other)}: it may predict otherwise than it did. Compare its "
            "scores with those in its card, or install these versions",
            ModelFileWarning,
            stacklevel=3,
        )
