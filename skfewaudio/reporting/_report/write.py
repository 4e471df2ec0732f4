"""The report: one file that tells what a study found."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from .build import build_report
from .html import render_html
from .markdown import render_markdown

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

COLUMNS = ("pipeline", "n_shots", "repeat", "fold", "metric", "value")
FORMATS = {"html": render_html, "markdown": render_markdown}


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
    metric: str | None = None,
    title: str | None = None,
    n_clips: int = 12,
    format: str = "html",
) -> Path:
    """Write a report on a study to one file.

    The HTML page holds all it shows, sound too, and asks nothing of the network. What is not passed leaves
    its section out.

    Parameters
    ----------
    path : path-like
        The file to write; its folder is made.
    results : DataFrame
        A row per pipeline, n_shots, repeat, fold and metric, of one data set, as `few_shot_curve` and
        `ResultStore` give them.
    predictions : DataFrame or None, default=None
        A row per prediction, in columns pipeline, n_shots, repeat, fold, clip (position in `dataset`),
        predicted (class) and, if known, probability: what `few_shot_curve` hands to `on_predictions`, each as
        a DataFrame, all concatenated. For confusions, accuracy by class, and the clips most often confused.
    dataset : AudioDataset or None, default=None
        What the results are of: for sound, licence and citation, and for the true classes where `predictions`
        have no column true.
    config : mapping or None, default=None
        Settings of the run, to be listed.
    leaks : DataFrame, sequence of str or of records, or None, default=None
        What `check_leakage` or another check found; empty for nothing. Integers in the columns first and
        second are positions in `dataset`.
    extrapolation : DataFrame or None, default=None
        Expected scores with more clips, as `extrapolate_curve` gives them: columns pipeline, n_shots, mean,
        and low and high, or half_width.
    suggestions : DataFrame, sequence of str or of records, or None, default=None
        Unlabelled clips to label next, the most useful first: the files that `suggest_clips` points at.
    embedding : EmbeddingDisplay, DataFrame or None, default=None
        Clips in the plane: columns x, y, label and kind ("clip" or "prototype").
    metric : str or None, default=None
        Which metric the report is on. None is accuracy, or the first metric where there is no accuracy.
    title : str or None, default=None
        Heading. None names the data set.
    n_clips : int, default=12
        At most so many of the clips most often confused are shown, with at most 6 s of sound each (about
        70 kB a clip).
    format : {"html", "markdown"}, default="html"
        Markdown has the texts and tables, without pictures, sound and controls.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ValueError
        If results are empty, of several data sets, or lack the metric or a column; if `predictions` do not
        fit `dataset`; if `extrapolation` or `embedding` lack a column; or `format` is unknown.
    OSError
        If the file cannot be written.

    See Also
    --------
    skfewaudio.model_selection.few_shot_curve : Computes the results.
    skfewaudio.model_selection.check_leakage : Finds leaks.
    skfewaudio.model_selection.extrapolate_curve : Estimates what more clips bring.
    skfewaudio.model_selection.suggest_clips : Says which to label next.
    accuracy_table : The scores alone.

    Notes
    -----
    A clip whose file cannot be read is listed with the reason in place of its sound.

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
    if format not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}; got {format!r}")
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
        metric=metric,
        title=title,
        n_clips=n_clips,
        with_media=format == "html",
    )
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(FORMATS[format](report), encoding="utf-8")
    return path


def _check_results(results: pd.DataFrame) -> None:
    """Refuse what no report can be made of; `summarize` checks the columns."""
    if results.empty:
        raise ValueError("results are empty; expected a row per fold, as few_shot_curve gives")
    missing = [name for name in COLUMNS if name not in results]
    if missing:
        raise ValueError(
            f"results lack the columns {', '.join(missing)}; expected a row per fold, as few_shot_curve gives"
        )
    if not pd.api.types.is_numeric_dtype(results["n_shots"]) or results["n_shots"].isna().any():
        raise ValueError("results hold rows without n_shots; expected a number of labelled clips in each")
    names = results["dataset"].unique().tolist() if "dataset" in results else []
    if len(names) > 1:
        raise ValueError(
            f"results are of {len(names)} data sets ({', '.join(map(str, names))}); pass the rows of one"
        )
