"""The plan of the next questions, made from the features and the answers."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ._answers import Answer
from ._beliefs import BeliefModel, Beliefs
from ._estimate import AccuracyEstimate, estimate_accuracy
from ._model_beliefs import ModelBeliefs
from ._outlook import Outlook, estimate_gain
from ._questions import (
    CERTAIN_WEIGHT,
    choose_coverage,
    measure_distances,
    measure_uncertainty,
)
from .block_features import CLIPS_AT_ONCE, BlockFeatures, ReadyBlocks

# Clips among which questions are chosen; the distances between all of them are kept in memory.
N_CANDIDATES = 4000
QUEUE_LENGTH = 6
# A new plan is made while features are computed when the number of clips has grown by this factor.
GROWTH = 1.25


@dataclass(frozen=True)
class Plan:
    """The next questions, and the predictions for each clip.

    Attributes
    ----------
    version : int
        Version of the answers that the plan takes into account.
    queue : tuple of int
        Clips to ask about next, in order.
    beliefs : Beliefs or None
        Class probabilities.
    estimate : AccuracyEstimate or None
        Accuracy on all clips.
    """

    version: int = -1
    queue: tuple[int, ...] = ()
    beliefs: Beliefs | None = None
    estimate: AccuracyEstimate | None = None
    rows: dict[int, int] = field(default_factory=dict)
    reasons: dict[int, str] = field(default_factory=dict)
    labelled_rows: dict[int, int] = field(default_factory=dict)

    def proba_of(self, clip: int) -> dict[str, float]:
        """Return the probability of each class, the most probable one first."""
        if self.beliefs is None or clip not in self.rows:
            return {}
        return _rank(self.beliefs.classes, self.beliefs.proba[self.rows[clip]])

    def reason_of(self, clip: int) -> str:
        """Return why a clip is asked about."""
        return self.reasons.get(clip, "first")

    def doubts(self, answers: Sequence[Answer]) -> list[tuple[Answer, str, float]]:
        """Return answers with the class that is predicted without them, the most doubtful ones first."""
        found = []
        for answer in answers:
            if self.beliefs is None or answer.clip not in self.labelled_rows:
                found.append((answer, "", 1.0))
                continue
            ranking = _rank(self.beliefs.classes, self.beliefs.left_out[self.labelled_rows[answer.clip]])
            found.append((answer, next(iter(ranking)), ranking.get(answer.label, 0.0)))
        return sorted(found, key=lambda item: (item[1] in ("", item[0].label), item[2]))


def _rank(classes: Sequence[str], proba: NDArray[np.floating]) -> dict[str, float]:
    order = np.argsort(-proba, kind="stable")
    return {classes[i]: float(proba[i]) for i in order}


class Planner:
    """Make plans from features and answers.

    Parameters
    ----------
    features : BlockFeatures
        Features of the clips.
    first : ModelBeliefs
        Beliefs of a model that was fitted before.
    strategy : str
        One of `STRATEGIES`.
    random_state : int
        Seed.
    """

    def __init__(
        self, features: BlockFeatures, first: ModelBeliefs, strategy: str, random_state: int
    ) -> None:
        self.features = features
        self._first = first
        self._strategy = strategy
        self._rng = np.random.default_rng(random_state)
        self.order: list[int] = self._rng.permutation(len(features)).tolist()
        self._beliefs = BeliefModel()
        self._ready: ReadyBlocks | None = None
        self._distances: tuple[ReadyBlocks, NDArray[np.float32]] | None = None

    def pending(self, urgent: Sequence[int], answered: set[int]) -> list[int]:
        """Return the clips whose features to compute next."""
        missing = [clip for clip in urgent if self._is_missing(clip)]
        missing += [clip for clip in answered if self._is_missing(clip)]
        n_open = 0
        for clip in self.order:
            if len(missing) >= CLIPS_AT_ONCE or n_open >= N_CANDIDATES:
                break
            n_open += clip not in answered
            if self._is_missing(clip):
                missing.append(clip)
        return list(dict.fromkeys(missing))[:CLIPS_AT_ONCE]

    def _is_missing(self, clip: int) -> bool:
        return not self.features.is_ready(clip) and clip not in self.features.problems

    def compute_features(self) -> None:
        """Compute all features that are missing."""
        while clips := self.pending([], set()):
            self.compute(clips)

    def compute(self, clips: Sequence[int]) -> None:
        """Compute the features of some clips, and the predictions of the given model."""
        self.features.compute(clips)
        self._first.compute([c for c in clips if c not in self.features.problems], self.features)

    def plan(self, version: int, answers: Sequence[Answer], groups: Sequence[str]) -> Plan:
        """Fit the classifier to the answers, and choose the next questions."""
        ready = self._current_features(answers)
        if ready is None:
            return Plan(version)
        rows = {int(clip): row for row, clip in enumerate(ready.clips)}
        pairs = [(a, g) for a, g in zip(answers, groups, strict=True) if a.kind == "label" and a.clip in rows]
        labelled = np.array([rows[answer.clip] for answer, _ in pairs], dtype=np.intp)
        beliefs = None
        if pairs:
            labels, recordings = [a.label for a, _ in pairs], [group for _, group in pairs]
            beliefs = self._beliefs.fit(ready, labelled, labels, recordings)
        if self._first.has_model:
            beliefs = self._first.choose(ready.clips, labelled, [a.label for a, _ in pairs], beliefs)
        done = np.array([rows[a.clip] for a in answers if a.clip in rows], dtype=np.intp)
        queue, reason = self._choose(ready, done, labelled, beliefs)
        clips = tuple(int(ready.clips[row]) for row in queue)
        return Plan(
            version,
            clips,
            beliefs,
            None
            if beliefs is None or len(beliefs.classes) < 2
            else estimate_accuracy(np.delete(beliefs.proba, done, axis=0), len(pairs)),
            rows,
            dict.fromkeys(clips, reason),
            {answer.clip: i for i, (answer, _) in enumerate(pairs)},
        )

    def estimate_gain(self, answers: Sequence[Answer], error: float, n_more: int) -> Outlook | None:
        """Estimate how much more labels would raise the accuracy."""
        ready = self._ready
        rows = {} if ready is None else {int(clip): row for row, clip in enumerate(ready.clips)}
        known = [answer for answer in answers if answer.clip in rows]
        if ready is None or not known:
            return None
        chosen = np.array([rows[answer.clip] for answer in known], dtype=np.intp)
        return estimate_gain(ready, chosen, [answer.label for answer in known], error=error, n_more=n_more)

    def _current_features(self, answers: Sequence[Answer]) -> ReadyBlocks | None:
        """Return the features; while they are computed, they are renewed when their number has grown."""
        last = self._ready
        if last is not None and self.features.n_ready < min(GROWTH * len(last.X), self._n_wanted()):
            known = set(last.clips.tolist())
            if last.n_replaced == self.features.n_replaced and all(
                answer.clip in known or not self.features.is_ready(answer.clip) for answer in answers
            ):
                return last
        self._ready = self.features.scaled()
        return self._ready

    def _n_wanted(self) -> int:
        return min(N_CANDIDATES, len(self.features) - len(self.features.problems))

    def _choose(
        self,
        ready: ReadyBlocks,
        done: NDArray[np.intp],
        labelled: NDArray[np.intp],
        beliefs: Beliefs | None,
    ) -> tuple[NDArray[np.intp], str]:
        """Return the rows to ask about next, and why."""
        open_rows = np.setdiff1d(np.arange(len(ready.X)), done)
        if not len(open_rows) or self._strategy == "random":
            return self._rng.permutation(open_rows)[:QUEUE_LENGTH], "first"
        doubtful = beliefs is not None and len(beliefs.classes) > 1
        uncertainty = np.ones(len(ready.X))
        if doubtful and beliefs is not None:
            uncertainty = measure_uncertainty(beliefs.proba) + CERTAIN_WEIGHT
        if self._strategy == "uncertainty":
            if not doubtful:
                return self._rng.permutation(open_rows)[:QUEUE_LENGTH], "first"
            return open_rows[np.argsort(-uncertainty[open_rows], kind="stable")][:QUEUE_LENGTH], "uncertain"
        weights = None
        if self._strategy == "adaptive" and doubtful:
            weights = uncertainty
            weights[labelled] = 0.0
        distances = self._measure(ready)
        queue = choose_coverage(distances, open_rows, done, weights=weights, n_clips=QUEUE_LENGTH)
        return queue, "coverage" if weights is None else "uncertain"

    def _measure(self, ready: ReadyBlocks) -> NDArray[np.float32]:
        if self._distances is None or self._distances[0] is not ready:
            self._distances = ready, measure_distances(ready.X, ready.sizes, ready.prior)
        return self._distances[1]
