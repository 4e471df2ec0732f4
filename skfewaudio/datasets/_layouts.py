"""Folders whose subfolders are not classes: known datasets, and folders one level too high."""

import os
import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from . import _esc50, _tut2017, _urbansound8k
from ._home import is_ignored, join_first, printable
from ._labels import clean_label
from .recording_names import PATTERNS

_FOLD = re.compile(r"fold[-_ ]?\d+", re.IGNORECASE)
_PART = re.compile(
    r"(train(ing)?|test(ing)?|val(id(ation)?)?|dev(elopment)?|eval(uation)?|holdout|fold|split)"
    r"[-_ ]?(set|data|audio|\d+)?",
    re.IGNORECASE,
)
_CONTAINER = re.compile(
    r"audio|clips?|data|dataset|files|genres\w*|raw|recordings?|sounds?|wavs?", re.IGNORECASE
)
_TABLE = "list the files in a table with the columns path and label (and fold, if any), for load_csv"

Tree = dict[str, set[str]]  # subfolders with sound files -> their own ones; "" stands for files beside these


class _Dataset(NamedTuple):
    """A known dataset, its loader, and the table that the loader needs in the folder of the dataset."""

    name: str
    loader: str
    table: str

    def is_in(self, folder: Path) -> bool:
        """Return whether a folder has the layout of the dataset."""
        if self.name == "TUT 2017":
            folders = _visible_folders(folder)
            has_setup = (folder / self.table).is_file() or "evaluation_setup" in folders
            return has_setup and "audio" in folders and folders <= {"audio", "evaluation_setup"}
        is_in_folds = self.name == "UrbanSound8K" and _are_all(_FOLD, _visible_folders(folder / "audio"))
        return is_in_folds or (folder / self.table).is_file()

    def describe_use(self, folder: Path) -> str:
        """Describe how to load the dataset from its folder."""
        home = printable(folder)
        options = ', subset="evaluation"' if folder.name == _tut2017.FOLDERS["evaluation"] else ""
        use = (
            f"use load_{self.loader}({home!r}{options}), or skfewaudio train --dataset {self.loader} "
            f"--data-home {shlex.quote(home)}"
        )
        if self.name == "TUT 2017" and folder.name not in _tut2017.FOLDERS.values():
            use += f" (after renaming the folder to {_tut2017.FOLDERS['development']})"
        if not (folder / self.table).is_file():
            use += f"; the table {self.table} is needed in this folder. For other data, {_TABLE}"
        return use


DATASETS = (
    _Dataset("UrbanSound8K", "urbansound8k", _urbansound8k.META),
    _Dataset("ESC-50", "esc50", _esc50.META),
    _Dataset("TUT 2017", "tut2017", _tut2017.META),
)


def find_other_layout(root: Path, clips: Sequence[Path], loose: Sequence[Path]) -> str | None:
    """Return a message if the subfolders of `root` are not classes.

    Parameters
    ----------
    root : Path
        The folder.
    clips, loose : sequence of Path
        The sound files in subfolders, and beside them.

    Returns
    -------
    str or None
        Apparent layout of the folder, and advice; None if it looks like one folder per class.
    """
    tree: Tree = {}
    for clip in clips:
        folder, *inner = (clean_label(printable(part)) for part in clip.relative_to(root).parts)
        tree.setdefault(folder, set()).add(inner[0] if len(inner) > 1 else "")
    message = _find_parts(root, tree)
    if found := _find_dataset(root, tree, clips or loose):
        dataset, home = found
        message = f"looks like {dataset.name}, whose folders are not classes: {dataset.describe_use(home)}"
    if not message:
        return None
    are_classes = "" if not clips else " (if the folders are classes, pass check_layout=False to load_folder)"
    return f"{printable(root)} {message}{are_classes}"


def _find_dataset(root: Path, tree: Tree, sounds: Sequence[Path]) -> tuple[_Dataset, Path] | None:
    """Return the dataset that `root` is, contains or belongs to, and the folder of the dataset."""
    for dataset in DATASETS:
        if dataset.is_in(root):
            return dataset, root
    for folder in sorted(_visible_folders(root)):
        for dataset in DATASETS:
            named = dataset.name != "TUT 2017" or folder in _tut2017.FOLDERS.values()
            if named and dataset.is_in(root / folder):
                return dataset, root / folder
    place = root.resolve() if root.name in ("", "..") else root
    if _are_all(_FOLD, tree) and any("" in inner for inner in tree.values()):
        return DATASETS[0], place.parent
    if not tree or tree == {"audio": {""}}:
        audio = place / "audio" if tree else place
        for dataset in DATASETS:
            if _are_all(PATTERNS[dataset.name], (file.stem for file in sounds)):
                return dataset, audio.parent.parent if _FOLD.fullmatch(audio.name) else audio.parent
    return None


def _find_parts(root: Path, tree: Tree) -> str | None:
    """Return a message if the subfolders are parts of a dataset, or contain the classes."""
    contents = set().union(*tree.values()) - {""}
    # The part for training comes first.
    names = sorted(tree, key=lambda name: (not name.lower().startswith("train"), name))
    are_parts = _are_all(_PART, names) and max(len(names), len(contents)) > 1
    if are_parts and not contents and names[0].lower() in ("train", "training"):
        return f"has the folders {join_first(names)}, which are parts of a dataset: {_TABLE}"
    if not contents or not (are_parts or _contain_classes(tree, contents)):
        return None
    others = [name for name in names[1:] if "" not in tree[name]]
    test = f" (and {printable(root / others[0])} as --test-folder of skfewaudio train)" if others else ""
    return (
        f"is one level too high: the folders {join_first(sorted(contents))} in {join_first(names)} look like "
        f"the classes. Pass {printable(root / names[0])}{test}. To use all files, {_TABLE}"
    )


def _contain_classes(tree: Tree, contents: set[str]) -> bool:
    """Return whether all subfolders contain the same classes, or the only subfolder contains the classes.

    Subfolders with numbers are rather places, dates or recorders of each class.
    """
    beside_others = any("" in inner for inner in tree.values())
    if beside_others or len(contents) < 2 or all(re.search(r"\d", name) for name in contents):
        return False
    return _are_all(_CONTAINER, tree) if len(tree) == 1 else all(inner == contents for inner in tree.values())


def _are_all(pattern: re.Pattern[str], names: Iterable[str]) -> bool:
    """Return whether all names match a pattern; False without names."""
    names = list(names)
    return bool(names) and all(map(pattern.fullmatch, names))


def _visible_folders(folder: Path) -> set[str]:
    """Return the names of the subfolders that are not hidden; none if the folder cannot be read."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name for entry in entries if not is_ignored(entry.name) and entry.is_dir()}
    except OSError:
        return set()
