"""Clips that are described by a spectrogram and by embeddings of their sound."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False, slots=True)
class EmbeddedClip:
    """Spectrogram of a clip, with embeddings of its waveform.

    Augmentations change spectrograms, and cannot be computed from embeddings. A copy of a clip therefore has
    the embeddings of the clip.

    Parameters
    ----------
    spectrogram : ndarray of shape (n_mels, n_frames)
        Spectrogram.
    embeddings : mapping of str to ndarray of shape (n_dims,)
        Embeddings by name.
    """

    spectrogram: NDArray[np.float32]
    embeddings: Mapping[str, NDArray[np.floating]]

    def __array__(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(
            "a clip with a spectrogram and embeddings is no array; it is for BlockClassifier, also inside "
            "AugmentedClassifier"
        )


def is_embedded(X: Any) -> bool:
    """Return whether X is a sequence of clips with embeddings."""
    is_sequence = isinstance(X, list | tuple) or getattr(getattr(X, "dtype", None), "kind", "") == "O"
    return is_sequence and len(X) > 0 and isinstance(next(iter(X)), EmbeddedClip)


def split_embedded(X: Any) -> tuple[Any, dict[str, NDArray[np.floating]]]:
    """Return the spectrograms of clips, and the embeddings (n_clips, n_dims) by name.

    Parameters
    ----------
    X : sequence of EmbeddedClip, or anything else
        Anything else is returned as it is, without embeddings.

    Returns
    -------
    spectrograms : list of n_clips ndarrays, or X itself
    embeddings : dict of str to ndarray

    Raises
    ------
    ValueError
        If the clips have different embeddings.
    """
    if not is_embedded(X):
        return X, {}
    names = list(X[0].embeddings)
    for i, clip in enumerate(X):
        if not isinstance(clip, EmbeddedClip) or list(clip.embeddings) != names:
            raise ValueError(f"clip {i} does not have the embeddings {', '.join(names)}, as clip 0 has")
    return [clip.spectrogram for clip in X], {
        name: np.stack([clip.embeddings[name] for clip in X]) for name in names
    }


def join_embedded(
    spectrograms: Any, embeddings: Mapping[str, NDArray[np.floating]], rows: Sequence[int] | NDArray[np.intp]
) -> Any:
    """Return spectrograms with embeddings of the clips that they belong to.

    Parameters
    ----------
    spectrograms : sequence of ndarray
        Spectrograms.
    embeddings : mapping of str to ndarray of shape (n_clips, n_dims)
        Embeddings of the clips; without any, the spectrograms are returned as they are.
    rows : sequence of int
        Clip of each spectrogram.

    Returns
    -------
    list of EmbeddedClip, or the spectrograms
    """
    if not embeddings:
        return spectrograms
    return [
        EmbeddedClip(spectrogram, {name: vectors[row] for name, vectors in embeddings.items()})
        for spectrogram, row in zip(spectrograms, rows, strict=True)
    ]
