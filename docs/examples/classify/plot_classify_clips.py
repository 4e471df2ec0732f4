"""
How do I classify clips from five examples of each class?
=========================================================

Fit the recommended few-shot classifier to five clips of each class, and predict the
classes of clips that it has not seen.
"""

# %%
# The dataset has ten kinds of urban sound, recorded at three simulated sites. The
# classifier is fitted to clips of two sites. The clips of the third site are new to it:
# the sources, the room and the microphone are others.

import numpy as np

from skfewaudio import FewShotSplit, make_few_shot_classifier
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(12, n_folds=3, duration=2.0, snr_db=(0, 15))
split = FewShotSplit(n_shots=5, n_repeats=1, cv=dataset.make_cv(), random_state=0)
train, test = next(iter(split.split(dataset.X, dataset.y)))

model = make_few_shot_classifier(sample_rate=dataset.sample_rate)
model.fit(dataset.X[train], dataset.y[train])
proba = model.predict_proba(dataset.X[test])
predicted = model.classes_[proba.argmax(axis=1)]
accuracy = np.mean(predicted == dataset.y[test])
print(f"{len(train)} training clips; {accuracy:.0%} of {len(test)} test clips correct")

# %%
# One new clip of each of six classes, with its true class and the two most probable
# ones.

import matplotlib.pyplot as plt

from skfewaudio.reporting import SpectrogramDisplay

names = [
    "car_horn",
    "children_playing",
    "dog_bark",
    "gun_shot",
    "siren",
    "street_music",
]
shown = [np.flatnonzero(dataset.y[test] == name)[0] for name in names]
titles = []
for clip, name in zip(shown, names, strict=True):
    best = proba[clip].argsort()[:-3:-1]
    guesses = [f"{model.classes_[k]} {proba[clip, k]:.0%}" for k in best]
    titles.append(f"{name}\n" + ", ".join(guesses))
clips = [dataset.X[test[clip]] for clip in shown]
display = SpectrogramDisplay.from_clips(clips, titles, sample_rate=dataset.sample_rate)
figure, axes = plt.subplots(2, 3, figsize=(10, 6), layout="constrained")
display = display.plot(axes)
for ax in axes.flat:
    ax.label_outer()
