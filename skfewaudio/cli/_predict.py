"""Predict the class of each file."""

import argparse
import csv
from collections.abc import Callable
from functools import partial
from typing import Any

from ._common import (
    DONE,
    FOUND_FAULTS,
    Output,
    add_command,
    add_json_option,
    shorten,
    shorten_path,
    terminal_width,
)
from ._data import list_files
from ._models import UNKNOWN, Prediction, add_model, iter_predictions, open_model

MIN_PATH_WIDTH = 14


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(commands, "predict", "predict the class of each sound file, with its probability")
    add_model(parser)
    parser.add_argument("paths", metavar="FILE_OR_FOLDER", nargs="+", help="sound file, or folder of them")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--csv", action="store_true", help="write CSV with a header")
    add_json_option(formats)
    parser.add_argument(
        "--reject",
        metavar="P",
        type=float,
        default=0.0,
        help=f"predict {UNKNOWN!r} if the highest probability is below P",
    )
    parser.add_argument(
        "--top", metavar="K", type=int, default=1, help="write the K most probable classes (default: 1)"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write a line per file; unreadable files are reported on stderr."""
    if not 0 <= args.reject <= 1:
        raise ValueError(f"--reject {args.reject:g}: expected a probability from 0 to 1")
    if args.top < 1:
        raise ValueError(f"--top {args.top}: expected a number of classes, at least 1")
    paths = list_files(args.paths)
    model = open_model(args.model, args.trust)
    if not hasattr(model, "predict_proba") and (args.reject or args.top > 1):
        raise ValueError(f"{args.model}: has no probabilities, which --reject and --top need")
    n_shown = min(args.top, len(model.classes_))
    write = _make_writer(args, out, n_shown, [str(name) for name in model.classes_])
    unreadable: list[str] = []
    for prediction in iter_predictions(model, paths, out, unreadable):
        write(_reject(prediction, args.reject), prediction.ranking[:n_shown])
    if unreadable:
        out.error(f"{len(unreadable)} of {len(paths)} files could not be read")
    return FOUND_FAULTS if unreadable else DONE


Write = Callable[[Prediction, list[tuple[str, float]]], None]


def _reject(prediction: Prediction, threshold: float) -> Prediction:
    """Replace the class by unknown if its probability is below the threshold."""
    is_accepted = not prediction.ranking or prediction.ranking[0][1] >= threshold
    return prediction if is_accepted else prediction._replace(label=UNKNOWN)


def _make_writer(args: argparse.Namespace, out: Output, n_shown: int, names: list[str]) -> Write:
    """Return a function that writes a prediction; the header of CSV is written here."""
    if args.json:
        return partial(_write_json, out)
    if args.csv:
        rows = csv.writer(out)  # RFC 4180: CRLF, quotes where needed
        more = [f"{name}_{rank}" for rank in range(2, n_shown + 1) for name in ("label", "probability")]
        rows.writerow(["path", "label", "probability", *more])
        return partial(_write_row, rows)
    width = terminal_width()
    return partial(_write_text, out, width, max(map(len, [*names, UNKNOWN])))


def _write_json(out: Output, prediction: Prediction, shown: list[tuple[str, float]]) -> None:
    line: dict[str, Any] = {"path": prediction.path, "label": prediction.label, "probability": None}
    if shown:
        line["probability"] = shown[0][1]
        line["top"] = [{"label": label, "probability": probability} for label, probability in shown]
    out.json(line)


def _write_row(rows: Any, prediction: Prediction, shown: list[tuple[str, float]]) -> None:
    rows.writerow([prediction.path, *_flatten(prediction, shown, digits=6)])


def _write_text(
    out: Output, width: int | None, widest: int, prediction: Prediction, shown: list[tuple[str, float]]
) -> None:
    """Write fields separated by tabs, or columns that fit the width of a terminal."""
    path = prediction.path.translate({9: "\\t", 10: "\\n", 13: "\\r"})
    fields = _flatten(prediction, shown, digits=3)
    if width is None:
        out.print("\t".join([path, *fields]))
        return
    n_classes = len(fields) // 2
    widest = max(6, min(widest, (width - MIN_PATH_WIDTH) // n_classes - 9))  # 9: probability and spaces
    rest = "  ".join(
        shorten(text, widest).ljust(widest) if i % 2 == 0 else text for i, text in enumerate(fields)
    )
    path_width = max(MIN_PATH_WIDTH, width - len(rest) - 2)
    out.print(f"{shorten_path(path, path_width).ljust(path_width)}  {rest.rstrip()}")


def _flatten(prediction: Prediction, shown: list[tuple[str, float]], *, digits: int) -> list[str]:
    """List the predicted class and its probability, then the next classes and theirs."""
    fields = [prediction.label, f"{shown[0][1]:.{digits}f}" if shown else ""]
    for label, probability in shown[1:]:
        fields += [label, f"{probability:.{digits}f}"]
    return fields
