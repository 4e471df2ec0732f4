"""What make_few_shot_classifier is worth: accuracy, certainty, each block's part, unknown sounds, and time.

On three kinds of sound: the ESC-10 classes of ESC-50 (with --data-home), the embedded data set, and words
said by eSpeak NG (where that is installed). Each fold in turn is the test fold; the clips to learn from are
drawn from the others, the same for every row of a table.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student_t
from sklearn.metrics import roc_auc_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from spoken_words import make_spoken_words

from skfewaudio import MFCC, BlockScaler, CalibratedRidgeClassifier, make_few_shot_classifier
from skfewaudio.benchmarking._clips import resample
from skfewaudio.classifiers._certainty import ONE_SHOT_SHARPNESS, find_temperature
from skfewaudio.datasets import load_esc50, load_synthetic
from skfewaudio.features import SpectrogramStatistics
from skfewaudio.features._spectrogram_statistics import BLOCKS, DEFAULT_BLOCKS
from skfewaudio.model_selection._split import draw_support

N_SHOTS = (1, 2, 5, 10, 20)
MFCC_RATE = 12000
REJECTED = 0.1  # false rejections asked for
Scores = NDArray[np.float64]


class Sounds(NamedTuple):
    """A data set, its clips read as they are needed."""

    X: list[Any]
    y: NDArray
    folds: NDArray[np.int64]
    rate: int  # of the spectrograms
    mfcc: list[Any]  # what MFCC takes


class Fit(NamedTuple):
    """A model, the clips it learnt and those it is tested on."""

    draw: int
    model: Any
    train: NDArray[np.int64]
    test: NDArray[np.int64]


def read(name: str, data_home: str) -> Sounds:
    """Give a data set by name."""
    if name == "esc10":
        files = load_esc50(data_home=data_home, subset="esc10")
        return Sounds(files.X, files.y, files.folds, 44100, files.X)
    rate = 22050
    if name == "synthetic":
        made = load_synthetic()
        X, y, folds = list(made.X), made.y, made.folds
    else:
        X, y, folds = make_spoken_words(rate)
    return Sounds(X, y, folds, rate, resample(X, old_rate=rate, new_rate=MFCC_RATE))


def fit_all(
    make: Callable[[], Any], X: Scores, y: NDArray, folds: NDArray, n_shots: int, n_draws: int
) -> Iterator[Fit]:
    """Fit a model to every draw in every fold."""
    for draw in range(n_draws):
        for fold in np.unique(folds):
            pool, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            train = pool[draw_support(y[pool], n_shots, draw)]
            yield Fit(draw, make().fit(X[train], y[train]), train, test)


def accuracies(make: Callable[[], Any], X: Scores, sounds: Sounds, n_shots: int, n_draws: int) -> Scores:
    """Give the accuracy of each draw, the mean over folds, in percent."""
    found: list[list[float]] = [[] for _ in range(n_draws)]
    for fit in fit_all(make, X, sounds.y, sounds.folds, n_shots, n_draws):
        found[fit.draw].append(100 * fit.model.score(X[fit.test], sounds.y[fit.test]))
    return np.mean(found, axis=1)


def calibration_error(proba: Scores, correct: NDArray[np.bool_], n_bins: int = 10) -> float:
    """Give the expected calibration error: the mean gap between certainty and accuracy, in ten equal bins."""
    certainty = proba.max(axis=1)
    bins = np.minimum((certainty * n_bins).astype(int), n_bins - 1)
    gaps = [abs(certainty[bins == b].sum() - correct[bins == b].sum()) for b in range(n_bins)]
    return float(sum(gaps) / len(correct))


def calibration_errors(make: Callable[[], Any], X: Scores, sounds: Sounds, n: int, n_draws: int) -> Scores:
    """Give the calibration error of each draw, over the clips of all folds."""
    found: list[list[tuple[Scores, NDArray]]] = [[] for _ in range(n_draws)]
    for fit in fit_all(make, X, sounds.y, sounds.folds, n, n_draws):
        proba = fit.model.predict_proba(X[fit.test])
        found[fit.draw].append((proba, fit.model.classes_[proba.argmax(axis=1)] == sounds.y[fit.test]))
    joined = [map(np.concatenate, zip(*parts, strict=True)) for parts in found]
    return np.array([calibration_error(proba, correct) for proba, correct in joined])


def with_interval(values: Scores, digits: int = 1) -> str:
    """Write a mean and half its 95 % interval over the draws."""
    if len(values) < 2:
        return f"{values.mean():.{digits}f}"
    half = student_t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def print_row(name: str, cells: list[str]) -> None:
    """Print a row of a table in Markdown."""
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def compare(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies beside the baseline's, and calibration errors."""
    mfcc = np.asarray(MFCC(sample_rate=MFCC_RATE).transform(sounds.mfcc))
    X, sizes = compute(sounds, DEFAULT_BLOCKS)
    ours, baseline = classifier(sizes), lambda: KNeighborsClassifier(1, metric="cosine")
    for name, make, features in (("MFCC, 1-NN", baseline, mfcc), ("few-shot classifier", ours, X)):
        print_row(name, [with_interval(accuracies(make, features, sounds, n, n_draws)) for n in N_SHOTS])
    errors = [with_interval(calibration_errors(ours, X, sounds, n, n_draws), 3) for n in N_SHOTS]
    print_row("its calibration error", errors)


