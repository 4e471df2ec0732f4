"""Networks in the ONNX format."""

import numpy as np
import pytest

from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import PretrainedEmbed

pytest.importorskip("onnxruntime")


def embed(path, X, **options):
    return PretrainedEmbed(f"{path}?sample_rate=8000", n_threads=1, **options).fit_transform(X)


def test_embedding_is_the_output_of_the_network(write_onnx, matrix, sounds):
    found = embed(write_onnx(), sounds[:1])
    np.testing.assert_allclose(found[0], np.maximum(sounds[0] @ matrix, 0), atol=1e-5)


def test_clips_are_embedded_alike_alone_and_in_batches(write_onnx, sounds):
    path = write_onnx()
    alone = np.vstack([embed(path, [clip]) for clip in sounds])
    np.testing.assert_allclose(embed(path, sounds), alone, atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 800), (3, 800), ("n", "samples")])
def test_fixed_and_free_sizes_give_the_same(write_onnx, matrix, sounds, shape):
    found = embed(write_onnx(shape=shape), sounds[1:2], window=0.1)
    expected = np.maximum(sounds[1].reshape(2, 800) @ matrix, 0).mean(axis=0)
    np.testing.assert_allclose(found[0], expected, atol=1e-5)


def test_sample_rate_in_the_metadata_is_used(write_onnx, sounds):
    path = write_onnx(metadata={"sample_rate": "8000"})
    np.testing.assert_array_equal(PretrainedEmbed(path).fit_transform(sounds), embed(path, sounds))


def test_sample_rate_must_be_known(write_onnx, sounds):
    with pytest.raises(ValueError, match=r"does not state its sample rate.*onnx:.*\?sample_rate=16000"):
        PretrainedEmbed(write_onnx()).fit_transform(sounds)


def test_another_window_than_the_fixed_one_is_refused(write_onnx, sounds):
    with pytest.raises(ValueError, match=r"window=0.2: model takes 800 samples, 0.1 s at 8000 Hz"):
        embed(write_onnx(), sounds, window=0.2)


@pytest.mark.parametrize("output", ["embedding", 0, -2])
def test_output_is_chosen_by_name_or_index(write_onnx, sounds, output):
    path = write_onnx(extra=["bias"])
    found = PretrainedEmbed(f"{path}?sample_rate=8000&bias=0", output=output).fit_transform(sounds)
    np.testing.assert_array_equal(found, embed(write_onnx("plain.onnx"), sounds))


def test_constant_inputs_are_set(write_onnx, sounds):
    path = write_onnx(extra=["bias"])
    found = PretrainedEmbed(f"{path}?sample_rate=8000&bias=2", output="with_bias").fit_transform(sounds)
    np.testing.assert_allclose(found, embed(write_onnx("plain.onnx"), sounds) + 2, atol=1e-6)


def test_network_with_two_inputs_is_refused(write_onnx, sounds):
    with pytest.raises(ValueError, match=r"2 inputs \(sound .*, bias .*\); expected one.*\?bias=0"):
        embed(write_onnx(extra=["bias"]), sounds)


def test_value_of_an_unknown_input_is_refused(write_onnx, sounds):
    with pytest.raises(ValueError, match="no input 'bais'; its inputs are sound"):
        PretrainedEmbed(f"{write_onnx()}?sample_rate=8000&bais=0").fit_transform(sounds)


def test_unknown_output_is_refused(write_onnx, sounds):
    with pytest.raises(ValueError, match=r"output=3: .* has 1 outputs \(embedding\)"):
        embed(write_onnx(), sounds, output=3)


@pytest.mark.parametrize("shape", [(1, 2, 3, 800), (1, 2, 800)])
def test_input_that_is_no_waveform_is_refused(write_onnx, sounds, shape):
    with pytest.raises((ValueError, WeightsNotFoundError), match=r"expected waveforms|cannot be read"):
        embed(write_onnx(shape=shape), sounds)


def test_inner_tensor_is_an_output(write_onnx, matrix, sounds):
    pytest.importorskip("onnx")
    path = write_onnx()
    for output in ("linear", "penultimate"):
        found = embed(path, sounds[:1], output=output)
        np.testing.assert_allclose(found[0], sounds[0] @ matrix, atol=1e-5)


def test_damaged_file_is_named(write_onnx, damage, sounds):
    path = damage(write_onnx())
    with pytest.raises(WeightsNotFoundError, match=r"model.onnx cannot be read as an ONNX network"):
        embed(path, sounds)
