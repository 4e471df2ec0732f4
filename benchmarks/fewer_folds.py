"""Accuracy of studies of the suite random-cnn on ESC-10, trained on one, two or three of the other folds.

Hyper-parameters are the best on the reported folds, as published. The trend of the accuracies indicates the
gain from the fifth fold, which the published figures use.
"""

import argparse
from itertools import combinations

import numpy as np
from sklearn.model_selection import GridSearchCV

from skfewaudio.benchmarking._random_cnn.scores import rotate
from skfewaudio.benchmarking._random_cnn.studies import make_feature_study
from skfewaudio.datasets import load_esc50


def main() -> None:
    """Print the accuracy for each study and number of folds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True, help="folder of ESC-50-master")
    parser.add_argument("--studies", nargs="+", default=["mfcc+svm", "7x86-160+svm", "timbral-8+svm"])
    args = parser.parse_args()
    dataset = load_esc50(data_home=args.data_home, subset="esc10")
    folds = dataset.folds
    known = sorted(set(folds.tolist()))
    for name in args.studies:
        study = make_feature_study(name, device="cpu", random_state=0)
        if study.grid is None:
            parser.error(f"--studies: {name} has no hyper-parameters to choose")
        features = study.features.fit_transform(dataset.X)
        grid = study.grid(features.shape[1])
        for n_folds in range(1, len(known)):
            splits = [
                (np.flatnonzero(np.isin(folds, train)), np.flatnonzero(folds == test))
                for test in known
                for train in combinations([fold for fold in known if fold != test], n_folds)
            ]
            search = GridSearchCV(study.classifier, grid, cv=splits, refit=False)
            best = search.fit(rotate(features) if study.rotate else features, dataset.y).best_score_
            print(f"{name}: {len(splits[0][0])} clips, {100 * best:.1f}", flush=True)


if __name__ == "__main__":
    main()
