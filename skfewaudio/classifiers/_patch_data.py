"""All clips' frames in one tensor; patches are gathered from it by index."""

from collections.abc import Sequence
from math import ceil

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio.audio.patches import PAD_MODES, patch_starts


class PatchData:
    """The patches that slide over some clips, kept as indices into their packed frames.

    Parameters
    ----------
    clips : sequence of n_clips arrays of shape (n_mels, n_frames)
        Spectrograms; the numbers of frames may differ.
    patch_frames, hop_frames : int
        Frames of a patch, and from one patch to the next.
    pad_mode : {"repeat", "zero"}
        How clips shorter than a patch are filled.
    device : torch.device
        Where the frames are kept.

    Attributes
    ----------
    clip : ndarray of shape (n_patches,)
        The clip of each patch, the patches of a clip one after the other.
    n_patches : ndarray of shape (n_clips,)
        Patches of each clip.
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
        self.n_mels = clips[0].shape[0]
        n_frames = np.array([clip.shape[1] for clip in clips])
        # Frames are rows, so that a patch is gathered in runs of n_mels; the last row is the frame of zeros.
        frames = np.zeros((n_frames.sum() + 1, self.n_mels), dtype=np.float32)
        offsets = np.concatenate([[0], np.cumsum(n_frames)])
        for start, clip in zip(offsets, clips, strict=False):
            frames[start : start + clip.shape[1]] = clip.T
        starts = [patch_starts(n, patch_frames, hop_frames) for n in n_frames]
        self.n_patches = np.array([len(s) for s in starts])
        self.clip = np.repeat(np.arange(len(clips)), self.n_patches)
        index = np.concatenate(starts)[:, None] + np.arange(patch_frames)
        index = PAD_MODES[pad_mode](index, n_frames[self.clip][:, None])
        index = np.where(index < 0, len(frames) - 1, index + offsets[self.clip][:, None])
        self._frames = torch.from_numpy(frames).to(device)
        self._index = torch.from_numpy(index)

    def __len__(self) -> int:
        return len(self.clip)

    def gather(self, patches: NDArray[np.int64]) -> torch.Tensor:
        """Give patches by number, as a tensor of shape (len(patches), 1, n_mels, patch_frames)."""
        index = self._index[torch.from_numpy(patches)].to(self._frames.device)
        return self._frames[index].transpose(1, 2).unsqueeze(1)

    def parts(self, batch_size: int) -> list[NDArray[np.int64]]:
        """Split the numbers of all patches, in order, into parts whose sizes differ by one at most."""
        return np.array_split(np.arange(len(self)), ceil(len(self) / batch_size))
