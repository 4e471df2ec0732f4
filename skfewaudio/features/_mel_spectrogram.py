"""Mel spectrograms, their compressions and cepstra, as functions on torch tensors."""

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from itertools import chain
from math import prod
from typing import Any, Literal

import librosa
import numpy as np
import torch
from scipy.fft import dct

# Bytes of the frames transformed at once. On a CPU the frames of a clip of some seconds, so
# that each step finds them in the cache; on a GPU enough to fill it, in some 500 MB.
CPU_FRAME_BYTES, GPU_FRAME_BYTES = 2**21, 2**27
# As many spectra at once, times this, go through the filter bank: few calls, each of them long,
# so that two threads of Python seldom wait for each other.
FILTER_AT_ONCE = 8
BAND_GROUP = 8  # neighbouring mel bands multiplied at once, over the FFT bins that they share
# Products of fewer columns, or of other heights, are rounded in another way: a clip's values would depend on
# its company in the last bit.
MIN_COLUMNS = 16

EPSILON = float(np.finfo(np.float64).eps)

Bands = list[tuple[slice, slice, torch.Tensor]]


@dataclass(frozen=True)
class MelSpec:
    """How a mel spectrogram is made, by librosa's names; hashable, so that filters can be cached."""

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
    def from_params(cls, params: Mapping[str, Any], **fixed: Any) -> "MelSpec":
        """Take what concerns the spectrogram from an estimator's parameters, and check it."""
        names = {field.name for field in fields(cls)}
        values = {name: value for name, value in params.items() if name in names} | fixed
        if values["win_length"] is None:
            values["win_length"] = values["n_fft"]
        spec = cls(**values)
        spec._check()
        return spec

    def _check(self) -> None:
        """Find values that do not go together, before the work begins."""
        if self.win_length > self.n_fft:
            raise ValueError(
                f"win_length={self.win_length} is above n_fft={self.n_fft}; expected at most that"
            )
        fmax = self.sample_rate / 2 if self.fmax is None else self.fmax
        if not self.fmin < fmax <= self.sample_rate / 2:
            raise ValueError(
                f"fmin={self.fmin}, fmax={self.fmax}; expected fmin < fmax <= sample_rate / 2 "
                f"= {self.sample_rate / 2:g} (Hz)"
            )
        try:
            _window(self.window, self.win_length, torch.device("cpu"))
        except ValueError as error:
            raise ValueError(
                f"window={self.window!r} is none that scipy.signal.get_window knows: {error}"
            ) from error

    @property
    def n_frame(self) -> int:
        """Samples that one frame takes from the clip."""
        return self.win_length if self.frame_length == "win_length" else self.n_fft

    @property
    def n_padded(self) -> int:
        """Samples added at either end of a clip."""
        return self.n_frame // 2 if self.center else 0

    def n_frames(self, n_samples: int) -> int:
        """Frames of a clip."""
        fitting = 1 + (n_samples + 2 * self.n_padded - self.n_frame) // self.hop_length
        return max(self.min_frames, fitting)


def needs_double(
    compression: str | None, *, power: float, offset: float | None = None, top_db: float | None = None
) -> bool:
    """Tell whether a compression shows what single precision gets wrong.

    Its rounding is that of the loudest bins of a frame, 140 dB below them: it is seen in the empty high end
    of a recording, unless the compression has a floor above it. Single precision is twice as fast.
    """
    if compression == "db":
        return top_db is None or top_db * 2 / power > 100
    return compression != "log" or (offset is not None and offset < 0.01)


