"""Names of classes: Unicode forms and look-alikes."""

import unicodedata
from collections import defaultdict
from collections.abc import Iterable

from ._warnings import warn_user


def clean_label(label: object) -> str:
    """Return a label as str in Unicode's composed form (NFC), as file systems store names in either form."""
    return unicodedata.normalize("NFC", str(label))


def warn_of_similar_labels(labels: Iterable[str], source: object) -> None:
    """Warn if labels differ only in case or white space, and name them; `source` is where they are from."""
    similar: dict[str, list[str]] = defaultdict(list)
    for label in sorted(set(labels)):
        similar["".join(label.casefold().split())].append(label)
    named = [" and ".join(repr(name) for name in names) for names in similar.values() if len(names) > 1]
    if named:
        warn_user(
            f"{source} has labels that differ only in case or white space and are separate classes: "
            f"{', '.join(named)}. Write them in the same way if they are one class"
        )
