"""Notes of General MIDI instruments of the soundfont FluidR3, rendered by FluidSynth."""

import struct
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from clips import Clip, read_mono, require_path, require_program

SOUNDFONT = Path("/usr/share/sounds/sf2/FluidR3_GM.sf2")
PROGRAMS = {  # numbers of General MIDI, from zero
    "piano": 0,
    "vibraphone": 11,
    "church organ": 19,
    "accordion": 21,
    "nylon guitar": 24,
    "violin": 40,
    "harp": 46,
    "trumpet": 56,
    "alto sax": 65,
    "oboe": 68,
    "clarinet": 71,
    "flute": 73,
}
LOWEST_KEYS = {1: 48, 2: 57, 3: 66, 4: 75}  # of the folds, with nine semitones each; 60 is middle C
N_KEYS = 9
VELOCITIES = (60, 115)
RATE = 22050
SECONDS = 2.0  # of a clip
HELD = 1.5  # seconds until the key is released
SPACING = 4.0  # seconds between notes, so that the last note has ended
TICKS_PER_SECOND = 1000


def make_instruments() -> Iterator[Clip]:
    """Render 432 notes of twelve instruments; each fold has another range of pitch."""
    require_program("fluidsynth", "fluidsynth")
    require_path(SOUNDFONT, "fluid-soundfont-gm")
    rng = np.random.default_rng(0)
    notes = [
        (label, fold, lowest + step, int(rng.integers(*VELOCITIES, endpoint=True)))
        for label in PROGRAMS
        for fold, lowest in LOWEST_KEYS.items()
        for step in range(N_KEYS)
    ]
    with tempfile.TemporaryDirectory() as folder:
        midi, wav = Path(folder) / "notes.mid", Path(folder) / "notes.wav"
        midi.write_bytes(make_midi([(PROGRAMS[label], key, velocity) for label, _, key, velocity in notes]))
        options = ["-n", "-i", "-q", "-R", "0", "-C", "0", "-g", "1", "-r", str(RATE), "-F", str(wav)]
        subprocess.run(["fluidsynth", *options, SOUNDFONT, midi], check=True, capture_output=True)
        sound, rate = read_mono(wav)
    for n, (label, fold, key, velocity) in enumerate(notes):
        start = round(n * SPACING * rate)
        clip = sound[start : start + round(SECONDS * rate)]
        yield Clip(clip, rate, label, fold, f"key-{key}-velocity-{velocity}")


def make_midi(notes: list[tuple[int, int, int]]) -> bytes:
    """Return a MIDI file that plays notes (program, key, velocity) one after another on one channel."""
    held, rest = (round(seconds * TICKS_PER_SECOND) for seconds in (HELD, SPACING - HELD))
    # A quarter note of one second, so that ticks per quarter note are ticks per second.
    track = b"\x00\xff\x51\x03" + struct.pack(">I", 1_000_000)[1:]
    for n, (program, key, velocity) in enumerate(notes):
        track += encode_time(rest if n else 0) + bytes([0xC0, program])
        track += b"\x00" + bytes([0x90, key, velocity])
        track += encode_time(held) + bytes([0x80, key, 0])
    track += encode_time(rest) + b"\xff\x2f\x00"
    header = b"MThd" + struct.pack(">IHHH", 6, 0, 1, TICKS_PER_SECOND)
    return header + b"MTrk" + struct.pack(">I", len(track)) + track


def encode_time(ticks: int) -> bytes:
    """Encode a time as MIDI does: seven bits per byte, the high bit set in all bytes but the last."""
    encoded = [ticks & 0x7F]
    while ticks := ticks >> 7:
        encoded.insert(0, ticks & 0x7F | 0x80)
    return bytes(encoded)
