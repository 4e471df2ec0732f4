"""Base class of augmentations, and functions that check and apply them."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from sklearn.base import BaseEstimator

from skfewaudio._documentation import DocumentedMixin

#: An :class:`Augmentation`, or a function with the same arguments and results as :meth:`Augmentation.apply`.
AugmentationLike = Callable[[torch.Tensor, torch.Tensor, torch.Generator], tuple[torch.Tensor, torch.Tensor]]


class Augmentation(DocumentedMixin, BaseEstimator, ABC):
    """Base class of random modifications of training clips.

    A subclass stores its parameters in ``__init__`` as any scikit-learn estimator does, and implements
    :meth:`apply`. A function with the same arguments works too, but has no ``repr``, ``clone`` or
    ``set_params``, and its parameters cannot be searched.

    See Also
    --------
    augment : Apply one or several augmentations to a batch.

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
        """Whether the augmentation also applies to feature vectors, passed as spectrograms of one frame."""
        return False

    def __call__(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Apply the augmentation to each clip of a batch, with its own random numbers.

        Parameters
        ----------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Spectrograms of type float32. They are not modified in place.
        targets : tensor of shape (n_clips, n_outputs)
            Class probabilities or label indicators, of a floating-point type.
        generator : torch.Generator
            Source of all random numbers, on the device of the tensors.

        Returns
        -------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Augmented spectrograms of type float32.
        targets : tensor of shape (n_clips, n_outputs)
            Targets of the augmented spectrograms; unchanged unless clips are mixed.

        Raises
        ------
        ValueError
            If a parameter is invalid, or a tensor or the generator is unsuitable.
        """
        self._validate_params()
        _check_batch(spectrograms, targets, generator)
        return self.apply(spectrograms, targets, generator)

    @abstractmethod
    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Apply the augmentation to a batch that has been checked.

        Parameters
        ----------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
            Must not be modified in place.
        targets : tensor of shape (n_clips, n_outputs)
            Must not be modified in place.
        generator : torch.Generator
            Source of all random numbers.

        Returns
        -------
        spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        targets : tensor of shape (n_clips, n_outputs)
        """


def check_augmentation(
    augmentation: AugmentationLike | Sequence[AugmentationLike] | None,
) -> list[AugmentationLike]:
    """Check an `augmentation` parameter and return its augmentations as a list.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        The parameter as the user set it.

    Returns
    -------
    list of callable
        The augmentations in order; empty for None.

    Raises
    ------
    TypeError
        If `augmentation` contains an object that is not callable, or a class instead of an instance.

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
    augmentations: list[Any] = (
        list(augmentation) if isinstance(augmentation, list | tuple) else [augmentation]
    )
    for each in augmentations:
        if isinstance(each, type):
            raise TypeError(
                f"augmentation has the class {each.__name__}; give an instance: {each.__name__}()"
            )
        if not callable(each):
            raise TypeError(
                f"augmentation has {each!r}, which cannot be called; expected an Augmentation such as "
                "MixUp(), a function (spectrograms, targets, generator) -> (spectrograms, targets), or a "
                "list of these"
            )
    return augmentations


def check_classifier_augmentation(augmentation: Any, *, for_vectors: bool) -> list[AugmentationLike]:
    """Check the `augmentation` parameter of a classifier against the kind of its input.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        The parameter as the user set it.
    for_vectors : bool
        Whether the classifier is fitted on feature vectors instead of spectrograms.

    Returns
    -------
    list of callable
        The augmentations in order; empty for None.

    Raises
    ------
    TypeError
        If `augmentation` contains an object that is not callable, or a class instead of an instance.
    ValueError
        If an augmentation applies to spectrograms only and the classifier is fitted on feature vectors.

    Examples
    --------
    >>> from skfewaudio.augmentation import MixUp, check_classifier_augmentation
    >>> check_classifier_augmentation(MixUp(), for_vectors=True)
    [MixUp()]
    """
    augmentations = check_augmentation(augmentation)
    for each in augmentations:
        if for_vectors and isinstance(each, Augmentation) and not each.takes_vectors:
            raise ValueError(
                f"augmentation has {each!r}, which changes spectrograms, and X holds feature vectors; take "
                "MixUp(), or give spectrograms of shape (n_clips, n_mels, n_frames)"
            )
    return augmentations


def augment(
    augmentation: AugmentationLike | Sequence[AugmentationLike] | None,
    spectrograms: torch.Tensor,
    targets: torch.Tensor,
    generator: torch.Generator,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Apply one augmentation, or several in order, to a batch of clips.

    Parameters
    ----------
    augmentation : Augmentation, callable, list of these, or None
        Augmentations to apply. None returns the batch unchanged.
    spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        Spectrograms of type float32.
    targets : tensor of shape (n_clips, n_outputs)
        Class probabilities or label indicators, of a floating-point type.
    generator : torch.Generator
        Source of all random numbers, on the device of the tensors.

    Returns
    -------
    spectrograms : tensor of shape (n_clips, n_mels, n_frames)
        Augmented spectrograms of type float32.
    targets : tensor of shape (n_clips, n_outputs)
        Targets of the augmented spectrograms; unchanged unless clips are mixed.

    Raises
    ------
    TypeError
        If `augmentation` contains an object that is not callable, or a class instead of an instance.
    ValueError
        If a parameter is invalid, a tensor or the generator is unsuitable, or an augmentation changes the
        shape or type of a tensor.

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
    for each in check_augmentation(augmentation):
        _check_batch(spectrograms, targets, generator)
        changed, changed_targets = each(spectrograms, targets, generator)
        _check_output(each, "spectrograms", spectrograms, changed)
        _check_output(each, "targets", targets, changed_targets)
        spectrograms, targets = changed, changed_targets
    return spectrograms, targets


def _check_output(
    augmentation: AugmentationLike, name: str, given: torch.Tensor, changed: torch.Tensor
) -> None:
    """Check that an augmentation kept the shape and the type of a tensor."""
    if changed.shape != given.shape or changed.dtype != given.dtype:
        raise ValueError(
            f"{augmentation!r} gave {name} of shape {tuple(changed.shape)} and type {changed.dtype}; "
            f"expected {tuple(given.shape)} and {given.dtype}, as it was given"
        )


def _check_batch(spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator) -> None:
    """Check the arguments of an augmentation."""
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
