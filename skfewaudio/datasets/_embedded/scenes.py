"""The embedded multi-label dataset: synthetic, overlapping sound events in folds."""

import numpy as np
from numpy.typing import NDArray

from .._base import AudioDataset
from .room import LICENCE, RandomState, check_n_folds, check_range, check_sample_rate, draw_entropy
from .scene_labels import check_count, check_events, check_imbalance, label_names, plan_scenes
from .scene_recorder import SceneRecorder

NAME = "sound_scenes"
DESCRIPTION = "Overlapping sound events made by formulas, in simulated rooms over simulated street noise"

_CLIPS_PER_RECORDING = 2


def make_sound_scenes(
    n_clips: int = 500,
    n_labels: int = 10,
    *,
    n_folds: int = 5,
    events: tuple[int, int] = (1, 4),
    imbalance: float = 10.0,
    duration: float | tuple[float, float] = (3.0, 5.0),
    sample_rate: int = 22050,
    snr_db: tuple[float, float] = (5.0, 20.0),
    random_state: RandomState = 0,
) -> tuple[list[NDArray[np.float32]] | NDArray[np.float32], NDArray[np.int16], NDArray[np.int64]]:
    """Synthesise clips of overlapping sound events, with several labels per clip.

    The first ten labels are the classes of :func:`make_sound_events`, in alphabetical order. Further labels
    are varieties of these classes: the 14th label, ``dog_bark-2``, is the second variety of the fourth label,
    ``dog_bark``. With up to ten labels, each label has the whole range of its sound. With more labels, the
    varieties divide the range of every quantity (pitch, tempo, roughness and so on) between them,
    independently of other quantities: the higher-pitched of two dogs may be the slower one. With more than
    five varieties, neighbouring parts overlap. The assignment of parts to varieties depends only on
    `n_labels`.

    Each fold is a recording site: it has one room, one microphone, one kind of background and a part of each
    label's range of sounds. Clips of one fold come in pairs from one recording. Events with the same label in
    both clips have the same sound source. An event lasts at least half of the clip, including pauses, so that
    any two events overlap. Each event has its own distance and level.

    Parameters
    ----------
    n_clips : int, default=500
        Number of clips, assigned to alternating folds. At least `n_folds`.
    n_labels : int, default=10
        Number of labels, at least 1.
    n_folds : int, default=5
        Number of recording sites, at least 2.
    events : (int, int), default=(1, 4)
        Smallest and largest number of events per clip, each with a different label. At most `n_labels`. If
        the smallest number is 0, some clips have only background.
    imbalance : float, default=10.0
        Ratio of the numbers of clips with the most common and the rarest label, at least 1. The numbers of
        clips form a geometric series, in a random order of the labels. A label whose number would exceed the
        number of clips occurs less often.
    duration : float or (float, float), default=(3.0, 5.0)
        Length of all clips, or shortest and longest length, in seconds. At least 1.
    sample_rate : int, default=22050
        Samples per second, in Hz. At least 8000.
    snr_db : (float, float), default=(5.0, 20.0)
        Lowest and highest level of an event relative to the background, in dB, measured in the loudest tenth
        of a second of the event. In a wide range, loud events mask more of the others.
    random_state : int, RandomState, Generator or None, default=0
        Seed or random number generator of the sounds. None uses fresh entropy.

    Returns
    -------
    X : list of ndarray of shape (n_samples,), or ndarray of shape (n_clips, n_samples)
        The clips, float32, with peaks between 0.4 and 0.95; one array if `duration` is a number. A smaller
        `n_clips` returns the first clips of a larger one.
    Y : ndarray of int16, shape (n_clips, n_labels)
        Indicator matrix: 1 if the clip has an event with the label, otherwise 0.
    folds : ndarray of int, shape (n_clips,)
        The fold of each clip, from 1 to `n_folds`.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If `random_state` has another type.

    Warns
    -----
    UserWarning
        If a label does not occur in a fold. A label with a share s of the events is drawn once in every 1/s
        events, so that a sufficient number of clips has all labels: with the other defaults about 110 for 10
        labels, 500 for 50 and 2,000 for 200, or fewer with a smaller `imbalance`.

    See Also
    --------
    load_sound_scenes : Return the same clips as an AudioDataset with label names and recordings.
    make_sound_events : Synthesise clips with one class each.

    Notes
    -----
    The labels of the default dataset occur in 61 to 6 % of the clips; with ``n_labels=50``, in 12 to 1 %. The
    table shows the difficulty as the mean average precision, in percent, of one-vs-rest logistic regression
    on standardised features. Each fold is tested on after training on 100, 200 (3 draws of each) and all 400
    clips of the other folds:

    ======== ============ =================== ========== ======
    n_labels random_state LogMel, mean and    MFCC       chance
                          deviation in time
    ======== ============ =================== ========== ======
    10       0            58, 62, 65          59, 64, 70 25
    10       1            53, 59, 62          53, 56, 60 25
    50       0            30, 39, 49          28, 34, 40 5
    50       1            29, 38, 44          28, 34, 40 5
    ======== ============ =================== ========== ======

    The mean area under the ROC curve (LogMel, ``random_state=0``) is 78, 81, 83 for 10 labels and 72, 80, 85
    for 50; the chance level is 50. On a random split that ignores the folds, the mean average precision is 69
    instead of 65 for 10 labels, and 48 instead of 49 for 50. For 200 labels and 2,000 clips, it is 15, 19 and
    23 with 400, 800 and 1,600 training clips; the chance level is 1.

    Clips are bit-identical for the same arguments, machine and versions of NumPy and SciPy. No global random
    state is used. The default dataset lasts 33 minutes and takes about 20 s to make.

    Examples
    --------
    >>> from skfewaudio.datasets import make_sound_scenes
    >>> X, Y, folds = make_sound_scenes(40, 4, n_folds=2, events=(1, 2), duration=1.0, sample_rate=8000)
    >>> X.shape, Y.shape
    ((40, 8000), (40, 4))
    >>> sorted(set(Y.sum(axis=1).tolist()))
    [1, 2]
    """
    least_most = check_events(events, check_count("n_labels", n_labels, 1))
    check_n_folds(n_folds)
    check_count("n_clips", n_clips, n_folds, f"n_folds={n_folds}")
    recorder = SceneRecorder(
        draw_entropy(random_state),
        n_labels,
        check_range("duration", duration if np.ndim(duration) else (duration, duration), lowest=1.0),
        check_sample_rate(sample_rate),
        check_range("snr_db", snr_db),
    )
    Y, folds = plan_scenes(
        n_clips, n_labels, n_folds, least_most, check_imbalance(imbalance), recorder.entropy
    )
    keys = zip(folds, _recording_numbers(n_clips, n_folds), strict=True)
    X = [
        recorder.record(clip, int(fold), int(recording), np.flatnonzero(Y[clip]).tolist())
        for clip, (fold, recording) in enumerate(keys)
    ]
    return X if np.ndim(duration) else np.stack(X), Y, folds


