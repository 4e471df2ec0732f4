"""Mel spectrograms, compression functions and cepstra, computed with torch."""

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from itertools import chain
from math import prod
from typing import Any, Literal

import numpy as np
import torch
from scipy.fft import dct

from skfewaudio._arrays import to_python

from ._mel_filters import triangular_filters

# Bytes of the frames that are transformed at once. On a CPU, these are the frames of a clip of some seconds,
# which stay in its cache between steps. On a GPU, they use all its cores and some 500 MB of memory.
CPU_FRAME_BYTES, GPU_FRAME_BYTES = 2**21, 2**27
# The filter bank is applied to this number of blocks of spectra at once. Few long calls reduce the time that
# Python threads wait for each other.
FILTER_AT_ONCE = 8
BAND_GROUP = 8  # adjacent mel bands that are computed in one product, over the FFT bins that they share
# Products with fewer columns, or of other heights, are rounded differently. The last bit of a clip's values
# would then depend on the other clips of its batch.
MIN_COLUMNS = 16

EPSILON = float(np.finfo(np.float64).eps)

Bands = list[tuple[slice, slice, torch.Tensor]]


@dataclass(frozen=True)
class MelParams:
    """Parameters of a mel spectrogram, with librosa's names; hashable, so that filters can be cached."""

    sample_rate: int
    n_fft: int
    hop_length: int
    win_length: int
    window: str | tuple[Any, ...] | float
    center: bool
    pad_mode: str
    power: float
    n_mels: int
    fmin: float
    fmax: float | None
    htk: bool
    norm: Literal["slaney"] | float | None
    frame_length: str = "n_fft"
    mel_slopes: str = "hz"
    min_frames: int = 1
    double: bool = True

    @classmethod
    def from_params(cls, params: Mapping[str, Any], **fixed: Any) -> "MelParams":
        """Select and check the spectrogram parameters among the parameters of an estimator."""
        names = {field.name for field in fields(cls)}
        values = {name: to_python(value) for name, value in params.items() if name in names} | fixed
        if values["win_length"] is None:
            values["win_length"] = values["n_fft"]
        mel_params = cls(**values)
        mel_params._check()
        return mel_params

    def _check(self) -> None:
        """Check that the parameters are consistent."""
        if self.win_length > self.n_fft:
            raise ValueError(
                f"win_length={self.win_length} is above n_fft={self.n_fft}; expected win_length <= n_fft"
            )
        fmax = self.sample_rate / 2 if self.fmax is None else self.fmax
        if not self.fmin < fmax <= self.sample_rate / 2:
            raise ValueError(
                f"fmin={self.fmin}, fmax={self.fmax}; expected fmin < fmax <= sample_rate / 2 "
                f"= {self.sample_rate / 2:g} (Hz)"
            )
        try:
            _get_window(self.window, self.win_length, torch.device("cpu"))
        except ValueError as error:
            raise ValueError(
                f"window={self.window!r} is not supported by scipy.signal.get_window: {error}"
            ) from error

    @property
    def n_frame(self) -> int:
        """Number of samples that a frame spans."""
        return self.win_length if self.frame_length == "win_length" else self.n_fft

    @property
    def n_padded(self) -> int:
        """Number of samples that are added at each end of a clip."""
        return self.n_frame // 2 if self.center else 0

    def n_frames(self, n_samples: int) -> int:
        """Return the number of frames of a clip."""
        fitting = 1 + (n_samples + 2 * self.n_padded - self.n_frame) // self.hop_length
        return max(self.min_frames, fitting)


def needs_double(
    compression: str | None, *, power: float, offset: float | None = None, top_db: float | None = None
) -> bool:
    """Return whether the Fourier transform needs double precision with this compression.

    The rounding error of single precision is 140 dB below the loudest bins of a frame. It is visible in empty
    high frequencies, unless the compression has a floor above it. Single precision is twice as fast.
    """
    if compression == "db":
        return top_db is None or top_db * 2 / power > 100
    return compression != "log" or (offset is not None and offset < 0.01)


