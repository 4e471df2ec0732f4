"""ESC-50 and its subset ESC-10: environmental sounds in five folds."""

import numpy as np

from ._base import AudioDataset
from ._fetch import Archive, Contents, fetch_dataset
from ._home import PathLike, find_root
from ._tables import OnMissing, dataset_from_table, parse_integers, read_table

LICENCE = "CC BY-NC 3.0"
LICENCE_ESC10 = "CC BY 3.0"
CITATION = (
    "K. J. Piczak. ESC: Dataset for Environmental Sound Classification. Proceedings of the 23rd ACM "
    "International Conference on Multimedia, pp. 1015-1018, 2015. doi:10.1145/2733373.2806390"
)
URL = "https://github.com/karoldvl/ESC-50"
# The authors publish a branch, not a release: the bytes of the archive vary, but its files do not. Their
# checksums are those of soundata's index 2.0.0 of the dataset.
ARCHIVE = Archive(
    f"{URL}/archive/master.zip",
    None,
    "ESC-50-master.zip",
    Contents(
        "ESC-50-master",
        ("audio/*.wav", "meta/esc50.csv"),
        "b28cf2719259c91ce7e0f170162b067de35632455a74768dee9d4c21f973cd52",
    ),
)
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
        The folder ``ESC-50-master``, its parent, or a folder that contains ``data/ESC-50-master``. None uses
        `get_data_home`. A part of the dataset can be loaded if ``meta/esc50.csv`` lists only its clips. Clips
        may be in any format that libsndfile reads.
    subset : {"esc10"} or None, default=None
        "esc10" loads only ESC-10: 400 clips of ten classes. None loads all clips.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle rows without audio: raise an error, or leave them out with or without a warning.

    Returns
    -------
    AudioDataset
        Clips in the order of the table, with the published folds 1 to 5. Groups are the source recordings on
        Freesound.

    Raises
    ------
    DatasetNotFoundError
        If the dataset, or the audio of a row, is not found.
    ValueError
        If the table is damaged, or `subset` is unknown.

    Warns
    -----
    UserWarning
        If sound files have no row in the table.

    See Also
    --------
    fetch_esc50 : Download the dataset if needed, and load it.

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
    return dataset_from_table(
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
    """Load ESC-50, and download it (600 MB) if it is not found.

    The authors distribute a branch of a repository, so that no checksum of the archive is published. The
    checksums within the archive and the number of clips (2,000) are verified instead.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder to download to. None uses `get_data_home`. The archive is kept in its subfolder
        ``archives`` and may be deleted.
    subset : {"esc10"} or None, default=None
        As in `load_esc50`. The whole dataset is downloaded in either case.

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
