"""
Are the probabilities right?
============================

Compare the probabilities of predictions with the share of predictions that are correct.
Of the predictions with a probability of 80 %, 80 % should be correct.
"""

# %%
# The few-shot classifier fits the scale of its probabilities to predictions of training
# clips that were left out. Each clip is predicted twice: by a classifier that knows
# other recordings of the same site, and by a classifier that does not know the site.

from sklearn.model_selection import StratifiedGroupKFold, cross_val_predict

from skfewaudio import make_few_shot_classifier
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(18, n_folds=3, duration=1.0, snr_db=(-10, 10))
model = make_few_shot_classifier(sample_rate=dataset.sample_rate, augmentation=None)
known = StratifiedGroupKFold(3, shuffle=True, random_state=0)
folds = {
    "known sites": list(known.split(dataset.X, dataset.y, groups=dataset.groups)),
    "a new site": list(dataset.make_cv().split()),
}
probabilities = {
    name: cross_val_predict(model, *dataset, cv=splits, method="predict_proba")
    for name, splits in folds.items()
}

# %%
# The dots are bins of predictions, on the diagonal if the probabilities are right. The
# expected calibration error is the mean distance from the diagonal, weighted by the
# number of predictions. At a new site, the probabilities are too high: no training clip
# tells how different a site can be.

import matplotlib.pyplot as plt

from skfewaudio.reporting import ReliabilityDisplay

figure, axes = plt.subplots(1, 2, figsize=(9, 4.6), layout="constrained")
for ax, (name, proba) in zip(axes, probabilities.items(), strict=True):
    display = ReliabilityDisplay.from_predictions(dataset.y, proba, name=name).plot(ax)
    print(f"{name}: calibration error {display.expected_calibration_error:.2f}")
