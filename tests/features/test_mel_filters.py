"""Mel filter banks against librosa."""

from itertools import product

import librosa
import numpy as np
import pytest

from skfewaudio.features._mel_filters import hz_to_mel, mel_to_hz, triangular_filters

HERTZ = np.r_[0.0, 20.0, 999.9, 1000.0, 1000.1, np.geomspace(1001, 24000, 50)]


@pytest.mark.parametrize("htk", [False, True])
def test_mels_equal_librosa(htk):
    np.testing.assert_allclose(hz_to_mel(HERTZ, htk=htk), librosa.hz_to_mel(HERTZ, htk=htk), rtol=1e-14)


@pytest.mark.parametrize("htk", [False, True])
def test_hertz_equal_librosa(htk):
    mels = librosa.hz_to_mel(HERTZ, htk=htk)
    np.testing.assert_allclose(mel_to_hz(mels, htk=htk), librosa.mel_to_hz(mels, htk=htk), rtol=1e-14)


@pytest.mark.parametrize("norm", ["slaney", None, 1, 2.0, np.inf])
@pytest.mark.parametrize("htk", [False, True])
def test_filters_equal_librosa(htk, norm):
    sizes = (512, 20), (1024, 40)
    for sample_rate, (n_fft, n_mels), fmin in product((8000, 22050, 44100), sizes, (0, 125)):
        params = {"n_fft": n_fft, "n_mels": n_mels, "fmin": fmin, "htk": htk, "norm": norm}
        ours = triangular_filters(sample_rate=sample_rate, fmax=sample_rate / 2, **params)
        theirs = librosa.filters.mel(sr=sample_rate, fmax=sample_rate / 2, **params)
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def test_empty_filters_are_named():
    with pytest.warns(UserWarning, match=r"Empty filters: \d+ of 128 mel bands"):
        triangular_filters(sample_rate=44100, n_fft=512, n_mels=128, fmin=0, fmax=22050)
