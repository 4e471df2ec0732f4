"""Forged model files: the states of fitted models are changed at random, and a process uses them.

Run as a script, it reads lines with the name of a model and a seed, forges a file, loads it and predicts with
it. It writes a line of JSON per file. If the environment variable GUARD names a library compiled from
guarded_memory.c, any access outside of the memory that loading and predicting allocate ends the process.
"""

import ctypes
import json
import os
import pickle
import sys
import time
import warnings
from contextlib import suppress
from copy import deepcopy
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import skops.io
import torch
from safetensors.torch import save
from sklearn.preprocessing import LabelEncoder

from skfewaudio import BlockClassifier, load_model
from skfewaudio.classifiers.saved_state import NetworkArchive, archiving
from skfewaudio.detection import EventDetector, detect_events
from skfewaudio.exceptions import SkfewaudioError
from skfewaudio.persistence._container import CARD, ESTIMATOR, TENSORS, replace_member, write_members
from skfewaudio.persistence._save import _describe_model, _dump_card

INTEGERS = (0, -1, 1, 2, 7, 1000, 10**6, 2**31 - 1, 2**31, 2**53, 2**62, 10**12, 10**30, -(2**62))
REALS = (0.0, -1.0, 0.5, 1e-320, 1e-30, 1e20, 1e300, np.nan, np.inf, -np.inf)
TEXTS = (
    *("", "auto", "kd_tree", "precomputed", "minkowski", "haversine", "rbf", "poly", "multiclass", "binary"),
    *("multilabel-indicator", "ovo", "soft", "distance", "temperature", "isotonic", "mean", "vote", "cuda"),
    *("meta", "/etc", "x" * 1000, "vgg", "linear_probe", "inception_v3", "sample_level"),
)
DTYPES = ("f4", ">f8", "f2", "i1", "i4", "i8", "u8", "?", "c16", "O", "U3", "S2", "m8[s]", "longdouble")
ODDITIES = (
    *(None, True, [], [1, 2], (), {}, {"p": -1}, {"a": [1]}, "", -1, 1e9, slice(0, 10**9)),
    *(np.log1p, np.add, np.int64(3), np.float32(2), np.zeros((2, 2)), np.arange(4)),
)
SIZES = ("n_outputs", "n_mels", "n_frames", "number")
ARGUMENTS = {
    **{"n_layers": 10**7, "n_filters": 10**6, "dropout": 2.0, "width": 1e9, "bottleneck": 10**9},
    **{"n_units": 10**8, "input_norm": "all", "momentum": 1e300, "bands": 5.0, "n_regions": 10**7},
}


def places(model):
    """List the attributes and items of a model and of the objects in it, as pairs of container and key."""
    found, stack, seen = [], [model], set()
    while stack:
        holder = stack.pop()
        if id(holder) in seen or isinstance(holder, torch.nn.Module | type | np.ndarray | str):
            continue
        seen.add(id(holder))
        if isinstance(holder, tuple):
            stack += holder
            continue
        if isinstance(holder, dict | list):
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            items = [(key, holder[key]) for key in keys]
        elif hasattr(holder, "__dict__") and not callable(holder):
            items = [(name, value) for name, value in vars(holder).items() if name != "net_"]
        else:
            continue
        found += [(holder, key) for key, _ in items]
        stack += [value for _, value in items]
    return found


def get(holder, key):
    return holder[key] if isinstance(holder, dict | list) else vars(holder)[key]


def put(holder, key, value):
    if isinstance(holder, dict | list):
        holder[key] = value
    else:
        vars(holder)[key] = value


def change_array(array, rng):
    """Return an array with other values, another shape or another type."""
    array = array.copy()
    kind = rng.integers(12)
    if kind < 4 and array.size and array.dtype.kind in "iuf":
        values = INTEGERS if array.dtype.kind in "iu" else REALS
        place = rng.integers(array.size) if kind < 3 else slice(None)
        with np.errstate(all="ignore"):
            try:
                array.flat[place] = values[rng.integers(len(values))]
            except OverflowError:
                array.flat[place] = -1
        return array
    shapes = [
        lambda: array[:-1],
        lambda: array[:0],
        lambda: np.concatenate([array, array]),
        lambda: array[None],
        lambda: array.ravel(),
        lambda: array.T.copy(),
        lambda: array[::-1],
        lambda: np.asfortranarray(array),
        lambda: array[..., :-1],
        lambda: np.repeat(array, 50, axis=-1),
        lambda: np.array(array.flat[0]) if array.size else array,
        lambda: np.zeros((0, 10**6)),
        lambda: rng.permutation(array.ravel()).reshape(array.shape),
    ]
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            if kind < 9:
                return shapes[rng.integers(len(shapes))]()
            return array.astype(DTYPES[rng.integers(len(DTYPES))])
        except (ValueError, TypeError, IndexError):
            return array[:0]


