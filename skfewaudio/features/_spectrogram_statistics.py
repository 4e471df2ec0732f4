"""Fixed-length feature vectors of spectrograms, in blocks of statistics."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from numbers import Integral, Real
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from skfewaudio._random_filters import FILTER_POOLS, FILTER_SHAPES, count_regions

from ._noise_compensation import N_MELS
from ._pooling import BAND_POOLS, MODULATION_BINS, modulation_spectrum, pool_bands, pool_filters
from ._spectrogram_vectors import SpectrogramTransformer

FILTER_BLOCKS = tuple(f"filters_{pool}" for pool in FILTER_POOLS)
MODULATION_BLOCKS = ("modulation", "modulation_relative")
BLOCKS = (*FILTER_BLOCKS, "bands", *MODULATION_BLOCKS)
DEFAULT_BLOCKS = ("filters_share", "filters_max", "filters_std", "bands", *MODULATION_BLOCKS)


class SpectrogramStatistics(SpectrogramTransformer):
    """Transformer that computes a fixed-length vector of statistics of each log mel spectrogram.

    The vector consists of blocks that describe different properties of a sound: statistics of the responses
    of random filters, as in [1]_ but with two-dimensional filters of several shapes; the level of every band
    and its variation; and the rate of the variation. Scale each block separately with :class:`BlockScaler`.

    Parameters
    ----------
    blocks : sequence of str, default=("filters_share", "filters_max", "filters_std", "bands", \
"modulation", "modulation_relative")
        Blocks of the vector, in this order. ``"filters_share"``, ``"filters_max"``, ``"filters_mean"`` and
        ``"filters_std"`` are statistics of the responses of each random filter in each region of the mel
        axis: the share of responses above 0, the maximum, the mean of the positive part and the standard
        deviation. ``"bands"`` holds the mean, standard deviation, maximum, tenth percentile and standard
        deviation of frame differences of each band. ``"modulation"`` is the power in decibels of the
        fluctuations of each band in nine bins from 1/128 to half a cycle per frame.
        ``"modulation_relative"`` is the same minus the mean of the band over the bins.
    n_filters : int, default=16
        Number of filters of each of the five shapes.
    n_regions : int, default=4
        Number of equal regions of the mel axis in which filters are pooled separately.
    scale : float, default=15.0
        Divisor of the spectrograms, in the unit of the spectrograms: 15 dB by default. For base-10
        logarithms of power, 1.5 is equivalent.
    random_state : int, default=0
        Seed of the filters, which are drawn on the CPU for any `device`.
    active_db : float, default=None
        If given, only the active part of a clip is described: the frames from the first to the last one whose
        level is at most this far below the loudest frame, in dB. Clips with silence around the sound, which
        was recorded or added, are then described as clips without it. None describes the whole clip.
    noise_compensation : bool, default=False
        Whether the directions in which background noise moves the vectors are attenuated, by within-class
        covariance normalization [2]_. They were measured on synthetic sounds, and are part of this package,
        for the default values of `n_filters`, `n_regions` and `scale` and one seed, so that `random_state`
        has no effect. Another number of bands is interpolated to 64.
    n_threads : int, default=None
        Number of batches of clips that are processed in parallel on a CPU. None uses one per available core.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    n_features_in_ : int
        Number of mel bands.
    max_silence_ : float
        Largest share of silent frames at the end of a clip of `fit`. New clips with far more silence at their
        ends, such as clips that are padded with zeros, issue a warning. With `active_db`, it is measured in
        the active part.
    checksum_ : str or None
        SHA-256 of the directions of noise in `fit`; None without `noise_compensation`.

    See Also
    --------
    LogMel : Computes the spectrograms.
    BlockScaler : Weights all blocks equally.
    skfewaudio.pipelines.make_few_shot_classifier : Pipeline of these transformers and a classifier.

    Notes
    -----
    The transformer is stateless: `transform` needs no `fit`. With 64 bands and the default parameters, the
    vector has 2432 entries. The modulation spectrum is the mean over windows of 128 frames. A shorter clip is
    repeated to fill one window.

    References
    ----------
    .. [1] A. Dempster, F. Petitjean, G. I. Webb, "ROCKET: exceptionally fast and accurate time series
       classification using random convolutional kernels", 2020. arXiv:1910.13051.
    .. [2] A. O. Hatch, S. Kajarekar, A. Stolcke, "Within-class covariance normalization for SVM-based speaker
       recognition", Interspeech 2006.

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
        **SpectrogramTransformer._parameter_constraints,
        "blocks": ["array-like"],
        "n_filters": [Interval(Integral, 1, None, closed="left")],
        "n_regions": [Interval(Integral, 1, None, closed="left")],
        "scale": [Interval(Real, 0, None, closed="neither")],
        "random_state": [Interval(Integral, 0, None, closed="left")],
    }

    _selection = "blocks"

    def __init__(
        self,
        blocks: Sequence[str] = DEFAULT_BLOCKS,
        *,
        n_filters: int = 16,
        n_regions: int = 4,
        scale: float = 15.0,
        random_state: int = 0,
        active_db: float | None = None,
        noise_compensation: bool = False,
        n_threads: int | None = None,
        device: str | None = None,
    ) -> None:
        self.blocks = blocks
        self.n_filters = n_filters
        self.n_regions = n_regions
        self.scale = scale
        self.random_state = random_state
        self.active_db = active_db
        self.noise_compensation = noise_compensation
        self.n_threads = n_threads
        self.device = device

    def block_sizes(self, n_mels: int | None = None) -> list[int]:
        """Return the number of columns of each block.

        Parameters
        ----------
        n_mels : int, default=None
            Number of mel bands. None uses the number of bands seen during :meth:`fit`. It has no effect with
            `noise_compensation`.

        Returns
        -------
        list of int
            The sizes, in the order of `blocks`. Their sum is the length of the vector.
        """
        return [len(names) for names in self._names_by_block(n_mels)]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[Any]:
        """Return the names of the columns: the block, two underscores, and the name within the block.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_statistics,), object
            For example ``"bands__mean_12"``, ``"filters_max__7x7_region2_11"`` or ``"modulation__12_5to7"``
            (band 12, 5 to 7 cycles in 128 frames).
        """
        blocks = zip(self.blocks, self._names_by_block(None), strict=True)
        return np.array([f"{block}__{name}" for block, names in blocks for name in names], dtype=object)

    def _names_by_block(self, n_mels: int | None) -> Iterator[list[str]]:
        """Yield the names of the columns of each block."""
        self._check_params()
        if self.noise_compensation:
            n_mels = N_MELS
        elif n_mels is None:
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
        x = x / float(self.scale)
        found: dict[str, torch.Tensor] = {}
        if set(FILTER_BLOCKS) & set(self.blocks):
            pools = pool_filters(
                x,
                n_filters=int(self.n_filters),
                n_regions=int(self.n_regions),
                seed=0 if self.noise_compensation else int(self.random_state),
            )
            found |= {f"filters_{name}": values for name, values in pools.items()}
        if "bands" in self.blocks:
            found["bands"] = pool_bands(x)
        if set(MODULATION_BLOCKS) & set(self.blocks):
            modulation = modulation_spectrum(x)
            found["modulation"] = modulation.flatten(1)
            found["modulation_relative"] = (modulation - modulation.mean(2, keepdim=True)).flatten(1)
        return torch.cat([found[block] for block in self.blocks], dim=1)

    def _blocks_of_directions(self) -> Iterator[tuple[str, int]]:
        return zip([f"statistics.{block}" for block in self.blocks], self.block_sizes(), strict=True)

    def _check_params(self) -> None:
        blocks = list(self.blocks)
        if not blocks or len(set(blocks)) < len(blocks) or set(blocks) - set(BLOCKS):
            raise ValueError(
                f"blocks={self.blocks!r}; expected one or more of {', '.join(BLOCKS)}, each at most once"
            )
