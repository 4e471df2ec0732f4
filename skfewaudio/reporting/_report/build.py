"""Contents of a report, independent of the output format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .charts import CurveChart, ScatterChart, Style, curve_chart, scatter_chart
from .detections import Detections, build_detections
from .media import Media, clip_media, clip_name
from .predictions import (
    MAX_CLASSES,
    MisclassifiedClip,
    Predictions,
    confused_pairs_table,
    confusion_table,
    misclassified_clips,
    per_class_table,
)
from .scores import MetricScores, headline, score_table, summary_sentences
from .sections import (
    check_extrapolation,
    extrapolation_table,
    leak_table,
    provenance_table,
    settings_table,
    time_table,
)
from .table import Cell, Table, to_cell, to_frame, to_table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

WIDE, NARROW = (860, 440), (340, 330)  # sizes of charts in pixels, for screens and for phones
EMBEDDING_COLUMNS = ("x", "y", "label", "kind")
MAX_SUGGESTIONS = 50


@dataclass(frozen=True)
class Classes:
    """Confusions by class, initially shown for one pipeline and number of clips."""

    pipeline: str
    n_shots: int
    confusion: Table | None
    by_class: Table
    pairs: Table
    choices: dict[str, Any]
    misclassified: list[tuple[MisclassifiedClip, Media]]


@dataclass(frozen=True)
class Embedding:
    """Charts of embedded clips, and a table of the class centres."""

    wide: ScatterChart
    narrow: ScatterChart
    legend: list[tuple[str, Style]]
    table: Table


@dataclass(frozen=True)
class Outlook:
    """Expected scores for more clips, and clips to label next."""

    charts: list[CurveChart]
    table: Table | None
    suggestions: Table | None


@dataclass(frozen=True)
class Report:
    """Contents of a report; sections without data are None."""

    title: str
    scope: list[str]
    headline: str
    summary: list[str]
    tiles: list[tuple[int, str, str]]
    scores: MetricScores
    charts: list[CurveChart]
    table: Table
    classes: Classes | None
    embedding: Embedding | None
    detections: Detections | None
    times: Table | None
    outlook: Outlook | None
    leaks: Table | None
    provenance: Table
    settings: Table | None


def build_report(
    results: pd.DataFrame,
    *,
    predictions: pd.DataFrame | None,
    dataset: "AudioDataset | None",
    config: Mapping[str, Any] | None,
    leaks: Any,
    extrapolation: Any,
    suggestions: Any,
    embedding: Any,
    detections: Any,
    annotations: Any,
    n_events: int,
    metric: str | None,
    title: str | None,
    n_clips: int,
    with_media: bool,
) -> Report:
    """Compute the contents of a report from the arguments of `write_report`."""
    if metric is None:
        metric = "accuracy" if "accuracy" in set(results["metric"]) else str(results["metric"].iloc[0])
    scores = MetricScores.from_results(results, metric)
    config = dict(config or {})
    name = getattr(dataset, "name", None) or _name_of(results, config)
    leak_rows = None if leaks is None else leak_table(leaks, dataset)
    classes = None
    if predictions is not None:
        classes = _classes(Predictions.check(predictions, dataset), scores, dataset, n_clips, with_media)
    return Report(
        title=title or (f"{name}: few-shot report" if name else "Few-shot report"),
        scope=_scope(scores, dataset, config),
        headline=headline(scores),
        summary=[*summary_sentences(scores), *_finding_sentences(classes, leak_rows)],
        tiles=_tiles(scores),
        scores=scores,
        charts=[curve_chart(scores, *size) for size in (WIDE, NARROW)],
        table=score_table(scores),
        classes=classes,
        embedding=None if embedding is None else _embedding(embedding),
        detections=None
        if detections is None
        else build_detections(detections, annotations, n_events=n_events, with_media=with_media),
        times=time_table(results),
        outlook=_outlook(extrapolation, suggestions, scores),
        leaks=leak_rows,
        provenance=provenance_table(results, dataset, config),
        settings=settings_table(config),
    )


def _name_of(results: pd.DataFrame, config: Mapping[str, Any]) -> str:
    return str(results["dataset"].iloc[0]) if "dataset" in results else str(config.get("dataset", ""))


def _scope(scores: MetricScores, dataset: "AudioDataset | None", config: Mapping[str, Any]) -> list[str]:
    """List the numbers of methods, clips, classes, folds and draws in words."""
    n_clips = config.get("n_clips") if dataset is None else len(dataset)
    n_classes = len(dataset.target_names) if dataset is not None else len(config.get("classes") or ())
    counts = {
        "method": len(scores.pipelines),
        "clip": n_clips,
        "class": n_classes,
        "fold": scores.rows["fold"].nunique(),
        "draw": scores.rows["repeat"].nunique(),
    }
    plurals = {"class": "classes"}
    return [f"{n:,} {what if n == 1 else plurals.get(what, what + 's')}" for what, n in counts.items() if n]


def _tiles(scores: MetricScores) -> list[tuple[int, str, str]]:
    """Return the best pipeline and its score for each number of clips."""
    tiles = []
    for n in scores.shots:
        best = scores.best(n)
        row = None if best is None else scores.summary_row(best, n)
        if best is not None and row is not None:
            tiles.append((n, best, scores.unit.write(row["mean"])))
    return tiles


def _finding_sentences(classes: Classes | None, leaks: Table | None) -> list[str]:
    """State the most frequent confusion and the number of leakage findings."""
    sentences = []
    if classes is not None and classes.pairs.rows:
        true, predicted, share, _ = classes.pairs.rows[0]
        sentences.append(
            f"The most frequent confusion of {classes.pipeline} with {classes.n_shots} per class is "
            f"{true.text} predicted as {predicted.text} ({share.text} % of the predictions for {true.text})."
        )
    if leaks is not None:
        n = len(leaks.rows)
        found = f"has {n:,} finding{'s' if n > 1 else ''}: scores may be too good"
        sentences.append(f"The leakage check {found if n else 'found nothing'}.")
    return sentences


def _classes(
    predictions: Predictions, scores: MetricScores, dataset: Any, n_clips: int, with_media: bool
) -> Classes:
    """Compute the confusions of the best pipeline with the largest number of clips."""
    n_shots = predictions.shots[-1]
    pipeline = predictions.best(scores.best(n_shots) if n_shots in scores.shots else None)
    small = len(predictions.classes) <= MAX_CLASSES
    misclassified = misclassified_clips(predictions, pipeline, n_shots, n_clips)
    return Classes(
        pipeline,
        n_shots,
        confusion_table(predictions, pipeline, n_shots) if small else None,
        per_class_table(predictions, pipeline),
        confused_pairs_table(predictions, pipeline, n_shots),
        predictions.all_confusions() if small else {},
        [
            (clip, clip_media(dataset, clip.clip) if with_media else Media(clip_name(dataset, clip.clip)))
            for clip in misclassified
        ],
    )


def _embedding(embedding: Any) -> Embedding:
    """Create the charts of the embedding and the table of class centres."""
    frame = to_frame(embedding, "label")
    missing = [name for name in EMBEDDING_COLUMNS if name not in frame]
    if missing:
        raise ValueError(
            f"embedding lacks the columns {', '.join(missing)}; expected an EmbeddingDisplay, or a DataFrame "
            f"with {', '.join(EMBEDDING_COLUMNS)}"
        )
    frame = frame.assign(label=frame["label"].astype(str).replace("", "no class"))
    styles = {name: Style.of(k) for k, name in enumerate(sorted(frame["label"].unique()))}
    projection = getattr(embedding, "projection", "")
    wide, narrow = (scatter_chart(frame, projection, styles, *size) for size in (WIDE, NARROW))
    return Embedding(wide, narrow, list(styles.items()), _neighbour_table(frame))


def _neighbour_table(frame: pd.DataFrame) -> Table:
    """Create the table of class centres (prototypes, or means of clips) and their nearest classes."""
    counts = frame[frame["kind"] == "clip"].groupby("label").size()
    centres = frame[frame["kind"] == "clip"].groupby("label")[["x", "y"]].mean()
    prototypes = frame[frame["kind"] == "prototype"].groupby("label")[["x", "y"]].mean()
    centres = prototypes.combine_first(centres)
    points = centres.to_numpy()
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    rows = [
        [
            Cell(str(name)),
            to_cell(int(counts.get(name, 0))),
            to_cell(x),
            to_cell(y),
            Cell(str(centres.index[distances[k].argmin()]) if len(points) > 1 else "-"),
        ]
        for k, (name, (x, y)) in enumerate(zip(centres.index, points, strict=True))
    ]
    return Table("Class centres", ["class", "clips", "x", "y", "nearest class"], rows)


def _outlook(extrapolation: Any, suggestions: Any, scores: MetricScores) -> Outlook | None:
    """Create the section on more clips; None without extrapolation and suggestions."""
    if extrapolation is None and suggestions is None:
        return None
    expected = None if extrapolation is None else check_extrapolation(extrapolation)
    return Outlook(
        [] if expected is None else [curve_chart(scores, *size, expected) for size in (WIDE, NARROW)],
        None if expected is None else extrapolation_table(expected, scores),
        None
        if suggestions is None
        else to_table(
            suggestions, "Unlabelled clips, the most informative first", column="clip", limit=MAX_SUGGESTIONS
        ),
    )
