"""
How many labels does active labelling save?
===========================================

Answer the questions of an active labeller, which chooses clips by what its classifier
does not know yet, and compare its accuracy with that of labels of random clips.
"""

# %%
# Here, the labels of a dataset answer the questions. ``skfewaudio label`` asks the same
# questions to a listener, in the browser. After every fifth answer, the predictions of
# all clips without an answer are scored.

import numpy as np

from skfewaudio.datasets import load_synthetic
from skfewaudio.labelling import ActiveLabeller

dataset = load_synthetic(12, n_folds=2, duration=1.0)
clips = [(clip, dataset.sample_rate) for clip in dataset.X]


def label_clips(strategy, random_state=0, features=None):
    """Answer 30 questions; return accuracies and the features of the clips."""
    labeller = ActiveLabeller(
        clips,
        strategy=strategy,
        background=False,
        cache=False,
        random_state=random_state,
        features=features,
    )
    accuracies = []
    for number in range(1, 31):
        labeller.tell(dataset.y[labeller.ask().clip])
        if number % 5 == 0:
            labeller.ask()  # fits the classifier to the last answer, too
            others = [
                clip for clip in range(len(clips)) if labeller.answer_of(clip) is None
            ]
            predicted = [
                next(iter(labeller.question(clip).proba), "") for clip in others
            ]
            accuracies.append(100 * np.mean(predicted == dataset.y[others]))
    return accuracies, labeller.features


adaptive, features = label_clips("adaptive")
random = [label_clips("random", seed, features)[0] for seed in range(4)]

# %%
# The thin lines are four random orders of the clips, and the thick line is their mean.

import matplotlib.pyplot as plt

answers = np.arange(5, 31, 5)
figure, ax = plt.subplots(figsize=(7, 3.8), layout="constrained")
ax.plot(answers, np.transpose(random), color="0.6", linewidth=0.8)
ax.plot(
    answers,
    np.mean(random, axis=0),
    "s-",
    color="0.4",
    linewidth=2,
    label="random clips",
)
ax.plot(answers, adaptive, "o-", color="#0072B2", linewidth=2, label="active labelling")
ax.set(xlabel="Labelled clips", ylabel="Accuracy on the other clips (%)", ylim=(0, 102))
ax.legend(frameon=False, loc="lower right")
ax.spines[["top", "right"]].set_visible(False)

# %%
# :doc:`/benchmarks/labelling` has the same comparison with real recordings.
