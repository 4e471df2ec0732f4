"""Types that earlier versions of this package saved under other names."""

from typing import Any

from ._schema import iter_nodes

# Full names, old to new. Append here whenever a type that model files contain is moved or renamed.
RENAMED = {
    "skfewaudio.classifiers._ridge.RidgeFit": "skfewaudio.classifiers._ridge.system.RidgeFit",
    "skfewaudio.classifiers._sequential_ridge.SequentialRidge": (
        "skfewaudio.classifiers._ridge.sequential.SequentialRidge"
    ),
    "skfewaudio.features._cached.CachedFeatures": (
        "skfewaudio.features._cache.cached_features.CachedFeatures"
    ),
    "skfewaudio.model_selection._few_shot.FewShotClassifier": (
        "skfewaudio.model_selection._subsampled.SubsampledClassifier"
    ),
}


def rename_types(schema: Any) -> bool:
    """Replace old names in a schema in place; return whether there were any."""
    is_changed = False
    for _, node in iter_nodes(schema):
        new = RENAMED.get(f"{node.get('__module__')}.{node.get('__class__')}")
        if new is not None:
            node["__module__"], _, node["__class__"] = new.rpartition(".")
            is_changed = True
    return is_changed
