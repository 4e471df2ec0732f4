"""RandomCNNFeatures: kinds of X, lengths of clips, statistics, the random weights, and what trains them."""

import gc
import pickle
from functools import partial

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
import torch
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from skfewaudio import LogMel, RandomCNNFeatures, SkorchCNN
from skfewaudio._torch import seeded
from skfewaudio.architectures import VGG, MusicallyMotivated, SampleLevel, SingleLayer
from skfewaudio.datasets import load_synthetic
from skfewaudio.exceptions import AudioLoadWarning
from skfewaudio.features import _random_cnn

SECOND = 12000
SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
# Names, the number of features that goes with each, and the shortest clip in samples.
ARCHITECTURES = {
    "single_layer": (4, 6 * 256),
    "small_filters": (20, 1279 * 256),
    "musically_motivated": (112, 1),
    "sample_level": (28, 2187),
    "frame_level": (16, 736),
    "frame_level_many_shapes": (32, 225),
}
of_either_kind = pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM])
of_any_kind = pytest.mark.parametrize("architecture", list(ARCHITECTURES))


def noise(n_samples, seed=0):
    return np.random.default_rng(seed).normal(0, 0.1, n_samples).astype(np.float32)


@pytest.fixture(scope="module")
def clips():
    return np.stack([noise(SECOND, seed) for seed in range(3)])


def make(architecture=SPECTROGRAM, n_filters=4, **params):
    if "n_features" in params:
        n_filters = None
    return RandomCNNFeatures(architecture, n_filters=n_filters, **params)


def assert_features_close(ours, expected, tolerance=1e-5):
    """Compare to a share of the features' own size: single ones may be near zero."""
    np.testing.assert_allclose(ours, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


# Kinds of X


@of_either_kind
def test_array_list_and_paths_agree(architecture, clips, tmp_path):
    paths = [tmp_path / f"{index}.wav" for index in range(len(clips))]
    for path, clip in zip(paths, clips, strict=True):
        sf.write(path, clip, SECOND, subtype="FLOAT")
    features = make(architecture)
    expected = features.transform(clips)
    assert expected.dtype == np.float32
    np.testing.assert_allclose(features.transform(list(clips)), expected, atol=1e-6)
    np.testing.assert_allclose(features.transform(paths), expected, atol=1e-6)
    np.testing.assert_allclose(features.transform(pd.Series(map(str, paths))), expected, atol=1e-6)


@of_either_kind
def test_double_precision_of_the_input_changes_nothing(architecture, clips):
    features = make(architecture)
    np.testing.assert_array_equal(features.transform(clips.astype(np.float64)), features.transform(clips))


def test_clips_of_a_list_may_have_any_lengths(clips):
    assert make().transform([clips[0], clips[1][:5000], clips[2][:100]]).shape == (3, 4)


@of_either_kind
def test_read_only_clips_are_taken(architecture, clips):
    frozen = clips.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(make(architecture).transform(frozen), make(architecture).transform(clips))


def test_bad_file_may_be_silence(clips, tmp_path):
    sf.write(tmp_path / "x.wav", clips[0], SECOND, subtype="FLOAT")
    with pytest.warns(AudioLoadWarning, match="nowhere"):
        result = make(WAVEFORM, on_error="warn").transform([tmp_path / "x.wav", "nowhere.wav"])
    np.testing.assert_array_equal(result[1], make(WAVEFORM).transform(np.zeros((1, SECOND)))[0])


@of_either_kind
def test_company_of_a_clip_and_threads_do_not_change_it(architecture):
    clips = [noise(n, seed=n) for n in (1, 3000, SECOND, 2 * SECOND)]
    together = make(architecture, n_threads=3).transform(clips)
    for clip, row in zip(clips, together, strict=True):
        np.testing.assert_array_equal(make(architecture, n_threads=1).transform([clip])[0], row)


@of_either_kind
def test_values_computed_at_once_do_not_change_the_features(architecture, clips, monkeypatch):
    features = make(architecture, pooling=["mean", "max", "std", "positive"])
    expected = features.transform(clips)
    monkeypatch.setitem(_random_cnn.VALUES_AT_ONCE, "cpu", 500)
    assert_features_close(features.transform(clips), expected)


# Lengths


@of_any_kind
@pytest.mark.parametrize(
    "clip",
    [np.zeros(SECOND), np.zeros(1), np.ones(1), noise(256), np.full(SECOND, 0.5), np.ones(SECOND)],
    ids=["silence", "silent sample", "one sample", "one frame", "constant", "full scale"],
)
def test_clips_with_nothing_to_hear_have_finite_features(architecture, clip):
    features = make(architecture, pooling=["mean", "max", "std", "positive"])
    result = features.transform([clip])
    assert result.shape == (1, 4 * ARCHITECTURES[architecture][0])
    assert np.isfinite(result).all()


@of_any_kind
def test_shortest_clip_is_taken_as_it_is(architecture):
    n_samples = ARCHITECTURES[architecture][1]
    features = make(architecture, pad_mode=None).transform([noise(n_samples)])
    np.testing.assert_array_equal(features, make(architecture).transform([noise(n_samples)]))


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "musically_motivated"])
def test_too_short_a_clip_without_padding_is_named_with_what_is_needed(architecture):
    n_samples = ARCHITECTURES[architecture][1]
    clips = [noise(n_samples), noise(n_samples - 1)]
    needed = rf"{n_samples / SECOND:.4g} s \({n_samples} samples at 12000 Hz\)"
    with pytest.raises(
        ValueError, match=rf"clip 1 has .* and '{architecture}' takes at least {needed}; .*pad_mode='repeat'"
    ):
        make(architecture, pad_mode=None).transform(clips)


