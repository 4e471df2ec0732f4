"""Small networks of each format, written by the tests."""

import struct

import numpy as np
import pytest

N_SAMPLES, N_DIMS = 800, 6


@pytest.fixture(scope="session")
def matrix():
    """Weights of a network of one layer."""
    return np.random.default_rng(0).standard_normal((N_SAMPLES, N_DIMS)).astype(np.float32) / 30


@pytest.fixture(scope="session")
def sounds():
    """Clips of one to three windows, and a short one."""
    rng = np.random.default_rng(1)
    return [rng.normal(0, 0.1, n).astype(np.float32) for n in (800, 1600, 2000, 500)]


def varint(number):
    """Encode a number as in protocol buffers."""
    found = b""
    number &= 2**64 - 1
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def message(*fields):
    """Encode numbered fields: texts and messages with their lengths, numbers as they are."""
    found = b""
    for number, value in fields:
        if isinstance(value, int):
            found += varint(number << 3) + varint(value)
        else:
            content = value.encode() if isinstance(value, str) else value
            found += varint(number << 3 | 2) + varint(len(content)) + content
    return found


def value_info(name, shape, kind=1):
    """Describe an input or output of an ONNX graph; sizes that are texts are not fixed."""
    sizes = [message((2 if isinstance(size, str) else 1, size)) for size in shape]
    dims = message(*[(1, size) for size in sizes])
    return message((1, name), (2, message((1, message((1, kind), (2, dims))))))


def onnx_node(kind, inputs, outputs):
    return message(*[(1, name) for name in inputs], *[(2, name) for name in outputs], (4, kind))


def onnx_tensor(name, array):
    sizes = [(1, size) for size in array.shape]
    return message(*sizes, (2, 1), (8, name), (9, array.astype("<f4").tobytes()))


def onnx_model(nodes, inputs, outputs, tensors=(), metadata=None):
    """Return the content of an ONNX file."""
    graph = message(
        *[(1, node) for node in nodes],
        (2, "graph"),
        *[(5, tensor) for tensor in tensors],
        *[(11, info) for info in inputs],
        *[(12, info) for info in outputs],
    )
    entries = [(14, message((1, key), (2, value))) for key, value in (metadata or {}).items()]
    return message((1, 8), (7, graph), (8, message((2, 13))), *entries)


@pytest.fixture
def write_onnx(matrix, tmp_path):
    """Function that writes a network: the product with a matrix, and its positive part as another output."""

    def write(name="model.onnx", *, shape=("n", N_SAMPLES), metadata=None, extra=()):
        linear = onnx_node("MatMul", ["sound", "w"], ["linear"])
        nodes = [linear, onnx_node("Relu", ["linear"], ["embedding"])]
        outputs = [value_info("embedding", ("n", N_DIMS))]
        for other in extra:
            nodes.append(onnx_node("Add", ["embedding", other], [f"with_{other}"]))
            outputs.append(value_info(f"with_{other}", ("n", N_DIMS)))
        inputs = [value_info("sound", shape), *[value_info(other, ("n", 1)) for other in extra]]
        content = onnx_model(nodes, inputs, outputs, [onnx_tensor("w", matrix)], metadata)
        (tmp_path / name).write_bytes(content)
        return tmp_path / name

    return write


@pytest.fixture
def write_tflite(matrix, tmp_path):
    """Function that writes a network of two fully connected layers; the second one sums pairs."""
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    flatbuffers = pytest.importorskip("flatbuffers")

    def tensor(name, shape, buffer=0, signature=None):
        made = schema.TensorT()
        made.name, made.shape, made.buffer, made.type = name, list(shape), buffer, schema.TensorType.FLOAT32
        made.shapeSignature = signature
        return made

    def layer(inputs, output):
        made = schema.OperatorT()
        made.opcodeIndex, made.inputs, made.outputs = 0, inputs, [output]
        made.builtinOptionsType = schema.BuiltinOptions.FullyConnectedOptions
        made.builtinOptions = schema.FullyConnectedOptionsT()
        return made

    def write(name="model.tflite", *, n_inputs=1):
        pairs = np.kron(np.eye(N_DIMS // 2), [[1, 1]]).astype(np.float32)
        buffers = [schema.BufferT() for _ in range(3)]
        buffers[1].data = np.frombuffer(matrix.T.copy().tobytes(), np.uint8)
        buffers[2].data = np.frombuffer(pairs.tobytes(), np.uint8)
        graph = schema.SubGraphT()
        graph.tensors = [
            tensor("sound", (1, N_SAMPLES)),
            tensor("w", (N_DIMS, N_SAMPLES), 1),
            tensor("hidden", (1, N_DIMS)),
            tensor("pairs", pairs.shape, 2),
            tensor("output", (1, N_DIMS // 2)),
            tensor("other", (1, 1)),
        ]
        graph.inputs, graph.outputs = [0, 5][:n_inputs], [4]
        graph.operators = [layer([0, 1, -1], 2), layer([2, 3, -1], 4)]
        code = schema.OperatorCodeT()
        code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
        code.version = 1
        model = schema.ModelT()
        model.version, model.operatorCodes, model.subgraphs, model.buffers = 3, [code], [graph], buffers
        builder = flatbuffers.Builder(1024)
        builder.Finish(model.Pack(builder), b"TFL3")
        (tmp_path / name).write_bytes(bytes(builder.Output()))
        return tmp_path / name

    return write


@pytest.fixture
def damage():
    """Function that overwrites the middle of a file."""

    def write(path):
        content = bytearray(path.read_bytes())
        half = len(content) // 2
        content[8:half] = struct.pack("B", 255) * (half - 8)
        path.write_bytes(content)
        return path

    return write
