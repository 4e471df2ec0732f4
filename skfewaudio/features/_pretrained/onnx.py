"""Networks in the ONNX format, run by onnxruntime."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from skfewaudio._weights import check_file
from skfewaudio.audio.io import resolve_threads
from skfewaudio.exceptions import WeightsNotFoundError

from .backend import import_extra
from .layout import run_layout, waveform_layout

FLOAT_TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16}
INTEGER_TYPES = {"tensor(int64)": np.int64, "tensor(int32)": np.int32, "tensor(bool)": np.bool_}


class OnnxBackend:
    """Network of one file.

    The metadata of the file may state its ``sample_rate`` in Hz.

    Parameters
    ----------
    session : onnxruntime.InferenceSession
        The loaded network.
    output : str
        Name of the output.
    inputs : mapping of str to float
        Values of the inputs other than the waveforms.
    name : str
        Path of the file.
    """

    def __init__(self, session: Any, output: str, inputs: Mapping[str, float], name: str) -> None:
        self._session = session
        self._output = output
        self._name = name
        self._waveforms, self._constants = _split_inputs(session.get_inputs(), inputs, name)
        self._dtype = FLOAT_TYPES[self._waveforms.type]
        self._batch_axis: int | None = None  # of the output; not known before the first call
        self._layout = waveform_layout(self._waveforms.shape, f"{name}: its input {self._waveforms.name!r}")
        metadata = session.get_modelmeta().custom_metadata_map
        rate = metadata.get("sample_rate", "")
        self.sample_rate = int(rate) if rate.isdecimal() and int(rate) > 0 else None
        self.n_samples = self._layout.n_samples
        self.window = None
        self.layers = [node.name for node in session.get_outputs()]

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
            Name or index of an output. The name of an inner tensor, or ``"penultimate"``, requires the
            package onnx. None is the output named ``"embedding"`` or ``"embeddings"``, or else the first.
        n_threads : int or None
            Number of threads. None uses one per available core.
        device : str or None
            ``"cuda"`` requires onnxruntime-gpu. None uses CUDA if available.
        inputs : mapping of str to float, default=None
            Values of the inputs other than the waveforms.

        Returns
        -------
        OnnxBackend
        """
        runtime = import_extra("onnxruntime", extra="onnx")
        path = check_file(location)
        session = _open_session(runtime, str(path), path, n_threads, device)
        names = [node.name for node in session.get_outputs()]
        chosen = _choose_output(names, output, path)
        if chosen is None:
            content, chosen = _add_output(path, str(output))
            session = _open_session(runtime, content, path, n_threads, device)
        return cls(session, chosen, inputs or {}, str(path))

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
        if self._batch_axis is None:
            self._find_batch_axis(batch[:1])
        return run_layout(self._layout, batch, self._run, self._name)

    def _find_batch_axis(self, waveform: NDArray[np.float32]) -> None:
        """Find the axis of the waveforms in the output, which is the second one in recurrent networks."""
        fed, n_filled = next((fed, len(fed)) for fed, _ in self._layout.split(waveform))
        self._batch_axis = 0
        shape = np.shape(self._run(fed))
        is_second = self._layout.has_batch and len(shape) == 3 and shape[0] != n_filled == shape[1]
        self._batch_axis = 1 if is_second else 0

    def _run(self, fed: NDArray[np.float32]) -> Any:
        n = len(fed) if self._layout.has_batch else 1
        feeds = {self._waveforms.name: fed.astype(self._dtype, copy=False)}
        for node, value in self._constants:
            dtype = FLOAT_TYPES.get(node.type) or INTEGER_TYPES[node.type]
            # A size that is not fixed is that of the batch.
            shape = [size if isinstance(size, int) else n for size in node.shape]
            feeds[node.name] = np.full(shape, value, dtype=dtype)
        try:
            found = self._session.run([self._output], feeds)[0]
        except Exception as error:  # onnxruntime's errors have no common base class
            raise ValueError(
                f"{self._name} cannot be run on waveforms of {fed.shape} samples: {error}"
            ) from error
        if self._batch_axis == 1:  # the first axis is that of layers
            found = np.moveaxis(found, 1, 0).reshape(found.shape[1], -1)
        return found


