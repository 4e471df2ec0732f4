"""Save a fitted estimator to a file."""

# Before torch: skops searches all imported modules for each function that it knows.
from ._skops import dumps, get_untrusted_types, loads

# isort: split
import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from io import BytesIO
from numbers import Integral
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import torch
from safetensors.torch import save
from sklearn import __version__ as sklearn_version
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skfewaudio._version import __version__
from skfewaudio.classifiers.saved_state import NetworkArchive, archiving, builder_name, recipe_of
from skfewaudio.exceptions import ModelSaveError
from skfewaudio.features import PretrainedEmbed

from ._arrays import unpack_nested
from ._card import FORMAT, FORMAT_VERSION, PathLike
from ._container import CARD, ESTIMATOR, TENSORS, replace_member, write_members
from ._schema import SCHEMA, check_schema, find_unimportable, iter_nodes, read_schema, share_repeated

VERSIONS = {
    "skfewaudio": __version__,
    "scikit-learn": sklearn_version,
    "torch": str(torch.__version__),
    "skorch": version("skorch"),
    "numpy": np.__version__,
    "python": platform.python_version(),
}


def save_model(model: BaseEstimator, path: PathLike, *, card: Mapping[str, Any] | None = None) -> None:
    """Save a fitted estimator to one file that contains no pickle.

    Parameters
    ----------
    model : estimator
        A fitted Pipeline or classifier.
    path : str or path-like
        The file. An existing file is replaced only after the new one is complete and on the disk. If the path
        is a link, its target is replaced.
    card : mapping of str to object, default=None
        Additional information about the model, such as dataset, scores and licence. The values must be
        representable in JSON.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ModelSaveError
        If the model, a parameter or an entry of `card` cannot be saved, such as a lambda or a class that is
        defined in a function. The message names it. Also if the path is a pipe, a device or a folder.

    See Also
    --------
    load_model : Load the model.
    read_card : Read only the card.

    Notes
    -----
    The file is a zip archive of the estimator in the format of skops, the networks' tensors in the format of
    safetensors, and the card in JSON. Its size is about 4 bytes per learned parameter. Nothing is compressed,
    so that sizes can be verified before loading.

    The card contains the caller's entries and ``format``, ``format_version``, ``created`` (date and time in
    UTC), ``classes`` (None if the model has no classes), ``front_end`` (the name, type and parameters of each
    step before the last, as strings), ``classifier`` (the same for the last step), ``sample_rate`` in Hz
    (None if no step has one), ``n_parameters`` (of the networks) and ``versions`` (of packages). If there are
    pre-trained embeddings, ``embeddings`` lists the name, checksum, licence and origin of each.

    The weights of `PretrainedEmbed` are not included; its name and its checksum are, and :func:`load_model`
    looks for the weights. Files that the parameter `weights` of `VGGishEmbed` or of a classifier refers to
    are not included either: the embedder reads them when it is used, the classifier when it is fitted again.
    The state of the optimizer is not saved, so ``net_`` is None in a loaded classifier.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfewaudio import PrototypicalClassifier, load_model, save_model
    >>> model = PrototypicalClassifier().fit([[0.0, 0.0], [4.0, 4.0]], ["bark", "horn"])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, Path(folder) / "pets.model", card={"licence": "CC0"})
    ...     load_model(Path(folder) / "pets.model").predict([[3.0, 4.0]])
    array(['horn'], dtype='<U4')
    """
    path = Path(path)
    if not isinstance(model, BaseEstimator):
        raise ModelSaveError(f"model={model!r} is not a scikit-learn estimator; pass a fitted estimator")
    check_is_fitted(model)
    networks = NetworkArchive()
    estimator = _dump(model, networks)
    weights = [tensor for network in networks.networks.values() for tensor in network.parameters()]
    known = _describe_model(model, sum(tensor.numel() for tensor in weights))
    data = _dump_card(card or {}, known)
    write_members(path, {CARD: data, ESTIMATOR: estimator, TENSORS: save(networks.tensors)})


def _dump(model: BaseEstimator, networks: NetworkArchive) -> bytes:
    """Serialise the estimator by skops, without the tensors of its networks."""
    try:
        with archiving(networks):
            data = _share_arrays(dumps(model))
        with ZipFile(BytesIO(data)) as archive:
            schema = read_schema(archive.read(SCHEMA))
            has_nested = any(name.endswith(".npz") for name in archive.namelist())
        check_schema(schema, ())
    except Exception as error:  # saving an arbitrary object can raise anything
        raise ModelSaveError(
            f"{_find_unsavable(model)} cannot be saved: {error}. Parameters that only fit needs, such as "
            "used callbacks, can be removed by set_params after fitting"
        ) from error
    unimportable = find_unimportable(schema)
    if unimportable is not None:
        raise ModelSaveError(
            f"{unimportable[0] or 'the model'} is {unimportable[1]}, which other programs cannot import; "
            "define it at the top level of an importable module, or remove it"
        )
    _read_back(model, data, networks)
    return unpack_nested(data) if has_nested else data


