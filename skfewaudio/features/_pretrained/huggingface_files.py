"""Folders of Hugging Face models: given, in the cache of the library, or downloaded into it."""

from pathlib import Path
from typing import Any

from skfewaudio.exceptions import WeightsNotFoundError

from .backend import import_extra

SETTINGS = ("config.json", "preprocessor_config.json", "processor_config.json")
# Of safetensors and of PyTorch, in one file or in several.
SAFE_WEIGHTS = ("model.safetensors", "model-*-of-*.safetensors")
PICKLED_WEIGHTS = ("pytorch_model.bin", "pytorch_model-*-of-*.bin")
# Files of a repository that are downloaded: those of PyTorch only if there are no others.
PATTERNS = [[*SETTINGS, *weights, f"{weights[0]}.index.json"] for weights in (SAFE_WEIGHTS, PICKLED_WEIGHTS)]


def find_folder(location: str) -> Path:
    """Return the folder of a model, which is downloaded if it is neither a folder nor in the cache.

    Parameters
    ----------
    location : str
        A folder, or the name of a repository, which may be followed by ``@`` and a branch, tag or commit.

    Returns
    -------
    Path

    Raises
    ------
    ImportError
        If huggingface_hub is not installed.
    WeightsNotFoundError
        If there is no such folder or repository, it cannot be reached, or it has no weights.
    """
    folder = Path(location).expanduser()
    if not folder.is_dir():
        folder = _find_repository(location)
    if not (folder / "config.json").is_file():
        raise WeightsNotFoundError(
            f"hf:{location}: {folder} has no config.json; expected a folder written by save_pretrained"
        )
    if not find_weight_files(folder):
        raise WeightsNotFoundError(
            f"hf:{location}: {folder} has no weights; expected {SAFE_WEIGHTS[0]} or {PICKLED_WEIGHTS[0]}, or "
            "all parts of them"
        )
    return folder


def find_weight_files(folder: Path) -> list[Path]:
    """Return the files of the weights, preferably of safetensors; none if one of several parts is missing."""
    for whole, parts in (SAFE_WEIGHTS, PICKLED_WEIGHTS):
        if (folder / whole).is_file():
            return [folder / whole]
        found = sorted(folder.glob(parts))
        if found and found[0].stem.endswith(f"-of-{len(found):05}"):
            return found
    return []


def list_files(folder: Path) -> list[Path]:
    """Return the files of a folder on which the embeddings depend."""
    settings = [folder / name for name in SETTINGS]
    return [file for file in settings if file.is_file()] + find_weight_files(folder)


def _find_repository(location: str) -> Path:
    """Return the snapshot of a repository in the cache of the Hugging Face library."""
    hub: Any = import_extra("huggingface_hub", extra="huggingface")
    name, _, revision = location.partition("@")
    try:
        hub.utils.validate_repo_id(name)
    except hub.errors.HFValidationError as error:
        raise WeightsNotFoundError(
            f"hf:{location}: there is no such folder, and this is not the name of a repository, "
            "such as 'hf:owner/model'"
        ) from error
    for patterns in PATTERNS:
        try:
            folder = hub.snapshot_download(
                name, revision=revision or None, allow_patterns=patterns, local_files_only=True
            )
        except (OSError, ValueError):  # not in the cache
            continue
        if find_weight_files(Path(folder)):
            return Path(folder)
    return _download(hub, name, revision or None)


def _download(hub: Any, name: str, revision: str | None) -> Path:
    """Download a repository without the weights of other libraries."""
    try:
        for patterns in PATTERNS:
            folder = Path(hub.snapshot_download(name, revision=revision, allow_patterns=patterns))
            if find_weight_files(folder):
                break
    except (OSError, ValueError, hub.errors.HfHubHTTPError) as error:
        wanted = name if revision is None else f"{name}@{revision}"
        raise WeightsNotFoundError(
            f"hf:{wanted} is neither a folder nor in the cache, and cannot be downloaded ({error}). Check "
            "the name and the connection. To use it offline, download it elsewhere with "
            f"`hf download {name} --local-dir DIR` and give the folder: 'hf:DIR'"
        ) from error
    return folder
