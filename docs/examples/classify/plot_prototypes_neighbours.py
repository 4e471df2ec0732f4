"""
Prototypical network or nearest neighbour?
==========================================

Compare a prototypical network, which learns an embedding from a few clips, with the
nearest neighbour in MFCC and with the few-shot classifier, which trains no network.
"""

# %%
# All three are fitted to the same clips: all of one site, four of each class.

import time

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, LogMel, PrototypicalClassifier, make_few_shot_classifier
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(8, n_folds=2, duration=1.0, snr_db=(0, 20))
train, test = dataset.subset(dataset.folds == 1), dataset.subset(dataset.folds == 2)
rate = dataset.sample_rate
models = {
    "MFCC, nearest neighbour": make_pipeline(
        MFCC(sample_rate=rate), KNeighborsClassifier(1, metric="cosine")
    ),
    "prototypical network": make_pipeline(
        LogMel(sample_rate=rate), PrototypicalClassifier(random_state=0)
    ),
    "few-shot classifier": make_few_shot_classifier(sample_rate=rate),
}
results = {}
for name, model in models.items():
    start = time.process_time()
    model.fit(*train)
    results[name] = time.process_time() - start, 100 * model.score(*test)

# %%
# Accuracy on the other site, and processor time of the fit.

import matplotlib.pyplot as plt

figure, (left, right) = plt.subplots(
    1, 2, figsize=(8, 2.6), layout="constrained", sharey=True
)
names, (seconds, accuracies) = list(results), zip(*results.values(), strict=True)
colors = ["#0072B2", "#D55E00", "#009E73"]
left.barh(names, accuracies, color=colors)
left.set(xlabel="Accuracy (%)", xlim=(0, 100))
left.invert_yaxis()
right.barh(names, seconds, color=colors)
right.set(xlabel="Processor time of the fit (s)")
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)
