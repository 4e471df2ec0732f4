import librosa
import numpy as np
import pandas as pd
import pytest

from skfewaudio.features import MFCC


def sound(n_samples, seed=0):
    """Return a decaying tone in noise."""
    rng = np.random.default_rng(seed)
    t = np.arange(n_samples) / 12000
    return (np.sin(2 * np.pi * 700 * t) * np.exp(-t) + 0.01 * rng.normal(size=n_samples)).astype(np.float32)


def librosa_summary(clip):
    """Compute the summary from librosa's coefficients."""
    mfcc = librosa.feature.mfcc(y=clip, sr=12000, n_mfcc=20)
    delta = np.diff(mfcc, axis=1)
    parts = (mfcc, delta, np.diff(delta, axis=1))
    return np.concatenate([function(part, axis=1) for part in parts for function in (np.mean, np.std)])


@pytest.mark.parametrize("n_samples", [12000, 12001, 60000, 5000])
def test_summary_equals_the_formula_on_librosa(n_samples):
    clip = sound(n_samples)
    np.testing.assert_allclose(MFCC().transform([clip])[0], librosa_summary(clip), atol=1e-3)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ({}, {}),
        ({"n_mfcc": 13, "lifter": 22}, {"n_mfcc": 13, "lifter": 22}),
        ({"n_fft": 512, "hop_length": 160, "htk": True}, {"n_fft": 512, "hop_length": 160, "htk": True}),
        ({"pad_mode": "reflect", "n_mels": 40}, {"pad_mode": "reflect", "n_mels": 40}),
    ],
)
# librosa warns of bands without a bin
@pytest.mark.filterwarnings("ignore:Empty filters:UserWarning")
def test_frames_equal_librosa(ours, theirs):
    clip = sound(20000)
    expected = librosa.feature.mfcc(y=clip, sr=12000, **theirs)
    np.testing.assert_allclose(MFCC(summary=None, **ours).transform([clip])[0], expected, atol=1e-3)


def test_real_recordings_equal_the_formula_on_librosa(shared_data):
    from skfewaudio.audio import load_audio

    paths = sorted((shared_data / "data" / "ESC-50-master" / "audio").glob("*.ogg"))[::80]
    expected = [librosa_summary(load_audio(path, sample_rate=12000)) for path in paths]
    np.testing.assert_allclose(MFCC().transform(paths), expected, atol=1e-3)


def test_summary_is_a_table_for_clips_of_any_length():
    assert MFCC().transform([sound(n) for n in (1, 100, 5000, 30000)]).shape == (4, 120)


def test_short_clip_is_zero_padded_to_three_frames():
    np.testing.assert_array_equal(
        MFCC().transform([sound(100)]), MFCC().transform([np.pad(sound(100), (0, 924))])
    )


def test_frames_of_clips_of_different_lengths_give_a_list():
    shapes = [clip.shape for clip in MFCC(summary=None).transform([sound(1), sound(12000)])]
    assert shapes == [(20, 1), (20, 24)]


def test_silence_is_finite():
    assert np.isfinite(MFCC().transform(np.zeros((2, 6000)))).all()


def test_pandas_output_has_named_columns():
    frame = MFCC(n_mfcc=2).set_output(transform="pandas").transform(np.stack([sound(6000)] * 2))
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns[:5]) == [
        "mfcc0_mean",
        "mfcc1_mean",
        "mfcc0_std",
        "mfcc1_std",
        "mfcc0_delta_mean",
    ]
    assert frame.shape == (2, 12)


def test_coefficients_of_frames_are_named():
    assert MFCC(n_mfcc=2, summary=None).get_feature_names_out().tolist() == ["mfcc0", "mfcc1"]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"n_mfcc": 129}, "n_mfcc=129 is above n_mels=128"),
        ({"summary": "mean"}, "summary.*must be a str among"),
        ({"lifter": -1}, "lifter.*must be a float"),
    ],
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        MFCC(**params).transform([sound(6000)])
