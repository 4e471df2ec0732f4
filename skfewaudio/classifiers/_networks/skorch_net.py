"""skorch's net for clips: its training, and the parameters that go into it."""

from contextlib import suppress
from typing import Any

import torch
from skorch import NeuralNet
from skorch.hf import AccelerateMixin
from torch import nn
from torch.utils.data import Dataset

from skfewaudio.architectures import Architecture


class StopTraining(Exception):  # noqa: N818, a signal and no error
    """Raised by a callback at the end of an epoch: the training is over."""


class ClipNet(NeuralNet):
    """skorch's net, with its two uses of KeyboardInterrupt kept apart.

    skorch's callbacks end a training by raising it, and its ``fit`` also swallows the user's. Here the
    callbacks' becomes `StopTraining`, and Ctrl-C ends the program as it should.

    Parameters
    ----------
    mixed_precision : bool
        Whether matrix products are made in bfloat16.
    """

    def __init__(self, *args: Any, mixed_precision: bool = False, **kwargs: Any) -> None:
        self.mixed_precision = mixed_precision
        super().__init__(*args, **kwargs)

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Call the callbacks; at the end of an epoch an interruption is a callback's."""
        try:
            super().notify(method_name, **kwargs)
        except KeyboardInterrupt as interruption:
            if method_name != "on_epoch_end":
                raise
            raise StopTraining from interruption

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        """Give the module's output in single precision, whatever it was computed in."""
        with autocast(torch.device(self.device), self.mixed_precision):
            output = super().infer(x, **fit_params)
        return output.float()

    def train(self, batches: Dataset) -> None:
        """Run the epochs until they are over or a callback stops them."""
        self.notify("on_train_begin", X=batches, y=None)
        with suppress(StopTraining):
            self.fit_loop(batches)
        self.notify("on_train_end", X=batches, y=None)


class AcceleratedClipNet(AccelerateMixin, ClipNet):
    """A ClipNet that several processes train together, each on its share of every batch.

    The batches come as shares already, on the process's device; Accelerate does the rest.
    """

    accelerator: Any
    _criteria: list[str]

    def _initialize_accelerator(self) -> "AcceleratedClipNet":
        """Prepare the network; a loss learns nothing, which torch's distribution refuses to wrap."""
        criteria, self._criteria = self._criteria, []
        super()._initialize_accelerator()
        self._criteria = criteria
        self.criterion_.to(self.accelerator.device)
        return self

    def get_iterator(self, *args: Any, **kwargs: Any) -> Any:
        """Give the batches as they are: Accelerate would part them again."""
        return ClipNet.get_iterator(self, *args, **kwargs)

    def infer(self, x: torch.Tensor, **fit_params: Any) -> torch.Tensor:
        """Give the module's output in single precision; its context is Accelerate's."""
        return NeuralNet.infer(self, x, **fit_params).float()

    def train_step(self, batch: Any, **fit_params: Any) -> dict[str, Any]:
        """Update the network, and give the mean of the processes' losses, so that all stop at once."""
        step = super().train_step(batch, **fit_params)
        step["loss"] = self.accelerator.reduce(step["loss"].detach(), "mean")
        return step

    def on_train_end(self, *args: Any, **kwargs: Any) -> Any:
        """Let go of the processes, which a pickle cannot hold."""
        super().on_train_end(*args, **kwargs)
        device = self.accelerator.device
        self.device = device if device.type != "cpu" else "cpu"  # "cpu:0" is no place to unpickle to
        self.accelerator = None
        return self


def autocast(device: torch.device, enabled: bool) -> torch.autocast:
    """Give a context in which matrix products are made in bfloat16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=enabled)


def parameter_groups(
    network: nn.Module, *, weight_decay: float, backbone_learning_rate: float | None, prefix: str = ""
) -> list[tuple[str, dict[str, float]]]:
    """Give skorch's ``optimizer__param_groups``: which parameter decays, and which learns at another rate.

    Kernels alone decay, not offsets and scales. The backbone is all but an architecture's last layer; where
    its rate is 0, it is frozen.

    Raises
    ------
    ValueError
        If the backbone of a module that is no Architecture is asked for.
    """
    if backbone_learning_rate is not None and not isinstance(network, Architecture):
        raise ValueError(
            f"backbone_learning_rate={backbone_learning_rate} needs an Architecture, whose last layer is "
            f"known; got a {type(network).__name__}"
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
