"""TUT Acoustic Scenes 2017: recordings of 15 acoustic scenes, in a development and an evaluation set."""

import warnings
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._base import AudioDataset
from ._fetch import Archive, fetch_dataset
from ._home import PathLike, find_root, get_data_home, join_first
from ._tables import OnMissing, check_unique, dataset_from_table, read_table

LICENCE = "free for non-commercial use (EULA of Tampere University of Technology)"
CITATION = (
    "A. Mesaros, T. Heittola and T. Virtanen. TUT Database for Acoustic Scene Classification and Sound Event "
    "Detection. 24th European Signal Processing Conference, pp. 1128-1132, 2016. "
    "doi:10.1109/EUSIPCO.2016.7760424"
)
URLS = {
    "development": "https://zenodo.org/records/400515",
    "evaluation": "https://zenodo.org/records/1040168",
}
FOLDERS = {part: f"TUT-acoustic-scenes-2017-{part}" for part in URLS}
N_CLIPS = {"development": 4680, "evaluation": 1620}
# The checksums on the two Zenodo records, by the part of the file name between the folder's name and ".zip".
MD5 = {
    "development": {
        "meta": "9007fd4772d816590c5db5f5e9568f5d",
        "audio.1": "251325a9afaaad0326ad1c57f57d514a",
        "audio.2": "c26861e05147dc319b4250eb103d9d99",
        "audio.3": "a4815775f8a5e629179726ee4cd4f55a",
        "audio.4": "1732b03afe8c53ef8bba80ba14766e57",
        "audio.5": "611be754a0c951185c6ae4b7643c19a0",
        "audio.6": "165a201db800d3ea76fce5a9c2bd97d7",
        "audio.7": "c7d79db84264401c0f8680dcc36013ad",
        "audio.8": "35043f25123439392338c790494c7a19",
        "audio.9": "0805dcf5d8e6871dc9610182b2efb93a",
        "audio.10": "5df83a191295a04e290b125c634e13e7",
    },
    "evaluation": {
        "meta": "e006cfec14a49dd79a6ab8f8d5b1c5e6",
        "audio.1": "5d97dea8461baec8027ae4a0c2b18d4b",
        "audio.2": "4085ef5fa286f2169074993a4e405953",
        "audio.3": "cac432579e7cf2dff0aec7aaed248956",
        "audio.4": "664bf09c3d24bd26c6b587f1d709de36",
    },
}
ARCHIVES = {
    part: [
        Archive(
            f"{URLS[part]}/files/{FOLDERS[part]}.{piece}.zip", f"md5:{md5}", f"{FOLDERS[part]}.{piece}.zip"
        )
        for piece, md5 in pieces.items()
    ]
    for part, pieces in MD5.items()
}
META = "meta.txt"
COLUMNS = ("file", "scene", "recording")
TEST_FOLDS = (1, 2, 3, 4)
SAMPLE_RATE = 44100


def load_tut2017(
    data_home: PathLike | None = None, *, subset: str = "development", on_missing: OnMissing = "raise"
) -> AudioDataset:
    """Load TUT Acoustic Scenes 2017: clips of 10 s, 15 acoustic scenes.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder that contains ``TUT-acoustic-scenes-2017-development`` and ``-evaluation``, or has them in
        ``data``; or one of these two folders. None uses `get_data_home`.
    subset : {"development", "evaluation", "all"}, default="development"
        - "development": 4,680 clips, with the four folds of ``evaluation_setup``. The fold of a clip is the
          one in which it is tested.
        - "evaluation": 1,620 clips, without folds.
        - "all": both. Development clips have fold -1 and evaluation clips fold 0, so that `make_cv` returns
          one split, which trains on the former and tests on the latter.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle rows without audio: raise an error, or leave them out with or without a warning.

    Returns
    -------
    AudioDataset
        Clips in the order of the tables. Groups are the recordings that they were cut from.

    Raises
    ------
    DatasetNotFoundError
        If the dataset, a fold, or the audio of a row, is not found.
    ValueError
        If the table or the folds are damaged, or a fold tests a clip that is tested twice or is not in the
        table.

    Warns
    -----
    UserWarning
        If sound files have no row, or no fold tests a development clip; it gets fold -1.
    LeakageWarning
        If clips of one recording lie in several folds.

    See Also
    --------
    fetch_tut2017 : Download the dataset if needed, and load it.

    Notes
    -----
    The recording errors listed in ``error.txt`` are not removed.

    References
    ----------
    .. [1] A. Mesaros, T. Heittola and T. Virtanen. TUT Database for Acoustic Scene Classification and Sound
       Event Detection. EUSIPCO, 2016. https://doi.org/10.1109/EUSIPCO.2016.7760424
    """
    parts = _parts_of(subset)
    loaded = [_load_part(data_home, part=part, on_missing=on_missing) for part in parts]
    if len(loaded) == 1:
        return loaded[0]
    train, test = loaded
    return replace(
        train,
        X=train.X + test.X,
        target=np.concatenate([train.target, test.target]),
        groups=np.concatenate([train.groups, test.groups]),
        folds=np.repeat([-1, 0], [len(train), len(test)]),
        name="tut2017",
    )


