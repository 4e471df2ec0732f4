"""
How good with how many clips?
=============================

Accuracy against the number of labelled clips per class, for the usual baseline and for the classifier to
start with: the question to ask before collecting more recordings.
"""

# %%
# The embedded data set
# ---------------------
# Ten kinds of sound, made by code at three simulated sites. Each site is a fold: testing on a site that
# training has not heard is what a user will do.

from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(9, n_folds=3, duration=1.0)
print(dataset)

# %%
# Two pipelines
# -------------
# Both start from sounds. MFCC with the nearest neighbour is what papers compare with.

from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skfewaudio import MFCC, make_few_shot_classifier

rate = dataset.sample_rate
pipelines = {
    "MFCC, 1-NN": make_pipeline(MFCC(sample_rate=rate), KNeighborsClassifier(1, metric="cosine")),
    "few-shot": make_few_shot_classifier(sample_rate=rate),
}

# %%
# The curve
# ---------
# Every draw of clips is the same for both, and nested: the two clips of a draw are among its five.

from skfewaudio import few_shot_curve
from skfewaudio.reporting import FewShotCurveDisplay, accuracy_table

folds = dataset.make_cv()
curve = few_shot_curve(pipelines, *dataset, n_shots=[1, 2, 5], n_repeats=5, cv=folds)
print(accuracy_table(curve))
display = FewShotCurveDisplay.from_results(curve).plot(title="Embedded data set")

# %%
# Worth collecting more?
# ----------------------
# A power law, fitted to the draws, says what ten clips per class would bring, and how sure that is.

from skfewaudio.model_selection import extrapolate_curve

extrapolate_curve(curve, n_shots=10).round(3)
