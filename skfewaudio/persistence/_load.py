"""Load a fitted estimator from a file."""

# Before torch: skops searches all imported modules for each function that it knows.
from ._skops import UntrustedTypesFoundException, get_untrusted_types, loads

# isort: split
import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO
from numbers import Integral
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any
from zipfile import ZipFile

import joblib
import numpy as np
import torch
from safetensors.torch import load
from sklearn.base import BaseEstimator
from sklearn.exceptions import InconsistentVersionWarning

from skfewaudio._names import escape
from skfewaudio._torch import resolve_device
from skfewaudio.classifiers.saved_state import NetworkArchive, archiving, full_name
from skfewaudio.exceptions import (
    ModelFileError,
    ModelFileWarning,
    UntrustedTypeError,
    WeightsNotFoundError,
)
from skfewaudio.features import PretrainedEmbed, SpectrogramWithEmbeddings

from ._arrays import check_arrays
from ._card import PathLike, parse_card
from ._container import CARD, MEMBERS, errors_about, read_members, replace_member
from ._limits import MAX_CARD_BYTES, MAX_TENSOR_HEADER_BYTES, MAX_TENSORS
from ._renamed import rename_types
from ._save import VERSIONS
from ._schema import SCHEMA, check_schema, find_untrusted, iter_nodes, name_of, read_schema
from ._states.known import STATES
from ._states.named_types import optimizers, own_architecture_names, own_architectures
from ._states.scope import StateError
from ._states.state import Inspector
from ._trust import allowed_types, resolve_trusted

COMPARED = ("skfewaudio", "scikit-learn", "torch")
# Parameters that name a folder to write to, and the values that disable it.
FOLDERS: dict[str, dict[str, Any]] = {
    "skfewaudio.features._cache.cached_features.CachedFeatures": {"location": False},
    "sklearn.pipeline.Pipeline": {"memory": None},
}


def load_model(path: PathLike, *, trusted: Iterable[str | type] = ()) -> Any:
    """Load a fitted estimator from a file that `save_model` wrote.

    No code in the file is run. Only listed types are loaded, and their fitted states are checked, so that the
    model is also safe to predict with. :doc:`The user guide </user_guide/saving>` lists them. Any other type
    is refused by name, unless `trusted` contains it. The code of a trusted type is run on values from the
    file, which are not checked.

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
        If the file is damaged or not a model file, or the state of an estimator is not safe to predict with.
    FileNotFoundError
        If the file does not exist.
    WeightsNotFoundError
        If the weights of a pre-trained embedding are not found, or are not the ones that the model was fitted
        with. The file contains their name and checksum, not the weights.

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
    The predictions of a forged model can be arbitrary, although they are safe to compute.

    A file does not decide where to write: `location` of `CachedFeatures` is False and `memory` of a Pipeline
    is None in a loaded model, unless the class is `trusted`. Values of `n_threads` and `n_jobs` above the
    number of processors are reduced to it.

    Files saved by earlier versions name some classes by the modules that they were in. These names are
    replaced by the current ones.
    """
    path = Path(path)
    card_data, estimator, tensors = read_members(path, MEMBERS, {CARD: MAX_CARD_BYTES})
    card = parse_card(path, card_data)
    names = resolve_trusted(trusted)
    with errors_about(path), warnings.catch_warnings():
        warnings.simplefilter("ignore", InconsistentVersionWarning)  # `_warn_of_versions` reports it
        builders = [*own_architectures(), *own_architecture_names(), *names]
        with archiving(NetworkArchive(_load_tensors(tensors), allowed=builders)):
            model = _construct(path, estimator, names)
        if not isinstance(model, BaseEstimator):
            raise ValueError(f"it holds a {type(model).__name__}, not an estimator")
        _adapt_to_machine(model, names)
        unavailable = _replace_devices(model)
        _check_state(path, model, names)
        _move_networks(model)
    _find_weights(path, model)
    _warn_of_versions(path, card["versions"])
    if unavailable:
        warnings.warn(
            f"{path}: device={', '.join(map(repr, unavailable))} is not available and was set to 'cpu'",
            ModelFileWarning,
            stacklevel=2,
        )
    return model


