"""
How do I predict several labels of a clip?
==========================================

Train a classifier for each label on clips in which several sounds overlap, and compare
the probabilities with the labels of new clips.
"""

# %%
# The target is an indicator matrix: one row per clip, one column per label. The dataset
# has one to three of five sounds in each clip.

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import LogMel, SoundEmbed
from skfewaudio.datasets import load_sound_scenes
from skfewaudio.metrics import mean_average_precision

dataset = load_sound_scenes(
    160, n_labels=5, n_folds=4, events=(1, 3), imbalance=2.0, duration=1.0
)
train, test = dataset.subset(dataset.folds != 1), dataset.subset(dataset.folds == 1)
tagger = make_pipeline(
    LogMel(sample_rate=dataset.sample_rate),
    SoundEmbed(),
    StandardScaler(),
    OneVsRestClassifier(LogisticRegression(C=0.01)),
)
proba = tagger.fit(*train).predict_proba(test.X)

# %%
# Each column is a test clip. A frame marks the labels that the clip has: they should be
# dark, and the others pale.

import matplotlib.pyplot as plt
from matplotlib.patches import Rectangle

figure, ax = plt.subplots(figsize=(9, 3), layout="constrained")
image = ax.imshow(proba[:24].T, cmap="Blues", vmin=0, vmax=1, aspect="auto")
for clip, label in np.argwhere(test.y[:24]):
    corner = (clip - 0.42, label - 0.42)
    frame = Rectangle(corner, 0.84, 0.84, fill=False, edgecolor="#D55E00", linewidth=2)
    ax.add_patch(frame)
ax.set(yticks=range(5), yticklabels=dataset.target_names, xlabel="Test clip")
figure.colorbar(image, label="Probability")

# %%
# The average precision of each label measures how well the clips with the label rank
# above the others. Chance is the share of clips with the label.

precision = mean_average_precision(test.y, proba, average=None)
shares = test.y.mean(axis=0)
for name, value, chance in zip(dataset.target_names, precision, shares, strict=True):
    print(f"{name:16s} average precision {value:.2f}, chance {chance:.2f}")
