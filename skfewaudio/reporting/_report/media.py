"""Audio and spectrogram images of clips as data URIs."""

import base64
import io
import struct
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from skfewaudio.audio import load_audio
from skfewaudio.audio.clips import as_file_part, is_file_part
from skfewaudio.exceptions import AudioLoadError

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

SAMPLE_RATE = 22050  # Hz; one of the few sample rates of mp3
MAX_SECONDS = 6.0
N_MELS = 96
MAX_FRAMES = 300
DYNAMIC_DB = 70.0
N_LEVELS = 32  # of grey; with 256, an image is twice as large and looks the same
# Share from the best quality (0) to the smallest file (1). Clips of 6 s take about 22 kB.
COMPRESSION = {"compression_level": 0.7, "bitrate_mode": "VARIABLE"}
# Lightness increases monotonically, so that the image is readable in grey and with any colour vision.
COLOR_STOPS = ("#0a0c1c", "#33195e", "#84296f", "#cf4b52", "#f2943c", "#fbf0b0")


class Media(NamedTuple):
    """Name, audio and image of a clip; fields are empty if not available."""

    name: str
    audio: str = ""
    image: str = ""
    image_text: str = ""
    problem: str = ""


def clip_media(dataset: "AudioDataset | None", clip: int) -> Media:
    """Encode the audio and spectrogram of a clip; `problem` states why there is no audio."""
    name = clip_name(dataset, clip)
    if dataset is None:
        return Media(name)
    source = dataset.X[clip]
    if isinstance(source, str) or is_file_part(source):
        return file_media(name, source)
    if np.ndim(source) != 1:
        return Media(name, problem="No sound: the dataset contains features.")
    samples = soxr.resample(np.asarray(source, dtype=np.float32), dataset.sample_rate, SAMPLE_RATE)
    return _encode(name, samples)


def file_media(name: str, source: str | tuple[str, float, float | None]) -> Media:
    """Encode the audio and spectrogram of a file or a part of it."""
    try:
        samples = load_audio(source, sample_rate=SAMPLE_RATE)
    except AudioLoadError as error:
        return Media(name, problem=f"No sound: the file {error.reason}.")
    return _encode(name, samples)


def _encode(name: str, samples: NDArray[np.floating]) -> Media:
    """Encode the first seconds of a sound, and its spectrogram."""
    samples = samples[: round(MAX_SECONDS * SAMPLE_RATE)]
    spectrogram, peak = mel_spectrogram_levels(samples)
    seconds = len(samples) / SAMPLE_RATE
    text = f"Mel spectrogram of {name}, {seconds:.1f} s, most energy near {peak:,.0f} Hz"
    return Media(name, encode_audio(samples), encode_image(spectrogram), text)


def clip_name(dataset: "AudioDataset | None", clip: int) -> str:
    """Return the file name of a clip, with its times if it is a part, or a name with its index."""
    source = None if dataset is None else dataset.X[clip]
    if is_file_part(source):
        return part_name(*as_file_part(source))
    return Path(source).name if isinstance(source, str) else f"clip {clip}"


def part_name(path: str, start: float, end: float | None) -> str:
    """Return the name of a file with the times of a part."""
    return f"{Path(path).name}, {start:.2f} s to {'the end' if end is None else f'{end:.2f} s'}"


def encode_audio(samples: NDArray[np.floating]) -> str:
    """Encode audio as mp3, or as ogg if libsndfile does not support mp3."""
    kind, mime = ("MP3", "audio/mpeg") if "MP3" in sf.available_formats() else ("OGG", "audio/ogg")
    options = COMPRESSION if kind == "MP3" else {}
    buffer = io.BytesIO()
    with sf.SoundFile(buffer, "w", SAMPLE_RATE, 1, format=kind, **options) as file:
        # Written in blocks, because libsndfile's ogg encoder overflows its stack on long arrays.
        for start in range(0, len(samples), SAMPLE_RATE):
            file.write(np.clip(samples[start : start + SAMPLE_RATE], -1, 1))
    return data_uri(mime, buffer.getvalue())


def mel_spectrogram_levels(samples: NDArray[np.floating]) -> tuple[NDArray[np.uint8], float]:
    """Compute mel levels from 0 (`DYNAMIC_DB` below the peak) to 255, and the strongest frequency in Hz."""
    import librosa  # imported here because it takes seconds to load

    hop = max(64, -(-len(samples) // MAX_FRAMES))
    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=2048, hop_length=hop, n_mels=N_MELS, fmin=30.0
    )
    frequencies = librosa.mel_frequencies(n_mels=N_MELS + 2, fmin=30.0, fmax=SAMPLE_RATE / 2)[1:-1]
    decibels = librosa.power_to_db(power, ref=np.max, top_db=DYNAMIC_DB)
    if not power.any():
        decibels = np.full_like(power, -DYNAMIC_DB)  # librosa returns 0 dB for silence
    levels = np.round(np.clip(1 + decibels / DYNAMIC_DB, 0, 1) * (N_LEVELS - 1)) * (255 / (N_LEVELS - 1))
    return levels.astype(np.uint8), float(frequencies[power.sum(axis=1).argmax()])


def encode_image(levels: NDArray[np.uint8]) -> str:
    """Encode levels as a PNG image with a palette, with the lowest band at the bottom."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # the first byte 0 of each row means no filter
    rows[:, 1:] = levels[::-1]
    header = struct.pack(">2I5B", width, height, 8, 3, 0, 0, 0)  # 8 bits, palette
    chunks = [
        (b"IHDR", header),
        (b"PLTE", palette()),
        (b"IDAT", zlib.compress(rows.tobytes(), 9)),
        (b"IEND", b""),
    ]
    packed = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    ]
    return data_uri("image/png", b"\x89PNG\r\n\x1a\n" + b"".join(packed))


@cache
def palette() -> bytes:
    """Interpolate 256 RGB colours between `COLOR_STOPS`."""
    stops = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in COLOR_STOPS])
    at = np.linspace(0, 255, len(stops))
    channels = [np.interp(np.arange(256), at, stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8).tobytes()


def data_uri(mime: str, content: bytes) -> str:
    """Encode bytes as a data URI."""
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
