"""Active labelling: which clip to label next, refined after every answer."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from skfewaudio.audio.clips import FilePart

from ._answers import Answer, Change, Kind
from ._beliefs import Beliefs
from ._estimate import AccuracyEstimate
from ._label_names import check_label
from ._ledger import Ledger
from ._model_beliefs import ModelBeliefs
from ._outlook import Outlook
from ._planner import Plan, Planner
from ._questions import STRATEGIES
from ._worker import Worker
from .block_features import BlockFeatures


@dataclass(frozen=True)
class Question:
    """One clip to label.

    Attributes
    ----------
    clip : int
        Index of the clip.
    sound : object
        The clip, in the form in which it was given.
    proba : dict of str to float
        Probability of each class so far, the most probable one first; empty while there are no beliefs.
    reason : {"first", "coverage", "uncertain"}
        Why this clip is asked about: features are not ready yet; it represents clips that are unlike the
        labelled ones; or it represents clips of uncertain classes.
    """

    clip: int
    sound: Any
    proba: dict[str, float]
    reason: str


class ActiveLabeller:
    """Choose the clips whose labels improve a classifier most, one at a time.

    The features of all clips are computed once, in the background. The first questions cover the clips: each
    one is about the clip that represents most of the others. Later questions weight the clips by the
    uncertainty of the classifier, which is fitted anew after every answer.

    Parameters
    ----------
    clips : sequence of length n_clips
        Paths, parts of files ``(path, start, end)``, or sound with its sample rate.
    table : path-like, default=None
        Table that is written after every answer, in the form that
        :func:`~skfewaudio.datasets.load_csv` reads. Answers that it has are taken up again. Clips
        must then be files. None writes nothing.
    classes : sequence of str, default=()
        Names of expected classes. Other classes may be answered, too.
    model : estimator, default=None
        Fitted pipeline with ``predict_proba``, such as from an earlier session. Its probabilities are used
        until the labelled clips alone predict each other better.
    strategy : {"adaptive", "coverage", "uncertainty", "random"}, default="adaptive"
        How questions are chosen. ``"adaptive"`` is described above; the others are for comparison.
    background : bool, default=True
        Whether features and fits are computed in threads, so that no call waits for them. False computes them
        in :meth:`ask`; questions then depend on the answers alone.
    cache : path-like, False or None, default=None
        Cache directory of the spectrograms, as for :class:`~skfewaudio.features.CachedFeatures`.
    random_state : int, default=0
        Seed of the order in which features are computed, and of random choices.
    features : skfewaudio.labelling.block_features.BlockFeatures, default=None
        Features that are computed already. None computes them.

    See Also
    --------
    skfewaudio.model_selection.suggest_clips : Suggests several clips at once for any classifier.

    Notes
    -----
    A clip represents another one as far as their embeddings (:class:`~skfewaudio.features.SoundEmbed`) are
    nearer than the nearest labelled clip. The user guide describes the choice, and the benchmarks of the
    documentation compare it with random choice.

    Examples
    --------
    >>> from skfewaudio.datasets import load_synthetic
    >>> from skfewaudio.labelling import ActiveLabeller
    >>> dataset = load_synthetic(2, n_folds=2, duration=1.0)
    >>> X, y = dataset
    >>> with ActiveLabeller(X, background=False, cache=False) as labeller:
    ...     for _ in range(5):
    ...         question = labeller.ask()
    ...         labeller.tell(y[question.clip])
    ...     len(labeller.labelled())
    5
    """

    def __init__(
        self,
        clips: Sequence[Any],
        *,
        table: str | os.PathLike[str] | None = None,
        classes: Sequence[str] = (),
        model: Any = None,
        strategy: str = "adaptive",
        background: bool = True,
        cache: str | os.PathLike[str] | bool | None = None,
        random_state: int = 0,
        features: BlockFeatures | None = None,
    ) -> None:
        if strategy not in STRATEGIES:
            raise ValueError(f"strategy={strategy!r}; expected one of {', '.join(STRATEGIES)}")
        if not len(clips):
            raise ValueError("there are no clips; expected at least one")
        self._ledger = Ledger(clips, table)
        self._given = [check_label(name) for name in classes]
        self.features = BlockFeatures(self._ledger.sounds, cache=cache) if features is None else features
        self._planner = Planner(self.features, ModelBeliefs(model), strategy, random_state)
        self._plan = Plan()
        self._current: int | None = None
        self._worker = Worker(self._planner, self._snapshot, self._publish) if background else None
        if self._worker is not None:
            self._worker.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the threads. All answers are on the disk already."""
        if self._worker is not None:
            self._worker.stop()

    def __len__(self) -> int:
        return len(self._ledger.sounds)

    # Questions and answers

    def ask(self, *, timeout: float = 0.0) -> Question | None:
        """Return the next question.

        Parameters
        ----------
        timeout : float, default=0.0
            Longest time in seconds to wait for a fit that takes the last answer into account. If it takes
            longer, the question was chosen before the last answer.

        Returns
        -------
        Question or None
            None if every clip has an answer.
        """
        if self._worker is None:
            self._plan_now()
        elif timeout > 0:
            self._worker.wait(self._ledger.book.version, timeout)
        with self._ledger.lock:
            self._current = self._next_clip()
            return None if self._current is None else self.question(self._current)

    def question(self, clip: int) -> Question:
        """Return the question about a given clip.

        Parameters
        ----------
        clip : int
            Index of the clip.

        Returns
        -------
        Question
        """
        self._ledger.check_clip(clip)
        plan = self._plan
        return Question(clip, self._ledger.sounds[clip], plan.proba_of(clip), plan.reason_of(clip))

    def tell(
        self, label: str, *, clip: int | None = None, start: float | None = None, end: float | None = None
    ) -> None:
        """Label a clip, or correct its label.

        Parameters
        ----------
        label : str
            Name of the class.
        clip : int, default=None
            Index of the clip. None is the clip of the last question.
        start, end : float, default=None
            Part of the clip that the label refers to, in seconds from the start of its file. None is the
            whole clip.

        Raises
        ------
        ValueError
            If the label cannot be used, or the part does not lie in the clip. Nothing is then recorded.
        OSError
            If the table cannot be written. Nothing is then recorded.
        """
        clip = self._which(clip)
        part = self._ledger.check_trim(clip, start, end)
        self._put(Answer(clip, "label", check_label(label), *part))

    def mark_unknown(self, *, clip: int | None = None) -> None:
        """Record that the class of a clip cannot be told; it is not asked about again.

        Parameters
        ----------
        clip : int, default=None
            Index of the clip. None is the clip of the last question.
        """
        self._put(Answer(self._which(clip), "unknown"))

    def mark_bad(self, *, clip: int | None = None) -> None:
        """Record that a recording is unusable; it is not asked about again.

        Parameters
        ----------
        clip : int, default=None
            Index of the clip. None is the clip of the last question.
        """
        self._put(Answer(self._which(clip), "bad"))

    def skip(self, *, clip: int | None = None) -> None:
        """Put a clip off until all others have an answer.

        Parameters
        ----------
        clip : int, default=None
            Index of the clip. None is the clip of the last question.
        """
        self._put(Answer(self._which(clip), "skip"))

    def undo(self) -> int | None:
        """Undo the last answer or correction of this session.

        Returns
        -------
        int or None
            Index of the clip; None if there is nothing to take back.
        """
        with self._ledger.lock:
            change = self._ledger.undo()
            if change is None:
                return None
            self._changed(change)
            self._current = change.clip
            return change.clip

    # What is known

    @property
    def classes(self) -> list[str]:
        """Expected and answered classes, in the order in which they appeared."""
        answered = [answer.label for answer in self._ledger.book.with_kind("label")]
        return list(dict.fromkeys([*self._given, *answered]))

    def add_class(self, name: str) -> str:
        """Add the name of an expected class, and return it in the form in which it is stored.

        Parameters
        ----------
        name : str
            Name of the class.

        Returns
        -------
        str
        """
        label = check_label(name)
        with self._ledger.lock:
            if label not in self.classes:
                self._given.append(label)
        return label

    def labelled(self) -> list[Answer]:
        """Return the labelled clips, in the order in which they were answered.

        Returns
        -------
        list of Answer
        """
        return self._ledger.book.with_kind("label")

    def answers(self, kind: Kind | None = None) -> list[Answer]:
        """Return the answers of a kind.

        Parameters
        ----------
        kind : {"label", "unknown", "bad", "skip"}, default=None
            None is all of them.

        Returns
        -------
        list of Answer
        """
        return list(self._ledger.book) if kind is None else self._ledger.book.with_kind(kind)

    def answer_of(self, clip: int) -> Answer | None:
        """Return the answer of a clip; None if it has none.

        Parameters
        ----------
        clip : int
            Index of the clip.

        Returns
        -------
        Answer or None
        """
        self._ledger.check_clip(clip)
        return self._ledger.book.get(clip)

    def doubts(self) -> list[tuple[Answer, str, float]]:
        """Return the labelled clips, beginning with those whose label the classifier disagrees with most.

        Returns
        -------
        list of (Answer, str, float)
            The answer, the class that is predicted without it, and the probability of the answer.
        """
        return self._plan.doubts(self.labelled())

    def estimate(self) -> AccuracyEstimate | None:
        """Estimate the accuracy on the clips; None with fewer than ten labelled clips or one class.

        Returns
        -------
        AccuracyEstimate or None
        """
        return self._plan.estimate

    def outlook(self, n_more: int = 10) -> Outlook | None:
        """Estimate how much more labels would raise the accuracy, from the labelled clips alone.

        Parameters
        ----------
        n_more : int, default=10
            Number of additional labels.

        Returns
        -------
        Outlook or None
            None with fewer than 24 labelled clips whose features are ready, or two classes.
        """
        found = self.estimate()
        if found is None:
            return None
        return self._planner.estimate_gain(self.labelled(), 1 - found.accuracy, n_more)

    @property
    def history(self) -> list[dict[str, Any]]:
        """The course of the estimate: dicts with ``n_labelled``, ``accuracy``, ``low`` and ``high``."""
        return list(self._ledger.history)

    @property
    def beliefs(self) -> Beliefs | None:
        """Class probabilities of the last fit."""
        return self._plan.beliefs

    @property
    def can_undo(self) -> bool:
        """Whether there is an answer to take back."""
        return self._ledger.book.can_undo

    @property
    def parts(self) -> list[FilePart] | None:
        """The clips as parts of files; None if they are not from files."""
        return None if self._ledger.parts is None else list(self._ledger.parts)

    @property
    def trouble(self) -> str:
        """Message of the error that stopped the computation in the background; empty while it works."""
        return "" if self._worker is None or self._worker.error is None else str(self._worker.error)

    def upcoming(self, n_clips: int) -> list[int]:
        """Return clips that will probably be asked about next, after the last question.

        Parameters
        ----------
        n_clips : int
            Number of clips.

        Returns
        -------
        list of int
        """
        queue = [clip for clip in self._plan.queue if clip not in self._ledger.book and clip != self._current]
        return queue[:n_clips]

    def check_clip(self, clip: object) -> int:
        """Check the index of a clip.

        Parameters
        ----------
        clip : object
            Index.

        Returns
        -------
        int

        Raises
        ------
        ValueError
            If there is no such clip.
        """
        return self._ledger.check_clip(clip)

    @property
    def has_parts(self) -> bool:
        """Whether a label refers to a part of a recording."""
        return any(not isinstance(clip, str) for clip in self.training_set()[0])

    def training_set(self) -> tuple[list[Any], list[str], list[str]]:
        """Return the labelled clips for the final model.

        Returns
        -------
        X : list
            Clips, or their parts where labels refer to parts.
        y : list of str
            Labels.
        groups : list of str
            Recording of each clip.
        """
        with self._ledger.lock:
            answers = self.labelled()
            X = [self._ledger.sound_of(answer) for answer in answers]
            return (
                X,
                [answer.label for answer in answers],
                [self._ledger.group_of(answer.clip) for answer in answers],
            )

    def plan_now(self) -> None:
        """Compute all features, fit the classifier to all answers, and wait for it."""
        if self._worker is None:
            self._plan_now()
        else:
            self._worker.wait(self._ledger.book.version, None, complete=True)

    # Steps

    def _next_clip(self) -> int | None:
        book = self._ledger.book
        for clip in (*self._plan.queue, *self._planner.order):
            if clip not in book and clip not in self.features.problems:
                return int(clip)
        skipped = [answer.clip for answer in book.with_kind("skip")]
        return skipped[0] if skipped else None

    def _put(self, answer: Answer) -> None:
        with self._ledger.lock:
            self._changed(self._ledger.put(answer))

    def _changed(self, change: Change) -> None:
        """Fit anew, with new features if the part of a clip has changed."""
        before, after = (answer or Answer(change.clip, "skip") for answer in change[1:])
        moved = (before.start, before.end) != (after.start, after.end)
        if moved:
            self.features.replace(change.clip, self._ledger.sound_of(after))
        if self._worker is not None:
            self._worker.wake(self._ledger.book.version, urgent=[change.clip] if moved else [])

    def _which(self, clip: int | None) -> int:
        clip = self._current if clip is None else clip
        if clip is None:
            raise ValueError("no question was asked; call ask() first, or pass clip")
        return self._ledger.check_clip(clip)

    # Planning

    def _snapshot(self) -> tuple[int, list[Answer], list[str]]:
        with self._ledger.lock:
            answers = list(self._ledger.book)
            return (
                self._ledger.book.version,
                answers,
                [self._ledger.group_of(answer.clip) for answer in answers],
            )

    def _plan_now(self) -> None:
        self._planner.compute_features()
        version, answers, groups = self._snapshot()
        if self._plan.version != version:
            self._publish(self._planner.plan(version, answers, groups))

    def _publish(self, plan: Plan) -> None:
        with self._ledger.lock:
            self._plan = plan
            if plan.estimate is not None:
                self._ledger.add_estimate(plan.estimate.as_entry())
