"""Models with every estimator load without trust and predict the same; forged ones crash nothing."""

import importlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import warnings
from itertools import cycle, islice
from pathlib import Path
from select import select

import numpy as np
import pytest

from skfewaudio import load_model, save_model
from skfewaudio.persistence._states.known import STATES

HERE = Path(__file__).parent
LIMIT_SECONDS, LIMIT_BYTES = 10, 2**30
PATIENCE = 120  # seconds of wall time, on a machine with other work
# Models with a network, or whose fit takes long.
SLOW = {
    *("few-shot", "augmented", "svc probability", "log-mel cnn", "musically motivated", "logistic cv"),
    *("prototypes", "cnn", "cnn tags"),
}


@pytest.fixture
def forged(monkeypatch):
    """The modules with the models and with the functions that forge them."""
    monkeypatch.syspath_prepend(HERE)
    return importlib.import_module("forged_models"), importlib.import_module("forged_states")


def model_names():
    """List the names of the models without importing them."""
    lines = (HERE / "forged_models.py").read_text().split("MODELS = {")[1].split("\n}")[0].splitlines()
    return [line.split('"')[1] for line in lines if line.startswith('    "')]


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in model_names()]
)
def test_model_loads_without_trust_and_predicts_the_same(name, forged, path):
    models, states = forged
    pickled, X = models.fit_models([name])[name]
    save_model(pickle.loads(pickled), path)
    loaded, model = load_model(path), pickle.loads(pickled)
    for method in states.METHODS:
        if hasattr(model, method):
            states.use(loaded, X)
            assert hasattr(loaded, method)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if hasattr(model, "predict") and "dummy" not in name:
            np.testing.assert_array_equal(loaded.predict(X), model.predict(X))


def test_models_have_every_class_that_loads_without_trust(forged):
    # Their trees need trust.
    trees = ("sklearn.tree._classes.", "sklearn.ensemble._forest.")
    names = {name for name in STATES if not name.startswith(trees)}
    source = (HERE / "forged_models.py").read_text()
    assert [
        name for name in names if name.rpartition(".")[2].strip("_") not in source and name not in INDIRECT
    ] == []


# In the state of other estimators, parameters of splits, or without a fit.
INDIRECT = {
    name
    for name in STATES
    if name.startswith(("sklearn.model_selection._split", "sklearn.metrics", "sklearn.utils"))
}
OWN_PARTS = (
    *("skfewaudio.augmentation", "skfewaudio.classifiers._ridge", "skfewaudio.classifiers._kept_clips"),
)
INDIRECT |= {name for name in STATES if name.startswith(OWN_PARTS)}
INDIRECT |= {
    *("sklearn.multiclass._ConstantPredictor", "sklearn.calibration._CalibratedClassifier"),
    *("sklearn.calibration._SigmoidCalibration", "sklearn.calibration._TemperatureScaling"),
    "skfewaudio.features._vggish.VGGishEmbed",
    "skfewaudio.features._pretrained_embed.PretrainedEmbed",
    "skfewaudio.features._spectrogram_with_embeddings.SpectrogramWithEmbeddings",
}


def test_forged_models_predict_or_are_refused(forged, path):
    models, states = forged
    names = ("neighbours manhattan", "svc", "calibrated ridge", "pipeline", "elm")
    fitted = models.fit_models(names)
    for seed, name in enumerate(islice(cycle(names), 60)):
        pickled, X = fitted[name]
        try:
            states.write_forged(pickled, path, np.random.default_rng(seed))
        except Exception:  # not every state can be written
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            result, message = states.load_and_use(path, X)
        assert result in ("refused", "used"), (name, seed, message)


@pytest.mark.parametrize(("name", "number"), [("embedding", 7), ("order", 7), ("mfcc", 10**6)])
def test_model_of_a_forged_number_of_bands_or_samples_is_used_on_such_clips(name, number, forged, path):
    models, states = forged
    pickled, X = models.fit_models([name])[name]
    model = pickle.loads(pickled)
    model[0].n_features_in_ = number
    save_model(model, path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert states.load_and_use(path, X) == ("used", "")


class Worker:
    """Process that forges, loads and uses files; a crash or a hang ends only this process."""

    def __init__(self, tmp_path, guard):
        environment = os.environ | {"OMP_NUM_THREADS": "1"}
        if guard is not None:
            environment |= {"LD_PRELOAD": str(guard), "GUARD": str(guard)}
        self.command = [sys.executable, str(HERE / "forged_states.py"), str(tmp_path / "forged.model")]
        self.environment = environment
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=self.environment
        )
        self.names = json.loads(self.process.stdout.readline())

    def run(self, name, seed):
        """Return the result, the message, seconds and bytes of one file."""
        self.process.stdin.write(json.dumps([name, seed]) + "\n")
        self.process.stdin.flush()
        is_ready = select([self.process.stdout], [], [], PATIENCE)[0]
        line = self.process.stdout.readline() if is_ready else ""
        if line:
            return json.loads(line)[2:]
        self.stop()
        self.start()
        return ("crashed" if is_ready else "never ended", "", 0, 0)

    def stop(self):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def guard(tmp_path):
    """Library that ends a process at any access outside of its memory, or None without a C compiler."""
    compiler = shutil.which("cc")
    if compiler is None or not sys.platform.startswith("linux"):
        return None
    library = tmp_path / "guard.so"
    command = [compiler, "-O2", "-shared", "-fPIC", "-o", library, HERE / "guarded_memory.c", "-ldl"]
    subprocess.run(command, check=True)
    return library


def attack(tmp_path, guard, n_files):
    """Forge files from all models, and return those that were neither refused nor used within the limits."""
    worker, wrong, n_done = Worker(tmp_path, guard), [], 0
    try:
        for seed, name in enumerate(cycle(worker.names)):
            result, message, seconds, n_bytes = worker.run(name, seed)
            is_right = result in ("refused", "used", "unwritable")
            if not is_right or seconds > LIMIT_SECONDS or n_bytes > LIMIT_BYTES:
                wrong.append((name, seed, result, message, seconds, n_bytes))
            n_done += result != "unwritable"
            if n_done == n_files:
                return wrong
    finally:
        worker.stop()


@pytest.mark.slow
def test_guard_finds_accesses_behind_an_array(guard):
    if guard is None:
        pytest.skip("needs a C compiler on Linux")
    code = (
        "import ctypes, sys, numpy as np\n"
        "ctypes.CDLL(sys.argv[1]).guard_memory(1)\n"
        "held = [np.empty(80, np.uint8) for _ in range(20)]\n"
        "array = np.empty(5000)\n"
        "print(ctypes.c_double.from_address(array.ctypes.data + 8 * int(sys.argv[2])).value)\n"
    )
    for index, ends in ((4999, False), (6000, True)):
        command = [sys.executable, "-c", code, str(guard), str(index)]
        done = subprocess.run(command, env=os.environ | {"LD_PRELOAD": str(guard)}, capture_output=True)
        assert (done.returncode != 0) == ends


@pytest.mark.slow
def test_hundreds_of_forged_models_crash_nothing(tmp_path, guard):
    assert attack(tmp_path, guard, 200) == []


@pytest.mark.long
def test_ten_thousand_forged_models_crash_nothing(tmp_path, guard):
    assert attack(tmp_path, guard, 10_000) == []
