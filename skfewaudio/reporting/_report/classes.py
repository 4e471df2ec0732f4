"""Section of the report on classes: confusions, precision and recall, calibration and misclassified clips."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .calibration import Calibration, all_calibrations, build_calibration
from .media import Media, clip_name
from .predictions import (
    MAX_CLASSES,
    MisclassifiedClip,
    Predictions,
    confused_pairs_table,
    confusion_table,
    misclassified_clips,
    per_class_table,
    precision_recall_table,
)
from .scores import MetricScores
from .table import Table

if TYPE_CHECKING:
    from skfewaudio.datasets import AudioDataset

MAX_ERRORS = 100_000  # errors in the data of the page, of at most 20 bytes each


@dataclass(frozen=True)
class Classes:
    """Confusions and errors by class, initially shown for one pipeline and number of clips.

    Parameters
    ----------
    pipeline : str
        The pipeline that is shown first.
    n_shots : int
        The number of labelled clips per class that is shown first.
    confusion : Table or None
        Confusion matrix; None for too many classes.
    by_class : Table
        Accuracy by class and number of clips.
    precision_recall : Table
        Precision, recall and F1 score by class.
    pairs : Table
        Most frequent confusions.
    calibration : Calibration or None
        Reliability diagram; None if no pipeline gives probabilities.
    choices : dict
        Data of all pipelines and numbers of clips, for the page's controls; empty for too many classes.
    misclassified : list of MisclassifiedClip
        Clips that are misclassified most often.
    worst : list of int
        Clips that `pipeline` misclassifies with `n_shots`, and those that any other does most often.
    other_errors : list of int
        Clips that `pipeline` misclassifies, from the largest number of clips per class to the smallest.
    """

    pipeline: str
    n_shots: int
    confusion: Table | None
    by_class: Table
    precision_recall: Table
    pairs: Table
    calibration: Calibration | None
    choices: dict[str, Any]
    misclassified: list[MisclassifiedClip]
    worst: list[int]
    other_errors: list[int]

    @property
    def has_errors(self) -> bool:
        """Whether any of the pipelines that the page can show misclassifies a clip."""
        errors = self.choices.get("errors", [])
        return bool(self.misclassified) or any(part for by_shots in errors for part in by_shots)

    def cards(self, media: dict[int, Media]) -> list[tuple[MisclassifiedClip, Media]]:
        """Return the misclassified clips with their sound."""
        return [(clip, media[clip.clip]) for clip in self.misclassified]


def build_classes(
    predictions: Predictions, scores: MetricScores, dataset: "AudioDataset | None", n_clips: int
) -> Classes:
    """Compute the section for the best pipeline with the largest number of clips."""
    n_shots = predictions.shots[-1]
    pipeline = predictions.best(scores.best(n_shots) if n_shots in scores.shots else None)
    small = len(predictions.classes) <= MAX_CLASSES
    return Classes(
        pipeline,
        n_shots,
        confusion_table(predictions, pipeline, n_shots) if small else None,
        per_class_table(predictions, pipeline),
        precision_recall_table(predictions, pipeline, n_shots),
        confused_pairs_table(predictions, pipeline, n_shots),
        build_calibration(predictions, pipeline, n_shots),
        _choices(predictions, dataset, n_clips) if small else {},
        misclassified_clips(predictions, pipeline, n_shots, n_clips),
        _find_worst(predictions, pipeline, n_shots, n_clips),
        _rank_errors(predictions, pipeline),
    )


def _choices(predictions: Predictions, dataset: "AudioDataset | None", n_clips: int) -> dict[str, Any]:
    """Return the numbers behind the controls of the page."""
    errors = _list_errors(predictions)
    clips = sorted({error[0] for by_shots in errors for part in by_shots for error in part})
    true = predictions.frame.drop_duplicates("clip").set_index("clip")["true"]
    return predictions.all_confusions() | {
        "classes": predictions.classes,
        "errors": errors,
        "clips": {clip: [clip_name(dataset, clip), int(true[clip])] for clip in clips},
        "calibration": all_calibrations(predictions),
        "cards": n_clips,
    }


def _list_errors(predictions: Predictions) -> list[list[list[list[int]]]]:
    """Return [clip, predicted class, number of times, number of predictions] by pipeline and number of clips.

    If there are too many, only the errors with the largest number of clips are kept.
    """
    wrong = int((predictions.frame["true"] != predictions.frame["predicted"]).sum())
    kept = predictions.shots if wrong <= MAX_ERRORS else predictions.shots[-1:]
    return [
        [_errors_of(predictions, pipeline, n) if n in kept else [] for n in predictions.shots]
        for pipeline in predictions.pipelines
    ]


def _errors_of(predictions: Predictions, pipeline: str, n_shots: int) -> list[list[int]]:
    """Return the errors in the order of `misclassified_clips`, for each clip the most frequent first."""
    part = predictions.select(pipeline, n_shots)
    ranked = misclassified_clips(predictions, pipeline, n_shots, len(part))
    wrong = part[part["true"] != part["predicted"]].groupby(["clip", "predicted"]).size()
    by_clip: dict[int, list[tuple[int, int]]] = {}
    for clip, guess, count in wrong.reset_index().itertuples(index=False, name=None):
        by_clip.setdefault(int(clip), []).append((int(guess), int(count)))
    errors = []
    for worst in ranked[:MAX_ERRORS]:
        first = predictions.classes.index(worst.predicted)
        counts = sorted(by_clip[worst.clip], key=lambda item: (item[0] != first, -item[1]))
        errors += [[worst.clip, guess, count, worst.n_predictions] for guess, count in counts]
    return errors


def _find_worst(predictions: Predictions, pipeline: str, n_shots: int, n_clips: int) -> list[int]:
    """List all clips that `pipeline` misclassifies, and those that each other one does most often."""
    others = [name for name in predictions.pipelines if name != pipeline]
    worst = [misclassified_clips(predictions, name, n_shots, n_clips) for name in others]
    shown = misclassified_clips(predictions, pipeline, n_shots, len(predictions.frame))
    return unique(clip.clip for clips in [shown, *worst] for clip in clips)


def _rank_errors(predictions: Predictions, pipeline: str) -> list[int]:
    """List the errors of a pipeline, from the largest number of labelled clips to the smallest."""
    errors = [
        misclassified_clips(predictions, pipeline, n, len(predictions.frame)) for n in predictions.shots[::-1]
    ]
    return unique(clip.clip for clips in errors for clip in clips)


def unique(numbers: Iterable[int]) -> list[int]:
    """Return numbers in the order of their first appearance."""
    return list(dict.fromkeys(numbers))
