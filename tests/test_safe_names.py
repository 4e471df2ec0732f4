"""Names in terminals, reports and CSV cells."""

import pytest

from skfewaudio._names import as_cell, as_path_cell, escape, escape_words, from_path_cell


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("\x1b]0;title\x07", "\\x1b]0;title\\x07"),
        ("a\u202egpj.wav", "a\\u202egpj.wav"),
        ("\u2066x\u2069", "\\u2066x\\u2069"),
        ("one\u2028two", "one\\u2028two"),
        ("\udc9b31m", "\\udc9b31m"),
        ("caf\udce9", "caf\udce9"),
        ("Zürich 東京 é", "Zürich 東京 é"),
    ],
)
def test_characters_that_change_a_terminal_are_escaped(name, expected):
    assert escape(name) == expected


def test_white_space_of_a_text_is_kept():
    assert escape_words("one\n  two\x1b") == "one\n  two\\x1b"


@pytest.mark.parametrize("text", ["=1+1", "+cmd|x", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\uff1d1"])
def test_formulas_are_quoted(text):
    assert as_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["bark", "-1", "+1.5e3", "1+1", "", "a=b", "-inf"])
def test_other_texts_and_numbers_are_unchanged(text):
    assert as_cell(text) == text


@pytest.mark.parametrize(
    ("path", "cell"),
    [
        ("=cmd|calc.wav", "./=cmd|calc.wav"),
        ("-x/a.wav", "./-x/a.wav"),
        ("a/=b.wav", "a/=b.wav"),
        ("/=", "/="),
    ],
)
def test_path_in_a_cell_names_the_same_file(path, cell):
    assert as_path_cell(path) == cell
    assert from_path_cell(cell) == path
