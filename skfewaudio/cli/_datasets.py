"""List, download and check datasets."""

import argparse
import inspect
import textwrap
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import add_reading_options, reading_of

from ._check import Check, check_clips, find_leaks
from ._common import (
    DONE,
    FOUND_FAULTS,
    Output,
    add_command,
    add_group,
    add_json_option,
    escape,
    terminal_width,
)
from ._data import add_data_home, add_source, is_made_by_code, load_named, load_source

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

CHECK_EXAMPLES = (
    "skfewaudio datasets check recordings",
    "skfewaudio datasets check memory-card --no-leaks",
    "skfewaudio datasets check esc50 --data-home ESC-50-master",
)
# An incomplete dataset is listed, too.
LENIENT = {"on_missing": "ignore"}


def add_parser(commands: Any) -> None:
    """Add the command, its actions and their options."""
    inner = add_group(commands, "datasets", "list, download and check datasets")
    listing = add_command(
        inner,
        "list",
        "list the datasets, and show which of them are found",
        examples=["skfewaudio datasets list --data-home ~/data"],
    )
    add_data_home(listing)
    add_json_option(listing)
    listing.set_defaults(run=run_list)
    fetch = add_command(
        inner,
        "fetch",
        "download a dataset, or show where to get it",
        examples=["skfewaudio datasets fetch urbansound8k"],
    )
    fetch.add_argument("name", metavar="NAME", help="name of a dataset (see skfewaudio datasets list)")
    add_data_home(fetch)
    fetch.set_defaults(run=run_fetch)
    check = add_command(
        inner, "check", "find faulty clips, and leaks that make scores too good", examples=CHECK_EXAMPLES
    )
    add_source(check)
    check.add_argument(
        "--no-leaks", action="store_true", help="do not compare clips, which is slow for thousands of them"
    )
    add_reading_options(check, sample_rate=None)
    add_json_option(check)
    check.set_defaults(run=run_check)


def run_list(args: argparse.Namespace, out: Output) -> int:
    """Write the name, state, summary and licence of each dataset."""
    from skfewaudio.plugins import DATASETS

    rows = []
    for number, name in enumerate(names := DATASETS.names()):
        out.progress("datasets", number, len(names))
        rows.append(_describe(name, args.data_home))
    out.progress("datasets", len(names), len(names))
    if args.json:
        out.json(rows)
        return DONE
    width = min(terminal_width() or 80, 110)
    for row in rows:
        labels = f", {row['n_labels']} labels" if row["found"] else ""
        clips = f", {row['n_clips']} clips{labels}" if row["found"] else ""
        out.print(f"{row['name']:<18}{row['state']}{clips}")
        for text in (row["summary"], row["licence"]):
            out.print(textwrap.fill(text, width, initial_indent=" " * 18, subsequent_indent=" " * 18))
    return DONE


def _describe(name: str, data_home: str | None) -> dict[str, Any]:
    """Return the summary, licence and state of a dataset, and its size if it is found."""
    from skfewaudio.exceptions import DatasetNotFoundError, PluginError
    from skfewaudio.plugins import DATASETS

    row: dict[str, Any] = {"name": name, "found": False, "n_clips": None, "n_labels": None}
    try:
        load = DATASETS.get(name)
    except PluginError as error:
        return {**row, "state": "broken", "summary": str(error), "licence": ""}
    row["summary"] = (inspect.getdoc(load) or "").partition("\n")[0].removeprefix("Load ")
    row["licence"] = getattr(inspect.getmodule(load), "LICENCE", "")
    if is_made_by_code(name):
        return {**row, "state": "made by code"}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = load_named(name, data_home, **LENIENT)
    except DatasetNotFoundError:
        return {**row, "state": "not found"}
    except (ValueError, OSError) as error:
        return {**row, "state": "damaged", "summary": str(error)}
    counts = {"n_clips": len(dataset), "n_labels": len(dataset.target_names)}
    return {**row, **counts, "state": "found", "found": True, "licence": dataset.licence or row["licence"]}


