"""
Which sounds are confused?
==========================

Predict every clip of a dataset by classifiers that have not seen its recording site,
and draw the confusion matrix.
"""

# %%
# The events are hardly louder than the background, and each of the three classifiers is
# fitted to four clips per class.

from sklearn.model_selection import cross_val_predict

from skfewaudio import make_few_shot_classifier
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(12, n_folds=3, duration=1.0, snr_db=(-8, 8))
model = make_few_shot_classifier(sample_rate=dataset.sample_rate, augmentation=None)
predicted = cross_val_predict(model, *dataset, cv=dataset.make_cv())

# %%
# Rows are the true classes, and the numbers are per cent of the clips of a class. Cells
# beside the diagonal are confusions.

from skfewaudio.reporting import ConfusionDisplay

display = ConfusionDisplay.from_predictions(dataset.y, predicted).plot()

# %%
# The most frequent confusions. Many clips are predicted as an air conditioner, whose
# sound resembles the background.

display.pairs(5).round(2)
