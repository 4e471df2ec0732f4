"""Sizes and counts in a model file have limits that hold before anything is built."""

import json
import struct
import time
import zipfile
from io import BytesIO

import numpy as np
import pytest

from skfewaudio import load_model
from skfewaudio.exceptions import ModelFileError, UntrustedTypeError

CARD, ESTIMATOR, TENSORS, SCHEMA = "card.json", "estimator.skops", "tensors.safetensors", "schema.json"


def unzip(data):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(members, comment=b""):
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.comment = comment
        for name, data in members.items():
            archive.writestr(name, data)
    return whole.getvalue()


@pytest.fixture
def parts(content):
    """The members of a model file, the arrays of its estimator, and its schema."""
    members = unzip(content)
    arrays = unzip(members[ESTIMATOR])
    return members, arrays, json.loads(arrays[SCHEMA])


@pytest.fixture
def write(parts, path):
    """Function that writes the model file with some parts replaced."""
    members, arrays, schema = parts

    def write_parts(members=members, arrays=arrays, schema=schema):
        text = schema if isinstance(schema, bytes) else json.dumps(schema).encode()
        path.write_bytes(rezip(members | {ESTIMATOR: rezip(arrays | {SCHEMA: text})}))
        return path

    return write_parts


def refused(path, match):
    with pytest.raises(ModelFileError, match=match):
        load_model(path)


def network_of(schema):
    steps = schema["content"]["content"]["steps"]["content"]
    return steps[1]["content"][1]["content"]["content"]["network_"]["content"]


def node(value):
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "__id__": 1} | {
        "content": json.dumps(value),
        "is_json": True,
    }


def test_network_of_more_layers_than_tensors_is_refused_at_once(parts, write):
    network = network_of(parts[2])
    network["architecture"] |= {
        "__class__": "FullyConnected",
        "__module__": "skfewaudio.architectures.fully_connected",
        "__id__": 2,
    }
    kinds = network["params"]["key_types"]
    key = {"__class__": "str", "__module__": "builtins", "__loader__": "TypeNode", "__id__": 3}
    network["params"] |= {"content": {"n_layers": node(10**7)}, "key_types": kinds | {"content": [key]}}
    path, start = write(schema=parts[2]), time.process_time()
    refused(path, "more layers than the 5 tensors in the file")
    assert time.process_time() - start < 2


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", 2**40, None, [1]])
@pytest.mark.parametrize("name", ["n_outputs", "n_mels", "n_frames"])
def test_size_of_a_network_that_is_no_size_is_refused(name, size, parts, write):
    network_of(parts[2])[name] = node(size)
    refused(write(schema=parts[2]), "cannot be read as a model")


def test_network_without_tensors_is_refused(parts, write):
    network_of(parts[2])["number"] = node(7)
    refused(write(schema=parts[2]), "the file has no tensors of network 7")


def test_schema_of_too_many_objects_is_refused(parts, write):
    items = "[" + '{"a":0},' * 100_000 + "{}]"
    schema = json.dumps(parts[2] | {"more": "X"}).replace('"X"', items)
    refused(write(schema=schema.encode()), "more than 100000 objects")


@pytest.mark.parametrize("text", [b"[" * 300, b'{"a":' * 300, b"[[],[],[]," * 400_000, b"1," * 5_000_000])
def test_schema_of_absurd_structure_is_refused_before_it_is_parsed(text, write):
    refused(write(schema=text), "nested more than|has far more than")


def test_large_schema_is_refused(write):
    refused(write(schema=b" " * (2**25 + 1)), "its schema has 33554433 bytes")


def test_large_card_is_refused(parts, write):
    refused(write(members=parts[0] | {CARD: bytes(2**24 + 1)}), "card.json has more than 16777216 bytes")


def test_earlier_protocol_of_skops_is_refused(parts, write):
    refused(write(schema=parts[2] | {"protocol": 0}), "it has protocol=0 of skops")


def test_name_with_control_characters_is_refused(parts, write):
    refused(
        write(schema=parts[2] | {"__class__": "Pipe\x1b[31mline"}),
        "the model is not an object that skops wrote",
    )


def test_dict_of_a_class_is_refused(parts, write):
    names = {"__class__": "SkorchCNN", "__module__": "skfewaudio.classifiers._skorch_cnn"}
    network_of(parts[2])["params"] |= names
    refused(write(schema=parts[2]), "SkorchCNN, which a DictNode cannot be")


def test_sparse_matrix_of_another_name_is_refused(parts, write):
    kind = {"__class__": "spmatrix", "__module__": "scipy.sparse._matrix", "__loader__": "SparseMatrixNode"}
    network_of(parts[2])["params"] = kind | {"__id__": 2, "type": "scipy", "file": "a.npz"}
    with pytest.raises(UntrustedTypeError, match=r"scipy\.sparse\._matrix\.spmatrix"):
        load_model(write(schema=parts[2]))


@pytest.mark.parametrize("shape", [(10**12,), (3, 10**9), (0, 10**12), (1,) * 9])
def test_array_of_another_size_than_its_bytes_is_refused(shape, parts, write):
    _, arrays, _ = parts
    name = next(name for name in arrays if name.endswith(".npy"))
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": shape})
    refused(write(arrays=arrays | {name: header.getvalue()}), "declares the shape")


def test_zip_in_a_zip_in_a_zip_is_refused(parts, write):
    inner = rezip({"a.npz": rezip({"b": b""})})
    refused(write(arrays=parts[1] | {"1.npz": inner}), "is a zip in a zip in a zip")


def test_header_of_tensors_is_limited(parts, write):
    header = struct.pack("<Q", 2**40)
    refused(write(members=parts[0] | {TENSORS: header}), "the header of its tensors has 1099511627776 bytes")


def test_number_of_tensors_is_limited(parts, write):
    entry = {"dtype": "F32", "shape": [], "data_offsets": [0, 4]}
    header = json.dumps({f"0.{number}": entry for number in range(10_001)}).encode()
    data = struct.pack("<Q", len(header)) + header + bytes(4)
    refused(write(members=parts[0] | {TENSORS: data}), "it has 10001 tensors")


def test_number_of_members_is_limited_before_they_are_listed(parts, path):
    path.write_bytes(rezip({**parts[0], **{f"{number}": b"" for number in range(10)}}))
    refused(path, "its directory has 13 members")


def test_zip_with_a_comment_is_refused(parts, path):
    path.write_bytes(rezip(parts[0], comment=b"PK"))
    refused(path, "is not a zip file, or its end is missing")
