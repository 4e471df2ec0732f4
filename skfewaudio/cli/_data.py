"""Load datasets by name, folders of recordings, and tables that list them."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import add_table_options, file_options, name_options

from ._common import suggest

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

SOURCE_HELP = (
    "folder with one folder of sound files per class; table with the columns path, label and, for parts of "
    "files, start and end; or file or folder of annotations (Audacity, Raven, Praat)"
)
TABLE_SUFFIXES = frozenset({".csv", ".textgrid", ".tsv", ".txt"})
Part = tuple[str, float, float | None]
Clip = str | Part


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a dataset, folder or table, and its options."""
    parser.add_argument(
        "source",
        metavar="NAME_OR_PATH",
        help=f"name of a dataset (see skfewaudio datasets list); {SOURCE_HELP}",
    )
    add_data_home(parser)
    add_table_options(parser)


def add_data_home(parser: argparse._ActionsContainer) -> None:
    """Add the option --data-home."""
    parser.add_argument(
        "--data-home",
        metavar="FOLDER",
        help="folder of the datasets (default: $SKFEWAUDIO_DATA or a cache directory)",
    )


def load_source(source: str, args: argparse.Namespace) -> "AudioDataset":
    """Load a dataset by its name, a folder or a table."""
    from skfewaudio.plugins import DATASETS

    if source in DATASETS.names():
        return load_named(source, args.data_home)
    if not Path(source).exists():
        hint = suggest(source, DATASETS.names())
        raise ValueError(
            f"{source!r} is neither a folder nor a dataset{hint}; expected a folder with one folder of sound "
            f"files per class, a table, or one of {', '.join(DATASETS.names())}"
        )
    return load_recordings(source, args)


def is_made_by_code(source: str) -> bool:
    """Return whether a dataset is computed, not read from files."""
    import inspect

    from skfewaudio.plugins import DATASETS

    is_name = source in DATASETS.names()
    return is_name and "data_home" not in inspect.signature(DATASETS.get(source)).parameters


def load_named(name: str, data_home: str | None, **options: object) -> "AudioDataset":
    """Load a dataset by its name; options that its loader does not have are ignored."""
    import inspect

    from skfewaudio.plugins import DATASETS

    load = DATASETS.get(name)
    known = inspect.signature(load).parameters
    if data_home is not None and "data_home" in known:
        options["data_home"] = data_home
    return load(**{option: value for option, value in options.items() if option in known})


def load_recordings(source: str | Sequence[str], args: argparse.Namespace) -> "AudioDataset":
    """Load a folder per class, a table, or files of annotations; the recordings may be missing."""
    from skfewaudio.datasets import load_annotations, load_labels

    sources = [source] if isinstance(source, str) else list(source)
    options = file_options(args)
    with _naming_options():
        if len(sources) == 1:
            return load_labels(sources[0], **options, on_missing="keep")
        folders = [path for path in sources if Path(path).is_dir()]
        if folders:
            raise ValueError(
                f"{folders[0]} is a folder; expected one folder, one table, or files of annotations"
            )
        kept = {name: options[name] for name in ("audio_root", "label_column") if name in options}
        return load_annotations(sources, **kept, on_missing="keep")


@contextmanager
def _naming_options() -> Iterator[None]:
    """Replace the names of parameters in errors by those of options."""
    from skfewaudio.exceptions import DatasetNotFoundError

    try:
        yield
    except DatasetNotFoundError as error:
        raise DatasetNotFoundError(name_options(str(error))) from error
    except ValueError as error:
        raise ValueError(name_options(str(error))) from error


def check_single_label(dataset: "AudioDataset", command: str) -> None:
    """Raise ValueError if clips have several labels."""
    if dataset.y.ndim > 1:
        raise ValueError(
            f"{dataset.name} has several labels per clip, and {command} needs one class per clip; see "
            "skfewaudio.SkorchCNN for models with several labels"
        )


def sound_clips(dataset: "AudioDataset") -> list[Any]:
    """Return the clips in a form that says the sample rate of waveforms."""
    import numpy as np

    if isinstance(dataset.X, list) and not isinstance(dataset.X[0], np.ndarray):
        return dataset.X
    if np.ndim(dataset.X[0]) != 1 or dataset.sample_rate is None:
        raise ValueError(f"the dataset {dataset.name} holds features; expected recordings")
    return [(clip, dataset.sample_rate) for clip in dataset.X]


def as_part(clip: Clip) -> Part:
    """Return a clip as path, start and end."""
    return (clip, 0.0, None) if isinstance(clip, str) else (clip[0], float(clip[1]), clip[2])


def count_classes(dataset: "AudioDataset") -> dict[str, int]:
    """Count the clips of each class."""
    return {name: int((dataset.y == name).sum()) for name in dataset.target_names}


def list_inputs(paths: Sequence[str], args: argparse.Namespace) -> list[Clip]:
    """List the given files, the sound files in given folders, and the clips of given tables, each once."""
    from skfewaudio import datasets  # imports what is used

    found: list[Clip] = []
    for path in paths:
        if Path(path).is_dir():
            found += datasets.list_audio_files(path)
        elif Path(path).suffix.lower() in TABLE_SUFFIXES:
            with _naming_options():
                found += datasets.list_clips(path, **file_options(args))
        else:
            found.append(path)
    return list(dict.fromkeys(found))
