"""Tests of every architecture, each described by a row of a table."""

from importlib.metadata import entry_points
from typing import Any, NamedTuple

import pytest
import torch

from skfewaudio.architectures import (
    SBCNN,
    VGG,
    VGGE,
    AlexNet,
    FrameLevel,
    FrameLevelManyShapes,
    FullyConnected,
    InceptionV3,
    LinearProbe,
    MusicallyMotivated,
    PooledFilters,
    ResNet50,
    SampleLevel,
    SingleLayer,
    SmallFilters,
    Timbre,
    VGGish,
    n_parameters,
)
from skfewaudio.plugins import ARCHITECTURES
from skfewaudio.testing import ARCHITECTURE_CHECKS


def conv(n_inputs, n_filters, n_places):
    """Count a convolution without biases and its batch normalisation."""
    return (n_inputs * n_places + 2) * n_filters


def vgg_e_layers():
    """List inputs and filters of VGG's configuration E: 2, 2, 4, 4 and 4 layers."""
    filters = [n for n, count in ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4)) for _ in range(count)]
    return zip([1, *filters], filters, strict=False)


def resnet_units():
    """Count the units of ResNet-50: 1 x 1, 3 x 3 and 1 x 1, and a shortcut in the first of a block."""
    n_inputs = 64
    for n, count in ((64, 3), (128, 4), (256, 6), (512, 3)):
        yield conv(n_inputs, n, 1) + conv(n, n, 9) + conv(n, 4 * n, 1) + conv(n_inputs, 4 * n, 1)
        yield (count - 1) * (conv(4 * n, n, 1) + conv(n, n, 9) + conv(n, 4 * n, 1))
        n_inputs = 4 * n


def inception_units():
    """Count the branches of Inception V3's units, figures 5, 6 and 7 of its paper, and of the reductions."""
    for n, n_pooled in ((192, 32), (256, 64), (288, 64)):
        yield conv(n, 64, 1) + conv(n, 48, 1) + conv(48, 64, 25) + conv(n, n_pooled, 1)
        yield conv(n, 64, 1) + conv(64, 96, 9) + conv(96, 96, 9)
    yield conv(288, 384, 9) + conv(288, 64, 1) + conv(64, 96, 9) + conv(96, 96, 9)
    for n in (128, 160, 160, 192):
        yield 2 * conv(768, 192, 1) + 2 * conv(768, n, 1)
        yield conv(n, n, 7) + conv(n, 192, 7) + 3 * conv(n, n, 7) + conv(n, 192, 7)
    yield 2 * conv(768, 192, 1) + conv(192, 320, 9) + 2 * conv(192, 192, 7) + conv(192, 192, 9)
    for n in (1280, 2048):
        yield conv(n, 320, 1) + conv(n, 384, 1) + 2 * conv(384, 384, 3)
        yield conv(n, 448, 1) + conv(448, 384, 9) + 2 * conv(384, 384, 3) + conv(n, 192, 1)


class Case(NamedTuple):
    """Known properties of an architecture with 10 outputs."""

    architecture: Any
    n_parameters: int
    n_features: int
    patch: tuple[int, int] = (128, 128)
    other_patches: tuple[tuple[int, int], ...] = ((64, 33), (45, 101), (96, 64))
    patch_frames: int | None = 128
    narrow: dict[str, Any] = {}  # parameters of a small version, for tests that do not depend on the width


