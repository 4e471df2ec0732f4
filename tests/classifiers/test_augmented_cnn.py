"""Augmentation of the training batches of SkorchCNN."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from skorch.callbacks import Callback
from torch import nn

from skfewaudio import SkorchCNN, load_model, save_model
from skfewaudio.augmentation import BackgroundNoise, FrequencyShift, MixUp, SpecAugment, TimeShift
from skfewaudio.classifiers._networks.batches import AugmentedPatches, RandomPatches
from skfewaudio.classifiers._networks.patches import PatchData
from skfewaudio.classifiers._networks.train_cnn import ClassLoss
from skfewaudio.exceptions import UntrustedTypeError

SEVERAL = [TimeShift(), FrequencyShift(2), BackgroundNoise(), MixUp(0.3), SpecAugment(4, 6)]


@pytest.fixture(scope="module")
def clips():
    """Return noise in decibels of two classes with louder bands, 32 bands x 40 or 60 frames, and labels."""
    rng = np.random.default_rng(0)
    y = np.arange(8) % 2
    X = [rng.normal(-30, 5, (32, 40 + 20 * (i // 4))).astype(np.float32) for i in range(8)]
    for clip, label in zip(X, y, strict=True):
        clip[16 * label : 16 * label + 8] += 20
    return X, np.array(["rain", "horn"])[y]


def small(**params):
    defaults = {
        "architecture_params": {"n_filters": 4},
        "patch_frames": 32,
        "max_epochs": 2,
        "random_state": 0,
    }
    return SkorchCNN("vgg", **(defaults | params))


class Watch:
    """Augmentation that records its arguments and changes nothing."""

    def __init__(self):
        self.seen = []

    def __call__(self, spectrograms, targets, generator):
        self.seen.append((spectrograms, targets))
        return spectrograms, targets


@pytest.mark.parametrize("augmentation", [MixUp(), SEVERAL], ids=["one", "several"])
def test_two_fits_are_identical(augmentation, clips):
    first, second = (small(augmentation=augmentation).fit(*clips).predict_proba(clips[0]) for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize("nothing", [[], ()])
def test_empty_augmentation_equals_none(nothing, clips):
    plain = small().fit(*clips).predict_proba(clips[0])
    np.testing.assert_array_equal(small(augmentation=nothing).fit(*clips).predict_proba(clips[0]), plain)


def test_augmentation_gives_another_network(clips):
    plain = small().fit(*clips).predict_proba(clips[0])
    assert not np.allclose(small(augmentation=TimeShift()).fit(*clips).predict_proba(clips[0]), plain)


def test_generator_depends_on_the_random_state(clips):
    def drawn(random_state):
        found = []

        def draw(spectrograms, targets, generator):
            found.append(torch.rand(1, generator=generator).item())
            return spectrograms, targets

        small(augmentation=draw, random_state=random_state).fit(*clips)
        return found

    assert drawn(0) == drawn(0)
    assert drawn(0) != drawn(1)
    assert len(set(drawn(0))) == 2  # a different number in the second epoch


def test_global_random_state_is_not_changed(clips):
    before = torch.get_rng_state()
    small(augmentation=SEVERAL).fit(*clips)
    assert torch.equal(torch.get_rng_state(), before)


def test_every_training_batch_is_augmented_with_its_targets(clips):
    watch = Watch()
    small(augmentation=watch, batch_size=4, max_epochs=3).fit(*clips)
    assert len(watch.seen) == 6
    for spectrograms, targets in watch.seen:
        assert spectrograms.shape == (4, 32, 32)
        assert targets.dtype == torch.float32
        # "horn" is the first class and has the upper band
        louder = spectrograms[:, 16:24].mean(dim=(1, 2)) > spectrograms[:, :8].mean(dim=(1, 2))
        assert torch.equal(targets, nn.functional.one_hot((~louder).long(), 2).float())


def test_network_is_trained_on_the_augmented_batches(clips):
    def swap(spectrograms, targets, generator):
        return spectrograms, targets.flip(1)

    X, y = clips
    assert small(augmentation=swap, max_epochs=20).fit(X, y).score(X, y) == 0.0


def test_validation_recalibration_and_prediction_use_unchanged_clips(clips):
    watch = Watch()
    X, y = clips
    cnn = small(augmentation=watch, validation_split=0.25).fit(X, y)
    assert [len(spectrograms) for spectrograms, _ in watch.seen] == [6, 6]  # two epochs of six clips
    cnn.predict_proba(X)
    cnn.transform(X)
    assert len(watch.seen) == 2


def test_classes_are_learned_from_mixtures(clips):
    X, y = clips
    assert small(augmentation=SEVERAL, max_epochs=25).fit(X, y).score(X, y) == 1.0


def test_several_labels_are_learned_from_mixtures(clips):
    X, y = clips
    labels = np.stack([y == "rain", y == "horn"], axis=1).astype(int)
    cnn = small(augmentation=MixUp(0.3), class_weight="balanced", max_epochs=25).fit(X, labels)
    np.testing.assert_array_equal(cnn.predict(X), labels)


def test_augmentation_works_with_mixed_precision_patience_and_callbacks(clips):
    class Count(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.history.record("epochs", len(net.history))

    cnn = small(augmentation=SEVERAL, mixed_precision=True, patience=1, callbacks=[Count()], max_epochs=30)
    history = cnn.fit(*clips).history_
    assert len(history) < 30
    assert history[-1, "epochs"] == len(history)


def test_losses_of_one_hot_targets_and_of_class_indices_are_equal():
    logits = torch.randn(6, 3, generator=torch.Generator().manual_seed(0))
    targets = torch.tensor([0, 1, 2, 2, 2, 1])
    for weight in (None, torch.tensor([16.0, 1.0, 0.5])):
        loss = ClassLoss(weight=weight)
        torch.testing.assert_close(
            loss(logits, nn.functional.one_hot(targets).float()), loss(logits, targets)
        )


def test_class_weights_mean_the_same_with_augmentation():
    silence, y = np.zeros((5, 3)), ["bark", "horn", "horn", "horn", "horn"]
    cnn = SkorchCNN(class_weight="balanced", augmentation=Watch(), random_state=0).fit(silence, y)
    np.testing.assert_allclose(cnn.predict_proba(silence)[:, 0], 0.5, atol=0.03)


def test_feature_vectors_can_be_mixed(clips):
    X, y = clips
    vectors = np.stack([clip.mean(axis=1) for clip in X])
    cnn = SkorchCNN(augmentation=MixUp(0.3), max_epochs=40, random_state=0).fit(vectors, y)
    assert cnn.score(vectors, y) == 1.0


@pytest.mark.parametrize(
    "augmentation", [TimeShift(), [MixUp(), SpecAugment()], MixUp(domain="power")], ids=repr
)
def test_other_changes_of_feature_vectors_are_refused(augmentation):
    cnn = SkorchCNN(augmentation=augmentation)
    with pytest.raises(
        ValueError, match=r"which changes spectrograms, and X holds feature vectors; take MixUp"
    ):
        cnn.fit(np.eye(4), [0, 1, 0, 1])


def test_class_in_place_of_an_instance_is_an_error(clips):
    with pytest.raises(TypeError, match=r"has the class MixUp; give an instance: MixUp\(\)"):
        small(augmentation=MixUp).fit(*clips)


@pytest.mark.parametrize(
    ("augmentation", "message"),
    [
        (0.5, "'augmentation' parameter of SkorchCNN must be a callable"),
        (MixUp(-1), "'alpha' parameter of MixUp must be a float"),
    ],
)
def test_invalid_parameter_is_an_error(augmentation, message, clips):
    with pytest.raises(ValueError, match=message):
        small(augmentation=augmentation).fit(*clips)


def test_nested_parameters_can_be_set_through_a_pipeline():
    model = make_pipeline(small(augmentation=MixUp()))
    copy = clone(model.set_params(skorchcnn__augmentation__alpha=0.2))
    assert copy.get_params()["skorchcnn__augmentation__alpha"] == 0.2
    assert copy[-1].augmentation is not model[-1].augmentation


def test_clone_trains_the_same_network(clips):
    cnn = small(augmentation=SEVERAL)
    np.testing.assert_array_equal(
        clone(cnn).fit(*clips).predict_proba(clips[0]), cnn.fit(*clips).predict_proba(clips[0])
    )


def test_pickle_predicts_the_same(clips):
    cnn = small(augmentation=SEVERAL).fit(*clips)
    copy = pickle.loads(pickle.dumps(cnn))
    np.testing.assert_array_equal(copy.predict_proba(clips[0]), cnn.predict_proba(clips[0]))


@pytest.mark.parametrize("augmentation", [MixUp(0.3, domain="power"), SEVERAL], ids=["one", "several"])
def test_loaded_model_needs_no_trust_and_trains_the_same_network(augmentation, clips, tmp_path):
    cnn = small(augmentation=augmentation).fit(*clips)
    save_model(cnn, tmp_path / "sounds.model")
    loaded = load_model(tmp_path / "sounds.model")
    np.testing.assert_array_equal(loaded.predict_proba(clips[0]), cnn.predict_proba(clips[0]))
    assert repr(loaded.augmentation) == repr(augmentation)
    np.testing.assert_array_equal(loaded.fit(*clips).predict_proba(clips[0]), cnn.predict_proba(clips[0]))


def test_function_in_a_file_needs_trust(clips, tmp_path):
    cnn = small(max_epochs=0).fit(*clips).set_params(augmentation=nn.functional.normalize)
    save_model(cnn, tmp_path / "sounds.model")
    with pytest.raises(UntrustedTypeError, match="normalize"):
        load_model(tmp_path / "sounds.model")


def test_processes_share_the_order_of_clips_but_not_the_draws():
    clips = [np.full((2, 5), i, dtype=np.float32) for i in range(8)]
    data = PatchData(clips, patch_frames=5, hop_frames=1, pad_mode="repeat", device=torch.device("cpu"))

    def batch(process, add):
        state = np.random.RandomState(0)
        shared = RandomPatches(data, torch.arange(8), 8, state, share=(process, 2))
        patches, targets = AugmentedPatches(shared, [add], 8)[0]
        return targets.argmax(dim=1), (patches.amin(dim=(1, 2, 3)) - targets.argmax(dim=1)).round(decimals=4)

    def add(spectrograms, targets, generator):
        return spectrograms + 0.9 * torch.rand(len(targets), 1, 1, generator=generator), targets

    (first, drawn), (second, others) = batch(0, add), batch(1, add)
    assert sorted([*first.tolist(), *second.tolist()]) == list(range(8))
    assert not set(drawn.tolist()) & set(others.tolist())
