"""The cache of features: what is in it, clear it, fill it."""

import argparse
from datetime import datetime
from typing import Any

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, format_table, terminal_width
from ._data import add_source, is_made_by_code, load_source

# By the name on the command line, the transformers whose settings need no word.
TRANSFORMERS = {"logmel": "LogMel", "mfcc": "MFCC", "vggish": "VGGishEmbed"}


def add_parser(commands: Any) -> None:
    """Say which commands and options there are."""
    parser = commands.add_parser("cache", help="look into, clear and fill the cache of features")
    inner = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    info = add_command(inner, "info", "tell what is in the cache of features")
    add_json_option(info)
    info.set_defaults(run=run_info)
    clear = add_command(inner, "clear", "remove features from the cache")
    clear.add_argument(
        "--transformer",
        metavar="NAME",
        help=f"only those of {', '.join(TRANSFORMERS)} or another class; all if not given",
    )
    clear.set_defaults(run=run_clear)
    warm = add_command(inner, "warm", "compute the features of a data set, and keep them")
    add_source(warm)
    warm.add_argument("--transformer", choices=TRANSFORMERS, required=True, help="what to compute")
    warm.set_defaults(run=run_warm)
    for one in (info, clear, warm):
        one.add_argument(
            "--location", metavar="FOLDER", help="the cache; in $SKFEWAUDIO_CACHE or the user's if not given"
        )


def run_info(args: argparse.Namespace, out: Output) -> int:
    """Write place, size, and a line for each transformer."""
    from skfewaudio.features import FeatureCache

    info = FeatureCache(args.location).info()
    if args.json:
        out.json(info)
        return DONE
    limit = "no limit" if info["max_size"] is None else f"of at most {_size(info['max_size'])}"
    out.print(f"{info['location']}\n{info['n_entries']} sounds, {_size(info['n_bytes'])} {limit}")
    rows = [
        [held["shelf"], held["n_entries"], _size(held["n_bytes"]), _day(held["last_used"])]
        for held in info["transformers"]
    ]
    if rows:
        header = ["transformer", "sounds", "size", "last used"]
        out.print(f"\n{format_table(header, rows, width=terminal_width())}")
    return DONE


def run_clear(args: argparse.Namespace, out: Output) -> int:
    """Remove entries, and count them."""
    from skfewaudio.features import FeatureCache

    name = TRANSFORMERS.get(args.transformer, args.transformer)
    cache = FeatureCache(args.location)
    out.print(f"{cache.clear(name)} entries removed from {cache.location}")
    return DONE


def run_warm(args: argparse.Namespace, out: Output) -> int:
    """Compute what is not there; files that cannot be read are told of on stderr."""
    from skfewaudio import features

    if is_made_by_code(args.source):
        raise ValueError(f"{args.source} is made by code, not read from files; there is nothing to keep")
    dataset = load_source(args.source, args.data_home)
    cached = features.CachedFeatures(
        getattr(features, TRANSFORMERS[args.transformer])(), location=args.location
    )
    counts, unreadable = _warm(cached, dataset.paths, out)
    out.print(f"{counts['n_hits']} sounds were there, {counts['n_computed']} computed")
    return FOUND_FAULTS if unreadable else DONE


def _warm(cached: Any, paths: list[str], out: Output) -> tuple[dict[str, int], int]:
    """Go through the files, a few at a time; give the counts, and how many cannot be read."""
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


def _size(n_bytes: int) -> str:
    """Write a number of bytes for people."""
    size, unit = float(n_bytes), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if size < 1024:
            break
        size, unit = size / 1024, larger
    return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"


def _day(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).strftime("%Y-%m-%d %H:%M")
