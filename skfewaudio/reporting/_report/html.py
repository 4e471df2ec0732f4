"""The report as one HTML page."""

import base64
import hashlib
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from .charts import MARKERS, STAR, shorten
from .table import MARKS

if TYPE_CHECKING:
    from .build import Report

MARK_NAMES = {"best": "best", "level": "not distinguishable from the best"}


def render_html(report: "Report") -> str:
    """Fill the template; the page's own policy forbids requests, and scripts other than its own."""
    script = _source("report.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(report=report, script=script, style=_source("report.css"), script_hash=f"sha256-{digest}")
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("skfewaudio.reporting._report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(marks=MARKS, mark_names=MARK_NAMES, star=STAR, markers=MARKERS)
    environment.filters["shorten"] = shorten
    return environment


def _source(name: str) -> Markup:
    """Read a file of ours that goes into the page as it stands."""
    return Markup((files("skfewaudio.reporting._report") / "templates" / name).read_text(encoding="utf-8"))
