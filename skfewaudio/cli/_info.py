"""Show the card of a model."""

import argparse
import textwrap
from typing import Any

from ._common import DONE, Output, add_command, add_json_option, escape, format_table, terminal_width
from ._models import check_model_file

MIN_WIDTH, MAX_WIDTH = 40, 110
INDENT = " " * 16


def add_parser(commands: Any) -> None:
    """Add the command and its options."""
    parser = add_command(
        commands,
        "info",
        "show how a model was trained, and its scores",
        examples=["skfewaudio info sounds.model", "skfewaudio info sounds.model --json"],
    )
    parser.add_argument("model", metavar="MODEL", help="file written by skfewaudio train or save_model")
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, out: Output) -> int:
    """Write the card, without loading the model."""
    from skfewaudio.persistence import read_card

    check_model_file(args.model)
    card = read_card(args.model)
    if args.json:
        out.json(card)
        return DONE
    out.print(escape(args.model))
    width = max(MIN_WIDTH, terminal_width() or MAX_WIDTH)
    for name, text in _describe(card):
        if text:
            out.print(
                textwrap.fill(escape(text), width, initial_indent=f"  {name:<14}", subsequent_indent=INDENT)
            )
    clips = _dict_of(card, "data_set").get("clips_per_class")
    if isinstance(clips, dict) and clips:
        out.print(f"\n{format_table(['class', 'clips'], list(clips.items()), width=terminal_width())}")
    elif card.get("classes"):
        out.print(f"\nclasses: {', '.join(escape(name) for name in card['classes'])}")
    return DONE


def _describe(card: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the entries of a card as text; entries of other programs are shown as they are."""
    data, scores = _dict_of(card, "data_set"), _dict_of(card, "scores")
    steps = [*(card.get("front_end") or ()), card.get("classifier")]
    versions = _dict_of(card, "versions")
    options = _dict_of(card, "options")
    rate = card.get("sample_rate")
    entries = {
        "created": _text(card.get("created")),
        "pipeline": _text(card.get("pipeline")),
        "steps": ", ".join(_text(step.get("type")) for step in steps if isinstance(step, dict)),
        "options": ", ".join(f"{name} {_text(value)}" for name, value in options.items()),
        "sample rate": f"{rate} Hz" if rate else "",
        "parameters": f"{card['n_parameters']:,} in networks" if card.get("n_parameters") else "",
        "trained on": _describe_data(data),
        "scores": _text(scores.get("text")),
        "method": _text(scores.get("method")),
        "rejected": f"{scores['n_rejected']} clips" if scores.get("n_rejected") is not None else "",
        "random state": _text(card.get("random_state")),
        "versions": ", ".join(f"{name} {_text(version)}" for name, version in versions.items()),
    }
    shown = {"format", "format_version", "classes", "front_end", "classifier", "sample_rate", "n_parameters"}
    shown |= {"created", "pipeline", "options", "data_set", "scores", "random_state", "versions"}
    others = {name: _text(value) for name, value in card.items() if name not in shown}
    return list({**entries, **others}.items())


def _describe_data(data: dict[str, Any]) -> str:
    """Return a text about the training clips."""
    parts = [_text(data.get("name")), f"{data['n_clips']} clips" if "n_clips" in data else ""]
    parts.append(f"{data['n_unlabelled']} unlabelled clips" if data.get("n_unlabelled") else "")
    parts.append(f"{data['n_unreadable']} files left out" if data.get("n_unreadable") else "")
    return ", ".join(filter(None, parts))


def _dict_of(card: dict[str, Any], name: str) -> dict[str, Any]:
    """Return an entry of a card, which other programs may have filled with anything."""
    value = card.get(name)
    return value if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    """Return a value as text; None is empty."""
    return "" if value is None else str(value)
