"""Clips of a collection, the folder that they are written to, and checks of what their sources need."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import soundfile
from numpy.typing import NDArray


class Clip(NamedTuple):
    """A sound of one channel, its label and fold, and a name that differs from the others of this label."""

    sound: NDArray[np.float32]
    rate: int
    label: str
    fold: int
    name: str


def write_clips(clips: Iterable[Clip], folder: Path) -> pd.DataFrame:
    """Write the WAV files of a collection and its table clips.csv, and return the table."""
    if folder.exists():
        raise FileExistsError(f"{folder} exists; remove it, or choose another output folder")
    rows = []
    paths: dict[bytes, Path] = {}
    for clip in clips:
        path = Path(clip.label) / f"{clip.fold}-{clip.name}.wav"
        if (folder / path).exists():
            raise ValueError(f"two clips are named {path}; expected a different name for each")
        if not np.abs(clip.sound).max(initial=0) > 0:
            raise ValueError(f"the clip {path} is silent")
        same = paths.setdefault(clip.sound.tobytes(), path)
        if same != path:
            raise ValueError(f"the clips {same} and {path} have the same sound; expected different ones")
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(folder / path, clip.sound, clip.rate, "PCM_16")
        rows.append((path.as_posix(), clip.label, clip.fold))
    table = pd.DataFrame(rows, columns=["path", "label", "fold"])
    table.to_csv(folder / "clips.csv", index=False)
    return table


def read_mono(file: Path | BinaryIO) -> tuple[NDArray[np.float32], int]:
    """Read a sound file as the mean of its channels, at its own sample rate."""
    sound, rate = soundfile.read(file, dtype="float32", always_2d=True)
    return sound.mean(axis=1), rate


def require_program(name: str, package: str) -> None:
    """Raise FileNotFoundError with the Debian package of a program that is not installed."""
    if shutil.which(name) is None:
        raise FileNotFoundError(f"the program {name} was not found; on Debian: apt-get install {package}")


def require_path(path: Path, package: str) -> Path:
    """Return a path, or raise FileNotFoundError with its Debian package if it does not exist."""
    if not path.exists():
        raise FileNotFoundError(f"{path} was not found; on Debian: apt-get install {package}")
    return path
