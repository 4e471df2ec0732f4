"""Features from convolutional networks that were never trained."""

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

from skfewaudio._torch import resolve_device, seeded
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
from ._mel_spectrogram import COMPRESSIONS, MelSpec

N_FEATURES = 3584  # the larger of the paper's two sizes
LONG = 2**20  # frames enough for what a function builds, until it is known how few it takes
# Values of the feature maps computed at once: those of a CPU's core stay in its cache.
VALUES_AT_ONCE = {"cpu": 2**20, "cuda": 2**26}


class _Plan(NamedTuple):
    """What the parameters come to, but for the weights."""

    builder: Callable[..., FeatureMapNetwork]
    params: dict[str, Any]
    signal: str
    n_mels: int
    n_frames: int  # that the network is built for, the fewest it takes
    min_samples: int
    n_filters: dict[str, int]  # by layer, of those wanted
    spec: MelSpec


class RandomCNNFeatures(WaveformTransformerMixin, TransformerMixin, BaseEstimator):
    """Pooled feature maps of a convolutional network with random weights, of each clip.

    The network is drawn and never trained [1]_. A clip's features are statistics over each filter's map, of
    all layers or some. They ask for a classifier that copes with thousands of features, such as a support
    vector machine or :class:`~skfewaudio.classifiers.ELMClassifier`.

    Parameters
    ----------
    architecture : str, class or callable, default="musically_motivated"
        A registered name ("single_layer", "small_filters", "musically_motivated" for spectrograms,
        "sample_level", "frame_level", "frame_level_many_shapes" for waveforms), or what builds a
        :class:`~skfewaudio.architectures.FeatureMapNetwork`.
    n_filters : int, default=None
        The architecture's own parameter, which scales all its layers.
    n_features : int, default=None
        Number of features wanted, instead of `n_filters`, which is then chosen to come as near as it can.
        If neither is given 3,584, the larger of the paper's sizes.
    architecture_params : dict, default=None
        Other parameters of the architecture. `input_norm` changes nothing: it is for training.
    layers : str or sequence of str, default=None
        Layers whose maps are wanted; None is all. Errors list the names.
    pooling : str or sequence of str, default="mean"
        Statistics of a map: "mean", as published, "max", "std", or "positive", the proportion of values
        above 0.
    duration : float, default=None
        Seconds that a clip is cropped to, and with a `pad_mode` also padded to. None leaves its length.
    pad_mode : {"repeat", "zero"} or None, default="repeat"
        What follows the end of a clip shorter than `duration`, or than the architecture needs: the clip
        again, silence, or nothing, so that a clip too short for the architecture is an error.
    sample_rate : int, default=12000
        In Hz. Files are resampled to it; arrays are taken to have it.
    n_fft, hop_length, n_mels : int, default=512, 256 and 96
        Of the log mel spectrograms, as in :class:`LogMel`, whose preset "random-cnn" gives the rest.
        Architectures for waveforms do without.
    n_threads : int, default=None
        Threads that decode files, and on a CPU as many that work on clips. None takes as many as
        there are cores to use.
    on_error : {"raise", "warn"}, default="raise"
        What a file that cannot be read does: raise an AudioLoadError, or give a second of silence
        and be listed in an AudioLoadWarning when all are done.
    random_state : int, RandomState or None, default=0
        Seed of the weights, which are drawn on the CPU whatever `device` is. With an int nothing depends on
        `fit`, so that a clip's features need computing only once for all folds and classifiers.
    device : str, default=None
        Torch device. None takes CUDA where there is one.

    Attributes
    ----------
    seed_ : int
        Of the weights, drawn from `random_state`.
    n_features_in_ : int
        Samples of a clip; only if fitted on a 2-D array.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names; only if fitted on a DataFrame that has them.

    See Also
    --------
    skfewaudio.architectures.FeatureMapNetwork : The networks.
    VGGishEmbed : Features of a trained network.

    Notes
    -----
    Weights follow He's initialiser, a truncated normal distribution of variance 2 / fan-in. They are drawn
    again where they are needed: a pickled transformer holds the seed alone. Another release of torch could
    draw others.

    A stretch of frames at a time is computed and pooled. The memory needed for a clip is that of one layer's
    pooled maps where another layer takes them, and otherwise some megabytes, whatever the number of filters.

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
        self.n_threads = n_threads
        self.on_error = on_error
        self.random_state = random_state
        self.device = device

    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters and the kind of X, and draw the seed; no file is opened.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
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
        """Give the features of each clip.

        Parameters
        ----------
        X : array-like of shape (n_clips, n_samples), or list of 1-D arrays or of paths
            The clips; see :ref:`the user guide <waveforms>` for the kinds.

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
        network = _network_of(self, plan, device)
        finish = partial(self._finish, network=network, layers=list(plan.n_filters))
        if plan.signal == "waveform":
            result = transform_waveforms(clips, finish, n_threads=self.n_threads, device=self.device)
        else:
            result = transform_mel(
                clips, finish, spec=plan.spec, n_threads=self.n_threads, device=self.device, one_by_one=True
            )
        return np.asarray(result)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """Give the names of the columns.

        Parameters
        ----------
        input_features : object
            Ignored: samples have no part in the names.

        Returns
        -------
        ndarray of shape (n_features,), object
            Layer, statistic and number of the filter: ``7x86_mean0``, ``7x86_mean1``, ...
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
        # A name may come to stand for another network, of another plugin.
        return super().__feature_params__() | {"architecture": check_architecture_choice(self.architecture)}

    def _check_settings(self) -> _Plan:
        unknown = [name for name in self._poolings if name not in POOLINGS]
        if unknown or not self._poolings:
            raise ValueError(f"pooling={self.pooling!r}; expected one or more of {', '.join(POOLINGS)}")
        if self.n_filters is not None and self.n_features is not None:
            raise ValueError(
                f"n_filters={self.n_filters} and n_features={self.n_features} are two ways to say the same; "
                "give one of them"
            )
        front_end = {name: getattr(self, name) for name in ("sample_rate", "n_fft", "hop_length", "n_mels")}
        spec = LogMel.from_preset("random-cnn", **front_end, fmax=None)._check_settings()
        builder: Callable[..., Any] = check_architecture_choice(self.architecture)
        params = dict(self.architecture_params or {})
        if "n_filters" in params:
            raise ValueError(
                f"architecture_params={self.architecture_params!r} holds n_filters, which is a parameter by "
                "itself here; set n_filters or n_features"
            )
        params["n_filters"] = self._choose_n_filters(builder, params)
        sketch = self._sketch(builder, params)
        min_samples = sketch.min_frames
        if sketch.signal == "spectrogram":
            min_samples = (sketch.min_frames - 1) * spec.hop_length + spec.n_frame - 2 * spec.n_padded
        return _Plan(
            builder,
            params,
            sketch.signal,
            sketch.n_mels,
            sketch.min_frames,
            min_samples,
            self._wanted(sketch),
            spec,
        )

    def _sketch(self, builder: Callable[..., nn.Module], params: dict[str, Any]) -> FeatureMapNetwork:
        """Build the network without its weights."""
        network_class = getattr(builder, "func", builder)  # of a functools.partial
        is_waveform = getattr(network_class, "signal", "") == "waveform"
        n_frames = getattr(network_class, "min_frames", LONG)
        network = None
        if not isinstance(network_class, type) or issubclass(network_class, FeatureMapNetwork):
            with torch.device("meta"):
                network = builder(1, n_mels=1 if is_waveform else self.n_mels, n_frames=n_frames, **params)
        if not isinstance(network, FeatureMapNetwork):
            raise ValueError(
                f"architecture={self.architecture!r} is no FeatureMapNetwork, which gives the maps of its "
                "layers; expected one such as 'single_layer', 'musically_motivated' or 'sample_level'"
            )
        return network

    def _wanted(self, network: FeatureMapNetwork) -> dict[str, int]:
        """Count the filters of the layers wanted, in the network's order."""
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
        """Give the number of filters asked for, or that comes nearest to the number of features."""
        if self.n_filters is not None:
            return self.n_filters
        wanted = self.n_features or N_FEATURES

        def count(n_filters: int) -> int:
            network = self._sketch(builder, {**params, "n_filters": n_filters})
            return len(self._poolings) * sum(self._wanted(network).values())

        about = wanted / count(64) * 64  # the layers' numbers of filters are nearly proportional
        candidates = range(max(1, int(about) - 1), int(about) + 3)
        return min(candidates, key=lambda n_filters: abs(count(n_filters) - wanted))

    def _fit_length(self, min_samples: int, index: int, clip: np.ndarray) -> np.ndarray:
        """Crop or pad a waveform."""
        wanted = len(clip) if self.duration is None else max(1, round(self.duration * self.sample_rate))
        clip, wanted = clip[:wanted], max(wanted, min_samples)
        if self.pad_mode is not None and len(clip) < wanted:
            return fix_length(clip, wanted, pad_mode=self.pad_mode)
        if len(clip) < min_samples:
            raise ValueError(
                f"clip {index} has {len(clip) / self.sample_rate:.3g} s, and {self.architecture!r} takes at "
                f"least {min_samples / self.sample_rate:.4g} s ({min_samples} samples at {self.sample_rate} "
                "Hz); set pad_mode='repeat' or choose another architecture"
            )
        return clip

    @torch.inference_mode()
    def _finish(self, signal: torch.Tensor, *, network: FeatureMapNetwork, layers: list[str]) -> torch.Tensor:
        """Turn a clip's waveform (n_samples,) or mel spectrogram (n_mels, n_frames) into its features."""
        if network.signal == "spectrogram":
            preset = PRESETS["random-cnn"]["compression"]
            signal = COMPRESSIONS[preset](signal, offset=None, ref=1.0, amin=1e-10, top_db=80.0)
        x = signal.view(1, 1, -1, signal.shape[-1])
        n_values = VALUES_AT_ONCE.get(signal.device.type, VALUES_AT_ONCE["cpu"])
        return pool_maps(network.maps.iter_maps(x, layers=layers, n_values=n_values), self._poolings)

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.requires_fit = not isinstance(self.random_state, Integral)
        tags.non_deterministic = self.random_state is None
        return tags


def _draw_seed(random_state: int | np.random.RandomState | None) -> int:
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


# Networks of transformers that were used and still live, and what they were built from: out of the
# transformers themselves, which `transform` must not change, and so out of pickles.
_networks: WeakKeyDictionary[RandomCNNFeatures, tuple[Any, FeatureMapNetwork]] = WeakKeyDictionary()


def _network_of(transformer: RandomCNNFeatures, plan: _Plan, device: torch.device) -> FeatureMapNetwork:
    """Give a transformer its network, drawn if it has none or its parameters have changed."""
    if isinstance(transformer.random_state, Integral):
        seed = _draw_seed(transformer.random_state)
    else:
        check_is_fitted(transformer, "seed_")
        seed = transformer.seed_
    key = (plan.builder, repr(plan.params), plan.n_mels, seed, device)
    held = _networks.get(transformer)
    if held is None or held[0] != key:
        with seeded(seed, torch.device("cpu")):
            network = plan.builder(1, n_mels=plan.n_mels, n_frames=plan.n_frames, **plan.params)
        held = key, network.to(device).eval().requires_grad_(False)
        _networks[transformer] = held
    return held[1]
