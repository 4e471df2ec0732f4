"""Damaged sound files: each loads as finite samples or raises an AudioLoadError that names it."""

import io

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skfewaudio.audio import load_audio
from skfewaudio.exceptions import AudioLoadError

# Damage can invert a channel, which is warned of.
pytestmark = pytest.mark.filterwarnings("ignore::skfewaudio.exceptions.AudioLoadWarning")

RATE = 8000
FORMATS = {
    "wav": ("WAV", "PCM_16"),
    "float_wav": ("WAV", "FLOAT"),
    "adpcm_wav": ("WAV", "MS_ADPCM"),
    "flac": ("FLAC", "PCM_16"),
    "ogg": ("OGG", "VORBIS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
# Wrong values for header fields such as the length of a chunk, the number of channels and the sample rate.
NUMBERS = [value.to_bytes(size, "little") for value in (0, 1, 0x7F, 0xFF) for size in (1, 2, 4)]
NUMBERS += [b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\xff" * 8, b"RIFF", b"data", b"fmt "]
EDITS = st.lists(
    st.tuples(
        st.sampled_from(["overwrite", "insert", "remove"]),
        st.booleans(),  # in the header
        st.integers(0, 2**16),
        st.sampled_from(NUMBERS) | st.binary(min_size=1, max_size=8),
    ),
    min_size=1,
    max_size=5,
)


def make_sound(format, subtype):
    """Return the bytes of a file with a quarter of a second of two-channel noise."""
    samples = 0.1 * np.random.default_rng(0).normal(size=(RATE // 4, 2))
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, RATE, format=format, subtype=subtype)
    return buffer.getvalue()


def damage(content, edits):
    """Edit bytes among the first hundred, or anywhere."""
    for kind, in_header, position, value in edits:
        start = position % (min(100, len(content)) + 1 if in_header else len(content) + 1)
        n_removed = {"overwrite": len(value), "insert": 0, "remove": position // 100 + 1}[kind]
        content = content[:start] + (b"" if kind == "remove" else value) + content[start + n_removed :]
    return content


@pytest.fixture(params=FORMATS)
def sound(request):
    return make_sound(*FORMATS[request.param])


def fuzz(sound, path, n_examples):
    @settings(
        max_examples=n_examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(EDITS)
    def load_damaged(edits):
        path.write_bytes(damage(sound, edits))
        try:
            samples = load_audio(path, sample_rate=4000)
        except AudioLoadError as error:
            if error.path != str(path):
                raise
            return
        assert samples.dtype == np.float32
        assert samples.ndim == 1
        assert len(samples) > 0
        assert np.isfinite(samples).all()

    load_damaged()


def test_undamaged_sound_is_loaded_whole(sound, tmp_path):
    (tmp_path / "x").write_bytes(sound)
    assert len(load_audio(tmp_path / "x", sample_rate=4000)) >= 1000


def test_damaged_file_loads_or_is_named(sound, tmp_path):
    fuzz(sound, tmp_path / "x.wav", 50)


@pytest.mark.slow
def test_hundreds_of_damaged_files_load_or_are_named(sound, tmp_path):
    fuzz(sound, tmp_path / "x.wav", 200)


@pytest.mark.long
def test_ten_thousand_damaged_files_load_or_are_named(sound, tmp_path):
    fuzz(sound, tmp_path / "x.wav", 10_000)
