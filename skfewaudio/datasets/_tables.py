"""Metadata tables, and datasets built from a table and its sound files."""

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from skfewaudio._files import open_regular
from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset
from ._home import PathLike, is_audio, is_there, join_first
from ._warnings import warn_user

OnMissing = Literal["raise", "warn", "ignore", "keep"]

_MAX_INT64 = int(np.iinfo(np.int64).max)


def read_table(
    path: Path, columns: Sequence[str], *, sep: str = ",", header: bool = True, n_skipped: int = 0
) -> pd.DataFrame:
    """Read a text table as str, indexed by line number, and check that every row has a value in `columns`.

    Without a header, `columns` are the names of the first columns. The first `n_skipped` lines are skipped.
    """
    try:
        with open_regular(path) as file:
            table = pd.read_csv(
                file,
                sep=sep,
                header=0 if header else None,
                skiprows=n_skipped,
                skipinitialspace=True,  # quotes may follow a space
                dtype=str,
                keep_default_na=False,  # a class may be called "NA"
                encoding="utf-8-sig",
                skip_blank_lines=False,  # keeps the row index in step with the line numbers
            )
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path} does not exist") from error
    except (UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ValueError(f"{path} is not a readable table: {str(error).strip()}") from error
    if not isinstance(table.index, pd.RangeIndex):
        raise ValueError(f"{path} has rows with more fields than the header has columns")
    table.index = table.index + n_skipped + (2 if header else 1)
    if not header:
        table = table.rename(columns=dict(enumerate(columns)))
    table = table.rename(columns=lambda name: str(name).strip())
    table = table.fillna("").apply(lambda column: column.str.strip())
    table = table[(table != "").any(axis=1)]
    check_filled(table, columns, path)
    return table


def check_filled(table: pd.DataFrame, columns: Sequence[str], path: Path) -> None:
    """Raise unless all `columns` exist and have a value in every row."""
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise ValueError(
            f"{path} has no column {', '.join(absent)}; its columns are {', '.join(table.columns)}"
        )
    if table.empty:
        raise ValueError(f"{path} has no rows")
    for name in columns:
        empty = table.index[table[name] == ""]
        if len(empty):
            raise ValueError(f"{path}, line {empty[0]}: no {name} ({len(empty)} such rows)")


def parse_integers(column: pd.Series, path: Path, *, minimum: int) -> NDArray[np.int64]:
    """Convert a column of str to integers of at least `minimum`; errors name the line."""
    values = []
    for line, text in column.items():
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= _MAX_INT64:
            raise ValueError(
                f"{path}, line {line}: {column.name} is {text!r}; expected an integer >= {minimum}"
                + (f" and <= {_MAX_INT64}" if value > _MAX_INT64 else "")
            )
        values.append(value)
    return np.array(values, dtype=np.int64)


def find_clips(root: Path, names: Sequence[str], suffix: str) -> list[Path]:
    """Return the sound file of each name, in any format; a missing file gets `suffix`.

    Names are relative to `root` and have no suffix.
    """
    beside = _audio_files_beside([root / name for name in names])
    found = {file.with_suffix(""): file for file in sorted(beside)}
    return [found.get(root / name, root / f"{name}{suffix}") for name in names]


def dataset_from_table(
    files: Sequence[PathLike],
    table: pd.DataFrame,
    *,
    source: Path | str,
    label: str | ArrayLike,
    folds: ArrayLike | None = None,
    group: str | None = None,
    selected: ArrayLike | None = None,
    on_missing: OnMissing = "raise",
    on_extra: OnMissing = "warn",
    **fields: Any,
) -> AudioDataset:
    """Build a dataset from the rows of `table` that are selected and have audio.

    `files`, `folds` and the mask `selected` have one entry per row. `group` is a column name. `label` is a
    column name or the target itself. `source` is the table's file, or another name for it in errors.
    """
    paths = [os.path.normpath(file) for file in files]
    check_unique(paths, table, source)
    if on_extra != "ignore":
        report_extra(paths, source, on_extra)
    keep = np.ones(len(paths), dtype=bool) if selected is None else np.array(selected)
    if not keep.any():
        raise ValueError(f"{source} has no rows of the requested subset")
    keep[report_missing(paths, keep, source, on_missing)] = False
    where = np.flatnonzero(keep)
    return AudioDataset(
        [paths[i] for i in where],
        np.asarray(table[label] if isinstance(label, str) else label)[where],
        folds=None if folds is None else np.asarray(folds)[where],
        groups=None if group is None else np.array(table[group], dtype=str)[where],
        **fields,
    )


def check_unique(paths: Sequence[str], table: pd.DataFrame, source: Path | str) -> None:
    """Raise if two rows name the same file."""
    again = np.flatnonzero(pd.Series(paths).duplicated()).tolist()
    if again:
        named = [f"{Path(paths[i]).name} (line {table.index[i]})" for i in again]
        raise ValueError(f"{source} names {len(again)} files a second time: {join_first(named)}")


def report_missing(
    paths: Sequence[str],
    keep: NDArray[np.bool_],
    source: Path | str,
    on_missing: OnMissing,
    hint: Callable[[Sequence[str]], str] = lambda missing: "",
) -> list[int]:
    """Return the positions of selected rows without a file, after raising or warning as requested.

    `hint` returns sentences about the missing files, which follow the message.
    """
    if on_missing != "keep":
        check_option(on_missing, "on_missing")
    there = {path: is_there(Path(path).is_file) for path in set(paths)}
    missing = [i for i in np.flatnonzero(keep).tolist() if not there[paths[i]]]
    if not missing:
        return []
    names = list(dict.fromkeys(paths[i] for i in missing))
    message = f"{len(missing)} of {keep.sum()} rows of {source} have no audio: {join_first(names)}"
    if on_missing == "raise" or len(missing) == keep.sum():
        leave_out = "" if on_missing == "keep" else ", or pass on_missing='warn' to leave these rows out"
        raise DatasetNotFoundError(f"{message}.{hint(names)} Complete the dataset{leave_out}")
    if on_missing == "keep":
        return []
    if on_missing == "warn":
        warn_user(f"{message}; they are left out.{hint(names)}")
    return missing


def report_extra(paths: Sequence[str], source: Path | str, on_extra: OnMissing) -> None:
    """Raise or warn if the folders of the named files hold sound files without a row."""
    check_option(on_extra, "on_extra")
    extra = sorted({str(file) for file in _audio_files_beside(paths)}.difference(paths))
    message = f"{len(extra)} sound files have no row in {source}: {join_first(extra)}"
    if extra and on_extra == "raise":
        raise ValueError(f"{message}. Add rows, or pass on_extra='warn' to leave these files out")
    if extra:
        warn_user(f"{message}; they are left out")


def _audio_files_beside(files: Iterable[PathLike]) -> list[Path]:
    """Return all sound files in the folders of `files`; these files themselves may be missing."""
    folders = {Path(file).parent for file in files}
    return [
        file for folder in folders if is_there(folder.is_dir) for file in folder.iterdir() if is_audio(file)
    ]


def check_option(value: str, name: str) -> None:
    """Raise unless `value` is one of "raise", "warn" and "ignore"."""
    if value not in ("raise", "warn", "ignore"):
        raise ValueError(f"{name} must be 'raise', 'warn' or 'ignore'; got {value!r}")