def _share_arrays(data: bytes) -> bytes:
    """Return what skops wrote with each object in one form, and without the arrays of other forms."""
    with ZipFile(BytesIO(data)) as archive:
        schema, names = json.loads(archive.read(SCHEMA)), set(archive.namelist())
    if not share_repeated(schema):
        return data
    used = {node["file"] for _, node in iter_nodes(schema) if "file" in node}
    return replace_member(data, SCHEMA, json.dumps(schema), dropped=names - used - {SCHEMA})


def _read_back(model: BaseEstimator, data: bytes, networks: NetworkArchive) -> None:
    """Check that the model can be loaded again, before anything is written."""
    recipes = [recipe_of(network) for network in networks.networks.values()]
    builders = [builder_name(recipe.architecture) for recipe in recipes if recipe is not None]
    try:
        with archiving(NetworkArchive(networks.tensors, allowed=builders)):
            loads(data, trusted=get_untrusted_types(data=data))
    except Exception as error:  # as in `_dump`: anything can be raised
        raise ModelSaveError(f"this {type(model).__name__} could not be loaded again: {error}") from error


def _find_unsavable(model: BaseEstimator) -> str:
    """Name the innermost parameter that cannot be saved, or the model if every parameter can."""
    names = [name for name, value in model.get_params(deep=True).items() if not _can_be_saved(value)]
    return max(names, key=lambda name: name.count("__"), default=f"this {type(model).__name__}")


def _can_be_saved(value: Any) -> bool:
    try:
        with archiving(NetworkArchive()):
            dumps(value)
    except Exception:  # `_dump` reports it
        return False
    return True


def _dump_card(card: Mapping[str, Any], known: Mapping[str, Any]) -> bytes:
    """Join the entries of the caller and of the library, as JSON."""
    taken = sorted(set(card) & set(known))
    if taken:
        raise ModelSaveError(f"card has {', '.join(taken)}, which save_model fills in; rename these entries")
    for name, value in card.items():
        try:
            json.dumps({name: value}, default=_to_python, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelSaveError(f"card[{name!r}]={value!r} cannot be stored as JSON: {error}") from error
    return json.dumps({**known, **card}, default=_to_python, indent=2).encode()


def _to_python(value: Any) -> Any:
    """Convert NumPy scalars and arrays to Python numbers and lists."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is not a string, a number, or a list or dict of these")


def _describe_model(model: BaseEstimator, n_parameters: int) -> dict[str, Any]:
    """Return the card entries that the library fills in."""
    *front_end, classifier = steps = _steps(model)
    rates = [_sample_rate(step) for _, step in steps]
    classes = getattr(model, "classes_", None)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "classes": None if classes is None else json.loads(json.dumps(list(classes), default=_to_label)),
        "front_end": [_describe_step(*step) for step in front_end],
        "classifier": _describe_step(*classifier),
        "sample_rate": next((rate for rate in rates if rate is not None), None),
        **({"embeddings": embeddings} if (embeddings := _describe_embeddings(model)) else {}),
        "n_parameters": n_parameters,
        "versions": VERSIONS,
    }


def _describe_embeddings(model: Any) -> list[dict[str, Any]]:
    """Return the name, checksum, licence and origin of the pre-trained networks of a model."""
    values = [model, *(step for _, step in _steps(model)), *model.get_params(deep=True).values()]
    found = {id(value): value for value in values if isinstance(value, PretrainedEmbed)}
    return [embedding.describe_weights() for embedding in found.values()]


def _sample_rate(step: Any) -> int | None:
    """Return the sample rate of a step in Hz: the one chosen in fit, or else the parameter."""
    transformer = getattr(step, "transformer", step)  # unwraps CachedFeatures
    fitted = getattr(step, "sample_rate_", None) or getattr(transformer, "sample_rate_", None)
    rate = fitted or getattr(transformer, "sample_rate", None)
    return int(rate) if isinstance(rate, Integral) else None


def _steps(model: Any) -> list[tuple[str, Any]]:
    """List the steps of a pipeline, or of the pipeline that a meta-estimator wraps."""
    inner = getattr(model, "estimator_", None)
    if hasattr(model, "steps"):
        return list(model.steps)
    if hasattr(inner, "steps"):
        return [*_steps(inner)[:-1], (type(model).__name__.lower(), model)]
    return [(type(model).__name__.lower(), model)]


def _describe_step(name: str, step: Any) -> dict[str, Any]:
    """Return the name, type and parameters of a step."""
    if not isinstance(step, BaseEstimator):  # "passthrough"
        return {"name": name, "type": str(step), "parameters": {}}
    params = {key: repr(value) for key, value in step.get_params(deep=False).items()}
    return {"name": name, "type": type(step).__name__, "parameters": params}


def _to_label(value: Any) -> Any:
    """Convert a label that is not JSON: NumPy values to Python values, others to strings."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
