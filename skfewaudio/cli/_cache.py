"""Inspect, clear and fill the feature cache."""

import argparse
from datetime import datetime
from typing import Any

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, format_table, terminal_width
from ._data import add_source, is_made_by_code, load_source

# Command-line names of the transformers that are usable with their default parameters.
TRANSFORMERS = {"logmel": "LogMel", "mfcc": "MFCC", "vggish": "VGGishEmbed"}


def add_parser(commands: Any) -> None:
    """Add the command, its actions and their options."""
    parser = commands.add_parser("cache", help="inspect, clear and fill the feature cache")
    inner = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = add_command(inner, "info", "show the content of the feature cache")
    add_json_option(info)
    info.set_defaults(run=run_info)
    clear = add_command(inner, "clear", "remove features from the feature cache")
    clear.add_argument(
        "--transformer",
        metavar="NAME",
        help=f"remove only the features of {', '.join(TRANSFORMERS)} or another class (default: all)",
    )
    clear.set_defaults(run=run_clear)
    warm = add_command(inner, "warm", "compute the missing features of a dataset and cache them")
    add_source(warm)
    warm.add_argument("--transformer", choices=TRANSFORMERS, required=True, help="features to compute")
    warm.set_defaults(run=run_warm)
    for action in (info, clear, warm):
        action.add_argument(
            "--location",
            metavar="FOLDER",
            help="cache directory (default: in $SKFEWAUDIO_CACHE or the user's cache directory)",
        )


def run_info(args: argparse.Namespace, out: Output) -> int:
    """Write the location and size of the cache, and a line per transformer."""
    from skfewaudio.features import FeatureCache

    info = FeatureCache(args.location).info()
    if args.json:
        out.json(info)
        return DONE
    limit = "no limit" if info["max_size"] is None else f"of at most {_format_size(info['max_size'])}"
    out.print(f"{info['location']}\n{info['n_entries']} sounds, {_format_size(info['n_bytes'])} {limit}")
    rows = [
        [held["directory"], held["n_entries"], _format_size(held["n_bytes"]), _format_time(held["last_used"])]
        for held in info["transformers"]
    ]
    if rows:
        header = ["transformer", "sounds", "size", "last used"]
        out.print(f"\n{format_table(header, rows, width=terminal_width())}")
    return DONE


def run_clear(args: argparse.Namespace, out: Output) -> int:
    """Remove cache entries and write their number."""
    from skfewaudio.features import FeatureCache

    name = TRANSFORMERS.get(args.transformer, args.transformer)
    cache = FeatureCache(args.location)
    out.print(f"{cache.clear(name)} entries removed from {cache.location}")
    return DONE


def run_warm(args: argparse.Namespace, out: Output) -> int:
    """Compute missing features; unreadable files are reported on stderr."""
    from skfewaudio import features

    if is_made_by_code(args.source):
        raise ValueError(f"{args.source} is made by code, not read from files; there is nothing to cache")
    dataset = load_source(args.source, args.data_home)
    cached = features.CachedFeatures(
        getattr(features, TRANSFORMERS[args.transformer])(), location=args.location
    )
    counts, unreadable = _warm(cached, dataset.paths, out)
    out.print(f"{counts['n_hits']} sounds were in the cache, {counts['n_computed']} computed")
    return FOUND_FAULTS if unreadable else DONE


def _warm(cached: Any, paths: list[str], out: Output) -> tuple[dict[str, int], int]:
    """Compute the features in batches; return the counts and the number of unreadable files."""
    from skfewaudio.exceptions import AudioLoadError

    counts, n_unreadable = {"n_hits": 0, "n_computed": 0}, 0
    for start in range(0, len(paths), cached.n_at_once):
        out.progress("sounds", start, len(paths))
        batch = paths[start : start + cached.n_at_once]
        while batch:
            try:
                found = cached.warm(batch)
            except AudioLoadError as error:
                if error.path not in batch:
                    raise
                out.error(str(error))
                n_unreadable += 1
                batch.remove(error.path)
            else:
                counts = {key: value + found[key] for key, value in counts.items()}
                break
    out.progress("sounds", len(paths), len(paths))
    return counts, n_unreadable


def _format_size(n_bytes: int) -> str:
    """Format a number of bytes with a unit."""
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _format_time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
