"""Application of no, one or several augmentations."""

import pytest
import torch

from skfewaudio.augmentation import (
    Augmentation,
    FrequencyShift,
    MixUp,
    TimeShift,
    augment,
    check_augmentation,
    check_classifier_augmentation,
)


def test_none_changes_nothing(batch, generator):
    before = generator.get_state()
    spectrograms, targets = augment(None, *batch, generator)
    assert spectrograms is batch[0]
    assert targets is batch[1]
    assert torch.equal(generator.get_state(), before)


@pytest.mark.parametrize("wrap", [lambda m: m, lambda m: [m], lambda m: (m,)])
def test_a_single_augmentation_needs_no_list(wrap, batch, generator):
    expected = TimeShift()(*batch, torch.Generator().manual_seed(0))[0]
    assert torch.equal(augment(wrap(TimeShift()), *batch, generator)[0], expected)


def test_augmentations_are_applied_in_order(batch, generator):
    def double(spectrograms, targets, _):
        return 2 * spectrograms, targets

    def add_one(spectrograms, targets, _):
        return spectrograms + 1, targets

    changed, _ = augment([double, add_one], *batch, generator)
    assert torch.equal(changed, 2 * batch[0] + 1)


def test_augmentations_share_one_generator(batch, generator):
    twice, _ = augment([FrequencyShift(), FrequencyShift()], *batch, generator)
    again = torch.Generator().manual_seed(0)
    expected, _ = FrequencyShift()(*FrequencyShift()(*batch, again), again)
    assert torch.equal(twice, expected)


def test_class_instead_of_an_instance_is_an_error():
    with pytest.raises(TypeError, match=r"has the class MixUp; give an instance: MixUp\(\)"):
        check_augmentation([TimeShift(), MixUp])


def test_uncallable_object_is_an_error():
    with pytest.raises(TypeError, match="has 'mixup', which cannot be called"):
        check_augmentation("mixup")


def test_augmentation_for_spectrograms_is_refused_on_feature_vectors():
    assert check_classifier_augmentation([TimeShift()], for_vectors=False)[0].takes_vectors is False
    with pytest.raises(ValueError, match=r"has TimeShift\(\), which changes spectrograms, and X holds"):
        check_classifier_augmentation([MixUp(), TimeShift()], for_vectors=True)


def test_augmentation_that_changes_a_type_is_named(batch, generator):
    with pytest.raises(ValueError, match=r"gave targets of shape \(12, 3\) and type torch\.float64"):
        augment(lambda x, t, _: (x, t.double()), *batch, generator)


def test_augmentation_that_changes_a_shape_is_named(batch, generator):
    class Cut(Augmentation):
        def apply(self, spectrograms, targets, generator):
            return spectrograms[:, :, 1:], targets

    with pytest.raises(ValueError, match=r"Cut\(\) gave spectrograms of shape \(12, 20, 29\)"):
        augment(Cut(), *batch, generator)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda x, t: (x[:, None], t), r"spectrograms have shape \(12, 1, 20, 30\)"),
        (lambda x, t: (x[:, :, :0], t), r"spectrograms have shape \(12, 20, 0\)"),
        (lambda x, t: (x.double(), t), r"type torch\.float64; expected"),
        (lambda x, t: (x, t.argmax(dim=1)), r"targets have shape \(12,\) and type torch\.int64"),
        (lambda x, t: (x, t[:3]), r"targets have shape \(3, 3\) .* expected \(12, n_outputs\)"),
        (lambda x, t: (x, t.long()), r"one_hot\(targets, n_outputs\)\.float\(\)"),
        (lambda x, t: (x, t.to("meta")), r"targets on meta and the generator on cpu; put all on one device"),
    ],
)
def test_invalid_batch_is_an_error(change, message, batch, generator):
    with pytest.raises(ValueError, match=message):
        TimeShift()(*change(*batch), generator)


def test_base_class_is_abstract():
    with pytest.raises(TypeError, match="abstract"):
        Augmentation()
