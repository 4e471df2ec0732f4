"""
Do unlabelled clips help?
=========================

Fit the few-shot classifier to two labelled clips of each class, with and without
unlabelled clips of another recording site.
"""

# %%
# The labelled clips are of one site, and the clips to classify of another: its room,
# microphone and background are new to the classifier. Recordings of the other site are
# at hand, but nobody has labelled them. Their label is -1.

import numpy as np
import pandas as pd

from skfewaudio import make_few_shot_classifier
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(24, n_folds=2, duration=1.0, snr_db=(-5, 10))
X, y, rate = dataset.X, dataset.y, dataset.sample_rate
home, away = np.flatnonzero(dataset.folds == 1), np.flatnonzero(dataset.folds == 2)
unlabelled, test = away[:60], away[60:]

rows = []
for draw in range(4):
    shuffled = np.random.default_rng(draw).permutation(home)
    labelled = np.concatenate(
        [shuffled[y[shuffled] == name][:2] for name in np.unique(y)]
    )
    for semi_supervised in (False, True):
        model = make_few_shot_classifier(
            sample_rate=rate, augmentation=None, semi_supervised=semi_supervised
        )
        if semi_supervised:
            clips = np.concatenate([labelled, unlabelled])
            labels = np.concatenate(
                [y[labelled].astype(object), np.full(len(unlabelled), -1)]
            )
        else:
            clips, labels = labelled, y[labelled]
        accuracy = model.fit(X[clips], labels).score(X[test], y[test])
        rows.append((draw, "with" if semi_supervised else "without", 100 * accuracy))
results = pd.DataFrame(rows, columns=["draw", "unlabelled clips", "accuracy"])
print(
    results.groupby("unlabelled clips", sort=False)["accuracy"]
    .mean()
    .round(1)
    .to_string()
)

# %%
# Each line is a draw of labelled clips.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(5, 3.6), layout="constrained")
for _, pair in results.groupby("draw"):
    ax.plot(
        pair["unlabelled clips"], pair["accuracy"], "o-", color="#0072B2", alpha=0.8
    )
ax.set(ylabel="Accuracy (%)", xlabel="60 unlabelled clips", xlim=(-0.3, 1.3))
ax.spines[["top", "right"]].set_visible(False)
