"""Score the events that a saved model finds in annotated recordings."""

import argparse
import math
import warnings
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ._common import DONE, FOUND_FAULTS, Output, escape, format_table, terminal_width
from ._data import list_inputs
from ._unreadable import path_of

if TYPE_CHECKING:
    import pandas as pd

    from skfewaudio.detection import EventScores


class Search(NamedTuple):
    """Found events of all recordings, the searched seconds of each, and the errors of unreadable ones."""

    events: "pd.DataFrame"
    seconds: dict[str, float]
    unreadable: dict[str, str]


def add_event_options(parser: argparse.ArgumentParser) -> None:
    """Add the options for recordings with annotated events."""
    options = parser.add_argument_group("events in recordings")
    options.add_argument(
        "--annotations",
        metavar="FILE_OR_FOLDER",
        help="annotated events of the recordings (Audacity, Raven, Praat or a table): find events in the "
        "recordings, and score them",
    )
    options.add_argument(
        "--threshold",
        metavar="P",
        type=float,
        help="least probability of an event (default: that of its class in the model)",
    )
    options.add_argument(
        "--min-overlap",
        metavar="IOU",
        type=float,
        default=0.3,
        help="least intersection over union of a found and an annotated event (default: 0.3)",
    )


def run_on_events(model: Any, args: argparse.Namespace, out: Output) -> int:
    """Find the events of the recordings, and write their scores."""
    from skfewaudio.detection import event_scores

    _check_options(args)
    recordings = list(dict.fromkeys(map(path_of, list_inputs([args.source], args))))
    true = _load_events(args, recordings)
    search = _search(model, recordings, args, out)
    known = [str(name) for name in model.classes_ if str(name) not in _background_of(model)]
    unknown = true[~true["label"].isin([*known, *_background_of(model)])]["label"].value_counts()
    if not search.seconds:
        raise ValueError(f"none of the {len(recordings)} recordings can be read")
    with warnings.catch_warnings():
        # Without found events in the annotated recordings, there is nothing to compare.
        warnings.filterwarnings("ignore", "true and found have no recording in common")
        scores = event_scores(
            true[true["path"].isin(search.seconds)],
            search.events,
            min_overlap=args.min_overlap,
            durations=search.seconds,
            labels=known,
        )
    result = _as_json(scores, search, {str(name): int(count) for name, count in unknown.items()})
    if args.json:
        out.json(result)
    else:
        _write(scores, result, out)
    for error in search.unreadable.values():
        out.error(escape(error))
    return FOUND_FAULTS if len(unknown) or search.unreadable else DONE


def _check_options(args: argparse.Namespace) -> None:
    """Check numbers, before anything is loaded."""
    if args.threshold is not None and not 0 <= args.threshold <= 1:
        raise ValueError(f"--threshold {args.threshold:g}: expected a probability from 0 to 1")
    if not 0 < args.min_overlap <= 1:
        raise ValueError(f"--min-overlap {args.min_overlap:g}: expected a number above 0 and up to 1")


def _load_events(args: argparse.Namespace, recordings: list[str]) -> "pd.DataFrame":
    """Load the annotated events, with the paths of the recordings as given."""
    from skfewaudio.datasets import load_annotations
    from skfewaudio.detection.event_tables import as_event_table

    source, annotations = Path(args.source), Path(args.annotations)
    options: dict[str, Any] = {"audio_root": args.audio_root, "label_column": args.label_column}
    if args.audio_root is None and source.is_dir() and source.resolve() != annotations.resolve():
        options["audio_root"] = source
    elif args.audio_root is None and len(recordings) == 1 and annotations.is_file():
        options = {"audio": recordings, "label_column": args.label_column}
    events = as_event_table(load_annotations(annotations, **options), args.annotations)
    names = {Path(path).resolve(): path for path in recordings}
    others = {path for path in events["path"].unique() if Path(path).resolve() not in names}
    if others:
        raise ValueError(
            f"{args.annotations} has events of {len(others)} recordings that are not in {args.source}, such "
            f"as {min(others)}; expected annotations of the recordings that are searched"
        )
    return events.assign(path=[names[Path(path).resolve()] for path in events["path"]])


