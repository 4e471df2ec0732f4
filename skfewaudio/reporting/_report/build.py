"""What a report holds, gathered before it is HTML or Markdown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from .charts import CurveChart, Scatter, Style, curve_chart, scatter
from .media import Media, clip_media, clip_name
from .predictions import (
    MAX_CLASSES,
    HardClip,
    Predictions,
    class_table,
    confusion_table,
    hard_clips,
    pair_table,
)
from .scores import Scores, describe, headline, score_table
from .sections import (
    check_extrapolation,
    extrapolation_table,
    leak_table,
    provenance_table,
    settings_table,
    time_table,
)
from .table import Cell, Table, cell_of, frame_of, table_of

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

WIDE, NARROW = (860, 440), (340, 330)  # pixels of the charts, for a screen and for a phone
EMBEDDING_COLUMNS = ("x", "y", "label", "kind")
N_SUGGESTIONS = 50


@dataclass(frozen=True)
class Classes:
    """What the predictions say, first shown for one pipeline and number of clips."""

    pipeline: str
    n_shots: int
    confusion: Table | None
    by_class: Table
    pairs: Table
    choices: dict[str, Any]
    hard: list[tuple[HardClip, Media]]


@dataclass(frozen=True)
class Embedding:
    """Picture of the clips in the plane, and what it says in numbers."""

    wide: Scatter
    narrow: Scatter
    legend: list[tuple[str, Style]]
    table: Table


@dataclass(frozen=True)
class Outlook:
    """What more clips would bring, and which to label."""

    charts: list[CurveChart]
    table: Table | None
    suggestions: Table | None


@dataclass(frozen=True)
class Report:
    """All that a report tells; None where there is nothing to tell."""

    title: str
    scope: list[str]
    headline: str
    summary: list[str]
    tiles: list[tuple[int, str, str]]
    scores: Scores
    charts: list[CurveChart]
    table: Table
    classes: Classes | None
    embedding: Embedding | None
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
    metric: str | None,
    title: str | None,
    n_clips: int,
    with_media: bool,
) -> Report:
    """Gather what `write_report` writes."""
    if metric is None:
        metric = "accuracy" if "accuracy" in set(results["metric"]) else str(results["metric"].iloc[0])
    scores = Scores.from_results(results, metric)
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
        summary=[*describe(scores), *_more_sentences(classes, leak_rows)],
        tiles=_tiles(scores),
        scores=scores,
        charts=[curve_chart(scores, *size) for size in (WIDE, NARROW)],
        table=score_table(scores),
        classes=classes,
        embedding=None if embedding is None else _embedding(embedding),
        times=time_table(results),
        outlook=_outlook(extrapolation, suggestions, scores),
        leaks=leak_rows,
        provenance=provenance_table(results, dataset, config),
        settings=settings_table(config),
    )


def _name_of(results: pd.DataFrame, config: Mapping[str, Any]) -> str:
    return str(results["dataset"].iloc[0]) if "dataset" in results else str(config.get("dataset", ""))


def _scope(scores: Scores, dataset: "AudioDataset | None", config: Mapping[str, Any]) -> list[str]:
    """Say in a few words how much was tried on how much."""
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


def _tiles(scores: Scores) -> list[tuple[int, str, str]]:
    """Give the best pipeline and its score for each number of clips."""
    tiles = []
    for n in scores.shots:
        best = scores.best(n)
        cell = None if best is None else scores.cell(best, n)
        if best is not None and cell is not None:
            tiles.append((n, best, scores.unit.write(cell["mean"])))
    return tiles


def _more_sentences(classes: Classes | None, leaks: Table | None) -> list[str]:
    """Say the most frequent confusion, and whether leaks were found."""
    sentences = []
    if classes is not None and classes.pairs.rows:
        true, taken, share, _ = classes.pairs.rows[0]
        sentences.append(
            f"{classes.pipeline} with {classes.n_shots} per class most often takes {true.text} for "
            f"{taken.text} ({share.text} % of its predictions of {true.text} clips)."
        )
    if leaks is not None:
        n = len(leaks.rows)
        found = f"has {n:,} finding{'s' if n > 1 else ''}: scores may be too good"
        sentences.append(f"A check for leaks {found if n else 'found none'}.")
    return sentences


def _classes(
    predictions: Predictions, scores: Scores, dataset: Any, n_clips: int, with_media: bool
) -> Classes:
    """Gather what the predictions say, of the best pipeline with the most clips."""
    n_shots = predictions.shots[-1]
    pipeline = predictions.best(scores.best(n_shots) if n_shots in scores.shots else None)
    small = len(predictions.classes) <= MAX_CLASSES
    hard = hard_clips(predictions, pipeline, n_shots, n_clips)
    return Classes(
        pipeline,
        n_shots,
        confusion_table(predictions, pipeline, n_shots) if small else None,
        class_table(predictions, pipeline),
        pair_table(predictions, pipeline, n_shots),
        predictions.all_confusions() if small else {},
        [
            (clip, clip_media(dataset, clip.clip) if with_media else Media(clip_name(dataset, clip.clip)))
            for clip in hard
        ],
    )


def _embedding(embedding: Any) -> Embedding:
    """Place the clips in the plane, and say which classes lie next to each other."""
    frame = frame_of(embedding, "label")
    missing = [name for name in EMBEDDING_COLUMNS if name not in frame]
    if missing:
        raise ValueError(
            f"embedding lacks the columns {', '.join(missing)}; expected an EmbeddingDisplay, or a DataFrame "
            f"with {', '.join(EMBEDDING_COLUMNS)}"
        )
    frame = frame.assign(label=frame["label"].astype(str).replace("", "no class"))
    styles = {name: Style.of(k) for k, name in enumerate(sorted(frame["label"].unique()))}
    projection = getattr(embedding, "projection", "")
    wide, narrow = (scatter(frame, projection, styles, *size) for size in (WIDE, NARROW))
    return Embedding(wide, narrow, list(styles.items()), _neighbour_table(frame))


def _neighbour_table(frame: pd.DataFrame) -> Table:
    """Say where each class lies, by its prototype or the mean of its clips, and which is nearest to it."""
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
            cell_of(int(counts.get(name, 0))),
            cell_of(x),
            cell_of(y),
            Cell(str(centres.index[distances[k].argmin()]) if len(points) > 1 else "-"),
        ]
        for k, (name, (x, y)) in enumerate(zip(centres.index, points, strict=True))
    ]
    return Table("Centres of the classes", ["class", "clips", "x", "y", "nearest class"], rows)


def _outlook(extrapolation: Any, suggestions: Any, scores: Scores) -> Outlook | None:
    """Gather what more clips would bring, and which to label."""
    if extrapolation is None and suggestions is None:
        return None
    expected = None if extrapolation is None else check_extrapolation(extrapolation)
    return Outlook(
        [] if expected is None else [curve_chart(scores, *size, expected) for size in (WIDE, NARROW)],
        None if expected is None else extrapolation_table(expected, scores),
        None
        if suggestions is None
        else table_of(
            suggestions, "Unlabelled clips, the most useful first", column="clip", limit=N_SUGGESTIONS
        ),
    )
