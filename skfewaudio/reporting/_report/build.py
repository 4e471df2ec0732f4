"""Contents of a report, independent of the output format."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from .charts import NARROW, WIDE, CurveChart, curve_chart
from .classes import Classes, build_classes, unique
from .detections import Detections, build_detections
from .media import Media, clip_media, clip_name
from .outlook import Outlook, build_outlook
from .plane import Embedding, build_embedding
from .predictions import Predictions
from .provenance import provenance_table, settings_table
from .recommendation import Recommendation, recommend
from .scores import GUESS, MetricScores, headline, score_table, summary_sentences
from .sections import leak_table, time_table
from .table import Table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset


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
    recommendation: Recommendation | None
    classes: Classes | None
    embedding: Embedding | None
    media: dict[int, Media]
    data: dict[str, Any] | None
    detections: Detections | None
    times: Table | None
    outlook: Outlook | None
    leaks: Table | None
    provenance: Table
    settings: Table | None

    @property
    def n_colors(self) -> int:
        """Number of colours of lines and classes."""
        return max(len(self.scores.pipelines), 0 if self.embedding is None else len(self.embedding.legend))


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
    recipes: Mapping[str, Any] | None,
    n_events: int,
    metric: str | None,
    title: str | None,
    n_clips: int,
    n_players: int,
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
        classes = build_classes(Predictions.check(predictions, dataset), scores, dataset, n_clips)
    plane = None if embedding is None else build_embedding(embedding, dataset)
    media = _encode_media(dataset, classes, plane, n_players, with_media)
    return Report(
        title=title or (f"{name}: few-shot report" if name else "Few-shot report"),
        scope=_scope(scores, dataset, config),
        headline=headline(scores),
        summary=[*summary_sentences(scores), *_finding_sentences(classes, leak_rows)],
        tiles=_tiles(scores),
        scores=scores,
        charts=[curve_chart(scores, *size) for size in (WIDE, NARROW)],
        table=score_table(scores),
        recommendation=recommend(scores, recipes),
        classes=classes,
        embedding=plane,
        media=media,
        data=_page_data(classes, plane, media),
        detections=None
        if detections is None
        else build_detections(detections, annotations, n_events=n_events, with_media=with_media),
        times=time_table(results, None if dataset is None else len(dataset)),
        outlook=build_outlook(extrapolation, suggestions, scores, n_clips if with_media else 0),
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
        "method": len([name for name in scores.pipelines if name != GUESS]),
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


def _encode_media(
    dataset: "AudioDataset | None",
    classes: Classes | None,
    embedding: Embedding | None,
    n_players: int,
    with_media: bool,
) -> dict[int, Media]:
    """Encode the sound of at most `n_players` clips: the worst errors, embedded clips, then other errors."""
    first = [] if classes is None else [clip.clip for clip in classes.misclassified]
    worst, others = ([], []) if classes is None else (classes.worst, classes.other_errors)
    shown = [] if embedding is None else embedding.clips
    wanted = unique([*first, *worst, *shown, *others])[: max(n_players, len(first))]
    return {
        clip: clip_media(dataset, clip) if with_media else Media(clip_name(dataset, clip)) for clip in wanted
    }


def _page_data(
    classes: Classes | None, embedding: Embedding | None, media: dict[int, Media]
) -> dict[str, Any] | None:
    """Return the data of the page's controls, or None for a page without controls."""
    points = [] if embedding is None else embedding.points
    choices = {} if classes is None else classes.choices
    if not points and not choices:
        return None
    # The page contains the sound of these clips already.
    shown = set() if classes is None else {clip.clip for clip in classes.misclassified}
    rest = {clip: sound._asdict() for clip, sound in media.items() if clip not in shown}
    return {"choices": choices, "points": points, "media": rest}
