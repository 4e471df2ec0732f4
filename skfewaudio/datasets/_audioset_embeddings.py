"""The embeddings that AudioSet releases in place of sound."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfewaudio.exceptions import DatasetNotFoundError

from ._audioset import CITATION, LICENCE, PLACES, SUBSETS, URL, check_subset, read_label_names
from ._base import AudioDataset
from ._tables import PathLike, find_root
from ._tfrecord import SequenceExample, read_sequence_examples

FOLDER = "audioset_v1_embeddings"
ARCHIVE = f"{URL}/features/features.tar.gz"
CITATION_EMBEDDINGS = (
    "S. Hershey et al. CNN architectures for large-scale audio classification. IEEE International Conference "
    "on Acoustics, Speech and Signal Processing, pp. 131-135, 2017. arXiv:1609.09430"
)
N_DIMS = 128
# Of the published post-processing: the range that values are clipped to, and the steps in it.
LIMIT, STEPS = 2.0, 255


class _Clip(NamedTuple):
    video: str
    labels: list[int]
    embeddings: NDArray[np.uint8]


def load_audioset_embeddings(
    data_home: PathLike | None = None, *, subset: str = "balanced_train", output: str = "pca"
) -> AudioDataset:
    """Load the released embeddings of AudioSet: 128 numbers a second, 527 labels, several a clip.

    Parameters
    ----------
    data_home : path-like or None, default=None
        What ``features.tar.gz`` holds: ``audioset_v1_embeddings`` with the folders ``bal_train``, ``eval``
        and ``unbal_train`` of TFRecord files. Or the folder that holds it, or has it under ``audioset`` or
        ``data/audioset``. ``class_labels_indices.csv`` goes into it or beside it. None is `get_data_home`'s.
    subset : {"balanced_train", "eval", "unbalanced_train"}, default="balanced_train"
        Which of them. Unbalanced takes 1 GB for the labels and 3 GB for the embeddings, as "pca" 10 GB.
    output : {"pca", "pca_uint8"}, default="pca"
        "pca_uint8" gives the bytes as they are stored, "pca" the numbers that they stand for, from -2 to 2;
        both as in :class:`~skfewaudio.features.VGGishEmbed`.

    Returns
    -------
    AudioDataset
        `X` is a list of arrays of shape (128, n_seconds), float32 or uint8, in the order of the files; `y` is
        of 0 and 1, a column for each label in the order of the published indices. A group is a video. There
        are no folds.

    Raises
    ------
    DatasetNotFoundError
        If the files, or the names of the labels, are not there.
    ValueError
        If a file is damaged or holds something else; the error says at which byte.

    See Also
    --------
    load_audioset : The clips themselves.

    Notes
    -----
    The numbers come from the network of [1]_, before it was published as VGGish, so that they are not quite
    `VGGishEmbed`'s. Storing rounded them down to one of 256 steps of 0.016.

    The files are read without TensorFlow, some thousand clips a second. Their checksums are verified.

    References
    ----------
    .. [1] S. Hershey et al. CNN architectures for large-scale audio classification. ICASSP, 2017.
       arXiv:1609.09430

    Examples
    --------
    >>> train = load_audioset_embeddings("~/data/audioset")  # doctest: +SKIP
    >>> train.X[0].shape  # doctest: +SKIP
    (128, 10)
    """
    check_subset(subset)
    if output not in ("pca", "pca_uint8"):
        raise ValueError(f"output must be 'pca' or 'pca_uint8'; got {output!r}")
    places = [f"{place}/{folder}" for place in PLACES for folder in (".", FOLDER)]
    remedy = f"get {ARCHIVE} and unpack it there"
    root = find_root(data_home, places, SUBSETS[subset], remedy)
    files = sorted((root / SUBSETS[subset]).glob("*.tfrecord"))
    names = read_label_names((root, root.parent)).tolist()
    clips = [clip for file in files for clip in _read_clips(file, len(names))]
    if not clips:
        raise DatasetNotFoundError(f"{root / SUBSETS[subset]} holds no TFRecord files with clips: {remedy}")
    indicator = np.zeros((len(clips), len(names)), dtype=np.int16)
    for row, clip in zip(indicator, clips, strict=True):
        row[clip.labels] = 1
    return AudioDataset(
        [_dequantize(clip.embeddings) if output == "pca" else clip.embeddings for clip in clips],
        indicator,
        name=f"audioset-embeddings-{subset}",
        groups=[clip.video for clip in clips],
        licence=LICENCE,
        citation=f"{CITATION}; {CITATION_EMBEDDINGS}",
        description="128 numbers a second of videos' sound, 10 s each, several labels a clip.",
        label_names=names,
    )


def _read_clips(file: Path, n_labels: int) -> list[_Clip]:
    """Read the clips of one file."""
    clips = []
    for offset, example in read_sequence_examples(file):
        try:
            clips.append(_as_clip(example, n_labels))
        except ValueError as error:
            raise ValueError(f"{file}, record at byte {offset}: {error}") from error
    return clips


def _as_clip(example: SequenceExample, n_labels: int) -> _Clip:
    """Take a clip out of a record, which may hold other things too."""
    videos = example.context.get("video_id", [])
    labels = example.context.get("labels", [])
    seconds = [second for values in example.feature_lists.get("audio_embedding", []) for second in values]
    if len(videos) != 1 or not isinstance(videos[0], bytes):
        raise ValueError(f"expected one video_id; got {videos!r}")
    wrong = [label for label in labels if not isinstance(label, int) or not 0 <= label < n_labels]
    if wrong:
        raise ValueError(f"labels must be integers from 0 to {n_labels - 1}; got {wrong[0]!r}")
    sizes = {len(second) if isinstance(second, bytes) else None for second in seconds}
    if sizes != {N_DIMS}:
        raise ValueError(f"audio_embedding must have {N_DIMS} bytes for each second; got {sizes or 'none'}")
    stored = np.frombuffer(b"".join(seconds), np.uint8).reshape(-1, N_DIMS)
    return _Clip(videos[0].decode(errors="replace"), labels, np.ascontiguousarray(stored.T))


def _dequantize(stored: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Give the numbers that bytes stand for."""
    return stored * np.float32(2 * LIMIT / STEPS) - np.float32(LIMIT)
