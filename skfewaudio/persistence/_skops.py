"""skops, imported without the parts of scikit-learn that it does not use."""

import pkgutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import SimpleNamespace

from sklearn.utils import discovery

SKIPPED = {"externals", "tests"}


@contextmanager
def public_modules_only() -> Iterator[None]:
    """Restrict scikit-learn's list of estimators to a walk through its public modules.

    skops lists all estimators when it is imported. To find them, scikit-learn imports each of its packages,
    and then leaves out private, external and test modules. Importing these takes more than a second, because
    they load torch.export, dask and pytest. The resulting list is the same.
    """
    original = discovery.pkgutil
    discovery.pkgutil = SimpleNamespace(walk_packages=_walk_packages)
    try:
        yield
    finally:
        discovery.pkgutil = original


def _walk_packages(path: Iterable[str], prefix: str) -> Iterator[pkgutil.ModuleInfo]:
    """Walk through packages as `pkgutil.walk_packages` does, but only through public ones."""
    for module in pkgutil.iter_modules(path, prefix):
        name = module.name.rpartition(".")[2]
        if name.startswith("_") or name in SKIPPED:
            continue
        yield module
        if module.ispkg:
            yield from _walk_packages(import_module(module.name).__path__, f"{module.name}.")


with public_modules_only():
    from skops.io import dumps, get_untrusted_types, loads
    from skops.io._trusted_types import NUMPY_UFUNC_TYPE_NAMES, SCIPY_UFUNC_TYPE_NAMES
    from skops.io.exceptions import UntrustedTypesFoundException

__all__ = [
    "NUMPY_UFUNC_TYPE_NAMES",
    "SCIPY_UFUNC_TYPE_NAMES",
    "UntrustedTypesFoundException",
    "dumps",
    "get_untrusted_types",
    "loads",
]
