"""Statistics of feature maps that are computed one stretch of frames at a time."""

from collections.abc import Iterator, Sequence

import torch

POOLINGS = ("mean", "max", "std", "positive")


def pool_maps(stretches: Iterator[tuple[str, torch.Tensor]], poolings: Sequence[str]) -> torch.Tensor:
    """Pool the maps of layers, which are passed as stretches (1, n_filters, n_bands, n_frames).

    Returns one vector: all statistics of the first layer, then all statistics of the second layer, and so on.
    """
    parts: dict[str, list[dict[str, torch.Tensor]]] = {}
    for name, maps in stretches:
        parts.setdefault(name, []).append(_measure_stretch(maps[0], poolings))
    return torch.cat([_combine_stretches(measured, poolings) for measured in parts.values()])


def _measure_stretch(maps: torch.Tensor, poolings: Sequence[str]) -> dict[str, torch.Tensor]:
    """Compute the partial statistics of one stretch of maps (n_filters, n_bands, n_frames)."""
    n_values = maps.shape[1] * maps.shape[2]
    measured = {"n": torch.tensor(n_values, dtype=torch.float64, device=maps.device)}
    if "std" in poolings:
        variance, mean = torch.var_mean(maps, dim=(1, 2), correction=0)
        measured |= {"variance": variance.double(), "mean": mean.double()}
    elif "mean" in poolings:
        measured["mean"] = maps.mean(dim=(1, 2)).double()
    if "max" in poolings:
        measured["max"] = maps.amax(dim=(1, 2))
    if "positive" in poolings:
        measured["positive"] = (maps > 0).sum(dim=(1, 2)).to(maps.dtype) / n_values
    return measured


def _combine_stretches(parts: list[dict[str, torch.Tensor]], poolings: Sequence[str]) -> torch.Tensor:
    """Combine the partial statistics of a layer into one vector (n_poolings * n_filters,)."""
    stacked = {name: torch.stack([part[name] for part in parts]) for name in parts[0]}
    share = (stacked["n"] / stacked["n"].sum())[:, None]
    pooled = []
    for name in poolings:
        if name == "max":
            pooled.append(stacked["max"].amax(dim=0))
        elif name == "std":
            # Mean squares minus squared means would cancel if the means are large.
            deviation = stacked["mean"] - (share * stacked["mean"]).sum(dim=0)
            pooled.append((share * (stacked["variance"] + deviation.square())).sum(dim=0).sqrt())
        else:
            pooled.append((share * stacked[name]).sum(dim=0))
    return torch.cat(pooled).float()
