"""Load a fitted estimator from a file."""

import json
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
from skfewaudio.classifiers.saved_state import NetworkArchive, archiving
from skfewaudio.exceptions import ModelFileWarning, UntrustedTypeError

from ._card import PathLike, parse_card
from ._container import MEMBERS, check_nested, errors_about, read_members, replace_member
from ._renamed import rename_types
from ._save import VERSIONS
from ._schema import SCHEMA, check_schema, read_schema
from ._trust import optimizers, own_architectures, own_estimators, resolve_trusted

COMPARED = ("skfewaudio", "scikit-learn", "torch")


def load_model(path: PathLike, *, trusted: Iterable[str | type] = ()) -> Any:
    """Load a fitted estimator from a file that `save_model` wrote.

    No code in the file is run. Only known types are loaded: types of scikit-learn, NumPy and SciPy that skops
    considers safe, and the types of this package. Any other type is refused by name, unless `trusted`
    contains it. The code of a trusted type is run on values from the file.

    Parameters
    ----------
    path : str or path-like
        The file.
    trusted : iterable of str or type, default=()
        Further allowed types and functions, as objects or as full names such as
        ``"sklearn.tree._tree.Tree"``. An architecture of an installed plugin can be given by its registered
        name.

    Returns
    -------
    estimator
        On a CPU, its predictions are bit-identical to those before saving. If its `device` is not available,
        `device` is set to ``"cpu"``.

    Raises
    ------
    UntrustedTypeError
        If the file contains types that are neither known to be safe nor `trusted`.
    ModelFileError
        If the file is damaged or not a model file.
    FileNotFoundError
        If the file does not exist.

    Warns
    -----
    ModelFileWarning
        If another version of skfewaudio, scikit-learn or torch saved the model (only the first two numbers of
        a version are compared), or if its device is not available.

    See Also
    --------
    save_model : Save a model, with an example.

    Notes
    -----
    Safe types can still contain wrong values: the predictions of a forged model can be arbitrary.

    Files saved by earlier versions name some classes by the modules that they were in. These names are
    replaced by the current ones.
    """
    path = Path(path)
    card_data, estimator, tensors = read_members(path, MEMBERS)
    card = parse_card(path, card_data)
    names = resolve_trusted(trusted)
    with errors_about(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)  # `_warn_of_versions` reports it
        check_nested(estimator)
        networks = NetworkArchive(load(tensors), allowed=[*own_architectures(), *names])
        with archiving(networks):
            model = _construct(path, estimator, names)
        if not isinstance(model, BaseEstimator):
            raise ValueError(f"it holds a {type(model).__name__}, not an estimator")
        unavailable = _move_to_devices(model)
    _warn_of_versions(path, card["versions"])
    if unavailable:
        warnings.warn(
            f"{path}: device={', '.join(map(repr, unavailable))} is not available and was set to 'cpu'",
            ModelFileWarning,
            stacklevel=2,
        )
    return model


def _construct(path: Path, data: bytes, trusted: list[str]) -> Any:
    """Build the estimator if all types in the file are allowed."""
    named_only = [*own_architectures(), *optimizers()]
    with ZipFile(BytesIO(data)) as archive:
        schema = read_schema(archive.read(SCHEMA))
    if rename_types(schema):
        data = replace_member(data, SCHEMA, json.dumps(schema))
    check_schema(schema, set(named_only) - set(trusted))
    allowed = [*own_estimators(), *named_only, *trusted]
    try:
        return skops.io.loads(data, trusted=allowed)
    except UntrustedTypesFoundException as error:
        unknown = sorted(set(skops.io.get_untrusted_types(data=data)) - set(allowed))
        raise UntrustedTypeError(str(path), unknown) from error


def _move_to_devices(model: Any) -> list[str]:
    """Move networks to their estimators' devices; return the unavailable devices, replaced by the CPU."""
    unavailable = set()
    for estimator in _iter_estimators(model):
        network, device = getattr(estimator, "network_", None), getattr(estimator, "device", None)
        if device is not None:
            try:
                resolve_device(device)
            except ValueError:
                unavailable.add(str(device))
                estimator.device = "cpu"
        if isinstance(network, torch.nn.Module):
            network.to(resolve_device(getattr(estimator, "device", None)))
    return sorted(unavailable)


def _iter_estimators(value: Any) -> Iterator[Any]:
    """Yield an estimator and all estimators in its attributes, at any depth."""
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
    """Warn if the model was saved by other versions; only the first two numbers are compared."""
    other = [
        f"{name} {saved.get(name, 'unknown')} (here {VERSIONS[name]})"
        for name in COMPARED
        if saved.get(name, "").split(".")[:2] != VERSIONS[name].split(".")[:2]
    ]
    if other:
        warnings.warn(
            f"{path} was saved by {', '.join(other)}: its predictions may differ. Compare its scores with "
            "the scores in its card, or install these versions",
            ModelFileWarning,
            stacklevel=3,
        )
