"""What the file names of known data sets tell about the recordings that clips were cut from."""

import re
from collections.abc import Sequence
from pathlib import Path

# Data set and the pattern of its clips' names without suffix; what is captured names the recording.
PATTERNS: dict[str, re.Pattern[str]] = {
    "ESC-50": re.compile(r"[1-5]-(\d+)-[A-Z]-\d{1,2}"),  # fold, Freesound clip, take, class
    "UrbanSound8K": re.compile(r"(\d{3,6})-\d-\d+-\d+"),  # Freesound clip, class, occurrence, slice
    "TUT 2017": re.compile(r"([ab]\d{3})_\d+_\d+"),  # recording, first and last second
}


def recordings_of_names(paths: Sequence[str]) -> list[str | None]:
    """Name the recordings of clips by their file names.

    Parameters
    ----------
    paths : sequence of str
        Sound files. GTZAN, Extended Ballroom and AudioSet name clips without telling of recordings.

    Returns
    -------
    list of str or None
        Data set and recording, ``"ESC-50 100032"``; None for a name of no known form.
    """
    return [_recording_of(Path(path).stem) for path in paths]


def _recording_of(stem: str) -> str | None:
    """Name the recording of one clip."""
    for dataset, pattern in PATTERNS.items():
        if match := pattern.fullmatch(stem):
            return f"{dataset} {match[1]}"
    return None
