"""Command-line options that the commands and the benchmark share."""

import argparse
import re
from typing import Any

CHANNELS = ("mean", "first", "loudest")
FROM_MODEL = "as the model was trained"


def add_reading_options(
    parser: argparse._ActionsContainer, *, sample_rate: str | None, default: str = "mean"
) -> None:
    """Add options for reading recordings.

    Parameters
    ----------
    parser : argparse.ArgumentParser or group
        Receives the options --channel and --allow-truncated.
    sample_rate : str or None
        Description of the default of --sample-rate. None omits this option.
    default : str, default="mean"
        Description of the default of --channel.
    """
    if sample_rate is not None:
        parser.add_argument(
            "--sample-rate",
            metavar="RATE",
            type=parse_rate,
            help=f"sample rate in Hz, or auto for the rate of the recordings (default: {sample_rate})",
        )
    parser.add_argument(
        "--channel",
        metavar="CHANNEL",
        type=parse_channel,
        help=f"channel of files with several: mean, first, loudest, or a number from 0 (default: {default})",
    )
    parser.add_argument(
        "--allow-truncated",
        action="store_true",
        default=None,
        help="use files that were cut off as far as they can be decoded, with a warning",
    )


def add_embedding(parser: argparse._ActionsContainer) -> None:
    """Add the option --embedding, which may be repeated."""
    parser.add_argument(
        "--embedding",
        metavar="NAME",
        action="append",
        help="embedding of a pre-trained network, such as birdnet-2.4, hf:NAME or model.onnx, for the "
        "pipeline few-shot (see skfewaudio plugins; may be repeated)",
    )


def add_table_options(parser: argparse.ArgumentParser, *, labels: bool = True) -> None:
    """Add the options of tables and folders of recordings; without `labels`, only those for paths."""
    options = parser.add_argument_group("tables and folders")
    options.add_argument(
        "--audio-root", metavar="FOLDER", help="folder that paths in a table start from (default: its folder)"
    )
    options.add_argument("--path-column", metavar="NAME", help="column of paths (default: by usual names)")
    if labels:
        options.add_argument(
            "--label-column", metavar="NAME", help="column of classes (default: by usual names)"
        )
        options.add_argument(
            "--no-check-layout",
            dest="check_layout",
            action="store_false",
            help="use the folders as classes although they look like parts of a dataset",
        )


def reading_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the channel and the use of truncated files, if given, as keyword arguments."""
    given = {"channel": args.channel, "allow_truncated": args.allow_truncated}
    return {name: value for name, value in given.items() if value is not None}


def file_options(args: argparse.Namespace) -> dict[str, Any]:
    """Return the values of the options of tables and folders, as keyword arguments of `load_labels`."""
    names = ("audio_root", "path_column", "label_column", "check_layout")
    given = {name: getattr(args, name, None) for name in names}
    return {name: value for name, value in given.items() if value is not None}


def name_options(text: str) -> str:
    """Replace the names of parameters in an error by those of the options."""
    text = text.replace("pass check_layout=False to load_folder", "add --no-check-layout")
    return re.sub(
        r"\b(audio_root|path_column|label_column)\b", lambda match: f"--{match[0].replace('_', '-')}", text
    )


def parse_rate(text: str) -> int | str:
    """Parse a sample rate in Hz, or "auto"."""
    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}; expected a sample rate in Hz, such as 44100, or auto")
    return int(text)


def parse_channel(text: str) -> int | str:
    """Parse the name or the index of a channel."""
    if text in CHANNELS:
        return text
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}; expected {', '.join(CHANNELS)} or a number from 0")
    return int(text)
