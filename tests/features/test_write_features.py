import numpy as np
import pytest
from sklearn.preprocessing import FunctionTransformer

from skfewaudio import LogMel
from skfewaudio.features import write_features

CLIPS = np.random.default_rng(0).normal(size=(7, 9000)).astype(np.float32)


def test_file_contains_the_output_of_transform(tmp_path):
    features = write_features(LogMel(), CLIPS, tmp_path / "x.npy", n_at_once=3)
    np.testing.assert_allclose(features, LogMel().transform(CLIPS), rtol=1e-6)


def test_result_is_memory_mapped(tmp_path):
    assert isinstance(write_features(LogMel(), CLIPS, tmp_path / "x.npy"), np.memmap)


def test_half_precision_can_be_written(tmp_path):
    features = write_features(LogMel(), CLIPS, tmp_path / "x.npy", dtype=np.float16)
    assert features.dtype == np.load(tmp_path / "x.npy").dtype == np.float16


def test_list_of_clips_is_accepted(tmp_path):
    assert len(write_features(LogMel(), list(CLIPS), str(tmp_path / "x.npy"), n_at_once=2)) == 7


def test_clip_of_another_length_raises_an_error_and_leaves_no_file(tmp_path):
    clips = [*CLIPS, CLIPS[0][:100]]
    with pytest.raises(ValueError, match=r"clip 7 gives features of shape \(64, 1\) and clip 0 of \(64, 9\)"):
        write_features(LogMel(), clips, tmp_path / "x.npy", n_at_once=2)
    assert not list(tmp_path.iterdir())


def test_failure_keeps_the_existing_file(tmp_path):
    write_features(LogMel(), CLIPS, tmp_path / "x.npy")
    with pytest.raises(ValueError, match="clip 1"):
        write_features(LogMel(), [CLIPS[0], CLIPS[0][:100]], tmp_path / "x.npy")
    assert len(np.load(tmp_path / "x.npy")) == 7


def test_other_file_extensions_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"ends in \.npy"):
        write_features(FunctionTransformer(), CLIPS, tmp_path / "x.zarr")


def test_empty_input_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no clips"):
        write_features(LogMel(), [], tmp_path / "x.npy")
