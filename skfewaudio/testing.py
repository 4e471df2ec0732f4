"""Checks for authors of plugins: contracts of architectures, embeddings and datasets.

Each function raises `AssertionError` with the broken rule and the observed value. Call the functions in a
test of your package, with any test framework.
"""

import pickle
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from numpy.typing import NDArray
from sklearn.base import clone
from torch import nn

from skfewaudio._torch_state import own_state
from skfewaudio.architectures import Architecture, check_architecture_choice
from skfewaudio.audio import load_audio
from skfewaudio.datasets import AudioDataset
from skfewaudio.plugins import DATASETS, EMBEDDINGS

__all__ = ["ARCHITECTURE_CHECKS", "check_architecture", "check_dataset", "check_embedding"]

Build = Callable[[], nn.Module]
N_OUTPUTS = 3
# Relative and absolute tolerances. The batch may change the order of summation in single precision; the form
# of the input (array, list or paths) must not.
CLOSE, EXACT = (1e-4, 1e-5), (1e-6, 1e-6)


def check_architecture(
    architecture: str | Callable[..., nn.Module],
    *,
    n_mels: int = 64,
    n_frames: int = 96,
    architecture_params: Mapping[str, Any] | None = None,
) -> None:
    """Check that an architecture can be used by `SkorchCNN` and `PrototypicalClassifier`.

    Parameters
    ----------
    architecture : str, class or callable
        Registered name, or a builder that is called with ``n_outputs``, ``n_mels=`` and ``n_frames=``.
    n_mels : int, default=64
        Mel bands of the patches; 1 for networks on waveforms.
    n_frames : int, default=96
        Frames of a patch, or samples for networks on waveforms.
    architecture_params : mapping, default=None
        Further arguments of the builder.

    Raises
    ------
    AssertionError
        If a rule of the contract is broken: one row of outputs per patch, outputs that do not depend on the
        other patches of a batch when predicting, finite outputs and gradients, initial weights that depend on
        torch's seed alone, and a state dict that restores the network.

    Examples
    --------
    >>> from skfewaudio.testing import check_architecture
    >>> check_architecture("vgg", n_mels=64, n_frames=64, architecture_params={"n_filters": 4})
    """
    builder = check_architecture_choice(architecture)

    def build() -> nn.Module:
        with own_state(0, torch.device("cpu")):
            return builder(N_OUTPUTS, n_mels=n_mels, n_frames=n_frames, **(architecture_params or {}))

    with own_state(0, torch.device("cpu")):
        x = torch.randn(3, 1, n_mels, n_frames)
        for check in ARCHITECTURE_CHECKS.values():
            check(build, x)


def _check_outputs(build: Build, x: torch.Tensor) -> None:
    """Check that the network returns one row of outputs per patch."""
    network = build()
    _require(isinstance(network, nn.Module), f"the builder returned a {type(network).__name__}, not a Module")
    outputs = network.eval()(x)
    n_outputs = getattr(network, "n_outputs", N_OUTPUTS)
    _require(
        outputs.shape == (len(x), n_outputs),
        f"outputs have shape {tuple(outputs.shape)}; expected one row per patch, {(len(x), n_outputs)}",
    )


def _check_embedding_layer(build: Build, x: torch.Tensor) -> None:
    """Check that forward is the output layer applied to embed."""
    network = build().eval()
    if isinstance(network, Architecture):
        _require_close(network(x), network.output(network.embed(x)), "forward(x) is not output(embed(x))")


def _check_gradients(build: Build, x: torch.Tensor) -> None:
    """Check that every trainable parameter has a finite gradient."""
    network = build().train()
    network(x[:2]).square().sum().backward()
    for name, parameter in network.named_parameters():
        if parameter.requires_grad:
            _require(
                parameter.grad is not None and bool(parameter.grad.abs().sum() > 0),
                f"no gradient reaches the parameter {name}; freeze it with requires_grad_(False)",
            )
            _require_finite(parameter.grad, f"gradient of {name}")


def _check_single_patch(build: Build, x: torch.Tensor) -> None:
    """Check that outputs do not depend on the other patches of the batch."""
    network = build().eval()
    _require_close(network(x[:1]), network(x)[:1], "outputs of a patch depend on the rest of its batch")


def _check_silence(build: Build, x: torch.Tensor) -> None:
    """Check that outputs for silence are finite in training mode."""
    _require_finite(build().train()(torch.zeros_like(x[:2])), "outputs for silence in training mode")


def _check_state_dict(build: Build, x: torch.Tensor) -> None:
    """Check that the state dict restores the network."""
    network, other = build().eval(), build().eval()
    for parameter in other.parameters():
        nn.init.ones_(parameter)
    other.load_state_dict(network.state_dict())
    _require_close(other(x), network(x), "the state dict does not restore the network")


def _check_seed(build: Build, x: torch.Tensor) -> None:
    """Check that initial weights depend only on torch's seed."""
    first, second = build().state_dict(), build().state_dict()
    different = [name for name in first if not torch.equal(first[name], second[name])]
    _require(not different, f"with one seed of torch, initial weights differ: {', '.join(different)}")


ARCHITECTURE_CHECKS: dict[str, Callable[[Build, torch.Tensor], None]] = {
    "outputs": _check_outputs,
    "embedding layer": _check_embedding_layer,
    "gradients": _check_gradients,
    "single patch": _check_single_patch,
    "silence": _check_silence,
    "state dict": _check_state_dict,
    "seed": _check_seed,
}