def frames_at_once(spec: MelSpec, device: torch.device) -> int:
    """Give how many frames to work on at once on a device."""
    n_bytes = CPU_FRAME_BYTES if device.type == "cpu" else GPU_FRAME_BYTES
    return max(1, n_bytes // (spec.n_fft * (8 if spec.double else 4)))


class _Scratch(threading.local):
    """Working memory of a thread, kept from clip to clip: fresh pages cost more than the arithmetic."""

    def __init__(self) -> None:
        self._held: dict[tuple[str, torch.dtype, torch.device], torch.Tensor] = {}

    def take(self, name: str, shape: Sequence[int], dtype: torch.dtype, device: torch.device) -> torch.Tensor:
        """Give a tensor with whatever is in it, valid until the name is asked for again."""
        n_numbers = prod(shape)
        held = self._held.get((name, dtype, device))
        if held is None or len(held) < n_numbers:
            held = self._held[name, dtype, device] = torch.empty(n_numbers, dtype=dtype, device=device)
        return held[:n_numbers].view(*shape)


_scratch = _Scratch()


def mel_spectrograms(clips: Sequence[np.ndarray], spec: MelSpec, device: torch.device) -> list[torch.Tensor]:
    """Give the mel spectrogram (n_mels, n_frames) of each clip.

    Frames are taken some at a time, so that the memory needed beside the result is bounded by the longest
    clip's length alone.
    """
    n_frames = [spec.n_frames(len(clip)) for clip in clips]
    n_at_once = frames_at_once(spec, device)
    n_rows = max(MIN_COLUMNS, min(sum(n_frames), FILTER_AT_ONCE * n_at_once))
    spectra = _scratch.take("spectra", [n_rows, 1 + spec.n_fft // 2], torch.complex64, device)
    mel_shape = [-(-spec.n_mels // BAND_GROUP) * BAND_GROUP, sum(n_frames) + MIN_COLUMNS]
    mel = _scratch.take("mel", mel_shape, torch.float32, device).zero_()
    n_done = n_held = 0
    for frames in chain.from_iterable(_frames(clip, spec, device).split(n_at_once) for clip in clips):
        if n_held + len(frames) > n_rows:
            _project(spectra[:n_held], spec, out=mel[:, n_done : n_done + n_held])
            n_done, n_held = n_done + n_held, 0
        _transform(frames, spec, out=spectra[n_held : n_held + len(frames)])
        n_held += len(frames)
    n_held = max(MIN_COLUMNS, n_held)  # if need be with rows left over from before
    _project(spectra[:n_held], spec, out=mel[:, n_done : n_done + n_held])
    spectrograms = mel[: spec.n_mels, : sum(n_frames)].split(n_frames, dim=1)
    return [one.clone(memory_format=torch.contiguous_format) for one in spectrograms]


def _frames(clip: np.ndarray, spec: MelSpec, device: torch.device) -> torch.Tensor:
    """Give views (n_frames, win_length) of a clip's samples."""
    frames = _padded(clip, spec, device).unfold(0, spec.n_frame, spec.hop_length)
    # The window stands in the middle of the frame; beside it the frame counts for nothing.
    start = (spec.n_frame - spec.win_length) // 2
    return frames[:, start : start + spec.win_length]


def _padded(clip: np.ndarray, spec: MelSpec, device: torch.device) -> torch.Tensor:
    """Give a clip as a tensor, padded at both ends as asked and at its end to the fewest frames."""
    n_needed = spec.n_frame + (spec.min_frames - 1) * spec.hop_length - 2 * spec.n_padded
    n_missing = max(0, n_needed - len(clip))
    if spec.n_padded and spec.pad_mode != "constant":
        # NumPy's padding: torch's reflects no more than once, which a clip shorter than a frame needs.
        clip = np.pad(np.pad(clip, (0, n_missing)), spec.n_padded, mode=spec.pad_mode)  # type: ignore[call-overload]
        return torch.from_numpy(clip).to(device)
    first, last = spec.n_padded, spec.n_padded + len(clip)
    padded = _scratch.take("padded", [last + n_missing + spec.n_padded], torch.float32, device)
    padded[:first] = 0
    padded[first:last] = torch.tensor(clip) if not clip.flags.writeable else torch.from_numpy(clip)
    padded[last:] = 0
    return padded


def _transform(frames: torch.Tensor, spec: MelSpec, *, out: torch.Tensor) -> None:
    """Write the spectra (n_frames, 1 + n_fft // 2) of frames (n_frames, win_length) into `out`."""
    device = frames.device
    real, complex_ = (torch.float64, torch.complex128) if spec.double else (torch.float32, torch.complex64)
    window = _window(spec.window, spec.win_length, device).to(real)
    windowed = _scratch.take("windowed", [len(frames), spec.n_fft], real, device)
    torch.mul(frames, window, out=windowed[:, : spec.win_length])
    windowed[:, spec.win_length :] = 0
    if spec.double:
        out.copy_(torch.fft.rfft(windowed, out=_scratch.take("double", out.shape, complex_, device)))
    else:
        torch.fft.rfft(windowed, out=out)


def _project(spectra: torch.Tensor, spec: MelSpec, *, out: torch.Tensor) -> None:
    """Raise the magnitudes to the power and sum them over the mel bands, into `out`."""
    if spec.power == 2:
        # |z|^2 = re^2 + im^2: the sum is left to the matrix product, whose filters repeat each bin.
        magnitudes, repeats = torch.view_as_real(spectra).flatten(1).square_(), 2
    else:
        magnitudes, repeats = spectra.abs().pow_(spec.power), 1
    for bands, bins, weights in _banded_filters(spec, repeats, out.device):
        torch.mm(weights, magnitudes[:, bins].T, out=out[bands])


@lru_cache(maxsize=32)
def _window(window: Any, win_length: int, device: torch.device) -> torch.Tensor:
    """Give librosa's (periodic) window."""
    values = librosa.filters.get_window(window, win_length, fftbins=True)
    return torch.as_tensor(values, dtype=torch.float64, device=device)


@lru_cache(maxsize=32)
def _banded_filters(spec: MelSpec, repeats: int, device: torch.device) -> Bands:
    """Cut the filter bank, which is nearly all zeros, into groups of bands over the bins they cover."""
    filters = np.pad(mel_filters(spec), ((0, -spec.n_mels % BAND_GROUP), (0, 0)))
    groups: Bands = []
    for first in range(0, spec.n_mels, BAND_GROUP):
        weights = filters[first : first + BAND_GROUP]
        covered = np.flatnonzero(weights.any(axis=0))
        if not len(covered):
            continue
        low, high = covered[0], covered[-1] + 1
        values = np.repeat(weights[:, low:high], repeats, axis=1)
        tensor = torch.as_tensor(values, dtype=torch.float32, device=device)
        groups.append((slice(first, first + BAND_GROUP), slice(repeats * low, repeats * high), tensor))
    return groups


def mel_filters(spec: MelSpec) -> np.ndarray:
    """Give the mel filter bank (n_mels, 1 + n_fft // 2)."""
    if spec.mel_slopes == "mel":
        return _filters_sloping_in_mel(spec)
    return librosa.filters.mel(
        sr=spec.sample_rate,
        n_fft=spec.n_fft,
        n_mels=spec.n_mels,
        fmin=spec.fmin,
        fmax=spec.fmax,
        htk=spec.htk,
        norm=spec.norm,
    )


def _filters_sloping_in_mel(spec: MelSpec) -> np.ndarray:
    """Give triangles whose sides are straight on the mel axis rather than in Hz."""
    fmax = spec.sample_rate / 2 if spec.fmax is None else spec.fmax
    lowest, highest = librosa.hz_to_mel(np.array([spec.fmin, fmax]), htk=spec.htk)
    edges = np.linspace(lowest, highest, spec.n_mels + 2)[:, None]
    bins = librosa.hz_to_mel(np.fft.rfftfreq(spec.n_fft, 1 / spec.sample_rate), htk=spec.htk)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    filters = np.maximum(0, np.minimum(rising, falling))
    if spec.norm == "slaney":
        hertz = librosa.mel_to_hz(edges, htk=spec.htk)
        return filters * 2 / (hertz[2:] - hertz[:-2])
    return filters if spec.norm is None else librosa.util.normalize(filters, norm=spec.norm, axis=-1)


def power_to_db(
    mel: torch.Tensor, *, ref: float | Callable[[np.ndarray], Any], amin: float, top_db: float | None
) -> torch.Tensor:
    """Give `librosa.power_to_db` of one clip."""
    ref_value = abs(ref(mel.cpu().numpy())) if callable(ref) else abs(ref)
    db = mel.clamp_(min=amin).log10_().mul_(10)
    db -= 10 * np.log10(max(amin, float(ref_value)))
    return db if top_db is None else db.clamp_(min=float(db.max()) - top_db)


# From a mel spectrogram, which is overwritten, to a compressed one. The default offset of "log10"
# is the few-data paper's code's, that of "log" VGGish's.
COMPRESSIONS: dict[str | None, Callable[..., torch.Tensor]] = {
    "log10": lambda mel, *, offset, **_: mel.add_(EPSILON if offset is None else offset).log10_(),
    "log": lambda mel, *, offset, **_: mel.add_(0.01 if offset is None else offset).log_(),
    "log10_10000": lambda mel, **_: mel.mul_(10_000).add_(1).log10_(),
    "db": lambda mel, *, offset, **limits: power_to_db(mel, **limits),
    None: lambda mel, **_: mel,
}


@lru_cache(maxsize=32)
def _cosines(n_mfcc: int, n_mels: int, lifter: float, device: torch.device) -> torch.Tensor:
    """Give the rows of the orthonormal DCT-II that make cepstra, sine-liftered."""
    rows = dct(np.eye(n_mels), axis=0, norm="ortho")[:n_mfcc]
    if lifter:
        rows *= 1 + lifter / 2 * np.sin(np.pi * np.arange(1, n_mfcc + 1)[:, None] / lifter)
    return torch.as_tensor(rows, dtype=torch.float32, device=device)


def cepstra(db: torch.Tensor, *, n_mfcc: int, lifter: float) -> torch.Tensor:
    """Give the cepstral coefficients (n_mfcc, n_frames) of a log mel spectrogram (n_mels, n_frames)."""
    return _cosines(n_mfcc, len(db), lifter, db.device) @ db
