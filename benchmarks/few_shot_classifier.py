"""Evaluation of make_few_shot_classifier: accuracy, calibration, ablations, unlabelled and unknown clips.

Three kinds of sound are used: the ESC-10 classes of ESC-50 (with --data-home), the embedded dataset, and
words spoken by eSpeak NG (if installed). Each fold in turn is the test fold. The training clips are drawn
from the other folds, the same for every row of a table.
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
from skfewaudio.benchmarking._adapt_pipelines import resample
from skfewaudio.classifiers._ridge.calibration import ONE_SHOT_SHARPNESS, find_temperature
from skfewaudio.datasets import load_esc50, load_synthetic
from skfewaudio.features import SpectrogramStatistics
from skfewaudio.features._spectrogram_statistics import BLOCKS, DEFAULT_BLOCKS
from skfewaudio.model_selection.draws import draw_support

N_SHOTS = (1, 2, 5, 10, 20)
MFCC_RATE = 12000
FALSE_REJECTION_RATE = 0.1
Scores = NDArray[np.float64]


class Sounds(NamedTuple):
    """Clips, labels and folds of a dataset, with its spectrograms."""

    X: list[Any]
    y: NDArray
    folds: NDArray[np.int64]
    rate: int  # of the spectrograms
    mfcc: list[Any]  # input of MFCC: paths, or clips at MFCC_RATE
    spectrograms: list[NDArray]


class Draw(NamedTuple):
    """The number of a repeat, the clips to draw from, the training clips and the test clips."""

    number: int
    pool: NDArray[np.int64]
    train: NDArray[np.int64]
    test: NDArray[np.int64]


class Fit(NamedTuple):
    """A fitted model and its draw of clips."""

    draw: Draw
    model: Any


def load_sounds(name: str, data_home: str) -> Sounds:
    """Load a dataset by name."""
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
    """Fit a model for every repeat and fold, on the drawn clips and on unlabelled clips, if any."""
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
    """Return the accuracy of each repeat in percent, as the mean over folds."""
    found: list[list[float]] = [[] for _ in range(n_draws)]
    for draw, model in fit_all(make, X, sounds.y, sounds.folds, n_shots, n_draws, **params):
        found[draw.number].append(100 * model.score(_safe_indexing(X, draw.test), sounds.y[draw.test]))
    return np.mean(found, axis=1)


def calibration_error(proba: Scores, correct: NDArray[np.bool_], n_bins: int = 10) -> float:
    """Return the expected calibration error: the mean gap between confidence and accuracy over equal bins."""
    confidence = proba.max(axis=1)
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = [abs(confidence[bins == b].sum() - correct[bins == b].sum()) for b in range(n_bins)]
    return float(sum(gaps) / len(correct))


def accuracies_and_errors(
    make: Callable[[], Any], X: Any, sounds: Sounds, n: int, n_draws: int, **params: Any
) -> tuple[Scores, Scores]:
    """Return each repeat's accuracy in percent and its calibration error, over the clips of all folds."""
    found: list[list[tuple[Scores, NDArray]]] = [[] for _ in range(n_draws)]
    for draw, model in fit_all(make, X, sounds.y, sounds.folds, n, n_draws, **params):
        proba = model.predict_proba(_safe_indexing(X, draw.test))
        right = model.classes_[proba.argmax(axis=1)] == sounds.y[draw.test]
        found[draw.number].append((proba, right))
    joined = [tuple(map(np.concatenate, zip(*parts, strict=True))) for parts in found]
    scores = np.array([100 * np.mean([right.mean() for _, right in parts]) for parts in found])
    return scores, np.array([calibration_error(proba, right) for proba, right in joined])


def format_interval(values: Scores, digits: int = 1) -> str:
    """Format a mean with half of its 95 % interval over the repeats."""
    if len(values) < 2:
        return f"{values.mean():.{digits}f}"
    half = student_t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5
    return f"{values.mean():.{digits}f} ± {half:.{digits}f}"


