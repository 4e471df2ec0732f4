"""GTZAN: music in ten genres, with the fault-filtered partition."""

import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from skfewaudio.audio import load_audio
from skfewaudio.exceptions import AudioLoadError

from ._base import AudioDataset
from ._home import PathLike, find_root
from ._tables import OnMissing, dataset_from_table, find_clips

LICENCE = "none stated by its authors; excerpts of published recordings, for research"
CITATION = (
    "G. Tzanetakis and P. Cook. Musical genre classification of audio signals. IEEE Transactions on Speech "
    "and Audio Processing 10(5), pp. 293-302, 2002. doi:10.1109/TSA.2002.800560"
)
CITATION_PARTITION = (
    "C. Kereliuk, B. L. Sturm and J. Larsen. Deep learning and music adversaries. IEEE Transactions on "
    "Multimedia 17(11), pp. 2059-2071, 2015. doi:10.1109/TMM.2015.2478068"
)
GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae", "rock")
N_CLIPS_PER_GENRE = 100
# The authors' archive has the folder `genres`, later distributions have `genres_original`.
FOLDER = "gtzan"
SUBFOLDERS = [
    f"{subfolder}/{folder}"
    for subfolder in (".", FOLDER, f"data/{FOLDER}")
    for folder in (".", "genres", "genres_original")
]
SAMPLE_RATE = 22050
# Cannot be decoded in many distributions of the dataset. It is a training clip.
DAMAGED = "jazz/jazz.00054"
# The clips of the fault-filtered partition, by number, from train_filtered.txt, valid_filtered.txt and
# test_filtered.txt at https://github.com/jongpillee/music_dataset_split/tree/master/GTZAN_split
PARTITION = {
    "train": {
        "blues": "29-49 73-97",
        "classical": "30-33 43-48 50-67 80-99",
        "country": "19-26 28-29 65-99",
        "disco": "5 15-20 22-37 39-45 47 49 53-54 56-57 59 61 70 73-74 89",
        "hiphop": "2-25 28-29 31-38 41-42 55-61 77-80",
        "jazz": "0-1 11-24 41 47-72",
        "metal": "2-3 5 21 24 35 46-57 59-66 69 71-72 79-80 84 86 89-99",
        "pop": "2-9 11-12 16-20 23-29 31-36 38-42 44 46 49-50 80 97-99",
        "reggae": "0-2 4 6 9 11-12 14-32 42-45 49-51 54-60 63 69",
        "rock": "0-9 16-26 57-70 91-99",
    },
    "validation": {
        "blues": "0-11 50-60",
        "classical": "0-10 68-76",
        "country": "0-7 9-18 27 41-42 45 49",
        "disco": "0 2-4 6-14 46 48 52 67-68 72 75 90 95",
        "hiphop": "81-98",
        "jazz": "2-10 25-32",
        "metal": "0-1 6-11 16-20 36-37 68 76-77 81-82",
        "pop": "10 53 55 58-62 81 83-86",
        "reggae": "61-62 70 72 74 76-78 85 92-99",
        "rock": "38 49-56 71-85",
    },
    "test": {
        "blues": "12-28 61-72 98-99",
        "classical": "11-29 34-41 49 77-79",
        "country": "30-40 43-44 46-48 50-51 53-64",
        "disco": "1 21 58 62-66 69 76-88 91-94 96-97 99",
        "hiphop": "0 26-27 30 40 43-45 51-54 62-75 99",
        "jazz": "73-99",
        "metal": "12-15 22-23 25-33 38-39 67 70 73-75 78 83 85 87-88",
        "pop": "0-1 13-14 43 63-66 69-79 82 88-96",
        "reggae": "34-40 46-48 52-53 64-68 71 79 82-84 87-90",
        "rock": "10-15 27-37 39-48 86-90",
    },
}
# Subset -> the part of the partition used for testing.
TEST_PARTS = {"fault-filtered": "test", "validation": "validation"}


