"""Fine-tuning of pre-trained networks of waveforms."""

import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from torch import nn

from skfewaudio import LogMel, SkorchCNN, save_model
from skfewaudio.exceptions import ModelSaveError
from skfewaudio.features import PretrainedArchitecture, RawWaveform

RATE = 8000
Y = ["low"] * 4 + ["high"] * 4


class Filters(nn.Module):
    """Eight filters, whose energies are the embedding of a frame."""

    sample_rate, window = RATE, 0.1

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.filters = nn.Conv1d(1, 8, 32, stride=16)

    def forward(self, waveforms):
        return self.filters(waveforms[:, None]).square().transpose(1, 2)


class Sums(Filters):
    def forward(self, waveforms):
        return waveforms.sum()


@pytest.fixture(scope="module")
def clips():
    times = np.arange(1600) / RATE
    rng = np.random.default_rng(0)
    tones = np.sin(2 * np.pi * np.repeat([300.0, 2000.0], 4)[:, None] * times)
    return (tones + 0.1 * rng.normal(size=tones.shape)).astype(np.float32)


def make(model=None, **params):
    defaults = {"backbone_learning_rate": 0.01, "max_epochs": 20, "random_state": 0}
    cnn = SkorchCNN(PretrainedArchitecture(Filters() if model is None else model), **(defaults | params))
    return make_pipeline(RawWaveform(sample_rate=RATE), cnn)


def test_tones_are_told_apart(clips):
    assert make().fit(clips, Y).score(clips, Y) == 1


def test_the_backbone_is_trained_with_its_own_rate(clips):
    network = Filters()
    trained = make(network).fit(clips, Y)[-1].network_.trunk.module
    frozen = make(network, backbone_learning_rate=0).fit(clips, Y)[-1].network_.trunk.module
    assert torch.equal(frozen.filters.weight, network.filters.weight)
    assert not torch.equal(trained.filters.weight, network.filters.weight)


def test_the_given_network_is_unchanged(clips):
    network = Filters()
    before = network.filters.weight.clone()
    make(network).fit(clips, Y)
    assert torch.equal(network.filters.weight, before)


def test_two_fits_are_identical(clips):
    model = make()
    expected = model.fit(clips, Y).predict_proba(clips)
    np.testing.assert_array_equal(clone(model).fit(clips, Y).predict_proba(clips), expected)


def test_a_pickle_predicts_the_same(clips):
    model = make().fit(clips, Y)
    loaded = pickle.loads(pickle.dumps(model))
    np.testing.assert_allclose(loaded.predict_proba(clips), model.predict_proba(clips), rtol=1e-5)


def test_parts_are_windows_of_the_network(clips):
    assert make(max_epochs=0).fit(clips, Y)[-1].patch_frames_ == 800


def test_the_window_can_be_chosen():
    assert PretrainedArchitecture(Filters(), window=0.05).patch_frames == 400


def test_spectrograms_are_refused(clips):
    model = make_pipeline(LogMel(sample_rate=RATE), make()[-1])
    with pytest.raises(ValueError, match=r"put RawWaveform\(sample_rate=8000\) before the classifier"):
        model.fit(clips, Y)


def test_networks_without_embeddings_are_refused(clips):
    with pytest.raises(ValueError, match=r"Sums returned \(\) for 1 waveforms"):
        make(Sums()).fit(clips, Y)


def test_networks_of_other_files_are_refused(clips):
    with pytest.raises(ValueError, match="cannot be fine-tuned: expected 'hf:'"):
        make("onnx:model.onnx").fit(clips, Y)


def test_waveforms_of_different_lengths_are_a_list():
    found = RawWaveform(sample_rate=RATE).fit_transform([np.zeros(80), np.ones(40)])
    assert [clip.shape for clip in found] == [(1, 80), (1, 40)]


def test_files_are_resampled(tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", np.zeros(1600), 16000)
    assert RawWaveform(sample_rate=RATE).fit_transform([str(tmp_path / "a.wav")]).shape == (1, 1, 800)


def test_a_saved_model_is_refused_by_name(clips, tmp_path):
    with pytest.raises(ModelSaveError, match="skorchcnn__architecture cannot be saved"):
        save_model(make(max_epochs=0).fit(clips, Y), tmp_path / "m.model")
