"""Scores of networks for multi-label tagging, and their tables in the form of arXiv:1609.09430."""

import time
import warnings
from collections.abc import Callable, Iterator
from itertools import groupby
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from joblib import Parallel, delayed
from numpy.typing import NDArray
from sklearn.exceptions import UndefinedMetricWarning

from skfewaudio import LogMel, SkorchCNN, metrics
from skfewaudio.architectures import n_parameters
from skfewaudio.reporting.text_table import format_columns

from .._adapt_pipelines import add_resampling
from .studies import LABELS, STUDIES, TaggingStudy, Training

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

N_EPOCHS = 20
BATCH_SIZE = 32  # the paper's
BOTTLENECK = 128  # the paper's
N_UNITS = 1000  # units per layer of the fully connected network; the paper's best
METRIC_TITLES = {"mean_auc": "AUC", "d_prime": "d-prime", "mean_average_precision": "mAP"}

ResultRows = list[dict[str, Any]]
Split = tuple[NDArray[np.integer], NDArray[np.integer]]


class _TaggedClips(NamedTuple):
    """Log-mel spectrograms and labels of all clips."""

    features: list[NDArray[np.float32]]
    tags: NDArray[np.integer]
    label_order: NDArray[np.integer]  # columns of tags by decreasing frequency


def score_tagging_studies(
    studies: dict[str, TaggingStudy],
    dataset: "AudioDataset",
    splits: dict[int, Split],
    *,
    n_repeats: int,
    random_state: int,
    n_jobs: int,
    finished: pd.DataFrame,
    on_result: Callable[[ResultRows], None],
    **options: Any,
) -> None:
    """Train every network once per seed and fold, and score it for all studies that share it.

    Parameters
    ----------
    studies : dict of name -> TaggingStudy
        Studies to score.
    dataset : AudioDataset
        Dataset with one or several labels per clip.
    splits : dict of fold -> (train, test)
        Indices of the training and test clips of each fold.
    n_repeats, random_state : int
        Number of seeds, and the first seed.
    n_jobs : int
        Number of networks that are trained in parallel.
    finished : DataFrame
        Result rows of earlier runs. Their studies, repeats and folds are skipped.
    on_result : callable
        Called with the result rows of a network when it is scored.
    **options
        Parameters of SkorchCNN: ``device`` and ``mixed_precision``.
    """
    done = set(finished[["pipeline", "repeat", "fold"]].itertuples(index=False, name=None))
    trainings = [
        (repeat, fold, {name: studies[name] for name in names})
        for repeat in range(n_repeats)
        for fold in splits
        for names in _group_by_network(
            [name for name in studies if (name, repeat, fold) not in done], studies
        )
    ]
    if not trainings:
        return
    tags = as_tags(dataset.y)
    label_order = np.argsort(-tags.sum(axis=0), kind="stable")
    started = time.perf_counter()
    clips = _TaggedClips(_compute_log_mel(dataset, options["device"]), tags, label_order)
    seconds = time.perf_counter() - started
    tasks = (
        delayed(_train_and_score)(group, clips, splits[fold], random_state + repeat, options)
        for repeat, fold, group in trainings
    )
    results = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    for (repeat, fold, _), rows in zip(trainings, results, strict=True):
        shared = {"n_shots": None, "repeat": repeat, "seed": random_state + repeat, "fold": fold}
        on_result([{**shared, **row, "feature_time": seconds} for row in rows])


def as_tags(y: NDArray[Any]) -> NDArray[np.integer]:
    """Return labels as a binary matrix with one column per label; classes are one-hot encoded."""
    return y if y.ndim == 2 else (y[:, None] == np.unique(y)).astype(np.int16)


def _group_by_network(names: list[str], studies: dict[str, TaggingStudy]) -> Iterator[list[str]]:
    """Yield groups of studies that train the same network."""

    def key(name: str) -> str:
        return repr(studies[name]._replace(scored="all"))

    for _, group in groupby(sorted(names, key=key), key=key):
        yield list(group)


def _compute_log_mel(dataset: "AudioDataset", device: str) -> list[NDArray[np.float32]]:
    """Compute the paper's features: 64 mel bands, 100 frames per second, at 16 kHz."""
    log_mel = add_resampling(LogMel.from_preset("vggish", device=device), dataset)
    return list(log_mel.fit_transform(dataset.X))


