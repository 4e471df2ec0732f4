"""Mixtures of clips."""

from numbers import Real
from typing import Any

import torch
from scipy.special import betaincinv
from sklearn.utils._param_validation import Interval, StrOptions
from torch.nn.functional import logsigmoid

from ._base import Augmentation
from ._decibels import DECIBEL
from ._per_clip import draw


class MixUp(Augmentation):
    """Mix each clip of a batch with another clip, and their targets with the same weights.

    A clip with weight w is mixed with a partner with weight 1 - w, and so are their targets. The partners are
    a random permutation of the batch, so that a clip may be mixed with itself. The weights are drawn from
    Beta(alpha, alpha).

    Parameters
    ----------
    alpha : float, default=1.0
        Parameter of the Beta distribution of the weights, above 0. With 1 the weights are uniform from 0 to
        1. Below 1 most weights are close to 0 or 1, above 1 most are close to 0.5.
    within_class : bool, default=False
        Mix only clips with equal targets: clips of one class, or clips with exactly the same labels. Targets
        do not change. Clips with a unique target are not mixed.
    domain : {"decibel", "power"}, default="decibel"
        Domain of the mixture. ``"decibel"`` computes the weighted mean of the values as they are, as in [1]_.
        ``"power"`` mixes the sounds, as in [2]_: the clips are scaled to the same level, their amplitudes are
        weighted by w and 1 - w, and their powers are added. A mixture of equally loud clips is on average as
        loud as they are. ``"power"`` assumes decibels of power, the default output of
        :class:`~skfewaudio.features.LogMel`.

    Notes
    -----
    To mix two sounds with levels L1 and L2 in dB, [2]_ multiplies the first by p and the second by 1 - p,
    with p = 1 / (1 + 10^((L1 - L2) / 20) (1 - w) / w), and divides by the square root of p^2 + (1 - p)^2.
    Here the level is the mean power over all bands and frames, whereas [2]_ uses the largest A-weighted level
    of the clip. The phases of the sounds are assumed to be independent.

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
        """Whether the mixture applies to feature vectors: True unless powers are mixed."""
        return self.domain == "decibel"

    def apply(
        self, spectrograms: torch.Tensor, targets: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mix clips and targets; see :meth:`Augmentation.apply`."""
        weights = draw_weights(len(targets), self.alpha, generator)
        partners = torch.randperm(len(targets), generator=generator, device=generator.device)
        if self.within_class:
            partners = restrict_to_groups(targets, partners)
        mix = mix_powers if self.domain == "power" else mix_values
        mixed = mix(spectrograms, spectrograms[partners], weights[:, None, None])
        return mixed, mix_values(targets, targets[partners], weights[:, None].to(targets.dtype))


def draw_weights(n: int, alpha: float, generator: torch.Generator) -> torch.Tensor:
    """Draw from Beta(alpha, alpha) by inversion, because torch's Beta distribution accepts no generator."""
    drawn = draw((n,), generator)
    if alpha == 1:
        return drawn
    return torch.from_numpy(betaincinv(alpha, alpha, drawn.cpu().double().numpy())).to(drawn)


def restrict_to_groups(targets: torch.Tensor, shuffled: torch.Tensor) -> torch.Tensor:
    """Turn a random permutation of clips into one that only permutes clips with equal targets."""
    groups = targets.unique(dim=0, return_inverse=True)[1]
    partners = torch.empty_like(shuffled)
    # Both orders are sorted by group, so the clips of a group occupy the same positions in each.
    partners[groups.argsort(stable=True)] = shuffled[groups[shuffled].argsort(stable=True)]
    return partners


def mix_values(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Compute the weighted mean; the mean of two equal values is exactly that value."""
    return torch.lerp(second, first, weights)


def mix_powers(first: torch.Tensor, second: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Mix decibels as powers, with the weights as amplitudes of two equally loud clips."""
    first, second = DECIBEL * first, DECIBEL * second
    louder = first.logsumexp(dim=(1, 2), keepdim=True) - second.logsumexp(dim=(1, 2), keepdim=True)
    # Twice the logit of p, whose sigmoid is p^2 / (p^2 + (1 - p)^2), the first clip's share of power.
    ratio = 2 * torch.logit(weights) - louder
    return torch.logaddexp(first + logsigmoid(ratio), second + logsigmoid(-ratio)) / DECIBEL