TABLE = {
    # 5 x 5: 1 -> 24 -> 48 -> 48; (128 - 4) / 2 ... leave 25 bands x 2 frames; 2400 -> 64 -> 10
    "sb_cnn": Case(
        SBCNN,
        26 * 24 + (24 * 25 + 1) * 48 + (48 * 25 + 1) * 48 + 2401 * 64 + 65 * 10,
        64,
        other_patches=((32, 100), (33, 130), (96, 101)),
    ),
    # 108 x 7 with a bias, for each output
    "timbre": Case(Timbre, (108 * 7 + 1) * 10, 10, other_patches=((1, 7), (45, 101), (64, 33))),
    # 5 layers of 3 x 3: 1 -> 32 and four times 32 -> 32, each with bias, scale and offset; 512 -> 10
    "vgg": Case(VGG, (9 + 3) * 32 + 4 * (9 * 32 + 3) * 32 + 513 * 10, 512),
    # 3 x 3: 1 -> 64 -> 128 -> 256 -> 256 -> 512 -> 512; 4 x 6 x 512 -> 4096 -> 4096 -> 128 -> 10
    "vggish": Case(
        VGGish,
        (10 * 64 + (9 * 64 + 1) * 128 + (9 * 128 + 1) * 256 + (9 * 256 + 1) * 256)
        + ((9 * 256 + 1) * 512 + (9 * 512 + 1) * 512)
        + (12289 * 4096 + 4097 * 4096 + 4097 * 128 + 129 * 10),
        128,
        patch=(64, 96),
        other_patches=(),
        patch_frames=96,
    ),
    # 64 x 96 -> 1000 -> 1000 -> 1000 -> 10
    "fully_connected": Case(
        FullyConnected,
        conv(64 * 96, 1000, 1) + 2 * conv(1000, 1000, 1) + 1001 * 10,
        1000,
        patch=(64, 96),
        other_patches=((1, 1), (40, 33)),
        patch_frames=96,
        narrow={"n_units": 20},
    ),
    # 11 x 11, 5 x 5 and three times 3 x 3; 2 x 2 x 256 -> 4096 -> 4096 -> 10
    "alexnet": Case(
        AlexNet,
        conv(1, 96, 121)
        + conv(96, 256, 25)
        + conv(256, 384, 9)
        + conv(384, 384, 9)
        + conv(384, 256, 9)
        + (1025 * 4096 + 4097 * 4096 + 4097 * 10),
        4096,
        patch=(64, 96),
        other_patches=((29, 39), (65, 101)),
        patch_frames=96,
        narrow={"width": 0.1},
    ),
    # 16 layers of 3 x 3; 2 x 3 x 512 -> 4096 -> 4096 -> 10
    "vgg_e": Case(
        VGGE,
        sum(conv(n_inputs, n_filters, 9) for n_inputs, n_filters in vgg_e_layers())
        + (3073 * 4096 + 4097 * 4096 + 4097 * 10),
        4096,
        patch=(64, 96),
        other_patches=((32, 33), (45, 64)),
        patch_frames=96,
        narrow={"width": 0.1},
    ),
    # 1 x 1 and 3 x 3: 1 -> 80 -> 192, then the units; 2048 -> 10
    "inception_v3": Case(
        InceptionV3,
        conv(1, 80, 1) + conv(80, 192, 9) + sum(inception_units()) + 2049 * 10,
        2048,
        patch=(64, 96),
        other_patches=((17, 17), (45, 101)),
        patch_frames=96,
        narrow={"width": 0.1},
    ),
    # 7 x 7: 1 -> 64, then the units; 2048 -> 10
    "resnet50": Case(
        ResNet50,
        conv(1, 64, 49) + sum(resnet_units()) + 2049 * 10,
        2048,
        patch=(64, 96),
        other_patches=((8, 8), (45, 101)),
        patch_frames=96,
        narrow={"width": 0.1},
    ),
    # 4 statistics of 128 bands, and of 5 x 8 filters in 4 regions; only the projection is learned
    "pooled_filters": Case(PooledFilters, 1152 * 10, 4 * 128 + 4 * 40 * 4, patch_frames=None),
    "linear_probe": Case(LinearProbe, (128 * 128 + 1) * 10, 128 * 128, patch_frames=None),
    # 0.9 of 96 bands x 7 frames; 160 -> 10
    "single_layer": Case(
        SingleLayer,
        (86 * 7 + 1) * 160 + 161 * 10,
        160,
        patch=(96, 128),
        other_patches=((1, 7), (45, 101), (128, 8)),
        patch_frames=None,
    ),
    # 3 x 3: 1 -> 32 and four times 32 -> 32; all 160 maps -> 10
    "small_filters": Case(
        SmallFilters,
        (9 + 1) * 32 + 4 * (9 * 32 + 1) * 32 + 161 * 10,
        160,
        patch=(96, 1280),
        other_patches=((101, 1301),),
        patch_frames=1280,
    ),
    # 86 and 38 bands x 7, 3 and 1 frames, 4, 8 and 16 filters; 64, 32, 16 and 8 frames; all 112 maps -> 10
    "musically_motivated": Case(
        MusicallyMotivated,
        (86 * 7 + 1 + 38 * 7 + 1) * 4
        + (86 * 3 + 1 + 38 * 3 + 1) * 8
        + (86 + 1 + 38 + 1) * 16
        + (65 * 3 + 33 * 7 + 17 * 15 + 9 * 31)
        + 113 * 10,
        112,
        patch=(96, 128),
        other_patches=((3, 1), (45, 101), (128, 8)),
        patch_frames=None,
    ),
    # 3: 1 -> 23 and six times 23 -> 23; all 161 maps -> 10
    "sample_level": Case(
        SampleLevel,
        (3 + 1) * 23 + 6 * (3 * 23 + 1) * 23 + 162 * 10,
        161,
        patch=(1, 6561),
        other_patches=((1, 2187), (1, 3001)),
        patch_frames=59049,
    ),
    # 512: 1 -> 40; 7: three times 40 -> 40; all 160 maps -> 10
    "frame_level": Case(
        FrameLevel,
        (512 + 1) * 40 + 3 * (7 * 40 + 1) * 40 + 161 * 10,
        160,
        patch=(1, 4096),
        other_patches=((1, 736), (1, 1001)),
        patch_frames=59049,
    ),
    # 512, 256, ... 32: 1 -> 20 each; 7: 100 -> 20 and twice 20 -> 20; all 160 maps -> 10
    "frame_level_many_shapes": Case(
        FrameLevelManyShapes,
        (512 + 256 + 128 + 64 + 32 + 5) * 20 + (7 * 100 + 1) * 20 + 2 * (7 * 20 + 1) * 20 + 161 * 10,
        160,
        patch=(1, 4096),
        other_patches=((1, 225), (1, 1001)),
        patch_frames=59049,
    ),
}
cases = pytest.mark.parametrize("name", sorted(TABLE))
of_any_size = pytest.mark.parametrize(
    ("name", "patch"), [(name, patch) for name in sorted(TABLE) for patch in TABLE[name].other_patches]
)
large = pytest.mark.parametrize("name", [name for name in sorted(TABLE) if TABLE[name].n_parameters > 5e6])


