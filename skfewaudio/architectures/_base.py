"""What every architecture offers."""

from collections.abc import Callable

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
    """

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
