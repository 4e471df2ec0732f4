"""Predict the class of each file."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from skfewaudio._option_types import FROM_MODEL, add_reading_options, add_table_options

from ._common import Output, add_command, add_json_option, check_output, terminal_width
from ._data import Clip, Part, list_inputs
from ._models import UNKNOWN, Prediction, add_model, iter_predictions, open_model, set_model_reading
from ._rows import JSON_SUFFIXES, RowFormat, Write, make_text_writer, read_rows
from ._unreadable import UnreadableFiles

EXAMPLES = (
    "skfewaudio predict sounds.model recordings",
    "skfewaudio predict sounds.model night.wav --top 3",
    "skfewaudio predict sounds.model recordings -o results.csv --resume",
    "skfewaudio predict sounds.model parts.csv --audio-root recordings --csv",
)


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands, "predict", "predict the class of each sound file, with its probability", examples=EXAMPLES
    )
    add_model(parser)
    parser.add_argument(
        "paths",
        metavar="PATH",
        nargs="+",
        help="sound file, folder of them, table with the column path and, for parts of files, start and end, "
        "or file of annotations",
    )
    formats = parser.add_mutually_exclusive_group()
    formats.add_argument("--csv", action="store_true", help="write CSV with a header")
    add_json_option(formats)
    parser.add_argument(
        "-o",
        "--output",
        metavar="FILE",
        type=Path,
        help="write to FILE, in CSV, or in JSON if its suffix is .jsonl (default: stdout)",
    )
    parser.add_argument(
        "--resume", action="store_true", help="keep the rows that FILE has, and skip their recordings"
    )
    parser.add_argument(
        "--reject",
        metavar="P",
        type=float,
        default=0.0,
        help=f"predict {UNKNOWN!r} if the highest probability is below P, too (default: only as the model "
        "rejects)",
    )
    parser.add_argument(
        "--top", metavar="K", type=int, default=1, help="write the K most probable classes (default: 1)"
    )
    add_reading_options(parser, sample_rate=None, default=FROM_MODEL)
    add_table_options(parser, labels=False)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write a row per clip; unreadable files are named on stderr."""
    _check_options(args)
    clips = list_inputs(args.paths, args)
    model = open_model(args.model, args.trust)
    if not hasattr(model, "predict_proba") and (args.reject or args.top > 1):
        raise ValueError(f"{args.model}: has no probabilities, which --reject and --top need")
    reading = set_model_reading(model, args)
    form = _choose_form(args, min(args.top, len(model.classes_)), clips)
    names = [str(name) for name in model.classes_]
    with UnreadableFiles(out, reading) as unreadable, _open_writer(args, form, names, out) as opened:
        write, done = opened
        n_written = 0
        for prediction in iter_predictions(model, clips, out, unreadable, done=done):
            write(_reject(prediction, args.reject))
            n_written += 1
    if args.output is not None:
        kept = f"; {len(done)} were there" if args.resume else ""
        out.print(f"{n_written} rows written to {args.output}{kept}")
    return unreadable.status


def _check_options(args: argparse.Namespace) -> None:
    """Check numbers, and that the output can be written."""
    if not 0 <= args.reject <= 1:
        raise ValueError(f"--reject {args.reject:g}: expected a probability from 0 to 1")
    if args.top < 1:
        raise ValueError(f"--top {args.top}: expected a number of classes, at least 1")
    if args.resume and args.output is None:
        raise ValueError("--resume: needs -o FILE, the file that holds the rows so far")
    if args.output is not None:
        check_output(args.output)


def _choose_form(args: argparse.Namespace, n_shown: int, clips: Sequence[Clip]) -> RowFormat:
    """Return the form of the rows by the options and the suffix of the output."""
    name = "text"
    if args.output is not None:
        name = "json" if args.output.suffix.lower() in JSON_SUFFIXES else "csv"
    if args.csv or args.json:
        name = "csv" if args.csv else "json"
    return RowFormat(name, n_shown, not all(isinstance(clip, str) for clip in clips))


@contextmanager
def _open_writer(
    args: argparse.Namespace, form: RowFormat, names: Sequence[str], out: Output
) -> Iterator[tuple[Write, set[Part]]]:
    """Yield a function that writes a prediction, and the clips whose rows are kept."""
    if args.output is None:
        if form.name == "text":
            yield make_text_writer(out, form, names, terminal_width()), set()
        else:
            yield form.make_writer(out), set()
        return
    done: set[Part] = set()
    n_bytes = 0
    if args.resume and args.output.exists():
        done, n_bytes = read_rows(args.output, form)
        if args.output.stat().st_mtime < Path(args.model).stat().st_mtime:
            out.warn(f"{args.model} is newer than {args.output}, whose rows may be from another model")
    with args.output.open("r+b" if n_bytes else "wb") as file:
        file.truncate(n_bytes)
        file.seek(n_bytes)
        yield form.make_writer(_FileSink(file), with_header=not n_bytes), done


class _FileSink:
    """File that is written row by row, so that a killed process loses no complete row."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def write(self, text: str) -> None:
        self._file.write(text.encode("utf-8", "surrogateescape"))
        self._file.flush()


def _reject(prediction: Prediction, threshold: float) -> Prediction:
    """Replace the class by unknown if the highest probability is below the threshold."""
    highest = max((probability for _, probability in prediction.ranking), default=1.0)
    return prediction if highest >= threshold else prediction._replace(label=UNKNOWN)
