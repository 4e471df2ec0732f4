"""ESC-50 and its subset ESC-10: environmental sounds in five folds."""

import numpy as np

from ._base import AudioDataset
from ._fetch import Archive, fetch_dataset
from ._tables import OnMissing, PathLike, find_root, parse_integers, read_table, table_dataset

LICENCE = "CC BY-NC 3.0"
LICENCE_ESC10 = "CC BY 3.0"
CITATION = (
    "K. J. Piczak. ESC: Dataset for Environmental Sound Classification. Proceedings of the 23rd ACM "
    "International Conference on Multimedia, pp. 1015-1018, 2015. doi:10.1145/2733373.2806390"
)
URL = "https://github.com/karoldvl/ESC-50"
# The authors publish a branch, not a release: the archive's checksum is not theirs to keep. The zip's own
# CRCs catch damage, and the number of clips anything else.
ARCHIVE = Archive(f"{URL}/archive/master.zip", None, "ESC-50-master.zip")
N_CLIPS = 2000
FOLDER = "ESC-50-master"
META = "meta/esc50.csv"
SAMPLE_RATE = 44100


def load_esc50(
    data_home: PathLike | None = None, *, subset: str | None = None, on_missing: OnMissing = "raise"
) -> AudioDataset:
    """Load ESC-50, environmental sounds: 2,000 clips of 5 s, 50 classes, 5 folds.

    Parameters
    ----------
    data_home : path-like or None, default=None
        ``ESC-50-master``, the folder that holds it, or one that holds ``data/ESC-50-master``. None is
        `get_data_home`'s. Any part of the set loads, as ``meta/esc50.csv`` says, in any format libsndfile
        reads.
    subset : {"esc10"} or None, default=None
        "esc10" takes the clips of ESC-10 only: ten classes, 400 clips.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        What to do about rows without audio; but for "raise" they are left out.

    Returns
    -------
    AudioDataset
        Clips in the order of the table; folds 1 to 5 as published; groups are the source recordings on
        Freesound.

    Raises
    ------
    DatasetNotFoundError
        If the data set, or audio of a row, is not there.
    ValueError
        If the table is damaged, or `subset` is unknown.

    Warns
    -----
    UserWarning
        If there is audio without a row.

    See Also
    --------
    fetch_esc50 : Downloads it first.

    References
    ----------
    .. [1] K. J. Piczak. ESC: Dataset for Environmental Sound Classification. ACM Multimedia, 2015.
       https://doi.org/10.1145/2733373.2806390
    """
    if subset not in (None, "esc10"):
        raise ValueError(f"subset must be None or 'esc10'; got {subset!r}")
    remedy = f"get it with skfewaudio.datasets.fetch_esc50(), or from {URL} (audio/*.wav and {META})"
    root = find_root(data_home, (".", FOLDER, f"data/{FOLDER}"), META, remedy)
    table = read_table(root / META, ("filename", "fold", "category", "esc10", "src_file"))
    return table_dataset(
        [root / "audio" / name for name in table["filename"]],
        table,
        source=root / META,
        label="category",
        folds=parse_integers(table["fold"], root / META, minimum=1),
        group="src_file",
        selected=np.array(table["esc10"].str.lower() == "true") if subset else None,
        on_missing=on_missing,
        name=subset or "esc50",
        sample_rate=SAMPLE_RATE,
        licence=LICENCE_ESC10 if subset else LICENCE,
        citation=CITATION,
        description="Environmental sounds from Freesound, 5 s each.",
    )


def fetch_esc50(data_home: PathLike | None = None, *, subset: str | None = None) -> AudioDataset:
    """Load ESC-50, downloading it (600 MB) unless it is there.

    The authors distribute a branch of a repository, so there is no checksum to hold the archive against.
    Checked are the archive's own checksums of its files, and that 2,000 clips came.

    Parameters
    ----------
    data_home : path-like or None, default=None
        Where to put it. None is `get_data_home`'s. The archive is kept in ``archives`` there, and may be
        deleted.
    subset : {"esc10"} or None, default=None
        As for `load_esc50`; all is downloaded either way.

    Returns
    -------
    AudioDataset

    Raises
    ------
    DatasetNotFoundError
        If the download fails or is not ESC-50.
    """
    dataset = fetch_dataset(load_esc50, [ARCHIVE], n_clips=N_CLIPS, data_home=data_home)
    return load_esc50(data_home, subset=subset) if subset else dataset
