"""AudioSet: clips from videos with several labels each, as listed in the published segment lists."""

import json
import re
from collections.abc import Iterable, Sequence
from io import TextIOWrapper
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio._files import open_regular
from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._home import PathLike, expand_user, find_root, is_audio, join_first
from ._listing import visible_files
from ._tables import OnMissing, dataset_from_table, parse_integers, read_table

LICENCE = "labels and embeddings CC BY 4.0, by Google; the sound belongs to the videos' authors"
CITATION = (
    "J. F. Gemmeke, D. P. W. Ellis, D. Freedman, A. Jansen, W. Lawrence, R. C. Moore, M. Plakal and "
    "M. Ritter. Audio Set: An ontology and human-labeled dataset for audio events. IEEE International "
    "Conference on Acoustics, Speech and Signal Processing, pp. 776-780, 2017. "
    "doi:10.1109/ICASSP.2017.7952261"
)
PAGE = "https://research.google.com/audioset/download.html"
URL = "https://storage.googleapis.com/us_audioset/youtube_corpus/v1"
ONTOLOGY_URL = "https://github.com/audioset/ontology"
# Subset -> its folder in the archive of embeddings.
SUBSETS = {"balanced_train": "bal_train", "eval": "eval", "unbalanced_train": "unbal_train"}
SUBFOLDERS = (".", "audioset", "data/audioset")
CLASSES = "class_labels_indices.csv"
ONTOLOGY = "ontology.json"
COLUMNS = ("YTID", "start_seconds", "end_seconds", "positive_labels")
# File names that download scripts use: the eleven characters of the video ID, with or without a leading Y,
# and often the start and end of the clip, in seconds or milliseconds.
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
    """Load the available clips of AudioSet: 10 s of video sound each, 527 labels, several per clip.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder with ``balanced_train_segments.csv``, ``eval_segments.csv`` or
        ``unbalanced_train_segments.csv``, and ``class_labels_indices.csv`` or ``ontology.json``; or a folder
        that has them in ``audioset`` or ``data/audioset``. None uses `get_data_home`.
    subset : {"balanced_train", "eval", "unbalanced_train"}, default="balanced_train"
        The list of segments. The lists have 22,160, 20,371 and 2,041,789 segments of distinct videos.
    audio_root : path-like or None, default=None
        The folder of the clips, which is searched with its subfolders. None uses the folder of the lists.
        Clips may be in any format that libsndfile reads. Their file names have one of the forms
        ``-0RWZT-miFs.wav``, ``Y-0RWZT-miFs.wav``, ``-0RWZT-miFs_420.000.wav``,
        ``-0RWZT-miFs_420.000_430.000.wav`` and ``-0RWZT-miFs_420000_430000.wav``.
    on_missing : {"raise", "warn", "ignore"}, default="warn"
        How to handle segments without audio: raise an error, or leave them out with or without a warning.
        Many videos are no longer available, so that every download is incomplete.

    Returns
    -------
    AudioDataset
        Clips in the order of the list, with varying sample rates. `y` is an indicator matrix with one column
        per label, in the order of the published indices. Groups are the videos. There are no folds.

    Raises
    ------
    DatasetNotFoundError
        If the list, the names of the labels or all clips are missing.
    ValueError
        If the list is damaged, has a label without a name, or lists a video twice.

    Warns
    -----
    UserWarning
        If segments have no audio.

    See Also
    --------
    load_audioset_embeddings : Load the embeddings that were released instead of the sound.
    skfewaudio.metrics : Metrics for taggers.

    Notes
    -----
    Labels are incomplete: 0 means that nobody confirmed the sound, not that it is absent.

    Without ``class_labels_indices.csv``, the labels are the ones that occur in the list, in the order of
    ``ontology.json``, which is also the order of the indices. All 527 labels occur in the published lists.

    There is no function that downloads AudioSet: the authors publish lists and embeddings, but neither the
    sound nor checksums.

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
    remedy = f"get it from {URL}/csv/{segments}, and {CLASSES} from the same folder; see {PAGE}"
    root = find_root(data_home, SUBFOLDERS, segments, remedy)
    source = root / segments
    table = read_table(source, COLUMNS, header=False, n_skipped=_count_comments(source))
    labels = table["positive_labels"].str.split(",").explode().str.strip()
    names = read_label_names((root,), occurring=labels)
    return dataset_from_table(
        _match_clips(root if audio_root is None else expand_user(audio_root), table, source),
        table,
        source=source,
        label=_build_indicator(labels, table.index, names, source),
        group="YTID",
        on_missing=on_missing,
        on_extra="ignore",  # other subsets' clips may lie in the same folder
        name=f"audioset-{subset}",
        licence=LICENCE,
        citation=CITATION,
        description="Clips from videos, 10 s each, several labels per clip.",
        label_names=names.tolist(),
    )


def check_subset(subset: str) -> None:
    """Raise unless `subset` is the name of a subset of AudioSet."""
    if subset not in SUBSETS:
        raise ValueError(f"subset must be one of {', '.join(map(repr, SUBSETS))}; got {subset!r}")


def read_label_names(folders: Sequence[Path], *, occurring: Iterable[str] | None = None) -> pd.Series:
    """Return the display names of the labels, indexed by label ID and in the order of their indices.

    The ontology has more labels, and is only read if the `occurring` labels are known.
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
    # The embeddings refer to labels by index. Only the table of classes has indices.
    wanted = CLASSES if occurring is None else f"{CLASSES} nor {ONTOLOGY}"
    raise DatasetNotFoundError(
        f"no {wanted} in {' nor '.join(map(str, folders))}: get {CLASSES} from {URL}/csv/{CLASSES}"
        + ("" if occurring is None else f", or {ONTOLOGY} from {ONTOLOGY_URL}")
    )


