"""
Does the order of sounds in time matter?
========================================

Distinguish rising from falling whistles. Both have the same mean spectrum, so that
statistics over time cannot tell them apart. A description of the order in time can.
"""

# %%
# The whistles start anywhere in a second, last 0.3 to 0.6 s and differ in pitch.

import numpy as np
from scipy.signal import chirp

rate = 16000
rng = np.random.default_rng(0)


def whistle(is_rising):
    """Return a second of noise with one whistle."""
    duration, pitch = rng.uniform(0.3, 0.6), rng.uniform(600, 900)
    seconds = np.arange(int(duration * rate)) / rate
    ends = (pitch, 3 * pitch) if is_rising else (3 * pitch, pitch)
    clip = 0.005 * rng.standard_normal(rate)
    start = rng.integers(rate - len(seconds))
    clip[start : start + len(seconds)] += (
        0.3 * chirp(seconds, ends[0], duration, ends[1]) * np.hanning(len(seconds))
    )
    return clip


y = np.array(["rising", "falling"] * 40)
X = np.stack([whistle(label == "rising") for label in y])

# %%
# The mean of each mel band over time, against the spectrogram of the active part of the
# clip, stretched to 16 steps.

import matplotlib.pyplot as plt

from skfewaudio import LogMel, SpectrogramStatistics, TimeNormalizedSpectrogram

spectrograms = LogMel(sample_rate=rate).fit_transform(X)
ordered = TimeNormalizedSpectrogram(["level"])
figure, axes = plt.subplots(2, 3, figsize=(9, 4.6), layout="constrained")
for row, label in enumerate(["rising", "falling"]):
    image = {"origin": "lower", "aspect": "auto", "cmap": "magma"}
    axes[row, 0].imshow(spectrograms[row], extent=(0, 1, 0, 64), **image)
    axes[row, 0].set(ylabel=f"{label}\nMel band")
    axes[row, 1].plot(spectrograms[y == label].mean(axis=(0, 2)))
    axes[row, 1].sharey(axes[0, 1])
    steps = ordered.fit_transform(spectrograms[row : row + 1]).reshape(32, 16)
    axes[row, 2].imshow(steps, extent=(0, 16, 0, 32), **image)
axes[0, 0].set_title("one clip")
axes[0, 1].set_title("mean level of all clips (dB)")
axes[0, 2].set_title("TimeNormalizedSpectrogram")
axes[1, 0].set_xlabel("Time (s)")
axes[1, 1].set_xlabel("Mel band")
axes[1, 2].set_xlabel("Step")

# %%
# Twenty clips for training, sixty for testing. The recommended few-shot classifier uses
# both descriptions.

from sklearn.pipeline import make_pipeline

from skfewaudio import BlockScaler, CalibratedRidgeClassifier, make_few_shot_classifier

for features in (SpectrogramStatistics(["bands"]), ordered):
    model = make_pipeline(features, BlockScaler(), CalibratedRidgeClassifier())
    accuracy = model.fit(spectrograms[:20], y[:20]).score(spectrograms[20:], y[20:])
    print(f"{type(features).__name__}: accuracy {accuracy:.2f}")
model = make_few_shot_classifier(sample_rate=rate).fit(X[:20], y[:20])
print(f"make_few_shot_classifier: accuracy {model.score(X[20:], y[20:]):.2f}")
