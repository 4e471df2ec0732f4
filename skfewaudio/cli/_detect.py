"""Find events in recordings."""

import argparse
import sys
import warnings
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from skfewaudio._option_types import FROM_MODEL, add_reading_options, add_table_options
from skfewaudio._threads import share_memory_arenas

from ._common import DONE, FOUND_FAULTS, Output, add_command, escape, suggest
from ._data import list_inputs
from ._models import add_model, open_model, set_model_reading
from ._unreadable import path_of

if TYPE_CHECKING:
    import pandas as pd

FORMATS = ("csv", "audacity", "raven")
EXAMPLES = (
    "skfewaudio detect field.model night.wav",
    "skfewaudio detect field.model night.wav --threshold 0.8 --labels owl fox",
    "skfewaudio detect field.model recordings -o found --format csv raven",
    "skfewaudio detect field.model archive -o found --scheduler local --n-jobs 8",
)


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(commands, "detect", "find events in recordings, with their times", examples=EXAMPLES)
    add_model(parser)
    parser.add_argument(
        "paths",
        metavar="RECORDING",
        nargs="+",
        help="sound file, folder of them, or table with the column path",
    )
    parser.add_argument(
        "-o",
        "--output",
        metavar="FOLDER",
        type=Path,
        help="write a file for each recording, and a table of all; an interrupted search is resumed "
        "(default: CSV to stdout)",
    )
    parser.add_argument(
        "--format",
        metavar="FORMAT",
        nargs="+",
        choices=FORMATS,
        default=["csv"],
        help=f"formats of the files: {', '.join(FORMATS)} (default: csv)",
    )
    _add_search_options(parser)
    _add_worker_options(parser)
    add_reading_options(parser, sample_rate=None, default=FROM_MODEL)
    add_table_options(parser, labels=False)
    parser.set_defaults(run=run)


def _add_search_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that decide which events are found."""
    parser.add_argument(
        "--threshold",
        metavar="P",
        type=float,
        help="least probability of an event (default: that of its class in the model)",
    )
    parser.add_argument(
        "--min-duration",
        metavar="S",
        type=float,
        help="shortest event, in seconds (default: by the events that the model was trained on)",
    )
    parser.add_argument("--labels", metavar="LABEL", nargs="+", help="find events of these classes only")
    parser.add_argument(
        "--window",
        metavar="S",
        type=float,
        help="seconds that are classified at a time, for models that are no detectors",
    )
    parser.add_argument("--hop", metavar="S", type=float, help="seconds between windows")


def _add_worker_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for several processes and machines."""
    parser.add_argument(
        "--n-jobs",
        metavar="N",
        type=int,
        help="number of processes, or of workers of --scheduler local; -1 is one per core (default: 1 "
        "process, or one worker per core)",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of a Dask scheduler, or local to start workers on this machine",
    )


def run(args: argparse.Namespace, out: Output) -> int:
    """Find the events; recordings that cannot be read are named on stderr."""
    share_memory_arenas()
    _check_options(args)
    recordings = list(dict.fromkeys(map(path_of, list_inputs(args.paths, args))))
    _check_formats(args, len(recordings))
    model = open_model(args.model, args.trust, detects=True)
    _check_labels(args.labels, model)
    set_model_reading(getattr(model, "logmel_", model), args)
    _check_search(model, args, out)
    if args.output is None:
        return _write_stream(model, recordings, args, out)
    return _write_folder(model, recordings, args, out)


def _check_options(args: argparse.Namespace) -> None:
    """Check numbers, before anything is loaded."""
    if args.threshold is not None and not 0 <= args.threshold <= 1:
        raise ValueError(f"--threshold {args.threshold:g}: expected a probability from 0 to 1")
    for name in ("min_duration", "window", "hop"):
        seconds, least = getattr(args, name), "at least" if name == "min_duration" else "more than"
        if seconds is not None and not (
            0 < seconds < float("inf") or (seconds == 0 and name == "min_duration")
        ):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{option} {seconds:g}: expected a number of seconds, {least} 0")
    if args.n_jobs is not None and args.n_jobs < 1 and args.n_jobs != -1:
        raise ValueError(f"--n-jobs {args.n_jobs}: expected a number of processes, or -1 for one per core")
    if args.output is not None and args.output.exists() and not args.output.is_dir():
        raise ValueError(f"-o {args.output}: is a file; expected a folder")
    if args.output is not None and not args.output.absolute().parent.is_dir():
        raise ValueError(f"-o {args.output}: folder {args.output.parent} does not exist; create it first")


