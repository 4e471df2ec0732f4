"""A file that is changed at random loads, or raises an error that the project defines."""

import json
import warnings
import zipfile
from io import BytesIO

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator

from skfewaudio import load_model
from skfewaudio.exceptions import ModelFileWarning, SkfewaudioError

CARD, ESTIMATOR, SCHEMA = "card.json", "estimator.skops", "schema.json"


def unzip(data):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(members, compression=zipfile.ZIP_STORED):
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return whole.getvalue()


def check_loads_or_is_refused(path, content):
    """Check that loading returns an estimator, or raises an error that the project defines."""
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelFileWarning)
        try:
            message = None
            model = load_model(path)
        except SkfewaudioError as error:
            message = str(error)
    assert isinstance(model, BaseEstimator) if message is None else str(path) in message


@st.composite
def mutated(draw, data):
    """Draw bytes with parts replaced, removed, inserted or cut off at the end."""
    data = bytearray(data)
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        length = draw(st.integers(0, 8))
        data[start : start + length] = draw(st.binary(max_size=8))
    return bytes(data[: draw(st.sampled_from([len(data), draw(st.integers(0, len(data)))]))])


def places(value):
    """List all positions in a JSON value, as pairs of container and key."""
    found, stack = [], [value]
    while stack:
        holder = stack.pop()
        items = list(holder.items()) if isinstance(holder, dict) else list(enumerate(holder))
        found += [(holder, key) for key, _ in items]
        stack += [item for _, item in items if isinstance(item, dict | list)]
    return found


LOADERS = ["ObjectNode", "TypeNode", "FunctionNode", "MethodNode", "PartialNode", "DictNode", "ListNode"]
LOADERS += ["JsonNode", "NdArrayNode", "TupleNode", "ConstructorFromReduceNode", "ReduceNode", "LossNode"]
LOADERS += ["CachedNode", "SetNode", "OperatorFuncNode", "RandomStateNode", "SparseMatrixNode", "DTypeNode"]
NAMES = ["SkorchCNN", "VGG", "vgg", "Pipeline", "dict", "ndarray", "int", "partial", "sklearn.svm._classes"]
NAMES += ["SVC", "numpy", "skfewaudio.architectures.vgg", "skfewaudio.architectures", "sb_cnn", "cuda", "cpu"]
ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, -1, 2**31, 2**63, 10**12]),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(LOADERS),
    st.sampled_from(NAMES),
    st.lists(st.none(), max_size=2),
)


@st.composite
def mutated_json(draw, data):
    """Draw JSON with some values replaced, by others or by another part of it, or removed."""
    value = json.loads(data)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(found)) if (found := places(value)) else (value, None)
        what = draw(st.sampled_from(["value", "json", "part", "nothing"]))
        if what == "nothing" and isinstance(holder, dict):
            holder.pop(key, None)
        elif what == "part":
            other, at = draw(st.sampled_from(found))
            holder[key] = json.loads(json.dumps(other[at]))
        else:
            new = draw(ANYTHING)
            holder[key] = json.dumps(new) if what == "json" else new
    return json.dumps(value).encode()


@st.composite
def mutated_files(draw, content):
    """Draw a file with changed bytes, or a changed member, card or object tree."""
    outer = unzip(content)
    inner = unzip(outer[ESTIMATOR])
    kind = draw(st.sampled_from(["noise", "bytes", "member", "inner", "card", "schema", "schema"]))
    if kind == "noise":
        return draw(st.binary(max_size=200))
    if kind == "bytes":
        return draw(mutated(content))
    if kind == "card":
        return rezip(outer | {CARD: draw(mutated_json(outer[CARD]))})
    if kind == "schema":
        return rezip(outer | {ESTIMATOR: rezip(inner | {SCHEMA: draw(mutated_json(inner[SCHEMA]))})})
    if kind == "member":
        name = draw(st.sampled_from(sorted(outer)))
        return rezip(outer | {name: draw(mutated(outer[name]))})
    name = draw(st.sampled_from(sorted(inner)))
    return rezip(outer | {ESTIMATOR: rezip(inner | {name: draw(mutated(inner[name]))})})


def fuzz(content, path, n_files):
    @settings(
        max_examples=n_files,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(mutated_files(content))
    def check(damaged):
        check_loads_or_is_refused(path, damaged)

    check()


def test_damaged_files_load_or_are_refused(content, path):
    fuzz(content, path, 100)


@pytest.mark.slow
def test_hundreds_of_damaged_files_load_or_are_refused(content, path):
    fuzz(content, path, 250)


@pytest.mark.long
def test_ten_thousand_damaged_files_load_or_are_refused(content, path):
    fuzz(content, path, 10_000)
