"""The embedded dataset of long recordings: synthetic sound events at known times over background noise."""

import hashlib
import io
import json
from collections.abc import Sequence
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray

from skfewaudio._files import read_regular, write_file

from .._base import AudioDataset
from .._home import PathLike, expand_user, get_data_home
from .long_recorder import LongRecorder
from .room import LICENCE, RandomState, check_n_folds, check_range, check_sample_rate, draw_entropy
from .sounds import SOUNDS

NAME = "long_recordings"
DESCRIPTION = "Sound events made by formulas at known times, in simulated rooms over simulated street noise"
CLASSES = ("car_horn", "dog_bark", "gun_shot", "siren")

_TABLE, _SETTINGS = "annotations.csv", "settings.json"
_VERSION = 1  # increment if the sounds change, so that recordings in the data home are made anew


def make_long_recordings(
    n_recordings: int = 10,
    *,
    classes: Sequence[str] = CLASSES,
    n_folds: int = 5,
    duration: float = 120.0,
    events_per_class: tuple[int, int] = (8, 10),
    sample_rate: int = 22050,
    snr_db: tuple[float, float] = (5.0, 25.0),
    random_state: RandomState = 0,
) -> tuple[list[NDArray[np.float32]], pd.DataFrame, NDArray[np.int64]]:
    """Synthesise long recordings of sound events at known times over background noise.

    The classes are named as in :func:`make_sound_events`. Each fold is a recording site: it has one room, one
    microphone, one kind of background and a part of each class's range of sounds. The events of one class in
    one recording have the same sound source: the same dog barks again. Events last about 0.1 to 2 s, do not
    overlap, and are at least half a second apart. All events are annotated. Reverberation after the end of an
    event is not part of it.

    Parameters
    ----------
    n_recordings : int, default=10
        Number of recordings, assigned to alternating folds. At least `n_folds`.
    classes : sequence of str, default=("car_horn", "dog_bark", "gun_shot", "siren")
        Classes of the events; any of the ten of :func:`make_sound_events`.
    n_folds : int, default=5
        Number of recording sites, at least 2.
    duration : float, default=120.0
        Length of each recording in seconds. At least 5.
    events_per_class : (int, int), default=(8, 10)
        Smallest and largest number of events of each class in a recording. With (0, 0), recordings contain
        only background.
    sample_rate : int, default=22050
        Samples per second, in Hz. At least 8000.
    snr_db : (float, float), default=(5.0, 25.0)
        Lowest and highest level of an event relative to the background, in dB, measured in the loudest tenth
        of a second of the event.
    random_state : int, RandomState, Generator or None, default=0
        Seed or random number generator of the sounds. None uses fresh entropy.

    Returns
    -------
    recordings : list of ndarray of shape (n_samples,)
        The recordings, float32, with peaks between 0.4 and 0.95. A smaller `n_recordings` returns the first
        recordings of a larger one.
    events : DataFrame
        Columns recording (index into `recordings`), start, end (seconds) and label, in the order of time.
    folds : ndarray of int, shape (n_recordings,)
        The fold of each recording, from 1 to `n_folds`.

    Raises
    ------
    ValueError
        If an argument is out of range, or the events do not fit into the recording.
    TypeError
        If `random_state` has another type.

    See Also
    --------
    load_long_recordings : Write the recordings to files, and return their events as an AudioDataset.

    Notes
    -----
    Recordings are bit-identical for the same arguments, machine and versions of NumPy and SciPy. No global
    random state is used. A recording of two minutes takes about a second to make.

    Examples
    --------
    >>> from skfewaudio.datasets import make_long_recordings
    >>> recordings, events, folds = make_long_recordings(
    ...     2, n_folds=2, duration=30.0, events_per_class=(2, 3), sample_rate=8000
    ... )
    >>> [len(recording) / 8000 for recording in recordings]
    [30.0, 30.0]
    >>> sorted(events["label"].unique())
    ['car_horn', 'dog_bark', 'gun_shot', 'siren']
    """
    recorder, folds = _plan(
        n_recordings,
        classes=classes,
        n_folds=n_folds,
        duration=duration,
        events_per_class=events_per_class,
        sample_rate=sample_rate,
        snr_db=snr_db,
        random_state=draw_entropy(random_state),
    )
    made = [recorder.record(number, int(fold)) for number, fold in enumerate(folds)]
    rows = [(number, *event) for number, (_, events) in enumerate(made) for event in events]
    table = pd.DataFrame(rows, columns=["recording", "start", "end", "label"])
    return [recording for recording, _ in made], table, folds


