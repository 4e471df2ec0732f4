"""The report as Markdown: its texts and tables."""

from typing import TYPE_CHECKING

from .predictions import HardClip
from .table import Cell, Table, escape_markdown

if TYPE_CHECKING:
    from .build import Report
    from .media import Media


def render_markdown(report: "Report") -> str:
    """Write all sections that there are."""
    lines = [f"# {escape_markdown(report.title)}", escape_markdown(report.headline)]
    lines += ["\n".join(f"- {escape_markdown(sentence)}" for sentence in report.summary)]
    lines += _section("Scores", report.table)
    if report.classes is not None:
        classes = report.classes
        lines += _section("Classes", classes.confusion, classes.by_class, classes.pairs)
        lines += _section("Clips most often confused", hard_table(classes.hard))
    if report.embedding is not None:
        lines += _section("Embedding", report.embedding.table)
    lines += _section("Time", report.times)
    if report.outlook is not None:
        lines += _section("More clips", report.outlook.table, report.outlook.suggestions)
    if report.leaks is not None:
        lines += (
            _section("Trust", report.leaks)
            if report.leaks.rows
            else ["## Trust", "A check for leaks found none."]
        )
    lines += _section("Provenance", report.provenance, report.settings)
    return "\n\n".join(lines) + "\n"


def hard_table(hard: "list[tuple[HardClip, Media]]") -> Table:
    """List the clips most often confused."""
    rows = [
        [
            Cell(media.name),
            Cell(clip.true),
            Cell(clip.predicted),
            Cell(f"{clip.n_wrong} of {clip.n_predictions}", clip.n_wrong / clip.n_predictions),
        ]
        for clip, media in hard
    ]
    return Table("Clips most often confused", ["clip", "true class", "mostly taken for", "wrong"], rows)


def _section(heading: str, *tables: Table | None) -> list[str]:
    """Write a heading and the tables under it, each with its caption and notes; nothing without tables."""
    lines = []
    for table in tables:
        if table is not None and table.rows:
            lines += [f"**{escape_markdown(table.caption)}**", table.markdown()]
            lines += [escape_markdown(note) for note in table.notes]
    return [f"## {heading}", *lines] if lines else []
