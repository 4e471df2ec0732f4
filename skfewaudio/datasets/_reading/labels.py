"""Labels of rows: one class, several labels in one cell, or columns of 0 and 1."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .._labels import clean_label, warn_of_similar_labels
from .._warnings import warn_user
from .columns import choose_label_column, find_column

# Also as spreadsheets in German, French, Spanish and Italian write truth.
YES = frozenset({"1", "1.0", "1,0", "true", "yes", "wahr", "vrai", "verdadero", "vero"})
NO = frozenset({"0", "0.0", "0,0", "false", "no", "falsch", "faux", "falso"})
SEPARATORS = (";", "|", ",")

Target = tuple[NDArray[Any], list[str] | None]  # classes and None, or an indicator matrix and its labels


def read_labels(
    table: pd.DataFrame,
    source: Path,
    *,
    label_column: str | None,
    label_columns: Sequence[str] | None,
    label_separator: str | None,
) -> Target:
    """Return the target of each row, and the names of the labels if clips have several."""
    if label_columns is not None:
        if label_column is not None or label_separator is not None:
            raise ValueError("label_columns excludes label_column and label_separator: pass one of them")
        return _read_indicators(table, source, label_columns)
    column = choose_label_column(label_column, table, source)
    labels = [clean_label(label) for label in table[column]]
    if label_separator is not None:
        names = _check_separator(labels, label_separator, source)
        warn_of_similar_labels(names, source)
        return _split_labels(labels, label_separator, names), names
    if "" in labels:
        line = table.index[labels.index("")]
        raise ValueError(
            f"{source}, line {line}: no {column} ({labels.count('')} such rows). Fill them in, or pass "
            "label_separator if clips may have no label"
        )
    warn_of_similar_labels(labels, source)
    _warn_of_separators(labels, source)
    return np.array(labels, dtype=str), None


def _read_indicators(table: pd.DataFrame, source: Path, wanted: Sequence[str]) -> Target:
    """Return the columns of 0 and 1 as a matrix."""
    if isinstance(wanted, str) or not len(wanted):
        raise ValueError(f"label_columns must be a list of names of columns; got {wanted!r}")
    present = list(table.columns)
    columns = [find_column(name, present, source) for name in wanted]
    values = np.zeros((len(table), len(columns)), dtype=np.int16)
    for k, name in enumerate(columns):
        texts = table[name].str.casefold()
        other = ~texts.isin(YES | NO)
        if other.any():
            row = int(other.to_numpy().argmax())
            raise ValueError(
                f"{source}, line {table.index[row]}: {name} is {table[name].iloc[row]!r}; expected 0 or "
                "1 in each of the label_columns"
            )
        values[:, k] = texts.isin(YES)
    return values, [clean_label(name) for name in columns]


def _check_separator(labels: Sequence[str], separator: str, source: Path) -> list[str]:
    """Return the sorted labels that are joined in cells."""
    if not isinstance(separator, str) or not separator:
        raise ValueError(f"label_separator={separator!r} must be a text, such as ';'")
    names = sorted({part.strip() for label in labels for part in label.split(separator)} - {""})
    if not names:
        raise ValueError(f"{source} has no labels: every cell of the labels is empty")
    return names


def _split_labels(labels: Sequence[str], separator: str, names: Sequence[str]) -> NDArray[np.int16]:
    """Return the indicator matrix of labels that are joined in cells; an empty cell has no label."""
    position = {name: k for k, name in enumerate(names)}
    values = np.zeros((len(labels), len(names)), dtype=np.int16)
    for row, label in zip(values, labels, strict=True):
        row[[position[part.strip()] for part in label.split(separator) if part.strip()]] = 1
    return values


def _warn_of_separators(labels: Sequence[str], source: Path) -> None:
    """Warn if classes look like several labels in one cell.

    A comma is only suspicious if its parts are also labels of other cells.
    """
    names = set(labels)
    for separator in SEPARATORS:
        joined = {
            name: [part.strip() for part in name.split(separator)] for name in names if separator in name
        }
        parts = pd.Series([part for found in joined.values() for part in found], dtype=object)
        recurring = parts.isin(names) | parts.duplicated()
        if joined and (separator != "," or recurring.any()):
            warn_user(
                f"{source}: the label {min(joined)!r} is read as one class. If these are several labels, "
                f"pass label_separator={separator!r}"
            )
            return
