"""All classes whose states are checked, by full name."""

from . import (
    bayes,
    embeddings,
    ensembles,
    front_ends,
    linear,
    neighbours,
    networks,
    pipelines,
    reduction,
    scaling,
    searches,
    support_vectors,
    trees,
    vectors,
    wrappers,
)
from .state import State

_MODULES = (
    *(front_ends, embeddings, vectors, networks, wrappers),
    *(scaling, reduction, linear, support_vectors, neighbours, bayes, trees, ensembles, searches, pipelines),
)
STATES: dict[str, State] = {name: state for module in _MODULES for name, state in module.STATES.items()}
