"""Which classifier to take, and how to make it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .scores import MetricScores
from .table import listing

RECIPE_KEYS = ("command", "python")


@dataclass(frozen=True)
class Recommendation:
    """The recommended classifier, the reasons, and its command and code; these are empty if unknown."""

    pipeline: str
    reasons: list[str]
    command: str = ""
    python: str = ""


def recommend(scores: MetricScores, recipes: Mapping[str, Any] | None) -> Recommendation | None:
    """Recommend the best classifier with the largest number of clips; None without a score."""
    checked = {name: _check_recipe(str(name), recipe) for name, recipe in (recipes or {}).items()}
    n_shots = scores.shots[-1]
    best = scores.best(n_shots)
    if best is None:
        return None
    return Recommendation(best, _reasons(scores, best), **checked.get(best, {}))


def _reasons(scores: MetricScores, best: str) -> list[str]:
    """State the score, and compare the method with the others for smaller numbers of clips."""
    n_shots = scores.shots[-1]
    row = scores.summary_row(best, n_shots)
    score = "" if row is None else f"{scores.unit.write(row['mean'])} {scores.label}"
    clips = "clip" if n_shots == 1 else "clips"
    reasons = [f"It has the highest {scores.label} with {n_shots} labelled {clips} per class: {score}."]
    others = {n: scores.best(n) for n in scores.shots[:-1]}
    beaten = {n: name for n, name in others.items() if name not in (best, None)}
    tied = [n for n, name in beaten.items() if best in scores.tied_with_best(n)]
    worse = {n: name for n, name in beaten.items() if n not in tied}
    equal = scores.tied_with_best(n_shots)
    if equal:
        reasons.append(f"The draws do not distinguish it from {listing(equal)}.")
    if others and not beaten:
        reasons.append("It is also best with every smaller number of clips.")
    for n, name in worse.items():
        reasons.append(f"With {n} per class, {name} scores higher.")
    return reasons


def _check_recipe(name: str, recipe: Any) -> dict[str, str]:
    """Return the command and the code of a method."""
    if not isinstance(recipe, Mapping) or not set(recipe) <= set(RECIPE_KEYS):
        raise ValueError(
            f"recipes[{name!r}] must be a mapping with the keys {' and '.join(RECIPE_KEYS)}; got {recipe!r}"
        )
    return {key: str(recipe.get(key) or "").strip() for key in RECIPE_KEYS}
