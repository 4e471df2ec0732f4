"""Blocks of features of all clips, computed once per clip, as the recommended classifier uses them."""

import threading
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from skfewaudio.classifiers.block_prior import measured_relevance, weigh_by_relevance
from skfewaudio.exceptions import AudioLoadError
from skfewaudio.features import BlockScaler
from skfewaudio.pipelines import make_few_shot_classifier

CLIPS_AT_ONCE = 8
N_MELS = 64  # of the recommended classifier


class ReadyBlocks(NamedTuple):
    """Scaled features of the clips that are ready.

    Attributes
    ----------
    clips : ndarray of int of shape (n_ready,)
        Indices of the clips.
    X : ndarray of shape (n_ready, n_features), float32
        Blocks side by side, each scaled by the mean and the deviation over the clips that were ready then.
    sizes : list of int
        Columns of each block.
    prior : list of float
        Prior weight of each block.
    n_replaced : int
        Number of clips that were replaced before.
    """

    clips: NDArray[np.intp]
    X: NDArray[np.float32]
    sizes: list[int]
    prior: list[float]
    n_replaced: int


class BlockFeatures:
    """Features of a list of clips, which are filled in while others read them.

    Parameters
    ----------
    clips : sequence of length n_clips
        The clips, in any form that :class:`~skfewaudio.features.LogMel` accepts.
    cache : path-like, False or None, default=None
        Cache directory of the spectrograms, as for :class:`~skfewaudio.features.CachedFeatures`.
    n_threads : int, default=1
        Threads of one computation. One leaves the other cores to the questions.
    """

    def __init__(self, clips: Sequence[Any], *, cache: Any = None, n_threads: int | None = 1) -> None:
        from skfewaudio.features import CachedFeatures

        self._clips = list(clips)
        pipeline = make_few_shot_classifier(n_mels=N_MELS, augmentation=None)
        self._blocks = [(name, block) for name, block in pipeline[-1].blocks]
        self._prior = pipeline[-1].prior
        for _, block in self._blocks:
            block.set_params(n_threads=n_threads)
        logmel = pipeline[0].set_params(n_threads=n_threads)
        self._logmel = CachedFeatures(logmel, location=cache, n_at_once=CLIPS_AT_ONCE)
        self._is_fitted = False
        self._lock = threading.Lock()
        self._vectors: list[list[NDArray[np.float32]] | None] = [None] * len(self._clips)
        self._relevances: list[list[float]] = []
        self.problems: dict[int, str] = {}
        self.n_ready = 0
        self.n_replaced = 0
        self._version = 0
        self._scaled: tuple[int, ReadyBlocks] | None = None
        self._scalers: list[Any] = []
        self._n_fitted = 0

    @classmethod
    def from_arrays(
        cls, arrays: Sequence[NDArray[np.floating]], relevances: Sequence[float] | None = None
    ) -> Self:
        """Return features that are computed already.

        Parameters
        ----------
        arrays : sequence of ndarray of shape (n_clips, n_values)
            The blocks, in the order of the recommended classifier.
        relevances : sequence of float, default=None
            Relevance of each block, from 0 to 1; NaN for a block that does not measure it. None is 1 for all.

        Returns
        -------
        BlockFeatures
        """
        self = cls(range(len(arrays[0])), cache=False)
        self._vectors = [[block[i] for block in arrays] for i in range(len(arrays[0]))]
        self._relevances = [list(relevances or [1.0] * len(arrays))]
        self.n_ready = len(self._vectors)
        return self

    def __len__(self) -> int:
        return len(self._clips)

    @property
    def n_done(self) -> int:
        """Number of clips that are ready or cannot be read."""
        return self.n_ready + len(self.problems)

    def is_ready(self, clip: int) -> bool:
        """Return whether the features of a clip are ready."""
        return self._vectors[clip] is not None

    def sound(self, clip: int) -> Any:
        """Return a clip in the form in which it was given."""
        return self._clips[clip]

    def replace(self, clip: int, sound: Any) -> None:
        """Replace a clip, such as by a part of it, whose features must be computed again."""
        with self._lock:
            self._clips[clip] = sound
            self.n_ready -= self._vectors[clip] is not None
            self._vectors[clip] = None
            self.problems.pop(clip, None)
            self._version += 1
            self.n_replaced += 1

    def compute(self, clips: Sequence[int]) -> None:
        """Compute the features of some clips; a clip that cannot be read is noted in `problems`."""
        sounds = [self._clips[clip] for clip in clips]
        try:
            vectors, relevances = self._transform(sounds)
        except AudioLoadError as error:
            if len(clips) > 1:
                for clip in clips:
                    self.compute([clip])
            else:
                self.problems[clips[0]] = str(error)
            return
        with self._lock:
            self._version += 1
            self._relevances.append(relevances)
            for row, (clip, sound) in enumerate(zip(clips, sounds, strict=True)):
                if self._clips[clip] is sound:  # not replaced meanwhile
                    self.n_ready += self._vectors[clip] is None
                    self._vectors[clip] = [block[row] for block in vectors]

    def _transform(self, sounds: list[Any]) -> tuple[list[NDArray[np.float32]], list[float]]:
        if not self._is_fitted:
            self._logmel.fit(self._clips)
            self._is_fitted = True
        spectrograms = self._logmel.transform(sounds)
        fitted = [block.fit(spectrograms) for _, block in self._blocks]
        return (
            [block.transform(spectrograms) for block in fitted],
            [measured_relevance(block) for block in fitted],
        )

    def scaled(self) -> ReadyBlocks | None:
        """Return the scaled features of the clips that are ready; None if fewer than two are."""
        with self._lock:
            clips = np.array(
                [i for i, vectors in enumerate(self._vectors) if vectors is not None], dtype=np.intp
            )
            if len(clips) < 2:
                return None
            version, n_replaced = self._version, self.n_replaced
            if self._scaled is not None and self._scaled[0] == version:
                return self._scaled[1]
            vectors = [self._vectors[i] for i in clips]
            relevances = np.median(self._relevances, axis=0)
        arrays = [np.stack(rows) for rows in zip(*vectors, strict=True)]
        scaled = self._scale(arrays)
        prior = weigh_by_relevance(self._prior, relevances).tolist()
        found = ReadyBlocks(clips, np.hstack(scaled), [a.shape[1] for a in scaled], prior, n_replaced)
        self._scaled = version, found
        return found

    def _scale(self, arrays: list[NDArray[np.float32]]) -> list[NDArray[np.float32]]:
        """Scale blocks; the scalers are fitted anew when the number of clips has grown by half."""
        if len(arrays[0]) >= 1.5 * self._n_fitted or len(arrays[0]) == len(self._clips) > self._n_fitted:
            self._scalers = []
            for (_, block), array in zip(self._blocks, arrays, strict=True):
                sizes = block.block_sizes(N_MELS) if hasattr(block, "block_sizes") else None
                self._scalers.append(BlockScaler(sizes).fit(array))
            self._n_fitted = len(arrays[0])
        return [scaler.transform(array) for scaler, array in zip(self._scalers, arrays, strict=True)]
