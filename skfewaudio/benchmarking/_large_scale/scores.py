"""Scores of networks that tag clips, and tables of them in the form of arXiv:1609.09430."""

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

from .._adapt_pipelines import fit_to_clips
from .studies import LABELS, STUDIES, TaggingStudy, Training

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

N_EPOCHS = 20
BATCH_SIZE = 32  # the paper's
BOTTLENECK = 128  # the paper's
N_UNITS = 1000  # of the fully connected network, the paper's best
SCORES = {"mean_auc": "AUC", "d_prime": "d-prime", "mean_average_precision": "mAP"}

Rows = list[dict[str, Any]]
Split = tuple[NDArray[np.integer], NDArray[np.integer]]


class _Clips(NamedTuple):
    """What all networks are trained on."""

    features: list[NDArray[np.float32]]
    tags: NDArray[np.integer]
    order: NDArray[np.integer]  # the labels, the commonest first


def score_tagging_studies(
    studies: dict[str, TaggingStudy],
    dataset: "AudioDataset",
    splits: dict[int, Split],
    *,
    n_repeats: int,
    random_state: int,
    n_jobs: int,
    finished: pd.DataFrame,
    on_result: Callable[[Rows], None],
    **options: Any,
) -> None:
    """Train every network in every fold, once for each seed, and score it for all rows that it gives.

    Parameters
    ----------
    studies : dict of name -> TaggingStudy
        What to score.
    dataset : AudioDataset
        Of one or several labels a clip.
    splits : dict of fold -> (train, test)
        Indices of clips.
    n_repeats, random_state : int
        Number of seeds, and the first.
    n_jobs : int
        Networks trained at a time.
    finished : DataFrame
        Rows of earlier runs.
    on_result : callable
        Takes the rows of a network when they are there.
    **options
        Of SkorchCNN: device and precision.
    """
    done = set(finished[["pipeline", "repeat", "fold"]].itertuples(index=False, name=None))
    cells = [
        (repeat, fold, {name: studies[name] for name in names})
        for repeat in range(n_repeats)
        for fold in splits
        for names in _by_network([name for name in studies if (name, repeat, fold) not in done], studies)
    ]
    if not cells:
        return
    tags = as_tags(dataset.y)
    order = np.argsort(-tags.sum(axis=0), kind="stable")
    clips = _Clips(_log_mel(dataset, options["device"]), tags, order)
    tasks = (
        delayed(_score)(group, clips, splits[fold], random_state + repeat, options)
        for repeat, fold, group in cells
    )
    results = Parallel(n_jobs=n_jobs, return_as="generator")(tasks)
    for (repeat, fold, _), rows in zip(cells, results, strict=True):
        shared = {"n_shots": None, "repeat": repeat, "seed": random_state + repeat, "fold": fold}
        on_result([{**shared, **row} for row in rows])


def as_tags(y: NDArray[Any]) -> NDArray[np.integer]:
    """Give a column for each label; one class a clip is one label a clip."""
    return y if y.ndim == 2 else (y[:, None] == np.unique(y)).astype(np.int16)


def _by_network(names: list[str], studies: dict[str, TaggingStudy]) -> Iterator[list[str]]:
    """Put the names together whose network is the same."""

    def key(name: str) -> str:
        return repr(studies[name]._replace(scored="all"))

    for _, group in groupby(sorted(names, key=key), key=key):
        yield list(group)


def _log_mel(dataset: "AudioDataset", device: str) -> list[NDArray[np.float32]]:
    """Give the paper's features: 64 bands, 100 frames a second at 16 kHz."""
    log_mel = fit_to_clips(LogMel.from_preset("vggish", device=device), dataset)
    return list(log_mel.fit_transform(dataset.X))


def _score(
    studies: dict[str, TaggingStudy], clips: _Clips, split: Split, seed: int, options: dict[str, Any]
) -> Rows:
    """Train the network that some studies share, and score it for each."""
    study = next(iter(studies.values()))
    train, test = split
    network, inputs, shared = _train(study, study.training, clips, train, seed, options)
    known = _labels(study.training.labels, clips)
    proba = np.full(clips.tags[test].shape, np.nan)
    proba[:, known] = network.predict_proba([inputs[clip] for clip in test])
    rows: Rows = []
    for name, one in studies.items():
        scored = _labels(one.scored, clips)
        truth = clips.tags[test][:, scored]
        counts = {**shared, "n_labels": len(known), "n_test": len(test), "n_scored": _n_present(truth)}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UndefinedMetricWarning)  # n_scored tells as much
            rows += [
                {
                    "pipeline": name,
                    "metric": metric,
                    "value": getattr(metrics, metric)(truth, proba[:, scored]),
                    **counts,
                }
                for metric in SCORES
            ]
    return rows


def _labels(which: str, clips: _Clips) -> NDArray[np.integer]:
    """Give the columns of labels."""
    return LABELS[which](clips.order)


def _n_present(truth: NDArray[np.integer]) -> int:
    """Count the labels that some clip has."""
    return int(truth.any(axis=0).sum())


def _train(
    study: TaggingStudy,
    training: Training,
    clips: _Clips,
    train: NDArray[np.integer],
    seed: int,
    options: dict[str, Any],
) -> tuple[SkorchCNN, Any, dict[str, Any]]:
    """Train a network, after the one whose embeddings it takes, on those clips that have a label it knows."""
    inputs: Any = clips.features
    if training.source is not None:
        source, _, _ = _train(study, training.source, clips, train, seed, options)
        inputs = source.transform(inputs)
    known = _labels(training.labels, clips)
    # Drawn with the seed alone, so that fewer clips are among more of them.
    drawn = np.random.default_rng(seed).permutation(train)[: ceil(training.share * len(train))]
    drawn = drawn[clips.tags[drawn][:, known].any(axis=1)]
    network = _build(study, training, random_state=seed, **options)
    started = time.perf_counter()
    network.fit([inputs[clip] for clip in drawn], clips.tags[drawn][:, known])
    cost = {
        "n_train": len(drawn),
        "steps": len(network.history_) * ceil(len(drawn) / BATCH_SIZE),
        "fit_time": time.perf_counter() - started,
        "n_parameters": n_parameters(network.network_),
    }
    return network, inputs, cost


def _build(study: TaggingStudy, training: Training, **options: Any) -> SkorchCNN:
    """Give the classifier that trains a network; VGGish is taken as it is."""
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


# Title, and what heads the columns before the scores, by the first part of the names.
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
    """Lay scores out as the paper does.

    Parameters
    ----------
    rows : DataFrame
        As `score_tagging_studies` gives them.
    style : {"text", "markdown"}, default="text"
        For a terminal or for a page.

    Returns
    -------
    str
        A table for each first part of the names: means over folds and seeds.
    """
    tables = []
    for kind, (title, heads) in TABLES.items():
        ours = rows[rows["pipeline"].str.startswith(f"{kind}/")]
        names = [name for name in STUDIES if (ours["pipeline"] == name).any()]
        if not names:
            continue
        found = [ours[ours["pipeline"] == name] for name in names]
        columns = [
            [head, *(show(name.split("/")[1], its) for name, its in zip(names, found, strict=True))]
            for head, show in heads.items()
        ]
        columns += [
            [head, *(f"{its.loc[its['metric'] == metric, 'value'].mean():.3f}" for its in found)]
            for metric, head in SCORES.items()
        ]
        n_scored = ours["n_scored"].mean()
        tables.append(f"{title} ({n_scored:.0f} labels scored)\n\n{format_columns(columns, style=style)}")
    return "\n\n".join(tables)
