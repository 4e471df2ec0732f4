"""Rendering of the report as an HTML page."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from skfewaudio._names import escape_words

from .charts import MARKER_PATHS, STAR_PATH, truncate_label
from .table import MARKS

if TYPE_CHECKING:
    from .build import Report

MARK_NAMES = {"best": "best", "tied": "not distinguishable from the best"}


def render_html(report: "Report") -> str:
    """Render the template, with a content security policy that forbids requests and other scripts."""
    script = _read_asset("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(report=report, script=script, style=_read_asset("report.css"), script_hash=f"sha256-{digest}")
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("skfewaudio.reporting._report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_escape_controls,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(marks=MARKS, mark_names=MARK_NAMES, star=STAR_PATH, markers=MARKER_PATHS)
    environment.filters["truncate_label"] = truncate_label
    return environment


def _escape_controls(value: Any) -> Any:
    """Escape control characters in names; Markup is the page's own."""
    return escape_words(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _read_asset(name: str) -> Markup:
    """Read a style sheet or script of the package without escaping it."""
    return Markup((files("skfewaudio.reporting._report") / "templates" / name).read_text(encoding="utf-8"))
