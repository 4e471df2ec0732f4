"""Networks whose feature maps can be computed layer by layer, in stretches of frames."""

from collections import OrderedDict
from collections.abc import Collection, Iterator, Sequence

import torch
from torch import nn

from ._base import Architecture, check_patch_size
from ._blocks import InputNorm, init_he_
from ._map_layers import MapLayer

INPUT = "input"


class FeatureMaps(nn.Module):
    """Graph of layers, each of which takes the input or the maps of earlier layers.

    The output is the mean of each feature map, of shape (batch, n_features).
    """

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.ModuleDict()
        self.sources: dict[str, tuple[str, ...]] = {}

    def add(self, name: str, layer: MapLayer, *sources: str) -> None:
        """Add a layer that takes the concatenated maps of other layers, or the input.

        Parameters
        ----------
        name : str
            Name of the layer.
        layer : MapLayer
            The layer.
        *sources : str
            Names of layers added before, or "input". Their maps must have equal numbers of bands and frames
            and are concatenated in this order. Without sources, the layer takes the input.

        Raises
        ------
        ValueError
            If a layer of that name exists already, or a source does not exist.
        """
        if name in {INPUT, *self.sources}:
            raise ValueError(f"there is a layer {name!r} already; give each a name of its own")
        self._check_names(set(sources) - {INPUT})
        self.layers[name] = layer
        self.sources[name] = sources or (INPUT,)

    @property
    def n_filters(self) -> dict[str, int]:
        """Number of maps of each layer whose maps are features."""
        return {name: layer.n_filters for name, layer in self.layers.items() if layer.n_filters}  # type: ignore[misc]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Compute the mean of each feature map."""
        return torch.cat([maps.mean(dim=(2, 3)) for _, maps in self.iter_maps(x)], dim=1)

    def iter_maps(
        self, x: torch.Tensor, *, layers: Sequence[str] | None = None, n_values: int | None = None
    ) -> Iterator[tuple[str, torch.Tensor]]:
        """Compute the maps of layers, one stretch of frames at a time.

        Parameters
        ----------
        x : tensor of shape (batch, 1, n_bands, n_frames)
            Spectrograms, or waveforms as one band.
        layers : sequence of str or None, default=None
            Names of the layers. None selects all layers whose maps are features. Layers that are not needed
            are not computed.
        n_values : int or None, default=None
            Approximate number of values of a map to compute at once. None computes whole maps.

        Yields
        ------
        name : str
            Name of the layer. Layers come in the order in which they were added.
        maps : tensor of shape (batch, n_filters, n_bands, n_frames)
            Next stretch of frames of the layer's maps.

        Raises
        ------
        ValueError
            If a layer is unknown, or the input is too short for a single frame of a layer.
        """
        wanted = set(self.n_filters if layers is None else layers)
        self._check_names(wanted)
        needed = self._needed(wanted)
        held = {INPUT: x}
        while needed:
            name = needed.pop(0)
            layer: MapLayer = self.layers[name]  # type: ignore[assignment]
            found = [held[source] for source in self.sources[name]]
            source = found[0] if len(found) == 1 else torch.cat(found, dim=1)
            awaited = {source for later in needed for source in self.sources[later]}
            held = {key: maps for key, maps in held.items() if key in awaited}
            del found
            n_frames = layer.n_frames_of(source.shape[3])
            if n_frames < 1:
                raise ValueError(f"{source.shape[3]} frames are too few for layer {name!r}; give more")
            for stretch in _stretches(layer, source, n_values):
                maps = layer.stretch(source, stretch.start, stretch.stop)
                if name in awaited:
                    _store_stretch(held, name, maps, stretch, n_frames)
                if name in wanted:
                    yield name, maps

    def _check_names(self, names: Collection[str]) -> None:
        """Raise if a name is not the name of a layer."""
        unknown = sorted(set(names) - set(self.sources))
        if unknown:
            raise ValueError(f"there is no layer {unknown[0]!r}; expected one of {', '.join(self.sources)}")

    def _needed(self, wanted: set[str]) -> list[str]:
        """List the given layers and all their direct and indirect sources, in order."""
        needed: set[str] = set()
        for name in reversed(self.sources):
            if name in wanted or name in needed:
                needed |= {name, *self.sources[name]}
        return [name for name in self.sources if name in needed]


def _stretches(layer: MapLayer, x: torch.Tensor, n_values: int | None) -> list[slice]:
    """Divide the output frames of a layer into stretches of about `n_values` intermediate values."""
    n_frames = layer.n_frames_of(x.shape[3])
    n_at_once = n_frames
    if n_values is not None:
        n_at_once = max(1, n_values // (len(x) * layer.n_values_of(x)))
    return [slice(first, min(first + n_at_once, n_frames)) for first in range(0, n_frames, n_at_once)]


def _store_stretch(
    held: dict[str, torch.Tensor], name: str, maps: torch.Tensor, stretch: slice, n_frames: int
) -> None:
    """Store a stretch of a layer's frames in the maps that later layers take as input."""
    if maps.shape[3] == n_frames:
        held[name] = maps
        return
    if name not in held:
        held[name] = torch.empty(
            *maps.shape[:3],
            n_frames,
            dtype=maps.dtype,
            device=maps.device,
            memory_format=torch.channels_last,
        )
    held[name][..., stretch] = maps


class FeatureMapNetwork(Architecture):
    """Base class of networks whose embedding is the mean of each feature map of each layer.

    Parameters
    ----------
    n_outputs : int
        Number of units of the output layer.
    n_mels : int
        Number of mel bands in a patch, or 1 if the network takes waveforms.
    n_frames : int
        Number of frames in a patch, or number of samples if the network takes waveforms.
    maps : FeatureMaps
        The layers.
    input_norm : {"band", "all", "frame"} or None
        Standardise each mel band, the whole patch or each frame of the input. None disables standardisation.

    Notes
    -----
    The class attribute ``signal`` is the kind of input: ``"spectrogram"``, or ``"waveform"``, whose samples
    are the frames of a single band. ``min_frames`` and ``min_mels`` are the smallest numbers of frames and
    bands in a patch.
    """

    signal = "spectrogram"
    min_frames = 1
    min_mels = 1

    def __init__(
        self, n_outputs: int, n_mels: int, n_frames: int, maps: FeatureMaps, *, input_norm: str | None
    ) -> None:
        super().__init__(n_outputs, n_mels, n_frames)
        name = type(self).__name__
        if self.signal == "waveform" and n_mels != 1:
            raise ValueError(
                f"{name} takes waveforms, as one band whose frames are the samples, and was given {n_mels} "
                "bands"
            )
        check_patch_size(name, (n_mels, n_frames), (self.min_mels, self.min_frames))
        trunk: OrderedDict[str, nn.Module] = OrderedDict()
        if input_norm is not None:
            trunk["input_norm"] = InputNorm(input_norm, n_mels, n_frames, affine=False)
        trunk["maps"] = maps
        self.trunk = nn.Sequential(trunk)
        self.output = nn.Linear(sum(maps.n_filters.values()), n_outputs)
        init_he_(maps)

    @property
    def maps(self) -> FeatureMaps:
        """The layers."""
        return self.trunk.get_submodule("maps")  # type: ignore[return-value]
