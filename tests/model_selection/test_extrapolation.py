import numpy as np
import pandas as pd
import pytest

from skfewaudio.model_selection import extrapolate_curve


def make_rows(errors, n_repeats=10, spread=0.01, seed=0, pipeline="1-nn", folds=(1, 2)):
    """Make rows of two folds with mean error `errors[n]` at n and standard deviation `spread`."""
    rng = np.random.default_rng(seed)
    rows = []
    for repeat in range(n_repeats):
        for n, error in errors.items():
            score = 1 - error + spread * rng.normal()
            for fold, step in zip(folds, (-0.02, 0.02), strict=True):
                rows.append((pipeline, n, repeat, fold, "accuracy", np.clip(score + step, 0, 1)))
    return pd.DataFrame(rows, columns=["pipeline", "n_shots", "repeat", "fold", "metric", "value"])


def law(n, a=0.1, b=0.6, c=0.5):
    return a + b * n**-c


SHOTS = (1, 2, 5, 10)
ROWS = make_rows({n: law(n) for n in SHOTS})


def test_recovers_a_power_law():
    row = extrapolate_curve(make_rows({n: law(n) for n in SHOTS}, spread=1e-6), n_shots=40).iloc[0]
    assert row["mean"] == pytest.approx(1 - law(40), abs=2e-3)


def test_interval_contains_the_true_score_of_most_power_laws():
    held = []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        a, b, c = rng.uniform(0, 0.3), rng.uniform(0.3, 0.6), rng.uniform(0.2, 1.0)
        rows = make_rows({n: law(n, a, b, c) for n in SHOTS}, n_repeats=5, spread=0.03, seed=seed)
        row = extrapolate_curve(rows).iloc[0]
        held.append(row["low"] <= 1 - law(20, a, b, c) <= row["high"])
    assert np.mean(held) >= 0.9


def test_default_is_twice_the_largest_n_shots():
    assert extrapolate_curve(ROWS)["n_shots"].tolist() == [20]


def test_estimates_increase_with_n_shots():
    estimates = extrapolate_curve(ROWS, n_shots=[20, 40, 1000])
    assert estimates["n_shots"].tolist() == [20, 40, 1000]
    assert estimates["mean"].is_monotonic_increasing


def test_pipelines_are_separate_and_in_order():
    rows = pd.concat([make_rows({n: law(n, 0.3) for n in SHOTS}, pipeline="b"), ROWS])
    estimates = extrapolate_curve(rows)
    assert estimates["pipeline"].tolist() == ["b", "1-nn"]
    assert estimates["mean"].is_monotonic_increasing


def test_flat_curve_stays_flat():
    row = extrapolate_curve(make_rows(dict.fromkeys(SHOTS, 0.9))).iloc[0]
    assert row["mean"] == pytest.approx(0.1, abs=0.02)
    assert row["high"] - row["low"] < 0.06


def test_falling_curve_gives_no_gain():
    row = extrapolate_curve(make_rows({1: 0.3, 2: 0.4, 5: 0.5, 10: 0.6})).iloc[0]
    assert row["mean"] <= 0.7


def test_stays_between_0_and_1():
    row = extrapolate_curve(make_rows({1: 0.5, 2: 0.2, 5: 0.01, 10: 0.0}), n_shots=1000).iloc[0]
    assert 0 <= row["low"] <= row["mean"] <= row["high"] <= 1


def width(rows, **kwargs):
    row = extrapolate_curve(rows, **kwargs).iloc[0]
    return row["high"] - row["low"]


def test_interval_is_wider_for_noisy_repeats():
    assert width(make_rows({n: law(n) for n in SHOTS}, spread=0.05)) > 2 * width(ROWS)


def test_interval_is_wider_further_away():
    assert width(ROWS, n_shots=200) > width(ROWS, n_shots=20)


def test_interval_is_wider_with_few_repeats():
    rows = make_rows({n: law(n) for n in SHOTS}, n_repeats=20, spread=0.03)
    assert width(rows[rows["repeat"] < 3]) > width(rows)


def test_interval_is_wider_if_the_power_law_fits_badly():
    bent = {1: 0.70, 2: 0.69, 5: 0.30, 10: 0.29}
    assert width(make_rows(bent)) > 2 * width(ROWS)


def test_interval_is_wider_for_more_confidence():
    assert width(ROWS, confidence=0.99) > width(ROWS, confidence=0.5)


def test_interval_contains_the_estimate():
    for confidence in (0.01, 0.5):
        row = extrapolate_curve(ROWS, confidence=confidence).iloc[0]
        assert row["low"] <= row["mean"] <= row["high"]


def test_same_random_state_gives_the_same_result():
    pd.testing.assert_frame_equal(extrapolate_curve(ROWS), extrapolate_curve(ROWS))
    other = extrapolate_curve(ROWS, random_state=1)
    assert other["low"].tolist() != extrapolate_curve(ROWS)["low"].tolist()


def test_equal_repeats_are_allowed():
    row = extrapolate_curve(make_rows({n: law(n) for n in SHOTS}, spread=0.0)).iloc[0]
    assert row["mean"] == pytest.approx(1 - law(20), abs=2e-3)


def test_incomplete_repeats_are_ignored():
    rows = ROWS[~((ROWS["repeat"] == 3) & (ROWS["n_shots"] == 10))]
    assert extrapolate_curve(rows)["n_repeats"].tolist() == [9]


def test_another_metric():
    rows = pd.concat([ROWS, ROWS.assign(metric="f1_macro", value=ROWS["value"] / 2)])
    assert extrapolate_curve(rows, metric="f1_macro")["mean"].item() < 0.5


def test_two_numbers_of_clips_are_too_few():
    with pytest.raises(ValueError, match=r"1-nn has scores of 2 numbers of clips per class \(1, 2\)"):
        extrapolate_curve(ROWS[ROWS["n_shots"] <= 2])


def test_one_repeat_is_too_few():
    with pytest.raises(ValueError, match="1-nn has 1 repeats"):
        extrapolate_curve(ROWS[ROWS["repeat"] == 0])


@pytest.mark.parametrize("n_shots", [10, 3, 20.5, True, [20, 10]])
def test_n_shots_must_be_above_the_results(n_shots):
    with pytest.raises(ValueError, match="expected an integer above 10"):
        extrapolate_curve(ROWS, n_shots=n_shots)


def test_unknown_metric_error_lists_known_metrics():
    with pytest.raises(ValueError, match="no metric 'auc'; they hold: accuracy"):
        extrapolate_curve(ROWS, metric="auc")


@pytest.mark.parametrize("value", [-0.5, 1.5, np.nan])
def test_scores_must_lie_between_0_and_1(value):
    with pytest.raises(ValueError, match="expected scores from 0 to 1"):
        extrapolate_curve(pd.concat([ROWS, ROWS.iloc[:1].assign(value=value)]))


def test_missing_column_is_named():
    with pytest.raises(ValueError, match="lack the columns repeat"):
        extrapolate_curve(ROWS.drop(columns="repeat"))


@pytest.mark.parametrize("confidence", [0, 1, 95, "high"])
def test_confidence_must_be_a_share(confidence):
    with pytest.raises(ValueError, match="confidence must lie between 0 and 1"):
        extrapolate_curve(ROWS, confidence=confidence)
