"""Formats of sound files: suffixes, and signatures at the beginning of a file."""

import os
from functools import cache
from pathlib import Path

# Suffixes by the decoders' own names of formats, of which those are used that the installed decoder has.
# Formats without a header, such as raw, are excluded: their sample rate is not stored.
SOUNDFILE_SUFFIXES = {
    "AIFF": "aif aiff aifc",
    "AU": "au snd",
    "AVR": "avr",
    "CAF": "caf",
    "FLAC": "flac",
    "HTK": "htk",
    "IRCAM": "ircam sf",
    "MP3": "mp3",
    "NIST": "nist sph",
    "OGG": "oga ogg opus",
    "PAF": "fap paf",
    "PVF": "pvf",
    "RF64": "rf64",
    "SVX": "8svx svx",
    "VOC": "voc",
    "W64": "w64",
    "WAV": "bwf wav wave",
}
FFMPEG_SUFFIXES = {
    "aac": "aac adts",
    "ac3": "ac3",
    "amr": "amr",
    "ape": "ape",
    "asf": "asf wma",
    "avi": "avi",
    "caf": "caf",
    "dsf": "dsf",
    "dts": "dts",
    "eac3": "ec3 eac3",
    "flac": "flac",
    "flv": "flv",
    "iff": "dff",
    "matroska,webm": "mka mkv webm",
    "mov,mp4,m4a,3gp,3g2,mj2": "3g2 3gp m4a m4b mov mp4",
    "mlp": "mlp",
    "mp3": "m2a mp1 mp2 mp3 mpa",
    "mpc": "mpc",
    "mpeg": "mpeg mpg",
    "nut": "nut",
    "ogg": "oga ogg ogv opus spx",
    "sox": "sox",
    "tak": "tak",
    "truehd": "thd",
    "tta": "tta",
    "wv": "wv",
}
# First bytes of files, at their offsets. RIFF and FORM also contain formats that are not sound.
SIGNATURES = (
    (0, (b"fLaC", b"OggS", b"ID3", b"caff", b".snd", b"dns.", b"NIST_1A", b"Creative Voice File", b"wvpk")),
    (0, (b"MAC ", b"#!AMR", b"TTA1", b"tBaK", b"MPCK", b"MP+", b"riff\x2e\x91\xcf\x11", b"\x1aE\xdf\xa3")),
    (8, (b"WAVE", b"AIFF", b"AIFC", b"8SVX")),
    (4, (b"ftypM4A", b"ftypM4B", b"ftypmp4", b"ftypisom", b"ftypiso", b"ftyp3g", b"ftypqt", b"ftypdash")),
)
N_BYTES = 20  # enough for every signature


@cache
def audio_suffixes() -> frozenset[str]:
    """Return the suffixes of the formats that the installed decoders read, in lower case, such as ".wav".

    Returns
    -------
    frozenset of str
    """
    import av
    import soundfile

    formats = soundfile.available_formats()
    found = [suffixes for name, suffixes in SOUNDFILE_SUFFIXES.items() if name in formats]
    readable = set(av.formats_available)
    found += [s for name, s in FFMPEG_SUFFIXES.items() if readable & {name, *name.split(",")}]
    return frozenset(f".{suffix}" for suffixes in found for suffix in suffixes.split())


def is_audio_file(path: str | os.PathLike[str]) -> bool:
    """Return whether a file is a sound file by its suffix or, if it has none, by its first bytes.

    Parameters
    ----------
    path : str or path-like
        An existing file.

    Returns
    -------
    bool
    """
    suffix = Path(path).suffix.lower()
    return suffix in audio_suffixes() or (not suffix and has_audio_signature(path))


def has_audio_signature(path: str | os.PathLike[str]) -> bool:
    """Return whether a file begins like a known container of sound; False if it cannot be read.

    Parameters
    ----------
    path : str or path-like
        A regular file.

    Returns
    -------
    bool
    """
    try:
        with Path(path).open("rb") as file:
            head = file.read(N_BYTES)
    except OSError:
        return False
    if any(head[at:].startswith(signature) for at, signatures in SIGNATURES for signature in signatures):
        return True
    # An MPEG frame: eleven bits of sync, then a version, a layer and a bit rate that exist.
    return len(head) > 3 and head[0] == 0xFF and head[1] & 0xE0 == 0xE0 and _is_mpeg_header(head[1], head[2])


def _is_mpeg_header(second: int, third: int) -> bool:
    """Return whether the bytes after the sync of an MPEG frame hold no reserved value.

    The header of MPEG-1 layer I with a checksum is excluded: it is the byte order mark of UTF-16 text.
    """
    version, layer, bit_rate, rate = (second >> 3) & 3, (second >> 1) & 3, third >> 4, (third >> 2) & 3
    return second != 0xFE and version != 1 and layer != 0 and bit_rate not in (0, 15) and rate != 3