def _train_and_score(
    studies: dict[str, TaggingStudy], clips: _TaggedClips, split: Split, seed: int, options: dict[str, Any]
) -> ResultRows:
    """Train the network that the studies share, and score it for each study."""
    study = next(iter(studies.values()))
    train, test = split
    network, inputs, shared = _train_network(study, study.training, clips, train, seed, options)
    known = _label_columns(study.training.labels, clips)
    proba = np.full(clips.tags[test].shape, np.nan)
    proba[:, known] = network.predict_proba([inputs[clip] for clip in test])
    rows: ResultRows = []
    for name, study in studies.items():
        scored = _label_columns(study.scored, clips)
        truth = clips.tags[test][:, scored]
        counts = {**shared, "n_labels": len(known), "n_test": len(test), "n_scored": _count_present(truth)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # n_scored counts the labels with scores
            rows += [
                {
                    "pipeline": name,
                    "metric": metric,
                    "value": getattr(metrics, metric)(truth, proba[:, scored]),
                    **counts,
                }
                for metric in METRIC_TITLES
            ]
    return rows


def _label_columns(label_set: str, clips: _TaggedClips) -> NDArray[np.integer]:
    """Return the columns of a label set."""
    return LABELS[label_set](clips.label_order)


def _count_present(truth: NDArray[np.integer]) -> int:
    """Count the labels that occur in at least one clip."""
    return int(truth.any(axis=0).sum())


def _train_network(
    study: TaggingStudy,
    training: Training,
    clips: _TaggedClips,
    train: NDArray[np.integer],
    seed: int,
    options: dict[str, Any],
) -> tuple[SkorchCNN, Any, dict[str, Any]]:
    """Train a network on clips with one of its labels, after the network of its embeddings, if any."""
    inputs: Any = clips.features
    if training.source is not None:
        source, _, _ = _train_network(study, training.source, clips, train, seed, options)
        inputs = source.transform(inputs)
    known = _label_columns(training.labels, clips)
    # The permutation depends only on the seed, so a smaller share is a subset of a larger one.
    drawn = np.random.default_rng(seed).permutation(train)[: ceil(training.share * len(train))]
    drawn = drawn[clips.tags[drawn][:, known].any(axis=1)]
    network = _build_network(study, training, random_state=seed, **options)
    started = time.perf_counter()
    network.fit([inputs[clip] for clip in drawn], clips.tags[drawn][:, known])
    cost = {
        "n_train": len(drawn),
        "steps": len(network.history_) * ceil(len(drawn) / BATCH_SIZE),
        "fit_time": time.perf_counter() - started,
        "n_parameters": n_parameters(network.network_),
    }
    return network, inputs, cost


def _build_network(study: TaggingStudy, training: Training, **options: Any) -> SkorchCNN:
    """Build the classifier that trains a network; VGGish is used without training."""
    if training.architecture == "vggish":
        return SkorchCNN("vggish", weights=study.vggish_weights, max_epochs=0, **options)
    width = sqrt(study.scale)
    params: dict[str, Any] = {"width": width}
    if training.architecture == "fully_connected":
        params = {"n_units": round(width * N_UNITS)}
    if training.bottleneck:
        params["bottleneck"] = BOTTLENECK
    return SkorchCNN(
        training.architecture,
        architecture_params=params,
        optimizer=torch.optim.Adam,
        learning_rate=1e-3,
        weight_decay=0.0,
        batch_size=BATCH_SIZE,
        max_epochs=round(N_EPOCHS / training.share),
        **options,
    )


# Title and the columns before the scores (heading and function), by the first part of the study names.
TABLES: dict[str, tuple[str, dict[str, Callable[[str, pd.DataFrame], str]]]] = {
    "architectures": (
        "Architectures",
        {
            "Architecture": lambda row, _: row,
            "Parameters": lambda _, rows: f"{rows['n_parameters'].mean() / 1e6:.2f} M",
            "Steps": lambda _, rows: f"{rows['steps'].mean():.0f}",
            "Time": lambda _, rows: f"{rows['fit_time'].mean():.0f} s",
        },
    ),
    "labels": (
        "Size of the label set",
        {
            "Bneck.": lambda row, _: "yes" if row.endswith("bottleneck") else "no",
            "Labels": lambda _, rows: f"{rows['n_labels'].iloc[0]}",
        },
    ),
    "clips": ("Training clips", {"Clips": lambda _, rows: f"{rows['n_train'].mean():.0f}"}),
    "events": (
        "Events unknown to the embedding's network",
        {"Input": lambda row, _: {"resnet50": "embedding", "vggish": "VGGish"}.get(row, row)},
    ),
}


def tagging_tables(rows: pd.DataFrame, *, style: str = "text") -> str:
    """Format scores as in the tables of the paper.

    Parameters
    ----------
    rows : DataFrame
        Result rows of `score_tagging_studies`.
    style : {"text", "markdown"}, default="text"
        Plain text for a terminal, or Markdown.

    Returns
    -------
    str
        One table for each first part of the study names, with means over folds and seeds.
    """
    tables = []
    for kind, (title, heads) in TABLES.items():
        ours = rows[rows["pipeline"].str.startswith(f"{kind}/")]
        names = [name for name in STUDIES if (ours["pipeline"] == name).any()]
        if not names:
            continue
        by_name = [ours[ours["pipeline"] == name] for name in names]
        columns = [
            [head, *(show(name.split("/")[1], its) for name, its in zip(names, by_name, strict=True))]
            for head, show in heads.items()
        ]
        columns += [
            [head, *(f"{its.loc[its['metric'] == metric, 'value'].mean():.3f}" for its in by_name)]
            for metric, head in METRIC_TITLES.items()
        ]
        n_scored = ours["n_scored"].mean()
        tables.append(f"{title} ({n_scored:.0f} labels scored)\n\n{format_columns(columns, style=style)}")
    return "\n\n".join(tables)
