"""List architectures, embeddings and data sets."""

import argparse
import warnings
from typing import Any

from ._common import DONE, FOUND_FAULTS, Output, add_command, add_json_option, format_table, terminal_width

BROKEN = "broken: "


def add_parser(commands: Any) -> None:
    """Say which options there are."""
    parser = add_command(commands, "plugins", "list architectures, embeddings and data sets by name")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write all registries; broken plugins with the reason."""
    from skfewaudio.exceptions import PluginWarning
    from skfewaudio.plugins import ARCHITECTURES, DATASETS, EMBEDDINGS

    registries = {"architectures": ARCHITECTURES, "embeddings": EMBEDDINGS, "data sets": DATASETS}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", PluginWarning)
        found = {kind: registry.describe() for kind, registry in registries.items()}
    # A broken plugin stands in the list; what else there is to say is said.
    told = {str(one.message) for one in caught}
    for message in sorted(text for text in told if "cannot be imported" not in text):
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
    if args.json:
        out.json(rows)
    else:
        _write(rows, out)
    return FOUND_FAULTS if any(row["broken"] for row in rows) else DONE


def _write(rows: list[dict[str, Any]], out: Output) -> None:
    """Write a table for each registry; where the lines are long, the ends of what plugins say are cut."""
    for kind in dict.fromkeys(row["kind"] for row in rows):
        ours = [row for row in rows if row["kind"] == kind]
        cells = [
            [row["name"], row["distribution"], (BROKEN if row["broken"] else "") + row["summary"]]
            for row in ours
        ]
        out.print(format_table([kind, "distribution", "what it is"], cells, width=terminal_width()))
        out.print()
