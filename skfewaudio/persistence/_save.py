"""Writing a fitted estimator to a file."""

import json
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import skops.io
import skorch
import torch
from safetensors.torch import save
from sklearn import __version__ as sklearn_version
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from skfewaudio._version import __version__
from skfewaudio.classifiers.saved_state import NetworkParts, builder_name, in_parts, recipe_of
from skfewaudio.exceptions import ModelSaveError

from ._card import FORMAT, FORMAT_VERSION, PathLike
from ._container import CARD, ESTIMATOR, TENSORS, unpack_nested, write_members
from ._schema import check_schema, find_unimportable, read_schema

VERSIONS = {
    "skfewaudio": __version__,
    "scikit-learn": sklearn_version,
    "torch": str(torch.__version__),
    "skorch": skorch.__version__,
    "numpy": np.__version__,
    "python": platform.python_version(),
}


def save_model(model: BaseEstimator, path: PathLike, *, card: Mapping[str, Any] | None = None) -> None:
    """Write a fitted estimator to one file, without a pickle in it.

    Parameters
    ----------
    model : estimator
        A fitted Pipeline or classifier.
    path : str or path-like
        The file. It takes its place only when it is whole.
    card : mapping of str to object, default=None
        What readers of the file should know: data set, scores, licence, ... Anything that JSON holds.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ModelSaveError
        If the model, a parameter or an entry of `card` is of no kind that a file holds, such as a lambda or
        a class that is defined in a function; the error names it.

    See Also
    --------
    load_model : Get the model back.
    read_card : Read the card alone.

    Notes
    -----
    The file is a zip of the estimator, as skops writes it; the networks' tensors, as safetensors; and the
    card in JSON. It is about as large as the numbers the model learnt, 4 bytes each: nothing is compressed,
    so that a reader can tell from its size what it holds.

    The card has the caller's entries and ``format``, ``format_version``, ``created`` (a date in UTC),
    ``classes`` (None where there are none), ``front_end`` (the name, type and parameters, as text, of each
    step before the last), ``classifier`` (the same of the last), ``sample_rate`` in Hz (None where no step
    has one), ``n_parameters`` (of the networks) and ``versions`` (of packages).

    What `VGGishEmbed` or a classifier's `weights` name stays outside: the embedder reads it when it is used,
    the classifier when it is fitted again. The state of an optimizer is not kept, so that ``net_`` is None in
    a loaded classifier.

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
        raise ModelSaveError(f"model={model!r} is no scikit-learn estimator; give a fitted one or a Pipeline")
    check_is_fitted(model)
    parts = NetworkParts()
    estimator = _dump(model, parts)
    weights = [tensor for network in parts.networks.values() for tensor in network.parameters()]
    known = _describe(model, sum(tensor.numel() for tensor in weights))
    write_members(path, {CARD: _merge(card or {}, known), ESTIMATOR: estimator, TENSORS: save(parts.tensors)})


def _dump(model: BaseEstimator, parts: NetworkParts) -> bytes:
    """Write the estimator as skops does, but its networks' tensors."""
    try:
        with in_parts(parts):
            data = skops.io.dumps(model)
        with ZipFile(BytesIO(data)) as archive:
            schema = read_schema(archive.read("schema.json"))
            has_nested = any(name.endswith(".npz") for name in archive.namelist())
        check_schema(schema, ())
    except Exception as error:  # whatever an object that is no plain data makes of it
        raise ModelSaveError(
            f"{_blame(model)} cannot be saved: {error}. What only fit needs, such as used callbacks, can be "
            "taken out by set_params after it"
        ) from error
    lost = find_unimportable(schema)
    if lost is not None:
        raise ModelSaveError(
            f"{lost[0] or 'the model'} is {lost[1]}, which another program would not find; define it under a "
            "name of its own in a module that can be imported, or leave it out"
        )
    _read_back(model, data, parts)
    return unpack_nested(data) if has_nested else data


def _read_back(model: BaseEstimator, data: bytes, parts: NetworkParts) -> None:
    """Refuse to write what could not be read: better now than when it is needed."""
    recipes = [recipe_of(network) for network in parts.networks.values()]
    builders = [builder_name(recipe.architecture) for recipe in recipes if recipe is not None]
    try:
        with in_parts(NetworkParts(parts.tensors, allowed=builders)):
            skops.io.loads(data, trusted=skops.io.get_untrusted_types(data=data))
    except Exception as error:  # as in `_dump`
        raise ModelSaveError(f"this {type(model).__name__} could not be loaded again: {error}") from error


def _blame(model: BaseEstimator) -> str:
    """Name the innermost parameter that cannot be saved, or else the model."""
    guilty = [name for name, value in model.get_params(deep=True).items() if not _can_be_saved(value)]
    return max(guilty, key=lambda name: name.count("__"), default=f"this {type(model).__name__}")


def _can_be_saved(value: Any) -> bool:
    try:
        with in_parts(NetworkParts()):
            skops.io.dumps(value)
    except Exception:  # as in `_dump`, which tells of it
        return False
    return True


def _merge(card: Mapping[str, Any], known: Mapping[str, Any]) -> bytes:
    """Join the caller's card and the library's."""
    taken = sorted(set(card) & set(known))
    if taken:
        raise ModelSaveError(f"card has {', '.join(taken)}, which save_model fills in; rename these entries")
    for name, value in card.items():
        try:
            json.dumps({name: value}, default=_plain, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise ModelSaveError(f"card[{name!r}]={value!r} is nothing that JSON holds: {error}") from error
    return json.dumps({**known, **card}, default=_plain, indent=2).encode()


def _plain(value: Any) -> Any:
    """Give NumPy's numbers and arrays as Python's."""
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    raise TypeError(f"a {type(value).__name__} is no text, number, list or dict of these")


def _describe(model: BaseEstimator, n_parameters: int) -> dict[str, Any]:
    """Say what the library knows of a model."""
    *front_end, classifier = steps = _steps(model)
    inner = [getattr(step, "transformer", step) for _, step in steps]  # of CachedFeatures
    rates = [getattr(step, "sample_rate", None) for step in inner]
    classes = getattr(model, "classes_", None)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "classes": None if classes is None else json.loads(json.dumps(list(classes), default=_label)),
        "front_end": [_describe_step(*step) for step in front_end],
        "classifier": _describe_step(*classifier),
        "sample_rate": next((int(rate) for rate in rates if rate is not None), None),
        "n_parameters": n_parameters,
        "versions": VERSIONS,
    }


def _steps(model: Any) -> list[tuple[str, Any]]:
    """List the steps of a pipeline, or of the one that an estimator wraps."""
    inner = getattr(model, "estimator_", None)
    if hasattr(model, "steps"):
        return list(model.steps)
    if hasattr(inner, "steps"):
        return [*_steps(inner)[:-1], (type(model).__name__.lower(), model)]
    return [(type(model).__name__.lower(), model)]


def _describe_step(name: str, step: Any) -> dict[str, Any]:
    """Say what a step of a pipeline is."""
    if not isinstance(step, BaseEstimator):  # "passthrough"
        return {"name": name, "type": str(step), "parameters": {}}
    params = {key: repr(value) for key, value in step.get_params(deep=False).items()}
    return {"name": name, "type": type(step).__name__, "parameters": params}


def _label(value: Any) -> Any:
    """Give a label that is no text or number as one."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else str(value)
