"""load_audioset_embeddings, with files written by the tests."""

import numpy as np
import pytest
import torch

from skfewaudio.classifiers import SkorchCNN
from skfewaudio.datasets import load_audioset_embeddings
from skfewaudio.exceptions import DatasetNotFoundError
from skfewaudio.features._vggish import quantize
from skfewaudio.testing import check_dataset

CLASSES = "index,mid,display_name\n0,/m/09x0r,Speech\n1,/m/04rlf,Music\n2,/m/0k4j,Car\n"
STORED = np.arange(3 * 128).reshape(3, 128).astype(np.uint8)  # one row per second


@pytest.fixture
def root(tmp_path, frame, clip_record):
    """Three clips in two files."""
    folder = tmp_path / "audioset_v1_embeddings"
    (folder / "bal_train").mkdir(parents=True)
    seconds = [row.tobytes() for row in STORED]
    first = frame(clip_record(b"--PJHxphWEs", [0, 2], seconds)) + frame(
        clip_record(b"-0RWZT-miFs", [], seconds[:1])
    )
    (folder / "bal_train" / "00.tfrecord").write_bytes(first)
    (folder / "bal_train" / "_z.tfrecord").write_bytes(frame(clip_record(b"YzNaXcUg8_A", [1], seconds[::-1])))
    (folder / "class_labels_indices.csv").write_text(CLASSES)
    return folder


def test_stored_bytes_have_shape_features_by_seconds(root):
    dataset = load_audioset_embeddings(root, output="pca_uint8")
    assert [x.shape for x in dataset.X] == [(128, 3), (128, 1), (128, 3)]
    assert dataset.X[0].dtype == np.uint8
    assert np.array_equal(dataset.X[0], STORED.T)
    assert np.array_equal(dataset.X[2], STORED.T[:, ::-1])


def test_labels_label_names_and_videos_are_loaded(root):
    dataset = load_audioset_embeddings(root)
    assert dataset.y.tolist() == [[1, 0, 1], [0, 0, 0], [0, 1, 0]]
    assert dataset.target_names == ["Speech", "Music", "Car"]
    assert dataset.groups.tolist() == ["--PJHxphWEs", "-0RWZT-miFs", "YzNaXcUg8_A"]


def test_values_span_the_range_of_the_post_processing(root):
    X = load_audioset_embeddings(root).X
    assert X[0].dtype == np.float32
    np.testing.assert_allclose(X[0], STORED.T / 255 * 4 - 2, atol=1e-6)
    assert (X[0].min(), X[0].max()) == (-2, pytest.approx(2, abs=1e-6))


def test_quantized_values_equal_the_stored_bytes(root):
    X = load_audioset_embeddings(root).X
    assert np.array_equal(quantize(torch.from_numpy(X[0])).numpy(), STORED.T)


@pytest.mark.parametrize("output", ["pca", "pca_uint8"])
def test_tagger_can_be_fitted(root, output):
    dataset = load_audioset_embeddings(root, output=output)
    tagger = SkorchCNN("linear_probe", max_epochs=1, random_state=0).fit(*dataset)
    assert tagger.predict_proba(dataset.X).shape == (3, 3)


def test_subset_does_not_change_features(root):
    dataset = load_audioset_embeddings(root)
    assert dataset.subset([2, 0]).X[1] is dataset.X[0]


def test_features_have_no_paths(root):
    with pytest.raises(AttributeError, match="holds features, not files"):
        load_audioset_embeddings(root).paths  # noqa: B018


@pytest.mark.parametrize(("subset", "folder"), [("eval", "eval"), ("unbalanced_train", "unbal_train")])
def test_each_subset_has_its_own_folder_and_name(root, subset, folder):
    (root / "bal_train").rename(root / folder)
    assert load_audioset_embeddings(root, subset=subset).name == f"audioset-embeddings-{subset}"


@pytest.mark.parametrize("place", [".", "audioset", "data/audioset"])
def test_folder_is_found_in_the_data_home(root, tmp_path_factory, place):
    home = tmp_path_factory.mktemp("home")
    (home / place).mkdir(parents=True, exist_ok=True)
    root.rename(home / place / root.name)
    assert len(load_audioset_embeddings(home)) == 3


def test_label_names_are_found_beside_the_folder(root):
    (root / "class_labels_indices.csv").rename(root.parent / "class_labels_indices.csv")
    assert load_audioset_embeddings(root).target_names == ["Speech", "Music", "Car"]


def test_missing_label_names_are_an_error(root):
    (root / "class_labels_indices.csv").unlink()
    with pytest.raises(DatasetNotFoundError, match=r"no class_labels_indices\.csv in .*get .*https"):
        load_audioset_embeddings(root)


def test_ontology_alone_is_not_enough(root):
    (root / "class_labels_indices.csv").unlink()
    (root / "ontology.json").write_text('[{"id": "/m/09x0r", "name": "Speech"}]')
    with pytest.raises(DatasetNotFoundError):
        load_audioset_embeddings(root)


def test_damage_is_reported_with_file_and_byte(root):
    file = root / "bal_train" / "_z.tfrecord"
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r"_z\.tfrecord, byte 0: the file ends"):
        load_audioset_embeddings(root)


@pytest.mark.parametrize(
    ("video", "labels", "seconds", "reason"),
    [
        (b"--PJHxphWEs", [3], [bytes(128)], "labels must be integers from 0 to 2; got 3"),
        (b"--PJHxphWEs", [0], [bytes(128), bytes(64)], "128 bytes for each second; got {"),
        (b"--PJHxphWEs", [0], [], "128 bytes for each second; got none"),
    ],
)
def test_invalid_record_is_reported_with_its_byte(root, frame, clip_record, video, labels, seconds, reason):
    good = frame(clip_record(video, [0], [bytes(128)]))
    (root / "bal_train" / "00.tfrecord").write_bytes(good + frame(clip_record(video, labels, seconds)))
    with pytest.raises(ValueError, match=rf"00\.tfrecord, record at byte {len(good)}: .*{reason}"):
        load_audioset_embeddings(root)


def test_record_without_a_video_is_reported_with_its_byte(root, frame):
    (root / "bal_train" / "00.tfrecord").write_bytes(frame(b""))
    with pytest.raises(ValueError, match=r"record at byte 0: expected one video_id; got \[\]"):
        load_audioset_embeddings(root)


def test_folder_without_clips_is_an_error(root):
    for file in (root / "bal_train").iterdir():
        file.write_bytes(b"")
    with pytest.raises(DatasetNotFoundError, match="holds no TFRecord files with clips"):
        load_audioset_embeddings(root)


def test_error_names_searched_folders_and_source(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=rf"no eval in {tmp_path} nor .*features\.tar\.gz"):
        load_audioset_embeddings(tmp_path, subset="eval")


def test_unknown_subset_is_rejected(tmp_path):
    with pytest.raises(ValueError, match="got 'bal_train'"):
        load_audioset_embeddings(tmp_path, subset="bal_train")


def test_unknown_output_is_rejected(root):
    with pytest.raises(ValueError, match="output must be 'pca' or 'pca_uint8'; got 'relu'"):
        load_audioset_embeddings(root, output="relu")


def test_the_contract_of_datasets_is_kept(root):
    check_dataset(load_audioset_embeddings, data_home=root)
