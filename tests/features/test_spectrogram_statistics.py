import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils import get_tags

from skfewaudio import LogMel, SoundEmbed, SpectrogramStatistics
from skfewaudio.features._spectrogram_statistics import BLOCKS, FILTER_BLOCKS

N_MELS = 20


def spectrograms(*n_frames, seed=0):
    """Return spectrograms of noise around -40 dB."""
    rng = np.random.default_rng(seed)
    return [rng.normal(-40, 10, (N_MELS, n)).astype(np.float32) for n in n_frames]


def one_block(name, clips, **params):
    return SpectrogramStatistics([name], **params).transform(clips)


def test_band_statistics_equal_numpy():
    (clip,) = spectrograms(50)
    expected = [
        clip.mean(axis=1),
        clip.std(axis=1),
        clip.max(axis=1),
        np.percentile(clip, 10, axis=1),
        np.diff(clip, axis=1).std(axis=1),
    ]
    np.testing.assert_allclose(one_block("bands", [clip])[0], np.concatenate(expected) / 15, rtol=1e-4)


def test_scale_divides_the_spectrograms():
    clips = spectrograms(40, 200)
    louder = [2 * clip for clip in clips]
    np.testing.assert_allclose(
        SpectrogramStatistics(BLOCKS, scale=30.0).transform(louder),
        SpectrogramStatistics(BLOCKS).transform(clips),
        rtol=1e-4,
        atol=1e-4,
    )


def test_modulation_is_strongest_at_the_rate_of_the_beat():
    beat = 10 * np.sin(2 * np.pi * 10 / 128 * np.arange(400))
    statistics = SpectrogramStatistics(["modulation"]).fit([np.tile(beat - 40, (N_MELS, 1))])
    found = statistics.transform([np.tile(beat - 40, (N_MELS, 1))])[0]
    assert statistics.get_feature_names_out()[found.argmax()].endswith("_8to11")


def test_relative_modulation_does_not_depend_on_the_strength_of_a_beat():
    beat = np.sin(2 * np.pi * np.arange(400)[None] * np.arange(1, N_MELS + 1)[:, None] / 64)
    noise = spectrograms(400)[0] + 40
    weak, strong = (one_block("modulation_relative", [a * (beat + noise)]) for a in (1, 3))
    np.testing.assert_allclose(weak, strong, atol=0.05)
    assert (
        np.abs(one_block("modulation", [beat + noise]) - one_block("modulation", [3 * (beat + noise)])).min()
        > 9
    )


def test_filter_shares_are_between_zero_and_one():
    shares = one_block("filters_share", spectrograms(100))
    assert shares.min() >= 0
    assert shares.max() <= 1
    assert 0.3 < shares.mean() < 0.7


def test_filters_respond_to_the_level_only_at_the_borders():
    """Filters sum to zero, so a constant clip changes only responses that reach into the padding."""
    names = SpectrogramStatistics(["filters_share"], n_regions=1).fit(spectrograms(5)).get_feature_names_out()
    quiet, loud = (
        one_block("filters_share", [np.full((N_MELS, 400), level)], n_regions=1)[0] for level in (-80, -10)
    )
    small = np.array(["3x3_" in name for name in names])
    # With stride 2 and filters of three bands, only the outermost row of responses reaches into the padding.
    assert np.abs(quiet - loud)[small].max() <= 2 / (N_MELS / 2) + 0.02
    assert np.abs(quiet - loud)[small].max() > 0


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("n_frames", [1, 2, 3, 127, 128, 129])
def test_statistics_are_finite_for_any_number_of_frames(block, n_frames):
    assert np.isfinite(one_block(block, spectrograms(n_frames))).all()


@pytest.mark.parametrize("level", [-100.0, 0.0, 60.0])
def test_constant_spectrogram_has_finite_statistics(level):
    assert np.isfinite(SpectrogramStatistics(BLOCKS).transform([np.full((N_MELS, 30), level)])).all()


def test_silence_of_further_clips_is_measured():
    clips = [np.hstack([clip, np.full((N_MELS, 12 - clip.shape[1]), -90)]) for clip in spectrograms(11, 9)]
    parts = SpectrogramStatistics().partial_fit(clips[1:]).partial_fit(clips[:1])
    assert parts.max_silence_ == SpectrogramStatistics().fit(clips).max_silence_ == pytest.approx(0.25)


def test_silence_has_finite_statistics():
    silence = LogMel().transform(np.zeros((2, 30000), dtype=np.float32))
    assert np.isfinite(SpectrogramStatistics(BLOCKS).transform(silence)).all()


def test_modulation_of_short_clip_equals_its_repetition():
    (clip,) = spectrograms(50)
    np.testing.assert_array_equal(
        one_block("modulation", [clip]), one_block("modulation", [np.tile(clip, 3)[:, :128]])
    )


def test_statistics_do_not_depend_on_other_clips():
    clips = spectrograms(30, 100, 30, 1, 250, 100, *[30] * 40)
    together = SpectrogramStatistics(BLOCKS).transform(clips)
    alone = [SpectrogramStatistics(BLOCKS).transform([clip])[0] for clip in clips]
    np.testing.assert_allclose(together, alone, rtol=1e-5, atol=1e-5)


def test_array_and_list_agree():
    clips = spectrograms(60, 60, 60)
    np.testing.assert_array_equal(
        SpectrogramStatistics().transform(np.stack(clips)), SpectrogramStatistics().transform(clips)
    )