def compare_blocks(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies with all blocks, without each and with each alone."""
    X, sizes = compute(sounds, BLOCKS)
    ends = np.cumsum(sizes)
    columns = dict(zip(BLOCKS, map(np.arange, ends - sizes, ends), strict=True))
    choices: dict[str, tuple[str, ...]] = {"default": DEFAULT_BLOCKS, "with filters_mean": BLOCKS}
    for block in DEFAULT_BLOCKS:
        choices[f"without {block}"] = tuple(other for other in DEFAULT_BLOCKS if other != block)
    choices |= {f"{block} alone": (block,) for block in BLOCKS}
    for name, blocks in choices.items():
        chosen = np.concatenate([columns[block] for block in blocks])
        make = classifier([len(columns[block]) for block in blocks])
        print_row(name, [f"{accuracies(make, X[:, chosen], sounds, n, n_draws).mean():.1f}" for n in N_SHOTS])


def reject(sounds: Sounds, n_draws: int) -> None:
    """Leave each class out in turn; print how well its clips are told from those of the known classes."""
    X, sizes = compute(sounds, DEFAULT_BLOCKS)
    make = classifier(sizes, false_rejection_rate=REJECTED)
    for n in N_SHOTS[1:]:
        found: list[list[tuple[float, ...]]] = [[] for _ in range(n_draws)]
        for left_out in np.unique(sounds.y):
            known = np.flatnonzero(sounds.y != left_out)
            fits = fit_all(make, X[known], sounds.y[known], sounds.folds[known], n, n_draws)
            for fit, fold in zip(fits, list(np.unique(sounds.folds)) * n_draws, strict=True):
                strange = X[(sounds.y == left_out) & (sounds.folds == fold)]
                familiar = X[known][fit.test]
                scores = fit.model[:-1], fit.model[-1]
                values = [scores[1].score_samples(scores[0].transform(part)) for part in (familiar, strange)]
                truth = np.repeat([1, 0], [len(familiar), len(strange)])
                rejected = [(fit.model.predict(part) == "unknown").mean() for part in (familiar, strange)]
                found[fit.draw].append((roc_auc_score(truth, np.concatenate(values)), *rejected))
        means = np.mean(found, axis=1)
        cells = [with_interval(means[:, 0], 3), *(f"{100 * column.mean():.1f}" for column in means.T[1:])]
        print_row(f"{n} clips per class", cells)


def sharpen(sounds: Sounds, n_draws: int) -> None:
    """Print which fixed sharpness for one clip per class has the least log loss on test clips."""
    X, sizes = compute(sounds, DEFAULT_BLOCKS)
    best = []
    for fit in fit_all(classifier(sizes), X, sounds.y, sounds.folds, 1, n_draws):
        codes = np.searchsorted(fit.model.classes_, sounds.y[fit.test])
        scores = fit.model.decision_function(X[fit.test])
        right = find_temperature(scores, codes, np.ones(len(codes)))
        best.append(np.log(fit.model[-1].temperature_ / right * ONE_SHOT_SHARPNESS))
    print(f"best sharpness: {np.exp(np.mean(best)):.1f}, in use: {ONE_SHOT_SHARPNESS}")


def measure(sounds: Sounds, _: int) -> None:
    """Print seconds of features, and of a fit of 20 clips per class with the prediction of a test fold."""
    model = make_few_shot_classifier(sample_rate=sounds.rate, device="cpu")
    started = time.perf_counter()
    spectrograms = model[0].transform(sounds.X)
    made = time.perf_counter()
    model[1].transform(spectrograms)
    done = time.perf_counter()
    print(f"clips per second: LogMel {len(sounds.X) / (made - started):.0f}, ", end="")
    print(f"SpectrogramStatistics {len(sounds.X) / (done - made):.0f}")
    fold = sounds.folds[0]
    pool, test = np.flatnonzero(sounds.folds != fold), np.flatnonzero(sounds.folds == fold)
    train = pool[draw_support(sounds.y[pool], 20, 0)]
    started, at_work = time.perf_counter(), time.process_time()
    model.fit([sounds.X[i] for i in train], sounds.y[train])
    model.predict([sounds.X[i] for i in test])
    print(
        f"fit of {len(train)} and prediction of {len(test)}: {time.perf_counter() - started:.1f} s, ", end=""
    )
    print(f"of a processor {time.process_time() - at_work:.1f} s")


def compute(sounds: Sounds, blocks: tuple[str, ...]) -> tuple[Scores, list[int]]:
    """Give statistics of all clips, and the sizes of their blocks."""
    logmel = make_few_shot_classifier(sample_rate=sounds.rate)[0]
    statistics = SpectrogramStatistics(blocks)
    return statistics.fit_transform(logmel.transform(sounds.X)), statistics.block_sizes()


def classifier(sizes: list[int], **params: Any) -> Callable[[], Any]:
    """Give what makes the part of the pipeline that learns."""
    return lambda: make_pipeline(
        BlockScaler(sizes), CalibratedRidgeClassifier(fit_intercept=False, device="cpu", **params)
    )


STUDIES: dict[str, Callable[[Sounds, int], None]] = {
    "accuracy": compare,
    "blocks": compare_blocks,
    "unknown": reject,
    "sharpness": sharpen,
    "time": measure,
}


def main() -> None:
    """Print a table for each study and data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", help="folder of ESC-50-master, for esc10")
    parser.add_argument("--data", nargs="+", default=["esc10", "synthetic", "words"])
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--n-draws", type=int, default=20)
    args = parser.parse_args()
    for name in args.data:
        sounds = read(name, args.data_home)
        for study in args.studies:
            print(f"\n{name}: {study}, {len(sounds.y)} clips", flush=True)
            STUDIES[study](sounds, args.n_draws)


if __name__ == "__main__":
    main()