def load_long_recordings(
    n_recordings: int = 10,
    *,
    classes: Sequence[str] = CLASSES,
    n_folds: int = 5,
    duration: float = 120.0,
    events_per_class: tuple[int, int] = (8, 10),
    sample_rate: int = 22050,
    snr_db: tuple[float, float] = (5.0, 25.0),
    random_state: RandomState = 0,
    folder: PathLike | None = None,
) -> AudioDataset:
    """Load the embedded dataset of long recordings: synthetic events at known times, without a download.

    The recordings are written to FLAC files when they are loaded for the first time, together with a table
    ``annotations.csv``. With the default arguments, this takes about 15 s and 50 MB.

    Parameters
    ----------
    n_recordings, classes, n_folds, duration, events_per_class, sample_rate, snr_db, random_state
        As in :func:`make_long_recordings`.
    folder : path-like or None, default=None
        Folder of the files, which is created if it does not exist. None uses a folder in
        :func:`get_data_home` whose name depends on the other arguments.

    Returns
    -------
    AudioDataset
        The events as parts of files ``(path, start, end)``, their classes, the folds, and the recordings as
        groups. All events of the recordings are contained.

    Raises
    ------
    ValueError
        If an argument is out of range, there are no events, or `folder` holds files that were made with other
        arguments.
    TypeError
        If `random_state` has another type.
    OSError
        If the files cannot be written.

    See Also
    --------
    make_long_recordings : Synthesise the recordings; describes them.
    skfewaudio.detection.annotated_clips : Adds the background between the events.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from skfewaudio.datasets import load_long_recordings
    >>> with TemporaryDirectory() as folder:
    ...     load_long_recordings(
    ...         2, n_folds=2, duration=30.0, events_per_class=(2, 2), sample_rate=8000, folder=folder
    ...     )
    <AudioDataset long_recordings: 16 clips from 2 files, 4 classes, folds 1, 2, 2 recordings>
    """
    settings = {
        "n_recordings": n_recordings,
        "classes": list(classes),
        "n_folds": n_folds,
        "duration": duration,
        "events_per_class": list(events_per_class),
        "sample_rate": sample_rate,
        "snr_db": list(snr_db),
        "random_state": draw_entropy(random_state),
    }
    content = json.dumps({**settings, "version": _VERSION}, default=_to_number).encode()
    home = _home_of(content) if folder is None else expand_user(folder)
    if not _is_complete(home, content):
        _write(home, settings, content)
    return _read(home)


def _read(home: Path) -> AudioDataset:
    """Return the events of the table in a folder."""
    table = pd.read_csv(home / _TABLE, dtype=str)  # the parser of older versions of pandas rounds times
    if table.empty:
        raise ValueError(f"{home} holds recordings without events; expected events_per_class above 0")
    return AudioDataset(
        X=[
            (str(home / str(path)), float(start), float(end))
            for path, start, end in zip(table["path"], table["start"], table["end"], strict=True)
        ],
        target=table["label"].to_numpy(dtype=str),
        name=NAME,
        folds=table["fold"].to_numpy(dtype=int),
        groups=table["group"].to_numpy(dtype=str),
        licence=LICENCE,
        description=DESCRIPTION,
    )


def _write(home: Path, settings: dict[str, Any], content: bytes) -> None:
    """Write the settings, the recordings, and the table, whose presence means that all are complete."""
    recorder, folds = _plan(**settings)
    home.mkdir(parents=True, exist_ok=True)
    write_file(home / _SETTINGS, content)
    rows = []
    for number, fold in enumerate(folds):
        samples, events = recorder.record(number, int(fold))
        name = f"recording-{number + 1:0{len(str(len(folds)))}d}"
        buffer = io.BytesIO()
        soundfile.write(buffer, samples, recorder.sample_rate, format="FLAC", subtype="PCM_16")
        write_file(home / f"{name}.flac", buffer.getvalue())
        rows += [(f"{name}.flac", *event, name, fold) for event in events]
    table = pd.DataFrame(rows, columns=["path", "start", "end", "label", "group", "fold"])
    write_file(home / _TABLE, table.to_csv(index=False, lineterminator="\n").encode())


def _is_complete(home: Path, content: bytes) -> bool:
    """Return whether a folder holds the recordings; raise if it holds others."""
    if (home / _SETTINGS).exists() and read_regular(home / _SETTINGS) == content:
        return (home / _TABLE).exists()
    if home.is_dir() and any(home.iterdir()):
        raise ValueError(
            f"folder={str(home)!r} holds other files, or recordings made with other arguments; expected an "
            "empty or a new folder"
        )
    return False


def _home_of(content: bytes) -> Path:
    """Return the folder in the data home for some settings."""
    return get_data_home() / f"{NAME}-{hashlib.sha256(content).hexdigest()[:12]}"


def _to_number(value: Any) -> float:
    """Convert a number of NumPy for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{value!r} is no number; expected numbers as arguments")


def _plan(n_recordings: int, *, n_folds: int, **options: Any) -> tuple[LongRecorder, NDArray[np.int64]]:
    """Check the arguments, and return a recorder and the fold of each recording."""
    check_n_folds(n_folds)
    if not isinstance(n_recordings, Integral) or n_recordings < n_folds:
        raise ValueError(
            f"n_recordings must be an integer of at least n_folds={n_folds}; got {n_recordings!r}"
        )
    duration = options["duration"]
    recorder = LongRecorder(
        options["random_state"],
        _check_classes(options["classes"]),
        check_range("duration", (duration, duration), lowest=5.0)[0],
        _check_events(options["events_per_class"]),
        check_sample_rate(options["sample_rate"]),
        check_range("snr_db", options["snr_db"]),
    )
    return recorder, np.arange(n_recordings) % n_folds + 1


def _check_classes(classes: Sequence[str]) -> tuple[str, ...]:
    """Return the classes, or raise if one is unknown or the list is empty."""
    names = tuple(dict.fromkeys(classes))
    unknown = [name for name in names if name not in SOUNDS]
    if isinstance(classes, str) or unknown or not names:
        raise ValueError(f"classes must be some of {', '.join(sorted(SOUNDS))}; got {classes!r}")
    return names


def _check_events(events: tuple[int, int]) -> tuple[int, int]:
    """Return the (least, most) events per class as ints, or raise if they are invalid."""
    values = np.atleast_1d(np.asarray(events)).tolist()
    is_valid = len(values) == 2 and all(isinstance(value, int) for value in values)
    if not is_valid or not 0 <= values[0] <= values[1]:
        raise ValueError(
            f"events_per_class must be two integers, (least, most), with 0 <= least <= most; got {events!r}"
        )
    return values[0], values[1]
