"""AudioSet: sounds of videos, several labels a clip, as its segment lists name them."""

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._tables import (
    OnMissing,
    PathLike,
    expand,
    find_root,
    is_audio,
    parse_integers,
    read_table,
    shorten,
    table_dataset,
    visible_files,
)

LICENCE = "labels and embeddings CC BY 4.0, by Google; the sound is that of the videos' authors"
CITATION = (
    "J. F. Gemmeke, D. P. W. Ellis, D. Freedman, A. Jansen, W. Lawrence, R. C. Moore, M. Plakal and "
    "M. Ritter. Audio Set: An ontology and human-labeled dataset for audio events. IEEE International "
    "Conference on Acoustics, Speech and Signal Processing, pp. 776-780, 2017. "
    "doi:10.1109/ICASSP.2017.7952261"
)
PAGE = "https://research.google.com/audioset/download.html"
URL = "https://storage.googleapis.com/us_audioset/youtube_corpus/v1"
ONTOLOGY_URL = "https://github.com/audioset/ontology"
# Each subset's folder among the released embeddings.
SUBSETS = {"balanced_train": "bal_train", "eval": "eval", "unbalanced_train": "unbal_train"}
PLACES = (".", "audioset", "data/audioset")
CLASSES = "class_labels_indices.csv"
ONTOLOGY = "ontology.json"
COLUMNS = ("YTID", "start_seconds", "end_seconds", "positive_labels")
# What scripts that collect the clips call them: the eleven characters of the video, or these after a Y, and
# often where in the video the clip starts and ends, in seconds or milliseconds.
_CLIP_NAME = re.compile(
    r"Y?(?P<video>[\w-]{11})([_-](?P<start>\d+(\.\d+)?))?([_-]\d+(\.\d+)?)?", flags=re.ASCII
)


def load_audioset(
    data_home: PathLike | None = None,
    *,
    subset: str = "balanced_train",
    audio_root: PathLike | None = None,
    on_missing: OnMissing = "warn",
) -> AudioDataset:
    """Load those clips of AudioSet that are at hand: sounds of videos, 10 s, 527 labels, several a clip.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder with ``balanced_train_segments.csv``, ``eval_segments.csv`` or
        ``unbalanced_train_segments.csv``, and ``class_labels_indices.csv`` or ``ontology.json``. Or one that
        has them under ``audioset`` or ``data/audioset``. None is `get_data_home`'s.
    subset : {"balanced_train", "eval", "unbalanced_train"}, default="balanced_train"
        Which list of segments: 22,160, 20,371 or 2,041,789 of them, of distinct videos.
    audio_root : path-like or None, default=None
        The folder of the clips. None is that of the lists. They may lie in folders within, in any format that
        libsndfile reads, under any of these names: ``-0RWZT-miFs.wav``, ``Y-0RWZT-miFs.wav``,
        ``-0RWZT-miFs_420.000.wav``, ``-0RWZT-miFs_420.000_430.000.wav``, ``-0RWZT-miFs_420000_430000.wav``.
    on_missing : {"raise", "warn", "ignore"}, default="warn"
        What to do about segments without audio; but for "raise" they are left out. Many videos are no longer
        to be had, so that no copy is whole.

    Returns
    -------
    AudioDataset
        Clips of any rate, in the order of the list. `y` is of 0 and 1, a column for each label in the order
        of the published indices. A group is a video. There are no folds.

    Raises
    ------
    DatasetNotFoundError
        If the list, the names of the labels or all clips are not there.
    ValueError
        If the list is damaged, names a label that has no name, or names a video twice.

    Warns
    -----
    UserWarning
        If segments have no audio.

    See Also
    --------
    load_audioset_embeddings : The embeddings that are released instead of the sound.
    skfewaudio.metrics : How taggers are scored.

    Notes
    -----
    Not all labels of a clip are known: 0 says that nobody confirmed the sound.

    Without ``class_labels_indices.csv`` the labels are those that occur, in the order of ``ontology.json``,
    which is the order of the indices. The published lists have all 527.

    There is nothing to download here: the authors publish lists and embeddings, but neither sound nor
    checksums.

    References
    ----------
    .. [1] J. F. Gemmeke et al. Audio Set: An ontology and human-labeled dataset for audio events. ICASSP,
       2017. https://doi.org/10.1109/ICASSP.2017.7952261

    Examples
    --------
    >>> train = load_audioset("~/data/audioset")  # doctest: +SKIP
    >>> test = load_audioset("~/data/audioset", subset="eval")  # doctest: +SKIP
    >>> speech = train.target_names.index("Speech")  # doctest: +SKIP
    >>> train.subset(train.y[:, speech] == 1)  # doctest: +SKIP
    """
    check_subset(subset)
    segments = f"{subset}_segments.csv"
    remedy = f"get it from {URL}/csv/{segments}, and {CLASSES} from the same folder; {PAGE} tells more"
    root = find_root(data_home, PLACES, segments, remedy)
    source = root / segments
    table = read_table(source, COLUMNS, header=False, n_skipped=_count_comments(source))
    labels = table["positive_labels"].str.split(",").explode().str.strip()
    names = read_label_names((root,), occurring=labels)
    return table_dataset(
        _find_clips(root if audio_root is None else expand(audio_root), table, source),
        table,
        source=source,
        label=_indicate(labels, table.index, names, source),
        group="YTID",
        on_missing=on_missing,
        on_extra="ignore",  # other subsets' clips may lie in the same folder
        name=f"audioset-{subset}",
        licence=LICENCE,
        citation=CITATION,
        description="Sounds of videos, 10 s each, several labels a clip.",
        label_names=names.tolist(),
    )


