"""What the networks of *CNN architectures for large-scale audio classification* share."""

from torch import nn


class Scale:
    """Numbers of filters and units, scaled.

    Parameters
    ----------
    width : float
        What they are multiplied by, above 0.

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
        """Give a number of filters or units, at least 1."""
        return max(1, round(self.width * n))


class ConvBlock(nn.Sequential):
    """Convolution, batch normalisation and ReLU.

    Parameters
    ----------
    n_inputs, n_filters : int
        Maps that come in, and maps that go out.
    kernel : int or tuple of int
        Bands and frames of a filter.
    stride : int or tuple of int, default=1
        Bands and frames from one place of a filter to the next.
    padding : int, tuple of int or "same", default="same"
        Zeros at either end of the bands and frames.
    relu : bool, default=True
        Whether ReLU follows.
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
    """Add a linear layer if there is to be one, and give the size of the embedding."""
    if bottleneck is None:
        return n_features
    layers.append(nn.Linear(n_features, bottleneck))
    return bottleneck


def init_large_scale_(network: nn.Module) -> None:
    """Give convolutions and hidden layers weights of He, others those of Glorot, and biases zeros."""
    for name, layer in network.named_modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            if name == "output":
                nn.init.xavier_uniform_(layer.weight)
            else:
                nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="relu")
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
