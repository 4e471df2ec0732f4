"""Backends by the scheme of a name, such as ``"onnx"`` in ``"onnx:model.onnx"``."""

from importlib import import_module

from .backend import BackendClass

# Module and class of each; imported when a name first needs it.
SCHEMES: dict[str, tuple[str, str]] = {
    "hf": ("huggingface", "HuggingFaceBackend"),
    "hear": ("hear", "HearBackend"),
    "onnx": ("onnx", "OnnxBackend"),
    "tflite": ("tflite", "TFLiteBackend"),
    "torch": ("torchfile", "TorchBackend"),
    "vggish": ("vggish", "VGGishBackend"),
}
# Whose networks come with code: modules of Python, and programs that torch does not read safely.
RUNS_CODE = frozenset({"hear", "torch"})
# What may be named, for lists.
EXAMPLES = {
    "hf:OWNER/NAME": "network of the Hugging Face Hub, or its folder; needs skfewaudio[huggingface]",
    "hear:MODULE": "installed module of the HEAR challenge",
    "onnx:FILE?sample_rate=RATE": "ONNX file; needs skfewaudio[onnx]",
    "tflite:FILE?sample_rate=RATE": "TensorFlow Lite file; needs skfewaudio[tflite]",
    "torch:FILE?sample_rate=RATE": "TorchScript (.pt) or exported program (.pt2)",
    "vggish:FILE": "weights of VGGish in another file than the published one",
}


def find_backend(scheme: str) -> type[BackendClass]:
    """Return the class of a scheme.

    Parameters
    ----------
    scheme : str
        One of `SCHEMES`.

    Returns
    -------
    class
    """
    module, name = SCHEMES[scheme]
    return getattr(import_module(f".{module}", __package__), name)
