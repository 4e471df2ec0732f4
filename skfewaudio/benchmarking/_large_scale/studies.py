"""Studies of the suite large-scale: the tables of arXiv:1609.09430, on clips with several labels each.

They compare architectures, numbers of training labels, numbers of training clips, and embeddings as input of
event detection. A study is named after its table and row, such as ``labels/40-bottleneck``. Large
dependencies are imported inside the functions.
"""

from collections.abc import Callable
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

# Size of the embedded dataset at scale 1.
N_CLIPS, N_LABELS = 6400, 40
# Label sets: functions that select from all labels, sorted by decreasing frequency.
LABELS: dict[str, Callable[[Any], Any]] = {
    "all": lambda order: order,
    "40 %": lambda order: order[: ceil(0.4 * len(order))],
    "20 %": lambda order: order[: ceil(0.2 * len(order))],
    "even ranks": lambda order: order[::2],
    "odd ranks": lambda order: order[1::2],
}


class Training(NamedTuple):
    """Architecture, input, labels and clips of a training."""

    architecture: str
    labels: str = "all"
    share: float = 1.0  # share of the training clips; the number of steps stays the same
    bottleneck: bool = False
    source: "Training | None" = None  # network whose embeddings replace log-mel as input


class TaggingStudy(NamedTuple):
    """One row of a table: a training and the labels to score."""

    training: Training
    scored: str = "all"  # set of the scored labels
    vggish_weights: str | Path | None = None
    scale: float = 1.0


ARCHITECTURES = ("fully_connected", "alexnet", "vgg_e", "inception_v3", "resnet50")
SHARES = (1.0, 0.5, 0.25, 0.1, 0.05)
EVENTS = Training("fully_connected", "odd ranks", share=0.25)
STUDIES = {
    **{f"architectures/{name}": TaggingStudy(Training(name)) for name in ARCHITECTURES},
    **{
        f"labels/{labels.split()[0]}{'-bottleneck' if bottleneck else ''}": TaggingStudy(
            Training("resnet50", labels, bottleneck=bottleneck), "20 %"
        )
        for bottleneck in (False, True)
        for labels in ("all", "40 %", "20 %")
    },
    **{f"clips/{share:.0%}".rstrip("%"): TaggingStudy(Training("resnet50", share=share)) for share in SHARES},
    "events/log-mel": TaggingStudy(EVENTS, "odd ranks"),
    "events/resnet50": TaggingStudy(
        EVENTS._replace(source=Training("resnet50", "even ranks", bottleneck=True)), "odd ranks"
    ),
    "events/vggish": TaggingStudy(EVENTS._replace(source=Training("vggish", "even ranks")), "odd ranks"),
}
NEEDS_WEIGHTS = {"events/vggish"}


def make_tagging_study(name: str, *, scale: float, vggish_weights: str | Path | None = None) -> TaggingStudy:
    """Return a study by name."""
    return STUDIES[name]._replace(
        scale=scale, vggish_weights=vggish_weights if name in NEEDS_WEIGHTS else None
    )


def load_scaled(name: str, load_unscaled: Callable[..., "AudioDataset"], *, scale: float) -> "AudioDataset":
    """Load a share of a dataset; of AudioSet, the balanced training set and the evaluation set as fold 1."""
    import numpy as np

    from skfewaudio.datasets import load_sound_scenes

    if name == "sound_scenes":
        return load_sound_scenes(round(scale * N_CLIPS), N_LABELS)
    if name == "audioset":
        dataset = _join(load_unscaled(subset="balanced_train"), load_unscaled(subset="eval"), name)
    else:
        dataset = load_unscaled()
    n_clips = ceil(scale * len(dataset))
    return dataset.subset(np.sort(np.random.default_rng(0).permutation(len(dataset))[:n_clips]))


def _join(train: "AudioDataset", test: "AudioDataset", name: str) -> "AudioDataset":
    """Join a dataset for training only and a dataset for testing only."""
    from dataclasses import replace

    import numpy as np

    return replace(
        train,
        name=name,
        X=[*train.X, *test.X],
        target=np.concatenate([train.y, test.y]),
        groups=np.concatenate([train.groups, test.groups]),
        folds=np.repeat([-1, 1], [len(train), len(test)]),
    )
