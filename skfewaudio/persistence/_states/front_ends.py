"""States of this package's transformers, whose sizes are limited and which are tried on a short noise."""

import math
import warnings
from collections.abc import Callable
from os import PathLike
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import _limits as limits
from .named_types import own_architecture_names, own_architectures
from .objects import expect_inputs, named, part, plain
from .scope import Scope, StateError
from .state import FEATURES, State
from .values import Check, checksum, choice, either, floats, integer, integers, none, number, refuse, size


def _samples(value: Any, scope: Scope) -> None:
    """Expect the number of samples of a clip."""
    integer(1, limits.MAX_SAMPLES)(value, scope)
    size("clip samples")(value, scope)


# Of transformers that were fitted on an array.
SAMPLES: dict[str, Check] = {"n_features_in_": _samples, "feature_names_in_": plain}
# Of transformers of spectrograms to vectors.
MEASURED: dict[str, Check] = {
    **FEATURES,
    "max_silence_": either(none, number(0, 1)),
    "checksum_": checksum,
}
WAVEFORMS: dict[str, Check] = {
    "sample_rate": either(choice("auto"), integer(1, limits.MAX_SAMPLE_RATE)),
    "channel": either(choice("mean", "first", "loudest"), integer(0, limits.MAX_CHANNEL)),
    "n_fft": integer(1, limits.MAX_FFT),
    "hop_length": integer(1),
    "n_mels": integer(1, limits.MAX_MELS),
}
TRIAL_SECONDS, MAX_TRIAL_SAMPLES, TRIAL_FRAMES = 0.05, 2**14, 8


