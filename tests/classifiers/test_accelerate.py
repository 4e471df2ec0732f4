"""Training of one network by several processes with Accelerate."""

import json
import os
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from skfewaudio import SkorchCNN

accelerate = pytest.importorskip("accelerate")

SETTINGS = {
    "max_epochs": 10,
    "patch_frames": 20,
    "batch_size": 16,
    "learning_rate": 0.05,
    "patience": 4,
    "random_state": 0,
}
# Script of every process. The clips differ in length, so positions are drawn from different ranges.
SCRIPT = """
import json, os, sys
from functools import partial
import numpy as np
from accelerate import Accelerator
from skfewaudio import SkorchCNN

rng = np.random.default_rng(0)
y = np.arange(41) % 2
X = [rng.normal(size=(16, 20 + 3 * (i % 7))) for i in range(41)]
for clip, label in zip(X, y):
    clip[:8] += label
model = SkorchCNN("timbre", accelerator=partial(Accelerator, cpu=True), **json.loads(sys.argv[1])).fit(X, y)
found = {"proba": model.predict_proba(X).tolist(), "losses": model.history_[:, "train_loss"],
         "accuracy": model.score(X, y)}
with open(f"{sys.argv[2]}/{os.environ['RANK']}.json", "w") as file:
    json.dump(found, file)
"""


@pytest.fixture
def clips():
    X = np.random.default_rng(0).normal(size=(20, 16, 30))
    y = np.arange(20) % 2
    X[y == 1, :8] += 1
    return X, y


@pytest.fixture
def accelerated():
    return SkorchCNN("timbre", accelerator=partial(accelerate.Accelerator, cpu=True), **SETTINGS)


def test_one_process_trains_as_without_an_accelerator(accelerated, clips):
    plain = SkorchCNN("timbre", device="cpu", **SETTINGS).fit(*clips)
    np.testing.assert_array_equal(
        accelerated.fit(*clips).predict_proba(clips[0]), plain.predict_proba(clips[0])
    )


def test_fitted_classifier_can_be_pickled(accelerated, clips):
    before = accelerated.fit(*clips).predict_proba(clips[0])
    after = pickle.loads(pickle.dumps(accelerated)).predict_proba(clips[0])
    np.testing.assert_array_equal(after, before)


def test_nothing_is_printed_unless_verbose(accelerated, clips, capsys):
    accelerated.fit(*clips)
    assert capsys.readouterr().out == ""
    accelerated.set_params(verbose=1).fit(*clips)
    assert "train_loss" in capsys.readouterr().out


@pytest.mark.slow
def test_two_processes_train_one_network(tmp_path):
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    launch = [sys.executable, "-W", "error::UserWarning", "-m", "torch.distributed.run", "--standalone"]
    subprocess.run(
        [*launch, "--nproc_per_node=2", str(script), json.dumps(SETTINGS), str(tmp_path)],
        check=True,
        timeout=300,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    first, second = (json.loads((tmp_path / f"{rank}.json").read_text()) for rank in (0, 1))
    assert first == second
    assert first["losses"][-1] < first["losses"][0]
    assert first["accuracy"] > 0.9
