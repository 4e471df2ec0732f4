"""Decoding by FFmpeg, which comes with PyAV."""

import errno
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from .base import Block, CannotDecodeError, truncated
from .containers import count_mpeg_frames, has_equal_blocks, has_regular_packets, lacks_index
from .frames import join, to_float
from .sources import Source, open_source

# Only containers of sound: FFmpeg would also follow playlists and scripts to other files and hosts.
CONTAINERS = (
    "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,dts,eac3,flac,flv,iff,ircam,loas,matroska,mlp,mov,mp3,mpc,mpc8,mpeg,mpegts,"
    "nistsphere,nut,ogg,oma,paf,pvf,rso,shn,sox,tak,truehd,tta,voc,w64,wav,wv"
)
# Containers and codecs with exact timestamps: decoding can start anywhere. Others, such as Matroska with its
# milliseconds, are decoded from the beginning. A part of an AAC file may differ from the whole in its noise,
# which the decoder draws at random.
MP4 = "mov,mp4,m4a,3gp,3g2,mj2"
SEEKABLE = {"aiff", "au", "caf", "flac", MP4, "mp3", "w64", "wav"}
SEEKABLE_CODECS = {"aac", "alac", "flac", "mp2", "mp2float", "mp3", "mp3float"}
PREROLL = 0.3  # seconds decoded and dropped before a start: codecs need earlier packets
# Containers whose header states the length, counted by the encoder.
TIMED = {"matroska,webm", MP4}  # have a timestamp for each packet
COUNTED = {"ape", "caf", "flac", "matroska,webm", MP4, "tta", "wv"}
# A declared duration may be rounded, and the last packets of a recorder that stopped may be incomplete. Two
# packets are dropped at the beginning of MPEG audio, and the length of ALAC may be rounded up to a packet.
SLACK_SECONDS = 0.1
SLACK_PACKETS = 2
ALAC_PACKET = 4096
MIN_BLOCK = 2**16  # samples collected before a block is handed out
MPEG_CODECS = {"mp1", "mp2", "mp3", "mp1float", "mp2float", "mp3float"}
# Frame types of AMR without speech (comfort noise, nothing), which FFmpeg does not decode.
PAUSES = {"amrnb": {8, 15}, "amrwb": {9, 14, 15}}

av.logging.set_level(av.logging.PANIC)  # FFmpeg must not write to stderr