def run(function: Callable[[], Any]) -> Any:
    """Call a function of a transformer, and turn any error into a StateError."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function()
    except Exception as error:  # the parameters of a forged file can cause any error
        raise StateError(f"has parameters that do not fit together: {error}") from error


def _check_sizes(sizes: Any, scope: Scope) -> None:
    """Check that spectrograms are not far larger than the sound."""
    n_mels, n_fft, hop_length = sizes.n_mels, sizes.n_fft, sizes.hop_length
    scope.need(hop_length > 0, "has a hop_length of 0")
    scope.need(n_mels * n_fft <= limits.MAX_FILTER_BANK, f"has n_mels={n_mels} with n_fft={n_fft}")
    scope.need(n_fft <= limits.MAX_OVERLAP * hop_length, f"has n_fft={n_fft} with hop_length={hop_length}")
    values = limits.MAX_MELS_PER_STEP * hop_length
    scope.need(n_mels <= values, f"has n_mels={n_mels} with hop_length={hop_length}")


def _try(model: Any, X: NDArray | list[NDArray], scope: Scope) -> None:
    """Check that the features of an input are numbers."""
    features = run(lambda: model.transform(X))
    scope.need(all(np.isfinite(row).all() for row in features), "computes NaN or infinity")


def _check_waveforms(scope: Scope) -> None:
    """Check the sizes of spectrograms, also at the rate that `fit` has chosen, and try noise and silence."""
    model = scope.estimator
    _check_sizes(model, scope)
    params = run(model._check_settings)
    _check_sizes(params, scope)
    n_samples = min(MAX_TRIAL_SAMPLES, math.ceil(TRIAL_SECONDS * params.sample_rate))
    # In a list, because an array must have as many samples as in `fit`.
    _try(model, [np.random.default_rng(0).standard_normal(n_samples), np.zeros(n_samples)], scope)


def _check_log_mel(scope: Scope) -> None:
    _check_waveforms(scope)
    scope.outputs = scope.estimator.n_mels


def _check_mfcc(scope: Scope) -> None:
    _check_waveforms(scope)
    scope.outputs = scope.estimator.n_mfcc * (1 if scope.estimator.summary is None else 6)


def _check_raw(scope: Scope) -> None:
    scope.outputs = 1


def _check_random_cnn(scope: Scope) -> None:
    """Check the sizes of the network, which is built without its weights."""
    model = scope.estimator
    n_samples = (model.duration or 0) * model.sample_rate
    scope.need(n_samples <= limits.MAX_CLIP_SAMPLES, f"has duration={model.duration}")
    _check_sizes(model, scope)
    plan = run(model._check_settings)
    scope.need(plan.min_samples <= limits.MAX_CLIP_SAMPLES, f"pads clips to {plan.min_samples} samples")
    network = run(lambda: model._build_without_weights(plan.builder, plan.params))
    n_weights = sum(weights.numel() for weights in network.parameters())
    scope.need(n_weights <= limits.MAX_WEIGHTS, f"has a network of {n_weights} random weights")
    is_fitted = isinstance(model.random_state, int | np.integer) or hasattr(model, "seed_")
    scope.need(is_fitted, "has no seed_")
    scope.outputs = len(model._poolings) * sum(plan.n_filters.values())


def _check_statistics(scope: Scope) -> None:
    model, n_mels = scope.estimator, scope.find("features") or 64
    n_columns = 20 * model.n_filters * min(model.n_regions, n_mels)
    scope.need(n_mels <= limits.MAX_MELS and n_columns <= limits.MAX_COLUMNS, "computes too many columns")
    _try(model, np.random.default_rng(0).standard_normal((1, n_mels, TRIAL_FRAMES)), scope)
    if scope.find("features"):
        scope.outputs = sum(model.block_sizes())


def check_vectors(scope: Scope) -> None:
    """Check the size of the vectors of a transformer of spectrograms, and try noise."""
    model, n_mels = scope.estimator, scope.find("features") or 64
    n_columns = 3 * getattr(model, "n_bands", 1) * getattr(model, "n_steps", 1)
    scope.need(n_mels <= limits.MAX_MELS and n_columns <= limits.MAX_COLUMNS, "computes too many columns")
    scope.outputs = len(run(model.get_feature_names_out))
    _try(model, np.random.default_rng(0).standard_normal((1, n_mels, TRIAL_FRAMES)), scope)


def pass_clips(transformer: Any, scope: Scope) -> None:
    """Check that a transformer takes the clips of the containing one, whose columns it computes."""
    inner = scope.inspect(transformer, True)
    expect_inputs(inner, scope.inputs)
    scope.outputs = inner.outputs


def _check_cached(scope: Scope) -> None:
    """Check that the wrapped transformer does not depend on its fit."""
    run(scope.estimator._check_settings)
    pass_clips(scope.estimator.transformer, scope)


def _check_embedding(scope: Scope) -> None:
    run(scope.estimator._check_settings)
    scope.outputs = 128


def _path(value: Any, _: Scope) -> None:
    if not isinstance(value, str | PathLike):
        refuse(value, "a path or a name")


def _random_architecture(value: Any, scope: Scope) -> None:
    """Expect an architecture of this package, or one that the caller trusts; others are not imported."""
    if isinstance(value, str):
        scope.need(value in own_architecture_names() | scope.trusted, f"is {value!r}, which is not built in")
    else:
        named(own_architectures())(value, scope)


def _arguments(value: Any, scope: Scope) -> None:
    """Expect None, or strings and small numbers by name."""
    scope.need(value is None or type(value) is dict, "is no dict of arguments")
    for argument in (value or {}).values():
        for item in argument if isinstance(argument, list | tuple) else [argument]:
            if item is not None and not isinstance(item, str | bool):
                number(-limits.MAX_ARGUMENT, limits.MAX_ARGUMENT)(item, scope)


_COUNT = either(none, integer(1, limits.MAX_COLUMNS))
_ANY_RATE = either(none, integer(1, limits.MAX_SAMPLE_RATE))

STATES = {
    "skfewaudio.features._logmel.LogMel": State(
        optional={**SAMPLES, "sample_rate_": integer(1, limits.MAX_SAMPLE_RATE)},
        parameters={**WAVEFORMS, "ref": named(other=number(0))},
        rule=_check_log_mel,
    ),
    "skfewaudio.features._mfcc.MFCC": State(
        optional=SAMPLES,
        parameters={**WAVEFORMS, "n_mfcc": integer(1, limits.MAX_MELS)},
        rule=_check_mfcc,
    ),
    "skfewaudio.features._random_cnn.RandomCNNFeatures": State(
        optional={**SAMPLES, "seed_": integer(0, 2**32 - 1)},
        parameters={
            **WAVEFORMS,
            "architecture": _random_architecture,
            "architecture_params": _arguments,
            "n_filters": _COUNT,
            "n_features": _COUNT,
        },
        rule=_check_random_cnn,
    ),
    "skfewaudio.features._raw_waveform.RawWaveform": State(
        optional=SAMPLES,
        parameters={"sample_rate": integer(1, limits.MAX_SAMPLE_RATE), "channel": WAVEFORMS["channel"]},
        rule=_check_raw,
    ),
    "skfewaudio.features._vggish.VGGishEmbed": State(
        optional=SAMPLES,
        parameters={"weights": _path, "pca_params": _path, "channel": WAVEFORMS["channel"]},
        rule=_check_embedding,
    ),
    "skfewaudio.features._spectrogram_statistics.SpectrogramStatistics": State(
        optional=MEASURED,
        parameters={"n_filters": integer(1, limits.MAX_MELS), "n_regions": integer(1, limits.MAX_MELS)},
        rule=_check_statistics,
    ),
    "skfewaudio.features._time_normalized.TimeNormalizedSpectrogram": State(
        optional={
            **MEASURED,
            "n_active_frames_": integers("measured clips", low=1),
            "relevance_": number(0, 1),
        },
        parameters={"n_bands": integer(1, limits.MAX_MELS), "n_steps": integer(2, limits.MAX_MELS)},
        rule=check_vectors,
    ),
    "skfewaudio.features._block_scaler.BlockScaler": State(
        fitted={
            **FEATURES,
            "mean_": floats("features"),
            "scale_": floats("features", low=limits.SMALLEST_DIVISOR, high=math.inf),
        },
        rule=lambda scope: run(scope.estimator._column_slices),
        outputs="features",
    ),
    "skfewaudio.features._cache.cached_features.CachedFeatures": State(
        optional={**SAMPLES, "sample_rate_": _ANY_RATE},
        parameters={"transformer": part(method="transform"), "n_at_once": integer(1, limits.MAX_BATCH)},
        rule=_check_cached,
    ),
}
