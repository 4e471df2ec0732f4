"""Spectrograms in memory-mapped files: read when needed, with the same results as in memory."""

import numpy as np
import pytest
import torch
from sklearn.model_selection import cross_val_score

from skfewaudio import PrototypicalClassifier, SkorchCNN
from skfewaudio.classifiers._networks.patches import PatchData

N_CLIPS, N_MELS, N_FRAMES = 24, 16, 30
Y = np.arange(N_CLIPS) % 2


@pytest.fixture
def clips():
    X = np.random.default_rng(0).normal(size=(N_CLIPS, N_MELS, N_FRAMES)).astype(np.float32)
    X[Y == 1, :8] += 1
    return X


@pytest.fixture
def mapped(clips, tmp_path):
    np.save(tmp_path / "x.npy", clips)
    return np.load(tmp_path / "x.npy", mmap_mode="r")


def patch_data(clips, patch_frames, pad_mode="repeat"):
    return PatchData(
        list(clips), patch_frames=patch_frames, hop_frames=7, pad_mode=pad_mode, device=torch.device("cpu")
    )


@pytest.mark.parametrize(("patch_frames", "pad_mode"), [(12, "repeat"), (50, "repeat"), (50, "zero")])
def test_patches_equal_those_of_clips_in_memory(clips, mapped, patch_frames, pad_mode):
    ours, theirs = (patch_data(X, patch_frames, pad_mode) for X in (mapped, clips))
    numbers = np.arange(len(theirs))[::-1]
    assert torch.equal(ours.gather(numbers), theirs.gather(numbers))


def test_random_patches_equal_those_of_clips_in_memory(clips, mapped):
    drawn = [patch_data(X, 12).draw(np.array([3, 3, 20]), np.random.RandomState(0)) for X in (mapped, clips)]
    assert torch.equal(*drawn)


@pytest.mark.parametrize(
    "classifier",
    [
        SkorchCNN("timbre", max_epochs=3, patch_frames=20, random_state=0, device="cpu"),
        PrototypicalClassifier(max_epochs=3, random_state=0, device="cpu"),
    ],
    ids=lambda classifier: type(classifier).__name__,
)
def test_predictions_equal_those_of_clips_in_memory(classifier, clips, mapped):
    in_memory = classifier.fit(clips, Y).predict_proba(clips)
    np.testing.assert_array_equal(classifier.fit(mapped, Y).predict_proba(mapped), in_memory)


def test_half_precision_is_converted_to_single(clips, tmp_path):
    np.save(tmp_path / "half.npy", clips.astype(np.float16))
    half = np.load(tmp_path / "half.npy", mmap_mode="r")
    patch = patch_data(half, 12).gather(np.array([0]))
    assert patch.dtype == torch.float32
    np.testing.assert_array_equal(patch[0, 0], half[0, :, :12])


def test_mapped_file_is_not_loaded_into_memory_by_fit(mapped, monkeypatch):
    loaded = []
    monkeypatch.setattr("skfewaudio.classifiers._networks.patches._PackedFrames", loaded.append)
    SkorchCNN("timbre", max_epochs=1, patch_frames=20, random_state=0, device="cpu").fit(list(mapped), Y)
    assert not loaded


def test_list_of_mapped_clips_can_be_cross_validated(mapped):
    classifier = SkorchCNN("timbre", max_epochs=20, patch_frames=20, random_state=0, device="cpu")
    assert cross_val_score(classifier, list(mapped), Y, cv=2).mean() > 0.6


def test_clip_with_nan_is_named(clips, tmp_path):
    clips[5, 3, 3] = np.nan
    np.save(tmp_path / "nan.npy", clips)
    with pytest.raises(ValueError, match="clip 5 holds NaN"):
        SkorchCNN("timbre", device="cpu").fit(np.load(tmp_path / "nan.npy", mmap_mode="r"), Y)
