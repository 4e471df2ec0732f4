"""Studies of the suite random-cnn: features of untrained networks, and classifiers of these features.

A study is named after its features and its classifier, such as ``7x86-160+svm``. Large dependencies are
imported inside the functions.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class FeatureStudy(NamedTuple):
    """Features, a classifier and its hyper-parameter grid."""

    features: Any  # transformer
    classifier: Any
    grid: Callable[[int], list[dict[str, list[Any]]]] | None = None  # grid for a number of features
    rotate: bool = False  # valid if the classifier uses only inner products of clips


SAMPLE_RATE = 12000
# Registered name and parameters of the architecture, by the name of the features. The numbers of filters are
# the published ones, for 112 to 161 features and for 3,584 or 3,585. The paper's code is the source of 90
# filters, and of 256 with both kinds of filters.
SINGLE, MUSIC = "single_layer", "musically_motivated"
TIMBRAL_ONLY, TEMPORAL_ONLY = {"temporal": False}, {"timbral": False}
MUSIC_FRAMES = {"temporal_frames": "music"}
ARCHITECTURES: dict[str, tuple[str, dict[str, Any]]] = {
    "small-filters-32": ("small_filters", {"n_filters": 32}),
    "small-filters-90": ("small_filters", {"n_filters": 90}),
    "small-filters-717": ("small_filters", {"n_filters": 717}),
    "7x96-160": (SINGLE, {"n_filters": 160, "bands": 1.0}),
    "7x96-3585": (SINGLE, {"n_filters": 3585, "bands": 1.0}),
    "7x86-160": (SINGLE, {"n_filters": 160}),
    "7x86-3585": (SINGLE, {"n_filters": 3585}),
    "timbral-8": (MUSIC, {"n_filters": 8, **TIMBRAL_ONLY}),
    "timbral-256": (MUSIC, {"n_filters": 256, **TIMBRAL_ONLY}),
    "temporal-8": (MUSIC, {"n_filters": 8, **TEMPORAL_ONLY}),
    "temporal-256": (MUSIC, {"n_filters": 256, **TEMPORAL_ONLY}),
    "temporal-music-256": (MUSIC, {"n_filters": 256, **TEMPORAL_ONLY, **MUSIC_FRAMES}),
    "timbral-temporal-4": (MUSIC, {"n_filters": 4}),
    "timbral-temporal-128": (MUSIC, {"n_filters": 128}),
    "timbral-temporal-256": (MUSIC, {"n_filters": 256}),
    "timbral-temporal-music-256": (MUSIC, {"n_filters": 256, **MUSIC_FRAMES}),
    "sample-level-23": ("sample_level", {"n_filters": 23}),
    "sample-level-512": ("sample_level", {"n_filters": 512}),
    "frame-level-40": ("frame_level", {"n_filters": 40}),
    "frame-level-896": ("frame_level", {"n_filters": 896}),
    "many-shapes-20": ("frame_level_many_shapes", {"n_filters": 20}),
    "many-shapes-448": ("frame_level_many_shapes", {"n_filters": 448}),
}
# A small variant of each architecture is also trained.
TRAINED = (
    "small-filters-32",
    "7x96-160",
    "7x86-160",
    "timbral-8",
    "temporal-8",
    "timbral-temporal-4",
    "sample-level-23",
    "frame-level-40",
    "many-shapes-20",
)


def random_cnn(name: str, *, device: str, random_state: int) -> Any:
    """Build the features of an untrained network."""
    from skfewaudio import RandomCNNFeatures

    architecture, params = ARCHITECTURES[name]
    other_params = {key: value for key, value in params.items() if key != "n_filters"}
    return RandomCNNFeatures(
        architecture,
        n_filters=params["n_filters"],
        architecture_params=other_params or None,
        random_state=random_state,
        device=device,
    )


def mfcc(*, device: str, **_: Any) -> Any:
    """Build the 120 MFCC statistics of the paper's baseline."""
    from skfewaudio import MFCC

    return MFCC(device=device)


