"""Fitted models that serve from several threads, in forked processes, and from memory-mapped files."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import joblib
import numpy as np
import pytest
import torch
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import (
    MFCC,
    AugmentedClassifier,
    CalibratedRidgeClassifier,
    ELMClassifier,
    LogMel,
    PatchClassifier,
    PrototypicalClassifier,
    RandomCNNFeatures,
    SkorchCNN,
    SpectrogramStatistics,
    SubsampledClassifier,
    load_model,
    make_few_shot_classifier,
    save_model,
)
from skfewaudio.augmentation import TimeStretch

RATE = 8000
T = np.arange(RATE // 2) / RATE
TONES = np.sin(2 * np.pi * np.array([300, 330, 360, 1500, 1600, 1700])[:, None] * T)
X = (0.3 * TONES + 0.03 * np.random.default_rng(0).standard_normal(TONES.shape)).astype(np.float32)
Y = np.repeat(["low", "high"], 3)
LOG_MEL = LogMel(sample_rate=RATE, n_mels=32, hop_length=256)
VECTORS = MFCC(sample_rate=RATE)
STATISTICS = make_pipeline(SpectrogramStatistics(), CalibratedRidgeClassifier())

CLASSIFIERS = {
    "SkorchCNN": (LOG_MEL, SkorchCNN("timbre", patch_frames=16, max_epochs=3, random_state=0)),
    "SkorchCNN of vectors": (VECTORS, SkorchCNN(max_epochs=3, random_state=0)),
    "PrototypicalClassifier": (LOG_MEL, PrototypicalClassifier(max_epochs=2, random_state=0)),
    "PrototypicalClassifier of vectors": (VECTORS, PrototypicalClassifier()),
    "ELMClassifier": (VECTORS, StandardScaler(), ELMClassifier(50, random_state=0)),
    "CalibratedRidgeClassifier": (VECTORS, CalibratedRidgeClassifier()),
    "PatchClassifier": (LOG_MEL, PatchClassifier(patch_frames=4)),
    "AugmentedClassifier": (
        LOG_MEL,
        AugmentedClassifier(STATISTICS, augmentation=TimeStretch(), random_state=0),
    ),
    "SubsampledClassifier": (
        LOG_MEL,
        SubsampledClassifier(PrototypicalClassifier(max_epochs=2, random_state=0), n_shots=2),
    ),
    "few-shot classifier": (make_few_shot_classifier(sample_rate=RATE),),
    "RandomCNNFeatures": (
        RandomCNNFeatures("musically_motivated", n_filters=4, sample_rate=RATE),
        CalibratedRidgeClassifier(),
    ),
}
every_classifier = pytest.mark.parametrize("name", CLASSIFIERS)
pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="other systems do not fork by default"),
    pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def two_torch_threads():
    """Let torch use two threads, without which no fork can hang."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Function that returns the file of a fitted model."""
    folder = tmp_path_factory.mktemp("models")

    def save(name):
        path = folder / name.replace(" ", "-")
        if not path.exists():
            save_model(make_pipeline(*CLASSIFIERS[name]).fit(X, Y), path)
        return path

    return save


def scores(model, clips):
    return model.predict_proba(clips) if hasattr(model, "predict_proba") else model.decision_function(clips)


def serve(model, n_threads, n_calls):
    """Predict one clip after the other in several threads, which all begin at once."""
    barrier = Barrier(n_threads)

    def call(thread):
        barrier.wait()
        return np.stack([scores(model, X[[(thread + i) % len(X)]])[0] for i in range(n_calls)])

    with ThreadPoolExecutor(n_threads) as pool:
        return list(pool.map(call, range(n_threads)))


def check_serving(path, *, n_loads, n_calls):
    expected = scores(load_model(path), X)
    for _ in range(n_loads):
        for thread, found in enumerate(serve(load_model(path), 8, n_calls)):
            served = (thread + np.arange(n_calls)) % len(X)
            np.testing.assert_allclose(found, expected[served], rtol=0, atol=1e-6)


@every_classifier
def test_loaded_model_serves_from_threads(name, saved):
    check_serving(saved(name), n_loads=1, n_calls=2)


@pytest.mark.long
@every_classifier
def test_loaded_model_serves_from_threads_again_and_again(name, saved):
    check_serving(saved(name), n_loads=20, n_calls=50)


AFTER_FORK = """
import json, multiprocessing, sys
import numpy as np
import joblib

X, y, refits = joblib.load(sys.argv[1])
context = multiprocessing.get_context("fork")
for path in sys.argv[2:]:
    model = joblib.load(path)
    method = model.predict_proba if hasattr(model, "predict_proba") else model.decision_function
    expected = method(X)
    receiver, sender = context.Pipe(duplex=False)
    def predict():
        if refits:
            model.fit(X, y)
        sender.send(method(X))
    process = context.Process(target=predict, daemon=True)
    process.start()
    ends = receiver.poll(60)
    print(json.dumps([ends, float(np.abs(receiver.recv() - expected).max()) if ends else None]), flush=True)
    process.kill()
"""


def run_after_fork(models, folder, *, refits):
    """Return for each model whether predictions of a forked process end, and how far they are off.

    A process of their own forks, since other tests may leave threads that hold locks.
    """
    joblib.dump((X, Y, refits), folder / "clips")
    paths = [str(folder / str(i)) for i in range(len(models))]
    for model, path in zip(models, paths, strict=True):
        joblib.dump(model, path)
    command = [sys.executable, "-W", "ignore", "-c", AFTER_FORK, str(folder / "clips"), *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return dict(zip(CLASSIFIERS, map(json.loads, done.stdout.splitlines()), strict=True))


@pytest.fixture(scope="module")
def predicted_after_fork(saved, tmp_path_factory):
    models = [load_model(saved(name)) for name in CLASSIFIERS]
    return run_after_fork(models, tmp_path_factory.mktemp("fork"), refits=False)


@pytest.fixture(scope="module")
def fitted_after_fork(tmp_path_factory):
    models = [make_pipeline(*CLASSIFIERS[name]).fit(X, Y) for name in CLASSIFIERS]
    return run_after_fork(models, tmp_path_factory.mktemp("fork"), refits=True)


@every_classifier
def test_predict_after_a_fork_ends_and_is_right(name, predicted_after_fork):
    ends, difference = predicted_after_fork[name]
    assert ends, "the forked process does not end"
    assert difference <= 1e-6


@pytest.mark.slow
@every_classifier
def test_fit_after_a_fork_ends_and_is_right(name, fitted_after_fork):
    ends, difference = fitted_after_fork[name]
    assert ends, "the forked process does not end"
    assert difference <= 1e-6


@every_classifier
def test_memory_mapped_model_predicts_without_a_warning(name, saved, tmp_path):
    model = load_model(saved(name))
    joblib.dump(model, tmp_path / "model.joblib")
    mapped = joblib.load(tmp_path / "model.joblib", mmap_mode="r")
    np.testing.assert_allclose(scores(mapped, X), scores(model, X), rtol=0, atol=1e-6)
