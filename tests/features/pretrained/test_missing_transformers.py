"""Test of the message for a missing Hugging Face library."""

import sys

import pytest

from skfewaudio.features._pretrained.huggingface import HuggingFaceBackend


def test_the_line_that_installs_the_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError, match=r"pip install 'skfewaudio\[huggingface\]'"):
        HuggingFaceBackend.open("maker/model")
