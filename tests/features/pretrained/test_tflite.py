"""Networks in the format of TensorFlow Lite."""

import numpy as np
import pytest

from skfewaudio.exceptions import WeightsNotFoundError
from skfewaudio.features import PretrainedEmbed

pytest.importorskip("ai_edge_litert")


def embed(path, X, **options):
    return PretrainedEmbed(f"{path}?sample_rate=8000", n_threads=1, **options).fit_transform(X)


def sum_pairs(hidden):
    return hidden.reshape(*hidden.shape[:-1], 3, 2).sum(axis=-1)


def test_embedding_is_the_output_of_the_network(write_tflite, matrix, sounds):
    found = embed(write_tflite(), sounds[:1])
    np.testing.assert_allclose(found[0], sum_pairs(sounds[0] @ matrix), atol=1e-5)


@pytest.mark.parametrize("output", ["penultimate", "hidden", 2, -4])
def test_inner_tensors_are_outputs(write_tflite, matrix, sounds, output):
    found = embed(write_tflite(), sounds[:1], output=output)
    np.testing.assert_allclose(found[0], sounds[0] @ matrix, atol=1e-5)


def test_clips_are_embedded_alike_alone_and_in_batches(write_tflite, sounds):
    path = write_tflite()
    alone = np.vstack([embed(path, [clip]) for clip in sounds])
    np.testing.assert_array_equal(embed(path, sounds), alone)


@pytest.mark.parametrize(
    ("output", "message"),
    [("w2", "no such tensor; its last ones are hidden, pairs, output, other"), (9, "has 6 tensors")],
)
def test_unknown_output_is_refused(write_tflite, sounds, output, message):
    with pytest.raises(ValueError, match=message):
        embed(write_tflite(), sounds, output=output)


def test_network_with_two_inputs_is_refused(write_tflite, sounds):
    with pytest.raises(ValueError, match=r"2 inputs \(sound .*, other .*\); expected one"):
        embed(write_tflite(n_inputs=2), sounds)


def test_damaged_file_is_named(write_tflite, damage, sounds):
    path = damage(write_tflite())
    for output in (None, "penultimate"):
        with pytest.raises(WeightsNotFoundError, match=r"model.tflite cannot be read as a TensorFlow Lite"):
            embed(path, sounds, output=output)


def test_other_file_is_refused(tmp_path, sounds):
    path = tmp_path / "text.tflite"
    path.write_text("not a network")
    with pytest.raises(WeightsNotFoundError, match="is not a TensorFlow Lite network"):
        embed(path, sounds)


def test_gpu_is_refused(write_tflite, sounds):
    with pytest.raises(ValueError, match="device='cuda': TensorFlow Lite networks run on the CPU"):
        embed(write_tflite(), sounds, device="cuda")
