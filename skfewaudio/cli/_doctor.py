"""What works here, and what to do about the rest."""

import argparse
import textwrap
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, terminal_width

# What the package cannot do without, by what is imported and by what is installed.
CORE = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "torch": "torch",
    "skorch": "skorch",
    "soundfile": "soundfile",
    "soxr": "soxr",
    "librosa": "librosa",
    "skops": "skops",
}
CORE_FORMATS = ("wav", "flac")
FORMATS = (*CORE_FORMATS, "ogg", "mp3")
# By package: the extra of this one that brings it, and what it is for.
EXTRAS = {
    "matplotlib": ("plot", "pictures"),
    "accelerate": ("accelerate", "training with accelerate"),
    "distributed": ("dask", "learning curves on several machines"),
    "tensorflow": ("tensorflow", "VGGish's original checkpoint"),
}


class Finding(NamedTuple):
    """The answer to one question; `remedy` is empty where there is nothing to do."""

    topic: str
    name: str
    ok: bool
    detail: str
    remedy: str = ""
    core: bool = False


def add_parser(commands: Any) -> None:
    """Say which options there are."""
    parser = add_command(commands, "doctor", "tell what works on this machine, and what to do about the rest")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Examine topic by topic; only what the package cannot do without decides the status."""
    findings: list[Finding] = []
    for topic, examine in TOPICS.items():
        out.note(f"{topic} ...")
        findings += _examine(topic, examine)
    works = all(found.ok for found in findings if found.core)
    if args.json:
        out.json({"works": works, "findings": [found._asdict() for found in findings]})
    else:
        _write(findings, out)
        out.print("\nThe core works." if works else "\nThe core does not work: see what is marked !!.")
    return DONE if works else FOUND_FAULTS


def _examine(topic: str, examine: Callable[[], Iterator[Finding]]) -> list[Finding]:
    """Ask, and take it for a finding where that cannot be done: a doctor must not fall ill."""
    findings = []
    try:
        for found in examine():
            findings.append(found)
    except Exception as error:
        remedy = "repair what is broken among the packages first"
        reason = f"{type(error).__name__}: {error}"
        findings.append(Finding(topic, "examination", False, reason, remedy, core=True))
    return findings


def _write(findings: list[Finding], out: Output) -> None:
    """Write a line for each finding, and one for what to do."""
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
    """Import what the package cannot do without."""
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
    """Write a short sound in each format, and read it again."""
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
    """Look for packages that some parts need, without importing them."""
    from importlib.metadata import PackageNotFoundError, version
    from importlib.util import find_spec

    for package, (extra, purpose) in EXTRAS.items():
        if find_spec(package) is None:
            remedy = f"pip install 'skfewaudio[{extra}]'"
            yield Finding("extras", package, False, f"not installed; for {purpose}", remedy)
            continue
        try:
            detail = version(package)
        except PackageNotFoundError:  # installed under another name, such as tensorflow-cpu
            detail = "of unknown version"
        yield Finding("extras", package, True, f"{detail}, for {purpose}")


def examine_devices() -> Iterator[Finding]:
    """Say what there is to compute on."""
    import joblib
    import torch

    cores, threads = joblib.effective_n_jobs(-1), torch.get_num_threads()
    yield Finding("devices", "cpu", True, f"{cores} cores to use, {threads} threads in torch", core=True)
    if torch.cuda.is_available():
        names = ", ".join(torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count()))
        yield Finding("devices", "cuda", True, names)
    else:
        remedy = "nothing, unless there is an NVIDIA GPU: then its driver, and a torch built for CUDA"
        yield Finding("devices", "cuda", False, "not available", remedy)


def examine_weights() -> Iterator[Finding]:
    """Look for the published weights; nothing is requested."""
    from skfewaudio._weights import PUBLISHED, Kind, have_weights, weights_home

    purposes: dict[Kind, str] = {"weights": "the network", "pca_params": "post-processing, seldom needed"}
    for kind, purpose in purposes.items():
        if have_weights("vggish", kind=kind):
            yield Finding("VGGish", kind, True, f"in {weights_home()}")
            continue
        repository, _, file = PUBLISHED[kind]["vggish"].rpartition("/")
        remedy = (
            f"fetched when first used; or put {file} from {repository.partition('/releases/')[0]} into "
            f"{weights_home()}"
        )
        yield Finding("VGGish", kind, False, f"not in the cache; for {purpose}", remedy)


def examine_caches() -> Iterator[Finding]:
    """Say where things are kept, how large that is, and whether it can be written."""
    import os

    from skfewaudio._weights import weights_home
    from skfewaudio.datasets import get_data_home
    from skfewaudio.features import FeatureCache

    info = FeatureCache().info()
    size = f"{info['n_entries']} sounds, {info['n_bytes'] / 1e6:.0f} MB, in {info['location']}"
    folders = {
        "features": (info["location"], size, "SKFEWAUDIO_CACHE"),
        "weights": (weights_home(), str(weights_home()), "SKFEWAUDIO_CACHE"),
        "data sets": (get_data_home(), str(get_data_home()), "SKFEWAUDIO_DATA"),
    }
    for name, (place, detail, variable) in folders.items():
        ok = os.access(_nearest(place), os.W_OK)
        remedy = "" if ok else f"cannot be written; set {variable} to a folder that can"
        yield Finding("caches", name, ok, detail, remedy)


def _nearest(place: Any) -> Any:
    """Give the folder, or the innermost one above it that is there."""
    from pathlib import Path

    folder = Path(place).absolute()
    return next(one for one in (folder, *folder.parents) if one.exists())


TOPICS: dict[str, Callable[[], Iterator[Finding]]] = {
    "packages": examine_packages,
    "decoders": examine_decoders,
    "extras": examine_extras,
    "devices": examine_devices,
    "VGGish": examine_weights,
    "caches": examine_caches,
}
