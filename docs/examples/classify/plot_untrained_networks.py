"""
Can an untrained network describe sounds?
=========================================

Compute features by convolutional networks with random weights, and compare their
architectures by the accuracy of a support vector machine.
"""

# %%
# No weight is trained. An architecture that describes sounds well with random weights
# tends to do so after training, too. Each network returns about the same number of
# features.

from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfewaudio import RandomCNNFeatures
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(12, n_folds=3, duration=1.0, sample_rate=12000)
architectures = {
    "spectrogram": ["single_layer", "musically_motivated"],
    "waveform": ["sample_level", "frame_level", "frame_level_many_shapes"],
}
scores = {}
for names in architectures.values():
    for name in names:
        features = RandomCNNFeatures(name, n_features=160, random_state=0)
        model = make_pipeline(features, StandardScaler(), SVC())
        scores[name] = cross_val_score(model, *dataset, cv=dataset.make_cv())

# %%
# Bars are mean accuracies over three recording sites; dots are the accuracies of the
# sites.

import matplotlib.pyplot as plt

figure, ax = plt.subplots(figsize=(7, 3), layout="constrained")
for row, (name, values) in enumerate(scores.items()):
    is_waveform = name in architectures["waveform"]
    ax.barh(
        row,
        100 * values.mean(),
        color="#E69F00" if is_waveform else "#0072B2",
        alpha=0.8,
    )
    ax.plot(100 * values, [row] * len(values), "o", color="black", markersize=4)
ax.axvline(10, color="0.4", linestyle=":")
ax.set(
    yticks=range(len(scores)),
    yticklabels=scores,
    xlim=(0, 100),
    xlabel="Accuracy (%); the dotted line is chance",
)
ax.invert_yaxis()
ax.spines[["top", "right"]].set_visible(False)
