"""What every architecture offers."""

from collections.abc import Callable, Mapping

import torch
from torch import nn

from skfewaudio.plugins import ARCHITECTURES


class Architecture(nn.Module):
    """Base class of the networks: an embedding, then one linear layer.

    Parameters
    ----------
    n_outputs : int
        Units of the last layer: classes, or the size of a prototypical network's space.
    n_mels : int
        Mel bands of a patch.
    n_frames : int
        Frames of a patch.

    Notes
    -----
    A subclass sets two modules. ``output`` is the last layer, and ``trunk`` all before it. Where the first
    part of the trunk learns nothing from labels, it goes into the sequence ``front_end`` instead, whose
    output for a patch does not change while the network trains: a classifier computes it once for each.

    The class attribute ``patch_frames`` is the length of patch, in frames, that a network was designed for;
    None where any will do.
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
        """Give the activations before the last layer.

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
        """Give the outputs of the last layer.

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
    """Give the class or function that builds an architecture.

    Parameters
    ----------
    architecture : str, class or callable
        A registered name, or what it stands for.

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
    """Give a network's front-end that learns nothing, if it has one, and all that follows it.

    Parameters
    ----------
    network : torch.nn.Module
        An :class:`Architecture`, or any module.

    Returns
    -------
    front_end : torch.nn.Sequential or None
        Layers whose output for a patch training does not change.
    rest : torch.nn.Module
        What is applied to that output, or to the patch itself.
    """
    if isinstance(network, Architecture) and len(network.front_end):
        return network.front_end, nn.Sequential(network.trunk, network.output)
    return None, network


def load_backbone(network: nn.Module, state: Mapping[str, torch.Tensor], *, source: str) -> None:
    """Copy trained weights into all of a network but its last layer, which keeps its own.

    Parameters
    ----------
    network : torch.nn.Module
        An :class:`Architecture`, or a module whose last layer has the name ``output``. Changed in place.
    state : mapping of str to tensor
        A state dict of the same architecture, whose names may lack the leading ``"trunk."``. What it holds
        of the last layer (``"output."``) is passed over. Counts of batches may be missing.
    source : str
        Where the weights come from; errors name it.

    Raises
    ------
    ValueError
        If a tensor is missing, unexpected or of another shape or kind. The network is then unchanged.

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
        "unfit": [_misfit(name, found[name], tensor) for name, tensor in own.items() if name in found],
    }
    told = [f"{kind}: {_first_few(texts)}" for kind, texts in problems.items() if any(texts)]
    if told:
        kind = type(network).__name__
        raise ValueError(f"{source} does not hold the weights of this {kind}; {'; '.join(told)}")
    with torch.no_grad():
        for name, tensor in found.items():
            own[name].copy_(tensor)


def _is_head(name: str) -> bool:
    """Tell whether a name in a state dict belongs to the last layer."""
    return name.startswith("output.")


def _misfit(name: str, found: object, expected: torch.Tensor) -> str:
    """Say why a tensor cannot be copied into another; empty if it can."""
    if not isinstance(found, torch.Tensor):
        return f"{name} is a {type(found).__name__}, expected a tensor"
    if found.shape != expected.shape:
        return f"{name} has shape {tuple(found.shape)}, expected {tuple(expected.shape)}"
    if found.is_floating_point() != expected.is_floating_point():
        return f"{name} is of {found.dtype}, expected {expected.dtype}"
    return ""


def _first_few(texts: list[str], n_shown: int = 3) -> str:
    """List some texts that are not empty, and count those left out."""
    texts = [text for text in texts if text]
    left_out = len(texts) - n_shown
    return ", ".join(texts[:n_shown]) + (f" and {left_out} more" if left_out > 0 else "")


def check_patch_size(name: str, patch: tuple[int, int], smallest: tuple[int, int]) -> None:
    """Refuse (bands, frames) of a patch that a network's layers would use up."""
    if patch[0] < smallest[0] or patch[1] < smallest[1]:
        raise ValueError(
            f"patches of {patch[0]} bands x {patch[1]} frames are too small for {name}; give it at least "
            f"{smallest[0]} x {smallest[1]}"
        )


def flat_size(module: nn.Module, *shape: int) -> int:
    """Count the features that a module gives for one patch, without disturbing its state."""
    was_training = module.training
    module.eval()
    with torch.no_grad():
        n_features = module(torch.zeros(1, *shape)).shape[1]
    module.train(was_training)
    return n_features


def n_parameters(module: nn.Module) -> int:
    """Count what a module learns.

    Parameters
    ----------
    module : torch.nn.Module
        Any module.

    Returns
    -------
    int
        Trainable numbers; statistics of batch normalisation are none.

    Examples
    --------
    >>> from torch import nn
    >>> from skfewaudio.architectures import n_parameters
    >>> n_parameters(nn.Linear(3, 2))
    8
    """
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
