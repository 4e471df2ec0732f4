"""Gain from suggested clips on ESC-10, compared with random clips and with other strategies.

A classifier is fitted on two clips per class of three folds. Then twenty more clips of these folds are
labelled at once, either suggested or random. The fourth fold is the test fold. Each fold in turn is the
test fold, with the same drawn clips for every strategy.
"""

import argparse
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import MFCC, LogMel, PrototypicalClassifier
from skfewaudio.datasets import load_esc50
from skfewaudio.model_selection import suggest_clips
from skfewaudio.model_selection.draws import draw_support

N_SHOTS, N_RANDOM = 2, 2  # initial clips per class; random choices that are averaged as the baseline
Strategy = Callable[..., NDArray]

STRATEGIES: dict[str, Strategy] = {
    f"{strategy}{', diverse' if diverse else ''}": partial(suggest_clips, strategy=strategy, diverse=diverse)
    for strategy in ("margin", "entropy", "least_confident")
    for diverse in (False, True)
}


def mfcc_logistic() -> tuple[Any, Any]:
    """Build MFCC features and logistic regression."""
    return MFCC(), make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))


def mfcc_prototypes() -> tuple[Any, Any]:
    """Build MFCC features and a prototype classifier."""
    return MFCC(), make_pipeline(StandardScaler(), PrototypicalClassifier())


def logmel_prototypes() -> tuple[Any, Any]:
    """Build log-mel spectrograms and the default prototypical network."""
    return LogMel(), PrototypicalClassifier()


PIPELINES = {make.__name__: make for make in (mfcc_logistic, mfcc_prototypes, logmel_prototypes)}


def score(make: Callable[[], tuple[Any, Any]], X: Any, y: NDArray, train: NDArray, test: NDArray) -> float:
    """Fit on some clips and return the accuracy on others."""
    return make()[1].fit(select(X, train), y[train]).score(select(X, test), y[test])


def select(X: Any, chosen: NDArray) -> Any:
    """Select clips from an array or a list."""
    return X[chosen] if isinstance(X, np.ndarray) and X.ndim == 2 else [X[i] for i in chosen]


def compare_strategies(
    make: Callable[[], tuple[Any, Any]], dataset: Any, n_draws: int, n_clips: int
) -> dict[str, NDArray]:
    """Return accuracies (n_draws, n_folds) by strategy; the key "" is without more clips."""
    X, y, numbers = make()[0].transform(dataset.X), dataset.y, np.unique(dataset.folds)
    scores = {name: np.zeros((n_draws, len(numbers))) for name in ("", "random", *STRATEGIES)}
    for draw in range(n_draws):
        for column, fold in enumerate(numbers):
            pool, test = np.flatnonzero(dataset.folds != fold), np.flatnonzero(dataset.folds == fold)
            labelled = pool[draw_support(y[pool], N_SHOTS, draw)]
            rest = np.setdiff1d(pool, labelled)
            model = make()[1].fit(select(X, labelled), y[labelled])
            scores[""][draw, column] = model.score(select(X, test), y[test])
            rng = np.random.default_rng([draw, fold])
            scores["random"][draw, column] = np.mean(
                [
                    score(make, X, y, np.r_[labelled, rng.permutation(rest)[:n_clips]], test)
                    for _ in range(N_RANDOM)
                ]
            )
            for name, suggest in STRATEGIES.items():
                more = rest[suggest(model, select(X, rest), n_clips=n_clips)]
                scores[name][draw, column] = score(make, X, y, np.r_[labelled, more], test)
    return scores


def format_interval(values: NDArray) -> str:
    """Format a mean in points with its 95 % interval over the repeats."""
    means = 100 * values.mean(axis=1)
    half = student_t.ppf(0.975, len(means) - 1) * means.std(ddof=1) / np.sqrt(len(means))
    return f"{means.mean():.1f} ± {half:.1f}"


def main() -> None:
    """Print the accuracy and gain of each strategy, for each pipeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--pipelines", nargs="+", choices=PIPELINES, default=["mfcc_logistic"])
    parser.add_argument("--n-draws", type=int, default=20)
    parser.add_argument("--n-clips", type=int, default=20)
    args = parser.parse_args()
    dataset = load_esc50(args.data_home, subset="esc10")
    for name in args.pipelines:
        scores = compare_strategies(PIPELINES[name], dataset, args.n_draws, args.n_clips)
        initial = format_interval(scores.pop(""))
        print(f"\n{name}: {initial} with {N_SHOTS} clips per class; {args.n_clips} more:")
        for strategy, values in scores.items():
            gain = format_interval(values - scores["random"])
            print(f"  {strategy:26s} {format_interval(values)}, above random by {gain}")


if __name__ == "__main__":
    main()
