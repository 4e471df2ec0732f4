"""Train a detector of events on annotated recordings."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._common import Output, escape, format_table, terminal_width
from ._data import Clip, as_part, count_classes, sound_clips
from ._training import PIPELINE_OPTIONS
from ._unreadable import UnreadableFiles

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

DETECTOR_OPTIONS = ("background", "precision", "recall", "partly_annotated")


def add_detector_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of detectors."""
    options = parser.add_argument_group("detectors of events, for annotated recordings")
    options.add_argument(
        "--detector",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="train a detector of events; --no-detector trains a classifier of clips (default: a detector if "
        "the recordings are annotated)",
    )
    options.add_argument(
        "--background",
        metavar="FOLDER",
        help="use these sound files as background, in which there are no events",
    )
    options.add_argument(
        "--partly-annotated",
        action="store_true",
        help="do not use the sound between the annotated events as background",
    )
    wanted = options.add_mutually_exclusive_group()
    wanted.add_argument(
        "--precision",
        metavar="P",
        type=float,
        help="choose the thresholds so that the share P of the found events is right (default: a threshold "
        "of 0.5)",
    )
    wanted.add_argument(
        "--recall", metavar="P", type=float, help="choose them so that the share P of the events is found"
    )


def is_detector(args: argparse.Namespace, dataset: "AudioDataset", model: Any, out: Output) -> bool:
    """Return whether to train a detector; raise ValueError for options that do not fit."""
    from skfewaudio.audio.clips import is_file_part

    wanted = is_file_part(dataset.X[0]) if args.detector is None else args.detector
    reason = _find_obstacle(args, model)
    if wanted and reason:
        if args.detector:
            raise ValueError(f"--detector: {reason}")
        out.warn(f"a classifier of clips is trained on the annotated parts, not a detector: {reason}")
        wanted = False
    for name in DETECTOR_OPTIONS:
        if getattr(args, name) and not wanted:
            raise ValueError(
                f"--{name.replace('_', '-')}: belongs to detectors of events; expected annotated recordings, "
                "or --detector"
            )
    for name in ("precision", "recall"):
        share = getattr(args, name)
        if share is not None and not 0 < share < 1:
            raise ValueError(f"--{name} {share:g}: expected a share between 0 and 1, such as 0.9")
    return wanted


def _find_obstacle(args: argparse.Namespace, model: Any) -> str | None:
    """Return why the options do not fit a detector."""
    from sklearn.pipeline import Pipeline

    from skfewaudio.features import LogMel

    for name in ("unlabelled", "test_folder", "class_weight", "false_rejection_rate", "embedding"):
        if getattr(args, name, None):
            return f"detectors cannot use --{name.replace('_', '-')}"
    first = model[0] if isinstance(model, Pipeline) else None
    if not isinstance(first, LogMel) or first.compression != "db" or not hasattr(model, "predict_proba"):
        return (
            "detectors need log mel spectrograms in decibels and probabilities, and --pipeline "
            f"{args.pipeline} has none"
        )
    return None


def train_detector(
    model: Any, dataset: "AudioDataset", args: argparse.Namespace, out: Output, unreadable: UnreadableFiles
) -> tuple[Any, dict[str, Any]]:
    """Train a detector on the readable recordings, and describe it.

    Parameters
    ----------
    model : Pipeline
        Pipeline of clips.
    dataset : AudioDataset
        Events, or clips in folders.
    args : argparse.Namespace
        Options of the command.
    out : Output
        Receives the description.
    unreadable : UnreadableFiles
        Receives the recordings that cannot be read.

    Returns
    -------
    EventDetector
        Fitted detector.
    dict
        Entries of its card.
    """
    from skfewaudio.audio.clips import is_file_part
    from skfewaudio.detection import EventDetector, annotated_clips

    events = unreadable.drop_from(dataset)
    clips = events
    if is_file_part(events.X[0]) and not args.partly_annotated:
        clips = annotated_clips(events, random_state=args.random_state)
    others = _list_background(args, events)
    unreadable.count(others)
    others = unreadable.drop(others)
    X = [*sound_clips(clips), *others]
    y = [*(str(label) for label in clips.y), *["background"] * len(others)]
    groups = [*_groups_of(clips), *(str(path) for path in others)]
    detector = EventDetector(
        # With few-shot, the classifiers are those that detectors use by default.
        model[0] if args.pipeline == "few-shot" else model,
        precision=args.precision,
        recall=args.recall,
        random_state=args.random_state,
    )
    out.note(f"training on {len(X)} parts of recordings ...")
    detector.fit(X, y, groups=groups)
    background = [clip for clip, label in zip(X, y, strict=True) if label in detector.background_label]
    _describe(detector, events, background, out)
    return detector, _card_of(detector, events, args, unreadable)


