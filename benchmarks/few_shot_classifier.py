"""What make_few_shot_classifier is worth: accuracy, certainty, its parts, unlabelled and unknown sounds.

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
from sklearn.utils import _safe_indexing
from spoken_words import make_spoken_words

from skfewaudio import MFCC, BlockScaler, CalibratedRidgeClassifier, make_few_shot_classifier
from skfewaudio.augmentation import SpecAugment, TimeShift
from skfewaudio.benchmarking._clips import resample
from skfewaudio.classifiers._ridge.calibration import ONE_SHOT_SHARPNESS, find_temperature
from skfewaudio.datasets import load_esc50, load_synthetic
from skfewaudio.features import SpectrogramStatistics
from skfewaudio.features._spectrogram_statistics import BLOCKS, DEFAULT_BLOCKS
from skfewaudio.model_selection._split import draw_support

N_SHOTS = (1, 2, 5, 10, 20)
MFCC_RATE = 12000
REJECTED = 0.1  # false rejections asked for
Scores = NDArray[np.float64]


class Sounds(NamedTuple):
    """A data set."""

    X: list[Any]
    y: NDArray
    folds: NDArray[np.int64]
    rate: int  # of the spectrograms
    mfcc: list[Any]  # what MFCC takes
    spectrograms: list[NDArray]


class Draw(NamedTuple):
    """The number of a draw, the clips it was made from, those to learn, and those to test on."""

    number: int
    pool: NDArray[np.int64]
    train: NDArray[np.int64]
    test: NDArray[np.int64]


class Fit(NamedTuple):
    """A model, and what it learnt and is tested on."""

    draw: Draw
    model: Any


def read(name: str, data_home: str) -> Sounds:
    """Give a data set by name."""
    rate = 44100 if name == "esc10" else 22050
    X: list[Any]
    if name == "esc10":
        files = load_esc50(data_home=data_home, subset="esc10")
        X, y, folds, mfcc = files.X, files.y, files.folds, files.X
    else:
        if name == "synthetic":
            made = load_synthetic()
            X, y, folds = list(made.X), made.y, made.folds
        else:
            X, y, folds = make_spoken_words(rate)
        mfcc = resample(X, old_rate=rate, new_rate=MFCC_RATE)
    spectrograms = make_few_shot_classifier(sample_rate=rate)[0].transform(X)
    return Sounds(X, y, folds, rate, mfcc, list(spectrograms))


def fit_all(
    make: Callable[[], Any],
    X: Any,
    y: NDArray,
    folds: NDArray,
    n_shots: int,
    n_draws: int,
    find_unlabelled: Callable[[Draw], NDArray[np.int64]] | None = None,
) -> Iterator[Fit]:
    """Fit a model to every draw in every fold, and to clips without their labels where there are any."""
    for number in range(n_draws):
        for fold in np.unique(folds):
            pool, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
            train = pool[draw_support(y[pool], n_shots, number)]
            draw = Draw(number, pool, train, test)
            others = test[:0] if find_unlabelled is None else find_unlabelled(draw)
            labels = np.concatenate([y[train], np.full(len(others), "-1")])
            yield Fit(draw, make().fit(_safe_indexing(X, np.concatenate([train, others])), labels))


def accuracies(
    make: Callable[[], Any], X: Any, sounds: Sounds, n_shots: int, n_draws: int, **params: Any
) -> Scores:
    """Give the accuracy of each draw, the mean over folds, in percent."""
    found: list[list[float]] = [[] for _ in range(n_draws)]
    for draw, model in fit_all(make, X, sounds.y, sounds.folds, n_shots, n_draws, **params):
        found[draw.number].append(100 * model.score(_safe_indexing(X, draw.test), sounds.y[draw.test]))
    return np.mean(found, axis=1)


def calibration_error(proba: Scores, correct: NDArray[np.bool_], n_bins: int = 10) -> float:
    """Give the expected calibration error: the mean gap between certainty and accuracy, in ten equal bins."""
    certainty = proba.max(axis=1)
    bins = np.minimum((certainty * n_bins).astype(int), n_bins - 1)
    gaps = [abs(certainty[bins == b].sum() - correct[bins == b].sum()) for b in range(n_bins)]
    return float(sum(gaps) / len(correct))


def accuracies_and_errors(
    make: Callable[[], Any], X: Any, sounds: Sounds, n: int, n_draws: int, **params: Any
) -> tuple[Scores, Scores]:
    """Give each draw's accuracy in percent and its calibration error, over the clips of all folds."""
    found: list[list[tuple[Scores, NDArray]]] = [[] for _ in range(n_draws)]
    for draw, model in fit_all(make, X, sounds.y, sounds.folds, n, n_draws, **params):
        proba = model.predict_proba(_safe_indexing(X, draw.test))
        right = model.classes_[proba.argmax(axis=1)] == sounds.y[draw.test]
        found[draw.number].append((proba, right))
    joined = [tuple(map(np.concatenate, zip(*parts, strict=True))) for parts in found]
    scores = np.array([100 * np.mean([right.mean() for _, right in parts]) for parts in found])
    return scores, np.array([calibration_error(proba, right) for proba, right in joined])


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
    baseline = lambda: KNeighborsClassifier(1, metric="cosine")  # noqa: E731
    found = [with_interval(accuracies(baseline, mfcc, sounds, n, n_draws)) for n in N_SHOTS]
    print_row("MFCC, 1-NN", found)
    for name, params in {"few-shot classifier": {}, "without copies": {"augmentation": None}}.items():
        ours = pipeline(sounds, **params)
        pairs = [accuracies_and_errors(ours, sounds.spectrograms, sounds, n, n_draws) for n in N_SHOTS]
        print_row(name, [with_interval(scores) for scores, _ in pairs])
        print_row("its calibration error", [with_interval(errors, 3) for _, errors in pairs])


