"""Base class of the architectures, and functions for weights and sizes."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from skfewaudio.plugins import ARCHITECTURES


class Architecture(nn.Module):
    """Base class of networks that consist of an embedding and an output layer.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer: the number of classes, or the dimension of a prototypical
        network's embedding space.
    n_mels : int
        Number of mel bands in a patch.
    n_frames : int
        Number of frames in a patch.

    Notes
    -----
    A subclass sets two modules: ``output``, the output layer, and ``trunk``, all layers before it. Initial
    layers that are not trained can be placed in the sequence ``front_end``, which precedes ``trunk``. Their
    output for a patch does not change during training, so a classifier computes it only once per patch.

    The class attribute ``patch_frames`` is the patch length, in frames, that the network was designed for.
    None means that the network has no preferred length.
    """

    patch_frames: int | None = None
    front_end: nn.Sequential
    trunk: nn.Module
    output: nn.Module

    def __init__(self, n_outputs: int, n_mels: int, n_frames: int) -> None:
        super().__init__()
        self.n_outputs = n_outputs
        self.n_mels = n_mels
        self.n_frames = n_frames
        self.front_end = nn.Sequential()

    def embed(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the embedding, the activations before the output layer.

        Parameters
        ----------
        x : tensor of shape (batch, 1, n_mels, n_frames)
            Patches.

        Returns
        -------
        tensor of shape (batch, n_features)
        """
        return self.trunk(self.front_end(x))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the outputs of the output layer.

        Parameters
        ----------
        x : tensor of shape (batch, 1, n_mels, n_frames)
            Patches.

        Returns
        -------
        tensor of shape (batch, n_outputs)
        """
        return self.output(self.embed(x))


def check_architecture_choice(architecture: str | Callable[..., nn.Module]) -> Callable[..., nn.Module]:
    """Return the class or function that builds an architecture.

    Parameters
    ----------
    architecture : str, class or callable
        A registered name, or the class or function itself.

    Returns
    -------
    class or callable

    Raises
    ------
    PluginError
        If the name is not registered.
    """
    return ARCHITECTURES.get(architecture) if isinstance(architecture, str) else architecture


def split_front_end(network: nn.Module) -> tuple[nn.Sequential | None, nn.Module]:
    """Split a network into its untrained front-end, if any, and the remaining layers.

    Parameters
    ----------
    network : torch.nn.Module
        An :class:`Architecture`, or any module.

    Returns
    -------
    front_end : torch.nn.Sequential or None
        Layers whose output for a patch does not change during training, or None if there are no such layers.
    rest : torch.nn.Module
        The remaining layers, which are applied to the output of the front-end or to the patch itself.
    """
    if isinstance(network, Architecture) and len(network.front_end):
        return network.front_end, nn.Sequential(network.trunk, network.output)
    return None, network


def load_backbone(network: nn.Module, state: Mapping[str, torch.Tensor], *, source: str) -> None:
    """Load pre-trained weights into all layers of a network except its output layer.

    Parameters
    ----------
    network : torch.nn.Module
        An :class:`Architecture`, or a module whose output layer is named ``output``. Modified in place.
    state : mapping of str to tensor
        A state dict of the same architecture, whose names may lack the prefix ``"trunk."``. Entries of the
        output layer (``"output."``) are ignored. Entries ``num_batches_tracked`` may be missing.
    source : str
        Origin of the weights, used in error messages.

    Raises
    ------
    ValueError
        If a tensor is missing or unexpected, or has another shape or kind of data type. The network is then
        left unchanged.

    Examples
    --------
    >>> from skfewaudio.architectures import SBCNN, load_backbone
    >>> ten, two = SBCNN(10, n_mels=64, n_frames=128), SBCNN(2, n_mels=64, n_frames=128)
    >>> load_backbone(two, ten.state_dict(), source="ten classes")
    """
    own = {name: tensor for name, tensor in network.state_dict().items() if not _is_head(name)}
    targets = {name: name if name in own else f"trunk.{name}" for name in state if not _is_head(name)}
    found = {target: state[name] for name, target in targets.items()}
    problems = {
        "missing": [name for name in own if name not in found and not name.endswith("num_batches_tracked")],
        "unexpected": [name for name, target in targets.items() if target not in own],
        "given twice": [name for name, target in targets.items() if name != target and target in targets],
        "unfit": [
            _describe_mismatch(name, found[name], tensor) for name, tensor in own.items() if name in found
        ],
    }
    messages = [f"{kind}: {_first_few(texts)}" for kind, texts in problems.items() if any(texts)]
    if messages:
        name = type(network).__name__
        raise ValueError(f"{source} does not hold the weights of this {name}; {'; '.join(messages)}")
    with torch.no_grad():
        for name, tensor in found.items():
            own[name].copy_(tensor)


def _is_head(name: str) -> bool:
    """Return whether a name in a state dict belongs to the output layer."""
    return name.startswith("output.")


def _describe_mismatch(name: str, found: object, expected: torch.Tensor) -> str:
    """Return why a tensor cannot be copied into another, or an empty string if it can."""
    if not isinstance(found, torch.Tensor):
        return f"{name} is a {type(found).__name__}, expected a tensor"
    if found.shape != expected.shape:
        return f"{name} has shape {tuple(found.shape)}, expected {tuple(expected.shape)}"
    if found.is_floating_point() != expected.is_floating_point():
        return f"{name} is of {found.dtype}, expected {expected.dtype}"
    return ""


def _first_few(texts: list[str], n_shown: int = 3) -> str:
    """Join the first non-empty texts and count the omitted ones."""
    texts = [text for text in texts if text]
    left_out = len(texts) - n_shown
    return ", ".join(texts[:n_shown]) + (f" and {left_out} more" if left_out > 0 else "")


def check_patch_size(name: str, patch: tuple[int, int], smallest: tuple[int, int]) -> None:
    """Raise if a patch of (bands, frames) is too small for the layers of a network."""
    if patch[0] < smallest[0] or patch[1] < smallest[1]:
        raise ValueError(
            f"patches of {patch[0]} bands x {patch[1]} frames are too small for {name}; give it at least "
            f"{smallest[0]} x {smallest[1]}"
        )


def flat_size(module: nn.Module, *shape: int) -> int:
    """Return the number of features that a module computes for a patch, without changing its state."""
    was_training = module.training
    module.eval()
    with torch.no_grad():
        n_features = module(torch.zeros(1, *shape)).shape[1]
    module.train(was_training)
    return n_features


def n_parameters(module: nn.Module) -> int:
    """Count the trainable parameters of a module.

    Parameters
    ----------
    module : torch.nn.Module
        Any module.

    Returns
    -------
    int
        Number of trainable values. Batch-norm statistics are not counted.

    Examples
    --------
    >>> from torch import nn
    >>> from skfewaudio.architectures import n_parameters
    >>> n_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