def _open_session(
    runtime: Any, content: str | bytes, path: Path, n_threads: int | None, device: str | None
) -> Any:
    """Load a network from a path, or from the content of a file."""
    options = runtime.SessionOptions()
    options.intra_op_num_threads = resolve_threads(n_threads)
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Idle threads must not occupy the cores that decode sound.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    available = runtime.get_available_providers()
    wants_cuda = device is None or str(device).startswith("cuda")
    if device is not None and wants_cuda and "CUDAExecutionProvider" not in available:
        raise ValueError(f"device={device!r}: this onnxruntime has no CUDA; install onnxruntime-gpu")
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"] if wants_cuda else ["CPUExecutionProvider"]
    try:
        return runtime.InferenceSession(
            content, options, providers=[name for name in providers if name in available]
        )
    except Exception as error:  # onnxruntime's errors have no common base class
        raise WeightsNotFoundError(
            f"{path} cannot be read as an ONNX network ({str(error).strip()[:300]}): it is damaged or "
            "something else. Get it again, or give another file"
        ) from error


def _split_inputs(nodes: list[Any], inputs: Mapping[str, float], name: str) -> tuple[Any, list[Any]]:
    """Return the input of the waveforms, and the other inputs with their values."""
    unknown = sorted(set(inputs) - {node.name for node in nodes})
    if unknown:
        raise ValueError(
            f"{name} has no input {unknown[0]!r}; its inputs are {', '.join(node.name for node in nodes)}"
        )
    others = [(node, inputs[node.name]) for node in nodes if node.name in inputs]
    waveforms = [node for node in nodes if node.name not in inputs]
    if len(waveforms) != 1:
        listed = ", ".join(f"{node.name} {node.shape}" for node in nodes)
        example = "&".join(f"{node.name}=0" for node in waveforms[1:]) or "..."
        raise ValueError(
            f"{name} has {len(nodes)} inputs ({listed}); expected one, for waveforms. If the others are "
            f"constant, state their values, such as 'onnx:{Path(name).name}?{example}'"
        )
    for node in nodes:
        kinds = FLOAT_TYPES if node is waveforms[0] else FLOAT_TYPES | INTEGER_TYPES
        if node.type not in kinds:
            raise ValueError(f"{name}: its input {node.name!r} is a {node.type}; expected numbers")
    return waveforms[0], others


def _choose_output(names: list[str], output: str | int | None, path: Path) -> str | None:
    """Return the name of an output; None if it is not one of them but may be an inner tensor."""
    if output is None:
        preferred = [name for name in names if name.lower() in ("embedding", "embeddings")]
        return (preferred or names)[0]
    if isinstance(output, str):
        return output if output in names else None
    if not -len(names) <= output < len(names):
        raise ValueError(f"output={output}: {path} has {len(names)} outputs ({', '.join(names)})")
    return names[output]


def _add_output(path: Path, output: str) -> tuple[bytes, str]:
    """Return the content of a file with an inner tensor among its outputs, and the name of this tensor."""
    onnx = import_extra("onnx", extra=None)
    model = onnx.load(path)
    graph = model.graph
    if output == "penultimate":
        last = next((node for node in graph.node if graph.output[0].name in node.output), None)
        weights = {tensor.name for tensor in graph.initializer}
        found = [name for name in (last.input if last else ()) if name not in weights]
        output = found[0] if found else output
    known = {name for node in graph.node for name in node.output}
    if output not in known:
        outputs = ", ".join(node.name for node in graph.output)
        raise ValueError(f"output={output!r}: {path} has no such tensor; its outputs are {outputs}")
    graph.output.append(onnx.ValueInfoProto(name=output))
    return model.SerializeToString(), output
