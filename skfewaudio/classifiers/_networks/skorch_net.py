"""The skorch net that trains the networks, and its parameter groups."""

from contextlib import suppress
from typing import Any

import torch
from skorch import NeuralNet
from skorch.hf import AccelerateMixin
from torch import nn
from torch.utils.data import Dataset

from skfewaudio.architectures import Architecture


class StopTraining(Exception):  # noqa: N818, a signal, not an error
    """Signal of a callback at the end of an epoch that stops the training."""


class ClipNet(NeuralNet):
    """skorch net that distinguishes two uses of KeyboardInterrupt.

    skorch's callbacks raise it to stop the training, and skorch's ``fit`` also ignores Ctrl-C of the user.
    Here, an interrupt of a callback becomes `StopTraining`, and Ctrl-C ends the program.

    Parameters
    ----------
    mixed_precision : bool
        Whether matrix products are computed in bfloat16.
    """

    def __init__(self, *args: Any, mixed_precision: bool = False, **kwargs: Any) -> None:
        self.mixed_precision = mixed_precision
        super().__init__(*args, **kwargs)

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks; an interrupt at the end of an epoch comes from a callback."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as interruption:
            if method_name != "on_epoch_end":
                raise
            raise StopTraining from interruption

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        """Return the module's output in single precision, also with mixed precision."""
        with autocast(torch.device(self.device), self.mixed_precision):
            output = super().infer(x, **fit_params)
        return output.float()

    def train(self, batches: Dataset) -> None:
        """Run all epochs, unless a callback stops the training."""
        self.notify("on_train_begin", X=batches, y=None)
        with suppress(StopTraining):
            self.fit_loop(batches)
        self.notify("on_train_end", X=batches, y=None)


class AcceleratedClipNet(AccelerateMixin, ClipNet):
    """ClipNet that several processes train together, each on its share of every batch.

    The dataset returns the shares on the device of the process, so Accelerate must not split the batches.
    """

    accelerator: Any
    _criteria: list[str]

    def _initialize_accelerator(self) -> "AcceleratedClipNet":
        """Prepare the network without the loss: torch cannot distribute modules without parameters."""
        criteria, self._criteria = self._criteria, []
        super()._initialize_accelerator()
        self._criteria = criteria
        self.criterion_.to(self.accelerator.device)
        return self

    def get_iterator(self, *args: Any, **kwargs: Any) -> Any:
        """Return the batches unchanged; Accelerate would split them again."""
        return ClipNet.get_iterator(self, *args, **kwargs)

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        """Return the module's output in single precision; Accelerate sets the precision of the module."""
        return NeuralNet.infer(self, x, **fit_params).float()

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Update the network, and return the mean loss of all processes, so that all stop together."""
        step = super().train_step(batch, **fit_params)
        step["loss"] = self.accelerator.reduce(step["loss"].detach(), "mean")
        return step

    def on_train_end(self, *args: Any, **kwargs: Any) -> Any:
        """Release the accelerator, which cannot be pickled."""
        super().on_train_end(*args, **kwargs)
        device = self.accelerator.device
        self.device = device if device.type != "cpu" else "cpu"  # pickles cannot be loaded to "cpu:0"
        self.accelerator = None
        return self


def autocast(device: torch.device, enabled: bool) -> torch.autocast:
    """Return a context in which matrix products are computed in bfloat16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled, cache_enabled=False)


def parameter_groups(
    network: nn.Module, *, weight_decay: float, backbone_learning_rate: float | None, prefix: str = ""
) -> list[tuple[str, dict[str, float]]]:
    """Return skorch's ``optimizer__param_groups``, which set weight decay and the backbone's learning rate.

    Only kernels decay, not biases and scales. The backbone is all layers of an architecture except the output
    layer. A learning rate of 0 freezes it.

    Raises
    ------
    ValueError
        If `backbone_learning_rate` is set and the network is not an Architecture.
    """
    if backbone_learning_rate is not None and not isinstance(network, Architecture):
        raise ValueError(
            f"backbone_learning_rate={backbone_learning_rate} needs an Architecture, whose output layer "
            f"is known; got a {type(network).__name__}"
        )
    groups = []
    for name, parameter in network.named_parameters():
        group: dict[str, float] = (
            {"weight_decay": weight_decay} if weight_decay and parameter.ndim > 1 else {}
        )
        if backbone_learning_rate is not None and not name.startswith("output."):
            group["lr"] = backbone_learning_rate
            parameter.requires_grad_(parameter.requires_grad and backbone_learning_rate > 0)
        if group:
            groups.append((prefix + name, group))
    return groups