def _load_tensors(data: bytes) -> dict[str, torch.Tensor]:
    """Read the tensors of all networks."""
    n_bytes = int.from_bytes(data[:8], "little")
    if n_bytes > MAX_TENSOR_HEADER_BYTES:
        raise ValueError(f"the header of its tensors has {n_bytes} bytes")
    n_tensors = data[8 : 8 + n_bytes].count(b'"dtype"')
    if n_tensors > MAX_TENSORS:
        raise ValueError(f"it has {n_tensors} tensors; expected at most {MAX_TENSORS}")
    return load(data)


def _construct(path: Path, data: bytes, trusted: list[str]) -> Any:
    """Build the estimator if all types in the file are allowed."""
    check_arrays(data)
    with ZipFile(BytesIO(data)) as archive:
        schema = read_schema(archive.read(SCHEMA))
    if rename_types(schema):
        data = replace_member(data, SCHEMA, json.dumps(schema))
    check_schema(schema, (own_architectures() | optimizers()) - set(trusted))
    untrusted = find_untrusted(schema, allowed_types(), trusted)
    if untrusted:
        raise UntrustedTypeError(str(path), untrusted)
    try:
        # Only the names that occur, because skops compares each object with all names.
        return loads(data, trusted=sorted({*trusted, *(name_of(node) for _, node in iter_nodes(schema))}))
    except UntrustedTypesFoundException as error:
        raise UntrustedTypeError(str(path), sorted(get_untrusted_types(data=data))) from error


def _check_state(path: Path, model: BaseEstimator, trusted: list[str]) -> None:
    """Check that the model is safe to predict with."""
    try:
        Inspector(STATES, frozenset(trusted)).inspect(model, True)
    except StateError as error:
        place = f"its {error.place}" if error.place else "the model"
        raise ModelFileError(
            str(path),
            f"cannot be used: {escape(f'{place} {error.reason}')}. The file is damaged or forged, or another "
            "version saved it. If you would run code of the file's author, skip this check with "
            f"trusted={[error.kind]}",
        ) from error


def _find_weights(path: Path, model: Any) -> None:
    """Check that the weights of pre-trained embeddings, which are not in the file, are at hand."""
    for estimator in _iter_estimators(model):
        if isinstance(estimator, PretrainedEmbed | SpectrogramWithEmbeddings):
            try:
                estimator.find_weights()
            except (WeightsNotFoundError, ImportError) as error:
                raise type(error)(f"{path} needs an embedding that cannot be used here: {error}") from error


def _adapt_to_machine(model: Any, trusted: list[str]) -> None:
    """Reset values that a file must not decide: folders to write to, and more threads than processors.

    Results do not depend on it.
    """
    n_processors = joblib.cpu_count()
    for estimator in _iter_estimators(model):
        name = full_name(type(estimator))
        if name in trusted:
            continue
        for parameter, default in FOLDERS.get(name, {}).items():
            setattr(estimator, parameter, default)
        for parameter in ("n_jobs", "n_threads"):
            value = vars(estimator).get(parameter)
            if isinstance(value, Integral) and value > n_processors:
                setattr(estimator, parameter, n_processors)


def _replace_devices(model: Any) -> list[str]:
    """Return the devices of estimators that are not available, which are replaced by the CPU."""
    unavailable = set()
    for estimator in _iter_estimators(model):
        device = vars(estimator).get("device")
        if device is not None and not _is_available(device):
            unavailable.add(str(device))
            estimator.device = "cpu"
    return sorted(unavailable)


def _is_available(device: Any) -> bool:
    """Return whether torch can compute on a device; the meta device holds no values."""
    try:
        return resolve_device(device).type != "meta"
    except ValueError:
        return False


def _move_networks(model: Any) -> None:
    """Move networks to the devices of their estimators."""
    for estimator in _iter_estimators(model):
        network = vars(estimator).get("network_")
        if isinstance(network, torch.nn.Module):
            network.to(resolve_device(vars(estimator).get("device")))


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
