"""The embedded data set with several labels a clip: overlapping sound events made by code, in folds."""

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
    """Make clips in which several sound events overlap, with all their labels, by code alone.

    The first ten labels are the classes of :func:`make_sound_events`, in alphabetical order. Further ones are
    varieties of these: the 14th label, ``dog_bark-2``, is the second variety of the fourth, ``dog_bark``. Up
    to ten labels, each has the whole range of its sound. Beyond that, varieties share out the range of every
    quantity (pitch, tempo, roughness and so on), so that the higher-pitched of two dogs may be the slower
    one; with more than five varieties, neighbouring parts overlap. Which part is whose depends on `n_labels`
    alone.

    Each fold is a recording site: it has one room, one microphone, one kind of background and a part of each
    label's range of sounds. Every two clips of a fold make up a recording: what sounds in both is one source.
    An event lasts at least half the clip, its pauses included, so that any two overlap, and has a distance
    and a level of its own.

    Parameters
    ----------
    n_clips : int, default=500
        Number of clips, dealt to the folds in turn. At least `n_folds`.
    n_labels : int, default=10
        Number of labels, at least 1.
    n_folds : int, default=5
        Number of recording sites, at least 2.
    events : (int, int), default=(1, 4)
        Least and most events a clip, each of another label. At most `n_labels`; 0 makes some clips of
        background alone.
    imbalance : float, default=10.0
        How many times as often the commonest label sounds as the rarest; the counts between are a geometric
        series, and which label is how common is drawn. At least 1, where all are as common. A label that
        would have to sound more than once a clip sounds less often than that.
    duration : float or (float, float), default=(3.0, 5.0)
        Length of every clip, or shortest and longest, in seconds. At least 1.
    sample_rate : int, default=22050
        Samples per second, in Hz. At least 8000.
    snr_db : (float, float), default=(5.0, 20.0)
        Least and greatest level, in dB, of the loudest tenth of a second of an event over the background.
        The wider the range, the more events are drowned by others.
    random_state : int, RandomState, Generator or None, default=0
        What the sounds are drawn from. None takes fresh entropy.

    Returns
    -------
    X : list of ndarray of shape (n_samples,), or ndarray of shape (n_clips, n_samples)
        The clips, float32, peaks between 0.4 and 0.95; one array if `duration` is a number. Those for a
        smaller `n_clips` are the first of those for a larger one.
    Y : ndarray of int16, shape (n_clips, n_labels)
        1 where a label sounds in a clip, 0 elsewhere.
    folds : ndarray of int, shape (n_clips,)
        The fold of each clip, from 1 to `n_folds`.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If `random_state` is of another kind.

    Warns
    -----
    UserWarning
        If a fold lacks a label. A label with a share s of the events is drawn once in every 1/s of them, so
        that enough clips hold all: with the other defaults about 110 for 10 labels, 500 for 50 and 2,000 for
        200, or fewer with a smaller `imbalance`.

    See Also
    --------
    load_sound_scenes : The same clips as an AudioDataset, with the names of the labels and the recordings.
    make_sound_events : The classes, one a clip.

    Notes
    -----
    Labels of the default set sound in 61 to 6 % of the clips; with ``n_labels=50``, in 12 to 1 %. Difficulty,
    as the mean average precision of logistic regression on standardised features, one label against the
    rest, each fold tested on in turn, after training on 100, 200 (3 draws of each) and all 400 clips of the
    others:

    ======== ============ =================== ========== ======
    n_labels random_state LogMel, mean and    MFCC       chance
                          deviation in time
    ======== ============ =================== ========== ======
    10       0            58, 62, 65          59, 64, 70 25
    10       1            53, 59, 62          53, 56, 60 25
    50       0            30, 39, 49          28, 34, 40 5
    50       1            29, 38, 44          28, 34, 40 5
    ======== ============ =================== ========== ======

    The mean area under the ROC curve, where chance is 50, is 78, 81, 83 for 10 labels and 72, 80, 85 for 50
    (LogMel, ``random_state=0``). A random split that ignores the folds gives a precision of 69 instead of 65
    for 10 labels, and 48 instead of 49 for 50. For 200 labels and 2,000 clips, 400, 800 and 1,600 to train on
    give 15, 19 and 23, chance being 1.

    Clips are the same to the bit for the same arguments, machine and versions of NumPy and SciPy, and no
    global random state is used. The default set lasts 33 minutes and takes about 20 s to make.

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
    keys = zip(folds, _recordings(n_clips, n_folds), strict=True)
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
    """Make the embedded data set with several labels a clip: overlapping sound events, nothing to download.

    Parameters
    ----------
    n_clips, n_labels, n_folds, events, imbalance, duration, sample_rate, snr_db, random_state
        As in :func:`make_sound_scenes`.

    Returns
    -------
    AudioDataset
        Waveforms, their labels, folds and, as groups, recordings: ``"3-0"`` is the first of the third fold.

    Raises
    ------
    ValueError
        If an argument is out of its range.
    TypeError
        If `random_state` is of another kind.

    Warns
    -----
    UserWarning
        If a fold lacks a label.

    See Also
    --------
    make_sound_scenes : What the labels are, and how difficult.

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
    recordings = zip(folds, _recordings(n_clips, n_folds), strict=True)
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


def _recordings(n_clips: int, n_folds: int) -> NDArray[np.int64]:
    """Give the number, within its fold, of the recording that each clip is from."""
    return np.arange(n_clips) // n_folds // _CLIPS_PER_RECORDING