class FFmpegDecoder:
    """Decoder of every format of the bundled FFmpeg; see `Decoder`."""

    def __init__(self, name: str, source: Source | None = None) -> None:
        self._name = name
        # An open file serves for names of any bytes, and lets the content alone decide on the format.
        self._source = source or open_source(name)
        self._open()
        codec = self._stream.codec_context
        self.sample_rate: int = codec.sample_rate
        self.n_channels: int = codec.layout.nb_channels
        self.format_name = f"{self._container.format.name} {codec.name}"
        self.n_frames = self._stated_length()
        self.problem: str | None = None
        self._is_used = False
        self._is_numbered = self.format_name == "flac flac" and has_equal_blocks(codec.extradata)
        self._end = 0  # of the last packet, by its timestamp
        self._end_problem: str | None = None

    def _open(self) -> None:
        """Open the container at its beginning."""
        self._source.seek(0)
        try:
            self._container: Any = av.open(
                self._source,
                options={"format_whitelist": CONTAINERS, "protocol_whitelist": ""},
                metadata_errors="replace",
            )
            self._stream = self._find_stream()
        except (av.FFmpegError, ValueError, OverflowError) as error:
            self._source.close()
            raise _explain(error, self._name) from error
        except CannotDecodeError:
            self.close()
            raise
        codec = self._stream.codec_context
        # The last packet of ALAC may be short already when FFmpeg trims it as the container demands.
        self._is_cut_here = codec.name == "alac" and self._container.format.name == "caf"
        if self._is_cut_here:
            codec.options = {"flags2": "+skip_manual"}
        elif codec.name == "flac":  # whose frames have checksums
            codec.options = {"err_detect": "crccheck+explode"}

    def _find_stream(self) -> Any:
        """Return the first stream of sound."""
        streams = self._container.streams.audio
        if not streams:
            format_name = self._container.format.long_name
            raise CannotDecodeError(f"holds no sound ({format_name})", is_final=True)
        if streams[0].codec_context is None:
            raise CannotDecodeError("its codec is not supported")
        if not streams[0].codec_context.sample_rate:
            raise CannotDecodeError("has no sample rate")
        return streams[0]

    def _stated_length(self) -> int | None:
        """Return the number of frames by a header that counts them, or None."""
        codec = self._stream.codec_context
        stated = self._to_frames(self._stream.duration or 0) or None
        if codec.name not in MPEG_CODECS:
            return stated if self._container.format.name in COUNTED else None
        with Path(self._name).open("rb") as file:
            n_packets = count_mpeg_frames(file)
        if n_packets is None or stated is None:
            return None
        # FFmpeg estimates the duration from the size of the file where tags or junk contradict the header.
        return min(stated, n_packets * codec.frame_size or stated)

    def _to_frames(self, duration: int) -> int:
        """Convert a duration in the stream's time base."""
        return max(0, round(Fraction(duration) * self._stream.time_base * self.sample_rate))

    def blocks(self, start: int = 0) -> Iterator[Block]:
        """Iterate over blocks of shape (n_frames, n_channels) from frame `start` on."""
        self._end, self._end_problem = 0, None
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
                yield from join(pending)
                pending, n_pending = [], 0
        yield from join(pending)
        self.problem = self.problem or self._judge_end(max(n_read, start))

    def _judge_end(self, n_read: int) -> str | None:
        """Return why sound is missing at the end, or None."""
        # A FLAC file whose last frame is whole was not cut off: its header is wrong.
        if self.n_frames is None or self._container.format.name == "flac":
            return self._end_problem
        if n_read >= self.n_frames:  # tags or junk follow the sound
            return None
        is_mpeg, reached, slack = self._tolerates_damage(), n_read, SLACK_SECONDS * self.sample_rate
        if is_mpeg:
            slack = max(slack, SLACK_PACKETS * self._stream.codec_context.frame_size)
        elif self._is_cut_here:
            slack = max(slack, ALAC_PACKET)
        elif self._container.format.name in TIMED:  # also counts delays and gaps
            reached = max(n_read, self._to_frames(self._end))
        if reached >= self.n_frames - slack or (not reached and self._end_problem):
            return self._end_problem
        return truncated(n_read, self.n_frames)

    def _decode(self, start: int) -> Iterator[tuple[int, Block]]:
        """Decode packets, and return the position of the first frame of each block with it."""
        origin = self._seek(start)
        position = 0
        n_failed, reason = 0, ""  # packets in a row
        for packet in self._packets():
            try:
                frames = packet.decode()
            except av.EOFError:
                break
            except av.FFmpegError as error:
                if self._is_pause(packet):
                    pause = np.zeros((self._to_frames(packet.duration or 0), self.n_channels), np.float32)
                    yield position, pause
                    position += len(pause)
                elif packet.size or not position:
                    n_failed, reason = n_failed + 1, _reason(error)
                continue
            for frame in frames:
                if origin is not None:
                    position = start + 1 if frame.pts is None else self._to_frames(frame.pts - origin)
                    if position > start:  # misled by timestamps, or by damage
                        yield from self._decode(0)
                        return
                # The last frames may come without a packet, after an incomplete one.
                is_behind_gap = n_failed and packet.size and position and origin is None
                problem = self._find_problem(frame, position, bool(is_behind_gap), origin is None)
                if problem is not None:
                    self.problem = problem
                    return
                origin = None
                n_failed = n_failed if packet.size == 0 else 0
                samples = to_float(frame)
                if self._is_cut_here and self.n_frames is not None:
                    samples = samples[: max(0, self.n_frames - position)]
                yield position, samples
                position += len(samples)
        if n_failed and not self._tolerates_damage():
            self._end_problem = self._describe_end(position, n_failed, reason)

    def _find_problem(self, frame: Any, position: int, is_behind_gap: bool, is_next: bool) -> str | None:
        """Return why decoding has to stop before a frame, or None."""
        seconds = position / self.sample_rate
        if is_behind_gap and not self._tolerates_damage():
            return f"is damaged after {seconds:.2f} s"
        if frame.sample_rate != self.sample_rate:
            rates = f"{self.sample_rate} to {frame.sample_rate} Hz"
            return f"changes its sample rate from {rates} at {seconds:.2f} s; split it there"
        if is_next and self._is_numbered and frame.pts is not None and self._to_frames(frame.pts) != position:
            return f"is damaged at {seconds:.2f} s"
        return None

    def _describe_end(self, position: int, n_failed: int, reason: str) -> str:
        """Return the problem of a file whose last packets cannot be decoded."""
        if not position:
            return f"cannot be decoded ({self._stream.codec_context.name}: {reason})"
        if n_failed == 1:  # incomplete
            return f"is truncated (only the first {position} frames can be decoded)"
        return f"is damaged after {position / self.sample_rate:.2f} s"

    def _tolerates_damage(self) -> bool:
        """Return whether undecodable packets are usual: junk and tags around the frames of MPEG audio."""
        return self._stream.codec_context.name in MPEG_CODECS

    def _is_pause(self, packet: Any) -> bool:
        """Return whether a packet stands for a pause in speech."""
        pauses = PAUSES.get(self._stream.codec_context.name, ())
        return packet.size > 0 and bytes(packet)[0] >> 3 & 15 in pauses

    def _packets(self) -> Iterator[Any]:
        """Read packets to the end, also where the file breaks off."""
        try:
            for packet in self._container.demux(self._stream):
                if packet.pts is not None:
                    self._end = max(self._end, packet.pts + (packet.duration or 0))
                yield packet
        except av.FFmpegError as error:
            if not isinstance(error, av.EOFError):
                self._end_problem = f"breaks off ({_reason(error)})"
        if self._source.error is not None:
            self.problem = f"cannot be read to its end ({self._source.error.strerror})"

    def _seek(self, start: int) -> int | None:
        """Go to a packet before frame `start`.

        Returns
        -------
        int or None
            The timestamp of frame 0, by which decoded frames find their position; None at the beginning.
        """
        if self._is_used:
            self._container.close()
            self._open()
        self._is_used = True
        if start <= 2 * PREROLL * self.sample_rate or not self._is_seekable():
            return None
        with suppress(av.FFmpegError, StopIteration):
            origin: int | None = next(self._container.decode(self._stream)).pts
            if origin is not None:
                seconds = Fraction(start, self.sample_rate) - Fraction(PREROLL)
                self._container.seek(int(origin + seconds / self._stream.time_base), stream=self._stream)
                return origin
        return self._seek(0)

    def _is_seekable(self) -> bool:
        """Return whether timestamps give the exact position of frames."""
        codec, container = self._stream.codec_context.name, self._container.format.name
        if codec == "flac" and not self._is_numbered:
            return False
        if container == MP4 and not self._has_regular_packets():
            return False
        return container in SEEKABLE and (codec in SEEKABLE_CODECS or codec.startswith("pcm_"))

    def _has_regular_packets(self) -> bool:
        """Return whether the timestamps of an MP4 file count samples, which those of phones only resemble."""
        with Path(self._name).open("rb") as file:
            is_regular = has_regular_packets(file)
        return is_regular and (self._stream.time_base * self.sample_rate).denominator == 1

    def close(self) -> None:
        """Close the file."""
        self._container.close()
        self._source.close()


def _explain(error: Exception, name: str) -> CannotDecodeError:
    """Return FFmpeg's reason, or a clearer one where the cause is known."""
    with Path(name).open("rb") as file:
        if lacks_index(file):
            missing = "is incomplete: its index (moov) is missing, because the recording was cut off"
            return CannotDecodeError(missing, is_final=True)
    if getattr(error, "errno", None) == errno.EINVAL:  # not in the list of containers
        return CannotDecodeError("its format is not supported")
    return CannotDecodeError(_reason(error))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