def _list_background(args: argparse.Namespace, dataset: "AudioDataset") -> list[Clip]:
    """List the sound files of the folder of --background, and of folders of that name among recordings."""
    from skfewaudio.datasets import list_audio_files
    from skfewaudio.detection.event_labels import BACKGROUND_LABELS

    folders = [Path(args.background)] if args.background else []
    sources = [Path(source) for source in args.source if Path(source).is_dir()]
    folders += [source / name for source in sources for name in BACKGROUND_LABELS if (source / name).is_dir()]
    used = set(dataset.paths)
    found = [path for folder in folders for path in list_audio_files(folder)]
    return [path for path in dict.fromkeys(found) if path not in used]


def _groups_of(dataset: "AudioDataset") -> list[str]:
    """Return the recording of each clip."""
    if dataset.groups is not None:
        return [str(group) for group in dataset.groups]
    return list(map(str, dataset.paths))


def _describe(detector: Any, events: "AudioDataset", background: Sequence[Any], out: Output) -> None:
    """Print the learned classes, thresholds, and the expected precision and recall."""
    header = ["class", "events", "recordings", "seconds", "threshold", "precision", "recall"]
    rows = [_row_of(detector, events, number) for number in range(len(detector.classes_))]
    out.print(format_table(header, rows, width=terminal_width()))
    parts = [as_part(clip) for clip in background if _is_clip(clip)]
    seconds = sum(end - start for _, start, end in parts if end is not None)
    length = f", {seconds:.0f} s" if seconds else ""
    what = f"{len(background)} parts{length}" if background else "none; synthetic noise is used instead"
    out.print(f"background: {what}")
    out.print(f"windows: {', '.join(f'{window:.2g}' for window in detector.windows_)} s")
    out.print(
        "\nPrecision is the share of the found events that are right, recall the share of\n"
        "the events that are found. Both are estimated from events that are left out."
    )


def _row_of(detector: Any, events: "AudioDataset", number: int) -> list[Any]:
    """Return the row of a class in the table."""
    label = detector.classes_.tolist()[number]
    is_own = events.y == label
    groups = {group for group, own in zip(_groups_of(events), is_own, strict=True) if own}
    low, _, high = (f"{seconds:.2g}" for seconds in detector.durations_[number])
    expected = getattr(detector, "expected_", {}).get(label, {})
    return [
        escape(label),
        int(is_own.sum()),
        len(groups),
        low if low == high else f"{low} to {high}",
        f"{detector.thresholds_[label]:.2f}",
        *(f"{100 * expected[name]:.0f} %" if name in expected else "?" for name in ("precision", "recall")),
    ]


def _is_clip(clip: Any) -> bool:
    """Return whether a clip is a file or a part of one."""
    from skfewaudio.audio.clips import is_file_part, is_path

    return is_path(clip) or is_file_part(clip)


def _card_of(
    detector: Any, events: "AudioDataset", args: argparse.Namespace, unreadable: UnreadableFiles
) -> dict[str, Any]:
    """Return the entries of the model card."""
    options = {name: getattr(args, name) for name in (*PIPELINE_OPTIONS, "precision", "recall")}
    return {
        "data_set": {
            "name": events.name,
            "n_clips": len(events),
            "clips_per_class": count_classes(events),
            "n_unreadable": len(unreadable.paths),
        },
        "pipeline": args.pipeline,
        "options": {name: value for name, value in options.items() if value is not None},
        "scores": None,
        "windows": [float(window) for window in detector.windows_],
        "thresholds": {str(label): float(value) for label, value in detector.thresholds_.items()},
        "expected": {
            str(label): {name: float(value) for name, value in scores.items()}
            for label, scores in getattr(detector, "expected_", {}).items()
        },
        "random_state": args.random_state,
    }