def frames_at_once(params: MelParams, device: torch.device) -> int:
    """Return the number of frames to transform at once on a device."""
    n_bytes = CPU_FRAME_BYTES if device.type == "cpu" else GPU_FRAME_BYTES
    return max(1, n_bytes // (params.n_fft * (8 if params.double else 4)))


class _ScratchBuffers(threading.local):
    """Buffers of a thread that are reused; allocating new memory takes longer than the arithmetic."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, torch.dtype, torch.device], torch.Tensor] = {}

    def get(self, name: str, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Return an uninitialised tensor, valid until the next call with the same name."""
        n_numbers = prod(shape)
        held = self._held.get((name, dtype, device))
        if held is None or len(held) < n_numbers:
            held = self._held[name, dtype, device] = torch.empty(n_numbers, dtype=dtype, device=device)
        return held[:n_numbers].view(*shape)


_scratch = _ScratchBuffers()


def mel_spectrograms(
    clips: Sequence[np.ndarray], params: MelParams, device: torch.device
) -> list[torch.Tensor]:
    """Compute the mel spectrogram (n_mels, n_frames) of each clip.

    Frames are processed in blocks, so that the working memory depends only on the length of the longest clip.
    """
    n_frames = [params.n_frames(len(clip)) for clip in clips]
    n_at_once = frames_at_once(params, device)
    n_rows = max(MIN_COLUMNS, min(sum(n_frames), FILTER_AT_ONCE * n_at_once))
    spectra = _scratch.get("spectra", [n_rows, 1 + params.n_fft // 2], torch.complex64, device)
    mel_shape = [-(-params.n_mels // BAND_GROUP) * BAND_GROUP, sum(n_frames) + MIN_COLUMNS]
    mel = _scratch.get("mel", mel_shape, torch.float32, device).zero_()
    n_done = n_buffered = 0
    for frames in chain.from_iterable(
        _split_into_frames(clip, params, device).split(n_at_once) for clip in clips
    ):
        if n_buffered + len(frames) > n_rows:
            _apply_filters(spectra[:n_buffered], params, out=mel[:, n_done : n_done + n_buffered])
            n_done, n_buffered = n_done + n_buffered, 0
        _compute_spectra(frames, params, out=spectra[n_buffered : n_buffered + len(frames)])
        n_buffered += len(frames)
    n_buffered = max(MIN_COLUMNS, n_buffered)  # may include rows of a previous block
    _apply_filters(spectra[:n_buffered], params, out=mel[:, n_done : n_done + n_buffered])
    spectrograms = mel[: params.n_mels, : sum(n_frames)].split(n_frames, dim=1)
    return [one.clone(memory_format=torch.contiguous_format) for one in spectrograms]


def mel_spectrogram_of_blocks(
    blocks: Iterable[np.ndarray], params: MelParams, device: torch.device
) -> torch.Tensor:
    """Compute the mel spectrogram (n_mels, n_frames) of a clip that comes in consecutive blocks.

    The result equals that of the whole clip. The working memory depends only on the length of the blocks.
    """
    unpadded = replace(params, center=False, min_frames=1)
    n_kept = params.n_padded + 1  # samples that the padding at the end may mirror
    parts: list[torch.Tensor] = []
    pending = np.empty(0, dtype=np.float32)
    is_first = True
    for block in blocks:
        pending = np.concatenate([pending, block])
        if is_first and len(pending) > 2 * params.n_frame:
            pending = _pad_one_end(pending, params, (params.n_padded, 0))
            is_first = False
        n_ready = (len(pending) - n_kept - params.n_frame) // params.hop_length + 1
        if not is_first and n_ready > 0:
            n_used = params.n_frame + (n_ready - 1) * params.hop_length
            parts += mel_spectrograms([pending[:n_used]], unpadded, device)
            pending = pending[n_ready * params.hop_length :]
    if is_first:
        return mel_spectrograms([pending], params, device)[0]
    pending = _pad_one_end(pending, params, (0, params.n_padded))
    if len(pending) >= params.n_frame:
        parts += mel_spectrograms([pending], unpadded, device)
    return torch.cat(parts, dim=1)


def _pad_one_end(samples: np.ndarray, params: MelParams, width: tuple[int, int]) -> np.ndarray:
    return np.pad(samples, width, mode=params.pad_mode) if max(width) else samples  # type: ignore[call-overload]


def _split_into_frames(clip: np.ndarray, params: MelParams, device: torch.device) -> torch.Tensor:
    """Return views (n_frames, win_length) of the samples of a clip."""
    frames = _pad_clip(clip, params, device).unfold(0, params.n_frame, params.hop_length)
    # The window is centred in the frame, and is zero outside.
    start = (params.n_frame - params.win_length) // 2
    return frames[:, start : start + params.win_length]


def _pad_clip(clip: np.ndarray, params: MelParams, device: torch.device) -> torch.Tensor:
    """Return a clip as a tensor, padded at both ends, and at its end to the minimum number of frames."""
    n_needed = params.n_frame + (params.min_frames - 1) * params.hop_length - 2 * params.n_padded
    n_missing = max(0, n_needed - len(clip))
    if params.n_padded and params.pad_mode != "constant":
        # torch's padding reflects only once, which is not enough for a clip shorter than a frame.
        clip = np.pad(np.pad(clip, (0, n_missing)), params.n_padded, mode=params.pad_mode)  # type: ignore[call-overload]
        return torch.from_numpy(clip).to(device)
    first, last = params.n_padded, params.n_padded + len(clip)
    padded = _scratch.get("padded", [last + n_missing + params.n_padded], torch.float32, device)
    padded[:first] = 0
    padded[first:last] = torch.tensor(clip) if not clip.flags.writeable else torch.from_numpy(clip)
    padded[last:] = 0
    return padded


def _compute_spectra(frames: torch.Tensor, params: MelParams, *, out: torch.Tensor) -> None:
    """Compute the spectra (n_frames, 1 + n_fft // 2) of frames (n_frames, win_length), into `out`."""
    device = frames.device
    real, complex_ = (torch.float64, torch.complex128) if params.double else (torch.float32, torch.complex64)
    window = _get_window(params.window, params.win_length, device).to(real)
    windowed = _scratch.get("windowed", [len(frames), params.n_fft], real, device)
    torch.mul(frames, window, out=windowed[:, : params.win_length])
    windowed[:, params.win_length :] = 0
    if params.double:
        out.copy_(torch.fft.rfft(windowed, out=_scratch.get("double", out.shape, complex_, device)))
    else:
        torch.fft.rfft(windowed, out=out)


def _apply_filters(spectra: torch.Tensor, params: MelParams, *, out: torch.Tensor) -> None:
    """Raise magnitudes to the power and apply the mel filter bank, into `out`."""
    if params.power == 2:
        # |z|^2 = re^2 + im^2: the matrix product computes the sum, with each bin repeated in the filters.
        magnitudes, repeats = torch.view_as_real(spectra).flatten(1).square_(), 2
    else:
        magnitudes, repeats = spectra.abs().pow_(params.power), 1
    for bands, bins, weights in _group_filters(params, repeats, out.device):
        torch.mm(weights, magnitudes[:, bins].T, out=out[bands])


@lru_cache(maxsize=32)
def _get_window(window: Any, win_length: int, device: torch.device) -> torch.Tensor:
    """Return the periodic window that librosa uses."""
    if window == "hann" and win_length > 1:
        values = 0.5 + 0.5 * np.cos(np.linspace(-np.pi, np.pi, win_length + 1)[:-1])
    else:
        from scipy.signal import get_window  # imported here, because scipy.signal takes long to load

        values = get_window(window, win_length, fftbins=True)
    return torch.as_tensor(values, dtype=torch.float64, device=device)


@lru_cache(maxsize=32)
def _group_filters(params: MelParams, repeats: int, device: torch.device) -> Bands:
    """Split the sparse filter bank into groups of bands, each with the range of bins that it covers."""
    filters = np.pad(mel_filters(params), ((0, -params.n_mels % BAND_GROUP), (0, 0)))
    groups: Bands = []
    for first in range(0, params.n_mels, BAND_GROUP):
        weights = filters[first : first + BAND_GROUP]
        covered = np.flatnonzero(weights.any(axis=0))
        if not len(covered):
            continue
        low, high = covered[0], covered[-1] + 1
        values = np.repeat(weights[:, low:high], repeats, axis=1)
        tensor = torch.as_tensor(values, dtype=torch.float32, device=device)
        groups.append((slice(first, first + BAND_GROUP), slice(repeats * low, repeats * high), tensor))
    return groups


def mel_filters(params: MelParams) -> np.ndarray:
    """Return the mel filter bank (n_mels, 1 + n_fft // 2)."""
    return triangular_filters(
        sample_rate=params.sample_rate,
        n_fft=params.n_fft,
        n_mels=params.n_mels,
        fmin=params.fmin,
        fmax=params.sample_rate / 2 if params.fmax is None else params.fmax,
        htk=params.htk,
        norm=params.norm,
        slopes=params.mel_slopes,
    )


def power_to_db(
    mel: torch.Tensor, *, ref: float | Callable[[np.ndarray], Any], amin: float, top_db: float | None
) -> torch.Tensor:
    """Compute `librosa.power_to_db` of one clip, in place."""
    ref_value = abs(ref(mel.cpu().numpy())) if callable(ref) else abs(ref)
    db = mel.clamp_(min=amin).log10_().mul_(10)
    db -= 10 * np.log10(max(amin, float(ref_value)))
    return db if top_db is None else db.clamp_(min=float(db.max()) - top_db)


# Functions that compress a mel spectrogram in place. The default offset of "log10" is from the code of the
# few-data paper, the default offset of "log" from VGGish.
COMPRESSIONS: dict[str | None, Callable[..., torch.Tensor]] = {
    "log10": lambda mel, *, offset, **_: mel.add_(EPSILON if offset is None else offset).log10_(),
    "log": lambda mel, *, offset, **_: mel.add_(0.01 if offset is None else offset).log_(),
    "log10_10000": lambda mel, **_: mel.mul_(10_000).add_(1).log10_(),
    "db": lambda mel, *, offset, **limits: power_to_db(mel, **limits),
    None: lambda mel, **_: mel,
}


@lru_cache(maxsize=32)
def _dct_matrix(n_mfcc: int, n_mels: int, lifter: float, device: torch.device) -> torch.Tensor:
    """Return the first `n_mfcc` rows of the orthonormal DCT-II, with sinusoidal liftering."""
    rows = dct(np.eye(n_mels), axis=0, norm="ortho")[:n_mfcc]
    if lifter:
        rows *= 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_mfcc + 1)[:, None] / lifter)
    return torch.as_tensor(rows, dtype=torch.float32, device=device)


def cepstra(db: torch.Tensor, *, n_mfcc: int, lifter: float) -> torch.Tensor:
    """Compute the cepstral coefficients (n_mfcc, n_frames) of a log mel spectrogram (n_mels, n_frames)."""
    return _dct_matrix(n_mfcc, len(db), lifter, db.device) @ db