def load_gtzan(
    data_home: PathLike | None = None, *, subset: str = "fault-filtered", on_missing: OnMissing = "raise"
) -> AudioDataset:
    """Load GTZAN, music: 1,000 clips of 30 s, 10 genres, by default without faulty clips.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder that contains a folder of clips for each genre, in wav, au or another format that
        libsndfile reads: ``blues/blues.00000.wav``. Or a folder that contains it as ``genres`` or
        ``genres_original``, or has any of these in ``gtzan`` or ``data/gtzan``. None uses `get_data_home`.
    subset : {"fault-filtered", "validation", "all"}, default="fault-filtered"
        The clips for training and testing. The first two options follow the fault-filtered partition [2]_.
        Their training clips have fold -1 and their test clips fold 0, so that `make_cv` returns one split.

        - "fault-filtered": train on 443 clips, test on 290.
        - "validation": train on the same 443 clips, test on the 197 clips for choosing hyper-parameters.
        - "all": all 1,000 clips, without folds.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle missing clips: raise an error, or leave them out with or without a warning.

    Returns
    -------
    AudioDataset
        Clips sorted by genre and number, without groups.

    Raises
    ------
    DatasetNotFoundError
        If the dataset, or a clip, is not found.
    ValueError
        If `subset` is unknown.

    Warns
    -----
    UserWarning
        If ``jazz.00054``, which is damaged in many distributions, cannot be read; it is left out. If sound
        files do not belong to the dataset.

    Notes
    -----
    The 1,000 clips include duplicates, clips of the same recording, distorted clips and wrong genres, and
    some genres have mostly clips of a few artists [3]_. Scores on random splits of all clips are therefore
    much too high. The fault-filtered partition leaves out 70 clips, and keeps all clips of an artist in one
    of its parts.

    There is no function that downloads the dataset, because the authors no longer distribute it.

    References
    ----------
    .. [1] G. Tzanetakis and P. Cook. Musical genre classification of audio signals. IEEE Transactions on
       Speech and Audio Processing 10(5), 2002. https://doi.org/10.1109/TSA.2002.800560
    .. [2] C. Kereliuk, B. L. Sturm and J. Larsen. Deep learning and music adversaries. IEEE Transactions on
       Multimedia 17(11), 2015. https://arxiv.org/abs/1507.04761
    .. [3] B. L. Sturm. The GTZAN dataset: Its contents, its faults, their effects on evaluation, and its
       future use. 2013. https://arxiv.org/abs/1306.1461

    Examples
    --------
    Choose hyper-parameters on the validation clips, and report scores on the test clips:

    >>> from sklearn.model_selection import GridSearchCV, cross_val_score
    >>> chosen = load_gtzan("~/data", subset="validation")  # doctest: +SKIP
    >>> search = GridSearchCV(pipeline, grid, cv=chosen.make_cv()).fit(*chosen)  # doctest: +SKIP
    >>> final = load_gtzan("~/data")  # doctest: +SKIP
    >>> cross_val_score(search.best_estimator_, *final, cv=final.make_cv())  # doctest: +SKIP
    """
    if subset != "all" and subset not in TEST_PARTS:
        raise ValueError(f"subset must be 'fault-filtered', 'validation' or 'all'; got {subset!r}")
    remedy = (
        "its authors no longer distribute GTZAN; if you have it, put the ten genre folders there, with 100 "
        "clips each (blues/blues.00000.wav to rock/rock.00099.wav, or .au)"
    )
    root = find_root(data_home, SUBFOLDERS, GENRES[0], remedy)
    table = _list_clips()
    files = find_clips(root, list(table["clip"]), ".wav")
    parts = table["part"].to_numpy()
    selected = np.ones(len(table), bool) if subset == "all" else np.isin(parts, ["train", TEST_PARTS[subset]])
    damaged = list(table["clip"]).index(DAMAGED)
    selected[damaged] = _is_readable(files[damaged], on_missing)
    return dataset_from_table(
        files,
        table,
        source="GTZAN",
        label="genre",
        folds=None if subset == "all" else np.where(parts == "train", -1, 0),
        selected=selected,
        on_missing=on_missing,
        name=f"gtzan-{subset}",
        sample_rate=SAMPLE_RATE,
        licence=LICENCE,
        citation=CITATION if subset == "all" else f"{CITATION}; {CITATION_PARTITION}",
        description="Music in ten genres, 30 s each.",
    )


def _list_clips() -> pd.DataFrame:
    """Return a table of all clips with their genre and part of the partition ("" if excluded)."""
    part_of = {
        f"{genre}/{genre}.{number:05d}": part
        for part, genres in PARTITION.items()
        for genre, ranges in genres.items()
        for number in _parse_ranges(ranges)
    }
    genres = np.repeat(GENRES, N_CLIPS_PER_GENRE)
    numbers = np.tile(np.arange(N_CLIPS_PER_GENRE), len(GENRES))
    clips = [f"{genre}/{genre}.{number:05d}" for genre, number in zip(genres, numbers, strict=True)]
    return pd.DataFrame({"clip": clips, "genre": genres, "part": [part_of.get(clip, "") for clip in clips]})


def _parse_ranges(ranges: str) -> Iterator[int]:
    """Return the numbers in a string of ranges: "2-4 7" is 2, 3, 4, 7."""
    for span in ranges.split():
        first, _, last = span.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _is_readable(file: Path, on_missing: OnMissing) -> bool:
    """Return whether the often damaged clip can be read, and warn if not."""
    try:
        load_audio(file, sample_rate=None)
    except AudioLoadError as error:
        if on_missing != "ignore":
            warnings.warn(
                f"{error}. This clip is damaged in many distributions of GTZAN; it is left out", stacklevel=3
            )
        return False
    return True
