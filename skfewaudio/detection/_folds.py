"""Parts of the training clips that are left out together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from skfewaudio.audio.clips import as_file_part, is_file_part, is_path

N_FOLDS = 3


def number_recordings(X: Any) -> NDArray[np.int64]:
    """Return numbers of the recordings of clips: files, and each clip without a file."""
    names = [
        as_file_part(clip).path if is_path(clip) or is_file_part(clip) else f"\0{i}"
        for i, clip in enumerate(X)
    ]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)


def make_folds(
    codes: NDArray[np.int64],
    groups: NDArray[np.int64],
    background_groups: NDArray[np.int64],
    generator: np.random.Generator,
) -> list[NDArray[np.bool_]]:
    """Return masks of events and backgrounds that are left out together; each class stays in all fits."""
    n_groups = [len(np.unique(groups[codes == code])) for code in np.unique(codes)]
    n_folds = min(N_FOLDS, max(n_groups))
    if n_folds < 2:
        return []
    numbers = np.concatenate([groups, background_groups])
    fold_of: dict[int, int] = {}
    for code in [*np.unique(codes), -1]:
        own = generator.permutation(np.unique(groups[codes == code] if code >= 0 else background_groups))
        fold_of |= {int(g): i % n_folds for i, g in enumerate(own) if int(g) not in fold_of}
    folds = np.array([fold_of[int(g)] for g in numbers])
    masks = []
    for fold in range(n_folds):
        mask = folds == fold
        # A class with one recording is trained on in every fold, and not tested.
        for code in np.unique(codes):
            if mask[: len(codes)][codes == code].all():
                mask[: len(codes)][codes == code] = False
        if len(background_groups) and mask[len(codes) :].all():
            mask[len(codes) :] = False
        if mask[: len(codes)].any():
            masks.append(mask)
    return masks
