"""Rendering of the report's texts and tables as Markdown."""

from typing import TYPE_CHECKING

from skfewaudio._names import escape_words

from .predictions import MisclassifiedClip
from .recommendation import Recommendation
from .table import Cell, Table, escape_markdown

if TYPE_CHECKING:
    from .build import Report
    from .media import Media


def render_markdown(report: "Report") -> str:
    """Render all sections that have content."""
    lines = [f"# {escape_markdown(report.title)}", escape_markdown(report.headline)]
    lines += ["\n".join(f"- {escape_markdown(sentence)}" for sentence in report.summary)]
    lines += _recommendation(report.recommendation)
    lines += _section("Scores", report.table)
    if report.classes is not None:
        classes = report.classes
        calibration = None if classes.calibration is None else classes.calibration.table
        lines += _section(
            "Classes",
            classes.confusion,
            classes.precision_recall,
            classes.by_class,
            classes.pairs,
            calibration,
        )
        lines += _section("Misclassified clips", misclassified_table(classes.cards(report.media)))
    if report.detections is not None:
        found = report.detections
        lines += _section("Found events", found.scores, found.table()) or ["## Found events"]
        lines += [found.summary]
    if report.embedding is not None:
        lines += _section("Embedding", report.embedding.table)
    lines += _section("Time", report.times)
    if report.outlook is not None:
        lines += _section("More clips", report.outlook.table, report.outlook.suggestions)
    if report.leaks is not None:
        lines += (
            _section("Leakage", report.leaks)
            if report.leaks.rows
            else ["## Leakage", "The leakage check found nothing."]
        )
    lines += _section("Provenance", report.provenance, report.settings)
    return "\n\n".join(lines) + "\n"


def _recommendation(recommendation: Recommendation | None) -> list[str]:
    """Render the recommended classifier with its command and code, if these are known."""
    if recommendation is None or not (recommendation.command or recommendation.python):
        return []
    lines = ["## Recommendation", f"Take {escape_markdown(recommendation.pipeline)}."]
    lines += [escape_markdown(" ".join(recommendation.reasons))]
    for language, text in (("bash", recommendation.command), ("python", recommendation.python)):
        if text:
            lines += [f"```{language}\n{escape_words(text)}\n```"]
    return lines


def misclassified_table(clips: "list[tuple[MisclassifiedClip, Media]]") -> Table:
    """Return a table of misclassified clips."""
    rows = [
        [
            Cell(media.name),
            Cell(clip.true),
            Cell(clip.predicted),
            Cell(f"{clip.n_wrong} of {clip.n_predictions}", clip.n_wrong / clip.n_predictions),
        ]
        for clip, media in clips
    ]
    heads = ["clip", "true class", "mostly predicted as", "wrong"]
    return Table("Clips that are misclassified most often", heads, rows)


def _section(heading: str, *tables: Table | None) -> list[str]:
    """Render a heading and its tables with captions and notes; empty if no table has rows."""
    lines = []
    for table in tables:
        if table is not None and table.rows:
            lines += [f"**{escape_markdown(table.caption)}**", table.markdown()]
            lines += [escape_markdown(note) for note in table.notes]
    return [f"## {heading}", *lines] if lines else []
