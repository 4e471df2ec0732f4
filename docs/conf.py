"""Sphinx: nothing is fetched while building, so there are no links into other projects' pages."""

import skfewaudio

project = "skfewaudio"
author = copyright = "The skfewaudio developers"
version = release = skfewaudio.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "examples"]
templates_path = ["_templates"]
default_role = "py:obj"  # what docstrings put in single backticks

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
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
}

html_theme = "alabaster"
html_title = f"skfewaudio {release}"
html_static_path = ["_static"]
html_css_files = ["custom.css"]
html_sidebars = {"**": ["about.html", "searchbox.html", "navigation.html"]}
html_show_sphinx = False
html_theme_options = {
    "description": "Audio classifiers from a handful of labelled clips, as scikit-learn estimators",
    "fixed_sidebar": True,
    "page_width": "1100px",
    "sidebar_width": "230px",
    "font_family": "system-ui, sans-serif",
    "head_font_family": "system-ui, sans-serif",
    "font_size": "16px",
    "show_powered_by": False,
    "show_relbars": False,
}
