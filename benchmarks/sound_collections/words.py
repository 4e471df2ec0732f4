"""Ten words spoken by eSpeak NG, with other voices or the same voices in each fold."""

import io
import subprocess
from collections.abc import Iterator, Sequence

import numpy as np
from clips import Clip, read_mono, require_program
from numpy.typing import NDArray

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
Manner = tuple[int, int, int]  # words per minute, pitch (0 to 99), amplitude (0 to 200)

# Each fold has an accent and six timbres to itself, and two manners per voice. British English is en, because
# eSpeak NG ignores the timbre after en-gb.
OTHER_VOICES = {
    1: ("en-us", ("m1", "f1", "adam", "Andrea", "klatt", "grandpa")),
    2: ("en", ("m2", "f2", "Denis", "linda", "klatt2", "croak")),
    3: ("en-gb-scotland", ("m3", "f3", "max", "steph", "klatt3", "grandma")),
    4: ("en-029", ("m4", "f4", "pablo", "anika", "klatt4", "whisper")),
}
OTHER_MANNERS: dict[int, tuple[Manner, ...]] = {
    1: ((130, 40, 100), (190, 60, 100)),
    2: ((115, 55, 100), (210, 35, 100)),
    3: ((150, 30, 100), (230, 50, 100)),
    4: ((140, 65, 100), (170, 45, 100)),
}
SAME_VOICES = ("en-us+m3", "en-us+f5", "en+m7", "en+f2", "en-gb-scotland+klatt", "en-029+f4")
SAME_MANNERS: dict[int, tuple[Manner, ...]] = {
    1: ((110, 35, 60), (130, 45, 80)),
    2: ((155, 50, 100), (170, 40, 120)),
    3: ((200, 55, 80), (225, 65, 60)),
    4: ((120, 70, 120), (180, 25, 100)),
}


def make_words_other_voices() -> Iterator[Clip]:
    """Speak 480 words; each fold has an accent and voices of its own."""
    for fold, (accent, timbres) in OTHER_VOICES.items():
        voices = [f"{accent}+{timbre}" for timbre in timbres]
        yield from _speak_words(voices, OTHER_MANNERS[fold], fold)


def make_words_same_voices() -> Iterator[Clip]:
    """Speak 480 words by the same six voices; each fold has other speeds, pitches and amplitudes."""
    for fold, manners in SAME_MANNERS.items():
        yield from _speak_words(SAME_VOICES, manners, fold)


def _speak_words(voices: Sequence[str], manners: Sequence[Manner], fold: int) -> Iterator[Clip]:
    require_program("espeak-ng", "espeak-ng")
    for voice in voices:
        for manner in manners:
            for word in WORDS:
                name = "-".join([voice.replace("+", "-"), *map(str, manner)])
                yield Clip(*_speak(word, voice, manner), word, fold, name)


def _speak(word: str, voice: str, manner: Manner) -> tuple[NDArray[np.float32], int]:
    speed, pitch, amplitude = map(str, manner)
    options = ["-v", voice, "-s", speed, "-p", pitch, "-a", amplitude, "--stdout", word]
    found = subprocess.run(["espeak-ng", *options], check=True, capture_output=True)
    return read_mono(io.BytesIO(found.stdout))
