"""A loaded model predicts bit-identically to the saved model."""

from math import prod

import numpy as np
import pytest
import torch
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfewaudio import (
    MFCC,
    ELMClassifier,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    RandomCNNFeatures,
    SkorchCNN,
    SubsampledClassifier,
    VGGishEmbed,
    load_model,
    save_model,
)
from skfewaudio.architectures import VGGish
from skfewaudio.persistence import read_card
from skfewaudio.plugins import ARCHITECTURES

SAMPLE_RATE = 8000


def log_mel():
    return LogMel(sample_rate=SAMPLE_RATE, n_fft=512, hop_length=64, n_mels=32, fmax=None)


def small_cnn(**params):
    defaults = {"architecture": "vgg", "architecture_params": {"n_filters": 4}, "patch_frames": 32}
    return SkorchCNN(**(defaults | {"max_epochs": 2, "random_state": 0} | params))


def prototypes(**params):
    return PrototypicalClassifier(**({"max_epochs": 2, "patch_frames": 32, "random_state": 0} | params))


def scores(model, X):
    """Return probabilities if the model has them, decision values otherwise."""
    return (model.predict_proba if hasattr(model, "predict_proba") else model.decision_function)(X)


def reload(model, path, **params):
    save_model(model, path)
    return load_model(path, **params)


def mfcc():
    return MFCC(sample_rate=SAMPLE_RATE)


def patches():
    svm = make_pipeline(StandardScaler(), SVC(random_state=0))
    return PatchClassifier(svm, patch_frames=4, aggregation="vote")


MODELS = {
    "cnn": lambda: make_pipeline(log_mel(), small_cnn()),
    "cnn in mixed precision": lambda: make_pipeline(log_mel(), small_cnn(mixed_precision=True)),
    "cnn on vectors": lambda: make_pipeline(mfcc(), SkorchCNN(max_epochs=2, random_state=0)),
    "prototypes": lambda: make_pipeline(log_mel(), prototypes()),
    "prototypes without a network": lambda: make_pipeline(log_mel(), prototypes(architecture=None)),
    "prototypes of vectors": lambda: make_pipeline(mfcc(), PrototypicalClassifier()),
    "elm": lambda: make_pipeline(mfcc(), StandardScaler(), ELMClassifier(30, random_state=0)),
    "patches": lambda: make_pipeline(log_mel(), patches()),
    "few shots": lambda: SubsampledClassifier(make_pipeline(log_mel(), small_cnn()), n_shots=2),
    "random cnn": lambda: make_pipeline(
        RandomCNNFeatures("single_layer", n_filters=4, sample_rate=SAMPLE_RATE), LogisticRegression()
    ),
    "neighbours": lambda: make_pipeline(mfcc(), KNeighborsClassifier(1)),
}


@pytest.mark.parametrize("name", MODELS)
def test_predictions_of_a_loaded_model_are_bit_identical(name, clips, path):
    X, y = clips
    model = MODELS[name]().fit(X, y)
    loaded = reload(model, path)
    np.testing.assert_array_equal(scores(loaded, X), scores(model, X))
    np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


@pytest.mark.parametrize("name", MODELS)
def test_loaded_model_can_be_cloned_and_fitted_again(name, clips, path):
    X, y = clips
    model = MODELS[name]().fit(X, y)
    loaded = reload(model, path)
    expected = scores(model, X)
    np.testing.assert_array_equal(scores(clone(loaded).fit(X, y), X), expected)
    np.testing.assert_array_equal(scores(loaded.fit(X[::-1], y[::-1]).fit(X, y), X), expected)


SIZES = {
    "linear_probe": (32, 4),
    "small_filters": (96, 1280),
    **dict.fromkeys(("sample_level", "frame_level", "frame_level_many_shapes"), (1, 8000)),
}
SIXTY_FOUR_BY_96 = ("alexnet", "fully_connected", "inception_v3", "resnet50", "vgg_e", "vggish")
LARGE = ("alexnet", "inception_v3", "resnet50", "vgg_e", "vggish")  # 85 MB and more


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=pytest.mark.slow) if n in LARGE else n for n in ARCHITECTURES.names()],
)
def test_network_of_each_architecture_is_restored_bit_identically(name, path):
    n_mels, n_frames = SIZES.get(name, (64, 96) if name in SIXTY_FOUR_BY_96 else (96, 128))
    X = np.random.default_rng(0).normal(size=(2, n_mels, n_frames)).astype(np.float32)
    cnn = SkorchCNN(name, patch_frames=n_frames, max_epochs=0, random_state=0).fit(X, ["a", "b"])
    np.testing.assert_array_equal(reload(cnn, path).predict_proba(X), cnn.predict_proba(X))


