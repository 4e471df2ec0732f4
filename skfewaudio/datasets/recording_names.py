"""Source recordings of clips, inferred from the file names of known datasets."""

import re
from collections.abc import Sequence
from pathlib import Path

# Dataset -> pattern of its clips' file names without suffix. The captured group identifies the recording.
PATTERNS: dict[str, re.Pattern[str]] = {
    "ESC-50": re.compile(r"[1-5]-(\d+)-[A-Z]-\d{1,2}"),  # fold, Freesound clip, take, class
    "UrbanSound8K": re.compile(r"(\d{3,6})-\d-\d+-\d+"),  # Freesound clip, class, occurrence, slice
    "TUT 2017": re.compile(r"([ab]\d{3})_\d+_\d+"),  # recording, first and last second
}


def recordings_of_names(paths: Sequence[str]) -> list[str | None]:
    """Return the source recording of each clip, inferred from its file name.

    Parameters
    ----------
    paths : sequence of str
        Sound files. The file names of GTZAN, Extended Ballroom and AudioSet do not contain the recording.

    Returns
    -------
    list of str or None
        Dataset and recording, such as ``"ESC-50 100032"``; None if the name matches no known pattern.
    """
    return [_recording_of(Path(path).stem) for path in paths]


def _recording_of(stem: str) -> str | None:
    """Return the dataset and recording of one clip, or None."""
    for dataset, pattern in PATTERNS.items():
        if match := pattern.fullmatch(stem):
            return f"{dataset} {match[1]}"
    return None
