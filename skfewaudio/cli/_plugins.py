"""List architectures, embeddings and datasets."""

import argparse
import textwrap
import warnings
from typing import Any

from ._common import (
    DONE,
    FOUND_FAULTS,
    Output,
    add_command,
    add_json_option,
    escape,
    format_table,
    terminal_width,
)

BROKEN = "broken: "
MIN_TEXT_WIDTH = 30  # of descriptions on a narrow terminal


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands,
        "plugins",
        "list architectures, embeddings and datasets by name",
        examples=["skfewaudio plugins", "skfewaudio plugins --json"],
    )
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write all registries, broken plugins with the reason."""
    from skfewaudio.exceptions import PluginWarning
    from skfewaudio.plugins import ARCHITECTURES, DATASETS, EMBEDDINGS

    registries = {"architectures": ARCHITECTURES, "embeddings": EMBEDDINGS, "datasets": DATASETS}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PluginWarning)
        found = {kind: registry.describe() for kind, registry in registries.items()}
    # Broken plugins are in the table, so only the other warnings are repeated.
    messages = {str(warning.message) for warning in caught}
    for message in sorted(text for text in messages if "cannot be imported" not in text):
        out.warn(message)
    rows = [
        {
            "kind": kind,
            "name": name,
            "summary": info.summary.removeprefix(BROKEN),
            "distribution": info.distribution,
            "broken": info.summary.startswith(BROKEN),
        }
        for kind, plugins in found.items()
        for name, info in plugins.items()
    ]
    rows += _list_models()
    if args.json:
        out.json(rows)
    else:
        _write(rows, out)
    return FOUND_FAULTS if any(row["broken"] for row in rows) else DONE


def _list_models() -> list[dict[str, Any]]:
    """Return a row per pre-trained network that has a name, and per scheme of others."""
    from skfewaudio.features import PretrainedEmbed

    rows = []
    for name, known in PretrainedEmbed.list_models().items():
        window = "any length" if known["window"] is None else f"{known['window']:.3g} s"
        limits = "" if known["is_commercial"] else ", no commercial use"
        summary = (
            f"{known['summary']}: {known['n_dims']} dimensions, {window} at {known['sample_rate']} Hz, "
            f"{known['n_bytes'] / 1e6:.3g} MB, {known['licence']}{limits}"
        )
        rows.append(known | _model_row(name, summary, known["package"] or ""))
    schemes = PretrainedEmbed.list_schemes().items()
    return rows + [_model_row(name, summary, "") for name, summary in schemes]


def _model_row(name: str, summary: str, distribution: str) -> dict[str, Any]:
    return {
        "kind": "pre-trained",
        "name": name,
        "summary": summary,
        "distribution": distribution,
        "broken": False,
    }


def _write(rows: list[dict[str, Any]], out: Output) -> None:
    """Write a table per registry; on a terminal, long descriptions are wrapped."""
    width = terminal_width()
    for kind in dict.fromkeys(row["kind"] for row in rows):
        found = [row for row in rows if row["kind"] == kind]
        texts = [(BROKEN if row["broken"] else "") + row["summary"] for row in found]
        names = [[row["name"], row["distribution"]] for row in found]
        header, *lines = format_table([kind, "distribution"], names).splitlines()
        indent = max(map(len, [header, *lines])) + 2
        for line, text in zip([header, *lines], ["description", *texts], strict=True):
            out.print(_append(line.ljust(indent), escape(text), width))
        out.print()


def _append(line: str, text: str, width: int | None) -> str:
    """Append a text to a line; further lines are indented if it does not fit the width."""
    if width is None:
        return f"{line}{text}".rstrip()
    width = max(width, len(line) + MIN_TEXT_WIDTH)
    return textwrap.fill(text, width, initial_indent=line, subsequent_indent=" " * len(line)) or line.rstrip()
