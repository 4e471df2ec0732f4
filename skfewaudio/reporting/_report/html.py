"""Rendering of the report as an HTML page."""

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from skfewaudio._names import escape_words

from .._colors import color_of
from .charts import truncate_label
from .plane import STAR_PATH
from .table import MARKS

if TYPE_CHECKING:
    from .build import Report

SCRIPTS = ("page", "tables", "downloads", "clips", "classes", "plane")  # in this order
STYLES = ("page", "charts", "tables", "clips", "responsive", "print")
MARK_NAMES = {"best": "best", "tied": "not distinguishable from the best"}


def render_html(report: "Report") -> str:
    """Render the template, with a content security policy that forbids requests and other scripts."""
    script = _join_scripts()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            script=script,
            style=_join_styles() + _style_colors(report.n_colors),
            script_hash=f"sha256-{digest}",
        )
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
    environment.globals.update(marks=MARKS, mark_names=MARK_NAMES, star=STAR_PATH)
    environment.filters["truncate_label"] = truncate_label
    environment.filters["breakable"] = _make_breakable
    return environment


def _make_breakable(text: str) -> Markup:
    """Escape a text, which may be broken after underscores and slashes, but not after a plus-minus sign."""
    return Markup(re.sub("([_/])", r"\1<wbr>", str(escape(escape_words(text.replace(" ± ", " ±\xa0"))))))


def _escape_controls(value: Any) -> Any:
    """Escape control characters in names; Markup is the page's own."""
    return escape_words(value) if isinstance(value, str) and not isinstance(value, Markup) else value


@cache
def _join_scripts() -> Markup:
    """Join the scripts in one function, which shares names between them and with nothing else."""
    parts = [_read_asset(f"scripts/{name}.js") for name in SCRIPTS]
    return Markup('"use strict";\n(() => {\n' + "\n".join(parts) + "})();\n")


@cache
def _join_styles() -> Markup:
    return Markup("\n".join(_read_asset(f"styles/{name}.css") for name in STYLES))


def _style_colors(n_colors: int) -> Markup:
    """Return the rules of as many colours as a report has lines or classes."""
    rules = [
        f".c{k} {{ --c: light-dark({color_of(k)}, {color_of(k, dark=True)}); }}" for k in range(n_colors)
    ]
    return Markup("\n".join(rules) + "\n")


def _read_asset(name: str) -> Markup:
    """Read a style sheet or script of the package without escaping it."""
    return Markup((files("skfewaudio.reporting._report") / "templates" / name).read_text(encoding="utf-8"))