def test_double_precision_input_gives_single_precision_output():
    clips = spectrograms(60, 80)
    found = SpectrogramStatistics().transform([clip.astype(np.float64) for clip in clips])
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, SpectrogramStatistics().transform(clips))


def test_input_is_unchanged():
    clips = spectrograms(60, 80)
    before = [clip.copy() for clip in clips]
    SpectrogramStatistics(BLOCKS).transform(clips)
    np.testing.assert_array_equal(np.hstack(clips), np.hstack(before))


def test_statistics_do_not_depend_on_threads():
    clips = spectrograms(*range(20, 60))
    np.testing.assert_array_equal(
        SpectrogramStatistics(n_threads=1).transform(clips),
        SpectrogramStatistics(n_threads=4).transform(clips),
    )


def test_blocks_are_in_the_given_order():
    clips = spectrograms(60)
    both = SpectrogramStatistics(["modulation", "filters_max"]).transform(clips)
    np.testing.assert_array_equal(
        both, np.hstack([one_block("modulation", clips), one_block("filters_max", clips)])
    )


@pytest.mark.parametrize("n_mels", [1, 3, 20, 64])
def test_block_sizes_and_feature_names_match_the_output(n_mels):
    statistics = SpectrogramStatistics(BLOCKS, n_filters=3)
    found = statistics.fit_transform([np.zeros((n_mels, 9), dtype=np.float32)])
    names = statistics.get_feature_names_out()
    assert len(names) == len(set(names)) == found.shape[1] == sum(statistics.block_sizes())
    of_blocks = [name.split("__")[0] for name in names]
    assert of_blocks == list(np.repeat(BLOCKS, statistics.block_sizes(n_mels)))


def test_block_sizes_need_n_mels_only_without_fit():
    assert SpectrogramStatistics(["bands"]).block_sizes(n_mels=7) == [35]


def test_random_state_changes_only_the_filter_blocks():
    clips = spectrograms(60)
    first, second = (SpectrogramStatistics(random_state=seed).fit(clips) for seed in (0, 1))
    moved = (first.transform(clips) != second.transform(clips))[0]
    of_filters = np.array([name.startswith("filters") for name in first.get_feature_names_out()])
    assert not moved[~of_filters].any()
    assert moved[of_filters].mean() > 0.9


def test_global_random_state_is_unchanged():
    import torch

    torch.manual_seed(0)
    expected = torch.rand(1)
    torch.manual_seed(0)
    SpectrogramStatistics(random_state=123).transform(spectrograms(60))
    assert torch.rand(1) == expected


def test_transform_needs_no_fit():
    clips = spectrograms(60)
    assert not get_tags(SpectrogramStatistics()).requires_fit
    np.testing.assert_array_equal(
        SpectrogramStatistics().transform(clips), SpectrogramStatistics().fit_transform(clips)
    )


def test_clone_and_pickle_give_the_same_statistics():
    clips = spectrograms(60)
    statistics = SpectrogramStatistics(n_filters=2, random_state=3).fit(clips)
    for copy in (clone(statistics), pickle.loads(pickle.dumps(statistics))):
        np.testing.assert_array_equal(copy.transform(clips), statistics.transform(clips))


def test_number_of_bands_different_from_fit_is_refused():
    statistics = SpectrogramStatistics().fit(spectrograms(60))
    with pytest.raises(ValueError, match="expecting 20 features"):
        statistics.transform([np.zeros((21, 30), dtype=np.float32)])


def test_feature_vectors_are_refused():
    with pytest.raises(ValueError, match=r"put LogMel\(\) before this"):
        SpectrogramStatistics().fit(np.zeros((3, 20)))


@pytest.mark.parametrize("blocks", [[], ["bands", "bands"], ["beat"]])
def test_invalid_blocks_are_refused(blocks):
    with pytest.raises(ValueError, match="filters_share, filters_max"):
        SpectrogramStatistics(blocks).fit(spectrograms(60))


def test_filter_blocks_are_consistent():
    clips = spectrograms(90)
    share, peak, mean, _ = (one_block(block, clips)[0] for block in FILTER_BLOCKS)
    np.testing.assert_array_equal(share > 0, peak > 0)
    assert (mean <= np.maximum(peak, 0) * share + 1e-6).all()


@pytest.mark.parametrize("transformer", [SpectrogramStatistics, SoundEmbed])
def test_silence_around_the_active_part_has_no_effect(transformer):
    rng = np.random.default_rng(3)
    clip = rng.normal(-30, 3, (64, 90)).astype(np.float32)
    silence = np.full((64, 70), -100, dtype=np.float32)
    noise = silence + rng.normal(0, 3, silence.shape).astype(np.float32)
    expected = transformer(active_db=60).transform([clip])
    for padded in (np.hstack([silence, clip, noise]), np.hstack([noise, clip])):
        np.testing.assert_allclose(transformer(active_db=60).transform([padded]), expected, rtol=1e-5)
        assert not np.allclose(transformer().transform([padded]), expected, rtol=0.1)


def test_pauses_inside_the_active_part_are_kept():
    clip = np.full((64, 90), -30.0)
    clip[:, 40:60] = -100
    statistics = SpectrogramStatistics(active_db=60)
    np.testing.assert_array_equal(statistics.transform([clip]), SpectrogramStatistics().transform([clip]))
