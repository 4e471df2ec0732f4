"""The sample rate of recordings, and frames of one duration at any rate."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from skfewaudio.audio import audio_info
from skfewaudio.audio.clips import as_file_part, as_sound, is_file_part, is_path, is_sound
from skfewaudio.exceptions import AudioLoadError

REFERENCE_RATE = 44100  # Hz; rate to which lengths of frames refer, and that of arrays without a rate


def find_native_rate(clips: Sequence[Any]) -> int:
    """Return the most frequent sample rate of clips in Hz, and of equally frequent ones the highest.

    Files are opened, but not decoded. Files that cannot be read do not count. Arrays without a rate are taken
    to have 44,100 Hz, as is an empty sequence.
    """
    rates = Counter(rate for clip in clips if (rate := _rate_of(clip)) is not None)
    return max(rates, key=lambda rate: (rates[rate], rate), default=REFERENCE_RATE)


def scale_frames(n_fft: int, hop_length: int, sample_rate: int) -> tuple[int, int]:
    """Return `n_fft` and `hop_length` with the durations that they have at 44,100 Hz.

    `n_fft` is rounded up to a power of two.
    """
    hop = max(1, round(hop_length * sample_rate / REFERENCE_RATE))
    n_samples = max(1, round(n_fft * sample_rate / REFERENCE_RATE))
    return 2 ** (n_samples - 1).bit_length(), hop


def _rate_of(clip: Any) -> int | None:
    if is_sound(clip):
        return as_sound(clip).sample_rate
    if not (is_path(clip) or is_file_part(clip)):
        return None
    try:
        return audio_info(as_file_part(clip).path).sample_rate
    except AudioLoadError:
        return None
