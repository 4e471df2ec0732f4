"""The model at the end, and the commands that use it."""

import os
import shlex
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from skfewaudio.persistence import save_model
from skfewaudio.pipelines import make_few_shot_classifier

from ._labeller import ActiveLabeller


def save_final_model(
    labeller: ActiveLabeller,
    path: str | os.PathLike[str],
    *,
    random_state: int = 0,
    device: str | None = None,
) -> Any:
    """Fit the recommended classifier to the labelled clips, and save it.

    Parameters
    ----------
    labeller : ActiveLabeller
        The labelled clips.
    path : path-like
        File to write.
    random_state : int, default=0
        Seed of the pipeline.
    device : str, default=None
        Torch device. None uses CUDA if available.

    Returns
    -------
    sklearn.pipeline.Pipeline
        The fitted pipeline of :func:`~skfewaudio.pipelines.make_few_shot_classifier`.

    Raises
    ------
    ValueError
        If fewer than two classes have a labelled clip.
    AudioLoadError
        If a labelled clip cannot be read.
    """
    X, y, groups = labeller.training_set()
    counts = Counter(y)
    if len(counts) < 2:
        raise ValueError(
            f"there are labels of {len(counts)} classes ({', '.join(counts) or 'none'}); label clips of at "
            "least two"
        )
    model = make_few_shot_classifier(random_state=random_state, device=device)
    recordings = np.unique(groups, return_inverse=True)[1]
    model.fit(X, y, classifier__groups=recordings)
    found = labeller.estimate()
    scores = None
    if found is not None:
        scores = {
            "accuracy": found.accuracy,
            "interval": [found.low, found.high],
            "n_clips": found.n_labelled,
            "method": "mean probability of the clips without labels, calibrated by leave-one-out",
            "text": f"estimated accuracy {found.accuracy:.1%} ({found.low:.1%} to {found.high:.1%})",
        }
    data = {"name": "labelled by listening", "n_clips": len(y), "clips_per_class": dict(counts)}
    save_model(model, path, card={"data_set": data, "pipeline": "few-shot", "scores": scores})
    return model


def list_commands(
    model: str | os.PathLike[str],
    table: str | os.PathLike[str] | None,
    folder: str | os.PathLike[str],
    *,
    has_parts: bool = False,
) -> list[str]:
    """Return the commands that use a saved model and the table of labels.

    Parameters
    ----------
    model : path-like
        The saved model.
    table : path-like or None
        The table of labels.
    folder : path-like
        Recordings to predict.
    has_parts : bool, default=False
        Whether the table has labels of parts of recordings.

    Returns
    -------
    list of str
    """
    name, recordings = shlex.quote(str(model)), shlex.quote(str(folder))
    found = [f"skfewaudio predict {name} {recordings}", f"skfewaudio info {name}"]
    if table is not None:
        again = shlex.quote(str(Path(model).with_suffix(".again.model")))
        # Not all events of a recording are labelled, as the training of a detector would expect.
        option = " --no-detector" if has_parts else ""
        found.append(f"skfewaudio train {shlex.quote(str(table))} -o {again}{option}")
    return found
