import librosa
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio.datasets import AudioDataset, load_synthetic
from skfewaudio.datasets._embedded.scene_labels import label_names, plan_scenes
from skfewaudio.datasets._embedded.scene_recorder import SceneRecorder, Variety
from skfewaudio.datasets._embedded.scenes import load_sound_scenes, make_sound_scenes
from skfewaudio.datasets._embedded.sounds import SOUNDS, Take
from skfewaudio.testing import check_dataset

SMALL = {"n_folds": 2, "imbalance": 1.0, "duration": 1.0, "sample_rate": 8000}
AIR_CONDITIONER = 0


@pytest.fixture(scope="module")
def scenes():
    return make_sound_scenes(40, 12, **SMALL)


@pytest.fixture
def recorder():
    return SceneRecorder(entropy=0, n_labels=30, duration=(2.0, 2.0), sample_rate=8000, snr_db=(10, 10))


def render_event(label, clip=0, *, fold=1, recording=0, entropy=0):
    """Return the sound of a label at its position in a clip, without the room."""
    recorder = SceneRecorder(entropy, 30, (2.0, 2.0), 8000, (10, 10))
    chance = np.random.default_rng(clip)
    return recorder._render_event(label, fold, recording, Take(16000, 8000, chance, chance, chance))


def test_same_random_state_yields_identical_clips(scenes):
    again = make_sound_scenes(40, 12, **SMALL)
    assert [part.tobytes() for part in again] == [part.tobytes() for part in scenes]


def test_other_random_state_yields_other_clips_and_labels(scenes):
    other = make_sound_scenes(40, 12, **SMALL, random_state=1)
    assert not (other[0] == scenes[0]).all(axis=1).any()
    assert not np.array_equal(other[1], scenes[1])


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_fewer_clips_are_the_first_of_more_clips(scenes):
    for few, many in zip(make_sound_scenes(9, 12, **SMALL), scenes, strict=True):
        np.testing.assert_array_equal(few, many[:9])


def test_clips_differ_from_make_sound_events_for_the_same_random_state():
    one = make_sound_scenes(4, 1, events=(1, 1), **SMALL)[0]
    events = load_synthetic(2, n_folds=2, duration=1.0, sample_rate=8000)
    other = events.X[events.y == "air_conditioner"]
    assert np.abs(np.corrcoef(one, other)[:4, 4:]).max() < 0.5


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_random_state_objects_determine_the_clips():
    for kind in (np.random.RandomState, np.random.default_rng):
        one, other = (make_sound_scenes(4, **SMALL, random_state=kind(3))[0] for _ in range(2))
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_random_state_none_differs_between_calls():
    one, other = (make_sound_scenes(4, **SMALL, random_state=None)[0] for _ in range(2))
    assert not np.array_equal(one, other)


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_global_random_state_does_not_change():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()  # noqa: NPY002
    make_sound_scenes(4, **SMALL, random_state=None)
    np.testing.assert_equal(np.random.get_state(), before)  # noqa: NPY002


def test_labels_are_an_int16_indicator_matrix(scenes):
    _, Y, _ = scenes
    assert Y.shape == (40, 12)
    assert Y.dtype == np.int16
    assert set(Y.ravel().tolist()) == {0, 1}


def test_numbers_of_events_are_as_requested(scenes):
    assert set(scenes[1].sum(axis=1).tolist()) == {1, 2, 3, 4}


@pytest.mark.parametrize("events", [(0, 1), (2, 2), (10, 10)])
def test_smallest_and_largest_number_of_events_occur(events):
    Y, _ = plan_scenes(400, 10, 5, events, 1.0, 0)
    assert (Y.sum(axis=1).min(), Y.sum(axis=1).max()) == events


def test_clip_without_events_has_background_and_no_labels():
    X, Y, _ = make_sound_scenes(20, 1, events=(0, 1), **SMALL)
    silent = Y[:, 0] == 0
    assert 0 < silent.sum() < 20
    assert np.abs(X[silent]).max(axis=1).min() > 0.39


def test_clips_are_assigned_to_alternating_folds(scenes):
    np.testing.assert_array_equal(scenes[2], [1, 2] * 20)


