"""Source recordings of clips, inferred from file names and from the metadata that recorders write."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ._guano import read_guano
from ._home import printable

# Dataset -> pattern of its clips' file names without suffix. The captured group identifies the recording.
PATTERNS: dict[str, re.Pattern[str]] = {
    "ESC-50": re.compile(r"[1-5]-(\d+)-[A-Z]-\d{1,2}"),  # fold, Freesound clip, take, class
    "UrbanSound8K": re.compile(r"(\d{3,6})-\d-\d+-\d+"),  # Freesound clip, class, occurrence, slice
    "TUT 2017": re.compile(r"([ab]\d{3})_\d+_\d+"),  # recording, first and last second
}
# The start of a recording, to the second, after the name of the recorder or site, if any. Whatever follows is
# a remark or a part of the recording: fractions of a second, time zone, place, position of a clip.
#   20230514_043000, SITE-3_20230514T043000   AudioMoth
#   SMU01234_20230514_043000                  Song Meter (Wildlife Acoustics), or 20230514$043000
#   20230514T043000+1000_REC                  BAR (Frontier Labs); some write "202305 4" for 20230504
_START = re.compile(
    r"(?<!\d)(?P<date>(?:19|20)\d\d(?P<dash>[-_.]?)(?:0[1-9]|1[0-2])(?P=dash)(?:[ 0][1-9]|[12]\d|3[01]))"
    r"[-_T $]?(?P<time>(?:[01]\d|2[0-4])(?P<colon>[-_.:]?)[0-5]\d(?P=colon)[0-5]\d)(?!\d)"
)
# Older AudioMoths write the seconds since 1970 in hexadecimal digits, which begin with 5 to 7 until 2038.
# Other names consist of such digits, too, so that only the position of a clip may follow.
_HEX_START = re.compile(
    r"(?:(?P<recorder>[\w-]*[^\W_])_)?(?P<time>[5-7][0-9A-Fa-f]{7})"
    r"(?:[-_ ]+(?:(?:clip|seg|segment|part|chunk)[-_ ]?)?\d+(?:\.\d+)?(?:s|ms)?)*"
)
_SCORE_AND_RANK = re.compile(r"^[01]\.\d+_\d+_")  # before the name of the recording in clips cut by BirdNET
_WAV_SUFFIXES = ("", ".wav", ".wave", ".bwf")


class _Recording(NamedTuple):
    """Dataset or recorder, and the number or start of a recording."""

    source: str  # empty if unknown
    start: str
    is_named: bool = True  # whether a file name states the source

    def __str__(self) -> str:
        return printable(f"{self.source or 'recorder'} {self.start}")


def recordings_of_names(paths: Sequence[str]) -> list[str | None]:
    """Return the source recording of each clip, inferred from its file name.

    Parameters
    ----------
    paths : sequence of str
        Sound files. The file names of ESC-50, UrbanSound8K and TUT 2017 contain the recording. Recorders
        (AudioMoth, Song Meter, BAR) write date and time of the start, often after the name of the recorder;
        in the names of clips, their position follows. The file names of GTZAN, Extended Ballroom and AudioSet
        do not contain the recording.

    Returns
    -------
    list of str or None
        Dataset and recording, such as ``"ESC-50 100032"``, or recorder and start, such as
        ``"SMU01234 2023-05-14T04:30:00"``; None if the name matches no known pattern.

    Examples
    --------
    >>> from skfewaudio.datasets.recording_names import recordings_of_names
    >>> recordings_of_names(["SMU01234_20230514_043000_12.0s_15.0s.wav", "1-100032-A-0.wav", "bark.wav"])
    ['SMU01234 2023-05-14T04:30:00', 'ESC-50 100032', None]
    """
    return [None if found is None else str(found) for found in map(_from_name, paths)]


def recordings_of_files(paths: Sequence[str]) -> list[str | None]:
    """Return the source recording of each clip, inferred from its file name and its metadata.

    If a file name does not identify the recorder, the GUANO metadata of wav files are read: the original file
    name, the recorder's serial number or position, and the time stamp. No sound is decoded.

    Parameters
    ----------
    paths : sequence of str
        Sound files.

    Returns
    -------
    list of str or None
        As in `recordings_of_names`; None if neither name nor metadata identify the recording. File names
        without a recorder that state the same time are one recording, unless the metadata of all these files
        state the recorder.
    """
    found = [_from_file(path) for path in paths]
    vague = {recording.start for recording in found if recording and not recording.source}
    return [
        None if recording is None else str(_forget_source(recording, vague=recording.start in vague))
        for recording in found
    ]


def _forget_source(recording: _Recording, *, vague: bool) -> _Recording:
    """Remove a recorder known from metadata if other files of this time lack such metadata."""
    return recording._replace(source="") if vague and not recording.is_named else recording


def _from_name(path: str) -> _Recording | None:
    """Infer the recording from a file name; the recorder may remain unknown."""
    stem = Path(path).stem
    for dataset, pattern in PATTERNS.items():
        if match := pattern.fullmatch(stem):
            return _Recording(dataset, match[1])
    stem = _SCORE_AND_RANK.sub("", stem)
    if match := _START.search(stem):
        return _Recording(stem[: match.start()].strip("_-. "), _format_time(match))
    if match := _HEX_START.fullmatch(stem):
        return _Recording(match["recorder"] or "", match["time"].upper())
    return None


def _format_time(match: re.Match[str]) -> str:
    """Return date and time in one form, YYYY-MM-DDThh:mm:ss."""
    digits = re.sub(r"\D", "", match["date"].replace(" ", "0") + match["time"])
    return re.sub(r"(....)(..)(..)(..)(..)(..)", r"\1-\2-\3T\4:\5:\6", digits)


def _from_file(path: str) -> _Recording | None:
    """Infer the recording from a file name or, if it does not state the recorder, from metadata, too."""
    named = _from_name(path)
    if (named and named.source) or Path(path).suffix.lower() not in _WAV_SUFFIXES:
        return named
    fields = read_guano(path)
    original = _from_name(fields.get("Original Filename", ""))
    if original and original.source:
        return original
    source = fields.get("Serial") or fields.get("Loc Position") or ""
    if start := original or named:
        return _Recording(source, start.start, is_named=False)
    stamp = _START.search(fields.get("Timestamp", ""))
    return _Recording(source, _format_time(stamp), is_named=False) if stamp and source else None
