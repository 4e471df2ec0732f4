"""All clips' frames in one tensor; patches are gathered from it by index."""

from collections.abc import Sequence
from math import ceil
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from skfewaudio.audio.patches import PAD_MODES, patch_starts


class PatchSpec(Protocol):
    """The parameters of a fitted estimator that say what its patches are."""

    patch_frames_: int | None
    hop_frames: int | None
    pad_mode: str


def cut_patches(spec: PatchSpec, clips: Sequence[NDArray], device: torch.device) -> "PatchData":
    """Cut clips into the patches of an estimator; feature vectors come as clips of one frame."""
    patch_frames = spec.patch_frames_ or 1
    return PatchData(
        clips,
        patch_frames=patch_frames,
        hop_frames=spec.hop_frames or ceil(patch_frames / 2),
        pad_mode=spec.pad_mode,
        device=device,
    )


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
        self.pad_mode = pad_mode
        self.n_mels = clips[0].shape[0]
        self._n_frames = np.array([clip.shape[1] for clip in clips])
        self._offsets = np.concatenate([[0], np.cumsum(self._n_frames)])
        # Frames are rows, so that a patch is gathered in runs of n_mels; the last row is the frame of zeros.
        frames = np.zeros((self._offsets[-1] + 1, self.n_mels), dtype=np.float32)
        for start, clip in zip(self._offsets, clips, strict=False):
            frames[start : start + clip.shape[1]] = clip.T
        self._frames = torch.from_numpy(frames).to(device)
        starts = [patch_starts(n, patch_frames, hop_frames) for n in self._n_frames]
        self.n_patches = np.array([len(s) for s in starts])
        self.clip = np.repeat(np.arange(len(clips)), self.n_patches)
        self._starts = np.concatenate(starts)

    def __len__(self) -> int:
        return len(self.clip)

    def gather(self, patches: NDArray[np.int64]) -> torch.Tensor:
        """Give patches by number, as a tensor of shape (len(patches), 1, n_mels, patch_frames)."""
        return self._cut(self.clip[patches], self._starts[patches])

    def draw(self, clips: NDArray[np.int64], random_state: np.random.RandomState) -> torch.Tensor:
        """Give a patch at a random place of each of some clips, by number, in the shape of `gather`."""
        last = np.maximum(self._n_frames[clips] - self.patch_frames, 0)
        return self._cut(clips, random_state.randint(last + 1))

    def parts(self, batch_size: int) -> list[NDArray[np.int64]]:
        """Split the numbers of all patches, in order, into parts whose sizes differ by one at most."""
        return np.array_split(np.arange(len(self)), ceil(len(self) / batch_size))

    def _cut(self, clips: NDArray[np.int64], starts: NDArray[np.int64]) -> torch.Tensor:
        """Gather the frames from some starts on, padding by index."""
        index = PAD_MODES[self.pad_mode](
            starts[:, None] + np.arange(self.patch_frames), self._n_frames[clips][:, None]
        )
        index = np.where(index < 0, len(self._frames) - 1, index + self._offsets[clips][:, None])
        rows = self._frames[torch.from_numpy(index).to(self._frames.device)]
        return rows.transpose(1, 2).unsqueeze(1).contiguous()