def _read_ontology(source: Path) -> pd.Series:
    """Return the names of all categories of the ontology, indexed by ID."""
    try:
        categories = json.loads(source.read_text(encoding="utf-8"))
        return pd.Series({category["id"]: category["name"] for category in categories}, dtype=str)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ValueError(
            f"{source} is not the ontology, a list of categories with id and name: {error!r}; get it from "
            f"{ONTOLOGY_URL}"
        ) from error


def _count_comments(source: Path) -> int:
    """Return the number of comment lines at the start of the file."""
    with open_regular(source) as file, TextIOWrapper(file, encoding="utf-8-sig", errors="replace") as lines:
        return next((number for number, line in enumerate(lines) if not line.startswith("#")), 0)


def _build_indicator(labels: pd.Series, rows: pd.Index, names: pd.Series, source: Path) -> NDArray[np.int16]:
    """Return the indicator matrix; `labels` has one label ID per entry, indexed by row."""
    columns = names.index.get_indexer(pd.Index(labels))
    unknown = labels[columns < 0]
    if len(unknown):
        raise ValueError(
            f"{source}, line {unknown.index[0]}: {len(unknown)} labels have no name in the {CLASSES} or "
            f"{ONTOLOGY} beside it: {join_first(unknown.unique().tolist())}"
        )
    indicator = np.zeros((len(rows), len(names)), dtype=np.int16)
    indicator[rows.get_indexer(labels.index), columns] = 1
    return indicator


def _match_clips(folder: Path, table: pd.DataFrame, source: Path) -> list[Path]:
    """Return the sound file of each row; a missing file is named after the video."""
    found: dict[str, list[tuple[str | None, Path]]] = {}
    for file in visible_files(folder):
        name = _CLIP_NAME.fullmatch(file.stem) if is_audio(file) else None
        if name:
            found.setdefault(name["video"], []).append((name["start"], file))
    starts = _parse_seconds(table["start_seconds"], source)
    return [
        next(
            (
                file
                for stated, file in found.get(video, ())
                if stated is None or _matches_start(float(stated), start)
            ),
            folder / f"{video}.wav",
        )
        for video, start in zip(table["YTID"], starts, strict=True)
    ]


def _matches_start(stated: float, start: float) -> bool:
    """Return whether the start stated in a file name, in seconds or milliseconds, is `start`."""
    return abs(stated - start) < 0.001 or abs(stated - 1000 * start) < 0.5


def _parse_seconds(column: pd.Series, source: Path) -> list[float]:
    """Convert a column of str to seconds; errors name the line."""
    seconds = pd.to_numeric(column, errors="coerce")
    wrong = column[~(seconds >= 0)]
    if len(wrong):
        raise ValueError(
            f"{source}, line {wrong.index[0]}: {column.name} is {wrong.iloc[0]!r}; expected seconds"
        )
    return seconds.tolist()
