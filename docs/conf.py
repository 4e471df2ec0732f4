"""Configuration of Sphinx. Nothing is downloaded during a build."""

import importlib
import inspect
import os
import sys
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

import skfewaudio

# Fast for small examples, whose results then do not depend on the number of cores. Torch reads it later.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Folders beside the package, such as results, could be imported and would be taken for modules.
sys.path = [
    entry for entry in sys.path if Path(entry or ".").resolve() != Path(__file__).resolve().parents[1]
]
sys.path.append(str(Path(__file__).resolve().parent / "_extensions"))

project = "skfewaudio"
author = copyright = "The skfewaudio developers"
version = release = skfewaudio.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx_gallery.gen_gallery",
    "two_tone",
]
exclude_patterns = ["_build", "examples"]
templates_path = ["_templates"]
default_role = "autolink"  # a link if the name can be imported, otherwise emphasis
nitpicky = True  # every other reference must resolve

autodoc_typehints = "none"  # the docstrings say types, and shapes with them
autodoc_member_order = "bysource"
# A class's page shows what it inherits, but for what scikit-learn, torch and Python describe themselves.
FOREIGN = (
    "BaseEstimator, TransformerMixin, ClassifierMixin, RegressorMixin, BaseCrossValidator, _SetOutputMixin, "
    "_MetadataRequester, Module, BaseException, OSError, tuple"
)
autodoc_default_options = {"inherited-members": FOREIGN}
numpydoc_show_class_members = False
myst_heading_anchors = 3

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "subsection_order": ["examples/classify", "examples/recordings", "examples/evaluate"],
    "within_subsection_order": "gallery_order.reading_order",
    "capture_repr": ("_repr_html_",),
    "image_scrapers": ("two_tone",),
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "min_reported_time": 3600,  # seconds; the time of a build on another machine says little
}

copybutton_prompt_text = r">>> |\.\.\. |\$ "
copybutton_prompt_is_regexp = True

html_theme = "pydata_sphinx_theme"
html_title = f"skfewaudio {release}"
html_logo = html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_js_files = ["accessible.js"]
html_show_sphinx = False
html_show_sourcelink = False
WITHOUT_SIDEBAR = (
    "index",
    "getting_started",
    "which_classifier",
    "tutorial",
    "coming_from",
    "decisions",
    "security",
    "changelog",
)
html_sidebars = {page: [] for page in WITHOUT_SIDEBAR}
html_theme_options = {
    "logo": {"text": "skfewaudio"},
    "header_links_before_dropdown": 5,
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}

# Pages of other projects, by the package that a reference begins with.
EXTERNAL = {
    "joblib": "https://joblib.readthedocs.io/en/stable/generated/{}.html",
    "librosa": "https://librosa.org/doc/latest/generated/{}.html",
    "matplotlib": "https://matplotlib.org/stable/api/_as_gen/{}.html",
    "numpy": "https://numpy.org/doc/stable/reference/generated/{}.html",
    "pathlib": "https://docs.python.org/3/library/pathlib.html",
    "pandas": "https://pandas.pydata.org/docs/reference/api/{}.html",
    "scipy": "https://docs.scipy.org/doc/scipy/reference/generated/{}.html",
    "sklearn": "https://scikit-learn.org/stable/modules/generated/{}.html",
    "torch": "https://docs.pytorch.org/docs/stable/generated/{}.html",
}


def resolve_external(app: Sphinx, env: Any, node: Any, contnode: Any) -> nodes.reference | None:
    """Link a name of another project to its page, if the installed package has that name."""
    target = node.get("reftarget", "")
    url = EXTERNAL.get(target.partition(".")[0])
    documented = find_documented(target) if url else None
    if documented is None:
        return None
    uri = f"{url.format(documented)}#{target}"
    return nodes.reference("", "", contnode, internal=False, refuri=uri, reftitle=target)


def find_documented(target: str) -> str | None:
    """Return the name of the page of an object: its class, for methods and attributes."""
    names = target.split(".")
    for n_modules in range(len(names), 0, -1):
        try:
            obj: Any = importlib.import_module(".".join(names[:n_modules]))
            break
        except ImportError:
            continue
    else:
        return None
    page = target
    for depth, name in enumerate(names[n_modules:], n_modules):
        if inspect.isclass(obj):
            page = ".".join(names[:depth])
        if not hasattr(obj, name):
            return None
        obj = getattr(obj, name)
    return page


def setup(app: Sphinx) -> None:
    app.connect("missing-reference", resolve_external)
