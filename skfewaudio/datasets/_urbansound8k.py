"""UrbanSound8K: street sounds of at most 4 s in ten folds."""

from ._base import AudioDataset
from ._fetch import Archive, fetch_dataset
from ._home import PathLike, find_root
from ._tables import OnMissing, dataset_from_table, parse_integers, read_table

LICENCE = "CC BY-NC 4.0"
CITATION = (
    "J. Salamon, C. Jacoby and J. P. Bello. A Dataset and Taxonomy for Urban Sound Research. Proceedings of "
    "the 22nd ACM International Conference on Multimedia, pp. 1041-1044, 2014. doi:10.1145/2647868.2655045"
)
URL = "https://zenodo.org/records/1203745"
ARCHIVE = Archive(
    f"{URL}/files/UrbanSound8K.tar.gz", "md5:9aa69802bbf37fb986f71ec1483a196e", "UrbanSound8K.tar.gz"
)
N_CLIPS = 8732
FOLDER = "UrbanSound8K"
META = "metadata/UrbanSound8K.csv"


def load_urbansound8k(data_home: PathLike | None = None, *, on_missing: OnMissing = "raise") -> AudioDataset:
    """Load UrbanSound8K, street sounds: 8,732 clips of at most 4 s, 10 classes, 10 folds.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder ``UrbanSound8K``, its parent, or a folder that contains ``data/UrbanSound8K``. None uses
        `get_data_home`.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle rows without audio: raise an error, or leave them out with or without a warning.

    Returns
    -------
    AudioDataset
        Clips in the order of the table, with the published folds 1 to 10. Sample rates and numbers of
        channels vary. Groups are the source recordings on Freesound.

    Raises
    ------
    DatasetNotFoundError
        If the dataset, or the audio of a row, is not found.
    ValueError
        If the table is damaged.

    Warns
    -----
    UserWarning
        If sound files have no row in the table.

    See Also
    --------
    fetch_urbansound8k : Download the dataset if needed, and load it.

    Notes
    -----
    Five recordings (77751, 106905, 132016, 176638, 180937) occur in two of the published folds, with a
    different class in each. A leakage check by recording reports them.

    References
    ----------
    .. [1] J. Salamon, C. Jacoby and J. P. Bello. A Dataset and Taxonomy for Urban Sound Research. ACM
       Multimedia, 2014. https://doi.org/10.1145/2647868.2655045
    """
    remedy = (
        f"get it with skfewaudio.datasets.fetch_urbansound8k(), or from {URL} (audio/fold1..10 and {META})"
    )
    root = find_root(data_home, (".", FOLDER, f"data/{FOLDER}"), META, remedy)
    table = read_table(root / META, ("slice_file_name", "fsID", "fold", "class"))
    folds = parse_integers(table["fold"], root / META, minimum=1)
    return dataset_from_table(
        [
            root / "audio" / f"fold{fold}" / name
            for fold, name in zip(folds, table["slice_file_name"], strict=True)
        ],
        table,
        source=root / META,
        label="class",
        folds=folds,
        group="fsID",
        on_missing=on_missing,
        name="urbansound8k",
        licence=LICENCE,
        citation=CITATION,
        description="Street sounds from Freesound, at most 4 s each.",
    )


def fetch_urbansound8k(data_home: PathLike | None = None) -> AudioDataset:
    """Load UrbanSound8K, and download it (6 GB) if it is not found.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder to download to. None uses `get_data_home`. The archive is kept in its subfolder
        ``archives`` and may be deleted.

    Returns
    -------
    AudioDataset

    Raises
    ------
    DatasetNotFoundError
        If the download fails.
    ValueError
        If the checksum of the download differs from the published one.
    """
    return fetch_dataset(load_urbansound8k, [ARCHIVE], n_clips=N_CLIPS, data_home=data_home)
