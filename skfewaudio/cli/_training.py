"""Build, cross-validate and fit the pipeline of a model."""

import argparse
from typing import TYPE_CHECKING, Any

from skfewaudio.pipelines import PIPELINES, TAKES_EMBEDDING

from ._common import Output, suggest
from ._models import find_unknown_label
from ._scores import accuracy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from skfewaudio.datasets import AudioDataset

# Options of the pipeline, which end in the card.
PIPELINE_OPTIONS = ("sample_rate", "channel", "allow_truncated", "class_weight", "false_rejection_rate")


def build_pipeline(
    name: str,
    *,
    random_state: int,
    device: str | None,
    semi_supervised: bool = False,
    embedding: list[str] | None = None,
) -> Any:
    """Build a pipeline of the benchmark, with one seed for all its steps."""
    from skfewaudio._torch import resolve_device

    resolve_device(device)
    if name not in PIPELINES:
        raise ValueError(
            f"--pipeline {name}: expected one of {', '.join(PIPELINES)}{suggest(name, PIPELINES)}"
        )
    options = {"device": device, "mixed_precision": None, "vggish_weights": "vggish"}
    if embedding and name not in TAKES_EMBEDDING:
        raise ValueError(f"--embedding: {name} cannot use it; use --pipeline {', '.join(TAKES_EMBEDDING)}")
    model = PIPELINES[name](**options, semi_supervised=semi_supervised, embedding=embedding)
    if semi_supervised and not any(key.endswith("semi_supervised") for key in model.get_params()):
        raise ValueError(f"--unlabelled: {name} cannot use unlabelled clips; use --pipeline few-shot")
    seeds = [key for key in model.get_params() if key.rpartition("__")[2] == "random_state"]
    return model.set_params(**dict.fromkeys(seeds, random_state))


def set_options(model: Any, args: argparse.Namespace) -> None:
    """Set the options of the model; raise ValueError if its pipeline lacks one."""
    from skfewaudio._reading import set_everywhere, set_reading
    from skfewaudio.pipelines import NEEDS_WEIGHTS

    for name in PIPELINE_OPTIONS:
        value = getattr(args, name)
        if value is None:
            continue
        try:
            if name in ("class_weight", "false_rejection_rate"):
                set_everywhere(model, {name: value})
            elif name == "sample_rate" and args.pipeline in NEEDS_WEIGHTS:
                raise ValueError("its weights were trained at one sample rate")
            else:
                set_reading(model, **{name: value})
        except ValueError as error:
            option = f"--{name.replace('_', '-')}"
            raise ValueError(f"{option}: {args.pipeline} cannot use it ({error})") from error


def cross_validate(
    model: Any, X: list[Any], dataset: "AudioDataset", n_jobs: int, out: Output
) -> dict[str, Any] | None:
    """Cross-validate by the dataset's splitter; return None, with a warning, if it has too few clips.

    The clips in X after those of the dataset are unlabelled.
    """
    import numpy as np
    from joblib import Parallel, delayed

    from skfewaudio.model_selection.shared_features import SharedFeatures

    try:
        cv = dataset.make_cv()
    except ValueError as error:
        out.warn(f"accuracy is not estimated: {error}")
        return None
    splits = list(cv.split(dataset.X, dataset.y, dataset.groups))
    features, rest = SharedFeatures({"model": model}).compute("model", X)
    unlabelled = np.arange(len(dataset), len(X))
    tasks = (
        delayed(_fit_and_predict)(rest, features, np.concatenate([train, unlabelled]), test, dataset)
        for train, test in splits
    )
    predicted = dataset.y.astype(object)
    found = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    for number, (_, test) in enumerate(splits):
        out.progress("fold", number, len(splits))
        predicted[test] = next(found)
    out.progress("fold", len(splits), len(splits))
    tested = np.unique(np.concatenate([test for _, test in splits]))
    kept = "" if dataset.groups is None else ", recordings kept together"
    method = f"{len(splits)}-fold cross-validation{kept}"
    return scores_for_card(dataset.y[tested].tolist(), predicted[tested].tolist(), method, model)


def _fit_and_predict(
    model: Any, features: Any, train: "NDArray", test: "NDArray", dataset: "AudioDataset"
) -> Any:
    """Fit a clone of a model to some rows of the features, and predict others."""
    from sklearn.base import clone
    from sklearn.utils import _safe_indexing

    return fit(clone(model), features, train, dataset).predict(_safe_indexing(features, test))


def fit(model: Any, X: Any, rows: "NDArray", dataset: "AudioDataset") -> Any:
    """Fit a model on the given rows of X: the clips of a dataset, followed by unlabelled clips."""
    import numpy as np
    from sklearn.pipeline import Pipeline
    from sklearn.utils import _safe_indexing
    from sklearn.utils.validation import has_fit_parameter

    n_others = len(X) - len(dataset)
    labels = dataset.y
    if n_others:
        labels = np.concatenate([dataset.y.astype(object), np.full(n_others, -1, dtype=object)])
    params = {}
    if dataset.groups is not None and isinstance(model, Pipeline) and has_fit_parameter(model[-1], "groups"):
        recordings = np.unique(dataset.groups, return_inverse=True)[1]
        recordings = np.concatenate([recordings, recordings.max() + 1 + np.arange(n_others)])
        params[f"{model.steps[-1][0]}__groups"] = recordings[rows]
    return model.fit(_safe_indexing(X, rows), labels[rows], **params)


def scores_for_card(true: list[str], predicted: list[str], method: str, model: Any) -> dict[str, Any]:
    """Return the scores in the form of the model card."""
    score = accuracy(true, predicted)
    scores = {
        "accuracy": score.value,
        "interval": [score.low, score.high],
        "n_clips": score.n_clips,
        "method": method,
        "text": str(score),
    }
    rejected_as = find_unknown_label(model)
    return scores if rejected_as is None else {**scores, "n_rejected": predicted.count(rejected_as)}