def compare_copies(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies with copies changed by each method alone, and by all with other numbers of them."""
    usual = pipeline(sounds)()[-1].augmentation
    choices: dict[str, dict[str, Any]] = {"no copies": {"augmentation": None}}
    choices |= {f"{method!r}": {"augmentation": method} for method in [*usual, TimeShift(), SpecAugment()]}
    choices |= {f"all, {n} copies": {"n_copies": n} for n in (1, 2, 4, 8)}
    for name, params in choices.items():
        make = pipeline(sounds, **params)
        found = (accuracies(make, sounds.spectrograms, sounds, n, n_draws).mean() for n in N_SHOTS[::2])
        print_row(name, [f"{score:.1f}" for score in found])


def learn_unlabelled(sounds: Sounds, n_draws: int) -> None:
    """Print what as many clips without a label as the test fold has are worth: these, or others."""
    X = sounds.spectrograms
    sources = {"of the test fold": lambda draw: draw.test, "of the other folds": others_of_the_pool}
    alone = [accuracies(pipeline(sounds), X, sounds, n, n_draws) for n in N_SHOTS]
    print_row("none", [with_interval(scores) for scores in alone])
    make = pipeline(sounds, semi_supervised=True)
    for name, find in sources.items():
        pairs = [accuracies_and_errors(make, X, sounds, n, n_draws, find_unlabelled=find) for n in N_SHOTS]
        gains = [scores - before for (scores, _), before in zip(pairs, alone, strict=True)]
        print_row(name, [with_interval(scores) for scores, _ in pairs])
        print_row("gain", [with_interval(gain) for gain in gains])
        print_row("its calibration error", [with_interval(errors, 3) for _, errors in pairs])


def others_of_the_pool(draw: Draw) -> NDArray[np.int64]:
    """Draw as many clips that were not chosen as there are to test on, if there are so many left."""
    rest = np.random.RandomState(draw.number).permutation(np.setdiff1d(draw.pool, draw.train))
    return rest[: len(draw.test)]


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
    make = pipeline(sounds, false_rejection_rate=REJECTED)
    for n in N_SHOTS[1:]:
        found: list[list[tuple[float, ...]]] = [[] for _ in range(n_draws)]
        for left_out in np.unique(sounds.y):
            known = np.flatnonzero(sounds.y != left_out)
            X, y, folds = _safe_indexing(sounds.spectrograms, known), sounds.y[known], sounds.folds[known]
            for draw, model in fit_all(make, X, y, folds, n, n_draws):
                fold = folds[draw.test[0]]
                strange = np.flatnonzero((sounds.y == left_out) & (sounds.folds == fold))
                parts = _safe_indexing(X, draw.test), _safe_indexing(sounds.spectrograms, strange)
                values = np.concatenate([model.score_samples(part) for part in parts])
                truth = np.repeat([1, 0], [len(part) for part in parts])
                rejected = [(model.predict(part) == "unknown").mean() for part in parts]
                found[draw.number].append((roc_auc_score(truth, values), *rejected))
        means = np.mean(found, axis=1)
        cells = [with_interval(means[:, 0], 3), *(f"{100 * column.mean():.1f}" for column in means.T[1:])]
        print_row(f"{n} clips per class", cells)


def sharpen(sounds: Sounds, n_draws: int) -> None:
    """Print which fixed sharpness for one clip per class has the least log loss on test clips."""
    X, sizes = compute(sounds, DEFAULT_BLOCKS)
    best = []
    for draw, model in fit_all(classifier(sizes), X, sounds.y, sounds.folds, 1, n_draws):
        codes = np.searchsorted(model.classes_, sounds.y[draw.test])
        scores = model.decision_function(X[draw.test])
        right = find_temperature(scores, codes, np.ones(len(codes)))
        best.append(np.log(model[-1].temperature_ / right * ONE_SHOT_SHARPNESS))
    print(f"best sharpness: {np.exp(np.mean(best)):.1f}, in use: {ONE_SHOT_SHARPNESS}")


def measure(sounds: Sounds, _: int) -> None:
    """Print seconds of features, and of a fit of 20 clips per class with the prediction of a test fold."""
    model = make_few_shot_classifier(sample_rate=sounds.rate, device="cpu")
    statistics = SpectrogramStatistics(device="cpu").fit(sounds.spectrograms)
    started = time.perf_counter()
    spectrograms = model[0].transform(sounds.X)
    made = time.perf_counter()
    statistics.transform(spectrograms)
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
    statistics = SpectrogramStatistics(blocks)
    return statistics.fit_transform(sounds.spectrograms), statistics.block_sizes()


def pipeline(sounds: Sounds, **params: Any) -> Callable[[], Any]:
    """Give what makes the pipeline without its first step, for spectrograms."""
    return lambda: make_few_shot_classifier(sample_rate=sounds.rate, device="cpu", **params)[1:]


def classifier(sizes: list[int], **params: Any) -> Callable[[], Any]:
    """Give what makes the part of the pipeline that learns, without copies."""
    return lambda: make_pipeline(
        BlockScaler(sizes), CalibratedRidgeClassifier(fit_intercept=False, device="cpu", **params)
    )


STUDIES: dict[str, Callable[[Sounds, int], None]] = {
    "accuracy": compare,
    "copies": compare_copies,
    "unlabelled": learn_unlabelled,
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
