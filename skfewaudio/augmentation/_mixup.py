"""Mixtures of clips."""

from numbers import Real
from typing import Any

import torch
from scipy.special import betaincinv
from sklearn.utils._param_validation import Interval, StrOptions
from torch.nn.functional import logsigmoid

from ._base import Augmentation
from ._decibels import DECIBEL


class MixUp(Augmentation):
    """Mix each clip of a batch with another one, and their targets with the same weights.

    A clip of weight w is mixed with one of weight 1 - w, and its target is w times its own and 1 - w times
    the other's. The others are the clips of the batch in random order, so that some may meet themselves. The
    weights come from the distribution Beta(alpha, alpha).

    Parameters
    ----------
    alpha : float, default=1.0
        Of the distribution of the weights, above 0: 1 draws them evenly from 0 to 1; below, most mixtures are
        nearly one of the clips; above, nearly halves.
    within_class : bool, default=False
        Mix only clips with the same target: of one class, or with exactly the same labels. Targets stay as
        they are, and so do clips whose target no other has.
    domain : {"decibel", "power"}, default="decibel"
        What is mixed. ``"decibel"`` takes the weighted mean of levels, or of whatever numbers there are, as
        [1]_ does. ``"power"`` mixes the sounds, as [2]_ does: the clips are brought to one level, their
        amplitudes weighted by w and 1 - w, and their powers added, so that a mixture of equally loud clips
        is on average as loud as they are. Levels are then taken to be decibels of power, as
        :class:`~skfewaudio.features.LogMel` gives them by default.

    Notes
    -----
    Between two sounds of levels L1 and L2 in dB, [2]_ gives the first the amplitude p and the second 1 - p,
    with p = 1 / (1 + 10^((L1 - L2) / 20) (1 - w) / w), and divides by the root of p^2 + (1 - p)^2. Here the
    level is that of the mean power over all bands and frames, where [2]_ takes the largest A-weighted one of
    a clip, and the sounds' phases are taken to be independent.

    References
    ----------
    .. [1] H. Zhang, M. Cisse, Y. N. Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk minimization",
       ICLR 2018. arXiv:1710.09412.
    .. [2] Y. Tokozume, Y. Ushiku, T. Harada, "Learning from between-class examples for deep sound
       recognition", ICLR 2018. arXiv:1711.10282.

    Examples
    --------
    >>> import torch
    >>> from skfewaudio.augmentation import MixUp
    >>> spectrograms = torch.tensor([-80.0, 0.0])[:, None, None].expand(2, 64, 100)
    >>> mixed, targets = MixUp()(spectrograms, torch.eye(2), torch.Generator().manual_seed(7))
    >>> mixed[:, 0, 0]
    tensor([-42.7938, -64.0957])
    >>> targets
    tensor([[0.5349, 0.4651],
            [0.8012, 0.1988]])
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "alpha": [Interval(Real, 0, None, closed="neither")],
        "within_class": ["boolean"],
        "domain": [StrOptions({"decibel", "power"})],
    }

    def __init__(self, alpha: float = 1.0, *, within_class: bool = False, domain: str = "decibel") -> None:
        self.alpha = alpha
        self.within_class = within_class
        self.domain = domain

    @property
    def takes_vectors(self) -> bool:
        """Whether feature vectors can be mixed, which have no power."""
        return self.domain == "decibel"

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix clips and targets; as :meth:`Augmentation.apply`."""
        weights = draw_weights(len(targets), self.alpha, generator)
        partners = torch.randperm(len(targets), generator=generator, device=generator.device)
        if self.within_class:
            partners = keep_within(targets, partners)
        mix = mix_powers if self.domain == "power" else mix_values
        mixed = mix(spectrograms, spectrograms[partners], weights[:, None, None])
        return mixed, mix_values(targets, targets[partners], weights[:, None].to(targets.dtype))


def draw_weights(n: int, alpha: float, generator: torch.Generator) -> torch.Tensor:
    """Draw from Beta(alpha, alpha), through its distribution function: torch's own takes no generator."""
    drawn = torch.rand(n, generator=generator, device=generator.device)
    if alpha == 1:
        return drawn
    return torch.from_numpy(betaincinv(alpha, alpha, drawn.cpu().double().numpy())).to(drawn)


def keep_within(targets: torch.Tensor, shuffled: torch.Tensor) -> torch.Tensor:
    """Make a random permutation of clips one that permutes those of every target among themselves."""
    groups = targets.unique(dim=0, return_inverse=True)[1]
    partners = torch.empty_like(shuffled)
    # Sorted by group, the clips in their own order and in random order stand group beside group.
    partners[groups.argsort(stable=True)] = shuffled[groups[shuffled].argsort(stable=True)]
    return partners


def mix_values(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Give the weighted mean; of two equal values, exactly that one."""
    return torch.lerp(second, first, weights)


def mix_powers(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mix decibels as powers: amplitudes in the ratio of the weights once both clips are equally loud."""
    first, second = DECIBEL * first, DECIBEL * second
    louder = first.logsumexp(dim=(1, 2), keepdim=True) - second.logsumexp(dim=(1, 2), keepdim=True)
    # Twice the logit of p, whose sigmoid is p^2 / (p^2 + (1 - p)^2), the first clip's share of power.
    ratio = 2 * torch.logit(weights) - louder
    return torch.logaddexp(first + logsigmoid(ratio), second + logsigmoid(-ratio)) / DECIBEL
