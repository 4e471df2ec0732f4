"""Models of other versions and of devices that are not here, and what is imported when."""

import subprocess
import sys
import warnings

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

from skfewaudio import load_model, save_model
from skfewaudio.exceptions import ModelFileWarning
from skfewaudio.persistence import _load


@pytest.mark.parametrize(
    ("package", "version", "warns"),
    [
        ("torch", "1.0.0", True),
        ("scikit-learn", "0.24", True),
        ("skfewaudio", "9.0.0", True),
        ("torch", None, False),
    ],
)
def test_other_versions_are_named(package, version, warns, saved, monkeypatch):
    # Another last number is no other version.
    here = version or ".".join([*torch.__version__.split(".")[:2], "99"])
    monkeypatch.setitem(_load.VERSIONS, package, here)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load_model(saved)
    told = [str(warning.message) for warning in caught if warning.category is ModelFileWarning]
    assert [f"{package} " in text and f"(here {here})" in text for text in told] == [True] * warns


def test_model_of_a_device_that_is_not_here_comes_to_the_cpu(clips, log_mel, small_cnn, path):
    X, y = clips
    model = make_pipeline(clone(log_mel), small_cnn()).fit(X, y)
    expected = model.predict_proba(X)
    model.set_params(logmel__device="cuda:99", skorchcnn__device="cuda:99")
    save_model(model, path)
    with pytest.warns(ModelFileWarning, match="device='cuda:99' is not here, and was set to 'cpu'"):
        loaded = load_model(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)


def test_importing_the_package_loads_neither_torch_nor_skops():
    code = "import sys, skfewaudio, skfewaudio.persistence; print({'torch', 'skops'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
