"""Metadata tables and the sound files they name, checked against each other."""

import errno
import os
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pooch
from numpy.typing import ArrayLike, NDArray

from skfewaudio.exceptions import DatasetNotFoundError

from ._base import AudioDataset

OnMissing = Literal["raise", "warn", "ignore"]
PathLike = str | os.PathLike[str]

# What libsndfile decodes by itself; headerless formats need to be told their rate and are left out.
_FORMATS = (
    "aif",
    "aifc",
    "aiff",
    "au",
    "caf",
    "flac",
    "mp3",
    "oga",
    "ogg",
    "opus",
    "rf64",
    "snd",
    "w64",
    "wav",
)
_LARGEST = int(np.iinfo(np.int64).max)
AUDIO_SUFFIXES = frozenset(f".{name}" for name in _FORMATS)


def shorten(names: Sequence[object], limit: int = 5) -> str:
    """Join the first few names, and say how many more there are."""
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(str(name) for name in names[:limit]) + more


def get_data_home(data_home: PathLike | None = None) -> Path:
    """Give the folder that data sets are fetched into, and looked for in.

    Parameters
    ----------
    data_home : path-like or None, default=None
        The folder; ``~`` is the user's home. None takes the environment variable ``SKFEWAUDIO_DATA``, and
        without it the cache folder of the operating system.

    Returns
    -------
    Path
        It need not exist.
    """
    if data_home is None:
        data_home = os.environ.get("SKFEWAUDIO_DATA")
    if not data_home:
        return Path(pooch.os_cache("skfewaudio"))
    return expand(data_home)


def expand(path: PathLike) -> Path:
    """Put the user's home in place of ``~``; as in a shell, that of nobody known stays as it is written."""
    try:
        return Path(path).expanduser()
    except RuntimeError:
        return Path(path)


def find_root(data_home: PathLike | None, places: Sequence[str], layout: str, remedy: str) -> Path:
    """Find the folder with the file or folder `layout` in it, among the places under the data home."""
    home = get_data_home(data_home)
    roots = [home / place for place in places]
    for root in roots:
        if (root / layout).exists():
            return root
    raise DatasetNotFoundError(f"no {layout} in {' nor '.join(str(root) for root in roots)}: {remedy}")