def print_row(name: str, cells: list[str]) -> None:
    """Print a row of a table in Markdown."""
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def compare_accuracy(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies of the classifier and of the baseline, and calibration errors."""
    mfcc = np.asarray(MFCC(sample_rate=MFCC_RATE).transform(sounds.mfcc))
    baseline = lambda: KNeighborsClassifier(1, metric="cosine")  # noqa: E731
    found = [format_interval(accuracies(baseline, mfcc, sounds, n, n_draws)) for n in N_SHOTS]
    print_row("MFCC, 1-NN", found)
    for name, params in {"few-shot classifier": {}, "without augmentation": {"augmentation": None}}.items():
        ours = pipeline_builder(sounds, **params)
        pairs = [accuracies_and_errors(ours, sounds.spectrograms, sounds, n, n_draws) for n in N_SHOTS]
        print_row(name, [format_interval(scores) for scores, _ in pairs])
        print_row("its calibration error", [format_interval(errors, 3) for _, errors in pairs])


def compare_augmentation(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies with each augmentation method alone, and with all methods and other n_copies."""
    usual = pipeline_builder(sounds)()[-1].augmentation
    choices: dict[str, dict[str, Any]] = {"no augmentation": {"augmentation": None}}
    choices |= {f"{method!r}": {"augmentation": method} for method in [*usual, TimeShift(), SpecAugment()]}
    choices |= {f"all, {n} copies": {"n_copies": n} for n in (1, 2, 4, 8)}
    for name, params in choices.items():
        make = pipeline_builder(sounds, **params)
        found = (accuracies(make, sounds.spectrograms, sounds, n, n_draws).mean() for n in N_SHOTS[::2])
        print_row(name, [f"{score:.1f}" for score in found])


def compare_unlabelled(sounds: Sounds, n_draws: int) -> None:
    """Print the gain from unlabelled clips: the test fold, or as many other clips."""
    X = sounds.spectrograms
    sources = {"test fold": lambda draw: draw.test, "other folds": draw_other_clips}
    alone = [accuracies(pipeline_builder(sounds), X, sounds, n, n_draws) for n in N_SHOTS]
    print_row("no unlabelled clips", [format_interval(scores) for scores in alone])
    make = pipeline_builder(sounds, semi_supervised=True)
    for name, find in sources.items():
        pairs = [accuracies_and_errors(make, X, sounds, n, n_draws, find_unlabelled=find) for n in N_SHOTS]
        gains = [scores - before for (scores, _), before in zip(pairs, alone, strict=True)]
        print_row(name, [format_interval(scores) for scores, _ in pairs])
        print_row("gain", [format_interval(gain) for gain in gains])
        print_row("its calibration error", [format_interval(errors, 3) for _, errors in pairs])


def draw_other_clips(draw: Draw) -> NDArray[np.int64]:
    """Draw as many of the remaining training clips as there are test clips, or all if there are fewer."""
    rest = np.random.RandomState(draw.number).permutation(np.setdiff1d(draw.pool, draw.train))
    return rest[: len(draw.test)]


def compare_blocks(sounds: Sounds, n_draws: int) -> None:
    """Print accuracies with all blocks, with one block left out and with one block alone."""
    X, sizes = compute_statistics(sounds, BLOCKS)
    ends = np.cumsum(sizes)
    columns = dict(zip(BLOCKS, map(np.arange, ends - sizes, ends), strict=True))
    choices: dict[str, tuple[str, ...]] = {"default": DEFAULT_BLOCKS, "with filters_mean": BLOCKS}
    for block in DEFAULT_BLOCKS:
        choices[f"without {block}"] = tuple(other for other in DEFAULT_BLOCKS if other != block)
    choices |= {f"{block} alone": (block,) for block in BLOCKS}
    for name, blocks in choices.items():
        chosen = np.concatenate([columns[block] for block in blocks])
        make = classifier_builder([len(columns[block]) for block in blocks])
        print_row(name, [f"{accuracies(make, X[:, chosen], sounds, n, n_draws).mean():.1f}" for n in N_SHOTS])


def evaluate_rejection(sounds: Sounds, n_draws: int) -> None:
    """Print how well the clips of a class left out of training are separated from the known classes."""
    make = pipeline_builder(sounds, false_rejection_rate=FALSE_REJECTION_RATE)
    for n in N_SHOTS[1:]:
        found: list[list[tuple[float, ...]]] = [[] for _ in range(n_draws)]
        for left_out in np.unique(sounds.y):
            known = np.flatnonzero(sounds.y != left_out)
            X, y, folds = _safe_indexing(sounds.spectrograms, known), sounds.y[known], sounds.folds[known]
            for draw, model in fit_all(make, X, y, folds, n, n_draws):
                fold = folds[draw.test[0]]
                unknown = np.flatnonzero((sounds.y == left_out) & (sounds.folds == fold))
                parts = _safe_indexing(X, draw.test), _safe_indexing(sounds.spectrograms, unknown)
                values = np.concatenate([model.score_samples(part) for part in parts])
                truth = np.repeat([1, 0], [len(part) for part in parts])
                rejected = [(model.predict(part) == "unknown").mean() for part in parts]
                found[draw.number].append((roc_auc_score(truth, values), *rejected))
        means = np.mean(found, axis=1)
        cells = [format_interval(means[:, 0], 3), *(f"{100 * column.mean():.1f}" for column in means.T[1:])]
        print_row(f"{n} clips per class", cells)


def find_best_sharpness(sounds: Sounds, n_draws: int) -> None:
    """Print the fixed sharpness with the lowest log loss on test clips, for one clip per class."""
    X, sizes = compute_statistics(sounds, DEFAULT_BLOCKS)
    best = []
    for draw, model in fit_all(classifier_builder(sizes), X, sounds.y, sounds.folds, 1, n_draws):
        codes = np.searchsorted(model.classes_, sounds.y[draw.test])
        scores = model.decision_function(X[draw.test])
        right = find_temperature(scores, codes, np.ones(len(codes)))
        best.append(np.log(model[-1].temperature_ / right * ONE_SHOT_SHARPNESS))
    print(f"best sharpness: {np.exp(np.mean(best)):.1f}, in use: {ONE_SHOT_SHARPNESS}")


def measure_time(sounds: Sounds, _: int) -> None:
    """Print the time for features, and for a fit on 20 clips per class with prediction of a test fold."""
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
    started, cpu_started = time.perf_counter(), time.process_time()
    model.fit([sounds.X[i] for i in train], sounds.y[train])
    model.predict([sounds.X[i] for i in test])
    print(
        f"fit on {len(train)} and prediction of {len(test)}: {time.perf_counter() - started:.1f} s, ", end=""
    )
    print(f"CPU time {time.process_time() - cpu_started:.1f} s")


def compute_statistics(sounds: Sounds, blocks: tuple[str, ...]) -> tuple[Scores, list[int]]:
    """Compute the statistics of all clips, and return the block sizes too."""
    statistics = SpectrogramStatistics(blocks)
    return statistics.fit_transform(sounds.spectrograms), statistics.block_sizes()


def pipeline_builder(sounds: Sounds, **params: Any) -> Callable[[], Any]:
    """Return a function that builds the pipeline for spectrograms, without its first step."""
    return lambda: make_few_shot_classifier(sample_rate=sounds.rate, device="cpu", **params)[1:]


def classifier_builder(sizes: list[int], **params: Any) -> Callable[[], Any]:
    """Return a function that builds the scaler and classifier of the pipeline, without augmentation."""
    return lambda: make_pipeline(
        BlockScaler(sizes), CalibratedRidgeClassifier(fit_intercept=False, device="cpu", **params)
    )


STUDIES: dict[str, Callable[[Sounds, int], None]] = {
    "accuracy": compare_accuracy,
    "copies": compare_augmentation,
    "unlabelled": compare_unlabelled,
    "blocks": compare_blocks,
    "unknown": evaluate_rejection,
    "sharpness": find_best_sharpness,
    "time": measure_time,
}


def main() -> None:
    """Print a table for each study and dataset."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", help="folder of ESC-50-master, for esc10")
    parser.add_argument("--data", nargs="+", default=["esc10", "synthetic", "words"])
    parser.add_argument("--studies", nargs="+", choices=STUDIES, default=list(STUDIES))
    parser.add_argument("--n-draws", type=int, default=20)
    args = parser.parse_args()
    for name in args.data:
        sounds = load_sounds(name, args.data_home)
        for study in args.studies:
            print(f"\n{name}: {study}, {len(sounds.y)} clips", flush=True)
            STUDIES[study](sounds, args.n_draws)


if __name__ == "__main__":
    main()