def _search(model: Any, recordings: list[str], args: argparse.Namespace, out: Output) -> Search:
    """Find the events of each recording."""
    import pandas as pd

    from skfewaudio.audio import audio_duration
    from skfewaudio.detection.searches import NO_EVENTS, Searches

    options = {"threshold": args.threshold, "allow_truncated": args.allow_truncated}
    tables, search = [NO_EVENTS], Search(NO_EVENTS, {}, {})
    with closing(Searches(model, options).iter(recordings, ordered=True)) as outcomes:
        for number, found in enumerate(outcomes, 1):
            for note, category in found.notes:
                warnings.warn(note, category, stacklevel=2)
            if found.events is None:
                search.unreadable[found.recording] = str(found.error)
            else:
                search.seconds[found.recording] = audio_duration(found.recording, allow_truncated=True)
                tables.append(found.events)
            out.progress("recordings", number, len(recordings))
    filled = [table for table in tables if len(table)] or tables[:1]
    return search._replace(events=pd.concat(filled, ignore_index=True))


def _background_of(model: Any) -> set[str]:
    """Return the labels that stand for background."""
    from skfewaudio.detection.event_labels import BACKGROUND_LABELS

    labels = getattr(model, "background_label", BACKGROUND_LABELS)
    return {labels} if isinstance(labels, str) else {str(label) for label in labels}


def _as_json(scores: "EventScores", search: Search, unknown: dict[str, int]) -> dict[str, Any]:
    """Return the scores in the form of the JSON output."""
    rows = [
        {"label": label, **{str(name): _finite(value) for name, value in row.items()}}
        for label, row in scores.frame().iterrows()
    ]
    total = {name: value for name, value in rows[-1].items() if name != "label"}
    return {
        **total,
        "hours": scores.seconds / 3600,
        "n_recordings": len(search.seconds),
        "classes": rows[:-1],
        "unknown_classes": unknown,
        "unreadable": list(search.unreadable),
    }


def _finite(value: Any) -> Any:
    """Return a count as an int, another number as a float, and None for NaN."""
    number = float(value)
    if math.isnan(number):
        return None
    return int(number) if number.is_integer() and abs(number) > 1 else number


def _write(scores: "EventScores", result: dict[str, Any], out: Output) -> None:
    """Write the scores as text."""
    out.print(
        f"F-score {_percent(scores.f_score)}, precision {_percent(scores.precision)}, recall "
        f"{_percent(scores.recall)}, {scores.false_alarms_per_hour:.1f} false alarms per hour"
    )
    out.print(
        f"  {scores.n_matched} of {scores.n_true} annotated events found in {result['n_recordings']} "
        f"recordings, {result['hours']:.2f} hours"
    )
    out.print()
    rows: list[list[Any]] = [
        [
            str(label),
            *(int(row[name]) for name in ("n_true", "n_found", "n_matched")),
            *(_percent(row[name]) for name in ("precision", "recall", "f_score")),
            f"{row['false_alarms_per_hour']:.1f}",
        ]
        for label, row in scores.by_class.iterrows()
    ]
    heads = ["class", "events", "found", "right", "precision", "recall", "F-score", "false alarms/h"]
    out.print(format_table(heads, rows, width=terminal_width()))
    for label, count in result["unknown_classes"].items():
        out.print(f"\n{escape(label)}: unknown to the model, {count} events left out")
    if result["unreadable"]:
        out.print(f"\n{len(result['unreadable'])} recordings could not be read and are left out")


def _percent(share: float) -> str:
    return "-" if math.isnan(share) else f"{100 * share:.1f} %"
