"""Properties of every augmentation."""

import inspect

import pytest
import torch
from sklearn.base import clone

import skfewaudio
from skfewaudio.augmentation import (
    Augmentation,
    BackgroundNoise,
    FrequencyShift,
    MixUp,
    RandomCrop,
    RandomEqualizer,
    SpecAugment,
    TimeShift,
    TimeStretch,
)

AUGMENTATIONS = [
    BackgroundNoise(),
    FrequencyShift(),
    MixUp(0.3),
    MixUp(within_class=True),
    MixUp(domain="power"),
    RandomCrop(),
    RandomEqualizer(),
    SpecAugment(n_band_masks=2, n_frame_masks=2),
    TimeShift(),
    TimeStretch(),
]
every_augmentation = pytest.mark.parametrize("augmentation", AUGMENTATIONS, ids=repr)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_no_augmentation_is_left_out():
    public = {getattr(skfewaudio.augmentation, name) for name in skfewaudio.augmentation.__all__}
    classes = {kind for kind in public if inspect.isclass(kind) and issubclass(kind, Augmentation)}
    assert {type(augmentation) for augmentation in AUGMENTATIONS} == classes - {Augmentation}


@every_augmentation
def test_shape_and_type_are_kept(augmentation, batch):
    spectrograms, targets = augmentation(*batch, seeded())
    assert (spectrograms.shape, spectrograms.dtype) == (batch[0].shape, torch.float32)
    assert (targets.shape, targets.dtype) == (batch[1].shape, torch.float32)


@every_augmentation
def test_spectrograms_are_changed(augmentation, batch):
    assert not torch.equal(augmentation(*batch, seeded())[0], batch[0])


@every_augmentation
def test_nothing_is_changed_in_place(augmentation, batch):
    before = [tensor.clone() for tensor in batch]
    augmentation(*batch, seeded())
    for tensor, original in zip(batch, before, strict=True):
        assert torch.equal(tensor, original)


@every_augmentation
def test_result_depends_only_on_the_generator(augmentation, batch):
    torch.manual_seed(0)
    first = augmentation(*batch, seeded())
    torch.manual_seed(1)
    again, other = augmentation(*batch, seeded()), augmentation(*batch, seeded(1))
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])
    assert not torch.equal(first[0], other[0])


@every_augmentation
def test_global_random_state_is_kept(augmentation, batch):
    before = torch.get_rng_state()
    augmentation(*batch, seeded())
    assert torch.equal(torch.get_rng_state(), before)


@every_augmentation
@pytest.mark.parametrize(
    "spectrograms",
    [
        torch.full((4, 8, 9), -100.0),
        torch.zeros(4, 8, 9),
        torch.full((4, 8, 1), 12.0),
        torch.full((4, 1, 9), 1e4),
        torch.full((4, 1, 1), -1e4),
        torch.tensor([-1e4, 1e4, -100.0, 30.0])[:, None, None].expand(4, 8, 9),
    ],
    ids=["silence", "constant", "one frame", "one band", "one value", "levels far apart"],
)
def test_result_is_finite(augmentation, spectrograms):
    for seed in range(5):
        changed, targets = augmentation(spectrograms, torch.eye(2).repeat(2, 1), seeded(seed))
        assert changed.isfinite().all()
        assert targets.isfinite().all()


@every_augmentation
def test_one_clip_is_enough(augmentation):
    changed, targets = augmentation(torch.zeros(1, 8, 9), torch.ones(1, 1), seeded())
    assert changed.shape == (1, 8, 9)
    assert targets.tolist() == [[1.0]]


@every_augmentation
def test_clone_has_the_same_parameters_and_effect(augmentation, batch):
    cloned = clone(augmentation)
    assert cloned.get_params() == augmentation.get_params()
    assert torch.equal(cloned(*batch, seeded())[0], augmentation(*batch, seeded())[0])


@pytest.mark.parametrize("augmentation", [m for m in AUGMENTATIONS if not isinstance(m, MixUp)], ids=repr)
def test_targets_are_kept_unless_clips_are_mixed(augmentation, batch):
    assert torch.equal(augmentation(*batch, seeded())[1], batch[1])


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (FrequencyShift(-1), "'max_bands' parameter of FrequencyShift must be an int"),
        (FrequencyShift(1.5), "'max_bands' parameter of FrequencyShift must be an int"),
        (TimeStretch(-0.1), "'max_change' parameter of TimeStretch must be a float"),
        (TimeStretch(4), "'max_change' parameter of TimeStretch must be a float"),
        (RandomCrop(0.0), "'min_share' parameter of RandomCrop must be a float"),
        (RandomCrop(1.1), "'min_share' parameter of RandomCrop must be a float"),
        (BackgroundNoise("loud"), "'low' parameter of BackgroundNoise must be a float"),
        (BackgroundNoise(5.0, -5.0), r"low=5.0 is above high=-5.0"),
        (RandomEqualizer(-1.0), "'deviation' parameter of RandomEqualizer must be a float"),
        (RandomEqualizer(n_points=0), "'n_points' parameter of RandomEqualizer must be an int"),
        (MixUp(0.0), "'alpha' parameter of MixUp must be a float"),
        (MixUp(within_class="yes"), "'within_class' parameter of MixUp must be an instance of 'bool'"),
        (MixUp(domain="waveform"), "'domain' parameter of MixUp must be a str among"),
        (SpecAugment(-1), "'max_bands' parameter of SpecAugment must be an int"),
        (SpecAugment(n_frame_masks=-1), "'n_frame_masks' parameter of SpecAugment must be an int"),
    ],
    ids=lambda value: repr(value) if isinstance(value, Augmentation) else "",
)
def test_invalid_parameter_is_an_error(augmentation, message, batch):
    with pytest.raises(ValueError, match=message):
        augmentation(*batch, seeded())


@pytest.mark.parametrize("augmentation", [MixUp(), MixUp(0.2), TimeShift()], ids=repr)
def test_only_mixtures_of_values_apply_to_feature_vectors(augmentation):
    assert augmentation.takes_vectors == isinstance(augmentation, MixUp)
    assert not MixUp(domain="power").takes_vectors
