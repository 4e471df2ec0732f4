"""Tensors as input under scikit-learn's array API dispatch, which SciPy must allow before it is imported."""

import os
import subprocess
import sys

import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.utils import get_tags

from skfewaudio import PatchClassifier, SubsampledClassifier

SCRIPT = """
import numpy as np
import torch
from sklearn import config_context
from skfewaudio.classifiers import *
from skfewaudio.features import *
from skfewaudio.model_selection import SubsampledClassifier
from skfewaudio.pipelines import make_few_shot_classifier

rng = np.random.default_rng(0)
y = np.repeat([0, 1], 6)
waveforms = 0.1 * rng.standard_normal((12, 2000)).astype("f4") * (1 + y[:, None])
vectors = (rng.standard_normal((12, 20)) + 3 * y[:, None]).astype("f4")
spectrograms = (rng.standard_normal((12, 8, 20)) + 3 * y[:, None, None]).astype("f4")
cases = [
    (make_few_shot_classifier(sample_rate=8000, n_mels=16, n_copies=1), waveforms),
    (MFCC(sample_rate=8000), waveforms),
    (LogMel(sample_rate=8000), waveforms),
    (SpectrogramStatistics(), spectrograms),
    (BlockScaler(), vectors),
    (PrototypicalClassifier(), vectors),
    (PrototypicalClassifier(None), spectrograms),
    (ELMClassifier(random_state=0), vectors),
    (ELMRegressor(random_state=0), vectors),
    (PatchClassifier(), spectrograms),
    (SubsampledClassifier(PrototypicalClassifier()), vectors),
    (AugmentedClassifier(PatchClassifier()), spectrograms),
]
for estimator, X in cases:
    method = "predict" if hasattr(estimator, "predict") else "transform"
    expected = getattr(estimator.fit(X, y), method)(X)
    with config_context(array_api_dispatch=True):
        estimator.fit(torch.from_numpy(X), torch.from_numpy(y))
        found = getattr(estimator, method)(torch.from_numpy(X))
    np.testing.assert_array_equal(np.asarray(found), expected, err_msg=type(estimator).__name__)
"""


@pytest.mark.slow
def test_tensors_give_the_results_of_arrays_under_dispatch():
    environment = os.environ | {"SCIPY_ARRAY_API": "1"}
    done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("wrapper", [PatchClassifier, SubsampledClassifier])
def test_wrappers_do_not_claim_the_array_api_support_of_their_estimators(wrapper):
    estimator = LinearDiscriminantAnalysis()
    assert get_tags(estimator).array_api_support
    assert not get_tags(wrapper(estimator)).array_api_support
