"""Labels that a person types."""

import pytest

from skfewaudio.labelling._label_names import check_label


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("rain", "rain"),
        ("  heavy \t rain ", "heavy rain"),
        ("cafe\u0301", "café"),
        ("雨", "雨"),
        ("<b>x", "<b>x"),
    ],
)
def test_label_is_stored_in_one_form(typed, stored):
    assert check_label(typed) == stored


@pytest.mark.parametrize("typed", ["", "   ", "x" * 65, "a\x00b", "a\x1b[31m", "a\u202eb", "\ud800"])
def test_empty_long_and_invisible_labels_are_refused(typed):
    with pytest.raises(ValueError, match="label"):
        check_label(typed)


@pytest.mark.parametrize("typed", ["=1+1", "+x", "-x", "@x", "\uff1d1", "#x"])
def test_formulas_and_comments_are_refused(typed):
    with pytest.raises(ValueError, match="begins with"):
        check_label(typed)


@pytest.mark.parametrize("typed", [None, 1, ["rain"], b"rain"])
def test_other_types_are_refused(typed):
    with pytest.raises(TypeError, match="expected a text"):
        check_label(typed)