def svm(features: Any, **_: Any) -> FeatureStudy:
    """Build a study with a support vector machine and the paper's grid."""
    from sklearn.svm import SVC

    return FeatureStudy(features, SVC(), svm_grid, rotate=True)


def svm_grid(n_features: int) -> list[dict[str, list[Any]]]:
    """Return the paper's grid; its gamma "auto" is one over the number of features."""
    penalties = [0.1, 2.0, 8.0, 32.0]
    gammas = [2.0**-power for power in (3, 5, 7, 9, 11, 13)]
    return [
        {"kernel": ["rbf"], "gamma": [*gammas, 1 / n_features], "C": penalties},
        {"kernel": ["linear"], "C": penalties},
    ]


def elm(features: Any, *, random_state: int, **_: Any) -> FeatureStudy:
    """Build a study with an extreme learning machine and the paper's numbers of hidden units."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skfewaudio import ELMClassifier

    units = [100, 250, 500, 1200, 1800, 2500]
    machine = make_pipeline(StandardScaler(), ELMClassifier(random_state=random_state, device="cpu"))
    return FeatureStudy(features, machine, lambda _: [{"elmclassifier__n_hidden": units}])


def ridge(features: Any, **_: Any) -> FeatureStudy:
    """Build a study with ridge regression, whose penalty is chosen by leave-one-out."""
    import numpy as np
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return FeatureStudy(features, make_pipeline(StandardScaler(), RidgeClassifierCV(np.logspace(-1, 6, 15))))


def trained(
    name: str, *, device: str, random_state: int, mixed_precision: bool | None = None, **_: Any
) -> FeatureStudy:
    """Build a study that trains the network, on the same input."""
    import torch
    from sklearn.preprocessing import FunctionTransformer

    from skfewaudio import LogMel, SkorchCNN
    from skfewaudio.plugins import ARCHITECTURES as REGISTERED

    architecture, params = ARCHITECTURES[name]
    waveforms = REGISTERED.get(architecture).signal == "waveform"
    features = (
        FunctionTransformer(_as_bands) if waveforms else LogMel.from_preset("random-cnn", device=device)
    )
    network = SkorchCNN(
        architecture,
        architecture_params={**params, "input_norm": "band"},
        optimizer=torch.optim.Adam,
        learning_rate=1e-3,
        max_epochs=50,
        mixed_precision=mixed_precision,
        random_state=random_state,
        device=device,
    )
    return FeatureStudy(features, network)


def _as_bands(clips: Any) -> "list[np.ndarray]":
    """Return waveforms as spectrograms with one band; files are resampled to SAMPLE_RATE."""
    from skfewaudio.audio import iter_clips

    read = iter_clips(clips, sample_rate=SAMPLE_RATE) if isinstance(clips[0], str) else clips
    return [clip[None] for clip in read]


def make_feature_study(name: str, *, device: str, random_state: int, **training: Any) -> FeatureStudy:
    """Build a study by name."""
    features, classifier = name.split("+")
    options: dict[str, Any] = {"device": device, "random_state": random_state}
    if classifier == "trained":
        return trained(features, **options, **training)
    make_features = mfcc if features == "mfcc" else partial(random_cnn, features)
    return {"svm": svm, "elm": elm, "ridge": ridge}[classifier](make_features(**options), **options)


NAMES = [
    f"{features}+{classifier}"
    for features in ("mfcc", *ARCHITECTURES)
    for classifier in ("svm", "elm", "ridge", *(["trained"] if features in TRAINED else []))
]
# Features that take seconds per clip on a CPU; training takes minutes.
LARGE = ("small-filters-717", "sample-level-512", "frame-level-896", "many-shapes-448")
SLOW = {name for name in NAMES if name.endswith("+trained") or name.startswith(LARGE)}