def run_fetch(args: argparse.Namespace, out: Output) -> int:
    """Download a dataset if possible; otherwise write where to get it."""
    from skfewaudio import datasets
    from skfewaudio.exceptions import DatasetNotFoundError
    from skfewaudio.plugins import DATASETS

    DATASETS.get(args.name)
    fetch = getattr(datasets, f"fetch_{args.name}", None)
    if fetch is not None:
        dataset = fetch(args.data_home)
    else:
        out.note(f"{args.name} cannot be downloaded automatically; looking for existing files ...")
        try:
            dataset = load_named(args.name, args.data_home, **LENIENT)
        except DatasetNotFoundError as error:
            out.error(f"{args.name} cannot be downloaded automatically: {error}")
            return FOUND_FAULTS
    out.print(_format_summary(dataset))
    return DONE


def _format_summary(dataset: "AudioDataset") -> str:
    """Format the name, size and licence of a dataset."""
    return escape(repr(dataset)[1:-1]) + (f"\n{dataset.licence}" if dataset.licence else "")


def run_check(args: argparse.Namespace, out: Output) -> int:
    """Read and compare all clips; write the faults and leaks."""
    dataset, has_labels = _load_to_check(args, out)
    reading = reading_of(args)
    check = check_clips(dataset, out, reading=reading, has_labels=has_labels)
    if not args.no_leaks:
        out.note("comparing clips ...")
        check = find_leaks(check, reading)
    if args.json:
        out.json(_as_json(check))
    else:
        _write(check, out)
    return FOUND_FAULTS if check.faults or check.leaks else DONE


def _load_to_check(args: argparse.Namespace, out: Output) -> tuple["AudioDataset", bool]:
    """Load a dataset, and return whether it has labels: a folder need not have folders of classes."""
    from skfewaudio.datasets import AudioDataset, list_audio_files
    from skfewaudio.exceptions import DatasetNotFoundError

    try:
        return load_source(args.source, args), True
    except DatasetNotFoundError as error:
        if not Path(args.source).is_dir():
            raise
        files = list_audio_files(args.source)
        out.warn(f"checked without classes: {error}")
        return AudioDataset(files, [""] * len(files), name=Path(args.source).resolve().name), False


def _as_json(check: Check) -> dict[str, Any]:
    dataset = check.dataset
    return {
        "name": dataset.name,
        "n_clips": len(dataset),
        "labels": dataset.target_names if check.has_labels else [],
        "seconds": check.seconds,
        "sample_rates": {str(rate): n_clips for rate, n_clips in check.sample_rates.items()},
        "faults": [fault._asdict() for fault in check.faults],
        "leaks": None if check.leaks is None else [leak._asdict() for leak in check.leaks],
    }


def _write(check: Check, out: Output) -> None:
    """Write the result as text: counts, sample rates, faults by kind, leaks by kind."""
    dataset = check.dataset
    if check.has_labels:
        out.print(_format_summary(dataset))
    else:
        out.print(f"{escape(dataset.name)}: {len(dataset)} sound files, no classes")
    out.print(f"{check.seconds / 60:.1f} minutes of sound")
    if check.sample_rates:
        rates = [f"{rate} Hz ({n_clips} clips)" for rate, n_clips in check.sample_rates.items()]
        out.print(f"sample rate{'s' * (len(rates) > 1)}: {', '.join(rates)}")
    for kind in dict.fromkeys(fault.kind for fault in check.faults):
        faults = [fault for fault in check.faults if fault.kind == kind]
        out.print(f"\n{kind}: {len(faults)}")
        for fault in faults:
            out.print(f"  {escape(fault.clip)}: {escape(fault.detail)}")
    for kind in dict.fromkeys(leak.kind for leak in check.leaks or ()):
        leaks = [leak for leak in check.leaks or () if leak.kind == kind]
        out.print(f"\n{kind}: {len(leaks)}")
        for leak in leaks:
            out.print(f"  {escape(leak.detail)}")
    if not check.faults:
        out.print("no clip is unreadable, silent, clipped or very short")
    if check.leaks == []:
        out.print("no leaks and no contradicting labels" if check.has_labels else "no leaks")