def test_embeddings_prototypes_and_history_are_kept(clips, path):
    X, y = clips
    X = log_mel().fit_transform(X)
    model = prototypes().fit(X, y)
    loaded = reload(model, path)
    np.testing.assert_array_equal(loaded.transform(X), model.transform(X))
    np.testing.assert_array_equal(loaded.prototypes_, model.prototypes_)
    assert loaded.history_ == model.history_
    assert loaded.history_[:, "train_loss"] == model.history_[:, "train_loss"]


def test_loaded_prototypes_learn_a_new_class(clips, path):
    X, y = clips
    X = log_mel().fit_transform(X)
    model = prototypes().fit(X, y)
    loaded = reload(model, path)
    assert loaded.partial_fit(X[:1], ["rain"]).classes_.tolist() == ["horn", "rain", "wind"]


def test_fine_tuned_network_is_restored_with_its_source(clips, path):
    X, y = clips
    X = log_mel().fit_transform(X)
    model = small_cnn(architecture=small_cnn().fit(X, y), architecture_params=None).fit(X, y[::-1])
    loaded = reload(model, path)
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(loaded.architecture.predict_proba(X), model.architecture.predict_proba(X))


def test_warm_start_continues_from_a_loaded_network(clips, path):
    X, y = clips
    X = log_mel().fit_transform(X)
    model = small_cnn(warm_start=True, backbone_learning_rate=0).fit(X, y)
    loaded = reload(model, path)
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), model.fit(X, y).predict_proba(X))


def test_network_is_rebuilt_as_fitted_after_parameters_have_changed(clips, path):
    X, y = clips
    X = log_mel().fit_transform(X)
    model = small_cnn().fit(X, y)
    expected = model.predict_proba(X)
    loaded = reload(model.set_params(architecture="linear_probe", architecture_params=None), path)
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)


@pytest.fixture(scope="module")
def vggish_weights(tmp_path_factory):
    """File of random VGGish weights."""
    rng, state = np.random.default_rng(0), VGGish(2).trunk.state_dict()
    for name, tensor in state.items():
        scale = np.sqrt(2 / prod(tensor.shape[1:])) if tensor.ndim > 1 else 0.01
        state[name] = torch.from_numpy(scale * rng.standard_normal(tensor.shape, dtype=np.float32))
    file = tmp_path_factory.mktemp("weights") / "vggish.pth"
    torch.save(state, file)
    return file


@pytest.mark.slow
def test_fine_tuned_vggish_loads_without_the_weights_file(vggish_weights, path, tmp_path):
    X = np.random.default_rng(0).normal(size=(2, 64, 96)).astype(np.float32)
    own = vggish_weights.rename(tmp_path / "own.pth")
    cnn = SkorchCNN("vggish", weights=own, max_epochs=1, random_state=0, learning_rate=1e-4).fit(
        X, ["a", "b"]
    )
    own.rename(vggish_weights)
    np.testing.assert_array_equal(reload(cnn, path).predict_proba(X), cnn.predict_proba(X))
    assert path.stat().st_size < 4 * 72_141_442 * 1.001


@pytest.mark.slow
def test_vggish_embedder_reads_the_weights_file_again(vggish_weights, path, clips):
    X, y = clips
    X = np.repeat(X, 4, axis=1)
    model = make_pipeline(VGGishEmbed(vggish_weights), LogisticRegression()).fit(X, y)
    np.testing.assert_array_equal(reload(model, path).predict_proba(X), model.predict_proba(X))


def test_real_recordings_are_classified_bit_identically(shared_data, path):
    from skfewaudio.datasets import load_esc50

    dataset = load_esc50(data_home=shared_data / "data", subset="esc10")
    X, y = dataset.X[:40:2], dataset.y[:40:2]
    model = make_pipeline(LogMel(n_mels=32), prototypes()).fit(X, y)
    np.testing.assert_array_equal(reload(model, path).predict_proba(X), model.predict_proba(X))


def test_file_size_is_four_bytes_per_parameter(path):
    X = np.random.default_rng(0).normal(size=(4, 96, 128)).astype(np.float32)
    save_model(SkorchCNN("sb_cnn", max_epochs=0).fit(X, list("aabb")), path)
    n_bytes = 4 * read_card(path)["n_parameters"]
    assert n_bytes < path.stat().st_size < n_bytes + 40_000


def test_sparse_attributes_are_restored(path):
    X = csr_array(np.random.default_rng(0).normal(size=(8, 500)))
    model = SVC(kernel="linear").fit(X, list("abababab"))
    loaded = reload(model, path, trusted=["scipy.sparse._csr.csr_matrix"])
    np.testing.assert_array_equal(loaded.decision_function(X), model.decision_function(X))