def read_table(
    path: Path, columns: Sequence[str], *, sep: str = ",", header: bool = True, n_skipped: int = 0
) -> pd.DataFrame:
    """Read a text table as str, indexed by line number; `columns` must be there and filled in every row.

    Without a header, `columns` name the first ones. The first `n_skipped` lines are passed over.
    """
    try:
        table = pd.read_csv(
            path,
            sep=sep,
            header=0 if header else None,
            skiprows=n_skipped,
            skipinitialspace=True,  # quotes may follow a space
            dtype=str,
            keep_default_na=False,  # a class may be called "NA"
            encoding="utf-8-sig",
            skip_blank_lines=False,  # so that rows count lines
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
    """Raise unless every one of `columns` is there, with a value in every row."""
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
    """Read a column of str as integers of at least `minimum`; errors name the line."""
    values = []
    for line, text in column.items():
        try:
            value = int(text)
        except ValueError:
            value = minimum - 1
        if not minimum <= value <= _LARGEST:
            raise ValueError(
                f"{path}, line {line}: {column.name} is {text!r}; expected an integer >= {minimum}"
                + (f" and <= {_LARGEST}" if value > _LARGEST else "")
            )
        values.append(value)
    return np.array(values, dtype=np.int64)


def find_clips(root: Path, names: Sequence[str], suffix: str) -> list[Path]:
    """Give the sound file of each name, in whatever format the copy has it; `suffix` is for those not there.

    Names start from `root` and go without their suffix.
    """
    beside = _sounds_beside([root / name for name in names])
    found = {file.with_suffix(""): file for file in sorted(beside)}
    return [found.get(root / name, root / f"{name}{suffix}") for name in names]


def table_dataset(
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
    **about: Any,
) -> AudioDataset:
    """Make a data set of the rows of `table` that are selected and have audio.

    `files`, `folds` and the mask `selected` go row by row; `label` and `group` are columns, or `label` is the
    target, row by row; `source` is the file the table came from, or what errors are to call it.
    """
    paths = [os.path.normpath(file) for file in files]
    check_unique(paths, table, source)
    if on_extra != "ignore":
        _report_extra(paths, source, on_extra)
    keep = np.ones(len(paths), dtype=bool) if selected is None else np.array(selected)
    if not keep.any():
        raise ValueError(f"{source} has no rows of the subset asked for")
    keep[_report_missing(paths, keep, source, on_missing)] = False
    where = np.flatnonzero(keep)
    return AudioDataset(
        [paths[i] for i in where],
        np.asarray(table[label] if isinstance(label, str) else label)[where],
        folds=None if folds is None else np.asarray(folds)[where],
        groups=None if group is None else np.array(table[group], dtype=str)[where],
        **about,
    )


def check_unique(paths: Sequence[str], table: pd.DataFrame, source: Path | str) -> None:
    """Raise if two rows name one file."""
    again = np.flatnonzero(pd.Series(paths).duplicated()).tolist()
    if again:
        named = [f"{Path(paths[i]).name} (line {table.index[i]})" for i in again]
        raise ValueError(f"{source} names {len(again)} files a second time: {shorten(named)}")


def _report_missing(
    paths: Sequence[str], keep: NDArray[np.bool_], source: Path | str, on_missing: OnMissing
) -> list[int]:
    """List the positions of rows to keep whose file does not exist, after raising or warning as asked."""
    check_option(on_missing, "on_missing")
    missing = [i for i in np.flatnonzero(keep).tolist() if not is_there(Path(paths[i]).is_file)]
    named = shorten([paths[i] for i in missing])
    message = f"{len(missing)} of {keep.sum()} rows of {source} have no audio: {named}"
    if missing and (on_missing == "raise" or len(missing) == keep.sum()):
        raise DatasetNotFoundError(
            f"{message}. Complete the copy, or pass on_missing='warn' to leave these rows out"
        )
    if missing and on_missing == "warn":
        warnings.warn(f"{message}; they are left out", stacklevel=4)
    return missing


def _report_extra(paths: Sequence[str], source: Path | str, on_extra: OnMissing) -> None:
    """Report sound files that lie beside the named ones and have no row."""
    check_option(on_extra, "on_extra")
    extra = sorted({str(file) for file in _sounds_beside(paths)}.difference(paths))
    message = f"{len(extra)} sound files have no row in {source}: {shorten(extra)}"
    if extra and on_extra == "raise":
        raise ValueError(f"{message}. Add rows, or pass on_extra='warn' to leave these files out")
    if extra:
        warnings.warn(f"{message}; they are left out", stacklevel=4)


def _sounds_beside(files: Iterable[PathLike]) -> list[Path]:
    """List the sound files in the folders of these files, there or not."""
    folders = {Path(file).parent for file in files}
    return [
        file for folder in folders if is_there(folder.is_dir) for file in folder.iterdir() if is_audio(file)
    ]


def is_there(asked: Callable[[], bool]) -> bool:
    """Ask a path what it is; one that is too long for the file system is nothing."""
    try:
        return asked()
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        return False


def check_option(value: str, name: str) -> None:
    """Raise unless `value` is one of "raise", "warn" and "ignore"."""
    if value not in ("raise", "warn", "ignore"):
        raise ValueError(f"{name} must be 'raise', 'warn' or 'ignore'; got {value!r}")


def visible_files(folder: Path) -> list[Path]:
    """List the files under `folder` that are not hidden, sorted."""
    found = []
    for where, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(where, name) for name in names if not name.startswith(".")]
    return sorted(found)


def is_audio(file: Path) -> bool:
    """Tell whether the name is that of a sound file that is not hidden."""
    return file.suffix.lower() in AUDIO_SUFFIXES and not file.name.startswith(".")
