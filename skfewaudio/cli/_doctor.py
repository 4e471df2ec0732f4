"""Check the installation and suggest repairs."""

import argparse
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, terminal_width

# Required packages: import name to distribution name.
CORE = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "skorch": "skorch",
    "soundfile": "soundfile",
    "av": "av",
    "soxr": "soxr",
    "librosa": "librosa",
    "skops": "skops",
    "shtab": "shtab",
}
CORE_FORMATS = ("wav", "flac")
FORMATS = (*CORE_FORMATS, "ogg", "mp3")
# Optional packages: the extra that installs each, and its purpose.
EXTRAS = {
    "matplotlib": ("plot", "plots"),
    "accelerate": ("accelerate", "training with accelerate"),
    "distributed": ("dask", "learning curves on several machines"),
    "starlette": ("label", "the page of skfewaudio label"),
    "uvicorn": ("label", "the page of skfewaudio label"),
    "tensorflow": ("tensorflow", "VGGish's original checkpoint"),
}


class Finding(NamedTuple):
    """Result of one check; `remedy` is empty if nothing needs to be done."""

    topic: str
    name: str
    ok: bool
    detail: str
    remedy: str = ""
    core: bool = False


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands, "doctor", "check the installation, and suggest repairs", examples=["skfewaudio doctor"]
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Run all checks; only findings of the core decide the exit status."""
    findings: list[Finding] = []
    for topic, examine in TOPICS.items():
        out.note(f"{topic} ...")
        findings += _examine(topic, examine)
    works = all(found.ok for found in findings if found.core)
    if args.json:
        out.json({"works": works, "findings": [found._asdict() for found in findings]})
    else:
        _write(findings, out)
        out.print("\nThe core works." if works else "\nThe core does not work; see the lines marked !!.")
    return DONE if works else FOUND_FAULTS


def _examine(topic: str, examine: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Run the checks of a topic; an exception becomes a finding."""
    findings = []
    try:
        for found in examine():
            findings.append(found)
    except Exception as error:
        remedy = "repair the broken packages first"
        reason = f"{type(error).__name__}: {error}"
        findings.append(Finding(topic, "examination", False, reason, remedy, core=True))
    return findings


def _write(findings: list[Finding], out: Output) -> None:
    """Write a line per finding, and a line for its remedy."""
    width = min(terminal_width() or 80, 110)
    for topic in dict.fromkeys(found.topic for found in findings):
        out.print(topic)
        for found in (found for found in findings if found.topic == topic):
            mark = "ok" if found.ok else "!!" if found.core else "--"
            lead = f"  {mark}  {found.name:<14} "
            out.print(_fill(found.detail, width, lead))
            if found.remedy:
                out.print(_fill(f"-> {found.remedy}", width, " " * len(lead)))


