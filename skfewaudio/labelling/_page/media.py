"""Sound and spectrogram of a clip for the page."""

import io
import struct
from typing import Any

import numpy as np
import soundfile

from skfewaudio.audio import audio_info, load_audio
from skfewaudio.audio.clips import as_file_part, as_sound, is_sound
from skfewaudio.features import LogMel

MAX_SECONDS = 60.0
MAX_RATE = 96000  # Hz; higher rates are resampled, because browsers do not play them
RESAMPLED_RATE = 48000
N_MELS = 96
MAX_FRAMES = 1200
DYNAMIC_DB = 70.0


def load_clip(clip: Any) -> tuple[np.ndarray, int]:
    """Load the beginning of a clip, of one minute at most.

    Parameters
    ----------
    clip : str or tuple
        A file, or a part of it.

    Returns
    -------
    samples : ndarray of shape (n_samples,)
        The samples.
    sample_rate : int
        In Hz.

    Raises
    ------
    AudioLoadError
        If the file cannot be read.
    """
    if is_sound(clip):
        sound = as_sound(clip)
        return sound.samples[: round(MAX_SECONDS * sound.sample_rate)], sound.sample_rate
    part = as_file_part(clip)
    info = audio_info(part.path)
    rate = info.sample_rate if info.sample_rate <= MAX_RATE else RESAMPLED_RATE
    end = info.duration if part.end is None else part.end
    duration = MAX_SECONDS if end is not None and end - part.start > MAX_SECONDS else None
    return load_audio(clip, sample_rate=rate, duration=duration)[: round(MAX_SECONDS * rate)], rate


def encode_wav(samples: np.ndarray, sample_rate: int) -> bytes:
    """Encode samples as a WAV file with 16 bits per sample."""
    buffer = io.BytesIO()
    soundfile.write(buffer, np.clip(samples, -1, 1), sample_rate, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def encode_spectrogram(samples: np.ndarray, sample_rate: int) -> bytes:
    """Compute the mel spectrogram of a clip as bytes that the script draws.

    Parameters
    ----------
    samples : ndarray of shape (n_samples,)
        The samples.
    sample_rate : int
        In Hz.

    Returns
    -------
    bytes
        Numbers of bands and frames and the highest frequency in Hz, each in four bytes, little-endian; then a
        byte per value, band by band from the lowest, from 0 (70 dB below the peak) to 255.
    """
    n_fft = 2 ** max(6, round(np.log2(0.046 * sample_rate)))
    hop = max(n_fft // 8, -(-len(samples) // MAX_FRAMES))
    logmel = LogMel(
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop_length=hop,
        n_mels=N_MELS,
        top_db=DYNAMIC_DB,
        n_threads=1,
        device="cpu",
    )
    decibels = logmel.transform([(samples, sample_rate)])[0]
    levels = np.clip(255 * (1 + (decibels - decibels.max()) / DYNAMIC_DB), 0, 255).astype(np.uint8)
    if not samples.any():
        levels[:] = 0
    return struct.pack("<3I", *levels.shape, sample_rate // 2) + levels.tobytes()
