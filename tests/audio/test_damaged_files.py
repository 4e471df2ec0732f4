"""Two hundred damaged files: each loads as finite samples or raises an AudioLoadError."""

import numpy as np
import pytest
import soundfile as sf

from skfewaudio.audio import load_audio
from skfewaudio.exceptions import AudioLoadError

RATE = 22050
FORMATS = ("wav", "flac", "ogg", "mp3")
N_FILES = 200


def truncated(content, rng):
    return content[: rng.integers(1, len(content))]


def header_only(content, rng):
    return content[: rng.integers(1, 128)]


def random_bytes(content, rng):
    return rng.bytes(rng.integers(1, 20_000))


def flipped(content, rng):
    return _with_random_bytes(content, rng, len(content))


def flipped_in_the_header(content, rng):
    return _with_random_bytes(content, rng, 64)


def hole(content, rng):
    start = rng.integers(len(content))
    return content[:start] + content[start + rng.integers(1, 2000) :]


def empty(content, rng):
    return b""


def unharmed(content, rng):
    return content


def _with_random_bytes(content, rng, end):
    """Put random bytes at up to ten places before `end`."""
    damaged = bytearray(content)
    for position in rng.integers(0, end, rng.integers(1, 11)):
        damaged[position] = rng.integers(256)
    return bytes(damaged)


# "unharmed" files get the extension of a random format.
DAMAGES = (truncated, header_only, random_bytes, flipped, flipped_in_the_header, hole, empty, unharmed)


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    """Bytes of a sound file in each format, and of a wav file with NaN samples."""
    folder = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(0)
    samples = 0.3 * np.sin(0.1 * np.arange(RATE)) + 0.05 * rng.normal(size=RATE)
    stereo = np.stack([samples, samples[::-1]], axis=1)
    for extension in FORMATS:
        sf.write(folder / f"x.{extension}", stereo if extension == "ogg" else samples, RATE)
    samples[rng.integers(0, RATE, 5)] = np.nan
    sf.write(folder / "nan.wav", samples, RATE, subtype="FLOAT")
    return [
        (folder / name).read_bytes() for name in (*[f"x.{extension}" for extension in FORMATS], "nan.wav")
    ]


@pytest.mark.parametrize("seed", range(N_FILES))
def test_damaged_file_loads_or_is_named(contents, seed, tmp_path, capfd):
    rng = np.random.default_rng(seed)
    damage = DAMAGES[seed % len(DAMAGES)]
    path = tmp_path / f"x.{FORMATS[rng.integers(len(FORMATS))]}"
    path.write_bytes(damage(contents[rng.integers(len(contents))], rng))
    try:
        samples = load_audio(path, sample_rate=16000)
    except AudioLoadError as error:
        message = str(error)
    else:
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert len(samples) > 0
        assert np.isfinite(samples).all()
        return
    assert message.startswith(f"{path}: ")