def change_value(value, rng):
    """Return another value, of the same type more often than of others."""
    if rng.random() < 0.15:
        return ODDITIES[rng.integers(len(ODDITIES))]
    if isinstance(value, np.ndarray):
        return change_array(value, rng)
    if isinstance(value, bool | np.bool_):
        return not value
    if isinstance(value, int | np.integer):
        return (
            INTEGERS[rng.integers(len(INTEGERS))]
            if rng.random() < 0.7
            else int(value) + int(rng.integers(-2, 3))
        )
    if isinstance(value, float | np.floating):
        return REALS[rng.integers(len(REALS))]
    if isinstance(value, str):
        return TEXTS[rng.integers(len(TEXTS))]
    if isinstance(value, list | tuple) and value:
        return type(value)(value[:-1]) if rng.random() < 0.5 else type(value)([*value, value[0]])
    return ODDITIES[rng.integers(len(ODDITIES))]


def forge(model, rng):
    """Change one to three attributes of a model, or of the objects in it."""
    for _ in range(rng.integers(1, 4)):
        found = places(model)
        holder, key = found[rng.integers(len(found))]
        value = get(holder, key)
        kind = rng.random()
        if kind < 0.7:
            put(holder, key, change_value(value, rng))
        elif kind < 0.8 and not isinstance(holder, list):
            del (holder if isinstance(holder, dict) else vars(holder))[key]
        elif kind < 0.95:
            same = [place for place in found if type(get(*place)) is type(value)]
            other, at = same[rng.integers(len(same))]
            put(holder, key, get(other, at)), put(other, at, value)
        elif not isinstance(holder, dict | list):
            name = ("predict", "_tree", "n_features_in_", "__class__", "transform", "new_")[rng.integers(6)]
            put(holder, name, ODDITIES[rng.integers(len(ODDITIES))])


def forge_tensors(tensors, rng):
    """Change a tensor of a network."""
    name = sorted(tensors)[rng.integers(len(tensors))]
    tensor = tensors[name]
    numbers = [
        lambda: torch.full_like(tensor, -1),
        lambda: torch.full(tensor.shape, REALS[rng.integers(len(REALS))]),
        lambda: tensor[None].contiguous(),
        lambda: torch.cat([tensor.flatten()] * 2),
        lambda: tensor.to((torch.float16, torch.int64, torch.float64, torch.bool)[rng.integers(4)]),
        lambda: torch.zeros(0),
    ]
    tensors[name] = numbers[rng.integers(len(numbers))]()
    if rng.random() < 0.2:
        tensors[("0.more", "1.x", name + "x")[rng.integers(3)]] = tensors.pop(name)


def forge_recipes(schema, rng):
    """Change the recipe of a network in a schema: a size, or an argument of the architecture."""
    recipes = [node["content"] for node in nodes(schema) if "n_frames" in node.get("content", ())]
    recipe = recipes[rng.integers(len(recipes))]
    if rng.random() < 0.6:
        name = SIZES[rng.integers(len(SIZES))]
        choices = INTEGERS if rng.random() < 0.8 else TEXTS
        recipe[name] |= {"content": json.dumps(choices[rng.integers(len(choices))]), "__id__": 1}
        return
    name, value = list(ARGUMENTS.items())[rng.integers(len(ARGUMENTS))]
    recipe["params"]["content"] = {name: recipe["number"] | {"content": json.dumps(value), "__id__": 2}}
    key = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode", "__id__": 3}
    recipe["params"]["key_types"] |= {"content": [key]}
    if rng.random() < 0.5:
        kind = {"__class__": "FullyConnected", "__module__": "skfewaudio.architectures.fully_connected"}
        recipe["architecture"] = kind | {"__loader__": "TypeNode", "__id__": 4}


def forge_values(schema, rng):
    """Change a number or string anywhere in a schema, also within random generators and dicts."""
    values = [node for node in nodes(schema) if node.get("__loader__") == "JsonNode"]
    for _ in range(rng.integers(1, 3)):
        node = values[rng.integers(len(values))]
        value = change_value(json.loads(node["content"]), rng)
        if isinstance(value, bool | int | float | str | None):
            node |= {"content": json.dumps(value), "__id__": int(rng.integers(1, 1000))}


