"""Clips of any length: short ones, padding, and cropping."""

import numpy as np
import pytest

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


@of_any_kind
@pytest.mark.parametrize(
    "clip",
    [
        np.zeros(SECOND),
        np.zeros(1),
        np.ones(1),
        np.linspace(-1, 1, 256),
        np.full(SECOND, 0.5),
        np.ones(SECOND),
    ],
    ids=["silence", "silent sample", "one sample", "one frame", "constant", "full scale"],
)
def test_clips_with_nothing_to_hear_have_finite_features(architecture, clip, make):
    features = make(architecture, pooling=["mean", "max", "std", "positive"])
    result = features.transform([clip])
    assert result.shape == (1, 4 * ARCHITECTURES[architecture][0])
    assert np.isfinite(result).all()


@of_any_kind
def test_shortest_clip_is_taken_as_it_is(architecture, noise, make):
    n_samples = ARCHITECTURES[architecture][1]
    features = make(architecture, pad_mode=None).transform([noise(n_samples)])
    np.testing.assert_array_equal(features, make(architecture).transform([noise(n_samples)]))


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "musically_motivated"])
def test_too_short_a_clip_without_padding_is_named_with_what_is_needed(architecture, noise, make, clips):
    n_samples = ARCHITECTURES[architecture][1]
    clips = [noise(n_samples), noise(n_samples - 1)]
    needed = rf"{n_samples / SECOND:.4g} s \({n_samples} samples at 12000 Hz\)"
    with pytest.raises(
        ValueError, match=rf"clip 1 has .* and '{architecture}' takes at least {needed}; .*pad_mode='repeat'"
    ):
        make(architecture, pad_mode=None).transform(clips)


@pytest.mark.parametrize("n_fft", [511, 512, 1023])
def test_shortest_clip_has_the_frames_needed_whatever_n_fft_is(n_fft, make):
    assert np.isfinite(make(n_fft=n_fft, n_mels=40).transform([np.ones(1)])).all()


@of_either_kind
@pytest.mark.parametrize(
    ("pad_mode", "pad"),
    [("repeat", lambda clip: np.tile(clip, 2)), ("zero", lambda clip: np.pad(clip, (0, SECOND)))],
)
def test_duration_pads_as_asked(architecture, pad_mode, pad, clips, make):
    features = make(architecture, duration=2.0, pad_mode=pad_mode)
    expected = make(architecture).transform([pad(clip) for clip in clips])
    np.testing.assert_array_equal(features.transform(clips), expected)


@of_either_kind
@pytest.mark.parametrize("pad_mode", ["repeat", "zero", None])
def test_duration_crops(architecture, pad_mode, clips, make):
    features = make(architecture, duration=0.5, pad_mode=pad_mode)
    np.testing.assert_array_equal(
        features.transform(clips), make(architecture).transform(clips[:, : SECOND // 2])
    )


def test_duration_without_padding_leaves_shorter_clips(clips, make):
    features = make(duration=2.0, pad_mode=None)
    np.testing.assert_array_equal(features.transform(clips), make().transform(clips))


def test_duration_shorter_than_the_architecture_needs_is_padded_to_that(noise, make):
    short = noise(SECOND // 100)
    expected = make(WAVEFORM).transform([np.tile(short, 19)[:2187]])
    np.testing.assert_array_equal(make(WAVEFORM, duration=0.01).transform([noise(SECOND // 100)]), expected)
