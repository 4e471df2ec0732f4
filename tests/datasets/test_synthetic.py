import librosa
import numpy as np
import pytest

from skfewaudio.datasets import AudioDataset
from skfewaudio.datasets._embedded.events import load_synthetic, make_sound_events

CLASSES = {
    "air_conditioner",
    "car_horn",
    "children_playing",
    "dog_bark",
    "drilling",
    "engine_idling",
    "gun_shot",
    "jackhammer",
    "siren",
    "street_music",
}
SMALL = {"n_folds": 2, "duration": 1.0, "sample_rate": 8000}


@pytest.fixture(scope="module")
def events():
    return make_sound_events(4, **SMALL)


def test_same_random_state_yields_identical_clips(events):
    again, _, _ = make_sound_events(4, **SMALL)
    assert again.tobytes() == events[0].tobytes()


def test_clips_have_the_documented_levels():
    X, _, _ = make_sound_events(2, **SMALL)
    levels = [
        0.087199,
        0.204295,
        0.12004,
        0.042301,
        0.157398,
        0.042657,
        0.044322,
        0.069623,
        0.325783,
        0.122474,
    ]
    np.testing.assert_allclose(np.std(X[:10], axis=1), levels, rtol=1e-4)


def test_other_random_state_yields_other_clips(events):
    other, _, _ = make_sound_events(4, **SMALL, random_state=1)
    assert not (other == events[0]).all(axis=1).any()


def test_all_clips_differ(events):
    assert len(np.unique(events[0], axis=0)) == len(events[0])


def test_fewer_clips_are_the_first_of_more_clips(events):
    for few, many in zip(make_sound_events(2, **SMALL), events, strict=True):
        np.testing.assert_array_equal(few, many[: len(few)])


def test_random_state_objects_determine_the_clips():
    for kind in (np.random.RandomState, np.random.default_rng):
        one, other = (make_sound_events(2, **SMALL, random_state=kind(3))[0] for _ in range(2))
        np.testing.assert_array_equal(one, other)


def test_random_state_none_differs_between_calls():
    one, other = (make_sound_events(2, **SMALL, random_state=None)[0] for _ in range(2))
    assert not np.array_equal(one, other)


def test_global_random_state_does_not_change():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    make_sound_events(2, **SMALL, random_state=None)
    after = np.random.get_state()  # noqa: NPY002
    np.testing.assert_equal(after, before)


def test_every_fold_has_every_class_equally_often(events):
    _, y, folds = events
    cells, counts = np.unique(
        [f"{label} {fold}" for label, fold in zip(y, folds, strict=True)], return_counts=True
    )
    assert set(y) == CLASSES
    assert len(cells) == 20
    assert set(counts) == {2}


def test_uneven_counts_are_spread_over_the_folds():
    _, y, folds = make_sound_events(5, n_folds=3, duration=0.5, sample_rate=8000)
    assert np.bincount(folds[y == "siren"]).tolist() == [0, 2, 2, 1]


def test_fixed_duration_yields_one_array(events):
    assert events[0].shape == (40, 8000)
    assert events[0].dtype == np.float32


def test_durations_are_in_the_given_range():
    X, _, _ = make_sound_events(2, n_folds=2, duration=(0.5, 1.5), sample_rate=16000)
    lengths = [len(x) for x in X]
    assert isinstance(X, list)
    assert 8000 <= min(lengths) < 12000 < max(lengths) <= 24000


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100])
def test_samples_are_finite_and_peaks_in_range(sample_rate):
    X, _, _ = make_sound_events(2, n_folds=2, duration=0.5, sample_rate=sample_rate)
    peaks = np.abs(X).max(axis=1)
    assert np.isfinite(X).all()
    assert X.shape[1] == round(0.5 * sample_rate)
    assert peaks.min() > 0.39
    assert peaks.max() < 0.96


def test_background_is_negligible_at_high_snr():
    """Without background, the level between barks is far below the peak."""
    quiet, loud = (
        make_sound_events(2, n_folds=2, duration=2.0, sample_rate=8000, snr_db=(snr, snr))
        for snr in (60, -20)
    )
    bark = quiet[1] == "dog_bark"
    spread = [np.std(X[bark].reshape(2, -1, 800), axis=2) for X in (quiet[0], loud[0])]
    assert (spread[0].max(axis=1) / spread[0].min(axis=1)).min() > 100
    assert (spread[1].max(axis=1) / spread[1].min(axis=1)).max() < 100


