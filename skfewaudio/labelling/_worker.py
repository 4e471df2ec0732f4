"""Threads that compute the features of the clips and plan the questions."""

import threading
from collections.abc import Callable, Sequence

from ._answers import Answer
from ._planner import GROWTH, Plan, Planner


class Worker:
    """A thread that computes features, and one that makes a new plan after every answer.

    Parameters
    ----------
    planner : Planner
        Makes the plans.
    snapshot : callable
        Returns the version of the answers, the answers and their recordings.
    publish : callable
        Takes a new plan.
    """

    def __init__(
        self,
        planner: Planner,
        snapshot: Callable[[], tuple[int, list[Answer], list[str]]],
        publish: Callable[[Plan], None],
    ) -> None:
        self._planner = planner
        self._snapshot = snapshot
        self._publish = publish
        self._changed = threading.Condition()
        self._stopped = False
        self._urgent: list[int] = []
        self._n_features = 0
        self._is_complete = False
        self._version = 0
        self._planned: tuple[int, int, bool] = (-1, 0, False)
        self.error: BaseException | None = None
        self._threads = [
            threading.Thread(target=self._guard, args=(work,), name=f"labelling-{name}", daemon=True)
            for name, work in (("features", self._compute), ("plans", self._plan))
        ]

    def start(self) -> None:
        """Start the threads."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop the threads, after the step that each is at."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def wake(self, version: int, urgent: Sequence[int] = ()) -> None:
        """Make a new plan for a version of the answers; compute the features of `urgent` clips first."""
        with self._changed:
            self._version = version
            self._urgent += urgent
            self._changed.notify_all()

    def wait(self, version: int, timeout: float | None, *, complete: bool = False) -> None:
        """Wait until a plan takes a version of the answers, or also all features, into account."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._stopped or (self._planned[0] >= version and (self._planned[2] or not complete)),
                timeout,
            )

    def _guard(self, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:
            with self._changed:
                self.error = error
                self._stopped = True
                self._changed.notify_all()
            raise

    def _compute(self) -> None:
        features = self._planner.features
        while True:
            answered = {answer.clip for answer in self._snapshot()[1]}
            with self._changed:
                urgent, self._urgent = self._urgent, []
            clips = self._planner.pending(urgent, answered)
            if clips:
                self._planner.compute(clips)
            with self._changed:
                if self._stopped:
                    return
                self._n_features, self._is_complete = features.n_done, not clips
                self._changed.notify_all()
                if not clips and not self._urgent:
                    self._changed.wait()

    def _plan(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopped or self._is_due())
                if self._stopped:
                    return
                n_features, is_complete = self._n_features, self._is_complete
            version, answers, groups = self._snapshot()
            plan = self._planner.plan(version, answers, groups)
            self._publish(plan)
            with self._changed:
                self._planned = version, n_features, is_complete
                self._changed.notify_all()

    def _is_due(self) -> bool:
        version, n_features, was_complete = self._planned
        if self._version > version:
            return True
        grown = self._n_features >= max(GROWTH * n_features, n_features + 1)
        return grown or (self._is_complete and not was_complete)
