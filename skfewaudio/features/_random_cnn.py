"""Features from convolutional networks with random weights."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any, Literal, NamedTuple, Self
from weakref import WeakKeyDictionary

import numpy as np
import torch
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils import Tags, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from torch import nn

from skfewaudio._threads import ProcessLock
from skfewaudio._torch import resolve_device
from skfewaudio._torch_state import own_state
from skfewaudio.architectures import FeatureMapNetwork, check_architecture_choice
from skfewaudio.audio.patches import fix_length

from ._base import (
    MEL_CONSTRAINTS,
    WAVEFORM_CONSTRAINTS,
    WaveformTransformerMixin,
    transform_mel,
    transform_waveforms,
)
from ._logmel import PRESETS, LogMel
from ._map_pooling import POOLINGS, pool_maps
from ._mel_spectrogram import COMPRESSIONS, MelParams

N_FEATURES = 3584  # the larger of the paper's two sizes
MANY_FRAMES = 2**20  # enough frames for any network whose `min_frames` is only known after building it
# Values of a feature map that are computed at once. On a CPU, they fit in the cache of a core.
MAP_VALUES_AT_ONCE = {"cpu": 2**20, "cuda": 2**26}


class _Plan(NamedTuple):
    """Resolved parameters of the network and the front-end, without the weights."""

    builder: Callable[..., FeatureMapNetwork]
    params: dict[str, Any]
    signal: str
    n_mels: int
    n_frames: int  # minimum number of frames, for which the network is built
    min_samples: int
    n_filters: dict[str, int]  # number of filters of each selected layer
    mel_params: MelParams


class RandomCNNFeatures(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Transformer that pools the feature maps of a convolutional network with random weights.

    The weights are drawn at random and never trained [1]_. The features of a clip are statistics over the map
    of each filter, of all or selected layers. Use a classifier that handles thousands of features, such as a
    support vector machine or :class:`~skfewaudio.classifiers.ELMClassifier`.

    Parameters
    ----------
    architecture : str, class or callable, default="musically_motivated"
        A registered name ("single_layer", "small_filters", "musically_motivated" for spectrograms,
        "sample_level", "frame_level", "frame_level_many_shapes" for waveforms), or a class or function that
        builds a :class:`~skfewaudio.architectures.FeatureMapNetwork`.
    n_filters : int, default=None
        Parameter of the architecture that scales all its layers. None derives it from `n_features`.
    n_features : int, default=None
        Target number of features, as an alternative to `n_filters`: the number of filters that comes nearest
        to it is chosen. If both are None, the target is 3,584, the larger of the paper's two sizes.
    architecture_params : dict, default=None
        Other parameters of the architecture. `input_norm` has no effect, because it only matters in training.
    layers : str or sequence of str, default=None
        Names of the layers whose maps are pooled. None selects all layers. An unknown name raises an error
        that lists the available names.
    pooling : str or sequence of str, default="mean"
        Statistics of a map: "mean", as published, "max", "std", or "positive", the proportion of values
        above 0.
    duration : float, default=None
        Duration in seconds to which clips are cropped and, unless `pad_mode` is None, padded. None keeps the
        length of each clip.
    pad_mode : {"repeat", "zero"} or None, default="repeat"
        Padding of clips that are shorter than `duration` or than the architecture requires: repetitions of
        the clip, or zeros. None disables padding, and a clip that is too short for the architecture raises
        an error.
    sample_rate : int, default=12000
        In Hz. Files are resampled to it; arrays are assumed to have it.
    n_fft, hop_length, n_mels : int, default=512, 256 and 96
        Parameters of the log mel spectrograms, as in :class:`LogMel`. The preset "random-cnn" provides the
        other parameters. Architectures for waveforms ignore them.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off or are damaged are used as far as they can be decoded, with a warning.
        False treats them as files that cannot be read.
    n_threads : int, default=None
        Number of threads that decode files. On a CPU, features are computed in the same number of
        threads. None uses one thread per available core.
    on_error : {"raise", "warn"}, default="raise"
        How to handle files that cannot be read. "raise" raises an AudioLoadError. "warn" replaces each
        of them by one second of silence and issues one AudioLoadWarning at the end.
    random_state : int, RandomState or None, default=0
        Controls the random weights, which are drawn on the CPU for any `device`. With an int, the features of
        a clip do not depend on `fit` and can be reused for all folds and classifiers.
    device : str, default=None
        Torch device. None selects CUDA if available.

    Attributes
    ----------
    seed_ : int
        Seed of the weights, drawn from `random_state`.
    n_features_in_ : int
        Number of samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    skfewaudio.architectures.FeatureMapNetwork : The networks.
    VGGishEmbed : Features of a trained network.

    Notes
    -----
    Weights are drawn with He's initialiser, a truncated normal distribution of variance 2 / fan-in. A pickled
    transformer contains only the seed, and the weights are drawn again after unpickling. Another release of
    torch might draw different weights.

    Feature maps are computed one stretch of frames at a time. If another layer takes the maps of a layer as
    input, these maps are kept in memory. Otherwise a clip needs some megabytes, whatever the number of
    filters.

    References
    ----------
    .. [1] J. Pons, X. Serra, "Randomly weighted CNNs for (music) audio classification", ICASSP 2019.
       arXiv:1805.00237

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.features import RandomCNNFeatures
    >>> clips = np.random.default_rng(0).normal(size=(3, 12000))
    >>> RandomCNNFeatures("single_layer", n_filters=40, pooling=["mean", "max"]).fit_transform(clips).shape
    (3, 80)
    """

    long_seconds = None  # a clip is cropped or repeated as a whole

    _parameter_constraints: dict[str, list[Any]] = {
        **WAVEFORM_CONSTRAINTS,
        **{name: MEL_CONSTRAINTS[name] for name in ("n_fft", "hop_length", "n_mels")},
        "architecture": [str, callable],
        "n_filters": [Interval(Integral, 1, None, closed="left"), None],
        "n_features": [Interval(Integral, 1, None, closed="left"), None],
        "architecture_params": [HasMethods("keys"), None],
        "layers": [str, "array-like", None],
        "pooling": [StrOptions(set(POOLINGS)), "array-like"],
        "duration": [Interval(Real, 0, None, closed="neither"), None],
        "pad_mode": [StrOptions({"repeat", "zero"}), None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        architecture: str | Callable[..., nn.Module] = "musically_motivated",
        *,
        n_filters: int | None = None,
        n_features: int | None = None,
        architecture_params: Mapping[str, Any] | None = None,
        layers: str | Sequence[str] | None = None,
        pooling: str | Sequence[str] = "mean",
        duration: float | None = None,
        pad_mode: Literal["repeat", "zero"] | None = "repeat",
        sample_rate: int = 12000,
        n_fft: int = 512,
        hop_length: int = 256,
        n_mels: int = 96,
        channel: str | int = "mean",
        allow_truncated: bool = False,
        n_threads: int | None = None,
        on_error: Literal["raise", "warn"] = "raise",
        random_state: int | np.random.RandomState | None = 0,
        device: str | None = None,
    ) -> None:
        self.architecture = architecture
        self.n_filters = n_filters
        self.n_features = n_features
        self.architecture_params = architecture_params
        self.layers = layers
        self.pooling = pooling
        self.duration = duration
        self.pad_mode = pad_mode
        self.sample_rate = sample_rate
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.n_mels = n_mels
        self.channel = channel
        self.allow_truncated = allow_truncated
        self.n_threads = n_threads
        self.on_error = on_error
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the type of X, and draw the seed, without opening any file.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips.
        y : None
            Ignored.

        Returns
        -------
        self : RandomCNNFeatures
            The estimator itself.
        """
        super().fit(X, y)
        self.seed_ = _draw_seed(self.random_state)
        return self

    def transform(self, X: Any) -> np.ndarray:
        """Compute the features of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of clips
            The clips; see :ref:`the user guide <waveforms>`.

        Returns
        -------
        ndarray of shape (n_clips, n_features), float32

        Raises
        ------
        AudioLoadError
            If a file cannot be read and `on_error` is "raise".
        ValueError
            If a clip is too short for the architecture and `pad_mode` is None.
        """
        self._validate_params()
        plan = self._check_settings()
        clips = self._check_clips(X, reset=False).map(partial(self._fit_length, plan.min_samples))
        device = resolve_device(self.device)
        network = _get_drawn_network(self, plan, device)
        clip_function = partial(self._compute_clip, network=network, layers=list(plan.n_filters))
        if plan.signal == "waveform":
            result = transform_waveforms(clips, clip_function, n_threads=self.n_threads, device=self.device)
        else:
            result = transform_mel(
                clips,
                clip_function,
                params=plan.mel_params,
                n_threads=self.n_threads,
                device=self.device,
                one_by_one=True,
            )
        return np.asarray(result)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Return the names of the columns.

        Parameters
        ----------
        input_features : object
            Ignored.

        Returns
        -------
        ndarray of shape (n_features,), object
            Layer, statistic and index of the filter: ``7x86_mean0``, ``7x86_mean1``, ...
        """
        n_filters = self._check_settings().n_filters
        names = [
            f"{layer}_{pooling}{index}"
            for layer, n_maps in n_filters.items()
            for pooling in self._poolings
            for index in range(n_maps)
        ]
        return np.array(names, dtype=object)

    @property
    def _poolings(self) -> list[str]:
        return [self.pooling] if isinstance(self.pooling, str) else list(self.pooling)

    def __feature_params__(self) -> dict[str, Any]:
        # A registered name may refer to another network later, for example after installing a plugin.
        return super().__feature_params__() | {"architecture": check_architecture_choice(self.architecture)}

    def _check_settings(self) -> _Plan:
        unknown = [name for name in self._poolings if name not in POOLINGS]
        if unknown or not self._poolings:
            raise ValueError(f"pooling={self.pooling!r}; expected one or more of {', '.join(POOLINGS)}")
        if self.n_filters is not None and self.n_features is not None:
            raise ValueError(
                f"n_filters={self.n_filters} and n_features={self.n_features} exclude each other; set only "
                "one of them"
            )
        front_end = {name: getattr(self, name) for name in ("sample_rate", "n_fft", "hop_length", "n_mels")}
        mel_params = LogMel.from_preset("random-cnn", **front_end, fmax=None)._check_settings()
        builder: Callable[..., Any] = check_architecture_choice(self.architecture)
        params = dict(self.architecture_params or {})
        if "n_filters" in params:
            raise ValueError(
                f"architecture_params={self.architecture_params!r} contains n_filters, which is a parameter "
                "of RandomCNNFeatures; set n_filters or n_features instead"
            )
        params["n_filters"] = self._choose_n_filters(builder, params)
        network = self._build_without_weights(builder, params)
        min_samples = network.min_frames
        if network.signal == "spectrogram":
            min_samples = (
                (network.min_frames - 1) * mel_params.hop_length
                + mel_params.n_frame
                - 2 * mel_params.n_padded
            )
        return _Plan(
            builder,
            params,
            network.signal,
            network.n_mels,
            network.min_frames,
            min_samples,
            self._count_filters(network),
            mel_params,
        )

    def _build_without_weights(
        self, builder: Callable[..., nn.Module], params: dict[str, Any]
    ) -> FeatureMapNetwork:
        """Build the network on the meta device, which allocates no weights."""
        network_class = getattr(builder, "func", builder)  # of a functools.partial
        is_waveform = getattr(network_class, "signal", "") == "waveform"
        n_frames = getattr(network_class, "min_frames", MANY_FRAMES)
        network = None
        if not isinstance(network_class, type) or issubclass(network_class, FeatureMapNetwork):
            with own_state(0, torch.device("meta")):
                network = builder(1, n_mels=1 if is_waveform else self.n_mels, n_frames=n_frames, **params)
        if not isinstance(network, FeatureMapNetwork):
            raise ValueError(
                f"architecture={self.architecture!r} is not a FeatureMapNetwork; expected an architecture "
                "such as 'single_layer', 'musically_motivated' or 'sample_level'"
            )
        return network

    def _count_filters(self, network: FeatureMapNetwork) -> dict[str, int]:
        """Return the number of filters of each selected layer, in the order of the network."""
        n_filters = network.maps.n_filters
        if self.layers is None:
            return n_filters
        wanted = [self.layers] if isinstance(self.layers, str) else list(self.layers)
        unknown = [name for name in wanted if name not in n_filters]
        if unknown or not wanted:
            raise ValueError(
                f"layers={self.layers!r}; expected one or more of {', '.join(n_filters)}, the layers of "
                f"{self.architecture!r}"
            )
        return {name: n_maps for name, n_maps in n_filters.items() if name in wanted}

    def _choose_n_filters(self, builder: Callable[..., nn.Module], params: dict[str, Any]) -> int:
        """Return `n_filters`, or the number of filters that comes nearest to `n_features`."""
        if self.n_filters is not None:
            return self.n_filters
        target = self.n_features or N_FEATURES

        def count(n_filters: int) -> int:
            network = self._build_without_weights(builder, {**params, "n_filters": n_filters})
            return len(self._poolings) * sum(self._count_filters(network).values())

        estimate = target / count(64) * 64  # the number of features is nearly proportional to n_filters
        candidates = range(max(1, int(estimate) - 1), int(estimate) + 3)
        return min(candidates, key=lambda n_filters: abs(count(n_filters) - target))

    def _fit_length(self, min_samples: int, index: int, clip: np.ndarray) -> np.ndarray:
        """Crop or pad a waveform to `duration`, and at least to `min_samples`."""
        wanted = len(clip) if self.duration is None else max(1, round(self.duration * self.sample_rate))
        clip, wanted = clip[:wanted], max(wanted, min_samples)
        if self.pad_mode is not None and len(clip) < wanted:
            return fix_length(clip, wanted, pad_mode=self.pad_mode)
        if len(clip) < min_samples:
            raise ValueError(
                f"clip {index} has {len(clip) / self.sample_rate:.3g} s, and {self.architecture!r} requires "
                f"at least {min_samples / self.sample_rate:.4g} s ({min_samples} samples at "
                f"{self.sample_rate} Hz); set pad_mode='repeat' or choose another architecture"
            )
        return clip

    @torch.inference_mode()
    def _compute_clip(
        self, signal: torch.Tensor, *, network: FeatureMapNetwork, layers: list[str]
    ) -> torch.Tensor:
        """Compute features from the waveform (n_samples,) or mel spectrogram (n_mels, n_frames) of a clip."""
        if network.signal == "spectrogram":
            preset = PRESETS["random-cnn"]["compression"]
            signal = COMPRESSIONS[preset](signal, offset=None, ref=1.0, amin=1e-10, top_db=80.0)
        x = signal.view(1, 1, -1, signal.shape[-1])
        n_values = MAP_VALUES_AT_ONCE.get(signal.device.type, MAP_VALUES_AT_ONCE["cpu"])
        return pool_maps(network.maps.iter_maps(x, layers=layers, n_values=n_values), self._poolings)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = not isinstance(self.random_state, Integral)
        tags.non_deterministic = self.random_state is None
        return tags


def _draw_seed(random_state: int | np.random.RandomState | None) -> int:
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


# The network of each transformer that was used, with the key from which it was built. Networks are not
# attributes, because `transform` must not change the transformer and pickles must stay small.
_drawn_networks: WeakKeyDictionary[RandomCNNFeatures, tuple[Any, FeatureMapNetwork]] = WeakKeyDictionary()
_draw_lock = ProcessLock()


def _get_drawn_network(
    transformer: RandomCNNFeatures, plan: _Plan, device: torch.device
) -> FeatureMapNetwork:
    """Return the network of a transformer; draw it at first use and after a change of parameters."""
    if isinstance(transformer.random_state, Integral):
        seed = _draw_seed(transformer.random_state)
    else:
        check_is_fitted(transformer, "seed_")
        seed = transformer.seed_
    key = (plan.builder, repr(plan.params), plan.n_mels, seed, device)
    with _draw_lock:
        cached = _drawn_networks.get(transformer)
        if cached is None or cached[0] != key:
            cached = _drawn_networks[transformer] = key, _draw_network(plan, seed).to(device)
    return cached[1]


def _draw_network(plan: _Plan, seed: int) -> FeatureMapNetwork:
    """Build the network of a plan on the CPU."""
    with own_state(seed, torch.device("cpu")):
        network = plan.builder(1, n_mels=plan.n_mels, n_frames=plan.n_frames, **plan.params)
    return network.eval().requires_grad_(False)
