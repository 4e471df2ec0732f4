"""Types that a model file may contain, by the kind of node that skops reads them from."""

from collections.abc import Iterable
from functools import cache

import numpy as np

from skfewaudio.classifiers.saved_state import full_name
from skfewaudio.plugins import ARCHITECTURES

from ._skops import NUMPY_UFUNC_TYPE_NAMES, SCIPY_UFUNC_TYPE_NAMES
from ._states.known import STATES
from ._states.named_types import optimizers, own_architectures
from ._states.reduction import SCORE_FUNCTIONS
from ._states.searches import SPLITTERS, score_functions

# Loading a path does not open the file.
PATHS = [f"pathlib{part}.{kind}Path" for part in ("", "._local") for kind in ("Posix", "Windows")]
NUMBERS = sorted(
    {
        full_name(kind)
        for kind in (*np.sctypeDict.values(), np.bool_, np.str_)
        if not issubclass(kind, np.void)
    }
    - {full_name(kind) for kind in (np.object_, np.datetime64, np.timedelta64, np.bytes_)}
)
KEYS = [f"builtins.{name}" for name in ("str", "int", "float", "bool")]


@cache
def own_estimators() -> list[str]:
    """List the types of this package that a file may instantiate."""
    return [name for name in STATES if name.startswith("skfewaudio.")]


@cache
def allowed_types() -> dict[str, frozenset[str]]:
    """Map kinds of nodes to the types and functions that they may build or refer to."""
    names: dict[str, Iterable[str]] = {
        "JsonNode": ["builtins.str"],
        "ListNode": ["builtins.list"],
        "TupleNode": ["builtins.tuple"],
        "SetNode": ["builtins.set"],
        "SliceNode": ["builtins.slice"],
        "DictNode": ["builtins.dict", "collections.OrderedDict", "sklearn.utils._bunch.Bunch"],
        "NdArrayNode": ["numpy.ndarray", *NUMBERS],
        "MaskedArrayNode": ["numpy.ma.MaskedArray", "numpy.ma.core.MaskedArray"],
        "DTypeNode": ["numpy.dtype"],
        "RandomStateNode": ["numpy.random.mtrand.RandomState"],
        "RandomGeneratorNode": ["numpy.random._generator.Generator"],
        "ConstructorFromReduceNode": PATHS,
        "ObjectNode": STATES,
        "TypeNode": [*KEYS, *NUMBERS, *own_architectures(), *optimizers(), *SPLITTERS],
        "FunctionNode": [
            *(*NUMPY_UFUNC_TYPE_NAMES, *SCIPY_UFUNC_TYPE_NAMES),
            *(*SCORE_FUNCTIONS, *score_functions()),
        ],
    }
    return {kind: frozenset(allowed) for kind, allowed in names.items()}


def resolve_trusted(trusted: Iterable[str | type]) -> list[str]:
    """Return the full names of trusted types; a registered name is kept beside the full one.

    Raises
    ------
    TypeError
        If an item is neither a name nor a type.
    PluginError
        If a short name is not registered.
    """
    names: list[str] = []
    for item in [trusted] if isinstance(trusted, str | type) else trusted:
        name = item if isinstance(item, str) else full_name(item)
        if not name:
            raise TypeError(f"trusted={trusted!r}; expected types, or full names of types")
        names.append(name)
        if "." not in name:
            names.append(full_name(ARCHITECTURES.get(name)))
    return names