def check_subset(subset: str) -> None:
    """Raise unless there is such a part of AudioSet."""
    if subset not in SUBSETS:
        raise ValueError(f"subset must be one of {', '.join(map(repr, SUBSETS))}; got {subset!r}")


def read_label_names(folders: Sequence[Path], *, occurring: Iterable[str] | None = None) -> pd.Series:
    """Read the names of the labels by their ids, in the order of their indices.

    The ontology, which has more of them, is only of use if it is known which are `occurring`.
    """
    for source in [folder / CLASSES for folder in folders]:
        if source.is_file():
            table = read_table(source, ("index", "mid", "display_name"))
            indices = parse_integers(table["index"], source, minimum=0)
            if not np.array_equal(np.sort(indices), np.arange(len(table))):
                raise ValueError(f"{source} must have each index from 0 to {len(table) - 1} once")
            again = table["mid"][table["mid"].duplicated()]
            if len(again):
                raise ValueError(
                    f"{source} must have each mid once; {again.iloc[0]} is in line {again.index[0]}, too"
                )
            return pd.Series(table["display_name"].to_numpy(), index=table["mid"]).iloc[np.argsort(indices)]
    for source in [folder / ONTOLOGY for folder in folders]:
        if source.is_file() and occurring is not None:
            names = _read_ontology(source)
            return names[names.index.isin(set(occurring))]
    # The indices, which the embeddings have, are in the table alone.
    wanted = CLASSES if occurring is None else f"{CLASSES} nor {ONTOLOGY}"
    raise DatasetNotFoundError(
        f"no {wanted} in {' nor '.join(map(str, folders))}: get {CLASSES} from {URL}/csv/{CLASSES}"
        + ("" if occurring is None else f", or {ONTOLOGY} from {ONTOLOGY_URL}")
    )


def _read_ontology(source: Path) -> pd.Series:
    """Read the names of all the ontology's categories by their ids."""
    try:
        categories = json.loads(source.read_text(encoding="utf-8"))
        return pd.Series({category["id"]: category["name"] for category in categories}, dtype=str)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{source} is not the ontology, a list of categories with id and name: {error!r}; get it from "
            f"{ONTOLOGY_URL}"
        ) from error


def _count_comments(source: Path) -> int:
    """Count the lines at the start that are no rows."""
    with source.open(encoding="utf-8-sig", errors="replace") as lines:
        return next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)


def _indicate(labels: pd.Series, rows: pd.Index, names: pd.Series, source: Path) -> NDArray[np.int16]:
    """Put 1 where a row has a label; `labels` are ids by row, one at a time."""
    columns = names.index.get_indexer(pd.Index(labels))
    unknown = labels[columns < 0]
    if len(unknown):
        raise ValueError(
            f"{source}, line {unknown.index[0]}: {len(unknown)} labels have no name in the {CLASSES} or "
            f"{ONTOLOGY} beside it: {shorten(unknown.unique().tolist())}"
        )
    indicator = np.zeros((len(rows), len(names)), dtype=np.int16)
    indicator[rows.get_indexer(labels.index), columns] = 1
    return indicator


def _find_clips(folder: Path, table: pd.DataFrame, source: Path) -> list[Path]:
    """Give the sound file of each row; for those not there, the plainest name it could have."""
    found: dict[str, list[tuple[str | None, Path]]] = {}
    for file in visible_files(folder):
        name = _CLIP_NAME.fullmatch(file.stem) if is_audio(file) else None
        if name:
            found.setdefault(name["video"], []).append((name["start"], file))
    starts = _parse_seconds(table["start_seconds"], source)
    return [
        next(
            (file for said, file in found.get(video, ()) if said is None or _is_start(float(said), start)),
            folder / f"{video}.wav",
        )
        for video, start in zip(table["YTID"], starts, strict=True)
    ]


def _is_start(said: float, start: float) -> bool:
    """Tell whether a name says the start, in seconds or milliseconds."""
    return abs(said - start) < 0.001 or abs(said - 1000 * start) < 0.5


def _parse_seconds(column: pd.Series, source: Path) -> list[float]:
    """Read a column of str as times; errors name the line."""
    seconds = pd.to_numeric(column, errors="coerce")
    wrong = column[~(seconds >= 0)]
    if len(wrong):
        raise ValueError(
            f"{source}, line {wrong.index[0]}: {column.name} is {wrong.iloc[0]!r}; expected seconds"
        )
    return seconds.tolist()
