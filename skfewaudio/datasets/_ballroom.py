"""Extended Ballroom: dance music in thirteen rhythms, with groups of repeated songs."""

import warnings
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.model_selection import StratifiedGroupKFold

from skfewaudio.exceptions import DatasetNotFoundError, LeakageWarning

from ._base import AudioDataset
from ._home import PathLike, find_root, is_audio, join_first
from ._tables import OnMissing, check_option, dataset_from_table, find_clips

LICENCE = "none stated by its authors; excerpts of published recordings, for research"
CITATION = (
    "U. Marchand and G. Peeters. The Extended Ballroom Dataset. Late-breaking session of the 17th "
    "International Society for Music Information Retrieval Conference, 2016."
)
URL = "http://anasynth.ircam.fr/home/media/ExtendedBallroom"
FOLDER = "extendedballroom_v1.1"
META = f"{FOLDER}.xml"
# Number of songs of each dance in version 1.1.
N_SONGS = {
    "Chacha": 455,
    "Foxtrot": 507,
    "Jive": 350,
    "Pasodoble": 53,
    "Quickstep": 497,
    "Rumba": 470,
    "Salsa": 47,
    "Samba": 468,
    "Slowwaltz": 65,
    "Tango": 464,
    "Viennesewaltz": 252,
    "Waltz": 529,
    "Wcswing": 23,
}
N_FOLDS = 10


def load_extended_ballroom(
    data_home: PathLike | None = None, *, on_missing: OnMissing = "raise"
) -> AudioDataset:
    """Load Extended Ballroom, dance music: 4,180 clips of 30 s, 13 rhythms, 10 folds.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder ``extendedballroom_v1.1``, with a folder of clips for each dance (``Chacha/100701.mp3``, or
        another format that libsndfile reads) and ``extendedballroom_v1.1.xml``. Or its parent, or a folder
        that contains ``data/extendedballroom_v1.1``. None uses `get_data_home`.
    on_missing : {"raise", "warn", "ignore"}, default="raise"
        How to handle songs without audio: raise an error, or leave them out with or without a warning.

    Returns
    -------
    AudioDataset
        Clips in the order of the XML file, with varying sample rates. A group is a song with all songs marked
        as its repetitions: the same recording, or another version, tempo or karaoke version of it. Folds 1 to
        10 are stratified and keep groups together.

    Raises
    ------
    DatasetNotFoundError
        If the dataset, or the audio of a song, is not found.
    ValueError
        If the XML file is damaged, has no songs, or marks a repetition of a song that it does not list.

    Warns
    -----
    LeakageWarning
        If there is no XML file. The dataset then has all clips found, sorted by dance and name, without
        groups.
    UserWarning
        If sound files are not listed in the XML file.

    Notes
    -----
    Version 1.1 has 3,727 groups. The largest one has eight clips, and no group has two dances.

    The authors published no folds. This library draws them from all songs in the XML file with a fixed seed,
    so that missing audio does not change the folds of other songs. Published results use other random draws
    of ten folds, which may separate repetitions.

    There is no function that downloads the dataset: the authors distribute the XML file, and a script that
    downloads the excerpts from www.ballroomdancers.com.

    References
    ----------
    .. [1] U. Marchand and G. Peeters. The Extended Ballroom Dataset. ISMIR late-breaking session, 2016.
       http://anasynth.ircam.fr/home/media/ExtendedBallroom

    Examples
    --------
    >>> dataset = load_extended_ballroom("~/data")  # doctest: +SKIP
    >>> dataset.make_cv().get_n_splits()  # doctest: +SKIP
    10
    """
    check_option(on_missing, "on_missing")
    remedy = (
        f"get {META} and the script that downloads the clips from {URL}; put the folders Chacha to Wcswing "
        "and the XML file there"
    )
    root = find_root(data_home, (".", FOLDER, f"data/{FOLDER}"), "Chacha", remedy)
    source = root / META
    known = source.is_file()
    table = _read_songs(source) if known else _list_songs(root, on_missing)
    return dataset_from_table(
        find_clips(root, list(table["clip"]), ".mp3"),
        table,
        source=source if known else root,
        label="dance",
        folds=_draw_folds(table["dance"], table["group"]),
        group="group" if known else None,
        on_missing=on_missing,
        name="extended_ballroom",
        licence=LICENCE,
        citation=CITATION,
        description="Dance music in thirteen rhythms, 30 s each.",
    )


