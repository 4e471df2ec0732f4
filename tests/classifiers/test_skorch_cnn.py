import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import ShuffleSplit
from skorch.callbacks import Callback
from torch import nn

from skfewaudio import PrototypicalClassifier, SkorchCNN
from skfewaudio.classifiers._networks.batches import RandomPatches
from skfewaudio.classifiers._networks.patches import PatchData
from skfewaudio.exceptions import WeightsNotFoundError

LABELS = np.array(["bark", "horn", "siren"])


def make_clips(n_per_class=4, n_mels=32, lengths=(40, 70), seed=0):
    """Make noise with a louder band for each class."""
    rng = np.random.default_rng(seed)
    X, y = [], []
    for c, label in enumerate(LABELS):
        for i in range(n_per_class):
            clip = rng.standard_normal((n_mels, lengths[i % len(lengths)])).astype(np.float32)
            clip[c * n_mels // 3 : (c + 1) * n_mels // 3] += 2
            X.append(clip)
            y.append(label)
    return X, np.array(y)


def small(**params):
    defaults = {
        "architecture": "vgg",
        "architecture_params": {"n_filters": 8},
        "patch_frames": 32,
        "max_epochs": 10,
        "random_state": 0,
    }
    return SkorchCNN(**(defaults | params))


def indicators(y):
    """Return two labels: the sound is of class bark or horn; the sound is of class horn or siren."""
    return np.stack([np.isin(y, ["bark", "horn"]), np.isin(y, ["horn", "siren"])], axis=1).astype(int)


@pytest.mark.parametrize("aggregation", ["mean", "max", "vote"])
def test_separable_spectrograms_are_classified_correctly(aggregation):
    cnn = small(aggregation=aggregation).fit(*make_clips())
    X, y = make_clips(seed=1)
    assert cnn.score(X, y) == 1.0
    np.testing.assert_allclose(cnn.predict_proba(X).sum(axis=1), 1)


def test_two_fits_are_identical():
    X, y = make_clips()
    np.testing.assert_array_equal(small().fit(X, y).predict_proba(X), small().fit(X, y).predict_proba(X))


def test_another_random_state_gives_another_network():
    X, y = make_clips()
    assert not np.allclose(small().fit(X, y).transform(X), small(random_state=1).fit(X, y).transform(X))


def test_fit_does_not_change_global_random_state_and_parameters():
    X, y = make_clips()
    cnn = small()
    params = cnn.get_params()
    torch_state, numpy_state = torch.get_rng_state(), np.random.mtrand._rand.get_state()[1].copy()
    cnn.fit(X, y)
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert cnn.get_params() == params


def test_several_labels_per_clip_are_learned():
    X, y = make_clips()
    cnn = small(max_epochs=20).fit(X, indicators(y))
    X_test, y_test = make_clips(seed=1)
    np.testing.assert_array_equal(cnn.predict(X_test), indicators(y_test))
    np.testing.assert_array_equal(cnn.decision_function(X_test) > 0, indicators(y_test) == 1)
    assert cnn.predict_proba(X_test).shape == (12, 2)


def test_votes_on_several_labels_are_refused():
    X, y = make_clips()
    with pytest.raises(ValueError, match="use 'mean' or 'max'"):
        small(aggregation="vote").fit(X, indicators(y))


def test_default_architecture_for_feature_vectors_is_a_linear_probe():
    X, y = make_clips()
    vectors = np.stack([clip.mean(axis=1) for clip in X])
    cnn = SkorchCNN(max_epochs=30, random_state=0).fit(vectors, y)
    assert type(cnn.network_).__name__ == "LinearProbe"
    assert cnn.patch_frames_ is None
    assert cnn.score(vectors, y) == 1.0


def test_spectrograms_after_feature_vectors_are_refused():
    X, y = make_clips()
    cnn = SkorchCNN(max_epochs=1).fit(np.stack([clip.mean(axis=1) for clip in X]), y)
    with pytest.raises(ValueError, match="X holds spectrograms, and fit was given the other kind"):
        cnn.predict(X)


def test_default_patch_length_is_set_by_the_architecture():
    X, y = make_clips(n_per_class=1)
    assert SkorchCNN("vgg", max_epochs=0).fit(X, y).patch_frames_ == 128


def test_embedding_is_the_input_of_the_output_layer():
    X, y = make_clips(lengths=(32,))
    cnn = small().fit(X, y)
    logits = cnn.transform(X) @ cnn.network_.output.weight.detach().numpy().T
    logits += cnn.network_.output.bias.detach().numpy()
    np.testing.assert_allclose(
        cnn.decision_function(X), logits - np.logaddexp.reduce(logits, axis=1, keepdims=True), atol=1e-4
    )


def test_no_clip_is_held_out_by_default():
    cnn = small(max_epochs=1).fit(*make_clips())
    assert cnn.history_[-1, "batches", :, "train_batch_size"] == [12]
    assert "valid_loss" not in cnn.history_[-1]


@pytest.mark.parametrize("split", [0.25, ShuffleSplit(1, test_size=0.25, random_state=0)])
def test_validation_split_is_used_for_the_validation_loss(split):
    cnn = small(max_epochs=2, validation_split=split).fit(*make_clips())
    assert cnn.history_[-1, "batches", :, "train_batch_size"] == [9]
    assert np.isfinite(cnn.history_[-1, "valid_loss"])


def test_patience_stops_a_training_that_no_longer_improves():
    X, y = make_clips()
    cnn = small(max_epochs=50, patience=2, learning_rate=0.0, architecture_params={"dropout": 0.0}).fit(X, y)
    assert len(cnn.history_) < 10


def test_weight_decay_shrinks_kernels_and_leaves_offsets_alone():
    X, y = make_clips(n_per_class=1)
    cnn = small(max_epochs=1, weight_decay=0.01)
    groups = cnn.fit(X, y).net_.optimizer_.param_groups
    for group in groups:
        for parameter in group["params"]:
            assert group["weight_decay"] == (0.01 if parameter.ndim > 1 else 0)


def test_frozen_backbone_does_not_change():
    X, y = make_clips()
    start = small(max_epochs=0).fit(X, y).network_.state_dict()
    trained = small(backbone_learning_rate=0.0, recalibrate=False).fit(X, y).network_.state_dict()
    for name in start:
        if name.endswith(("weight", "bias")):
            assert torch.equal(trained[name], start[name]) != name.startswith("output.")


def test_backbone_learns_at_its_own_rate():
    X, y = make_clips(n_per_class=1)
    groups = small(max_epochs=1, backbone_learning_rate=0.003).fit(X, y).net_.optimizer_.param_groups
    assert sorted({group["lr"] for group in groups}) == [0.003, 0.1]


def test_backbone_of_a_foreign_module_is_refused():
    def build(n_outputs, n_mels, n_frames):
        return nn.Sequential(nn.Flatten(), nn.Linear(n_mels * n_frames, n_outputs))

    X, y = make_clips(n_per_class=1)
    cnn = small(architecture=build, architecture_params=None, max_epochs=1)
    assert cnn.fit(X, y).predict(X).shape == (3,)
    with pytest.raises(ValueError, match="needs an Architecture"):
        cnn.set_params(backbone_learning_rate=0.1).fit(X, y)
    with pytest.raises(ValueError, match="has no method `embed`"):
        cnn.transform(X)


@pytest.mark.parametrize(("class_weight", "expected"), [(None, 0.2), ("balanced", 0.5), ({"bark": 16}, 0.8)])
def test_class_weights_shift_the_prediction_for_silence(class_weight, expected):
    silence, y = np.zeros((5, 3)), ["bark", "horn", "horn", "horn", "horn"]
    cnn = SkorchCNN(class_weight=class_weight, random_state=0).fit(silence, y)
    np.testing.assert_allclose(cnn.predict_proba(silence)[:, 0], expected, atol=0.03)


def test_balanced_weights_raise_rare_labels():
    X, y = make_clips()
    labels = np.stack([y == "bark", y != "bark"], axis=1).astype(int)
    cnn = small(class_weight="balanced", max_epochs=0).fit(X, labels)
    np.testing.assert_allclose(cnn.net_.criterion_.pos_weight.numpy(), [2, 0.5])


def test_warm_start_continues_the_training():
    X, y = make_clips()
    cnn = small(warm_start=True, max_epochs=5).fit(X, y)
    network, loss = cnn.network_, cnn.history_[0, "train_loss"]
    cnn.fit(X, y)
    assert cnn.network_ is network
    assert cnn.history_[0, "train_loss"] < loss


def test_warm_start_on_other_classes_is_refused():
    X, y = make_clips()
    cnn = small(warm_start=True, max_epochs=1).fit(X, y)
    with pytest.raises(ValueError, match="warm_start continues with the classes"):
        cnn.fit(X[:8], y[:8])


def test_callback_can_stop_the_training():
    class StopAtOnce(Callback):
        def on_epoch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    assert len(small(callbacks=[StopAtOnce()]).fit(*make_clips()).history_) == 1


def test_diverging_training_is_an_error():
    X, y = make_clips()
    with pytest.raises(ValueError, match="training diverged"):
        small(learning_rate=1e20, gradient_clip=None, max_epochs=5).fit(X, y)


def test_unknown_preset_lists_the_known_ones():
    with pytest.raises(ValueError, match=r"expected one of \['few-data', 'few-data-transfer'\]"):
        SkorchCNN.from_preset("most-data")


def test_preset_trains_the_papers_network():
    X, y = make_clips(n_per_class=1, n_mels=128, lengths=(140,))
    cnn = SkorchCNN.from_preset("few-data", max_epochs=1, random_state=0).fit(X, y)
    assert type(cnn.network_).__name__ == "SBCNN"
    assert cnn.predict_proba(X).shape == (3, 3)


@pytest.mark.parametrize("target", [SkorchCNN, PrototypicalClassifier])
def test_fine_tuning_starts_from_the_fitted_network(target):
    X, y = make_clips()
    source = small().fit(X, y)
    fresh = target(architecture=source, max_epochs=0, recalibrate=False, random_state=0).fit(X[:8], y[:8])
    assert fresh.patch_frames_ == 32
    for (name, ours), theirs in zip(
        fresh.network_.named_parameters(), source.network_.parameters(), strict=True
    ):
        assert (ours.shape == theirs.shape and torch.equal(ours, theirs)) != name.startswith("output.")


def test_fine_tuning_does_not_change_the_fitted_estimator():
    X, y = make_clips()
    source = small().fit(X, y)
    before = source.predict_proba(X)
    small(architecture=source).fit(X[:8], y[:8])
    np.testing.assert_array_equal(source.predict_proba(X), before)


def test_prototypical_network_can_be_fine_tuned():
    X, y = make_clips()
    source = PrototypicalClassifier(
        "vgg", architecture_params={"n_filters": 8}, patch_frames=32, max_epochs=1, random_state=0
    ).fit(X, y)
    assert small(architecture=source).fit(X, y).score(X, y) == 1.0


@pytest.mark.parametrize("wrap", [lambda e: e, FrozenEstimator], ids=["fitted", "frozen"])
def test_clone_keeps_the_weights_of_the_fitted_architecture(wrap):
    X, y = make_clips()
    source = small().fit(X, y)
    copy = clone(small(architecture=wrap(source), max_epochs=2))
    np.testing.assert_array_equal(
        copy.fit(X, y).predict_proba(X), small(architecture=source, max_epochs=2).fit(X, y).predict_proba(X)
    )


def test_fixed_filters_stay_fixed_in_fine_tuning():
    X, y = make_clips()
    source = PrototypicalClassifier(max_epochs=1, random_state=0).fit(X, y)
    target = SkorchCNN(source, max_epochs=2, recalibrate=False, random_state=0).fit(X, y)
    for ours, theirs in zip(
        target.network_.front_end.parameters(), source.network_.front_end.parameters(), strict=True
    ):
        assert torch.equal(ours, theirs)


def test_fine_tuning_with_another_patch_size_is_refused():
    X, y = make_clips()
    source = small(max_epochs=0).fit(X, y)
    with pytest.raises(ValueError, match=r"patches of 32 bands x 32 frames, and these have 32 x 40"):
        small(architecture=source, patch_frames=40).fit(X, y)


def test_fine_tuning_of_an_unfitted_estimator_is_refused():
    X, y = make_clips()
    with pytest.raises(ValueError, match="is not fitted"):
        small(architecture=small()).fit(X, y)


def test_network_starts_from_a_file(tmp_path):
    X, y = make_clips()
    source = small().fit(X, y)
    torch.save(source.network_.state_dict(), tmp_path / "source.pth")
    params = {"weights": tmp_path / "source.pth", "max_epochs": 0, "recalibrate": False}
    started = small(random_state=1, **params).fit(X, y)
    np.testing.assert_allclose(started.transform(X), source.transform(X), atol=1e-6)


def test_weights_of_another_network_are_refused_by_name(tmp_path):
    X, y = make_clips(n_per_class=1)
    source = small(architecture_params={"n_filters": 4}, max_epochs=0).fit(X, y)
    torch.save(source.network_.state_dict(), tmp_path / "four.pth")
    with pytest.raises(ValueError, match=r"four\.pth .*trunk\.conv1\.weight has shape \(4, 1, 3, 3\)"):
        small(weights=tmp_path / "four.pth").fit(X, y)


def test_missing_weights_are_named():
    X, y = make_clips(n_per_class=1)
    with pytest.raises(WeightsNotFoundError, match=r"nowhere\.pth does not exist"):
        small(weights="nowhere.pth").fit(X, y)


def test_mixed_precision_classifies_correctly():
    X, y = make_clips()
    assert small(mixed_precision=True).fit(X, y).score(*make_clips(seed=1)) == 1.0


def test_pickle_predicts_the_same():
    X, y = make_clips()
    cnn = small().fit(X, y)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(cnn)).predict_proba(X), cnn.predict_proba(X))


