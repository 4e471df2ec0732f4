"""
Which clips should I label next?
================================

Suggest the unlabelled clips about which a classifier is most uncertain, and which
differ from each other.
"""

# %%
# Twenty clips have labels. The features are scaled, because the differences between
# clips are measured by them.

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import MFCC
from skfewaudio.datasets import load_synthetic
from skfewaudio.model_selection import suggest_clips

dataset = load_synthetic(20, n_folds=2, duration=1.0)
names = ["dog_bark", "gun_shot", "jackhammer", "siren"]
dataset = dataset.subset(np.isin(dataset.y, names))
X = MFCC(sample_rate=dataset.sample_rate).fit_transform(dataset.X)
model = make_pipeline(StandardScaler(), LogisticRegression()).fit(
    X[:20], dataset.y[:20]
)
unlabelled = X[20:]
suggested = suggest_clips(model, unlabelled, n_clips=6)
print("suggested:", *suggested)

# %%
# The plane of the first two principal components: suggested clips are where the classes
# meet, and apart from each other.

import matplotlib.pyplot as plt
from sklearn.decomposition import PCA

points = PCA(2).fit_transform(model[:-1].transform(X))
proba = model.predict_proba(unlabelled)
margin = np.diff(np.sort(proba, axis=1)[:, -2:], axis=1)[:, 0]
figure, ax = plt.subplots(figsize=(7, 4.6), layout="constrained")
dots = ax.scatter(
    *points[20:].T, c=margin, cmap="viridis", s=34, vmin=0, vmax=1, label="unlabelled"
)
ax.scatter(*points[:20].T, marker="x", color="0.35", s=30, label="labelled")
ax.scatter(
    *points[20:][suggested].T,
    s=170,
    facecolors="none",
    edgecolors="#D55E00",
    linewidths=2,
    label="suggested",
)
ax.set(xlabel="Principal component 1", ylabel="Principal component 2")
ax.legend(frameon=False, loc="lower right")
figure.colorbar(dots, label="Margin of the two highest probabilities")
ax.spines[["top", "right"]].set_visible(False)
