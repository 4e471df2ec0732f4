"""Conversion of VGGish's TensorFlow checkpoint to the names and the layout of the PyTorch port."""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from skfewaudio.exceptions import WeightsNotFoundError

# Names of the layers in the authors' checkpoint and in the PyTorch port.
LAYERS = {
    "vggish/conv1": "features.0",
    "vggish/conv2": "features.3",
    "vggish/conv3/conv3_1": "features.6",
    "vggish/conv3/conv3_2": "features.8",
    "vggish/conv4/conv4_1": "features.11",
    "vggish/conv4/conv4_2": "features.13",
    "vggish/fc1/fc1_1": "embeddings.0",
    "vggish/fc1/fc1_2": "embeddings.2",
    "vggish/fc2": "embeddings.4",
}
TENSORS = {"weights": "weight", "biases": "bias"}
# From (height, width, in, out) to (out, in, height, width), and from (in, out) to (out, in).
AXES = {4: (3, 2, 0, 1), 2: (1, 0)}


def convert_checkpoint(prefix: Path) -> dict[str, torch.Tensor]:
    """Convert a checkpoint of VGGish with tensorflow.

    Parameters
    ----------
    prefix : Path
        Common prefix of the checkpoint's files (V2), or its single file (V1).

    Returns
    -------
    dict of str to torch.Tensor
        State dict of the PyTorch port.

    Raises
    ------
    ImportError
        If tensorflow is not installed.
    WeightsNotFoundError
        If the checkpoint belongs to another network.
    """
    try:
        tf = import_module("tensorflow")
    except ImportError as error:
        raise ImportError(
            f'{prefix} is a TensorFlow checkpoint: pip install "skfewaudio[tensorflow]" to read it, or give '
            "the weights as .safetensors or .pth"
        ) from error
    reader = tf.train.load_checkpoint(str(prefix))
    return {
        f"{ours}.{our_kind}": _read_tensor(reader, f"{theirs}/{their_kind}", prefix)
        for theirs, ours in LAYERS.items()
        for their_kind, our_kind in TENSORS.items()
    }


def _read_tensor(reader: Any, name: str, prefix: Path) -> torch.Tensor:
    """Read one tensor and transpose it to torch's order of axes."""
    if not reader.has_tensor(name):
        held = sorted(reader.get_variable_to_shape_map())
        raise WeightsNotFoundError(
            f"{prefix} has no tensor {name}, but {', '.join(held[:5]) or 'none at all'}: expected the "
            "published checkpoint of VGGish"
        )
    array = reader.get_tensor(name)
    return torch.from_numpy(np.ascontiguousarray(array.transpose(AXES.get(array.ndim)), dtype=np.float32))
