"""Scores equal those of sed_eval and mir_eval."""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest

from skfewaudio.detection import event_scores, segment_scores

SCRIPT = Path(__file__).with_name("reference_tables.py")


@pytest.fixture(scope="module")
def reference():
    spec = importlib.util.spec_from_file_location("reference_tables", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def golden(reference):
    return json.loads(reference.GOLDEN.read_text(encoding="ascii"))


def check_scores(expected, scores):
    """Compare the scores of all classes and of each class; sed_eval leaves some F-scores undefined."""
    for name in ("precision", "recall", "f_score"):
        assert getattr(scores, name) == pytest.approx(expected[name], abs=1e-12, nan_ok=True)
    for label, values in expected["classes"].items():
        if label not in scores.by_class.index:
            assert np.isnan(values).all()
            continue
        own = scores.by_class.loc[label, ["precision", "recall", "f_score"]].to_numpy(dtype=float)
        compared = np.isfinite(values)
        np.testing.assert_allclose(own[compared], np.array(values)[compared], atol=1e-12)
        assert not np.nan_to_num(own[~compared]).any()


def check_tables(reference, seed, expected):
    true, found = reference.random_tables(seed)
    options = {"min_overlap": None, **reference.TOLERANCES}
    check_scores(expected["event"], event_scores(true, found, **options))
    segments = segment_scores(true, found)
    check_scores(expected["segment"], segments)
    assert segments.error_rate == pytest.approx(expected["segment"]["error_rate"])
    assert event_scores(true, found).n_matched == expected["n_overlapping"]
    if "mir_eval" in expected:
        one, other = reference.one_of(true), reference.one_of(found)
        assert event_scores(one, other, **options).f_score == pytest.approx(expected["mir_eval"]["events"])
        onsets = event_scores(one, other, min_overlap=None, onset_tolerance=0.2)
        assert onsets.f_score == pytest.approx(expected["mir_eval"]["onsets"])


def test_scores_equal_stored_scores_of_sed_eval_and_mir_eval(reference, golden):
    assert len(golden) == reference.N_GOLDEN
    for seed, expected in enumerate(golden):
        check_tables(reference, seed, expected)


@pytest.mark.slow
def test_scores_equal_those_of_sed_eval_and_mir_eval_on_hundreds_of_tables(reference):
    pytest.importorskip("sed_eval")
    pytest.importorskip("mir_eval")
    for seed, expected in enumerate(reference.make_golden(300)):
        check_tables(reference, seed, expected)
