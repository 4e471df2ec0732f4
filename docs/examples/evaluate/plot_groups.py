"""
Why does a random split promise too much?
=========================================

Measure the accuracy of a classifier with three splits: at random, with recordings kept
together, and by recording site.
"""

# %%
# The clips come in pairs from one source, such as two barks of a dog, and from three
# sites. A random split tests on clips whose twins, or at least whose rooms and
# microphones, are in the training set.

from sklearn.model_selection import (
    StratifiedGroupKFold,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import MFCC
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(24, n_folds=3, duration=1.0)
X = MFCC(sample_rate=dataset.sample_rate).fit_transform(dataset.X)
model = make_pipeline(StandardScaler(), KNeighborsClassifier(1))
splits = {
    "clips at random": StratifiedKFold(3, shuffle=True, random_state=0),
    "recordings kept together": StratifiedGroupKFold(3, shuffle=True, random_state=0),
    "sites kept together": dataset.make_cv(),
}
scores = {}
for name, cv in splits.items():
    groups = dataset.groups if name == "recordings kept together" else None
    scores[name] = cross_val_score(model, X, dataset.y, cv=cv, groups=groups)

# %%
# The last bar is the accuracy to expect at a new site. Dots are the folds.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 2.4), layout="constrained")
for row, values in enumerate(scores.values()):
    ax.barh(
        row,
        100 * values.mean(),
        color=["#D55E00", "#E69F00", "#0072B2"][row],
        alpha=0.8,
    )
    ax.plot(100 * values, [row] * len(values), "o", color="black", markersize=4)
    ax.text(
        1, row, f"{values.mean():.0%}", va="center", color="white", fontweight="bold"
    )
ax.set(
    yticks=range(len(scores)), yticklabels=scores, xlim=(0, 100), xlabel="Accuracy (%)"
)
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)

# %%
# Tables and folders with a group for each clip are split in the second way by
# ``skfewaudio train`` and :meth:`~skfewaudio.datasets.AudioDataset.make_cv`.
# :func:`~skfewaudio.model_selection.check_leakage` finds clips that are on both sides
# of a split.
