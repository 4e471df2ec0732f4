"""What loading a model imports."""

import subprocess
import sys

import pytest

NAMES = "from skops.io._trusted_types import SKLEARN_ESTIMATOR_TYPE_NAMES as n; print(*sorted(set(n)))"
LOAD = "import skfewaudio.persistence._skops; "


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split()


@pytest.mark.slow
def test_skops_knows_the_same_estimators_as_on_its_own():
    known = run(LOAD + NAMES)
    assert len(known) > 100
    assert known == run(NAMES)


@pytest.mark.slow
def test_loading_a_model_imports_neither_librosa_nor_private_parts_of_scikit_learn():
    code = "import sys, skfewaudio.persistence as p; p.load_model; print(*sys.modules)"
    assert {"numba", "librosa", "dask", "sklearn.externals.array_api_compat.torch"}.isdisjoint(run(code))
