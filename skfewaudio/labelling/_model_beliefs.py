"""Beliefs of a model that was fitted before, for the first questions."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._beliefs import Beliefs
from .block_features import BlockFeatures


class ModelBeliefs:
    """Probabilities of a fitted pipeline, used until the labelled clips predict each other better.

    Parameters
    ----------
    model : estimator or None
        Fitted pipeline for sounds, with ``predict_proba``. None has no beliefs.

    Raises
    ------
    TypeError
        If the model has no ``predict_proba``.
    """

    def __init__(self, model: Any) -> None:
        if model is not None and not hasattr(model, "predict_proba"):
            raise TypeError(f"{type(model).__name__} has no predict_proba; pass a classifier that has it")
        self._model = model
        self._classes = [] if model is None else [str(name) for name in model.classes_]
        self._proba: dict[int, NDArray[np.float64]] = {}

    @property
    def has_model(self) -> bool:
        """Whether there is a model."""
        return self._model is not None

    def compute(self, clips: Sequence[int], features: BlockFeatures) -> None:
        """Predict some clips."""
        if self._model is None or not clips:
            return
        proba = self._model.predict_proba([features.sound(clip) for clip in clips])
        self._proba.update(zip(clips, np.asarray(proba, dtype=np.float64), strict=True))

    def choose(
        self,
        clips: NDArray[np.intp],
        labelled: NDArray[np.intp],
        labels: Sequence[str],
        own: Beliefs | None,
    ) -> Beliefs | None:
        """Return the beliefs of the model, or `own` if these predict the labelled clips better.

        Parameters
        ----------
        clips : ndarray of int of shape (n_ready,)
            Clips that are ready.
        labelled : ndarray of int of shape (n_labelled,)
            Rows of the labelled clips.
        labels : sequence of str
            Their labels.
        own : Beliefs or None
            Beliefs of the classifier that is fitted to the labelled clips.

        Returns
        -------
        Beliefs or None
        """
        if any(int(clip) not in self._proba for clip in clips):
            return own
        proba = np.stack([self._proba[int(clip)] for clip in clips])
        given = Beliefs(self._classes, proba, proba[labelled])
        if own is None or len(own.classes) < 2:
            return given
        return own if _count_correct(own, labels) > _count_correct(given, labels) else given


def _count_correct(beliefs: Beliefs, labels: Sequence[str]) -> int:
    predicted = np.array(beliefs.classes)[beliefs.left_out.argmax(axis=1)]
    return int((predicted == np.array(labels)).sum())