def load_sound_scenes(
    n_clips: int = 500,
    n_labels: int = 10,
    *,
    n_folds: int = 5,
    events: tuple[int, int] = (1, 4),
    imbalance: float = 10.0,
    duration: float | tuple[float, float] = (3.0, 5.0),
    sample_rate: int = 22050,
    snr_db: tuple[float, float] = (5.0, 20.0),
    random_state: RandomState = 0,
) -> AudioDataset:
    """Load the embedded multi-label dataset: synthetic overlapping sound events, without a download.

    Parameters
    ----------
    n_clips, n_labels, n_folds, events, imbalance, duration, sample_rate, snr_db, random_state
        As in :func:`make_sound_scenes`.

    Returns
    -------
    AudioDataset
        Waveforms with their labels and folds. Groups are the recordings: ``"3-0"`` is the first recording of
        the third fold.

    Raises
    ------
    ValueError
        If an argument is out of range.
    TypeError
        If `random_state` has another type.

    Warns
    -----
    UserWarning
        If a label does not occur in a fold.

    See Also
    --------
    make_sound_scenes : Synthesise the clips; describes the labels and their difficulty.

    Examples
    --------
    >>> from skfewaudio.datasets import load_sound_scenes
    >>> scenes = load_sound_scenes(100, 12, n_folds=2, duration=1.0, sample_rate=8000)
    >>> scenes
    <AudioDataset sound_scenes: 100 clips, 12 labels, folds 1, 2, 50 recordings>
    >>> scenes.target_names[-2:]
    ['air_conditioner-2', 'car_horn-2']
    """
    X, Y, folds = make_sound_scenes(
        n_clips,
        n_labels,
        n_folds=n_folds,
        events=events,
        imbalance=imbalance,
        duration=duration,
        sample_rate=sample_rate,
        snr_db=snr_db,
        random_state=random_state,
    )
    recordings = zip(folds, _recording_numbers(n_clips, n_folds), strict=True)
    return AudioDataset(
        X=X,
        target=Y,
        name=NAME,
        folds=folds,
        groups=np.array([f"{fold}-{recording}" for fold, recording in recordings]),
        sample_rate=sample_rate,
        licence=LICENCE,
        description=DESCRIPTION,
        label_names=label_names(n_labels),
    )


def _recording_numbers(n_clips: int, n_folds: int) -> NDArray[np.int64]:
    """Return the number of each clip's recording within its fold."""
    return np.arange(n_clips) // n_folds // _CLIPS_PER_RECORDING
