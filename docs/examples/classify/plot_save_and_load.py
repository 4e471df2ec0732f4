"""
How do I save a classifier, and use it elsewhere?
=================================================

Save a fitted classifier to a file, read what the file says about it, load it, and
predict.
"""

# %%
# Fit a classifier, and save it with a note. The file stores no code, so that loading it
# cannot run any.

import tempfile
from pathlib import Path

from skfewaudio import load_model, make_few_shot_classifier, save_model
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(6, n_folds=2, duration=1.0)
train, test = dataset.subset(dataset.folds == 1), dataset.subset(dataset.folds == 2)
model = make_few_shot_classifier(sample_rate=dataset.sample_rate).fit(*train)

folder = tempfile.TemporaryDirectory()
path = Path(folder.name) / "street.model"
save_model(model, path)
print(f"{path.name}: {path.stat().st_size / 1e6:.1f} MB")

# %%
# The card of the file is read without loading the model.

from skfewaudio.persistence import read_card

card = read_card(path)
print(*card, sep=", ")
print(*card["classes"], sep=", ")

# %%
# The loaded model predicts the same probabilities.

import matplotlib.pyplot as plt

loaded = load_model(path)
proba = loaded.predict_proba(test.X[:6])
print("same probabilities:", (proba == model.predict_proba(test.X[:6])).all())
figure, ax = plt.subplots(figsize=(8, 3.2), layout="constrained")
image = ax.imshow(proba, cmap="Blues", vmin=0, vmax=1, aspect="auto")
ax.set_xticks(range(len(loaded.classes_)), loaded.classes_, rotation=35, ha="right")
ax.set(
    yticks=range(6),
    yticklabels=test.y[:6],
    ylabel="True class",
    xlabel="Predicted class",
)
figure.colorbar(image, label="Probability")
folder.cleanup()
