"""Provenance of the results: data, protocol, versions, machine and settings."""

import datetime
import json
import os
import platform
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from skfewaudio._machine import describe_code, describe_machine

from .table import Cell, Table, listing

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

KNOWN_SETTINGS = (
    *("dataset", "licence", "citation", "n_clips", "classes", "n_shots", "n_repeats"),
    *("date", "command", "commit", "machine"),
)


def provenance_table(
    results: pd.DataFrame, dataset: "AudioDataset | None", config: Mapping[str, Any]
) -> Table:
    """Create the table of dataset, protocol, versions and machine."""
    software = f"{describe_code()}, Python {platform.python_version()}"
    facts = {
        "dataset": _first_known(
            getattr(dataset, "name", None), config.get("dataset"), _first_value(results, "dataset")
        ),
        "licence": _first_known(getattr(dataset, "licence", None), config.get("licence")),
        "citation": _first_known(getattr(dataset, "citation", None), config.get("citation")),
        "clips": _first_known(None if dataset is None else len(dataset), config.get("n_clips")),
        "classes": listing(_first_known(getattr(dataset, "target_names", None), config.get("classes")) or []),
        "labelled clips per class": listing(sorted(results["n_shots"].unique().tolist())),
        "folds": listing(sorted(pd.unique(results["fold"]).tolist())),
        "draws": str(results["repeat"].nunique()),
        "seeds": _number_range(results["seed"].unique()) if "seed" in results else "",
        "test clips per fold": _number_range(results["n_test"].unique()) if "n_test" in results else "",
        "results computed": config.get("date"),
        "command": config.get("command"),
        "code": _first_known(config.get("commit"), config.get("skfewaudio")),
        "machine": config.get("machine"),
        "report written": f"{_today()}, {software}, {describe_machine()}",
    }
    rows = [[Cell(name), Cell(str(value))] for name, value in facts.items() if value not in (None, "")]
    return Table("Data and protocol", ["property", "value"], rows, sortable=False)


def _today() -> str:
    """Return the current date, or the date in SOURCE_DATE_EPOCH, which makes builds reproducible."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = float(epoch) if epoch.isdigit() else datetime.datetime.now(datetime.UTC).timestamp()
    return datetime.datetime.fromtimestamp(now, datetime.UTC).date().isoformat()


def settings_table(config: Mapping[str, Any]) -> Table | None:
    """Create the table of settings that are not in `provenance_table`; None if there are no others."""
    rest = {key: value for key, value in config.items() if key not in KNOWN_SETTINGS and value is not None}
    rows = []
    for key, value in rest.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        rows += [[Cell(f"{key}: {name}" if name else str(key)), _setting_cell(item)] for name, item in inner]
    return Table("Settings of the run", ["setting", "value"], rows, sortable=False) if rows else None


def _setting_cell(value: Any) -> Cell:
    """Create a cell for a setting, as JSON unless it is a string; numbers have no separators."""
    if isinstance(value, str):
        return Cell(value)
    return Cell(json.dumps(value, ensure_ascii=False, default=str))


def _first_known(*values: Any) -> Any:
    """Return the first value that is neither None nor empty."""
    return next((value for value in values if value is not None and value != ""), None)


def _first_value(results: pd.DataFrame, column: str) -> Any:
    return results[column].iloc[0] if column in results else None


def _number_range(values: np.ndarray) -> str:
    """Format integers, consecutive ones as a range."""
    numbers = sorted({int(value) for value in values})
    if len(numbers) > 2 and numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers[:20])) + (" …" if len(numbers) > 20 else "")
