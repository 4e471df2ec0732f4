"""Inspect, clear and fill the feature cache."""

import argparse
from datetime import datetime
from typing import Any

from skfewaudio._option_types import add_reading_options

from ._common import DONE, Output, add_command, add_group, add_json_option, format_table, terminal_width
from ._data import Clip, add_source, is_made_by_code, load_source
from ._unreadable import UnreadableFiles

# Command-line names of the transformers that are usable with their default parameters.
TRANSFORMERS = {"logmel": "LogMel", "mfcc": "MFCC", "vggish": "VGGishEmbed"}


def add_parser(commands: Any) -> None:
    """Add the command, its actions and their options."""
    inner = add_group(commands, "cache", "inspect, clear and fill the feature cache")
    info = add_command(
        inner, "info", "show the content of the feature cache", examples=["skfewaudio cache info"]
    )
    add_json_option(info)
    info.set_defaults(run=run_info)
    clear = add_command(
        inner,
        "clear",
        "remove features from the feature cache",
        examples=["skfewaudio cache clear", "skfewaudio cache clear --transformer vggish"],
    )
    clear.add_argument(
        "--transformer",
        metavar="NAME",
        help=f"remove only the features of {', '.join(TRANSFORMERS)} or another class (default: all)",
    )
    clear.set_defaults(run=run_clear)
    warm = add_command(
        inner,
        "warm",
        "compute the missing features of a dataset and cache them",
        examples=[
            "skfewaudio cache warm recordings --transformer logmel --sample-rate auto",
            "skfewaudio cache warm recordings --embedding birdnet-2.4",
        ],
    )
    add_source(warm)
    features = warm.add_mutually_exclusive_group(required=True)
    features.add_argument("--transformer", choices=TRANSFORMERS, help="features to compute")
    features.add_argument(
        "--embedding",
        metavar="NAME",
        help="embedding of a pre-trained network to compute, such as birdnet-2.4 (see skfewaudio plugins)",
    )
    add_reading_options(warm, sample_rate="the transformer's")
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
    """Compute missing features; unreadable files are named on stderr."""
    from skfewaudio import features
    from skfewaudio._reading import get_reading

    if is_made_by_code(args.source):
        raise ValueError(f"{args.source} is made by code, not read from files; there is nothing to cache")
    dataset = load_source(args.source, args)
    if not isinstance(dataset.X[0], str | tuple):
        raise ValueError(f"{args.source} holds no sound files; there is nothing to cache")
    transformer = _make_transformer(args)
    cached = features.CachedFeatures(transformer, location=args.location)
    if getattr(transformer, "sample_rate", None) == "auto":
        cached.fit(dataset.X)
    with UnreadableFiles(out, get_reading(transformer)) as unreadable:
        counts = _warm(cached, dataset.X, out, unreadable)
        out.print(f"{counts['n_hits']} sounds were in the cache, {counts['n_computed']} computed")
    return unreadable.status


def _make_transformer(args: argparse.Namespace) -> Any:
    """Make the requested transformer."""
    from skfewaudio import features
    from skfewaudio._reading import set_reading

    if args.embedding:
        transformer = features.PretrainedEmbed(args.embedding)
        transformer.find_weights()
    else:
        transformer = getattr(features, TRANSFORMERS[args.transformer])()
    try:
        return set_reading(
            transformer,
            sample_rate=args.sample_rate,
            channel=args.channel,
            allow_truncated=args.allow_truncated,
        )
    except ValueError as error:
        option = f"--embedding {args.embedding}" if args.embedding else f"--transformer {args.transformer}"
        raise ValueError(f"{option}: {error}") from error


def _warm(cached: Any, clips: list[Clip], out: Output, unreadable: UnreadableFiles) -> dict[str, int]:
    """Compute the features in batches, and return the counts."""
    from skfewaudio.exceptions import AudioLoadError

    counts = {"n_hits": 0, "n_computed": 0}
    unreadable.count(clips)
    for start in range(0, len(clips), cached.n_at_once):
        out.progress("sounds", start, len(clips))
        batch = unreadable.drop(clips[start : start + cached.n_at_once], decode=False)
        while batch:
            try:
                found = cached.warm(batch)
            except AudioLoadError as error:
                batch = unreadable.drop_failed(batch, error)
            else:
                counts = {key: value + found[key] for key, value in counts.items()}
                break
    out.progress("sounds", len(clips), len(clips))
    return counts


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