def test_siren_is_tonal_and_air_conditioner_is_noise():
    X, y, _ = make_sound_events(4, n_folds=2, duration=2.0, sample_rate=16000, snr_db=(50, 50))
    flatness = np.array([librosa.feature.spectral_flatness(y=x).mean() for x in X])
    assert np.median(flatness[y == "siren"]) < 0.1 * np.median(flatness[y == "air_conditioner"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_folds": 1}, "n_folds .* at least 2; got 1"),
        ({"n_folds": 2.5}, "n_folds .* got 2.5"),
        ({"n_clips_per_class": -3}, "n_clips_per_class .* got -3"),
        ({"n_clips_per_class": 4, "n_folds": 5}, "at least n_folds=5.* got 4"),
        ({"duration": 0.1}, "duration .* at least 0.5"),
        ({"duration": (3.0, 2.0)}, r"duration .* got \(3.0, 2.0\)"),
        ({"duration": (1.0, 2.0, 3.0)}, "duration"),
        ({"duration": np.nan}, "duration .* finite"),
        ({"sample_rate": 4000}, "sample_rate .* got 4000"),
        ({"sample_rate": 22050.5}, "sample_rate .* integer"),
        ({"snr_db": (10, 0)}, "snr_db .* got"),
        ({"snr_db": (0, np.inf)}, "snr_db .* finite"),
        ({"random_state": -1}, "random_state .* negative"),
    ],
)
def test_invalid_arguments_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_sound_events(**arguments)


def test_random_state_of_wrong_type_is_rejected():
    with pytest.raises(TypeError, match=r"random_state .* got 'seed'"):
        make_sound_events(random_state="seed")


def test_load_synthetic_returns_the_clips_of_make_sound_events(events):
    dataset = load_synthetic(4, **SMALL)
    assert isinstance(dataset, AudioDataset)
    np.testing.assert_array_equal(dataset.X, events[0])
    np.testing.assert_array_equal(dataset.y, events[1])
    np.testing.assert_array_equal(dataset.folds, events[2])
    assert dataset.sample_rate == 8000


def test_groups_are_pairs_of_clips_of_one_fold_and_class():
    dataset = load_synthetic(8, n_folds=2, duration=0.5, sample_rate=8000)
    assert len(np.unique(dataset.groups)) == 40
    for group in np.unique(dataset.groups):
        inside = dataset.groups == group
        assert inside.sum() == 2
        assert len(set(dataset.y[inside])) == len(set(dataset.folds[inside])) == 1


def test_load_synthetic_uses_a_generator_only_once():
    one = load_synthetic(2, **SMALL, random_state=np.random.default_rng(5))
    np.testing.assert_array_equal(
        one.X, make_sound_events(2, **SMALL, random_state=np.random.default_rng(5))[0]
    )


def _mfcc_vector(waveform):
    """Return the 120 features of the MFCC baseline, scaled to unit length for the cosine."""
    low = librosa.resample(waveform, orig_sr=22050, target_sr=12000)
    frames = [librosa.feature.mfcc(y=low, sr=12000, n_mfcc=20)]
    frames += [np.diff(frames[0], axis=1), np.diff(frames[0], n=2, axis=1)]
    vector = np.concatenate([q(f, axis=1) for f in frames for q in (np.mean, np.std)])
    return vector / np.linalg.norm(vector)


def _nearest_neighbour_accuracy(vectors, y, folds, n, n_draws=20):
    scores = []
    for fold in np.unique(folds):
        test = folds == fold
        for draw in range(n_draws):
            rng = np.random.default_rng([draw, fold])
            pools = [np.flatnonzero(~test & (y == label)) for label in np.unique(y)]
            train = np.concatenate([rng.permutation(pool)[:n] for pool in pools])
            nearest = np.argmax(vectors[test] @ vectors[train].T, axis=1)
            scores.append(np.mean(y[train][nearest] == y[test]))
    return np.mean(scores)


@pytest.mark.long
def test_difficulty_is_as_documented():
    X, y, folds = make_sound_events()
    vectors = np.array([_mfcc_vector(x) for x in X])
    curve = [100 * _nearest_neighbour_accuracy(vectors, y, folds, n) for n in (1, 2, 5, 10, 20)]
    np.testing.assert_allclose(curve, [43, 51, 61, 68, 73], atol=3)
