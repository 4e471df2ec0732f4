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

PATH_ROOM = 14  # columns that a path has at least


def add_parser(commands: Any) -> None:
    """Say which options there are."""
    parser = add_command(commands, "predict", "name the class of each sound file, with its probability")
    add_model(parser)
    parser.add_argument("places", metavar="FILE_OR_FOLDER", nargs="+", help="sound files, or folders of them")
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--csv", action="store_true", help="write a table with a header")
    add_json_option(formats)
    parser.add_argument(
        "--reject",
        metavar="P",
        type=float,
        default=0.0,
        help=f"answer {UNKNOWN!r} where the highest probability is below P",
    )
    parser.add_argument(
        "--top", metavar="K", type=int, default=1, help="the K most probable classes; 1 if not given"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write a line for each file; those that cannot be read are told of on stderr."""
    if not 0 <= args.reject <= 1:
        raise ValueError(f"--reject {args.reject:g}: expected a probability from 0 to 1")
    if args.top < 1:
        raise ValueError(f"--top {args.top}: expected a number of classes, at least 1")
    paths = list_files(args.places)
    model = open_model(args.model, args.trust)
    if not hasattr(model, "predict_proba") and (args.reject or args.top > 1):
        raise ValueError(f"{args.model}: knows no probabilities, which --reject and --top need")
    n_shown = min(args.top, len(model.classes_))
    write = _writer(args, out, n_shown, [str(name) for name in model.classes_])
    unreadable: list[str] = []
    for prediction in iter_predictions(model, paths, out, unreadable):
        write(_reject(prediction, args.reject), prediction.ranking[:n_shown])
    if unreadable:
        out.error(f"{len(unreadable)} of {len(paths)} files could not be read")
    return FOUND_FAULTS if unreadable else DONE


Write = Callable[[Prediction, list[tuple[str, float]]], None]


def _reject(prediction: Prediction, least: float) -> Prediction:
    """Call unknown what is too improbable."""
    is_sure = not prediction.ranking or prediction.ranking[0][1] >= least
    return prediction if is_sure else prediction._replace(label=UNKNOWN)


def _writer(args: argparse.Namespace, out: Output, n_shown: int, names: list[str]) -> Write:
    """Choose how to write a prediction; what comes before the first is written."""
    if args.json:
        return partial(_write_json, out)
    if args.csv:
        rows = csv.writer(out)  # RFC 4180: CRLF, quotes where needed
        more = [f"{what}_{place}" for place in range(2, n_shown + 1) for what in ("label", "probability")]
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
    """Write tabs for programs, and columns that fit where people look."""
    path = prediction.path.translate({9: "\\t", 10: "\\n", 13: "\\r"})
    fields = _flatten(prediction, shown, digits=3)
    if width is None:
        out.print("\t".join([path, *fields]))
        return
    n_classes = len(fields) // 2
    widest = max(6, min(widest, (width - PATH_ROOM) // n_classes - 9))  # 9: the probability and spaces
    rest = "  ".join(
        shorten(text, widest).ljust(widest) if place % 2 == 0 else text for place, text in enumerate(fields)
    )
    room = max(PATH_ROOM, width - len(rest) - 2)
    out.print(f"{shorten_path(path, room).ljust(room)}  {rest.rstrip()}")


def _flatten(prediction: Prediction, shown: list[tuple[str, float]], *, digits: int) -> list[str]:
    """Put class and probability, and those of the next classes, in a row."""
    fields = [prediction.label, f"{shown[0][1]:.{digits}f}" if shown else ""]
    for label, probability in shown[1:]:
        fields += [label, f"{probability:.{digits}f}"]
    return fields