def _fill(text: str, width: int, lead: str) -> str:
    return textwrap.fill(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def examine_packages() -> Iterator[Finding]:
    """Import the required packages."""
    import importlib
    import platform
    from importlib.metadata import version

    from skfewaudio._version import __version__

    yield Finding("packages", "skfewaudio", True, f"{__version__}, Python {platform.python_version()}")
    for module, package in CORE.items():
        try:
            importlib.import_module(module)
            yield Finding("packages", package, True, version(package), core=True)
        except Exception as error:  # a broken installation raises anything
            remedy = f"pip install --force-reinstall {package}"
            yield Finding("packages", package, False, f"{type(error).__name__}: {error}", remedy, core=True)


def examine_decoders() -> Iterator[Finding]:
    """Write a short sound in each format and read it back."""
    import tempfile
    from pathlib import Path

    import numpy as np
    import soundfile

    from skfewaudio.audio import load_audio

    tone = 0.5 * np.sin(0.1 * np.arange(8000))
    with tempfile.TemporaryDirectory() as folder:
        for name in FORMATS:
            path = Path(folder) / f"tone.{name}"
            try:
                soundfile.write(path, tone, 16000)
                n_samples = len(load_audio(path, sample_rate=16000))
            except (OSError, ValueError, RuntimeError, TypeError) as error:
                remedy = f"pip install -U soundfile (libsndfile here: {soundfile.__libsndfile_version__})"
                yield Finding("decoders", name, False, str(error), remedy, core=name in CORE_FORMATS)
            else:
                detail = f"{n_samples} of {len(tone)} samples read back"
                ok = n_samples >= len(tone)
                yield Finding("decoders", name, ok, detail, core=name in CORE_FORMATS)


def examine_extras() -> Iterator[Finding]:
    """Look for the optional packages, without importing them."""
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    for package, (extra, purpose) in EXTRAS.items():
        if find_spec(package) is None:
            remedy = f"pip install 'skfewaudio[{extra}]'"
            yield Finding("extras", package, False, f"not installed; needed for {purpose}", remedy)
            continue
        try:
            detail = version(package)
        except PackageNotFoundError:  # installed under another name, such as tensorflow-cpu
            detail = "unknown version"
        yield Finding("extras", package, True, f"{detail}, for {purpose}")


def examine_devices() -> Iterator[Finding]:
    """Describe the CPU and the GPUs."""
    import joblib
    import torch

    cores, threads = joblib.cpu_count(), torch.get_num_threads()
    yield Finding("devices", "cpu", True, f"{cores} usable cores, {threads} torch threads", core=True)
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        yield Finding("devices", "cuda", True, names)
    else:
        remedy = "only with an NVIDIA GPU: install its driver, and a torch built for CUDA"
        yield Finding("devices", "cuda", False, "not available", remedy)


def examine_weights() -> Iterator[Finding]:
    """Look for the published weights, without downloading them."""
    from skfewaudio._weights import PUBLISHED, Kind, have_weights, weights_home

    purposes: dict[Kind, str] = {
        "weights": "needed for the network",
        "pca_params": "needed only for post-processing",
    }
    for kind, purpose in purposes.items():
        if have_weights("vggish", kind=kind):
            yield Finding("VGGish", kind, True, f"in {weights_home()}")
            continue
        repository, _, file = PUBLISHED[kind]["vggish"].rpartition("/")
        remedy = (
            f"downloaded on first use; or put {file} from {repository.partition('/releases/')[0]} into "
            f"{weights_home()}"
        )
        yield Finding("VGGish", kind, False, f"not in the cache; {purpose}", remedy)


def examine_caches() -> Iterator[Finding]:
    """Check that the caches are writable; report their locations and the size of the feature cache."""
    import os

    from skfewaudio._weights import weights_home
    from skfewaudio.datasets import get_data_home
    from skfewaudio.features import FeatureCache

    info = FeatureCache().info()
    size = f"{info['n_entries']} sounds, {info['n_bytes'] / 1e6:.0f} MB, in {info['location']}"
    folders = {
        "features": (info["location"], size, "SKFEWAUDIO_CACHE"),
        "weights": (weights_home(), str(weights_home()), "SKFEWAUDIO_CACHE"),
        "datasets": (get_data_home(), str(get_data_home()), "SKFEWAUDIO_DATA"),
    }
    for name, (folder, detail, variable) in folders.items():
        ok = os.access(_nearest_existing(folder), os.W_OK)
        remedy = "" if ok else f"not writable; set {variable} to a writable folder"
        yield Finding("caches", name, ok, detail, remedy)


def _nearest_existing(folder: Any) -> Any:
    """Return the folder, or its nearest parent that exists."""
    from pathlib import Path

    folder = Path(folder).absolute()
    return next(path for path in (folder, *folder.parents) if path.exists())


TOPICS: dict[str, Callable[[], Iterator[Finding]]] = {
    "packages": examine_packages,
    "decoders": examine_decoders,
    "extras": examine_extras,
    "devices": examine_devices,
    "VGGish": examine_weights,
    "caches": examine_caches,
}
