"""Command-line options that the commands and the benchmark share."""

import argparse

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


def add_table_options(parser: argparse.ArgumentParser, *, labels: bool = True) -> None:
    """Add the options of tables of recordings; without `labels`, only those for paths."""
    options = parser.add_argument_group("tables")
    options.add_argument(
        "--audio-root", metavar="FOLDER", help="folder that paths in a table start from (default: its folder)"
    )
    options.add_argument("--path-column", metavar="NAME", help="column of paths (default: by usual names)")
    if labels:
        options.add_argument(
            "--label-column", metavar="NAME", help="column of classes (default: by usual names)"
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
