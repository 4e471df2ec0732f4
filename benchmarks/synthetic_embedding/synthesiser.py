"""Random synthesiser of sounds, rendered as log mel spectrograms without any recording.

A sound has two voices over a background. A voice is a train of events, each with a tone or noise, a gliding
pitch and moving resonances; one event may be a click, a syllable, a note or a whole gust of wind. Its setting
is a point in a unit cube, so that a small step gives a similar sound. What a setting leaves open, such as the
noise and the times of irregular events, is drawn anew for each rendering.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv1d, interpolate

from skfewaudio.features import LogMel

N_VOICES = 2
N_PATTERN = 6  # events after which a pattern of pitches, levels and resonances starts again
N_EVENTS = 48
FRAMES_PER_SECOND = 44100 / 1024  # as LogMel.at_rate
CONTROL = 16  # samples per value of an envelope or a pitch contour
SETTINGS_AT_ONCE = 24  # so that the waveforms stay in the cache of a processor
RANGE = 80.0  # decibels below the maximum of a rendering
RATES = (4000, 8000, 11025, 16000, 22050, 32000, 44100)
SCALARS = (
    *("start", "event_rate", "irregularity", "duration", "attack", "decay", "sustain"),
    *("pitch", "glide", "bend", "vibrato", "vibrato_rate", "brightness", "fm_index", "fm_ratio"),
    *("noisiness", "roughness", "roughness_rate", "pitch_pattern", "level_pattern", "colour_pattern"),
    *(
        "formant1",
        "formant2",
        "formant1_move",
        "formant2_move",
        "formant_width",
        "formant_gain",
        "tilt",
        "gain",
    ),
)
N_VOICE = len(SCALARS) + 3 * N_PATTERN
N_SETTING = N_VOICES * N_VOICE + 3


@dataclass
class Renderer:
    """Renderer of settings at one sample rate and duration.

    Parameters
    ----------
    rate : int
        Sample rate in Hz.
    n_frames : int
        Number of frames.
    generator : torch.Generator
        Source of everything random.
    """

    rate: int
    n_frames: int
    generator: torch.Generator
    n_fft: int = field(init=False)
    hop: int = field(init=False)
    mel: Tensor = field(init=False)

    def __post_init__(self) -> None:
        transformer = LogMel.at_rate(self.rate)
        self.n_fft, self.hop = transformer.n_fft, transformer.hop_length
        import librosa

        self.mel = torch.from_numpy(librosa.filters.mel(sr=self.rate, n_fft=self.n_fft, n_mels=64))
        self.n_samples = (self.n_frames - 1) * self.hop
        self.seconds = self.n_samples / self.rate
        self.window = torch.hann_window(self.n_fft)

    def uniform(self, *shape: int) -> Tensor:
        """Draw numbers between 0 and 1."""
        return torch.rand(*shape, generator=self.generator)

    def render(self, settings: Tensor, strength: float = 1.0) -> Tensor:
        """Render settings (n, N_SETTING) as log mel spectrograms (n, 64, n_frames), in decibels.

        `strength` scales the changes of level, colour, tempo, pitch, noise and reverberation that a recording
        of the same sound may have.
        """
        parts = [self._render(part, strength) for part in settings.split(SETTINGS_AT_ONCE)]
        return torch.cat(parts)

    def _render(self, settings: Tensor, strength: float) -> Tensor:
        n = len(settings)
        tempo = 2 ** (0.3 * strength * (2 * self.uniform(n, 1) - 1))
        transpose = 0.12 * strength * (2 * self.uniform(n, 1) - 1)  # octaves
        shift = 0.35 * strength * (self.uniform(n, 1) - 0.5)  # share of the clip
        power = torch.zeros(n, self.n_fft // 2 + 1, self.n_frames)
        for v in range(N_VOICES):
            voice = settings[:, v * N_VOICE : (v + 1) * N_VOICE]
            power += self._voice(voice, tempo, transpose, shift, first=v == 0)
        power = power / power.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        rest = settings[:, -3:]
        power = self._reverberate(power, rest[:, :1], strength)
        power = power + self._background(rest[:, 1:2], rest[:, 2:3], n, strength)
        power = power * 10 ** (self._equaliser(n, strength) / 10)
        mel = self.mel @ power
        db = 10 * torch.log10(mel.clamp_min(1e-14))
        return torch.maximum(db, db.amax(dim=(1, 2), keepdim=True) - RANGE)

    def _voice(
        self, voice: Tensor, tempo: Tensor, transpose: Tensor, shift: Tensor, *, first: bool
    ) -> Tensor:
        """Return the power spectrogram of one voice."""
        p = {name: voice[:, i : i + 1] for i, name in enumerate(SCALARS)}
        patterns = voice[:, len(SCALARS) :].reshape(len(voice), 3, N_PATTERN) * 2 - 1
        n_control = -(-self.n_samples // CONTROL)
        seconds = torch.arange(n_control) * CONTROL / self.rate
        # Times of events.
        event_rate = tempo * 0.4 * 60 ** p["event_rate"].pow(1.3)
        exponential = -torch.log(self.uniform(len(voice), N_EVENTS).clamp_min(1e-9))
        irregular = p["irregularity"].pow(2)
        steps = ((1 - irregular) + irregular * exponential) / event_rate
        first_time = (p["start"] * 0.6 - 0.1 + shift) * self.seconds
        times = torch.cumsum(torch.cat([first_time, steps[:, :-1]], dim=1), dim=1)
        index = (
            torch.searchsorted(times.contiguous(), seconds.expand(len(voice), -1).contiguous(), right=True)
            - 1
        )
        since = seconds - times.gather(1, index.clamp_min(0))
        sounding = index >= 0
        index = index.clamp_min(0)
        pitch_offset, level_offset, colour_offset = (
            pattern.gather(1, index % N_PATTERN) for pattern in patterns.unbind(1)
        )
        # Envelope of an event.
        duration = 0.012 * 120 ** p["duration"] / tempo
        attack = 0.001 + 0.5 * p["attack"].pow(3) * duration
        progress = (since / duration).clamp(0, 4)
        sharp = 0.4 * 12 ** p["decay"]
        falling = torch.exp(-sharp * progress)
        held = torch.sigmoid((1 - progress) * 20)
        envelope = (since / attack).clamp(max=1) * (p["sustain"] * held + (1 - p["sustain"]) * falling)
        envelope = envelope * sounding * 10 ** (level_offset * 1.2 * p["level_pattern"].pow(2))
        rough = p["roughness"].pow(3)
        envelope = envelope * (
            1 - rough * (0.5 + 0.5 * torch.sin(2 * np.pi * 8 * 20 ** p["roughness_rate"] * seconds))
        )
        # Pitch in octaves below half of the Nyquist frequency.
        nyquist = self.rate / 2
        low = np.log2(60.0)
        top = np.log2(nyquist * 0.6)
        octave = low + (top - low) * p["pitch"] + transpose
        where = progress.clamp(max=1)
        octave = octave + 3 * (p["glide"] - 0.5).pow(3) * 8 * where
        octave = octave + 2 * (p["bend"] - 0.5).pow(3) * 8 * torch.sin(np.pi * where)
        octave = octave + pitch_offset * 1.5 * p["pitch_pattern"].pow(2)
        depth = 0.3 * p["vibrato"].pow(3)
        octave = octave + depth * torch.sin(2 * np.pi * (2 * 12 ** p["vibrato_rate"]) * seconds)
        frequency = (2**octave).clamp(20.0, nyquist * 0.95)
        envelope = interpolate(envelope[:, None], self.n_samples, mode="linear")[:, 0]
        # The phase in whole turns at the control points, and the rest by the frequency in between.
        turns = torch.cumsum(frequency.double() * (CONTROL / self.rate), dim=1).remainder(1.0).float()
        within = torch.arange(CONTROL) / self.rate
        phase = (turns[:, :, None] + frequency[:, :, None].roll(-1, 1) * within).flatten(1)
        phase = 2 * np.pi * phase[:, : self.n_samples]
        noise = torch.randn(len(voice), self.n_samples, generator=self.generator)
        # A geometric series of harmonics in closed form, with frequency modulation for inharmonic ones.
        a = (0.97 * p["brightness"].sqrt()).clamp(max=0.97)
        index_fm = 4 * (p["fm_index"] - 0.5).clamp_min(0) ** 2 * 4
        ratio = 0.5 + 4 * p["fm_ratio"]
        phase = phase + index_fm * torch.sin(ratio * phase)
        tone = torch.sin(phase) * (1 - a * a) / (1 - 2 * a * torch.cos(phase) + a * a)
        tone = tone / tone.std(dim=1, keepdim=True).clamp_min(1e-3)
        amount = torch.sigmoid((p["noisiness"] - 0.5) * 12)
        source = envelope * ((1 - amount) * tone + amount * noise)
        spectrum = torch.stft(
            source, self.n_fft, self.hop, window=self.window, pad_mode="constant", return_complex=True
        )
        power = spectrum.abs().square()
        # Resonances that move during each event.
        frame = (torch.arange(self.n_frames) * self.hop // CONTROL).clamp(max=n_control - 1)
        where, colour = where[:, frame], colour_offset[:, frame] * p["colour_pattern"]
        bins = torch.linspace(0, 1, self.n_fft // 2 + 1)
        warped = torch.log1p(bins * nyquist / 700) / np.log1p(nyquist / 700)  # mel axis from 0 to 1
        width = 0.02 + 0.12 * p["formant_width"]
        gain = 40 * p["formant_gain"]
        response = torch.zeros(len(voice), len(bins), self.n_frames)
        for name, size in (("formant1", 0.25), ("formant2", 0.35)):
            centre = p[name] + size * (p[f"{name}_move"] - 0.5) * 2 * where + size * colour
            near = torch.exp(-((warped[None, :, None] - centre[:, None]) / width[:, None]).square())
            response = torch.maximum(near, response)
        slope = (40 * (p["tilt"] - 0.6))[:, None] * warped[None, :, None]
        power = power * 10 ** ((gain[:, None] * (response - 1) + slope) / 10)
        power = power / power.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        return power if first else power * 10 ** (-4.5 * p["gain"])[:, :, None]

    def _reverberate(self, power: Tensor, amount: Tensor, strength: float) -> Tensor:
        """Add an exponential tail to each frame."""
        n = len(power)
        amount = (amount + 0.4 * strength * (self.uniform(n, 1) - 0.5)).clamp(0, 1)
        decay = 0.02 + 0.5 * amount.pow(2)
        level = 10 ** ((-30 + 27 * amount) / 10)
        length = min(self.n_frames, 32)
        tail = torch.exp(-torch.arange(length) / FRAMES_PER_SECOND / decay) * level
        tail[:, 0] = 1.0
        padded = torch.nn.functional.pad(power, (length - 1, 0))
        flat = conv1d(padded.transpose(0, 1).contiguous(), tail.flip(1)[:, None].contiguous(), groups=n)
        return flat.transpose(0, 1)

    def _background(self, level: Tensor, slope: Tensor, n: int, strength: float) -> Tensor:
        """Return coloured noise."""
        level = (level + 0.5 * strength * (self.uniform(n, 1) - 0.5)).clamp(0, 1)
        slope = (slope + 0.4 * strength * (self.uniform(n, 1) - 0.5)).clamp(0, 1)
        bins = torch.linspace(0.02, 1, self.n_fft // 2 + 1)
        shape = bins[None] ** (-2.5 * slope)
        shape = shape / shape.amax(dim=1, keepdim=True)
        level = 10 ** ((-85 + 75 * level.pow(1.2)) / 10)
        chi = -torch.log(self.uniform(n, self.n_fft // 2 + 1, self.n_frames).clamp_min(1e-9))
        return level[:, :, None] * shape[:, :, None] * chi

    def _equaliser(self, n: int, strength: float) -> Tensor:
        """Return a smooth random frequency response in decibels, (n, n_bins, 1)."""
        knots = torch.randn(n, 1, 6, generator=self.generator) * 5 * strength
        response = interpolate(knots, self.n_fft // 2 + 1, mode="linear", align_corners=True)
        return response.transpose(1, 2)


def draw_settings(n: int, generator: torch.Generator, n_variants: int = 4, kept: float = 0.7) -> Tensor:
    """Draw settings (n, N_SETTING) in families, whose members share a part of their parameters."""
    families = torch.rand(-(-n // n_variants), 1, N_SETTING, generator=generator)
    own = torch.rand(len(families), n_variants, N_SETTING, generator=generator)
    share = torch.rand(len(families), 1, 1, generator=generator) * kept
    same = torch.rand(len(families), n_variants, N_SETTING, generator=generator) < share
    return torch.where(same, families, own).reshape(-1, N_SETTING)[:n]


def perturb(settings: Tensor, generator: torch.Generator, size: float = 0.08) -> Tensor:
    """Take a random step in the unit cube, reflected at its faces."""
    step = torch.randn(settings.shape, generator=generator) * size
    moved = (settings + step).abs()
    return torch.where(moved > 1, 2 - moved, moved)
