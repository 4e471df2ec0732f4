"""Accuracy against the number of answers on ESC-10: the questions of ActiveLabeller beside other choices.

The labels of the dataset answer the questions. Each fold in turn is the test fold; the questions are about
clips of the three others, of which each run draws 85 % at random. After some answers, the classifier of
`make_few_shot_classifier`, without augmentation, is fitted to the labelled clips and scored on the test fold.
The features are computed once. Finished runs are kept in a file and are not repeated.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student_t

from skfewaudio.classifiers import CalibratedRidgeClassifier
from skfewaudio.datasets import load_esc50
from skfewaudio.features import BlockScaler
from skfewaudio.labelling import ActiveLabeller
from skfewaudio.labelling.block_features import BlockFeatures
from skfewaudio.pipelines import make_few_shot_classifier

N_ANSWERS = (5, 10, 15, 20, 25, 30, 40, 50, 60)
STRATEGIES = ("random", "uncertainty", "coverage", "adaptive")
SHARE = 0.85  # of the clips, drawn for a run
WANTED = 0.8  # accuracy whose number of answers is printed

Blocks = list[NDArray[np.float32]]


def compute_blocks(paths: list[str]) -> tuple[Blocks, list[float], list[list[int] | None]]:
    """Return the features of each block, the factors of the prior weights, and the sizes of sub-blocks."""
    pipeline = make_few_shot_classifier(augmentation=None)
    spectrograms = pipeline[0].fit_transform(paths)
    fitted = [block.fit(spectrograms) for _, block in pipeline[-1].blocks]
    blocks = [block.transform(spectrograms) for block in fitted]
    relevances = [float(getattr(block, "relevance_", 1.0)) for block in fitted]
    return blocks, relevances, [getattr(block, "block_sizes", lambda: None)() for block in fitted]


class Experiment:
    """Features and labels of the dataset."""

    def __init__(self, data_home: str) -> None:
        dataset = load_esc50(data_home, subset="esc10")
        self.y, self.folds = dataset.y, dataset.folds
        self.blocks, self.relevances, self.sizes = compute_blocks(dataset.X)
        prior = make_few_shot_classifier(augmentation=None)[-1].prior
        self.prior = [weight * factor for weight, factor in zip(prior, self.relevances, strict=True)]

    def score(self, labelled: NDArray[np.intp], test: NDArray[np.intp]) -> float:
        """Fit the classifier to labelled clips, and return its accuracy on others."""
        if len(np.unique(self.y[labelled])) < 2:
            return float((self.y[test] == self.y[labelled[0]]).mean())
        train, other = [], []
        for block, sizes in zip(self.blocks, self.sizes, strict=True):
            scaler = BlockScaler(sizes).fit(block[labelled])
            train.append(scaler.transform(block[labelled]))
            other.append(scaler.transform(block[test]))
        model = CalibratedRidgeClassifier(
            fit_intercept=False, block_sizes=[b.shape[1] for b in train], block_prior=self.prior
        )
        return float(model.fit(np.hstack(train), self.y[labelled]).score(np.hstack(other), self.y[test]))

    def run(self, strategy: str, run: int, fold: int) -> list[dict[str, Any]]:
        """Answer questions about a part of three folds, and score on the fourth."""
        rng = np.random.default_rng([run, fold])
        pool, test = np.flatnonzero(self.folds != fold), np.flatnonzero(self.folds == fold)
        pool = np.sort(rng.choice(pool, round(SHARE * len(pool)), replace=False))
        features = BlockFeatures.from_arrays([block[pool] for block in self.blocks], self.relevances)
        labeller = ActiveLabeller(
            [(np.ones(8), 8000)] * len(pool),  # stand-ins: the features are given
            strategy=strategy,
            background=False,
            features=features,
            random_state=run,
        )
        rows = []
        for n_answers in range(1, max(N_ANSWERS) + 1):
            question = labeller.ask()
            if question is None:
                break
            labeller.tell(str(self.y[pool[question.clip]]))
            if n_answers in N_ANSWERS:
                labelled = pool[[answer.clip for answer in labeller.labelled()]]
                row = {"strategy": strategy, "run": run, "fold": fold, "n_answers": n_answers}
                row |= {"accuracy": self.score(labelled, test), "n_classes": len(np.unique(self.y[labelled]))}
                rows.append(row | self.compare_estimate(labeller, pool, labelled))
        return rows

    def compare_estimate(
        self, labeller: ActiveLabeller, pool: NDArray[np.intp], labelled: NDArray[np.intp]
    ) -> dict[str, float]:
        """Return the estimated accuracy on the unlabelled clips, and the true one."""
        labeller.plan_now()
        found, beliefs = labeller.estimate(), labeller.beliefs
        if found is None or beliefs is None:
            return {}
        predicted = np.array(beliefs.classes)[beliefs.proba.argmax(axis=1)]
        others = ~np.isin(pool, labelled)
        true = float((predicted == self.y[pool])[others].mean())
        return {"estimate": found.accuracy, "low": found.low, "high": found.high, "true": true}


def format_interval(values: NDArray) -> str:
    """Format a mean in points with its 95 % interval over the runs."""
    half = student_t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return f"{100 * values.mean():.1f} ± {100 * half:.1f}"


def print_results(table: pd.DataFrame) -> None:
    """Print accuracies, gains over random choice, answers for 80 %, and the quality of the estimate."""
    counts = table.groupby("run").size()
    table = table[table["run"].isin(counts.index[counts == counts.max()])]
    means = table.groupby(["strategy", "run", "n_answers"])["accuracy"].mean().unstack()
    print(f"{len(means.loc['random'])} runs")
    for strategy in STRATEGIES:
        own = means.loc[strategy]
        curve = {n: own[n].mean() for n in N_ANSWERS}
        enough = [n for n in N_ANSWERS if curve[n] >= WANTED]
        print(f"\n{strategy}: {WANTED:.0%} with {enough[0] if enough else 'more than 60'} answers")
        for n in N_ANSWERS:
            gain = format_interval((own[n] - means.loc["random"][n]).to_numpy())
            print(f"  {n:3d} answers: {format_interval(own[n].to_numpy())}, above random by {gain}")
    known = table[(table["strategy"] == "adaptive") & table["true"].notna()]
    covered = (known["low"] <= known["true"]) & (known["true"] <= known["high"])
    print("\nestimate on the unlabelled clips: mean, true, root mean square error, coverage")
    for number, rows in known.groupby("n_answers"):
        error = np.sqrt(np.square(rows["estimate"] - rows["true"]).mean())
        share = covered[rows.index].mean()
        ends = f"{error:.3f} {share:.2f}"
        print(f"  {number:>3}: {rows['estimate'].mean():.3f} {rows['true'].mean():.3f} {ends}")


def main() -> None:
    """Run what is missing, and print the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--n-runs", type=int, default=10)
    parser.add_argument("--output", type=Path, default=Path("labelling_loop.csv"), help="results, kept")
    args = parser.parse_args()
    table = (
        pd.read_csv(args.output)
        if args.output.exists()
        else pd.DataFrame(columns=["strategy", "run", "fold"])
    )
    experiment = Experiment(args.data_home)
    for run in range(args.n_runs):
        for fold in np.unique(experiment.folds).tolist():
            for strategy in STRATEGIES:
                done = (table["strategy"] == strategy) & (table["run"] == run) & (table["fold"] == fold)
                if not done.any():
                    rows = pd.DataFrame(experiment.run(strategy, run, fold))
                    table = pd.concat([table, rows]) if len(table) else rows
                    table = table.reset_index(drop=True)
                    table.to_csv(args.output, index=False)
    print_results(table)


if __name__ == "__main__":
    main()