@pytest.mark.parametrize(("n_clips", "n_labels"), [(110, 10), (500, 50), (2000, 200)])
@pytest.mark.parametrize("entropy", [0, 1, 2])
def test_every_label_occurs_in_every_fold_with_enough_clips(n_clips, n_labels, entropy):
    Y, folds = plan_scenes(n_clips, n_labels, 5, (1, 4), 10.0, entropy)
    assert all(Y[folds == fold].any(axis=0).all() for fold in range(1, 6))


def test_too_few_clips_warn_of_a_missing_label():
    with pytest.warns(
        UserWarning, match=r"labels do not sound in every fold.* n_clips=503 would do"
    ) as caught:
        Y, folds = plan_scenes(60, 50, 5, (1, 4), 10.0, 0)
    _, label, rest = str(caught[0].message).split("'")
    fold = int(rest.removeprefix(" in fold ")[0])
    assert not Y[folds == fold, label_names(50).index(label)].any()


def test_warning_points_to_the_callers_line():
    with pytest.warns(UserWarning, match="do not sound in every fold") as caught:
        make_sound_scenes(4, 30, **SMALL)
    assert caught[0].filename == __file__


def test_label_counts_form_a_geometric_series():
    Y, _ = plan_scenes(2000, 20, 5, (1, 4), 10.0, 0)
    counts = np.sort(Y.sum(axis=0))
    np.testing.assert_allclose(counts / counts[0], 10 ** (np.arange(20) / 19), rtol=0.06)


def test_labels_are_equally_common_with_imbalance_one():
    Y, _ = plan_scenes(500, 10, 5, (1, 4), 1.0, 0)
    assert np.ptp(Y.sum(axis=0)) <= 10


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_label_occurs_at_most_once_per_clip():
    Y, _ = plan_scenes(200, 3, 2, (1, 2), 1e6, 0)
    assert Y.sum(axis=0).max() == 200


def test_most_common_label_depends_on_the_random_state():
    commonest = {int(plan_scenes(200, 10, 5, (1, 4), 10.0, n)[0].sum(axis=0).argmax()) for n in range(8)}
    assert len(commonest) > 2


def test_fixed_duration_yields_one_array(scenes):
    assert scenes[0].shape == (40, 8000)
    assert scenes[0].dtype == np.float32


def test_durations_are_in_the_given_range():
    X, _, _ = make_sound_scenes(20, 4, **SMALL | {"duration": (1.0, 3.0)})
    lengths = [len(x) for x in X]
    assert isinstance(X, list)
    assert 8000 <= min(lengths) < 12000 < 20000 < max(lengths) <= 24000


@pytest.mark.parametrize("sample_rate", [8000, 22050, 44100])
def test_samples_are_finite_and_peaks_in_range(sample_rate):
    X, _, _ = make_sound_scenes(12, 4, **SMALL | {"sample_rate": sample_rate})
    peaks = np.abs(X).max(axis=1)
    assert np.isfinite(X).all()
    assert peaks.min() > 0.39
    assert peaks.max() < 0.96


@pytest.mark.slow
def test_labels_match_the_sound():
    X, Y, _ = make_sound_scenes(
        30, 10, n_folds=2, events=(1, 1), imbalance=1.0, duration=2.0, sample_rate=16000, snr_db=(50, 50)
    )
    flatness = np.array([librosa.feature.spectral_flatness(y=x).mean() for x in X])
    siren, air_conditioner = Y[:, 8] == 1, Y[:, AIR_CONDITIONER] == 1
    assert np.median(flatness[siren]) < 0.3 * np.median(flatness[air_conditioner])


def test_every_event_is_in_the_clip(recorder):
    """The spectrum of the clip with two tones has the peaks of both clips with one tone."""
    horn, siren, both = (
        np.abs(np.fft.rfft(recorder.record(3, 1, 0, labels))) for labels in ([1], [8], [1, 8])
    )
    tones = [np.argsort(one - other)[-5:] for one, other in ((horn, siren), (siren, horn))]
    assert all(both[tone].min() > 10 * np.median(both) for tone in tones)


