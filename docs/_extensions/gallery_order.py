"""Order of the examples in the gallery: from the first question of a newcomer to the last."""

from pathlib import Path

# Names without "plot_"; others follow in alphabetical order.
ORDER = (
    *("classify_clips", "save_and_load", "unlabelled_clips", "pretrained_embedding", "tagging"),
    *("prototypes_neighbours", "embedding", "front_ends", "logmel_mfcc", "order_in_time"),
    *("augmentation", "untrained_networks"),
    *("find_events", "threshold", "label_by_listening", "clips_to_label_next"),
    *("few_shot_curve", "confusion", "calibration", "rejection", "groups"),
)


def reading_order(path: str) -> tuple[int, str]:
    """Return the key by which Sphinx-Gallery sorts the files of a section."""
    name = Path(path).stem.removeprefix("plot_")
    return (ORDER.index(name) if name in ORDER else len(ORDER)), name
