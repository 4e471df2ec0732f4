"""Found events of the report, with their sound."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from skfewaudio.detection import event_scores
from skfewaudio.detection.event_tables import as_event_table

from .media import MAX_SECONDS, Media, file_media, part_name
from .predictions import share_cell
from .table import Cell, Table

CONTEXT = 0.25  # seconds of sound before and after an event


class FoundEvent(NamedTuple):
    """A found event; `is_false` is None if the annotated events are not known."""

    label: str
    probability: float | None
    is_false: bool | None


@dataclass(frozen=True)
class Detections:
    """Events that were found, the most interesting first, and scores per class.

    Parameters
    ----------
    events : list of (FoundEvent, Media)
        False alarms by falling probability, then the other events.
    n_found : int
        Number of found events, of which `events` may be a part.
    n_false : int or None
        Number of false alarms; None if the annotated events are not known.
    scores : Table or None
        Scores per class; None if the annotated events are not known.
    """

    events: list[tuple[FoundEvent, Media]]
    n_found: int
    n_false: int | None
    scores: Table | None

    @property
    def summary(self) -> str:
        """State the number of events and of false alarms."""
        found = f"{self.n_found:,} event{'' if self.n_found == 1 else 's'} found"
        return (
            f"{found}." if self.n_false is None else f"{found}, of which {self.n_false:,} are false alarms."
        )

    def table(self) -> Table:
        """Return the listed events as a table."""
        rows = [
            [
                Cell(media.name),
                Cell(event.label),
                Cell("-")
                if event.probability is None
                else Cell(f"{event.probability:.2f}", event.probability),
                Cell({None: "-", True: "false alarm", False: "annotated"}[event.is_false]),
            ]
            for event, media in self.events
        ]
        return Table("Found events", ["event", "label", "probability", "annotation"], rows)


def build_detections(detections: Any, annotations: Any, *, n_events: int, with_media: bool) -> Detections:
    """Choose the events to show, encode their sound, and compute scores if there are annotations."""
    found = as_event_table(detections, "detections")
    known = "probability" in found
    found["rank"] = pd.to_numeric(found["probability"]) if known else 0.0
    scores, is_false = None, np.zeros(len(found), dtype=bool)
    if annotations is not None:
        result = event_scores(annotations, found)
        scores = _score_table(result.frame())
        is_false = ~np.isin(np.arange(len(found)), result.matches[:, 1])
    ordered = found.assign(is_false=is_false).sort_values(
        ["is_false", "rank"], ascending=[False, False], kind="stable"
    )
    events = [
        (
            FoundEvent(
                str(row["label"]),
                float(row["rank"]) if known and np.isfinite(row["rank"]) else None,
                None if annotations is None else bool(row["is_false"]),
            ),
            _media(str(row["path"]), float(row["start"]), float(row["end"]), with_media),
        )
        for row in ordered.head(n_events).to_dict("records")
    ]
    return Detections(events, len(found), None if annotations is None else int(is_false.sum()), scores)


def _media(path: str, start: float, end: float, with_media: bool) -> Media:
    """Return the name of an event, and its sound with a little context if wanted."""
    name = part_name(path, start, end)
    if not with_media:
        return Media(name)
    first = max(0.0, start - CONTEXT)
    media = file_media(name, (path, first, min(end + CONTEXT, first + MAX_SECONDS)))
    # An event that ends with the file has no sound after it.
    return file_media(name, (path, first, None)) if media.problem else media


def _score_table(frame: pd.DataFrame) -> Table:
    """Create the table of the scores per class."""
    rows = [
        [
            Cell(str(label)),
            *(Cell(f"{int(row[name]):,}", float(row[name])) for name in ("n_true", "n_found", "n_matched")),
            share_cell(int(row["n_matched"]), int(row["n_found"])),
            share_cell(int(row["n_matched"]), int(row["n_true"])),
            share_cell(2 * int(row["n_matched"]), int(row["n_true"] + row["n_found"])),
        ]
        for label, row in frame.iterrows()
    ]
    heads = ["class", "annotated", "found", "right", "precision (%)", "recall (%)", "F-score (%)"]
    note = "An event is right if its intersection over union with an annotated event is at least 0.3."
    return Table("Scores of the found events by class", heads, rows, kind="bars", notes=[note])