def fetch_tut2017(data_home: PathLike | None = None, *, subset: str = "development") -> AudioDataset:
    """Load TUT Acoustic Scenes 2017, and download the missing archives.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder to download to. None uses `get_data_home`. The archives are kept in its subfolder
        ``archives`` and may be deleted.
    subset : {"development", "evaluation", "all"}, default="development"
        As in `load_tut2017`. The archives take 11 GB (development) and 4 GB (evaluation), and the extracted
        files as much again.

    Returns
    -------
    AudioDataset

    Raises
    ------
    DatasetNotFoundError
        If the download fails.
    ValueError
        If the checksum of a download differs from the published one.
    """
    for part in _parts_of(subset):
        load = partial(_load_part, part=part)
        fetch_dataset(load, ARCHIVES[part], n_clips=N_CLIPS[part], data_home=data_home)
    return load_tut2017(data_home, subset=subset)


def _parts_of(subset: str) -> list[str]:
    """Return the names of the parts that make up a subset."""
    if subset != "all" and subset not in URLS:
        raise ValueError(f"subset must be 'development', 'evaluation' or 'all'; got {subset!r}")
    return list(URLS) if subset == "all" else [subset]


def _load_part(data_home: PathLike | None, *, part: str, on_missing: OnMissing = "raise") -> AudioDataset:
    """Load the development or the evaluation set."""
    home = get_data_home(data_home)
    if home.name in FOLDERS.values():
        home = home.parent
    remedy = f"get it with skfewaudio.datasets.fetch_tut2017(subset={part!r}), or from {URLS[part]}"
    root = find_root(home, (FOLDERS[part], f"data/{FOLDERS[part]}"), META, remedy)
    table = read_table(root / META, COLUMNS, sep="\t", header=False)
    check_unique(table["file"].tolist(), table, root / META)  # the folds refer to clips by file name
    return dataset_from_table(
        [root / name for name in table["file"]],
        table,
        source=root / META,
        label="scene",
        folds=_read_folds(root, table["file"]) if part == "development" else None,
        group="recording",
        on_missing=on_missing,
        name=f"tut2017-{part}",
        sample_rate=SAMPLE_RATE,
        licence=LICENCE,
        citation=CITATION,
        description="Acoustic scenes recorded with binaural microphones, 10 s each.",
    )


def _read_folds(root: Path, files: pd.Series) -> NDArray[np.int64]:
    """Return the fold in which each clip is tested, or -1."""
    folds = pd.Series(-1, index=files)
    for fold in TEST_FOLDS:
        source = root / "evaluation_setup" / f"fold{fold}_test.txt"
        tested = read_table(source, ("file",), sep="\t", header=False)["file"]
        unknown = tested[~tested.isin(folds.index)]
        if len(unknown):
            raise ValueError(
                f"{source} names {len(unknown)} clips that {META} does not: {join_first(list(unknown))}"
            )
        again = tested[folds[tested].to_numpy() != -1]
        if len(again):
            raise ValueError(
                f"{source} tests {len(again)} clips that another fold tests: {join_first(list(again))}; "
                "a clip may be tested only once"
            )
        folds[tested] = fold
    untested = folds.index[folds == -1]
    if len(untested):
        warnings.warn(
            f"{len(untested)} clips of {root / META} are tested in no fold and get fold -1: "
            f"{join_first(list(untested))}",
            stacklevel=4,
        )
    return np.asarray(folds, dtype=np.int64)
