"""Words spoken by the speech synthesiser eSpeak NG, with different speakers in every fold."""

import io
import shutil
import subprocess

import numpy as np
import soundfile
from numpy.typing import NDArray

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
# Accent and timbre of each fold's speakers. Folds share neither accents nor timbres.
SPEAKERS = (
    ("en-us+m1", "en-us+f1", "en-us+m5", "en-us+f5"),
    ("en+m2", "en+f2", "en+m6", "en+croak"),
    ("en-gb-scotland+m3", "en-gb-scotland+f3", "en-gb-scotland+m7", "en-gb-scotland+whisper"),
    ("en-029+m4", "en-029+f4", "en-029+m8", "en-029+klatt"),
)
SPEEDS_AND_PITCHES = ((120, 35), (170, 50), (220, 65))  # words per minute and pitch


def make_spoken_words(
    sample_rate: int = 22050,
) -> tuple[list[NDArray[np.float32]], NDArray[np.str_], NDArray[np.int64]]:
    """Make 480 clips: ten words by four speakers in three manners for each of four folds.

    Parameters
    ----------
    sample_rate : int, default=22050
        Sample rate of the clips, in Hz. It must be the synthesiser's own.

    Returns
    -------
    X : list of ndarray of shape (n_samples,), float32
        The clips, about half a second each.
    y : ndarray of str, shape (n_clips,)
        The word of each clip.
    folds : ndarray of int, shape (n_clips,)
        Fold of each clip, 1 to 4.

    Raises
    ------
    FileNotFoundError
        If `espeak-ng` is not installed.
    ValueError
        If `sample_rate` is not the synthesiser's.
    """
    if shutil.which("espeak-ng") is None:
        raise FileNotFoundError("the program espeak-ng was not found; on Debian: apt-get install espeak-ng")
    rows = [
        (_speak(word, voice, speed, pitch, sample_rate), word, fold)
        for fold, voices in enumerate(SPEAKERS, start=1)
        for voice in voices
        for speed, pitch in SPEEDS_AND_PITCHES
        for word in WORDS
    ]
    X, y, folds = zip(*rows, strict=True)
    return list(X), np.array(y), np.array(folds)


def _speak(word: str, voice: str, speed: int, pitch: int, sample_rate: int) -> NDArray[np.float32]:
    command = ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "--stdout", word]
    sound = subprocess.run(command, check=True, capture_output=True).stdout
    clip, rate = soundfile.read(io.BytesIO(sound), dtype="float32")
    if rate != sample_rate:
        raise ValueError(f"espeak-ng speaks at {rate} Hz; expected {sample_rate}")
    return clip
