"""Sound and spectrograms inside a page, as data: URIs."""

import base64
import io
import struct
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from skfewaudio.audio import load_audio
from skfewaudio.exceptions import AudioLoadError

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

SAMPLE_RATE = 22050  # Hz; one of the few that mp3 has
MAX_SECONDS = 6.0
N_MELS = 96
N_FRAMES = 300
DYNAMIC_DB = 70.0
# Dark to light with rising lightness throughout, so that it reads in grey and with any colour vision.
COLORS = ("#0a0c1c", "#33195e", "#84296f", "#cf4b52", "#f2943c", "#fbf0b0")


@dataclass(frozen=True)
class Media:
    """What a page shows of a clip; the texts are empty where there is nothing to show."""

    name: str
    audio: str = ""
    image: str = ""
    image_text: str = ""
    problem: str = ""


def clip_media(dataset: "AudioDataset | None", clip: int) -> Media:
    """Prepare a clip's sound and spectrogram; a file that cannot be read is told in `problem`."""
    name = clip_name(dataset, clip)
    if dataset is None:
        return Media(name)
    source = dataset.X[clip]
    if isinstance(source, str):
        try:
            samples = load_audio(source, sample_rate=SAMPLE_RATE)
        except AudioLoadError as error:
            return Media(name, problem=f"No sound: the file {error.reason}.")
    elif np.ndim(source) == 1:
        samples = soxr.resample(np.asarray(source, dtype=np.float32), dataset.sample_rate, SAMPLE_RATE)
    else:
        return Media(name, problem="No sound: the data set holds features.")
    samples = samples[: round(MAX_SECONDS * SAMPLE_RATE)]
    spectrogram, peak = mel_levels(samples)
    seconds = len(samples) / SAMPLE_RATE
    text = f"Mel spectrogram of {name}, {seconds:.1f} s, most energy near {peak:,.0f} Hz"
    return Media(name, encode_audio(samples), encode_image(spectrogram), text)


def clip_name(dataset: "AudioDataset | None", clip: int) -> str:
    """Name a clip by its file, or by its position."""
    source = None if dataset is None else dataset.X[clip]
    return Path(source).name if isinstance(source, str) else f"clip {clip}"


def encode_audio(samples: NDArray[np.floating]) -> str:
    """Compress sound to mp3, or to ogg where this libsndfile writes none."""
    kind, mime = ("MP3", "audio/mpeg") if "MP3" in sf.available_formats() else ("OGG", "audio/ogg")
    buffer = io.BytesIO()
    with sf.SoundFile(buffer, "w", SAMPLE_RATE, 1, format=kind) as file:
        # In blocks: libsndfile's encoder of ogg overflows its stack on long ones.
        for start in range(0, len(samples), SAMPLE_RATE):
            file.write(np.clip(samples[start : start + SAMPLE_RATE], -1, 1))
    return data_uri(mime, buffer.getvalue())


def mel_levels(samples: NDArray[np.floating]) -> tuple[NDArray[np.uint8], float]:
    """Give levels from 0 (`DYNAMIC_DB` below the peak) to 255, shape (N_MELS, n_frames), and the peak, Hz."""
    import librosa  # here: it takes seconds to load

    hop = max(64, -(-len(samples) // N_FRAMES))
    power = librosa.feature.melspectrogram(
        y=samples, sr=SAMPLE_RATE, n_fft=2048, hop_length=hop, n_mels=N_MELS, fmin=30.0
    )
    frequencies = librosa.mel_frequencies(n_mels=N_MELS + 2, fmin=30.0, fmax=SAMPLE_RATE / 2)[1:-1]
    decibels = librosa.power_to_db(power, ref=np.max, top_db=DYNAMIC_DB)
    if not power.any():
        decibels = np.full_like(power, -DYNAMIC_DB)  # silence is its own peak
    levels = np.clip(255 * (1 + decibels / DYNAMIC_DB), 0, 255).astype(np.uint8)
    return levels, float(frequencies[power.sum(axis=1).argmax()])


def encode_image(levels: NDArray[np.uint8]) -> str:
    """Write levels as a PNG with a palette, the lowest band at the bottom."""
    height, width = levels.shape
    rows = np.zeros((height, width + 1), dtype=np.uint8)  # a first byte 0 a row: no filter
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
    """Give 256 colours between `COLORS`, red, green and blue in turn."""
    stops = np.array([[int(color[k : k + 2], 16) for k in (1, 3, 5)] for color in COLORS])
    at = np.linspace(0, 255, len(stops))
    channels = [np.interp(np.arange(256), at, stops[:, k]) for k in range(3)]
    return np.stack(channels, axis=1).round().astype(np.uint8).tobytes()


def data_uri(mime: str, content: bytes) -> str:
    """Put bytes into a URI."""
    return f"data:{mime};base64,{base64.b64encode(content).decode('ascii')}"