@pytest.mark.parametrize("n_fft", [511, 512, 1023])
def test_shortest_clip_has_the_frames_needed_whatever_n_fft_is(n_fft):
    assert np.isfinite(make(n_fft=n_fft, n_mels=40).transform([np.ones(1)])).all()


@of_either_kind
@pytest.mark.parametrize(
    ("pad_mode", "pad"),
    [("repeat", lambda clip: np.tile(clip, 2)), ("zero", lambda clip: np.pad(clip, (0, SECOND)))],
)
def test_duration_pads_as_asked(architecture, pad_mode, pad, clips):
    features = make(architecture, duration=2.0, pad_mode=pad_mode)
    expected = make(architecture).transform([pad(clip) for clip in clips])
    np.testing.assert_array_equal(features.transform(clips), expected)


@of_either_kind
@pytest.mark.parametrize("pad_mode", ["repeat", "zero", None])
def test_duration_crops(architecture, pad_mode, clips):
    features = make(architecture, duration=0.5, pad_mode=pad_mode)
    np.testing.assert_array_equal(
        features.transform(clips), make(architecture).transform(clips[:, : SECOND // 2])
    )


def test_duration_without_padding_leaves_shorter_clips(clips):
    features = make(duration=2.0, pad_mode=None)
    np.testing.assert_array_equal(features.transform(clips), make().transform(clips))


def test_duration_shorter_than_the_architecture_needs_is_padded_to_that():
    short = noise(SECOND // 100)
    expected = make(WAVEFORM).transform([np.tile(short, 19)[:2187]])
    np.testing.assert_array_equal(make(WAVEFORM, duration=0.01).transform([noise(SECOND // 100)]), expected)


# Features


def maps_of(features, clip):
    """Give the whole maps of each layer for a clip, from a network drawn anew from the same seed."""
    class_ = {SPECTROGRAM: SingleLayer, WAVEFORM: SampleLevel, "musically_motivated": MusicallyMotivated}[
        features.architecture
    ]
    is_waveform = features.architecture == WAVEFORM
    with seeded(int(np.random.RandomState(features.random_state).randint(2**31 - 1)), torch.device("cpu")):
        network = class_(1, 1 if is_waveform else 96, class_.min_frames, n_filters=features.n_filters)
    x = clip if is_waveform else LogMel.from_preset("random-cnn").transform([clip])[0]
    with torch.no_grad():
        found = network.maps.iter_maps(torch.from_numpy(x).view(1, 1, -1, x.shape[-1]))
        return {name: maps[0].flatten(1).double().numpy() for name, maps in found}


STATISTICS = {
    "mean": lambda maps: maps.mean(axis=1),
    "max": lambda maps: maps.max(axis=1),
    "std": lambda maps: maps.std(axis=1),
    "positive": lambda maps: (maps > 0).mean(axis=1),
}


@pytest.mark.parametrize("architecture", [SPECTROGRAM, WAVEFORM, "musically_motivated"])
@pytest.mark.parametrize("pooling", [*STATISTICS, ["std", "mean"], ["max", "positive", "mean", "std"]])
def test_features_are_numpys_statistics_of_the_maps(architecture, pooling):
    features, clip = make(architecture, pooling=pooling, random_state=3), noise(2 * SECOND)
    names = [pooling] if isinstance(pooling, str) else pooling
    expected = [STATISTICS[name](maps) for maps in maps_of(features, clip).values() for name in names]
    assert_features_close(features.transform([clip])[0], np.concatenate(expected), tolerance=1e-4)


def test_deviation_of_maps_far_from_zero_is_not_lost():
    maps = 1e4 + torch.randn(1, 2, 1, 5000, generator=torch.Generator().manual_seed(0))
    stretches = (("layer", part) for part in maps.split(700, dim=3))
    pooled = _random_cnn.pool_maps(stretches, ["std"])
    np.testing.assert_allclose(pooled, maps[0, :, 0].double().numpy().std(axis=1), rtol=1e-4)


def test_names_say_layer_statistic_and_filter():
    features = make(n_filters=2, pooling=["mean", "max"])
    expected = ["7x86_mean0", "7x86_mean1", "7x86_max0", "7x86_max1"]
    assert features.get_feature_names_out().tolist() == expected


@of_any_kind
@pytest.mark.parametrize("pooling", ["mean", ["std", "max"]])
def test_every_feature_has_a_name_of_its_own(architecture, pooling):
    features = make(architecture, pooling=pooling)
    names = features.get_feature_names_out()
    assert len(set(names)) == len(names) == features.transform([noise(SECOND)]).shape[1]


def test_names_are_in_the_order_of_the_features(clips):
    features = make("musically_motivated", pooling=["mean", "std"])
    table = features.set_output(transform="pandas").fit_transform(clips)
    assert isinstance(table, pd.DataFrame)
    for layer in ("3x38", "16x1"):
        alone = make("musically_motivated", pooling="std", layers=layer).transform(clips)
        columns = [name for name in table.columns if name.startswith(f"{layer}_std")]
        np.testing.assert_array_equal(table[columns], alone)


@pytest.mark.parametrize("layers", ["conv3", ["conv3"], ["conv5", "conv3"]])
def test_layers_wanted_are_those_of_the_whole_network(layers, clips):
    every = make(WAVEFORM).transform(clips)
    wanted = [index for index in (3, 5) if f"conv{index}" in layers]
    expected = np.concatenate([every[:, 4 * index : 4 * index + 4] for index in wanted], axis=1)
    np.testing.assert_array_equal(make(WAVEFORM, layers=layers).transform(clips), expected)


@pytest.mark.parametrize("layers", ["conv9", ["conv1", "conv9"], []])
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_unknown_layers_list_the_known_ones(layers, method, clips):
    with pytest.raises(ValueError, match=r"expected one or more of conv0, conv1, .* of 'sample_level'"):
        getattr(make(WAVEFORM, layers=layers), method)(clips)


@pytest.mark.parametrize(
    ("architecture", "params", "n_features", "n_filters"),
    [
        ("single_layer", {}, 3585, 3585),
        ("small_filters", {}, 160, 32),
        ("small_filters", {}, 450, 90),
        ("small_filters", {}, 3585, 717),
        ("sample_level", {}, 161, 23),
        ("sample_level", {}, 3584, 512),
        ("frame_level", {}, 160, 40),
        ("frame_level", {}, 3584, 896),
        ("frame_level_many_shapes", {}, 160, 20),
        ("frame_level_many_shapes", {}, 3584, 448),
        ("musically_motivated", {}, 112, 4),
        ("musically_motivated", {}, 3584, 128),
        ("musically_motivated", {"architecture_params": {"temporal": False}}, 112, 8),
        ("musically_motivated", {"architecture_params": {"timbral": False}}, 3584, 256),
        ("small_filters", {"pooling": ["mean", "max"]}, 320, 32),
        ("sample_level", {"layers": ["conv0", "conv6"]}, 46, 23),
    ],
)
def test_number_of_features_chooses_the_published_number_of_filters(
    architecture, params, n_features, n_filters
):
    features = RandomCNNFeatures(architecture, n_features=n_features, **params)
    assert features._check_settings().params["n_filters"] == n_filters
    assert len(features.get_feature_names_out()) == n_features


@pytest.mark.parametrize("n_features", [1, 50, 99])
def test_number_of_features_that_cannot_be_met_is_come_near_to(n_features):
    found = len(RandomCNNFeatures("sample_level", n_features=n_features).get_feature_names_out())
    assert found == max(7, 7 * round(n_features / 7))


def test_default_has_the_larger_of_the_published_numbers_of_features():
    assert len(RandomCNNFeatures().get_feature_names_out()) == 3584


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_features": 10, "n_filters": 4}, "n_filters=4 and n_features=10 are two ways to say the same"),
        ({"architecture_params": {"n_filters": 8}}, "holds n_filters, which is a parameter by itself"),
        ({"architecture": "sb_cnn"}, "architecture='sb_cnn' is no FeatureMapNetwork"),
        ({"architecture": VGG}, "is no FeatureMapNetwork"),
        ({"architecture": lambda *_, **__: torch.nn.Linear(2, 2)}, "is no FeatureMapNetwork"),
        ({"architecture": "small_filters", "n_mels": 64}, "64 bands .* too small for SmallFilters"),
        ({"pooling": ["mean", "median"]}, "expected one or more of mean, max, std, positive"),
        ({"pooling": []}, "expected one or more of mean, max, std, positive"),
        ({"pooling": "median"}, "pooling.*must be a str among"),
        ({"n_filters": 0}, "n_filters.*must be an int"),
        ({"duration": 0.0}, "duration.*must be a float"),
        ({"pad_mode": "reflect"}, "pad_mode.*must be a str among"),
        ({"random_state": "seed"}, "random_state.*must be an int"),
        ({"hop_length": 0}, "hop_length.*must be an int"),
    ],
)
@pytest.mark.parametrize("method", ["fit", "transform"])
def test_bad_parameters_are_refused(params, message, method, clips):
    with pytest.raises(ValueError, match=message):
        getattr(RandomCNNFeatures(**params), method)(clips)


def test_a_class_is_taken_as_its_name_is(clips):
    np.testing.assert_array_equal(make(SampleLevel).transform(clips), make(WAVEFORM).transform(clips))


@pytest.mark.parametrize(
    ("builder", "name", "params"),
    [
        (partial(SingleLayer, bands=1.0), SPECTROGRAM, {"bands": 1.0}),
        (partial(SampleLevel, input_norm=None), WAVEFORM, {}),
        (lambda *args, **kwargs: SingleLayer(*args, **kwargs), SPECTROGRAM, {}),
    ],
    ids=["partial", "partial for waveforms", "function"],
)
def test_what_builds_a_network_is_taken(builder, name, params, clips):
    expected = make(name, architecture_params=params).transform(clips)
    np.testing.assert_array_equal(make(builder).transform(clips), expected)


# Random weights


@of_either_kind
def test_same_random_state_gives_the_same_features_and_another_others(architecture, clips):
    first = make(architecture, random_state=1).transform(clips)
    np.testing.assert_array_equal(make(architecture, random_state=1).transform(clips), first)
    assert not np.allclose(make(architecture, random_state=2).transform(clips), first)


def test_fitting_changes_nothing_where_random_state_is_an_int(clips):
    features = make(random_state=1)
    before = features.transform(clips)
    np.testing.assert_array_equal(features.fit(clips[:1]).transform(clips), before)


@pytest.mark.parametrize("random_state", [None, np.random.RandomState(0)], ids=["None", "RandomState"])
def test_weights_are_drawn_by_fit_where_random_state_is_no_int(random_state, clips):
    features = make(random_state=random_state)
    with pytest.raises(NotFittedError):
        features.transform(clips)
    first = features.fit(clips).transform(clips)
    np.testing.assert_array_equal(features.transform(clips), first)
    assert not np.allclose(features.fit(clips).transform(clips), first)


def test_random_states_alike_draw_the_same_weights(clips):
    results = [make(random_state=np.random.RandomState(5)).fit_transform(clips) for _ in range(2)]
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize(
    ("random_state", "requires_fit"),
    [(0, False), (np.int64(3), False), (None, True), (np.random.RandomState(0), True)],
)
def test_tags_tell_whether_anything_is_drawn_by_fit(random_state, requires_fit):
    assert get_tags(make(random_state=random_state)).requires_fit == requires_fit


def test_clone_gives_the_same(clips):
    features = make(random_state=4).fit(clips)
    np.testing.assert_array_equal(clone(features).transform(clips), features.transform(clips))


@pytest.mark.parametrize("random_state", [0, None])
def test_a_pickle_holds_no_weights_and_works_again(random_state, clips):
    features = RandomCNNFeatures("single_layer", n_filters=200, random_state=random_state).fit(clips)
    expected = features.transform(clips)
    pickled = pickle.dumps(features)
    assert len(pickled) < 2000
    np.testing.assert_array_equal(pickle.loads(pickled).transform(clips), expected)


def test_transform_leaves_the_transformer_as_it_was(clips):
    features = make().fit(clips)
    before = dict(vars(features))
    features.transform(clips)
    assert vars(features) == before


@pytest.mark.parametrize(
    "change",
    [
        {"random_state": 9},
        {"n_filters": 5},
        {"n_mels": 60},
        {"architecture_params": {"bands": 1.0}},
        {"architecture": "musically_motivated"},
    ],
)
def test_parameters_set_after_use_count(change, clips):
    features = make()
    features.transform(clips)
    expected = RandomCNNFeatures(**{**features.get_params(), **change}).transform(clips)
    np.testing.assert_array_equal(features.set_params(**change).transform(clips), expected)


def test_weights_are_drawn_once(clips, monkeypatch):
    n_drawn = []

    def counted(*args, **kwargs):
        network = SingleLayer(*args, **kwargs)
        n_drawn.append(not network.output.weight.is_meta)
        return network

    features = make(counted, n_threads=2)
    features.transform(clips)
    features.transform(clips)
    assert sum(n_drawn) == 1


def test_weights_are_released_with_the_transformer(clips):
    gc.collect()
    before = len(_random_cnn._networks)
    features = make()
    features.transform(clips)
    assert len(_random_cnn._networks) == before + 1
    del features
    gc.collect()
    assert len(_random_cnn._networks) == before


def test_global_random_state_stays_as_it_was(clips):
    torch.manual_seed(123)  # no state that the weights themselves could have left
    state, torch_state = np.random.get_state()[1].copy(), torch.get_rng_state()  # noqa: NPY002
    for random_state in (0, np.random.RandomState(0)):
        make(random_state=random_state).fit(clips).transform(clips)
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)


def test_global_random_state_has_no_part_in_it(clips):
    results = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        results.append(make().transform(clips))
    np.testing.assert_array_equal(*results)


@pytest.mark.gpu
@of_any_kind
def test_gpu_equals_cpu(architecture, clips):
    params = {"pooling": ["mean", "max", "std"], "n_filters": 16}
    ours = RandomCNNFeatures(architecture, device="cuda", **params).transform(clips)
    assert_features_close(
        ours, RandomCNNFeatures(architecture, device="cpu", **params).transform(clips), 1e-4
    )


# Together with classifiers


@pytest.fixture(scope="module")
def dataset():
    return load_synthetic(4, n_folds=2, duration=0.5, sample_rate=SECOND, snr_db=(20, 35))


@of_either_kind
@pytest.mark.parametrize("kind", ["arrays", "paths"])
def test_a_pipeline_is_cross_validated_on_arrays_and_paths(architecture, kind, dataset, tmp_path):
    X = list(dataset.X)
    if kind == "paths":
        X = [tmp_path / f"{index}.wav" for index in range(len(X))]
        for path, clip in zip(X, dataset.X, strict=True):
            sf.write(path, clip, SECOND, subtype="FLOAT")
    model = make_pipeline(make(architecture, n_features=150), StandardScaler(), SVC())
    accuracy = cross_val_score(model, X, dataset.y, cv=PredefinedSplit(dataset.folds))
    assert accuracy.mean() > 0.2  # of ten classes, from two clips of each


def test_the_same_network_can_be_trained_on_spectrograms(dataset):
    keep = np.isin(dataset.y, np.unique(dataset.y)[:3])
    X, y = [clip for clip, kept in zip(dataset.X, keep, strict=True) if kept], dataset.y[keep]
    classifier = SkorchCNN(
        "single_layer",
        architecture_params={"n_filters": 16, "input_norm": "band"},
        optimizer=torch.optim.Adam,
        learning_rate=1e-3,
        max_epochs=30,
        random_state=0,
    )
    model = make_pipeline(LogMel.from_preset("random-cnn"), classifier)
    accuracy = cross_val_score(model, X, y, cv=PredefinedSplit(dataset.folds[keep]))
    assert accuracy.mean() > 0.5  # of three classes


def test_the_same_network_can_be_trained_on_waveforms():
    rng = np.random.default_rng(0)
    t = np.arange(3000) / SECOND
    pitch = np.tile([100, 3000], 8)
    X = np.sin(2 * np.pi * pitch[:, None] * t + rng.uniform(0, 6, (16, 1)))[:, None]
    classifier = SkorchCNN(
        "sample_level",
        architecture_params={"n_filters": 8, "input_norm": "all"},
        patch_frames=2187,
        optimizer=torch.optim.Adam,
        learning_rate=1e-2,
        max_epochs=25,
        random_state=0,
    )
    classifier.fit(X[:8], pitch[:8])
    assert (classifier.predict(X[8:]) == pitch[8:]).mean() == 1.0