def test_events_last_at_least_half_of_the_clip_and_overlap(monkeypatch):
    monkeypatch.setitem(SOUNDS, "air_conditioner", lambda take: np.ones(take.n_samples))
    sounding = np.array([render_event(AIR_CONDITIONER, clip) > 0 for clip in range(40)])
    assert sounding.sum(axis=1).min() >= 7990
    assert sounding.sum(axis=1).max() > 14000
    assert (sounding.astype(int) @ sounding.T.astype(int)).min() > 0


def test_events_fade_in_and_out(monkeypatch):
    monkeypatch.setitem(SOUNDS, "air_conditioner", lambda take: np.ones(take.n_samples))
    assert max(np.abs(np.diff(render_event(AIR_CONDITIONER, clip))).max() for clip in range(40)) < 0.01


def test_clips_of_one_recording_have_the_same_sources(monkeypatch):
    def sound(take):
        return np.full(take.n_samples, take.source.random())

    monkeypatch.setitem(SOUNDS, "air_conditioner", sound)
    peaks = [
        render_event(0, clip, fold=f, recording=r).max() for f, r, clip in [(1, 0, 0), (1, 0, 1), (1, 1, 0)]
    ]
    assert peaks[0] == peaks[1] != peaks[2]


def test_folds_have_different_sources(monkeypatch):
    monkeypatch.setitem(
        SOUNDS,
        "air_conditioner",
        lambda take: np.full(take.n_samples, take.fold.random() + take.source.random()),
    )
    assert len({render_event(AIR_CONDITIONER, fold=fold).max() for fold in range(1, 6)}) == 5


def draw_quantities(variety, n_varieties, seed):
    chances = [np.random.default_rng([seed, n]) for n in range(3)]
    take = Variety(8000, 8000, *chances, variety, n_varieties, np.random.default_rng(4))
    return np.log([take.between(1.0, np.e) for _ in range(6)])


@pytest.mark.parametrize("n_varieties", [2, 5])
def test_varieties_divide_the_range_of_every_quantity(n_varieties):
    parts = [
        np.unique(
            [np.floor(draw_quantities(v, n_varieties, seed) * n_varieties) for seed in range(20)], axis=0
        )
        for v in range(n_varieties)
    ]
    assert [len(part) for part in parts] == [1] * n_varieties
    np.testing.assert_array_equal(
        np.sort(np.concatenate(parts), axis=0), np.tile(np.arange(n_varieties)[:, None], 6)
    )


def test_each_of_many_varieties_has_a_fifth_of_the_range():
    values = np.array([[draw_quantities(v, 40, seed) for seed in range(200)] for v in range(40)])
    assert np.ptp(values, axis=1).max() <= 0.2
    assert np.ptp(values, axis=1).min() > 0.1
    assert (values.min(), values.max()) == pytest.approx((0, 1), abs=0.05)


def test_sound_without_varieties_has_the_whole_range():
    values = np.array([draw_quantities(0, 1, seed) for seed in range(300)])
    assert np.ptp(values, axis=0).min() > 0.7


def test_variety_has_one_kind_and_sound_without_varieties_has_all():
    def kinds(variety, n_varieties):
        takes = (
            Variety(
                8000, 8000, *[np.random.default_rng(s)] * 3, variety, n_varieties, np.random.default_rng(0)
            )
            for s in range(30)
        )
        return {take.choose(3) for take in takes}

    assert [kinds(v, 4) for v in range(4)] == [{0}, {1}, {2}, {0}]
    assert kinds(0, 1) == {0, 1, 2}


def test_variety_of_a_label_does_not_depend_on_the_random_state(monkeypatch):
    monkeypatch.setitem(
        SOUNDS, "air_conditioner", lambda take: np.full(take.n_samples, take.between(1.0, np.e))
    )
    values = np.log([[render_event(label, entropy=e).max() for label in (0, 10, 20)] for e in range(20)])
    parts = np.unique(np.floor(3 * values), axis=0)
    assert len(parts) == 1
    assert set(parts[0]) == {0, 1, 2}