def _read_songs(source: Path) -> pd.DataFrame:
    """Read the clip, dance and group of each song from the XML file.

    The root element has a child for each dance. A dance has a child for each song, with its ``id``. A song
    has a child for each repetition (``exact``, ``version``, ``time``, ``karaoke``), with the other song's id.
    """
    try:
        root = ElementTree.parse(source).getroot()
    except (ElementTree.ParseError, LookupError, ValueError) as error:  # the last two: wrong encoding
        raise ValueError(f"{source} is not readable XML: {error}") from error
    songs = [song for dance in root for song in dance]
    names = pd.Series([song.get("id", "") for song in songs], dtype=str)
    if not songs or (names == "").any():
        what = f"{(names == '').sum()} songs without an id" if songs else "no songs"
        raise ValueError(f'{source} holds {what}; expected <song id="100601"> within <Waltz> within the root')
    again = names[names.duplicated()].tolist()
    if again:
        raise ValueError(f"{source} has more than one song with the id {join_first(again)}")
    dances = [dance.tag for dance in root for _ in dance]
    return pd.DataFrame(
        {
            "clip": [f"{dance}/{name}" for dance, name in zip(dances, names, strict=True)],
            "dance": dances,
            "group": _group_repetitions(songs, names, source),
        }
    )


def _group_repetitions(songs: list[ElementTree.Element], names: pd.Series, source: Path) -> NDArray[np.str_]:
    """Return, for each song, the first song connected to it by repetitions, directly or through others."""
    position = {name: i for i, name in enumerate(names)}
    pairs = [(i, other.get("id", "")) for i, song in enumerate(songs) for other in song]
    unknown = [f"{other or 'none'} (of {names[i]})" for i, other in pairs if other not in position]
    if unknown:
        raise ValueError(
            f"{source} marks repetitions of {len(unknown)} songs that it does not have: {join_first(unknown)}"
        )
    rows = [i for i, _ in pairs]
    columns = [position[other] for _, other in pairs]
    links = coo_array((np.ones(len(pairs)), (rows, columns)), shape=(len(songs), len(songs)))
    _, groups = connected_components(links, directed=False)
    _, first = np.unique(groups, return_index=True)
    return names.to_numpy(dtype=str)[first[groups]]


def _list_songs(root: Path, on_missing: OnMissing) -> pd.DataFrame:
    """Return the clips found in the dance folders, each as its own group, and warn of possible leakage."""
    warnings.warn(
        f"{root} has no {META}, which lists the repetitions of a song: they may be on both sides of a split, "
        f"and scores too good. Get it from {URL}",
        LeakageWarning,
        stacklevel=3,
    )
    folders = {dance: root / dance for dance in N_SONGS}
    found = {
        dance: sorted({file.stem for file in folder.iterdir() if is_audio(file)}) if folder.is_dir() else []
        for dance, folder in folders.items()
    }
    few = [f"{dance} ({len(found[dance])} of {n})" for dance, n in N_SONGS.items() if len(found[dance]) < n]
    message = f"{root} has too few clips of {join_first(few, len(N_SONGS))}"
    if few and (on_missing == "raise" or not any(found.values())):
        raise DatasetNotFoundError(
            f"{message}. Complete the dataset, or pass on_missing='warn' to load the available clips"
        )
    if few and on_missing == "warn":
        warnings.warn(f"{message}; the others are left out", stacklevel=3)
    clips = [f"{dance}/{name}" for dance, names in found.items() for name in names]
    dances = [dance for dance, names in found.items() for _ in names]
    return pd.DataFrame({"clip": clips, "dance": dances, "group": clips})


def _draw_folds(dances: pd.Series, groups: pd.Series) -> NDArray[np.int64] | None:
    """Return a fixed fold for each song, from 1 to 10, stratified and with groups kept together.

    There are fewer folds if the rarest dance has fewer than ten groups, and none if it has only one.
    """
    rarest = groups.groupby(dances).nunique().min()
    if rarest < 2:
        return None
    numbers = np.unique(groups, return_inverse=True)[1]
    # Shuffle the group numbers here: the splitter assigns groups in their order, and its own shuffling has
    # changed between versions of scikit-learn. The stream of RandomState is frozen.
    shuffled = np.random.RandomState(0).permutation(numbers.max() + 1)[numbers]
    folds = np.empty(len(dances), dtype=np.int64)
    splits = StratifiedGroupKFold(min(N_FOLDS, rarest)).split(dances, dances, shuffled)
    for fold, (_, test) in enumerate(splits, start=1):
        folds[test] = fold
    return folds
