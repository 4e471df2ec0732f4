"""UrbanSound8K: street sounds of at most 4 s in ten folds."""

from ._base import AudioDataset
from ._fetch import Archive, fetch_dataset
from ._tables import OnMissing, PathLike, find_root, parse_integers, read_table, table_dataset

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
        ``UrbanSound8K``, the folder that holds it, or one that holds ``data/UrbanSound8K``. None is
        `get_data_home`'s.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        What to do about rows without audio; but for "raise" they are left out.

    Returns
    -------
    AudioDataset
        Clips in the order of the table, of any rate and channel count; folds 1 to 10 as published; groups are
        the source recordings on Freesound.

    Raises
    ------
    DatasetNotFoundError
        If the data set, or audio of a row, is not there.
    ValueError
        If the table is damaged.

    Warns
    -----
    UserWarning
        If there is audio without a row.

    See Also
    --------
    fetch_urbansound8k : Downloads it first.

    Notes
    -----
    Five recordings (77751, 106905, 132016, 176638, 180937) lie in two of the published folds each, with clips
    of one class in one and of another in the other: a check by recording finds them on both sides.

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
    return table_dataset(
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
    """Load UrbanSound8K, downloading it (6 GB) unless it is there.

    Parameters
    ----------
    data_home : path-like or None, default=None
        Where to put it. None is `get_data_home`'s. The archive is kept in ``archives`` there, and may be
        deleted.

    Returns
    -------
    AudioDataset

    Raises
    ------
    DatasetNotFoundError
        If the download fails.
    ValueError
        If what came has another checksum than the published one.
    """
    return fetch_dataset(load_urbansound8k, [ARCHIVE], n_clips=N_CLIPS, data_home=data_home)
