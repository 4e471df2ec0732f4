"""Patches gathered by index, from frames in one tensor or in memory-mapped files."""

from collections.abc import Sequence
from math import ceil
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio._validation import is_mapped
from skfewaudio.audio.patches import PAD_MODES, patch_starts


class PatchSpec(Protocol):
    """Parameters of a fitted estimator that define its patches."""

    patch_frames_: int | None
    hop_frames: int | None
    pad_mode: str


def cut_patches(spec: PatchSpec, clips: Sequence[NDArray], device: torch.device) -> "PatchData":
    """Cut clips into the patches of an estimator; feature vectors are clips with one frame."""
    patch_frames = spec.patch_frames_ or 1
    return PatchData(
        clips,
        patch_frames=patch_frames,
        hop_frames=spec.hop_frames or ceil(patch_frames / 2),
        pad_mode=spec.pad_mode,
        device=device,
    )


class PatchData:
    """Sliding patches of clips, stored as indices into their frames.

    The frames are packed into one tensor on the device. The frames of memory-mapped clips stay in their file
    and are read when a patch is gathered.

    Parameters
    ----------
    clips : sequence of n_clips arrays of shape (n_mels, n_frames)
        Spectrograms; the numbers of frames may differ.
    patch_frames, hop_frames : int
        Number of frames of a patch, and from one patch to the next.
    pad_mode : {"repeat", "zero"}
        Padding of clips that are shorter than a patch.
    device : torch.device
        Device of the packed frames and of the returned patches.

    Attributes
    ----------
    clip : ndarray of shape (n_patches,)
        Clip index of each patch. The patches of a clip are consecutive.
    n_patches : ndarray of shape (n_clips,)
        Number of patches of each clip.
    """

    def __init__(
        self,
        clips: Sequence[NDArray],
        *,
        patch_frames: int,
        hop_frames: int,
        pad_mode: str,
        device: torch.device,
    ) -> None:
        self.patch_frames = patch_frames
        self.pad_mode = pad_mode
        self.n_mels = clips[0].shape[0]
        self._n_frames = np.array([clip.shape[1] for clip in clips])
        self._frames = (_MappedFrames if is_mapped(clips[0]) else _PackedFrames)(clips, device)
        starts = [patch_starts(n, patch_frames, hop_frames) for n in self._n_frames]
        self.n_patches = np.array([len(s) for s in starts])
        self.clip = np.repeat(np.arange(len(clips)), self.n_patches)
        self._starts = np.concatenate(starts)

    def __len__(self) -> int:
        return len(self.clip)

    def gather(self, patches: NDArray[np.int64]) -> torch.Tensor:
        """Return patches by index, as a tensor of shape (len(patches), 1, n_mels, patch_frames)."""
        return self._cut(self.clip[patches], self._starts[patches])

    def draw(self, clips: NDArray[np.int64], random_state: np.random.RandomState) -> torch.Tensor:
        """Draw one patch at a random position from each of the given clips, in the shape of `gather`."""
        last = np.maximum(self._n_frames[clips] - self.patch_frames, 0)
        return self._cut(clips, random_state.randint(last + 1))

    def batches(self, batch_size: int) -> list[NDArray[np.int64]]:
        """Split the indices of all patches, in order, into batches whose sizes differ by at most one."""
        return np.array_split(np.arange(len(self)), ceil(len(self) / batch_size))

    def shuffled_batches(
        self, batch_size: int, random_state: np.random.RandomState
    ) -> list[NDArray[np.int64]]:
        """Split the indices of all patches at random into batches whose sizes differ by at most one."""
        return np.array_split(random_state.permutation(len(self)), ceil(len(self) / batch_size))

    def _cut(self, clips: NDArray[np.int64], starts: NDArray[np.int64]) -> torch.Tensor:
        """Gather patches by their start frames, padding by index."""
        index = PAD_MODES[self.pad_mode](
            starts[:, None] + np.arange(self.patch_frames), self._n_frames[clips][:, None]
        )
        return self._frames.take(clips, index).transpose(1, 2).unsqueeze(1).contiguous()


class _PackedFrames:
    """Frames of all clips in one tensor."""

    def __init__(self, clips: Sequence[NDArray], device: torch.device) -> None:
        self.offsets = np.concatenate([[0], np.cumsum([clip.shape[1] for clip in clips])])
        # Frames are rows, so that a patch is gathered in runs of n_mels values. The last row is a frame of
        # zeros.
        frames = np.zeros((self.offsets[-1] + 1, clips[0].shape[0]), dtype=np.float32)
        for start, clip in zip(self.offsets, clips, strict=False):
            frames[start : start + clip.shape[1]] = clip.T
        self.frames = torch.from_numpy(frames).to(device)

    def take(self, clips: NDArray[np.int64], index: NDArray[np.int64]) -> torch.Tensor:
        """Return frames of clips by index, (n_patches, patch_frames, n_mels); -1 is a frame of zeros."""
        rows = np.where(index < 0, len(self.frames) - 1, index + self.offsets[clips][:, None])
        return self.frames[torch.from_numpy(rows).to(self.frames.device)]


class _MappedFrames:
    """Frames of clips in memory-mapped files."""

    def __init__(self, clips: Sequence[NDArray], device: torch.device) -> None:
        self.clips = clips
        self.device = device

    def take(self, clips: NDArray[np.int64], index: NDArray[np.int64]) -> torch.Tensor:
        """Return frames of clips by index, (n_patches, patch_frames, n_mels); -1 is a frame of zeros."""
        frames = np.stack([self.clips[clip].T[row] for clip, row in zip(clips, index, strict=True)])
        frames[index < 0] = 0
        return torch.from_numpy(frames.astype(np.float32, copy=False)).to(self.device)
