"""The preset "vggish" compared with reference values of the published VGGish pipeline."""

import numpy as np
import pytest
import soundfile as sf

from skfewaudio.features import LogMel


@pytest.fixture(scope="module")
def reference(shared_data):
    with np.load(shared_data / "golden" / "vggish_reference.npz") as arrays:
        return {name: arrays[name] for name in ("waveform", "sample_rate", "log_mel")}


def test_vggish_preset_equals_the_reference(reference):
    log_mel = LogMel.from_preset("vggish").transform([reference["waveform"]])[0]
    np.testing.assert_allclose(log_mel, reference["log_mel"].T, atol=1e-4)


def test_vggish_preset_of_a_file_equals_the_reference(reference, tmp_path):
    path = tmp_path / "x.wav"
    sf.write(path, reference["waveform"], int(reference["sample_rate"]), subtype="FLOAT")
    log_mel = LogMel.from_preset("vggish").transform([path])[0]
    np.testing.assert_allclose(log_mel, reference["log_mel"].T, atol=1e-4)
