"""Links from the diagrams of estimators to their pages in the documentation."""

import os
from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

ADDRESS_VARIABLE = "SKFEWAUDIO_DOCS"  # address of another copy of the documentation
PAGE = "{address}/generated/{{estimator_module}}.{{estimator_name}}.html"


class DocumentedMixin:
    """Mixin, left of BaseEstimator, for the address of the page that describes an estimator.

    scikit-learn shows a link to it in the HTML representation. Without an address, it shows none.
    """

    _doc_link_module = "skfewaudio"

    @property
    def _doc_link_template(self) -> str:
        """Address with the fields estimator_module and estimator_name, as scikit-learn expects it."""
        address = os.environ.get(ADDRESS_VARIABLE) or find_address()
        return PAGE.format(address=address.rstrip("/")) if address else ""


@cache
def find_address() -> str:
    """Return the address of the documentation that ``pyproject.toml`` sets, or an empty string."""
    try:
        urls = metadata("skfewaudio").get_all("Project-URL") or []
    except PackageNotFoundError:
        return ""
    named = dict(url.split(", ", 1) for url in urls)
    return named.get("Documentation", "")
