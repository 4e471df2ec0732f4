"""Pipes in the place of files of datasets: refused, instead of waiting for a writer."""

import os
from pathlib import Path

import pytest

from skfewaudio.datasets import load_annotations, load_csv, load_esc50
from skfewaudio.datasets._tfrecord import read_sequence_examples
from skfewaudio.exceptions import DatasetNotFoundError

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")


@pytest.fixture
def pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    return tmp_path / "pipe.csv"


@pytest.mark.parametrize("load", [load_csv, load_annotations])
def test_pipe_as_a_table_is_refused(load, pipe):
    with pytest.raises(DatasetNotFoundError, match="Not a regular file"):
        load(pipe)


def test_pipe_as_the_table_of_a_dataset_is_refused(tmp_path):
    meta = tmp_path / "ESC-50-master" / "meta"
    meta.mkdir(parents=True)
    os.mkfifo(meta / "esc50.csv")
    with pytest.raises(OSError, match="Not a regular file"):
        load_esc50(tmp_path)


def test_pipe_as_records_is_refused(pipe):
    with pytest.raises(OSError, match="Not a regular file"):
        list(read_sequence_examples(Path(pipe)))
