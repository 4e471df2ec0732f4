"""Patches, which are fixed runs of frames: cutting, padding and drawing.

A clip is padded by index, without concatenation: frame ``i`` of a repeated clip is frame ``i % n_frames`` of
the clip. The classifiers gather the patches of a batch by the same indices.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

# Index of the frame that replaces a frame beyond the end of a clip; -1 stands for a frame of zeros.
PAD_MODES: dict[str, Callable[[NDArray[np.int64], int | NDArray[np.int64]], NDArray[np.int64]]] = {
    "repeat": lambda index, n_frames: index % n_frames,
    "zero": lambda index, n_frames: np.where(index < n_frames, index, -1),
}


def patch_starts(n_frames: int, patch_frames: int, hop_frames: int) -> NDArray[np.int64]:
    """Return the first frame of each patch of a sliding window.

    Parameters
    ----------
    n_frames : int
        Number of frames of the clip, at least 1.
    patch_frames : int
        Number of frames in a patch.
    hop_frames : int
        Number of frames from the start of a patch to the start of the next.

    Returns
    -------
    ndarray of shape (n_patches,)
        First frames. A clip no longer than a patch has a single patch that starts at 0. Frames at the end
        that do not fill a patch are not covered, as in [1]_.

    References
    ----------
    .. [1] J. Pons, J. Serra, X. Serra, "Training neural audio classifiers with few data",
       ICASSP 2019. arXiv:1810.10274.

    Examples
    --------
    >>> from skfewaudio.audio import patch_starts
    >>> patch_starts(216, patch_frames=128, hop_frames=42)
    array([ 0, 42, 84])
    """
    return np.arange(0, max(n_frames - patch_frames, 0) + 1, hop_frames)


def fix_length(x: NDArray, length: int, *, pad_mode: str = "repeat") -> NDArray:
    """Crop or pad the last axis to a length.

    Parameters
    ----------
    x : ndarray of shape (..., n_frames)
        A waveform or a spectrogram.
    length : int
        Number of samples or frames of the result.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of a short clip: repetitions of the clip, or zeros.

    Returns
    -------
    ndarray of shape (..., length)

    Raises
    ------
    ValueError
        If `x` has no frames or `pad_mode` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.audio import fix_length
    >>> fix_length(np.array([1, 2, 3]), 7)
    array([1, 2, 3, 1, 2, 3, 1])
    >>> fix_length(np.array([1, 2, 3]), 5, pad_mode="zero")
    array([1, 2, 3, 0, 0])
    """
    return split_patches(x, length, hop_frames=x.shape[-1] + 1, pad_mode=pad_mode)[0]


def split_patches(x: NDArray, patch_frames: int, *, hop_frames: int, pad_mode: str = "repeat") -> NDArray:
    """Cut a clip into patches with a sliding window along the last axis.

    Parameters
    ----------
    x : ndarray of shape (..., n_frames)
        A waveform or a spectrogram.
    patch_frames : int
        Number of frames in a patch.
    hop_frames : int
        Number of frames from the start of a patch to the start of the next.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of a clip shorter than a patch: repetitions of the clip, or zeros.

    Returns
    -------
    ndarray of shape (n_patches, ..., patch_frames)

    Raises
    ------
    ValueError
        If `x` has no frames or `pad_mode` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.audio import split_patches
    >>> split_patches(np.arange(6), 4, hop_frames=2)
    array([[0, 1, 2, 3],
           [2, 3, 4, 5]])
    """
    starts = patch_starts(x.shape[-1], patch_frames, hop_frames)
    return _gather(x, starts, patch_frames, pad_mode)


def sample_patches(
    x: NDArray,
    patch_frames: int,
    *,
    n_patches: int = 1,
    pad_mode: str = "repeat",
    random_state: np.random.RandomState,
) -> NDArray:
    """Draw patches at random positions of a clip, with replacement.

    Parameters
    ----------
    x : ndarray of shape (..., n_frames)
        A waveform or a spectrogram.
    patch_frames : int
        Number of frames in a patch.
    n_patches : int, default=1
        Number of patches to draw.
    pad_mode : {"repeat", "zero"}, default="repeat"
        Padding of a clip shorter than a patch: repetitions of the clip, or zeros.
    random_state : numpy.random.RandomState
        Source of the random positions.

    Returns
    -------
    ndarray of shape (n_patches, ..., patch_frames)

    Raises
    ------
    ValueError
        If `x` has no frames or `pad_mode` is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from skfewaudio.audio import sample_patches
    >>> sample_patches(np.arange(6), 4, n_patches=2, random_state=np.random.RandomState(0))
    array([[0, 1, 2, 3],
           [1, 2, 3, 4]])
    """
    starts = random_state.randint(max(x.shape[-1] - patch_frames, 0) + 1, size=n_patches)
    return _gather(x, starts, patch_frames, pad_mode)


def _gather(x: NDArray, starts: NDArray[np.int64], patch_frames: int, pad_mode: str) -> NDArray:
    """Gather patches by index, with padding."""
    n_frames = x.shape[-1]
    if n_frames == 0:
        raise ValueError(f"a clip of shape {x.shape} has no frames; expected at least one")
    if pad_mode not in PAD_MODES:
        raise ValueError(f"pad_mode={pad_mode!r} is unknown; expected one of {sorted(PAD_MODES)}")
    index = PAD_MODES[pad_mode](starts[:, None] + np.arange(patch_frames), n_frames)
    patches = np.where(index < 0, x.dtype.type(0), x[..., index])
    return np.moveaxis(patches, -2, 0)