def nodes(value):
    """List all objects of a schema."""
    stack, found = [value], []
    while stack:
        value = stack.pop()
        if isinstance(value, dict):
            found.append(value)
            stack += value.values()
        elif isinstance(value, list):
            stack += value
    return found


def change_schema(data, change, rng):
    """Return the bytes of an estimator whose schema is changed by a function."""
    with ZipFile(BytesIO(data)) as archive:
        schema = json.loads(archive.read("schema.json"))
    change(schema, rng)
    return replace_member(data, "schema.json", json.dumps(schema))


def write_forged(pickled, path, rng):
    """Write a file of a changed model, as `save_model` writes it."""
    model = pickle.loads(pickled)
    card = _dump_card({}, _describe_model(model, 0))
    networks = NetworkArchive()
    kinds = ["state"] * 6 + ["values"]
    if any(isinstance(get(*place), torch.nn.Module) for place in places(model)):
        kinds += ["tensors", "recipe"] * 3
    kind = kinds[rng.integers(len(kinds))]
    if kind == "state":
        forge(model, rng)
    with archiving(networks):
        data = skops.io.dumps(model)
    if kind == "tensors":
        forge_tensors(networks.tensors, rng)
    elif kind != "state":
        data = change_schema(data, forge_recipes if kind == "recipe" else forge_values, rng)
    write_members(path, {CARD: card, ESTIMATOR: data, TENSORS: save(networks.tensors)})


# Use

METHODS = ("predict", "predict_proba", "decision_function", "transform", "score_samples")


def use(model, X):
    """Call all methods that predict; an encoder knows only its own labels."""
    for name in METHODS:
        if hasattr(model, name):
            getattr(model, name)(model.classes_[:1] if isinstance(model, LabelEncoder) else X)
    inner = getattr(model, "estimator_", None)
    if isinstance(inner, BlockClassifier) and hasattr(inner, "partial_fit"):
        with suppress(Exception):  # parameters that only a fit uses may be forged
            deepcopy(inner).partial_fit(X, np.resize(inner.classes_, len(X)))
    if isinstance(model, EventDetector):
        detect_events(model, [(sound, 8000) for sound in X])


def suit(model, X):
    """Return X with as many columns, bands or samples as a model says that it takes.

    More samples than a table of this test may have are passed as a list, whose clips may have any length.
    """
    n_features = getattr(model, "n_features_in_", None)
    if not isinstance(n_features, int | np.integer) or X.ndim < 2:
        return X
    if n_features >= 10**5:
        return list(X)
    return np.resize(X, (4, n_features) if X.ndim == 2 else (len(X), n_features, X.shape[2]))


def load_and_use(path, X):
    """Return how a file was handled: "refused", "used", or an error of a prediction."""
    try:
        model = load_model(path)
    except SkfewaudioError as error:
        return "refused", str(error)
    try:
        use(model, suit(model, X))
    except Exception as error:
        return "failed", f"{type(error).__name__}: {error}"
    return "used", ""


def peak_memory():
    """Return the largest resident memory since the last call, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (size,) = [line.split()[1] for line in lines if line.startswith("VmHWM")]
    Path("/proc/self/clear_refs").write_text("5")
    return int(size) * 1024


def use_up_small_arrays():
    """Return as many small arrays as NumPy keeps for reuse, so that new ones are in guarded memory."""
    return [np.empty(size, np.uint8) for size in range(1024) for _ in range(8)]


def measure(path, X):
    """Load and use a file, and return the result, the message, seconds and bytes."""
    peak_memory()
    start, before = time.process_time(), peak_memory()
    result, message = load_and_use(path, X)
    return result, message[:400], round(time.process_time() - start, 2), max(0, peak_memory() - before)


def main():
    """Forge, load and use one file for each line of the standard input."""
    sys.path.insert(0, str(Path(__file__).parent))
    from forged_models import fit_models

    guard = ctypes.CDLL(os.environ["GUARD"]) if "GUARD" in os.environ else None
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    models, path, held = fit_models(), Path(sys.argv[1]), None
    print(json.dumps(sorted(models)), flush=True)
    for line in sys.stdin:
        name, seed = json.loads(line)
        pickled, X = models[name]
        try:
            write_forged(pickled, path, np.random.default_rng(seed))
        except Exception as error:  # not every state can be written
            print(json.dumps([name, seed, "unwritable", str(error)[:100], 0, 0]), flush=True)
            continue
        if guard is not None:
            guard.guard_memory(1)
            held = held or use_up_small_arrays()
        result = measure(path, X)
        if guard is not None:
            guard.guard_memory(0)
        print(json.dumps([name, seed, *result]), flush=True)


if __name__ == "__main__":
    main()
