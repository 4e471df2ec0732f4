"""
How many clips of each class do I need?
=======================================

Plot accuracy against the number of labelled clips per class, for a common baseline and
for the recommended few-shot classifier. Then estimate whether it is worth collecting
more recordings.
"""

# %%
# The dataset has ten kinds of generated sound, from three simulated recording sites.
# Each site is a fold. As in practice, the test clips come from a site that is not in
# the training data.

from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(9, n_folds=3, duration=1.0)
print(dataset)

# %%
# Both pipelines start from waveforms. MFCC with a 1-nearest-neighbour classifier is the
# usual baseline in papers.

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, make_few_shot_classifier

rate = dataset.sample_rate
pipelines = {
    "MFCC, 1-NN": make_pipeline(
        MFCC(sample_rate=rate), KNeighborsClassifier(1, metric="cosine")
    ),
    "few-shot": make_few_shot_classifier(sample_rate=rate, augmentation=None),
}

# %%
# Both pipelines use the same draws of clips. The draws are nested: the two clips of a
# draw are among its five.

from skfewaudio import few_shot_curve
from skfewaudio.reporting import FewShotCurveDisplay, accuracy_table

folds = dataset.make_cv()
curve = few_shot_curve(pipelines, *dataset, n_shots=[1, 2, 5], n_repeats=3, cv=folds)
print(accuracy_table(curve))
display = FewShotCurveDisplay.from_results(curve).plot(title="Synthetic dataset")

# %%
# A power law fitted to the scores estimates the accuracy with ten clips per class, with
# a 95 % interval.

from skfewaudio.model_selection import extrapolate_curve

extrapolate_curve(curve, n_shots=10).round(3)
