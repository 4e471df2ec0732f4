"""Damaged, foreign and malicious files raise an error of the project that names the file."""

import json
import pickle
import zipfile
from io import BytesIO

import numpy as np
import pytest

from skfewaudio import load_model
from skfewaudio.exceptions import ModelFileError
from skfewaudio.persistence import read_card

CARD, ESTIMATOR, TENSORS = "card.json", "estimator.skops", "tensors.safetensors"
SCHEMA = "schema.json"


def unzip(data):
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def rezip(members, compression=zipfile.ZIP_STORED):
    whole = BytesIO()
    with zipfile.ZipFile(whole, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return whole.getvalue()


def with_member(content, name, data):
    return rezip(unzip(content) | {name: data})


def schema_of(content):
    return json.loads(unzip(unzip(content)[ESTIMATOR])[SCHEMA])


def with_schema(content, schema, **files):
    estimator = unzip(unzip(content)[ESTIMATOR]) | files | {SCHEMA: json.dumps(schema)}
    return with_member(content, ESTIMATOR, rezip(estimator))


def network_of(schema):
    """Return the plain values of the network in a schema."""
    steps = schema["content"]["content"]["steps"]["content"]
    return steps[1]["content"][1]["content"]["content"]["network_"]["content"]


def text(value):
    """Return the node that skops writes for a JSON value."""
    return {"__class__": "str", "__module__": "builtins", "__loader__": "JsonNode", "__id__": 1} | {
        "content": json.dumps(value),
        "is_json": True,
    }


def refused(path, content, match, error=ModelFileError):
    path.write_bytes(content)
    with pytest.raises(error, match=match) as caught:
        load_model(path)
    assert str(path) in str(caught.value)


def test_undamaged_file_loads(content, path):
    path.write_bytes(content)
    assert load_model(path).predict(np.zeros((1, 6))).shape == (1,)


def test_missing_file_raises_file_not_found(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_model(tmp_path / "nowhere.model")


def test_empty_file_is_named(path):
    refused(path, b"", "is empty")


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_truncated_file_is_named(share, content, path):
    truncated = content[: int(share * len(content))]
    refused(path, truncated, "it is damaged or not a model file. Get the file again")


def test_flipped_byte_in_the_tensors_is_found(content, path):
    place = content.index(unzip(content)[TENSORS]) + 300
    refused(path, content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :], "CRC")


def test_pickle_is_refused(path):
    refused(path, pickle.dumps({"a": 1}), "is not a zip file")


def test_foreign_zip_is_refused(path):
    refused(path, rezip({"schema.json": b"{}"}), "is a zip but not a skfewaudio model")


def test_newer_format_asks_for_an_upgrade(content, path):
    card = json.loads(unzip(content)[CARD]) | {"format_version": 2}
    refused(path, with_member(content, CARD, json.dumps(card)), "version 2 of the format.*upgrade")


def test_damaged_card_is_refused(content, path):
    path.write_bytes(with_member(content, CARD, b"[]"))
    with pytest.raises(ModelFileError, match="its card is not a skfewaudio card"):
        read_card(path)


def test_compressed_member_is_refused_without_unpacking(content, path):
    members = unzip(content) | {TENSORS: bytes(10_000_000)}
    refused(path, rezip(members, zipfile.ZIP_DEFLATED), "is compressed")


def test_compressed_array_in_the_estimator_is_refused(content, path):
    inner = unzip(unzip(content)[ESTIMATOR])
    bomb = rezip({"data.npy": bytes(10_000_000)}, zipfile.ZIP_DEFLATED)
    estimator = rezip(inner | {"1.npz": bomb})
    refused(path, with_member(content, ESTIMATOR, estimator), r"data\.npy is compressed")


def test_members_that_declare_more_bytes_than_the_file_has_are_refused(content, path):
    # The central directory stores the packed and unpacked sizes 20 and 24 bytes after its signature.
    entry = content.rindex(b"PK\x01\x02")
    sizes = (2**31).to_bytes(4, "little") * 2
    forged = content[: entry + 20] + sizes + content[entry + 28 :]
    refused(path, forged, "declare 2147.* bytes, but the file has")


def test_array_that_declares_more_than_it_contains_is_refused(content, path):
    inner = unzip(unzip(content)[ESTIMATOR])
    name = next(name for name in inner if name.endswith(".npy"))
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    estimator = rezip(inner | {name: header.getvalue()})
    refused(path, with_member(content, ESTIMATOR, estimator), "it is damaged")


@pytest.mark.parametrize("size", ["n_outputs", "n_mels", "n_frames"])
def test_network_of_absurd_size_allocates_no_memory(size, content, path):
    schema = schema_of(content)
    network_of(schema)[size] = text(10**12)
    refused(path, with_schema(content, schema), "it is damaged")


def test_architecture_cannot_be_called_with_other_arguments_from_the_file(content, path):
    schema = schema_of(content)
    network = network_of(schema)
    architecture = network["architecture"]
    arguments = {"__class__": "tuple", "__module__": "builtins", "__loader__": "TupleNode", "__id__": 3}
    network["architecture"] = architecture | {
        "__loader__": "ConstructorFromReduceNode",
        "content": arguments | {"content": [text(4)]},
    }
    refused(path, with_schema(content, schema), "LinearProbe, which may be referred to but not instantiated")


def test_only_an_architecture_can_build_the_network(content, path):
    schema = schema_of(content)
    kind = {"__class__": "SGD", "__module__": "torch.optim.sgd", "__loader__": "TypeNode", "__id__": 2}
    network_of(schema)["architecture"] = kind
    refused(path, with_schema(content, schema), r"torch\.optim\.sgd\.SGD is no architecture")


@pytest.mark.parametrize("name", ["builtins.eval", "os.system", "skfewaudio.datasets._esc50.fetch_esc50"])
def test_function_is_refused_by_name_and_not_imported(name, content, path):
    schema = schema_of(content)
    module, _, function = name.rpartition(".")
    node = {"__class__": function, "__module__": module, "__loader__": "FunctionNode", "__id__": 2}
    network_of(schema)["architecture"] = node
    refused(path, with_schema(content, schema), f"safe to load: {name}")


def test_module_of_an_unknown_type_is_not_imported(content, path, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    schema = schema_of(content)
    node = {"__class__": "Evil", "__module__": "evil_module", "__loader__": "ObjectNode", "__id__": 2}
    network_of(schema)["params"] = node
    refused(path, with_schema(content, schema), r"safe to load: evil_module\.Evil")


def test_reused_number_cannot_expand_exponentially(content, path):
    node = text("x")
    for number in range(100, 160):
        pair = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": number}
        node = pair | {"content": [node, {"__id__": node["__id__"]}]}
    schema = schema_of(content)
    network_of(schema)["params"] = node
    refused(path, with_schema(content, schema), "have one number")


def test_array_of_another_object_is_refused(content, path):
    schema = schema_of(content)
    array = schema["content"]["content"]["steps"]["content"][0]["content"][1]["content"]["content"]["mean_"]
    network_of(schema)["params"] = array | {"__id__": 2}
    refused(path, with_schema(content, schema), "refers to the array of another object")


def test_keys_of_a_dict_cannot_call_a_type(content, path):
    schema = schema_of(content)
    key = {"__class__": "VGGish", "__module__": "skfewaudio.architectures.vggish", "__loader__": "TypeNode"}
    kinds = {"__class__": "list", "__module__": "builtins", "__loader__": "ListNode", "__id__": 2}
    network_of(schema)["params"] = {
        "__class__": "dict",
        "__module__": "builtins",
        "__loader__": "DictNode",
        "__id__": 3,
        "key_types": kinds | {"content": [key | {"__id__": 4}]},
        "content": {"1": text(1)},
    }
    refused(path, with_schema(content, schema), "has keys of type skfewaudio.architectures.vggish.VGGish")


def test_tensors_of_another_network_are_refused(content, path):
    schema = schema_of(content)
    network_of(schema)["n_outputs"] = text(5)
    refused(path, with_schema(content, schema), "size mismatch for output")


def test_deep_nesting_is_refused(content, path):
    refused(path, with_member(content, CARD, b"[" * 100_000), "RecursionError")


def test_file_without_an_estimator_is_refused(content, path):
    refused(path, with_schema(content, text("x") | {"protocol": 2}), "it holds a str, not an estimator")
