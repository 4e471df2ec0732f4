import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.metrics.pairwise import cosine_distances, euclidean_distances

from skfewaudio import PrototypicalClassifier
from skfewaudio.classifiers._networks.episodes import Episodes

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
    return PrototypicalClassifier(**({"max_epochs": 3, "random_state": 0} | params))


VGG = {
    "architecture": "vgg",
    "architecture_params": {"n_filters": 8},
    "patch_frames": 32,
    "hop_frames": 16,
    "max_epochs": 8,
    "learning_rate": 0.01,
}


@pytest.mark.parametrize("params", [{}, VGG, {"architecture": None}], ids=["default", "vgg", "input space"])
@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_separable_spectrograms_are_classified_correctly(params, distance):
    classifier = small(distance=distance, **params).fit(*make_clips())
    X, y = make_clips(seed=1)
    assert classifier.score(X, y) == 1.0


def test_array_and_list_of_spectrograms_are_equivalent():
    X, y = make_clips(lengths=(50,))
    a, b = small().fit(X, y), small().fit(np.stack(X), y)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(np.stack(X)))


@pytest.mark.parametrize("params", [{}, pytest.param(VGG, marks=pytest.mark.slow)], ids=["default", "vgg"])
def test_two_fits_are_identical(params):
    X, y = make_clips()
    a, b = small(**params).fit(X, y), small(**params).fit(X, y)
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))


def test_another_random_state_gives_another_network():
    X, y = make_clips()
    a, b = small().fit(X, y), small(random_state=1).fit(X, y)
    assert not np.allclose(a.prototypes_, b.prototypes_)


def test_fit_does_not_change_global_random_state_and_parameters():
    X, y = make_clips()
    classifier = small(random_state=3)
    params = classifier.get_params()
    torch_state, numpy_state = torch.get_rng_state(), np.random.mtrand._rand.get_state()[1].copy()
    classifier.fit(X, y)
    np.testing.assert_array_equal(np.random.mtrand._rand.get_state()[1], numpy_state)
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert classifier.get_params() == params


def test_prototypes_are_the_means_of_the_clips_embeddings():
    X, y = make_clips()
    classifier = small().fit(X, y)
    embeddings = classifier.transform(X)
    assert embeddings.shape == (12, 256)
    means = [embeddings[y == label].mean(axis=0) for label in LABELS]
    np.testing.assert_allclose(classifier.prototypes_, means, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("distance", ["euclidean", "cosine"])
def test_probabilities_are_the_softmax_of_negative_distances(distance):
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((9, 5)), np.repeat(LABELS, 3)
    classifier = PrototypicalClassifier(distance=distance).fit(X, y)
    means = np.stack([X[y == label].mean(axis=0) for label in LABELS])
    if distance == "euclidean":
        logits = -euclidean_distances(X, means, squared=True) / 5
    else:
        logits = -cosine_distances(X, means)
    expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(classifier.predict_proba(X), expected)


def test_clip_score_is_the_normalised_mean_of_its_patches_log_probabilities():
    X, y = make_clips(lengths=(64,))
    classifier = small(patch_frames=32, hop_frames=32).fit(X, y)
    halves = [classifier.predict_log_proba([X[0][:, part]]) for part in (slice(32), slice(32, 64))]
    mean = np.mean(halves, axis=0)
    np.testing.assert_allclose(
        classifier.predict_proba(X[:1]), np.exp(mean) / np.exp(mean).sum(), rtol=1e-4, atol=1e-7
    )


def test_partial_fit_equals_a_fit_to_all_clips():
    rng = np.random.default_rng(0)
    X, y = rng.standard_normal((12, 4)), np.tile(LABELS, 4)
    whole = PrototypicalClassifier().fit(X, y)
    parts = PrototypicalClassifier().partial_fit(X[:5], y[:5]).partial_fit(X[5:], y[5:])
    np.testing.assert_allclose(parts.prototypes_, whole.prototypes_)
    assert parts.class_count_.tolist() == [4, 4, 4]


def test_partial_fit_adds_a_class_without_changing_the_others():
    X, y = make_clips()
    old = y != "horn"
    classifier = small().fit([x for x, keep in zip(X, old, strict=True) if keep], y[old])
    before = dict(zip(classifier.classes_, classifier.prototypes_, strict=True))
    weights = [p.clone() for p in classifier.net_.module_.parameters()]
    classifier.partial_fit([x for x, keep in zip(X, old, strict=True) if not keep], y[~old])
    assert classifier.classes_.tolist() == ["bark", "horn", "siren"]
    np.testing.assert_array_equal(classifier.prototypes_[[0, 2]], [before["bark"], before["siren"]])
    assert all(torch.equal(a, b) for a, b in zip(weights, classifier.net_.module_.parameters(), strict=True))
    assert classifier.score(X, y) == 1.0


def test_partial_fit_refuses_a_label_that_is_not_in_classes():
    with pytest.raises(ValueError, match=r"labels that classes lacks: \['siren'\]"):
        PrototypicalClassifier().partial_fit([[0.0], [1.0]], ["bark", "siren"], classes=["bark", "horn"])


def test_pickle_predicts_the_same():
    X, y = make_clips()
    classifier = small(patience=2).fit(X, y)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(classifier)).predict_proba(X), classifier.predict_proba(X)
    )


