"""Content and actions of the page, without HTTP."""

import os
import threading
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any

from skfewaudio.audio import audio_info
from skfewaudio.exceptions import AudioLoadError

from .._answers import Answer
from .._final import list_commands, save_final_model
from .._labeller import ActiveLabeller, Question
from .media import encode_spectrogram, encode_wav, load_clip
from .messages import Action

# Longest time in seconds that an answer waits for a fit; the next question is then chosen before it.
PATIENCE = 0.1
MAX_CLASSES = 200
N_SHOWN = 6  # most probable classes


class PageSession:
    """The labeller as the page uses it.

    Parameters
    ----------
    labeller : ActiveLabeller
        Asks the questions.
    model_path : path-like
        File that the model is saved to.
    table : path-like, default=None
        Table of labels, which the commands name.
    folder : path-like, default="."
        Folder of the recordings, which paths are shown relative to.
    """

    def __init__(
        self,
        labeller: ActiveLabeller,
        *,
        model_path: str | os.PathLike[str],
        table: str | os.PathLike[str] | None = None,
        folder: str | os.PathLike[str] = ".",
    ) -> None:
        self.labeller = labeller
        self._model_path = Path(model_path)
        self._table = table
        self._folder = folder
        self._lock = threading.Lock()
        self._saving: threading.Thread | None = None
        self._saved: dict[str, Any] = {"status": "none"}
        self._media = lru_cache(maxsize=6)(self._load)

    def act(self, action: Action) -> dict[str, Any]:
        """Carry out an action, and return the next content of the page.

        Raises
        ------
        ValueError
            If the action is impossible. Nothing has changed.
        OSError
            If the answer could not be written. Nothing has changed.
        """
        with self._lock:
            shown = self._act(action)
            return self.show(shown) if shown is not None else self.next()

    def _act(self, action: Action) -> int | None:
        """Carry out an action; return the clip to show, or None for the next question."""
        labeller = self.labeller
        if action.action == "undo":
            undone = labeller.undo()
            if undone is None:
                raise ValueError("there is nothing to undo")
            return undone
        if action.action == "save":
            self.save()
        elif action.action == "label":
            self._check_room(str(action.label))
            labeller.tell(str(action.label), clip=action.clip, start=action.start, end=action.end)
        elif action.action == "unknown":
            labeller.mark_unknown(clip=action.clip)
        elif action.action == "bad":
            labeller.mark_bad(clip=action.clip)
        else:
            labeller.skip(clip=action.clip)
        return None

    def _check_room(self, label: str) -> None:
        classes = self.labeller.classes
        if len(classes) >= MAX_CLASSES and label not in classes:
            raise ValueError(f"there are {MAX_CLASSES} classes already; use one of them")

    def next(self) -> dict[str, Any]:
        """Return the next question and the state."""
        question = self.labeller.ask(timeout=PATIENCE)
        return {**self.state(), "question": None if question is None else self._describe(question)}

    def show(self, clip: int) -> dict[str, Any]:
        """Return the question about a clip and the state."""
        return {**self.state(), "question": self._describe(self.labeller.question(clip))}

    def state(self) -> dict[str, Any]:
        """Return counts, classes, the estimated accuracy and its course."""
        labeller = self.labeller
        answers = labeller.answers()
        counts = Counter(answer.label for answer in answers if answer.kind == "label")
        kinds = Counter(answer.kind for answer in answers)
        estimate = labeller.estimate()
        return {
            "n_clips": len(labeller),
            "answers": {kind: kinds.get(kind, 0) for kind in ("label", "unknown", "bad", "skip")},
            "classes": [{"name": name, "n": counts.get(name, 0)} for name in labeller.classes],
            "features": {
                "done": labeller.features.n_done,
                "problems": len(labeller.features.problems),
                "error": labeller.trouble,
            },
            "estimate": None if estimate is None else estimate.as_entry(),
            "history": labeller.history,
            "can_undo": labeller.can_undo,
            "upcoming": labeller.upcoming(2),
            "saved": dict(self._saved),
        }

    def review(self) -> list[dict[str, Any]]:
        """Return everything that was answered: doubtful labels first, then the others."""
        rows = [
            {**self._row(answer), "predicted": predicted, "proba": round(proba, 4)}
            for answer, predicted, proba in self.labeller.doubts()
        ]
        others = [answer for answer in self.labeller.answers() if answer.kind != "label"]
        return rows + [{**self._row(answer), "predicted": "", "proba": 1.0} for answer in others]

    def outlook(self) -> dict[str, Any]:
        """Return what ten more labels would bring, and the commands to use the model."""
        found = self.labeller.outlook(10)
        gain = None if found is None else {"gain": found.gain, "low": found.low, "high": found.high}
        return {
            "outlook": gain,
            "n_classes": len({answer.label for answer in self.labeller.labelled()}),
            "commands": self.commands(),
            "saved": dict(self._saved),
        }

    def commands(self) -> list[str]:
        """Return the commands that use the model."""
        has_parts = self.labeller.has_parts
        return list_commands(self._model_path, self._table, self._folder, has_parts=has_parts)

    def save(self) -> None:
        """Start to fit and save the model, in a thread."""
        if self._saving is not None and self._saving.is_alive():
            raise ValueError("the model is being saved already")
        self._saved = {"status": "fitting"}
        self._saving = threading.Thread(target=self._save, name="labelling-save", daemon=True)
        self._saving.start()

    def _save(self) -> None:
        try:
            save_final_model(self.labeller, self._model_path)
        except Exception as error:  # shown on the page: the thread has no other way to tell
            self._saved = {"status": "failed", "error": str(error)}
        else:
            size = self._model_path.stat().st_size
            self._saved = {
                "status": "saved",
                "path": str(self._model_path),
                "megabytes": round(size / 1e6, 1),
            }

    def finish(self) -> None:
        """Wait for a model that is being saved."""
        if self._saving is not None:
            self._saving.join()

    # Media

    def sound(self, clip: int) -> bytes:
        """Return a clip as WAV."""
        return encode_wav(*self._media(self.labeller.check_clip(clip)))

    def spectrogram(self, clip: int) -> bytes:
        """Return the spectrogram of a clip, for the script."""
        return encode_spectrogram(*self._media(self.labeller.check_clip(clip)))

    def _load(self, clip: int) -> Any:
        return load_clip(self.labeller.question(clip).sound)

    # Descriptions

    def _describe(self, question: Question) -> dict[str, Any]:
        start, end = self._times(question.clip)
        answer = self.labeller.answer_of(question.clip)
        return {
            "clip": question.clip,
            "name": self._name(question.clip),
            "start": start,
            "end": end,
            "proba": [[name, round(value, 4)] for name, value in list(question.proba.items())[:N_SHOWN]],
            "reason": question.reason,
            "answer": None if answer is None else self._row(answer),
            "problem": self.labeller.features.problems.get(question.clip, ""),
        }

    def _row(self, answer: Answer) -> dict[str, Any]:
        return {
            "clip": answer.clip,
            "name": self._name(answer.clip),
            "kind": answer.kind,
            "label": answer.label,
            "start": answer.start,
            "end": answer.end,
        }

    def _name(self, clip: int) -> str:
        parts = self.labeller.parts
        if parts is None:
            return f"clip {clip}"
        part = parts[clip]
        try:
            name = os.path.relpath(part.path, self._folder)
        except ValueError:  # another drive
            name = part.path
        name = part.path if name.startswith("..") else name
        return name if part.is_whole else f"{name} ({part.start:g} s)"

    def _times(self, clip: int) -> tuple[float, float | None]:
        """Return the start and end of a clip in its file, in seconds."""
        parts = self.labeller.parts
        if parts is None:
            return 0.0, None
        part = parts[clip]
        if part.end is not None:
            return part.start, part.end
        try:
            return part.start, audio_info(part.path).duration
        except AudioLoadError:  # the sound, which is requested next, says why
            return part.start, None
