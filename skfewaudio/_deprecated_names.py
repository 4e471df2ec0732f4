"""Old public names that still work, with a warning."""

import warnings

RENAMED = {"FewShotClassifier": "SubsampledClassifier"}  # in version 0.1, to be removed in 0.2


def current_name(name: str) -> str:
    """Return `name`, or with a FutureWarning the new name of a renamed class."""
    if name not in RENAMED:
        return name
    warnings.warn(
        f"{name} was renamed to {RENAMED[name]} in version 0.1; the old name will be removed in version 0.2",
        FutureWarning,
        stacklevel=3,  # where the name was looked up: the caller is a module's __getattr__
    )
    return RENAMED[name]
