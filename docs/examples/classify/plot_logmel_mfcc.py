"""
Log-mel spectrogram or MFCC: what does each of them describe?
=============================================================

Compute both for the same clips, and compare how well a nearest-neighbour classifier
works with them.
"""

# %%
# MFCC are the cosine transform of each column of a log-mel spectrogram. The first
# coefficients describe the smooth shape of the spectrum. Harmonics, which are fine
# structure, are left out.

import matplotlib.pyplot as plt

from skfewaudio import MFCC, LogMel
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(8, n_folds=2, duration=1.0)
rate = dataset.sample_rate
logmel, mfcc = LogMel(sample_rate=rate), MFCC(sample_rate=rate, summary=None)

names = ["siren", "drilling", "gun_shot"]
clips = [dataset.X[list(dataset.y).index(name)] for name in names]
figure, axes = plt.subplots(2, 3, figsize=(9, 5), layout="constrained", sharex=True)
for column, (name, clip) in enumerate(zip(names, clips, strict=True)):
    for ax, features in zip(axes[:, column], (logmel, mfcc), strict=True):
        values = features.fit_transform([clip])[0]
        first = (
            1 if features is mfcc else 0
        )  # MFCC 0 is the level, far above the others
        extent = (0, 1, first, len(values))
        ax.imshow(
            values[first:], origin="lower", aspect="auto", cmap="magma", extent=extent
        )
    axes[0, column].set_title(name)
axes[0, 0].set_ylabel("Mel band")
axes[1, 0].set_ylabel("Cepstral coefficient")
figure.supxlabel("Time (s)")

# %%
# Means and variations over time make one vector per clip. The nearest clip of the other
# site decides the class.

from sklearn.model_selection import cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import SpectrogramStatistics

nearest = KNeighborsClassifier(1)
pipelines = {
    "log-mel": make_pipeline(
        logmel, SpectrogramStatistics(["bands"]), StandardScaler(), nearest
    ),
    "MFCC": make_pipeline(MFCC(sample_rate=rate), StandardScaler(), nearest),
}
for name, pipeline in pipelines.items():
    scores = cross_val_score(pipeline, *dataset, cv=dataset.make_cv())
    print(f"{name}: accuracy {scores.mean():.2f}")
