"""Load datasets by name, and folders of recordings."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add the argument for a dataset or folder, and the option --data-home."""
    parser.add_argument(
        "source",
        metavar="NAME_OR_FOLDER",
        help="name of a dataset (see skfewaudio datasets list), or folder with one folder of sound files per "
        "class",
    )
    add_data_home(parser)


def add_data_home(parser: argparse.ArgumentParser) -> None:
    """Add the option --data-home."""
    parser.add_argument(
        "--data-home",
        metavar="FOLDER",
        help="folder of the datasets (default: $SKFEWAUDIO_DATA or a cache directory)",
    )


def load_source(source: str, data_home: str | None) -> "AudioDataset":
    """Load a dataset by its name, or a folder."""
    from skfewaudio.plugins import DATASETS

    if source in DATASETS.names():
        return load_named(source, data_home)
    if not Path(source).is_dir():
        raise ValueError(
            f"{source!r} is neither a folder nor a dataset; expected a folder with one folder of sound files "
            f"per class, or one of {', '.join(DATASETS.names())}"
        )
    return load_recordings(source)


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


def load_recordings(folder: str) -> "AudioDataset":
    """Load a folder per class; clips of one recording, by their file names, form a group."""
    from dataclasses import replace

    from skfewaudio.datasets import load_folder
    from skfewaudio.datasets.recording_names import recordings_of_names

    dataset = load_folder(folder)
    recordings = recordings_of_names(dataset.paths)
    if not any(recordings):
        return dataset
    groups = [name or path for name, path in zip(recordings, dataset.paths, strict=True)]
    return replace(dataset, groups=groups)


def count_classes(dataset: "AudioDataset") -> dict[str, int]:
    """Count the clips of each class."""
    return {name: int((dataset.y == name).sum()) for name in dataset.target_names}


def list_files(paths: Sequence[str]) -> list[str]:
    """List the given files and the sound files in the given folders, without repetitions."""
    from skfewaudio.datasets import list_audio_files

    found: list[str] = []
    for path in paths:
        found += list_audio_files(path) if Path(path).is_dir() else [path]
    return list(dict.fromkeys(found))
