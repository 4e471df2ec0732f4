"""Function that writes a report on few-shot results to a file."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from skfewaudio._files import write_file

from .build import build_report
from .html import render_html
from .markdown import render_markdown

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

RESULT_COLUMNS = ("pipeline", "n_shots", "repeat", "fold", "metric", "value")
RENDERERS = {"html": render_html, "markdown": render_markdown}


def write_report(
    path: str | PathLike[str],
    results: pd.DataFrame,
    *,
    predictions: pd.DataFrame | None = None,
    dataset: "AudioDataset | None" = None,
    config: Mapping[str, Any] | None = None,
    leaks: Any = None,
    extrapolation: Any = None,
    suggestions: Any = None,
    embedding: Any = None,
    detections: Any = None,
    annotations: Any = None,
    recipes: Mapping[str, Any] | None = None,
    metric: str | None = None,
    title: str | None = None,
    n_clips: int = 12,
    n_players: int = 100,
    n_events: int = 20,
    format: str = "html",
) -> Path:
    """Write a report on few-shot results to a single HTML or Markdown file.

    The HTML page is self-contained, including the audio, and sends no requests to the network. Sections whose
    argument is None are omitted.

    Parameters
    ----------
    path : path-like
        The file to write. Its directory is created if necessary.
    results : DataFrame
        One row per pipeline, n_shots, repeat, fold and metric, for a single dataset, as returned by
        `few_shot_curve` and `ResultStore`.
    predictions : DataFrame or None, default=None
        One row per prediction, with columns pipeline, n_shots, repeat, fold, clip (index into `dataset`),
        predicted (class) and optionally probability. To obtain it, convert the predictions that
        `few_shot_curve` passes to `on_predictions` to DataFrames and concatenate them. Needed for the
        confusion matrices, precision and recall, the reliability diagram and the misclassified clips.
    dataset : AudioDataset or None, default=None
        Dataset of the results. It provides audio, licence and citation, and the true classes if `predictions`
        has no column true.
    config : mapping or None, default=None
        Settings of the run to list in the report. The keys date, command, commit and machine are listed with
        the data.
    leaks : DataFrame, sequence of str or of records, or None, default=None
        Findings of `check_leakage` or another check; empty if nothing was found. Integers in the columns
        first and second are indices into `dataset`.
    extrapolation : DataFrame or None, default=None
        Expected scores for more clips, as returned by `extrapolate_curve`: columns pipeline, n_shots, mean,
        and either low and high, or half_width.
    suggestions : DataFrame, sequence of str or of records, or None, default=None
        Unlabelled clips in the order in which to label them, such as the files that `suggest_clips` selects.
        The first `n_clips` files have a player.
    embedding : EmbeddingDisplay, DataFrame or None, default=None
        Embedded clips and prototypes: columns x, y, label and kind ("clip" or "prototype"). With the column
        clip (position in `dataset`), the clips can be played; with the column predicted (class), errors are
        marked.
    detections : DataFrame or None, default=None
        Found events, as returned by :func:`~skfewaudio.detection.detect_events`, each with a player.
    annotations : DataFrame, AudioDataset or None, default=None
        Annotated events of the same recordings. With these, false alarms are listed first, and the scores of
        the found events are shown.
    recipes : mapping of str to mapping, or None, default=None
        How to make each pipeline: "command" (for a shell) and "python" (code), by the name of the pipeline.
        The report shows both for the recommended pipeline.
    metric : str or None, default=None
        Metric of the report. None uses accuracy if available, else the first metric in `results`.
    title : str or None, default=None
        Title of the report. None uses the name of the dataset.
    n_clips : int, default=12
        Maximum number of misclassified clips to show at a time, and of suggestions with a player.
    n_players : int, default=100
        Maximum number of labelled clips with a player in the whole page, with at most 6 s of audio each
        (about 40 kB per clip): the clips that any pipeline misclassifies most often, embedded clips, and
        other errors of the best pipeline. Other clips are only named.
    n_events : int, default=20
        Maximum number of found events to show, by falling probability, with at most 6 s of audio each.
    format : {"html", "markdown"}, default="html"
        Markdown contains the texts and tables, without charts, audio and controls.

    Returns
    -------
    Path
        Path of the written file.

    Raises
    ------
    ValueError
        If `results` is empty, contains several datasets, or lacks the metric or a column; if `predictions`
        does not match `dataset`; if `extrapolation`, `embedding`, `detections` or `annotations` lacks a
        column; if `recipes` has other keys; or if `format` is unknown.
    OSError
        If the file cannot be written.

    See Also
    --------
    skfewaudio.model_selection.few_shot_curve : Computes the results.
    skfewaudio.model_selection.check_leakage : Checks a dataset for leakage.
    skfewaudio.model_selection.extrapolate_curve : Estimates scores for more clips.
    skfewaudio.model_selection.suggest_clips : Selects the clips to label next.
    accuracy_table : Formats the scores as a table.

    Notes
    -----
    For a clip whose file cannot be read, the report shows the reason instead of the audio.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> import pandas as pd
    >>> from skfewaudio.reporting import write_report
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": [1, 1, 5, 5], "repeat": [0, 1] * 2, "fold": 0,
    ...                         "metric": "accuracy", "value": [0.40, 0.42, 0.50, 0.52]})
    >>> with TemporaryDirectory() as folder:
    ...     text = write_report(f"{folder}/report.md", results, format="markdown").read_text()
    >>> print(text.splitlines()[2])
    1-nn reaches 51.0 % accuracy with 5 labelled clips per class.
    """
    if format not in RENDERERS:
        raise ValueError(f"format must be one of {', '.join(RENDERERS)}; got {format!r}")
    _check_results(results)
    report = build_report(
        results,
        predictions=predictions,
        dataset=dataset,
        config=config,
        leaks=leaks,
        extrapolation=extrapolation,
        suggestions=suggestions,
        embedding=embedding,
        detections=detections,
        annotations=annotations,
        recipes=recipes,
        n_events=n_events,
        metric=metric,
        title=title,
        n_clips=n_clips,
        n_players=n_players,
        with_media=format == "html",
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    content = RENDERERS[format](report).encode(errors="backslashreplace")
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout, which cannot be replaced
        path.write_bytes(content)
    else:
        write_file(path, content)
    return path


def _check_results(results: pd.DataFrame) -> None:
    """Raise ValueError for results that are empty, incomplete or of several datasets."""
    if results.empty:
        raise ValueError("results are empty; expected a row per fold, as returned by few_shot_curve")
    missing = [name for name in RESULT_COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as returned by "
            "few_shot_curve"
        )
    if not pd.api.types.is_numeric_dtype(results["n_shots"]) or results["n_shots"].isna().any():
        raise ValueError("results hold rows without n_shots; expected a number of labelled clips in each row")
    names = results["dataset"].unique().tolist() if "dataset" in results else []
    if len(names) > 1:
        raise ValueError(
            f"results contain {len(names)} datasets ({', '.join(map(str, names))}); pass the rows of one"
        )
