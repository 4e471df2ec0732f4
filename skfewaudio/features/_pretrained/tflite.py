"""Networks in the format of TensorFlow Lite, run by LiteRT."""

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skfewaudio._files import read_regular
from skfewaudio._weights import check_file
from skfewaudio.audio.io import resolve_threads
from skfewaudio.exceptions import WeightsNotFoundError

from .backend import import_extra
from .layout import run_layout, waveform_layout

RUNTIME = "ai_edge_litert.interpreter"
SCHEMA = "ai_edge_litert.schema_py_generated"
MAGIC = b"TFL3"  # at byte 4
OUTPUTS_FIELD = 8  # of a subgraph, in the virtual table of flatbuffers


class TFLiteBackend:
    """Network of one file.

    Parameters
    ----------
    interpreter : ai_edge_litert.interpreter.Interpreter
        The loaded network.
    output : int
        Index of the tensor to return.
    name : str
        Path of the file.
    """

    sample_rate = None
    window = None

    def __init__(self, interpreter: Any, output: int, name: str) -> None:
        self._interpreter = interpreter
        self._output = output
        self._name = name
        inputs = interpreter.get_input_details()
        if len(inputs) != 1:
            listed = ", ".join(f"{each['name']} {list(each['shape_signature'])}" for each in inputs)
            raise ValueError(f"{name} has {len(inputs)} inputs ({listed}); expected one, for waveforms")
        self._input = inputs[0]["index"]
        if inputs[0]["dtype"] is not np.float32:
            raise ValueError(
                f"{name}: its input {inputs[0]['name']!r} is of type {inputs[0]['dtype'].__name__}; expected "
                "float32"
            )
        signature = [int(size) for size in inputs[0]["shape_signature"]]
        layout = waveform_layout(signature or inputs[0]["shape"], f"{name}: its input {inputs[0]['name']!r}")
        # One waveform at a time, which is not slower, and the same result alone and in a batch.
        self._layout = type(layout)(layout.n_samples, layout.n_at_once or 1, layout.axis, layout.has_batch)
        self._shape = tuple(int(size) for size in inputs[0]["shape"])
        self.n_samples = layout.n_samples

    @classmethod
    def open(
        cls,
        location: str,
        *,
        output: str | int | None,
        n_threads: int | None,
        device: str | None,
        inputs: Mapping[str, float] | None = None,
    ) -> Self:
        """Load the network.

        Parameters
        ----------
        location : str
            The file.
        output : str, int or None
            Name or index of any tensor, or ``"penultimate"``: the input of the operation that computes the
            first output. None is the first output.
        n_threads : int or None
            Number of threads. None uses one per available core.
        device : str or None
            Must be None or ``"cpu"``.
        inputs : mapping, default=None
            Must be empty: the network must have one input.

        Returns
        -------
        TFLiteBackend
        """
        runtime = import_extra(RUNTIME, extra="tflite", package="ai-edge-litert")
        path = check_file(location)
        if inputs:
            raise ValueError(f"{path}: {', '.join(inputs)} cannot be set for a TensorFlow Lite network")
        if device not in (None, "cpu") and str(device) != "cpu":
            raise ValueError(f"device={device!r}: TensorFlow Lite networks run on the CPU")
        content = read_regular(path)
        if content[4:8] != MAGIC:
            raise WeightsNotFoundError(f"{path} is not a TensorFlow Lite network; give another file")
        try:
            index = None if output is None else _find_tensor(content, output, path)
            if index is not None:
                content = _with_output(content, index)
            interpreter = runtime.Interpreter(model_content=content, num_threads=resolve_threads(n_threads))
            interpreter.allocate_tensors()
        except ValueError as error:
            if str(error).startswith("output="):
                raise
            raise _damaged(path, error) from error
        except (RuntimeError, struct.error, IndexError, TypeError, AttributeError) as error:
            raise _damaged(path, error) from error
        if index is None:
            index = interpreter.get_output_details()[0]["index"]
        return cls(interpreter, index, str(path))

    @classmethod
    def files(cls, location: str) -> list[Path]:
        """Return the file."""
        return [check_file(location)]

    def embed(self, batch: NDArray[np.float32], /) -> NDArray[np.float32]:
        """Embed waveforms.

        Parameters
        ----------
        batch : ndarray of shape (n, n_samples), float32
            Waveforms.

        Returns
        -------
        ndarray of shape (n, d) or (n, n_frames, d)
        """
        return run_layout(self._layout, batch, self._run, self._name)

    def _run(self, fed: NDArray[np.float32]) -> NDArray[Any]:
        try:
            if fed.shape != self._shape:
                self._interpreter.resize_tensor_input(self._input, fed.shape)
                self._interpreter.allocate_tensors()
                self._shape = fed.shape
            self._interpreter.set_tensor(self._input, fed)
            self._interpreter.invoke()
            found: NDArray[Any] = self._interpreter.get_tensor(self._output)
        except (RuntimeError, ValueError) as error:
            raise ValueError(
                f"{self._name} cannot be run on an input of shape {fed.shape}: {error}"
            ) from error
        return found


def _damaged(path: Path, error: Exception) -> WeightsNotFoundError:
    return WeightsNotFoundError(
        f"{path} cannot be read as a TensorFlow Lite network ({str(error).strip()[:300]}): it is damaged or "
        "something else. Get it again, or give another file"
    )


def _find_tensor(content: bytes, output: str | int, path: Path) -> int:
    """Return the index of a tensor of the main graph."""
    graph = _main_graph(content)
    n_tensors = graph.TensorsLength()
    if output == "penultimate":
        return _find_penultimate(graph)
    if isinstance(output, str):
        names = [graph.Tensors(i).Name().decode(errors="replace") for i in range(n_tensors)]
        if output not in names:
            raise ValueError(
                f"output={output!r}: {path} has no such tensor; its last ones are {', '.join(names[-4:])}"
            )
        return names.index(output)
    if not -n_tensors <= output < n_tensors:
        raise ValueError(f"output={output}: {path} has {n_tensors} tensors")
    return output % n_tensors


def _find_penultimate(graph: Any) -> int:
    """Return the input of the last operation before the first output that has weights."""
    wanted = graph.Outputs(0)
    makers = {
        graph.Operators(i).Outputs(j): graph.Operators(i)
        for i in range(graph.OperatorsLength())
        for j in range(graph.Operators(i).OutputsLength())
    }
    while wanted in makers:
        maker = makers[wanted]
        wanted = maker.Inputs(0)
        if maker.InputsLength() > 1:  # not an activation, which has no weights
            break
    return int(wanted)


def _with_output(content: bytes, index: int) -> bytes:
    """Return a network whose first output is another tensor.

    The runtime keeps the values of outputs only, unless it is told to keep all, which is twenty times slower.
    """
    changed = bytearray(content)
    table = _main_graph(changed)._tab
    struct.pack_into("<i", changed, table.Vector(table.Offset(OUTPUTS_FIELD)), index)
    return bytes(changed)


def _main_graph(content: bytes | bytearray) -> Any:
    schema = import_extra(SCHEMA, extra="tflite", package="ai-edge-litert")
    return schema.Model.GetRootAs(content).Subgraphs(0)