def test_pickle_does_not_hold_the_training_clips():
    X, y = make_clips(lengths=(5000,))
    assert (
        len(pickle.dumps(small(max_epochs=1, validation_split=0.25).fit(X, y))) < sum(x.nbytes for x in X) / 4
    )


def test_epoch_contains_one_patch_of_every_clip():
    clips = [np.full((1, 5 + i), i, dtype=np.float32) for i in range(7)]
    data = PatchData(clips, patch_frames=3, hop_frames=1, pad_mode="repeat", device=torch.device("cpu"))
    epoch = RandomPatches(data, torch.arange(7), 3, np.random.RandomState(0))
    patches, targets = zip(*(epoch[i] for i in range(len(epoch))), strict=True)
    assert [len(p) for p in patches] == [3, 2, 2]
    np.testing.assert_array_equal(torch.cat(patches)[:, 0, 0, 0].numpy(), torch.cat(targets).numpy())
    assert sorted(torch.cat(targets).tolist()) == list(range(7))


def test_random_positions_reach_both_ends_of_a_clip():
    clip = np.arange(10, dtype=np.float32)[None]
    data = PatchData([clip], patch_frames=4, hop_frames=1, pad_mode="repeat", device=torch.device("cpu"))
    drawn = data.draw(np.zeros(200, dtype=int), np.random.RandomState(0))[:, 0, 0]
    assert set(drawn[:, 0].tolist()) == set(range(7))
    np.testing.assert_array_equal(drawn.numpy() - drawn[:, :1].numpy(), np.tile(np.arange(4), (200, 1)))
