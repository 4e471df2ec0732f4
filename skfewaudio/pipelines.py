"""Ready-made pipelines: the recommended few-shot classifier, and the pipelines of the benchmark by name.

Large dependencies are imported inside the functions, so that the names can be listed without loading torch.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import numpy as np
    from sklearn.pipeline import Pipeline

__all__ = ["PIPELINES", "make_few_shot_classifier"]

# Of statistics, the two descriptions of the order of events and the embedding: for long recordings, and for
# sounds as short as a word, which differ in the order of events.
BLOCK_PRIOR = ((0.33, 0.01, 0.02, 0.64), (0.08, 0.20, 0.28, 0.44))
# Of the statistics and the embedding, in decibels. Some clips are padded, and others are cut to the sound.
ACTIVE_DB = 60.0
# Of all embeddings of other networks together, where the weights above sum to 1. With more, a network that
# does not suit the recordings would lower the accuracy of few clips, as in docs/benchmarks/pretrained.md.
EMBEDDING_PRIOR = 0.43


def make_few_shot_classifier(
    *,
    sample_rate: int | Literal["auto"] = "auto",
    n_mels: int = 64,
    augmentation: Any = "auto",
    n_copies: int | Literal["auto"] = "auto",
    semi_supervised: bool = False,
    class_weight: Any = None,
    false_rejection_rate: float | None = None,
    unknown_label: Any = "unknown",
    random_state: int = 0,
    channel: str | int = "mean",
    allow_truncated: bool = False,
    embedding: Any = None,
    device: str | None = None,
    incremental: bool = False,
) -> "Pipeline":
    """Make the recommended pipeline for 1 to 100 clips per class, which is fitted in seconds on a CPU.

    Parameters
    ----------
    sample_rate : int or "auto", default="auto"
        Sample rate in Hz. Files are resampled to it; arrays must have it. "auto" uses the most frequent rate
        of the training recordings, and 44,100 Hz for arrays without a rate. Recordings of a far higher or
        lower rate are then named in a warning when they are predicted. Spectrograms have one frame every
        23 ms at any sample rate.
    n_mels : int, default=64
        Number of mel bands of the spectrograms. Other numbers than 64 are interpolated to 64, which the
        descriptions of the clips require.
    augmentation : Augmentation, callable, list of these, "auto" or None, default="auto"
        Augmentation of the copies of the training clips: see :mod:`skfewaudio.augmentation`. ``"auto"``
        changes the tempo by up to a fifth, the pitch by up to two mel bands and the spectral colour by 3 dB
        (standard deviation), and adds noise. None makes no copies, which is faster and slightly less
        accurate.
    n_copies : int or "auto", default="auto"
        Number of augmented copies of each clip. ``"auto"`` makes four, and fewer with more than 8 clips per
        class, as in :class:`~skfewaudio.classifiers.AugmentedClassifier`.
    semi_supervised : bool, default=False
        Whether clips with the label -1 are unlabelled and used for self-training, as in
        :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier`.
    class_weight : dict or "balanced", default=None
        Weights of the classes, as in :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier`.
    false_rejection_rate : float, default=None
        Expected share of clips of known classes that are rejected, as in
        :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier`. None disables rejection.
    unknown_label : object, default="unknown"
        Label predicted for rejected clips.
    random_state : int, default=0
        Seed of the augmentation.
    channel : {"mean", "first", "loudest"} or int, default="mean"
        How the channels of files are reduced to one: their mean, the first, the one with the highest power,
        or the one with an index from 0.
    allow_truncated : bool, default=False
        Whether files that were cut off are used as far as they can be decoded, with a warning. False raises
        an error.
    embedding : str, path-like, object, transformer, or list of these, default=None
        Pre-trained network, as the parameter ``model`` of :class:`~skfewaudio.features.PretrainedEmbed`, or a
        transformer of waveforms to vectors. Its embedding becomes a block of its own. It is computed once
        per clip: augmented copies have the embedding of their clip. None uses the built-in blocks alone.
    device : str, default=None
        Torch device. None uses CUDA if available.
    incremental : bool, default=False
        Whether `fit` keeps the features of the clips, about 36 kB per clip and per copy, so that
        ``partial_fit`` of the last step can add clips and classes later.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Pipeline for waveforms or paths. The first step, ``logmel``, learns the sample rate at most, so that
        :func:`~skfewaudio.model_selection.few_shot_curve` computes it once per clip. The last step,
        ``classifier``, is an :class:`~skfewaudio.classifiers.AugmentedClassifier` around a
        :class:`~skfewaudio.classifiers.BlockClassifier`, which chooses the weights of four descriptions of
        the clips: ``statistics``, ``level`` and ``shape`` over time, and ``embedding``. Without augmentation,
        it is the last step itself. With other embeddings, the first step is ``features``, a
        :class:`~skfewaudio.features.SpectrogramWithEmbeddings`, and each has a block with its name.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio import make_few_shot_classifier
    >>> seconds = np.arange(8000) / 16000
    >>> X = np.sin(2 * np.pi * np.array([[300.0], [320.0], [2000.0], [2100.0]]) * seconds)
    >>> model = make_few_shot_classifier(sample_rate=16000).fit(X, ["low", "low", "high", "high"])
    >>> model.predict(np.sin(2 * np.pi * np.array([[310.0], [1900.0]]) * seconds))
    array(['low', 'high'], dtype='<U4')
    """
    from sklearn.pipeline import Pipeline

    from skfewaudio.augmentation import BackgroundNoise, FrequencyShift, RandomEqualizer, TimeStretch
    from skfewaudio.classifiers import AugmentedClassifier, BlockClassifier, CalibratedRidgeClassifier
    from skfewaudio.features import (
        BlockScaler,
        LogMel,
        SoundEmbed,
        SpectrogramStatistics,
        SpectrogramWithEmbeddings,
        TimeNormalizedSpectrogram,
    )

    logmel = LogMel.at_rate(
        sample_rate, n_mels=n_mels, channel=channel, allow_truncated=allow_truncated, device=device
    )
    ridge = CalibratedRidgeClassifier(
        # The mean of the labelled clips alone is a poor centre of all clips.
        fit_intercept=not semi_supervised,
        weigh_copies=True,
        class_weight=class_weight,
        false_rejection_rate=false_rejection_rate,
        unknown_label=unknown_label,
        semi_supervised=semi_supervised,
        device=device,
    )
    blocks: list[tuple[str, Any]] = [
        (
            "statistics",
            SpectrogramStatistics(active_db=ACTIVE_DB, noise_compensation=True, device=device),
        ),
        ("level", TimeNormalizedSpectrogram(("level", "change"), noise_compensation=True, device=device)),
        ("shape", TimeNormalizedSpectrogram(("shape", "change"), noise_compensation=True, device=device)),
        ("embedding", SoundEmbed(active_db=ACTIVE_DB, noise_compensation=True, device=device)),
    ]
    named = _name_embeddings(embedding, channel=channel, allow_truncated=allow_truncated, device=device)
    first: tuple[str, Any] = ("logmel", logmel)
    prior: list[tuple[float, ...]] = list(BLOCK_PRIOR)
    if named:
        first = ("features", SpectrogramWithEmbeddings(logmel, named))
        blocks += [(name, "passthrough") for name, _ in named]
        prior = [(*row, *[EMBEDDING_PRIOR / len(named)] * len(named)) for row in BLOCK_PRIOR]
    classifier = BlockClassifier(blocks, ridge, scaler=BlockScaler(), prior=prior, incremental=incremental)
    if isinstance(augmentation, str) and augmentation == "auto":
        augmentation = [TimeStretch(0.2), FrequencyShift(2), RandomEqualizer(3.0), BackgroundNoise()]
    if augmentation is None:
        return Pipeline([first, ("classifier", classifier)])
    augmented = AugmentedClassifier(
        classifier, augmentation=augmentation, n_copies=n_copies, random_state=random_state
    )
    return Pipeline([first, ("classifier", augmented)])


def _name_embeddings(embedding: Any, **options: Any) -> list[tuple[str, Any]]:
    """Return the names and the transformers of one or several embeddings.

    Names become parts of parameters, so that they are those of the models without double underscores.
    """
    from skfewaudio.features import PretrainedEmbed

    given = embedding if isinstance(embedding, list | tuple) else [] if embedding is None else [embedding]
    named: list[tuple[str, Any]] = []
    for item in given:
        transformer = item if hasattr(item, "transform") else PretrainedEmbed(item, **options)
        inner = getattr(transformer, "transformer", transformer)  # unwraps CachedFeatures
        name = str(getattr(inner, "label", type(inner).__name__.lower())).replace("__", "_")
        taken = {*(name for name, _ in named), "statistics", "level", "shape", "embedding"}
        number = next(n for n in range(1, len(taken) + 2) if (name if n == 1 else f"{name}-{n}") not in taken)
        named.append((name if number == 1 else f"{name}-{number}", transformer))
    return named


def random_guess(**_: Any) -> Any:
    """Build a classifier that predicts random classes, with accuracy at chance level."""
    from sklearn.dummy import DummyClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    # A stateless first step runs once: the clips are not sent to the workers, which would dominate the time.
    return make_pipeline(FunctionTransformer(_ignore), DummyClassifier(strategy="uniform"))


def _ignore(clips: Any) -> "np.ndarray":
    """Return the same feature for every clip."""
    import numpy as np

    return np.zeros((len(clips), 1))


def mfcc_1nn(*, device: str, **_: Any) -> Any:
    """Build a 1-nearest-neighbour classifier on 120 MFCC statistics, with the cosine distance."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    from skfewaudio import MFCC

    return make_pipeline(MFCC(device=device), KNeighborsClassifier(1, metric="cosine"))


def mfcc_prototypes(*, device: str, **_: Any) -> Any:
    """Build a nearest-prototype classifier on standardised MFCC statistics."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    from skfewaudio import MFCC, PrototypicalClassifier

    return make_pipeline(MFCC(device=device), StandardScaler(), PrototypicalClassifier(device=device))


def recommended(*, device: str, semi_supervised: bool = False, embedding: Any = None, **_: Any) -> Any:
    """Build the recommended pipeline with its default parameters."""
    return make_few_shot_classifier(device=device, semi_supervised=semi_supervised, embedding=embedding)


def random_cnn_ridge(*, device: str, **_: Any) -> Any:
    """Build ridge regression on features of an untrained network."""
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
    """Build a network of arXiv:1810.10274 on log-mel spectrograms."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, SkorchCNN

    return make_pipeline(
        LogMel(device=device), SkorchCNN(architecture, device=device, mixed_precision=mixed_precision)
    )


def vgg_augmented(*, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Build the VGG of arXiv:1810.10274, trained longer with frequency shifts and mixup."""
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
    """Build a prototypical network with the default parameters."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, PrototypicalClassifier

    return make_pipeline(
        LogMel(device=device), PrototypicalClassifier(device=device, mixed_precision=mixed_precision)
    )


def prototypical_paper(*, device: str, mixed_precision: bool | None, **_: Any) -> Any:
    """Build the prototypical network of arXiv:1810.10274 with the published parameters."""
    from sklearn.pipeline import make_pipeline

    from skfewaudio import LogMel, PrototypicalClassifier

    return make_pipeline(
        LogMel.from_preset("few-data", device=device),
        PrototypicalClassifier.from_preset("few-data", device=device, mixed_precision=mixed_precision),
    )


def vggish_1nn(*, device: str, vggish_weights: str | Path, **_: Any) -> Any:
    """Build a majority vote over patches: 1-nearest neighbour of VGGish embeddings, with cosine distance."""
    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline

    from skfewaudio import PatchClassifier, VGGishEmbed

    return make_pipeline(
        VGGishEmbed(vggish_weights, pooling=None, device=device),
        PatchClassifier(KNeighborsClassifier(1, metric="cosine"), aggregation="vote"),
    )


def fine_tuned_vggish(classifier: str, *, device: str, mixed_precision: bool | None, **options: Any) -> Any:
    """Build a pipeline that fine-tunes VGGish, as a CNN with a new output layer or on episodes."""
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


# Functions that build an unfitted pipeline from the keyword arguments device, mixed_precision and
# vggish_weights.
PIPELINES: dict[str, Callable[..., Any]] = {
    "random": random_guess,
    "mfcc-1nn": mfcc_1nn,
    "mfcc-prototypes": mfcc_prototypes,
    "few-shot": recommended,
    "random-cnn-ridge": random_cnn_ridge,
    "sb-cnn": partial(cnn, "sb_cnn"),
    "vgg": partial(cnn, "vgg"),
    "vgg-augmented": vgg_augmented,
    "timbre": partial(cnn, "timbre"),
    "prototypical": prototypical,
    "prototypical-paper": prototypical_paper,
    "vggish-1nn": vggish_1nn,
    "vggish-fine-tuned": partial(fine_tuned_vggish, "SkorchCNN"),
    "vggish-prototypical": partial(fine_tuned_vggish, "PrototypicalClassifier"),
}
# Pipelines whose fits take minutes to hours on a CPU.
SLOW = {
    *("sb-cnn", "vgg", "vgg-augmented", "timbre", "prototypical-paper"),
    *("vggish-fine-tuned", "vggish-prototypical"),
}
TAKES_EMBEDDING = ("few-shot",)
NEEDS_WEIGHTS = {"vggish-1nn", "vggish-fine-tuned", "vggish-prototypical"}