@pytest.mark.filterwarnings("ignore:.*do not sound in every fold")
def test_hundreds_of_labels():
    X, Y, _ = make_sound_scenes(6, 400, **SMALL | {"n_folds": 3})
    assert Y.shape == (6, 400)
    assert np.isfinite(X).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n_clips": 4}, "n_clips .* at least n_folds=5; got 4"),
        ({"n_clips": 10.0}, "n_clips .* integer .* got 10.0"),
        ({"n_labels": 0}, "n_labels .* at least 1; got 0"),
        ({"n_folds": 1}, "n_folds .* at least 2; got 1"),
        ({"events": (1, 11)}, r"most <= n_labels=10; got \(1, 11\)"),
        ({"events": (3, 2)}, r"events .* got \(3, 2\)"),
        ({"events": (0, 0)}, r"events .* got \(0, 0\)"),
        ({"events": (-1, 2)}, r"events .* got \(-1, 2\)"),
        ({"events": (1.0, 2)}, "events must be two integers"),
        ({"events": 3}, "events must be two integers.* got 3"),
        ({"imbalance": 0.5}, "imbalance .* at least 1; got 0.5"),
        ({"imbalance": np.inf}, "imbalance .* finite"),
        ({"imbalance": np.nan}, "imbalance .* got nan"),
        ({"duration": 0.5}, "duration .* at least 1"),
        ({"sample_rate": 4000}, "sample_rate .* got 4000"),
        ({"snr_db": (10, 0)}, "snr_db .* got"),
        ({"random_state": -1}, "random_state .* negative"),
    ],
)
def test_invalid_arguments_are_rejected(arguments, message):
    with pytest.raises(ValueError, match=message):
        make_sound_scenes(**arguments)


def test_random_state_of_wrong_type_is_rejected():
    with pytest.raises(TypeError, match=r"random_state .* got 'seed'"):
        make_sound_scenes(random_state="seed")


@pytest.fixture(scope="module")
def dataset():
    return load_sound_scenes(40, 12, **SMALL)


def test_load_sound_scenes_returns_the_clips_of_make_sound_scenes(dataset, scenes):
    assert isinstance(dataset, AudioDataset)
    np.testing.assert_array_equal(dataset.X, scenes[0])
    np.testing.assert_array_equal(dataset.y, scenes[1])
    np.testing.assert_array_equal(dataset.folds, scenes[2])
    assert dataset.sample_rate == 8000


def test_label_names_are_the_sounds_and_their_varieties(dataset):
    assert dataset.target_names[:10] == sorted(SOUNDS)
    assert dataset.target_names[10:] == ["air_conditioner-2", "car_horn-2"]


def test_groups_are_pairs_of_clips_of_one_fold(dataset):
    groups, counts = np.unique(dataset.groups, return_counts=True)
    assert set(counts) == {2}
    assert all(len(set(dataset.folds[dataset.groups == group])) == 1 for group in groups)


def test_licence_is_the_same_for_both_embedded_datasets(dataset):
    assert dataset.licence == load_synthetic(2, n_folds=2, duration=0.5, sample_rate=8000).licence != ""


def _log_mel_statistics(waveform):
    """Return the mean and standard deviation over time of 64 bands, in decibels."""
    mel = librosa.feature.melspectrogram(y=waveform, sr=22050, n_mels=64, n_fft=2048, hop_length=1024)
    decibels = librosa.power_to_db(mel, ref=np.max)
    return np.concatenate([decibels.mean(axis=1), decibels.std(axis=1)])


def _mean_average_precision(vectors, Y, folds):
    scores = []
    for fold in np.unique(folds):
        test = folds == fold
        model = make_pipeline(StandardScaler(), OneVsRestClassifier(LogisticRegression(max_iter=2000)))
        found = model.fit(vectors[~test], Y[~test]).predict_proba(vectors[test])
        scores.append(average_precision_score(Y[test], found))
    return 100 * np.mean(scores)


@pytest.mark.long
@pytest.mark.parametrize(("n_labels", "documented"), [(10, 65), (50, 49)])
def test_difficulty_is_as_documented(n_labels, documented):
    X, Y, folds = make_sound_scenes(n_labels=n_labels)
    vectors = np.array([_log_mel_statistics(x) for x in X])
    assert _mean_average_precision(vectors, Y, folds) == pytest.approx(documented, abs=3)


def test_the_contract_of_datasets_is_kept():
    check_dataset(load_sound_scenes, n_clips=40, n_labels=12, **SMALL)
