"""Clips of any length: short ones, padding, and cropping."""

import numpy as np
import pytest

SECOND = 12000
SPECTROGRAM, WAVEFORM = "single_layer", "sample_level"
# Number of features and shortest clip in samples of each architecture.
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
def test_silent_and_constant_clips_have_finite_features(architecture, clip, make):
    features = make(architecture, pooling=["mean", "max", "std", "positive"])
    result = features.transform([clip])
    assert result.shape == (1, 4 * ARCHITECTURES[architecture][0])
    assert np.isfinite(result).all()


@of_any_kind
def test_shortest_clip_needs_no_padding(architecture, noise, make):
    n_samples = ARCHITECTURES[architecture][1]
    features = make(architecture, pad_mode=None).transform([noise(n_samples)])
    np.testing.assert_array_equal(features, make(architecture).transform([noise(n_samples)]))


@pytest.mark.parametrize("architecture", [name for name in ARCHITECTURES if name != "musically_motivated"])
def test_error_for_too_short_clip_contains_the_required_length(architecture, noise, make, clips):
    n_samples = ARCHITECTURES[architecture][1]
    clips = [noise(n_samples), noise(n_samples - 1)]
    needed = rf"{n_samples / SECOND:.4g} s \({n_samples} samples at 12000 Hz\)"
    with pytest.raises(
        ValueError,
        match=rf"clip 1 has .* and '{architecture}' requires at least {needed}; .*pad_mode='repeat'",
    ):
        make(architecture, pad_mode=None).transform(clips)


@pytest.mark.parametrize("n_fft", [511, 512, 1023])
def test_shortest_clip_has_enough_frames_for_any_n_fft(n_fft, make):
    assert np.isfinite(make(n_fft=n_fft, n_mels=40).transform([np.ones(1)])).all()


@of_either_kind
@pytest.mark.parametrize(
    ("pad_mode", "pad"),
    [("repeat", lambda clip: np.tile(clip, 2)), ("zero", lambda clip: np.pad(clip, (0, SECOND)))],
)
def test_duration_pads_with_pad_mode(architecture, pad_mode, pad, clips, make):
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


def test_duration_without_padding_keeps_shorter_clips(clips, make):
    features = make(duration=2.0, pad_mode=None)
    np.testing.assert_array_equal(features.transform(clips), make().transform(clips))


def test_short_duration_is_padded_to_the_minimum_of_the_architecture(noise, make):
    short = noise(SECOND // 100)
    expected = make(WAVEFORM).transform([np.tile(short, 19)[:2187]])
    np.testing.assert_array_equal(make(WAVEFORM, duration=0.01).transform([noise(SECOND // 100)]), expected)