def check_embedding(embedding: Any, *, sample_rate: int = 16000, duration: float = 1.0) -> None:
    """Check that a transformer of waveforms embeds each clip as one vector, in every form of input.

    Parameters
    ----------
    embedding : str or transformer
        Registered name of an embedding, or an unfitted transformer whose ``sample_rate`` is the given one.
    sample_rate : int, default=16000
        In Hz.
    duration : float, default=1.0
        Length of the longest test clip in seconds.

    Raises
    ------
    AssertionError
        If a rule of the contract is broken: one row of floats per clip; the same row for an array, a list of
        arrays and a list of paths, for a clip alone and in a batch, and after pickling and cloning; finite
        values for silence and very short clips; one feature name per column.
    """
    transformer = EMBEDDINGS.get(embedding)() if isinstance(embedding, str) else embedding
    n_samples = round(duration * sample_rate)
    X = 0.1 * np.random.default_rng(0).standard_normal((3, n_samples)).astype(np.float32)
    fitted = clone(transformer).fit(X)
    rows = fitted.transform(X)
    _require(
        isinstance(rows, np.ndarray) and rows.ndim == 2 and len(rows) == len(X),
        f"transform returned {_describe(rows)}; expected an array of shape ({len(X)}, n_dimensions)",
    )
    _require(rows.dtype.kind == "f", f"embeddings have dtype {rows.dtype}; expected floats")
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder) / f"{i}.wav") for i in range(len(X))]
        for path, clip in zip(paths, X, strict=True):
            soundfile.write(path, clip, sample_rate, subtype="FLOAT")
        exact = {
            "a list of arrays": lambda: fitted.transform(list(X)),
            "a list of paths": lambda: fitted.transform(paths),
            "a pickled copy": lambda: pickle.loads(pickle.dumps(fitted)).transform(X),
            "a clone": lambda: clone(transformer).fit(X).transform(X),
        }
        for name, compute in exact.items():
            _require_close(compute(), rows, f"embeddings of {name} differ from an array's", EXACT)
    alone = np.vstack([fitted.transform(X[i : i + 1]) for i in range(len(X))])
    _require_close(alone, rows, "the embedding of a clip depends on the rest of its batch")
    short = [np.zeros(n_samples, dtype=np.float32), X[0, :2], X[1, : n_samples // 3]]
    _require_finite(fitted.transform(short), "embeddings of silence and of short clips")
    if hasattr(fitted, "get_feature_names_out"):
        n_names = len(fitted.get_feature_names_out())
        _require(n_names == rows.shape[1], f"{n_names} feature names for {rows.shape[1]} columns")


def check_dataset(dataset: str | Callable[..., AudioDataset], **options: Any) -> None:
    """Check that a loader returns a complete dataset whose folds or groups prevent leakage.

    Parameters
    ----------
    dataset : str or callable
        Registered name of a dataset, or its loader.
    **options
        Arguments of the loader, such as ``data_home``.

    Raises
    ------
    AssertionError
        If a rule of the contract is broken: an :class:`~skfewaudio.datasets.AudioDataset`; a name and a
        licence; the same clips and labels on every call; files that exist, the first of which can be read at
        the stated sample rate; at least two classes or one label; and folds or groups, by which `make_cv` can
        split.
    """
    load = DATASETS.get(dataset) if isinstance(dataset, str) else dataset
    loaded = load(**options)
    _require(
        isinstance(loaded, AudioDataset), f"the loader returned {_describe(loaded)}, not an AudioDataset"
    )
    for field in ("name", "licence"):
        _require(bool(getattr(loaded, field)), f"the dataset has no {field}")
    again = load(**options)
    _require(np.array_equal(loaded.y, again.y), "a second call returns other labels")
    if isinstance(loaded.X[0], str):
        _require(loaded.X == again.X, "a second call returns other paths")
        missing = [path for path in loaded.paths if not Path(path).is_file()]
        _require(not missing, f"{len(missing)} files do not exist, such as {missing[:1]}")
        samples = load_audio(loaded.paths[0], sample_rate=loaded.sample_rate)
        _require(len(samples) > 0, f"{loaded.paths[0]} holds no samples")
    least = 1 if loaded.label_names is not None else 2
    _require(len(loaded.target_names) >= least, f"the dataset has the classes {loaded.target_names} only")
    _require(
        loaded.folds is not None or loaded.groups is not None,
        "the dataset has neither folds nor groups; without them, clips of one recording may be on both sides "
        "of a split",
    )
    groups = loaded.groups if loaded.folds is None else None  # published folds already separate recordings
    n_splits = sum(1 for _ in loaded.make_cv().split(loaded.X, loaded.y, groups))
    _require(n_splits >= 1, "make_cv() yields no split")


def _require(condition: bool, message: str) -> None:
    """Raise AssertionError unless the condition holds."""
    if not condition:
        raise AssertionError(message)


def _require_close(found: Any, expected: Any, message: str, tolerance: tuple[float, float] = CLOSE) -> None:
    """Raise AssertionError unless shapes are equal and values close."""
    a, b = _to_array(found), _to_array(expected)
    _require(a.shape == b.shape, f"{message}: shapes {a.shape} and {b.shape}")
    worst = float(np.abs(a - b).max(initial=0))
    _require(np.allclose(a, b, *tolerance), f"{message}, by up to {worst:.3g}")


def _require_finite(values: Any, name: str) -> None:
    """Raise AssertionError if a value is NaN or infinite."""
    array = _to_array(values)
    _require(bool(np.isfinite(array).all()), f"{name}: NaN or infinity among the values")


def _to_array(values: Any) -> NDArray:
    """Convert a tensor or array-like to an array."""
    return values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _describe(obj: Any) -> str:
    """Describe the type and shape of an object."""
    shape = f" of shape {obj.shape}" if hasattr(obj, "shape") else ""
    return f"a {type(obj).__name__}{shape}"