def build(name, patch=None, **params):
    n_mels, n_frames = patch or TABLE[name].patch
    torch.manual_seed(0)
    return TABLE[name].architecture(10, n_mels=n_mels, n_frames=n_frames, **params)


def build_narrow(name, patch=None):
    """Build a version with few units or filters of an architecture with millions of weights."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("skfewaudio.architectures.vggish.DENSE", (12288, 32, 32, 128))
        return build(name, patch, **TABLE[name].narrow)


def patches(name, n_patches, patch=None):
    return torch.randn(n_patches, 1, *(patch or TABLE[name].patch))


def test_table_is_complete():
    declared = {e.name for e in entry_points(group="skfewaudio.architectures") if e.dist.name == "skfewaudio"}
    assert declared == set(TABLE)


@cases
def test_registered_name_gives_the_class(name):
    assert ARCHITECTURES.get(name) is TABLE[name].architecture


@cases
def test_patch_frames_is_the_documented_length(name):
    assert TABLE[name].architecture.patch_frames == TABLE[name].patch_frames


@cases
def test_number_of_parameters_equals_the_count_by_hand(name):
    with torch.device("meta"):
        network = build(name)
    assert n_parameters(network) == TABLE[name].n_parameters


@cases
def test_documented_number_of_parameters_equals_the_table(name):
    if name not in {"pooled_filters", "linear_probe"}:  # documented by a formula, or not at all
        assert f"{TABLE[name].n_parameters:,}" in TABLE[name].architecture.__doc__


@cases
def test_embedding_size_equals_the_count_by_hand(name):
    with torch.device("meta"):
        embedding = build(name).eval().embed(patches(name, 2))
    assert embedding.shape == (2, TABLE[name].n_features)


@of_any_size
def test_outputs_have_one_row_per_patch(name, patch):
    assert build_narrow(name, patch).eval()(patches(name, 3, patch)).shape == (3, 10)


@cases
@pytest.mark.parametrize("rule", ARCHITECTURE_CHECKS)
def test_contract_of_architectures(name, rule):
    ARCHITECTURE_CHECKS[rule](lambda: build_narrow(name), patches(name, 3))


@pytest.mark.slow
@large
def test_gradients_at_full_width_are_finite_and_reach_every_parameter(name):
    ARCHITECTURE_CHECKS["gradients"](lambda: build(name), patches(name, 2))
