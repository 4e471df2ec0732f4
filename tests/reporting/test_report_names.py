"""Names with control characters in reports."""

import os

import numpy as np
import pandas as pd
import pytest

from skfewaudio.datasets import AudioDataset
from skfewaudio.reporting import write_report

ODD = "ba\x1b[31mrk\u202e"
ESCAPED = "ba\\x1b[31mrk\\u202e"


@pytest.fixture
def written(tmp_path):
    """Function that writes a report whose names are odd and returns its text."""

    def write(format):
        results = pd.DataFrame(
            {"pipeline": "1-nn", "n_shots": [1, 1], "repeat": 0, "fold": [1, 2], "metric": "accuracy"}
        ).assign(value=0.5, dataset=ODD)
        clips = {"clip": [0, 1], "predicted": ["rain", "rain"], "true": [ODD, "rain"]}
        predictions = pd.DataFrame({"pipeline": "1-nn", "n_shots": 1, "repeat": 0, "fold": [1, 2], **clips})
        dataset = AudioDataset(np.zeros((2, 800)), [ODD, "rain"], name=ODD, sample_rate=8000)
        options = {"predictions": predictions, "dataset": dataset, "suggestions": [f"{ODD}.wav"]}
        path = write_report(tmp_path / "report", results, format=format, **options)
        return path.read_text(encoding="utf-8")

    return write


@pytest.mark.parametrize("format", ["html", "markdown"])
def test_control_characters_in_names_are_escaped(format, written):
    text = written(format)
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_html_shows_the_escapes(written):
    assert ESCAPED in written("html")


@pytest.mark.skipif(os.name != "posix", reason="needs devices")
def test_report_to_a_device_is_written():
    results = pd.DataFrame({"pipeline": ["1-nn"], "n_shots": 1, "repeat": 0, "fold": 0})
    results = results.assign(metric="accuracy", value=0.5)
    assert write_report("/dev/null", results, format="markdown").exists()
