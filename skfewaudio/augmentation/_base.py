"""What every augmentation is, and how several are applied."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from sklearn.base import BaseEstimator

# From spectrograms, targets and a generator to spectrograms and targets of the same shapes.
Method = Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


class Augmentation(BaseEstimator, ABC):
    """A random change of training clips.

    To make one, derive from this class, store parameters in ``__init__`` as in any scikit-learn estimator,
    and write :meth:`apply`. A function of the same arguments serves as well, but for what comes of the
    parameters: ``repr``, ``clone``, ``set_params``, and a search over them.

    See Also
    --------
    augment : Applies one or several.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import Augmentation
    >>> class Louder(Augmentation):
    ...     def __init__(self, decibels=6.0):
    ...         self.decibels = decibels
    ...
    ...     def apply(self, spectrograms, targets, generator):
    ...         gain = torch.rand(len(spectrograms), 1, 1, generator=generator, device=spectrograms.device)
    ...         return spectrograms + self.decibels * gain, targets
    >>> louder, _ = Louder()(torch.zeros(2, 64, 100), torch.eye(2), torch.Generator().manual_seed(0))
    >>> louder.shape
    torch.Size([2, 64, 100])
    """

    _parameter_constraints: dict[str, list[Any]] = {}

    @property
    def takes_vectors(self) -> bool:
        """Whether feature vectors, as spectrograms of one frame, can be changed in this way."""
        return False

    def __call__(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Change each clip of a batch in its own way.

        Parameters
        ----------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Of type float32.
        targets : tensor of shape (n_clips, n_outputs)
            Probabilities of the classes, or indicators of labels, of a floating type.
        generator : torch.Generator
            Where all that is random is drawn from, on the tensors' device.

        Returns
        -------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Of type float32. What was given stays as it was.
        targets : tensor of shape (n_clips, n_outputs)
            Those given, unless the method mixes clips.

        Raises
        ------
        ValueError
            If a parameter, a tensor or the generator cannot be used.
        """
        self._validate_params()
        _check_batch(spectrograms, targets, generator)
        return self.apply(spectrograms, targets, generator)

    @abstractmethod
    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Do what the method does, to a batch that has been checked.

        Parameters
        ----------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Not to be changed in place.
        targets : tensor of shape (n_clips, n_outputs)
            Nor these.
        generator : torch.Generator
            Where all that is random is drawn from.

        Returns
        -------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        targets : tensor of shape (n_clips, n_outputs)
        """


def check_augmentation(augmentation: Method | Sequence[Method] | None) -> list[Method]:
    """Give what is to be applied, in order, for an `augmentation` parameter.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        As the user gave it.

    Returns
    -------
    list of callable
        Empty for None.

    Raises
    ------
    TypeError
        If something cannot be called, or is a class instead of an instance of it.

    Examples
    --------
    >>> from skfewaudio.augmentation import MixUp, TimeShift, check_augmentation
    >>> check_augmentation([TimeShift(), MixUp()])
    [TimeShift(), MixUp()]
    >>> check_augmentation(None)
    []
    """
    if augmentation is None:
        return []
    methods: list[Any] = list(augmentation) if isinstance(augmentation, list | tuple) else [augmentation]
    for method in methods:
        if isinstance(method, type):
            raise TypeError(
                f"augmentation has the class {method.__name__}; give an instance: {method.__name__}()"
            )
        if not callable(method):
            raise TypeError(
                f"augmentation has {method!r}, which cannot be called; expected an Augmentation such as "
                "MixUp(), a function (spectrograms, targets, generator) -> (spectrograms, targets), or a "
                "list of these"
            )
    return methods


def augment(
    augmentation: Method | Sequence[Method] | None,
    spectrograms: torch.Tensor,
    targets: torch.Tensor,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Change a batch of clips by one method, or by several in order.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        None changes nothing.
    spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        Of type float32.
    targets : tensor of shape (n_clips, n_outputs)
        Probabilities of the classes, or indicators of labels, of a floating type.
    generator : torch.Generator
        Where all that is random is drawn from, on the tensors' device.

    Returns
    -------
    spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        Of type float32.
    targets : tensor of shape (n_clips, n_outputs)
        Those given, unless a method mixes clips.

    Raises
    ------
    TypeError
        If something in `augmentation` is no method.
    ValueError
        If a parameter, a tensor or the generator cannot be used, or a method changes a tensor's shape or
        type.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import MixUp, TimeShift, augment
    >>> spectrograms, targets = torch.zeros(4, 64, 100), torch.eye(4)
    >>> generator = torch.Generator().manual_seed(0)
    >>> spectrograms, mixed = augment([TimeShift(), MixUp()], spectrograms, targets, generator)
    >>> mixed.sum(dim=1)
    tensor([1., 1., 1., 1.])
    """
    for method in check_augmentation(augmentation):
        _check_batch(spectrograms, targets, generator)
        changed, changed_targets = method(spectrograms, targets, generator)
        _check_kept(method, "spectrograms", spectrograms, changed)
        _check_kept(method, "targets", targets, changed_targets)
        spectrograms, targets = changed, changed_targets
    return spectrograms, targets


def _check_kept(method: Method, name: str, given: torch.Tensor, changed: torch.Tensor) -> None:
    """Check what a method gave."""
    if changed.shape != given.shape or changed.dtype != given.dtype:
        raise ValueError(
            f"{method!r} gave {name} of shape {tuple(changed.shape)} and type {changed.dtype}; expected "
            f"{tuple(given.shape)} and {given.dtype}, as it was given"
        )


def _check_batch(spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> None:
    """Check what a method is given."""
    if spectrograms.ndim != 3 or not spectrograms.numel() or spectrograms.dtype != torch.float32:
        raise ValueError(
            f"spectrograms have shape {tuple(spectrograms.shape)} and type {spectrograms.dtype}; expected "
            "(n_clips, n_mels, n_frames), none of them 0, and torch.float32"
        )
    if targets.ndim != 2 or len(targets) != len(spectrograms) or not targets.is_floating_point():
        raise ValueError(
            f"targets have shape {tuple(targets.shape)} and type {targets.dtype}; expected "
            f"({len(spectrograms)}, n_outputs), one row a spectrogram, and floats: for class numbers, "
            "torch.nn.functional.one_hot(targets, n_outputs).float()"
        )
    if {targets.device.type, generator.device.type} != {spectrograms.device.type}:
        raise ValueError(
            f"spectrograms are on {spectrograms.device}, targets on {targets.device} and the generator on "
            f"{generator.device}; put all on one device"
        )
