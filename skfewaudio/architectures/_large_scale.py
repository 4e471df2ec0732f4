"""Blocks shared by the networks of *CNN architectures for large-scale audio classification*."""

from torch import nn


class Scale:
    """Scaling of the numbers of filters and units.

    Parameters
    ----------
    width : float
        Factor of all numbers, above 0.

    Raises
    ------
    ValueError
        If `width` is not above 0.
    """

    def __init__(self, width: float) -> None:
        if not width > 0:
            raise ValueError(f"width must be above 0; got {width!r}. 1.0 is the paper's")
        self.width = width

    def __call__(self, n: int) -> int:
        """Return a scaled number of filters or units, at least 1."""
        return max(1, round(self.width * n))


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation and ReLU.

    Parameters
    ----------
    n_inputs, n_filters : int
        Number of input and output maps.
    kernel : int or tuple of int
        Size of a filter in bands and frames.
    stride : int or tuple of int, default=1
        Step of the filters in bands and frames.
    padding : int, tuple of int or "same", default="same"
        Number of zeros at either end of the bands and frames. "same" is half the kernel size.
    relu : bool, default=True
        Whether to apply ReLU.
    """

    def __init__(
        self,
        n_inputs: int,
        n_filters: int,
        kernel: int | tuple[int, int],
        *,
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | str = "same",
        relu: bool = True,
    ) -> None:
        if padding == "same":
            height, width = (kernel, kernel) if isinstance(kernel, int) else kernel
            padding = (height // 2, width // 2)
        layers: list[nn.Module] = [
            nn.Conv2d(n_inputs, n_filters, kernel, stride=stride, padding=padding, bias=False),
            nn.BatchNorm2d(n_filters),
        ]
        super().__init__(*layers, *([nn.ReLU(inplace=True)] if relu else []))


def add_bottleneck(layers: list[nn.Module], n_features: int, bottleneck: int | None) -> int:
    """Append a linear layer unless `bottleneck` is None, and return the size of the embedding."""
    if bottleneck is None:
        return n_features
    layers.append(nn.Linear(n_features, bottleneck))
    return bottleneck


def init_large_scale_(network: nn.Module) -> None:
    """Initialise hidden layers with He, the output layer with Glorot, biases with zeros."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if name == "output":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
