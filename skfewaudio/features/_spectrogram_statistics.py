"""Fixed-length vectors of spectrograms, in blocks, without learning anything."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils import Tags
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skfewaudio._random_filters import FILTER_POOLS, FILTER_SHAPES, count_regions
from skfewaudio._torch import resolve_device
from skfewaudio._validation import check_spectrograms

from ._base import transform_batches
from ._pooling import BAND_POOLS, MODULATION_BINS, modulation_spectrum, pool_bands, pool_filters

FILTER_BLOCKS = tuple(f"filters_{pool}" for pool in FILTER_POOLS)
MODULATION_BLOCKS = ("modulation", "modulation_relative")
BLOCKS = (*FILTER_BLOCKS, "bands", *MODULATION_BLOCKS)
DEFAULT_BLOCKS = ("filters_share", "filters_max", "filters_std", "bands", *MODULATION_BLOCKS)
# Values of the spectrograms worked on at once: the responses of a CPU's core stay in its cache.
VALUES_AT_ONCE = {"cpu": 2**16, "cuda": 2**23}


class SpectrogramStatistics(TransformerMixin, BaseEstimator):
    """Statistics of each clip's log mel spectrogram, a vector of the same length for clips of any.

    The vector has blocks, which say different things of a sound and are worth most when each is scaled by
    itself (:class:`BlockScaler`): how often, how strongly and how evenly random filters answer, as in [1]_
    with two-dimensional filters of several shapes; the level of every band and how it varies; and how fast
    it does.

    Parameters
    ----------
    blocks : sequence of str, default=("filters_share", "filters_max", "filters_std", "bands", \
"modulation", "modulation_relative")
        What the vector is made of, in this order: ``"filters_share"``, ``"filters_max"``, ``"filters_mean"``
        and ``"filters_std"``, of each random filter in each region of the mel axis the share of responses
        above 0, the maximum, the mean of the positive part and the standard deviation; ``"bands"``, the mean,
        standard deviation, maximum, tenth percentile and deviation of differences of each band;
        ``"modulation"``, the power in decibels of each band's fluctuations in nine bins from 1/128 to half a
        cycle per frame; ``"modulation_relative"``, the same less the band's mean over the bins.
    n_filters : int, default=16
        Filters of each of the five shapes.
    n_regions : int, default=4
        Equal parts of the mel axis in which filters are pooled apart.
    scale : float, default=15.0
        What counts as one unit, in those of the spectrograms: 15 dB. For base-10 logarithms of a power,
        1.5 is the same.
    random_state : int, default=0
        Seed of the filters, which are drawn on the CPU whatever `device` is.
    n_threads : int, default=None
        Batches of clips worked on at once on a CPU. None takes as many as there are cores to use.
    device : str, default=None
        Torch device. None takes CUDA where there is one.

    Attributes
    ----------
    n_features_in_ : int
        Mel bands.

    See Also
    --------
    LogMel : Makes the spectrograms.
    BlockScaler : Gives every block the same weight.
    skfewaudio.pipelines.make_few_shot_classifier : Both, and a classifier.

    Notes
    -----
    Nothing is learnt: `transform` needs no `fit`. With 64 bands and the defaults there are 2432 numbers.
    The modulation spectrum is the mean over windows of 128 frames; a shorter clip is repeated to one.

    References
    ----------
    .. [1] A. Dempster, F. Petitjean, G. I. Webb, "ROCKET: exceptionally fast and accurate time series
       classification using random convolutional kernels", 2020. arXiv:1910.13051.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import LogMel, SpectrogramStatistics
    >>> clips = [np.sin(np.arange(44100)), np.cos(np.arange(60000))]
    >>> statistics = SpectrogramStatistics()
    >>> statistics.fit_transform(LogMel().transform(clips)).shape
    (2, 2432)
    >>> statistics.block_sizes()
    [320, 320, 320, 320, 576, 576]
    """

    _parameter_constraints: dict[str, list[Any]] = {
        "blocks": ["array-like"],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "n_regions": [Interval(Integral, 1, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
        "n_threads": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device, None],
    }

    def __init__(
        self,
        blocks: Sequence[str] = DEFAULT_BLOCKS,
        *,
        n_filters: int = 16,
        n_regions: int = 4,
        scale: float = 15.0,
        random_state: int = 0,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> None:
        self.blocks = blocks
        self.n_filters = n_filters
        self.n_regions = n_regions
        self.scale = scale
        self.random_state = random_state
        self.n_threads = n_threads
        self.device = device

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the spectrograms, and note how many bands they have.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames)
            Log mel spectrograms.
        y : None
            Ignored.

        Returns
        -------
        self
        """
        self._check_blocks()
        self._check_clips(X, reset=True)
        return self

    def transform(self, X: Any) -> NDArray[np.float32]:
        """Give the statistics of each clip.

        Parameters
        ----------
        X : list of n_clips arrays of shape (n_mels, n_frames), or ndarray of shape \
(n_clips, n_mels, n_frames)
            Log mel spectrograms, of any number of frames.

        Returns
        -------
        ndarray of shape (n_clips, n_statistics), float32

        Raises
        ------
        ValueError
            If X holds no spectrograms, or they differ in their bands; or if a parameter cannot be used.
        """
        self._validate_params()
        self._check_blocks()
        clips = self._check_clips(X, reset=False)
        device = resolve_device(self.device)

        def work(batch: list[NDArray]) -> list[torch.Tensor]:
            x = torch.from_numpy(np.stack(batch).astype(np.float32, copy=False)).to(device)
            with torch.inference_mode():
                return list(self._compute(x / self.scale))

        order = np.argsort([clip.shape[1] for clip in clips], kind="stable")
        batches = _batches([clips[i] for i in order], VALUES_AT_ONCE.get(device.type, 2**16))
        found = transform_batches(batches, work, len(clips), n_threads=self.n_threads, device=device)
        statistics = np.empty((len(clips), len(found[0])), dtype=np.float32)
        statistics[order] = found
        return statistics

    def block_sizes(self, n_mels: int | None = None) -> list[int]:
        """Say how many numbers each block has.

        Parameters
        ----------
        n_mels : int, default=None
            Bands of the spectrograms; None takes those of :meth:`fit`.

        Returns
        -------
        list of int
            In the order of `blocks`; their sum is the length of a vector.
        """
        return [len(names) for names in self._names(n_mels)]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Name the numbers of a vector, each with its block before two underscores.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_statistics,), object
            Such as ``"bands__mean_12"``, ``"filters_max__7x7_region2_11"`` or ``"modulation__12_5to7"`` (a
            band, and cycles in 128 frames).
        """
        blocks = zip(self.blocks, self._names(None), strict=True)
        return np.array([f"{block}__{name}" for block, names in blocks for name in names], dtype=object)

    def _names(self, n_mels: int | None) -> Iterator[list[str]]:
        self._check_blocks()
        if n_mels is None:
            check_is_fitted(self, "n_features_in_")
            n_mels = self.n_features_in_
        bins = [f"{low}to{high - 1}" for low, high in pairwise(MODULATION_BINS)]
        shapes = [
            f"{n_bands}x{n_frames}" + (f"by{dilation}" if dilation > 1 else "")
            for (n_bands, n_frames), dilation in FILTER_SHAPES
        ]
        regions = range(count_regions(self.n_regions, n_mels))
        for block in self.blocks:
            if block == "bands":
                yield [f"{pool}_{band}" for pool in BAND_POOLS for band in range(n_mels)]
            elif block in MODULATION_BLOCKS:
                yield [f"{band}_{rates}" for band in range(n_mels) for rates in bins]
            else:
                numbers = range(self.n_filters)
                yield [f"{shape}_region{r}_{i}" for shape in shapes for r in regions for i in numbers]

    def _compute(self, x: torch.Tensor) -> torch.Tensor:
        """Give (n_clips, n_statistics) for (n_clips, n_mels, n_frames) in units."""
        found: dict[str, torch.Tensor] = {}
        if set(FILTER_BLOCKS) & set(self.blocks):
            pools = pool_filters(
                x, n_filters=self.n_filters, n_regions=self.n_regions, seed=self.random_state
            )
            found |= {f"filters_{name}": values for name, values in pools.items()}
        if "bands" in self.blocks:
            found["bands"] = pool_bands(x)
        if set(MODULATION_BLOCKS) & set(self.blocks):
            modulation = modulation_spectrum(x)
            found["modulation"] = modulation.flatten(1)
            found["modulation_relative"] = (modulation - modulation.mean(2, keepdim=True)).flatten(1)
        return torch.cat([found[block] for block in self.blocks], dim=1)

    def _check_blocks(self) -> None:
        blocks = list(self.blocks)
        if not blocks or len(set(blocks)) < len(blocks) or set(blocks) - set(BLOCKS):
            raise ValueError(
                f"blocks={self.blocks!r}; expected a list of some of {', '.join(BLOCKS)}, each once at most"
            )

    def _check_clips(self, X: Any, *, reset: bool) -> list[NDArray]:
        clips = check_spectrograms(self, X, reset=reset)
        if not isinstance(clips, list):
            raise ValueError(
                f"X has shape {clips.shape}, a row for each clip; expected spectrograms, a list of arrays "
                "(n_mels, n_frames) or an array (n_clips, n_mels, n_frames): put LogMel() before this"
            )
        return clips

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float32"]
        return tags


def _batches(clips: list[NDArray], n_at_once: int) -> Iterator[list[NDArray]]:
    """Group neighbouring clips of one length while their values are few."""
    batch: list[NDArray] = []
    for clip in clips:
        if batch and (clip.shape != batch[0].shape or (len(batch) + 1) * clip.size > n_at_once):
            yield batch
            batch = []
        batch.append(clip)
    yield batch