def _check_formats(args: argparse.Namespace, n_recordings: int) -> None:
    """Check that the formats can be written to stdout, if they are to be."""
    if args.output is not None or args.format == ["csv"]:
        return
    if len(args.format) > 1 or n_recordings > 1:
        what = f"{len(args.format)} formats" if len(args.format) > 1 else f"{n_recordings} recordings"
        raise ValueError(f"--format {' '.join(args.format)}: {what} need a folder; add -o FOLDER")


def _check_labels(labels: Sequence[str] | None, model: Any) -> None:
    """Raise ValueError if the model does not know a label."""
    known = [str(name) for name in model.classes_]
    for label in labels or ():
        if label not in known:
            hint = suggest(label, known) or f"; it knows {', '.join(known)}"
            raise ValueError(f"--labels {label}: the model does not know this class{hint}")


def _check_search(model: Any, args: argparse.Namespace, out: Output) -> None:
    """Check that the model can search, and warn if it is no detector."""
    from skfewaudio.detection import iter_detections

    try:
        iter_detections(model, [], **_options_of(args))
    except TypeError as error:
        raise ValueError(
            f"{args.model}: cannot find events: expected a detector, as trained on annotated recordings, or "
            "a pipeline of log mel spectrograms in decibels with probabilities, such as few-shot"
        ) from error
    if not hasattr(model, "thresholds_"):
        how = "parts that stand out from the background"
        how = how if args.window is None else f"windows of {args.window:g} s"
        out.warn(
            f"{args.model} is a classifier of clips, not a detector: it is used on {how}. Train on annotated "
            "recordings, or with --detector, to learn thresholds"
        )


def _options_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the options of the search as keyword arguments."""
    names = ("threshold", "min_duration", "labels", "window", "hop", "allow_truncated")
    return {name: getattr(args, name) for name in names}


def _write_stream(model: Any, recordings: list[str], args: argparse.Namespace, out: Output) -> int:
    """Write events to stdout, for each recording as soon as it has been searched."""
    from skfewaudio.detection.searches import NO_EVENTS, Searches

    searches = Searches(model, _options_of(args), args.n_jobs, args.scheduler)
    errors: list[str] = []
    seen: set[Any] = set()
    n_events = 0
    _write_events(out, args.format[0], NO_EVENTS, with_header=True)
    with closing(searches.iter(recordings, ordered=True)) as outcomes:
        for number, found in enumerate(outcomes, 1):
            for note in dict.fromkeys(found.notes):
                if note not in seen:
                    seen.add(note)
                    warnings.warn(note[0], note[1], stacklevel=2)
            if found.events is None:
                errors.append(str(found.error))
            else:
                n_events += len(found.events)
                _write_events(out, args.format[0], found.events, with_header=False)
            out.progress("recordings", number, len(recordings))
    out.note(f"{n_events} events in {len(recordings) - len(errors)} recordings")
    return _name_unreadable(errors, len(recordings), out)


def _write_events(out: Output, format: str, events: "pd.DataFrame", *, with_header: bool) -> None:
    """Write events to stdout; on a terminal, control characters in names are escaped."""
    from skfewaudio.datasets.annotation_files import format_annotations

    if sys.stdout.isatty():
        events = events.assign(path=events["path"].map(escape), label=events["label"].map(escape))
    if text := format_annotations(events, format, with_header=with_header):
        out.write(text)


def _write_folder(model: Any, recordings: list[str], args: argparse.Namespace, out: Output) -> int:
    """Write events to a folder, and resume an interrupted search."""
    from skfewaudio._files import digest_file
    from skfewaudio.detection import detect_archive

    digest = digest_file(args.model)
    found = detect_archive(
        model,
        recordings,
        args.output,
        formats=args.format,
        **_options_of(args),
        model_digest=digest if args.channel is None else f"{digest}, channel {args.channel}",
        n_jobs=args.n_jobs,
        scheduler=args.scheduler,
        progress=not args.quiet,
    )
    n_read = len(recordings) - len(found.unreadable)
    before = f", {found.n_found_before} of them before" if found.n_found_before else ""
    out.print(f"{n_read} recordings searched{before}")
    out.print(f"{len(found.events)} events written to {escape(args.output)}")
    return _name_unreadable(list(found.unreadable.values()), len(recordings), out)


def _name_unreadable(errors: Sequence[str], n_recordings: int, out: Output) -> int:
    """Name the recordings that cannot be read, and return the exit status."""
    for error in errors:
        out.error(escape(error))
    if errors:
        out.error(f"{len(errors)} of {n_recordings} recordings could not be read")
    return FOUND_FAULTS if errors else DONE
