"""The embeddings that were released with AudioSet instead of the sound."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from skfewaudio.exceptions import DatasetNotFoundError

from ._audioset import CITATION, LICENCE, SUBFOLDERS, SUBSETS, URL, check_subset, read_label_names
from ._base import AudioDataset
from ._home import PathLike, find_root
from ._tfrecord import SequenceExample, read_sequence_examples

FOLDER = "audioset_v1_embeddings"
ARCHIVE = f"{URL}/features/features.tar.gz"
CITATION_EMBEDDINGS = (
    "S. Hershey et al. CNN architectures for large-scale audio classification. IEEE International Conference "
    "on Acoustics, Speech and Signal Processing, pp. 131-135, 2017. arXiv:1609.09430"
)
N_DIMS = 128
# Published post-processing: values are clipped to [-LIMIT, LIMIT], and quantised to this number of steps.
LIMIT, STEPS = 2.0, 255


class _Clip(NamedTuple):
    video: str
    labels: list[int]
    embeddings: NDArray[np.uint8]


def load_audioset_embeddings(
    data_home: PathLike | None = None, *, subset: str = "balanced_train", output: str = "pca"
) -> AudioDataset:
    """Load the released embeddings of AudioSet: 128 values per second, 527 labels, several per clip.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder ``audioset_v1_embeddings`` from ``features.tar.gz``, with the folders ``bal_train``,
        ``eval`` and ``unbal_train`` of TFRecord files. Or its parent, or a folder that has it in ``audioset``
        or ``data/audioset``. ``class_labels_indices.csv`` lies in it or beside it. None uses `get_data_home`.
    subset : {"balanced_train", "eval", "unbalanced_train"}, default="balanced_train"
        The subset. "unbalanced_train" requires 2 GB of memory for the labels and 3 GB for the embeddings, or
        10 GB with ``output="pca"``.
    output : {"pca", "pca_uint8"}, default="pca"
        "pca_uint8" returns the stored bytes, "pca" the values that they represent, from -2 to 2. Both are
        defined as in :class:`~skfewaudio.features.VGGishEmbed`.

    Returns
    -------
    AudioDataset
        `X` is a list of arrays of shape (128, n_seconds), float32 or uint8, in the order of the files. `y` is
        an indicator matrix with one column per label, in the order of the published indices. Groups are the
        videos. There are no folds.

    Raises
    ------
    DatasetNotFoundError
        If the files or the names of the labels are missing.
    ValueError
        If a file is damaged or has other content; the error names the byte.

    See Also
    --------
    load_audioset : Load the sound of the clips.

    Notes
    -----
    The values come from the network of [1]_ before it was published as VGGish, and differ slightly from the
    output of `VGGishEmbed`. Quantisation rounded them down to one of 256 steps of 0.016.

    The files are read without TensorFlow, about a thousand clips per second. Their checksums are verified.

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
    subfolders = [f"{subfolder}/{folder}" for subfolder in SUBFOLDERS for folder in (".", FOLDER)]
    remedy = f"get {ARCHIVE} and unpack it there"
    root = find_root(data_home, subfolders, SUBSETS[subset], remedy)
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
        description="128 values per second of video sound, 10 s each, several labels per clip.",
        label_names=names,
    )


def _read_clips(file: Path, n_labels: int) -> list[_Clip]:
    """Return the clips in one file."""
    clips = []
    for offset, example in read_sequence_examples(file):
        try:
            clips.append(_parse_clip(example, n_labels))
        except ValueError as error:
            raise ValueError(f"{file}, record at byte {offset}: {error}") from error
    return clips


def _parse_clip(example: SequenceExample, n_labels: int) -> _Clip:
    """Convert a record to a clip; other fields are ignored."""
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
    """Return the values that the stored bytes represent."""
    return stored * np.float32(2 * LIMIT / STEPS) - np.float32(LIMIT)
