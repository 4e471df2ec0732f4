"""Networks of the Hugging Face library that map waveforms to embeddings."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Output = str | int
MIN_DURATION = 0.05  # seconds; two frames of the usual spectrograms


@dataclass(frozen=True)
class Family:
    """How the networks of one kind are loaded and read.

    Parameters
    ----------
    model_class : str, default="AutoModel"
        Class of the library that has the weights of the part for sound.
    pool : callable, default=None
        Function of the outputs of the network that returns one embedding (n, d) per clip. It is the default
        output. None if there are only embeddings of frames.
    window : callable, default=None
        Function of the feature extractor that returns the longest input in seconds, to which the extractor
        fills shorter clips. None if any length is accepted.
    to_frames : callable, default=None
        Function of a hidden layer (n, ...) and of the configuration that returns frames (n, n_frames, d), or
        one embedding (n, d) per clip. None if hidden layers are frames.
    is_tried : bool, default=True
        Whether a network is tried when it is loaded. False if this takes long, and the family is known.
    """

    model_class: str = "AutoModel"
    pool: Callable[[Any], Tensor] | None = None
    window: Callable[[Any], float] | None = None
    to_frames: Callable[[Tensor, Any], Tensor] | None = None
    is_tried: bool = True


def _average_frequencies(tokens: Tensor, config: Any) -> Tensor:
    """Return frames from the tokens of the audio spectrogram transformer: two of classes, then patches."""
    n_bands = (config.num_mel_bins - config.patch_size) // config.frequency_stride + 1
    return tokens[:, 2:].unflatten(1, (n_bands, -1)).mean(dim=1)


def _average_positions(maps: Tensor, config: Any) -> Tensor:
    """Return the mean over the positions of maps (n, d, height, width), which are not in order of time."""
    return maps.mean(dim=(2, 3))


FAMILIES = {
    "audio-spectrogram-transformer": Family(
        pool=lambda outputs: outputs.pooler_output,
        window=lambda extractor: extractor.max_length / 100,  # frames of 10 ms
        to_frames=_average_frequencies,
    ),
    "clap": Family(
        model_class="ClapAudioModelWithProjection",
        # Normalised, as get_audio_features of the whole model returns it.
        pool=lambda outputs: functional.normalize(outputs.audio_embeds, dim=-1),
        window=lambda extractor: float(extractor.max_length_s),
        to_frames=_average_positions,
    ),
    # A word takes as long as 30 s.
    "whisper": Family(window=lambda extractor: float(extractor.chunk_length), is_tried=False),
}


class WaveformNetwork(nn.Module):
    """Network that computes its features and embeds waveforms.

    Parameters
    ----------
    model : Module
        Network of the library.
    extractor : object
        Its feature extractor.
    kind : str
        Its ``model_type``, a key of `FAMILIES` or any other.
    output : int, str or None
        Index of a hidden layer, where 0 is the input of the first, ``"last"``, ``"pooled"``, or None for the
        default.

    Raises
    ------
    ValueError
        If the network has no such output.
    """

    def __init__(self, model: nn.Module, extractor: Any, kind: str, output: Output | None) -> None:
        super().__init__()
        self.model = model
        self.extractor = extractor
        self.kind = kind
        family = self.family
        self.sample_rate = int(extractor.sampling_rate)
        self.window = None if family.window is None else family.window(extractor)
        n_layers = count_layers(model.config)
        self.layers: tuple[Output, ...] = (*(["pooled"] if family.pool else []), "last", *range(n_layers + 1))
        self.output = self._check_output(output, n_layers)
        self._input_names = frozenset(signature(model.forward).parameters)

    @property
    def family(self) -> Family:
        """How the network is read; not an attribute, because its functions cannot be pickled."""
        return FAMILIES.get(self.kind, Family())

    def _check_output(self, output: Output | None, n_layers: int) -> Output:
        if output is None:
            return self.layers[0]
        is_index = isinstance(output, int) and -n_layers - 1 <= output <= n_layers
        if not is_index and output not in self.layers:
            names = " or ".join(repr(layer) for layer in self.layers if isinstance(layer, str))
            raise ValueError(
                f"output={output!r}: expected {names}, or the index of a hidden layer from 0 to {n_layers}, "
                f"or from -{n_layers + 1} to -1"
            )
        return output

    @property
    def min_duration(self) -> float:
        """Shortest input of the network, in seconds."""
        config: Any = self.model.config
        if not hasattr(config, "conv_kernel"):
            return MIN_DURATION
        n_samples, step = 1, 1
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            n_samples += (kernel - 1) * step
            step *= stride
        n_samples += (getattr(config, "squeeze_factor", 1) - 1) * step
        return n_samples / self.sample_rate

    def forward(self, waveforms: Tensor) -> Tensor:
        """Embed waveforms.

        Parameters
        ----------
        waveforms : Tensor of shape (n, n_samples), float32
            Waveforms of equal lengths, at most of the longest duration.

        Returns
        -------
        Tensor of shape (n, d) or (n, n_frames, d), float32

        Raises
        ------
        ValueError
            If the waveforms are longer than the longest input of the network.
        """
        if self.window is not None and waveforms.shape[1] > round(self.window * self.sample_rate):
            raise ValueError(
                f"{type(self.model).__name__} takes at most {self.window:g} s at {self.sample_rate} Hz, not "
                f"{waveforms.shape[1]} samples; set window=None or to at most {self.window:g}"
            )
        is_hidden = isinstance(self.output, int)
        outputs = self.model(**self._compute_features(waveforms), output_hidden_states=is_hidden)
        if self.output == "pooled" and self.family.pool is not None:
            return self.family.pool(outputs).float()
        layer = outputs.hidden_states[self.output] if is_hidden else outputs.last_hidden_state
        if self.family.to_frames is not None:
            layer = self.family.to_frames(layer, self.model.config)
        return self._cut(layer, waveforms.shape[1]).float()

    def _compute_features(self, waveforms: Tensor) -> dict[str, Tensor]:
        """Compute the input of the model, clip by clip, so that a batch has no influence on it."""
        device = next(self.model.parameters()).device
        found = [
            self.extractor([row], sampling_rate=self.sample_rate, return_tensors="pt")
            for row in waveforms.detach().cpu().numpy()
        ]
        features = {name: torch.cat([clip[name] for clip in found]) for name in found[0]}
        if bool(features.get("attention_mask", torch.ones(1)).all()):
            features.pop("attention_mask", None)  # it costs time, and has no effect
        return {name: value.to(device) for name, value in features.items() if name in self._input_names}

    def _cut(self, frames: Tensor, n_samples: int) -> Tensor:
        """Remove the frames that the extractor has added at the end of short clips."""
        if self.window is None or frames.ndim == 2:
            return frames
        share = n_samples / (self.window * self.sample_rate)
        n_frames = math.ceil(frames.shape[1] * share - 1e-6)
        return frames[:, : max(1, n_frames)]


def count_layers(config: Any) -> int:
    """Return the number of hidden layers of a network for sound."""
    depths = getattr(config, "depths", None)
    return len(depths) if depths is not None else int(config.num_hidden_layers)
