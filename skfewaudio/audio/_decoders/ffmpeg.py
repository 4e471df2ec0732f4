"""Decoding by FFmpeg, which comes with PyAV."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, BinaryIO

import av
import numpy as np

from .base import Block, CannotDecodeError, truncated
from .containers import count_mpeg_frames

# Only containers of sound: FFmpeg would also follow playlists and scripts to other files and hosts.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dts,eac3,flac,flv,iff,ircam,loas,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "nistsphere,nut,ogg,oma,paf,pvf,rso,shn,sox,tak,truehd,tta,voc,w64,wav,wv"
)
# Containers and codecs with exact timestamps: decoding can start anywhere. Others, such as Matroska with its
# milliseconds, are decoded from the beginning. A part of an AAC file may differ from the whole in its noise,
# which the decoder draws at random.
SEEKABLE = {"aiff", "au", "caf", "flac", "mov,mp4,m4a,3gp,3g2,mj2", "mp3", "w64", "wav"}
SEEKABLE_CODECS = {"aac", "alac", "flac", "mp2", "mp2float", "mp3", "mp3float"}
PREROLL = 0.3  # seconds decoded and dropped before a start: codecs need earlier packets
# A declared duration may be rounded, and the last packets of a recorder that stopped may be incomplete.
SLACK_SECONDS = 0.1
MIN_BLOCK = 2**16  # samples collected before a block is handed out
MPEG_CODECS = {"mp1", "mp2", "mp3", "mp1float", "mp2float", "mp3float"}
# Full scale of integer samples; FFmpeg returns 24 bits in the upper bytes of 32.
SCALES = {"u1": 2.0**7, "i2": 2.0**15, "i4": 2.0**31, "i8": 2.0**63}

av.logging.set_level(av.logging.PANIC)  # FFmpeg must not write to stderr


class FFmpegDecoder:
    """Decoder of every format of the bundled FFmpeg; see `Decoder`."""

    def __init__(self, name: str, source: BinaryIO | None = None) -> None:
        self._name = name
        # An open file serves for names of any bytes, and lets the content alone decide on the format.
        self._source = source or Path(name).open("rb")  # noqa: SIM115, closed with the decoder
        try:
            self._container: Any = av.open(
                self._source, options={"format_whitelist": CONTAINERS, "protocol_whitelist": ""}
            )
            self._stream = self._find_stream()
        except (av.FFmpegError, ValueError, OverflowError) as error:
            self._source.close()
            raise _explain(error, name) from error
        except CannotDecodeError:
            self.close()
            raise
        codec = self._stream.codec_context
        if codec.name == "flac":  # whose frames have checksums
            codec.options = {"err_detect": "crccheck+explode"}
        self.sample_rate: int = codec.sample_rate
        self.n_channels: int = codec.layout.nb_channels
        self.format_name = f"{self._container.format.name} {codec.name}"
        self.n_frames = self._stated_length()
        self.problem: str | None = None
        self._is_used = False

    def _find_stream(self) -> Any:
        """Return the first stream of sound."""
        streams = self._container.streams.audio
        if not streams:
            format_name = self._container.format.long_name
            raise CannotDecodeError(f"holds no sound ({format_name})", is_final=True)
        if not streams[0].codec_context.sample_rate:
            raise CannotDecodeError("has no sample rate")
        return streams[0]

    def _stated_length(self) -> int | None:
        """Return the number of frames by a header that counts them, or None."""
        if self._stream.codec_context.name in MPEG_CODECS:
            with Path(self._name).open("rb") as file:
                n_packets = count_mpeg_frames(file)
            return None if n_packets is None else self._to_frames(self._stream.duration)
        if self._container.format.name in ("mov,mp4,m4a,3gp,3g2,mj2", "flac", "matroska,webm", "caf"):
            return self._to_frames(self._stream.duration)
        return None

    def _to_frames(self, duration: int | None) -> int | None:
        """Convert a duration in the stream's time base."""
        if duration is None or duration <= 0:
            return None
        return round(Fraction(duration) * self._stream.time_base * self.sample_rate)

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over blocks of shape (n_frames, n_channels) from frame `start` on."""
        n_read, pending, n_pending = 0, [], 0
        for position, samples in self._decode(start):
            if position + len(samples) <= start:
                n_read = position + len(samples)
                continue
            samples = samples[max(0, start - position) :]
            n_read = max(position, start) + len(samples)
            pending.append(samples)
            n_pending += samples.size
            if n_pending >= MIN_BLOCK or (len(pending) > 1 and samples.shape[1] != pending[0].shape[1]):
                yield from _join(pending)
                pending, n_pending = [], 0
        yield from _join(pending)
        # A FLAC file whose last frame is whole was not cut off: its header is wrong.
        if self.problem is None and self.n_frames is not None and self._container.format.name != "flac":
            slack = round(SLACK_SECONDS * self.sample_rate)
            if max(n_read, start) < self.n_frames - slack:
                self.problem = truncated(n_read, self.n_frames)

    def _decode(self, start: int) -> Iterator[tuple[int, Block]]:
        """Decode packets, and return the position of the first frame of each block with it."""
        origin = self._seek(start)
        position = 0
        n_failed = 0  # packets in a row
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.EOFError:
                break
            except av.FFmpegError:
                n_failed += 1
                continue
            for frame in frames:
                if origin is not None and frame.pts is not None:
                    position = round((frame.pts - origin) * self._stream.time_base * self.sample_rate)
                seconds = position / self.sample_rate
                if n_failed and position and not self._tolerates_damage():
                    self.problem = f"is damaged after {seconds:.2f} s"
                    return
                if frame.sample_rate != self.sample_rate:
                    rates = f"{self.sample_rate} to {frame.sample_rate} Hz"
                    self.problem = f"changes its sample rate from {rates} at {seconds:.2f} s; split it there"
                    return
                if origin is None and self._has_gap(frame, position):
                    self.problem = f"is damaged at {seconds:.2f} s"
                    return
                origin, n_failed = None, 0
                samples = _to_float(frame)
                yield position, samples
                position += len(samples)
        if n_failed and not self._tolerates_damage():
            self.problem = f"is truncated (only the first {position} frames can be decoded)"

    def _has_gap(self, frame: Any, position: int) -> bool:
        """Return whether a FLAC frame, which bears its number, does not follow the one before."""
        if self._container.format.name != "flac" or frame.pts is None:
            return False
        return round(frame.pts * self._stream.time_base * self.sample_rate) != position

    def _tolerates_damage(self) -> bool:
        """Return whether undecodable packets are usual: junk and tags around the frames of MPEG audio."""
        return self._stream.codec_context.name in MPEG_CODECS

    def _packets(self) -> Iterator[Any]:
        """Read packets to the end, also where the file breaks off."""
        try:
            yield from self._container.demux(self._stream)
        except av.FFmpegError as error:
            if not isinstance(error, av.EOFError):
                self.problem = f"breaks off ({_explain(error, self._name)})"

    def _seek(self, start: int) -> int | None:
        """Go to a packet before frame `start`.

        Returns
        -------
        int or None
            The timestamp of frame 0, by which decoded frames find their position; None at the beginning.
        """
        if self._is_used:
            self._container.seek(0)
        self._is_used = True
        if start <= 2 * PREROLL * self.sample_rate or not self._is_seekable():
            return None
        first = next(self._container.decode(self._stream), None)
        origin = None if first is None else first.pts
        if origin is not None:
            seconds = Fraction(start, self.sample_rate) - Fraction(PREROLL)
            self._container.seek(int(origin + seconds / self._stream.time_base), stream=self._stream)
            return origin
        self._container.seek(0)
        return None

    def _is_seekable(self) -> bool:
        codec = self._stream.codec_context.name
        is_exact = codec in SEEKABLE_CODECS or codec.startswith("pcm_")
        return is_exact and self._container.format.name in SEEKABLE

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._source.close()


def _to_float(frame: Any) -> Block:
    """Return the samples of a frame as float32 of shape (n_frames, n_channels), full scale 1."""
    samples = frame.to_ndarray()
    n_channels = frame.layout.nb_channels
    samples = samples.T if frame.format.is_planar else samples.reshape(-1, n_channels)
    kind = samples.dtype.str[1:]
    if kind == "u1":
        return ((samples.astype(np.float32) - 128) / SCALES[kind]).astype(np.float32)
    if kind in SCALES:
        return samples.astype(np.float32) / np.float32(SCALES[kind])
    return np.ascontiguousarray(samples, dtype=np.float32)


def _join(blocks: list[Block]) -> Iterator[Block]:
    """Join consecutive blocks with the same number of channels."""
    while blocks:
        n_channels = blocks[0].shape[1]
        n_same = next((i for i, block in enumerate(blocks) if block.shape[1] != n_channels), len(blocks))
        yield np.concatenate(blocks[:n_same])
        blocks = blocks[n_same:]


def _explain(error: Exception, name: str) -> CannotDecodeError:
    """Return FFmpeg's reason, or a clearer one where the cause is known."""
    with Path(name).open("rb") as file:
        head = file.read(12)
    if head[4:8] == b"ftyp" and isinstance(error, av.InvalidDataError):
        missing = "is incomplete: its index (moov) is missing, because the recording was cut off"
        return CannotDecodeError(missing, is_final=True)
    return CannotDecodeError(getattr(error, "strerror", None) or str(error))