def test_clone_refits_on_another_shape():
    X, y = make_clips()
    classifier = small().fit(X, y)
    X, y = make_clips(n_mels=45, lengths=(90,))
    assert clone(classifier).fit(X, y).n_features_in_ == 45
    assert classifier.fit(X, y).patch_frames_ == 90


def test_one_clip_per_class_and_one_frame_per_clip():
    X, y = make_clips(n_per_class=1, lengths=(1,))
    assert small().fit(X, y).predict(X).shape == (3,)


def test_one_clip_per_class_keeps_the_initial_network():
    X, y = make_clips(n_per_class=1)
    trained, drawn = small().fit(X, y), small(max_epochs=0).fit(X, y)
    np.testing.assert_array_equal(trained.prototypes_, drawn.prototypes_)
    assert len(trained.history_) == 0


def test_class_with_one_clip_has_a_prototype_but_no_queries():
    X, y = make_clips()
    history = small().fit(X[:9], y[:9]).history_
    assert len(history) == 3
    drawn = episodes(4)
    drawn.patches_by_class[2] = drawn.patches_by_class[2][:1]
    batch, target = drawn[0]
    assert len(batch) == 15 + 10
    assert set(target.tolist()) == {0, 1}


def test_silence_is_classified():
    X, y = make_clips()
    X[0] = np.zeros_like(X[0])
    proba = small().fit(X, y).predict_proba([np.zeros((32, 50))])
    assert np.isfinite(proba).all()


def test_history_has_one_entry_per_epoch_and_the_loss_falls():
    history = small(max_epochs=10).fit(*make_clips()).history_
    assert len(history) == 10
    assert history[-1, "train_loss"] < history[0, "train_loss"]


def test_zero_epochs_keep_the_initial_network():
    classifier = small(max_epochs=0).fit(*make_clips())
    assert len(classifier.history_) == 0


def test_patience_stops_after_epochs_without_a_better_training_accuracy():
    history = small(patience=3, max_epochs=50).fit(*make_clips()).history_
    accuracy = history[:, "train_accuracy"]
    best = accuracy.index(max(accuracy))
    assert len(accuracy) == best + 1 + 3


def test_callback_can_stop_the_training():
    from skorch.callbacks import EarlyStopping

    stop = EarlyStopping(
        monitor="train_loss", patience=2, threshold=1e9, threshold_mode="abs", sink=lambda _: None
    )
    assert len(small(max_epochs=50, callbacks=[("stop", stop)]).fit(*make_clips()).history_) < 50


def test_interrupt_by_the_user_is_raised():
    from skorch.callbacks import Callback

    class Interrupt(Callback):
        def on_batch_end(self, net, **kwargs):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        small(callbacks=[Interrupt()]).fit(*make_clips())


def test_default_epoch_of_the_paper_is_training_patches_over_query_patches():
    X, y = make_clips(n_per_class=4, lengths=(64,))  # 3 patches a clip: 36 in all, 3 x 5 queries
    classifier = small(**(VGG | {"updates_per_epoch": None, "max_epochs": 1})).fit(X, y)
    assert len(classifier.history_[0, "batches"]) == 2


def test_fixed_support_determines_the_prototypes():
    X, y = make_clips(n_per_class=7)
    classifier = small(**VGG, fixed_support=True, recalibrate=False).fit(X, y)
    assert classifier.class_count_.tolist() == [5, 5, 5]


def test_preset_has_the_settings_of_the_paper_and_can_be_overridden():
    classifier = PrototypicalClassifier.from_preset("few-data", max_epochs=1)
    assert classifier.max_epochs == 1
    assert classifier.patience == 200
    assert classifier.optimizer is torch.optim.SGD
    with pytest.raises(
        ValueError, match=r"preset .x. is not known; expected one of \['few-data', 'few-data-transfer'\]"
    ):
        PrototypicalClassifier.from_preset("x")


