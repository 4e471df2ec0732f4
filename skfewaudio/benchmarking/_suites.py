"""The pipelines that run_all compares, by suite and name.

A function makes a pipeline, or for the suites random-cnn and large-scale a study, from the options that it
needs. What is heavy is imported where it is used, so that ``run_all.py --help`` answers at once.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._large_scale import studies as _large_scale
from ._random_cnn import studies as _random_cnn

if TYPE_CHECKING:
    import numpy as np


def random_guess(**_: Any) -> Any:
    """Guess: the chance level."""
    from sklearn.dummy import DummyClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    # Sending all sounds to the workers, only to ignore them, takes longer than the guessing.
    return make_pipeline(FunctionTransformer(_ignore), DummyClassifier(strategy="uniform"))


def _ignore(clips: Any) -> "np.ndarray":
    """Give every clip the same feature."""
    import numpy as np

    return np.zeros((len(clips), 1))


def mfcc_1nn(*, device: str, **_: Any) -> Any:
    """Take the nearest labelled clip by the cosine of 120 MFCC statistics."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    from skfewaudio import MFCC

    return make_pipeline(MFCC(device=device), KNeighborsClassifier(1, metric="cosine"))


def mfcc_prototypes(*, device: str, **_: Any) -> Any:
    """Take the nearest prototype, the mean of a class's standardised MFCC statistics."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skfewaudio import MFCC, PrototypicalClassifier

    return make_pipeline(MFCC(device=device), StandardScaler(), PrototypicalClassifier(device=device))


def few_shot(*, device: str, semi_supervised: bool = False, **_: Any) -> Any:
    """Calibrated ridge regression on statistics of spectrograms: the classifier to start with."""
    from skfewaudio import make_few_shot_classifier

    return make_few_shot_classifier(device=device, semi_supervised=semi_supervised)


def random_cnn_ridge(*, device: str, **_: Any) -> Any:
    """Ridge regression on features of a network that was never trained."""
    import numpy as np
    from sklearn.linear_model import RidgeClassifierCV
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skfewaudio import RandomCNNFeatures

    return make_pipeline(
        RandomCNNFeatures("musically_motivated", n_filters=128, device=device),
        StandardScaler(),
        RidgeClassifierCV(np.logspace(-1, 6, 15)),
    )


def cnn(architecture: str, *, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Train a network of arXiv:1810.10274."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, SkorchCNN

    return make_pipeline(
        LogMel(device=device), SkorchCNN(architecture, device=device, mixed_precision=mixed_precision)
    )


def vgg_augmented(*, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Train the VGG of arXiv:1810.10274 on shifted and mixed clips, for longer."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, SkorchCNN
    from skfewaudio.augmentation import FrequencyShift, MixUp

    network = SkorchCNN(
        "vgg",
        augmentation=[FrequencyShift(6), MixUp(0.4)],
        batch_size=32,
        max_epochs=400,
        device=device,
        mixed_precision=mixed_precision,
    )
    return make_pipeline(LogMel(device=device), network)


def prototypical(*, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Prototypical network with the defaults."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, PrototypicalClassifier

    return make_pipeline(
        LogMel(device=device), PrototypicalClassifier(device=device, mixed_precision=mixed_precision)
    )


def prototypical_paper(*, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Prototypical network exactly as in arXiv:1810.10274."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, PrototypicalClassifier

    return make_pipeline(
        LogMel.from_preset("few-data", device=device),
        PrototypicalClassifier.from_preset("few-data", device=device, mixed_precision=mixed_precision),
    )


def vggish_1nn(*, device: str, vggish_weights: str | Path, **_: Any) -> Any:
    """Let the patches of a clip vote, each for the nearest labelled patch by the cosine of its embedding."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    from skfewaudio import PatchClassifier, VGGishEmbed

    return make_pipeline(
        VGGishEmbed(vggish_weights, pooling=None, device=device),
        PatchClassifier(KNeighborsClassifier(1, metric="cosine"), aggregation="vote"),
    )


def vggish_tuned(classifier: str, *, device: str, mixed_precision: bool | None, **options: Any) -> Any:
    """Fine-tune VGGish, with a new last layer or by episodes."""
    from sklearn.pipeline import make_pipeline

    import skfewaudio

    return make_pipeline(
        skfewaudio.LogMel.from_preset("vggish", device=device),
        getattr(skfewaudio, classifier).from_preset(
            "few-data-transfer",
            weights=options["vggish_weights"],
            device=device,
            mixed_precision=mixed_precision,
        ),
    )


SUITES: dict[str, dict[str, Callable[..., Any]]] = {
    "few-data": {
        "random": random_guess,
        "mfcc-1nn": mfcc_1nn,
        "mfcc-prototypes": mfcc_prototypes,
        "few-shot": few_shot,
        "random-cnn-ridge": random_cnn_ridge,
        "sb-cnn": partial(cnn, "sb_cnn"),
        "vgg": partial(cnn, "vgg"),
        "vgg-augmented": vgg_augmented,
        "timbre": partial(cnn, "timbre"),
        "prototypical": prototypical,
        "prototypical-paper": prototypical_paper,
        "vggish-1nn": vggish_1nn,
        "vggish-fine-tuned": partial(vggish_tuned, "SkorchCNN"),
        "vggish-prototypical": partial(vggish_tuned, "PrototypicalClassifier"),
    },
    "random-cnn": {name: partial(_random_cnn.make_study, name) for name in _random_cnn.NAMES},
    "large-scale": {name: partial(_large_scale.make_study, name) for name in _large_scale.STUDIES},
}
# Minutes to hours a fit on a CPU.
SLOW = {
    *("sb-cnn", "vgg", "vgg-augmented", "timbre", "prototypical-paper"),
    *("vggish-fine-tuned", "vggish-prototypical"),
    *_random_cnn.SLOW,
}
NEEDS_WEIGHTS = {"vggish-1nn", "vggish-fine-tuned", "vggish-prototypical", *_large_scale.NEEDS_WEIGHTS}
