"""The classifier to start with: features, scaling and a classifier that one clip per class is enough for."""

from typing import Any

from sklearn.pipeline import Pipeline

from skfewaudio.augmentation import BackgroundNoise, FrequencyShift, RandomEqualizer, TimeStretch
from skfewaudio.classifiers import AugmentedClassifier, CalibratedRidgeClassifier
from skfewaudio.features import BlockScaler, LogMel, SpectrogramStatistics

__all__ = ["make_few_shot_classifier"]

# Spectrograms are made as at this rate, and at others with frames of nearly the same length.
USUAL_SAMPLE_RATE = 44100
USUAL_HOP_LENGTH = 1024


def make_few_shot_classifier(
    *,
    sample_rate: int = 44100,
    n_mels: int = 64,
    augmentation: Any = "auto",
    n_copies: int = 4,
    semi_supervised: bool = False,
    false_rejection_rate: float | None = None,
    unknown_label: Any = "unknown",
    random_state: int = 0,
    device: str | None = None,
) -> Pipeline:
    """Make a classifier of sounds that learns from 1 to 100 clips per class, in seconds, without a network.

    Parameters
    ----------
    sample_rate : int, default=44100
        In Hz. Files are resampled to it; arrays are taken to have it. Spectrograms have a frame every 23 ms
        whatever it is.
    n_mels : int, default=64
        Mel bands.
    augmentation : Augmentation, callable, list of these, "auto" or None, default="auto"
        How copies of the training clips are changed: see :mod:`skfewaudio.augmentation`. ``"auto"`` makes
        them up to a fifth faster or slower, moves them by two bands at most, colours them by 3 dB and adds
        noise. None makes no copies, which is faster and a little worse.
    n_copies : int, default=4
        Copies of each clip.
    semi_supervised : bool, default=False
        Whether clips with the label -1 have none, and are to be learnt from all the same. As in
        :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier`.
    false_rejection_rate : float, default=None
        Share of clips of known classes that may be called unknown; None calls none so. As in
        :class:`~skfewaudio.classifiers.CalibratedRidgeClassifier`.
    unknown_label : object, default="unknown"
        What those are given.
    random_state : int, default=0
        Seed of the filters of :class:`~skfewaudio.features.SpectrogramStatistics` and of the changes.
    device : str, default=None
        Torch device; None takes CUDA where there is one.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Of waveforms or paths. Its first step, ``logmel``, learns nothing, and is computed once per clip by
        :func:`~skfewaudio.model_selection.few_shot_curve`. The last, ``classifier``, is an
        :class:`~skfewaudio.classifiers.AugmentedClassifier` around a Pipeline of ``statistics``, ``scaler``
        and ``classifier``; without augmentation these three are steps themselves.

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
    hop_length = max(1, round(USUAL_HOP_LENGTH * sample_rate / USUAL_SAMPLE_RATE))
    n_fft = 2 ** (2 * hop_length - 1).bit_length()  # the power of two that spans two frames or more
    logmel = LogMel(sample_rate=sample_rate, n_fft=n_fft, hop_length=hop_length, n_mels=n_mels, device=device)
    statistics = SpectrogramStatistics(random_state=random_state, device=device)
    ridge = CalibratedRidgeClassifier(
        fit_intercept=False,
        false_rejection_rate=false_rejection_rate,
        unknown_label=unknown_label,
        semi_supervised=semi_supervised,
        device=device,
    )
    scaler = BlockScaler(statistics.block_sizes(n_mels))
    steps: list[tuple[str, Any]] = [("statistics", statistics), ("scaler", scaler), ("classifier", ridge)]
    if isinstance(augmentation, str) and augmentation == "auto":
        augmentation = [TimeStretch(0.2), FrequencyShift(2), RandomEqualizer(3.0), BackgroundNoise()]
    if augmentation is None:
        return Pipeline([("logmel", logmel), *steps])
    augmented = AugmentedClassifier(
        Pipeline(steps), augmentation=augmentation, n_copies=n_copies, random_state=random_state
    )
    return Pipeline([("logmel", logmel), ("classifier", augmented)])