def test_preset_runs_with_the_papers_network():
    X, y = make_clips(n_per_class=2, n_mels=64, lengths=(64,))
    classifier = PrototypicalClassifier.from_preset(
        "few-data", max_epochs=1, patch_frames=32, random_state=0
    ).fit(X, y)
    assert classifier.prototypes_.shape == (3, 10)
    assert classifier.net_.module_.architecture.trunk.conv5.weight.shape == (128, 128, 3, 3)


def episodes(n_clips, **params):
    patches = [[np.array([10 * c + i, 100 + 10 * c + i]) for i in range(n_clips)] for c in range(3)]
    defaults = {"n_support": 5, "n_query": 5, "fixed_support": False, "n_updates": 1}
    return Episodes(torch.from_numpy, patches, **(defaults | params), random_state=np.random.RandomState(0))


def test_support_and_queries_come_from_different_clips():
    drawn = episodes(4)
    for _ in range(20):
        batch, _ = drawn[0]
        support, query = (set((part % 100).tolist()) for part in (batch[:15], batch[15:]))
        assert not support & query


def test_queries_of_an_episode_are_labelled_with_their_classes():
    batch, target = episodes(4)[0]
    np.testing.assert_array_equal(target, (batch[15:] % 100) // 10)


def test_fixed_support_does_not_change_and_holds_every_clip_once():
    drawn = episodes(8, fixed_support=True)
    a, b = drawn[0][0][:15], drawn[1][0][:15]
    assert torch.equal(a, b)
    assert len(set((a % 100).tolist())) == 15


def test_fixed_support_is_limited_by_the_smallest_class():
    assert episodes(2, fixed_support=True).n_support == 2


@pytest.mark.parametrize(
    ("X", "match"),
    [
        ([np.zeros((4, 9)), np.zeros((5, 9))], "clip 1 has 5 bands where clip 0 has 4"),
        ([np.zeros((4, 9)), np.zeros(9)], r"clip 1 has shape \(9,\)"),
        ([np.zeros((4, 9)), np.zeros((4, 0))], r"clip 1 has shape \(4, 0\)"),
        ([np.zeros((4, 9)), np.full((4, 9), np.nan)], "clip 1 holds NaN or infinity"),
        (["a.wav", "b.wav"], "put a transformer before it"),
        ([np.zeros(3), np.zeros(4)], "put a transformer before it"),
    ],
)
def test_invalid_spectrograms_are_refused_with_a_reason(X, match):
    with pytest.raises(ValueError, match=match):
        small().fit(X, ["a", "b"])


def test_other_number_of_bands_is_refused():
    classifier = small().fit(*make_clips())
    with pytest.raises(ValueError, match="X has 16 features, but PrototypicalClassifier is expecting 32"):
        classifier.predict([np.zeros((16, 40))])


def test_refit_on_vectors_removes_the_network():
    classifier = small().fit(*make_clips()).fit(np.eye(3), LABELS)
    assert classifier.net_ is None
    assert classifier.predict(np.eye(3)).tolist() == LABELS.tolist()


def test_architecture_can_be_a_plain_module():
    def build(n_outputs, *, n_mels, n_frames):
        return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(n_mels * n_frames, n_outputs))

    X, y = make_clips()
    assert small(architecture=build).fit(X, y).score(X, y) == 1.0


def test_vectors_are_refused_where_spectrograms_were_fitted():
    classifier = small().fit(*make_clips())
    with pytest.raises(ValueError, match="X holds feature vectors, and fit was given the other kind"):
        classifier.predict(np.zeros((2, 32)))


def test_architecture_for_feature_vectors_is_refused():
    with pytest.raises(ValueError, match="architecture='vgg' takes spectrograms"):
        small(architecture="vgg").fit(np.eye(4), [0, 0, 1, 1])


def test_unknown_architecture_lists_the_known_ones():
    with pytest.raises(ValueError, match="vgg"):
        small(architecture="vg").fit(*make_clips())


def test_diverging_training_is_an_error():
    with pytest.raises(ValueError, match="lower learning_rate"):
        small(optimizer=torch.optim.SGD, learning_rate=1e38, max_epochs=5).fit(*make_clips())


def test_architecture_can_be_a_class_or_a_function():
    from skfewaudio.architectures import PooledFilters

    X, y = make_clips()
    by_class = small(architecture=PooledFilters).fit(X, y)
    by_function = small(architecture=lambda n_outputs, **shape: PooledFilters(n_outputs, **shape)).fit(X, y)
    np.testing.assert_array_equal(by_class.prototypes_, by_function.prototypes_)
