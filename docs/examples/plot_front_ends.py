"""
What a network sees
===================

The same second of sound through the front-ends of three papers.
"""

# %%
# A dog's bark, made by code.

import matplotlib.pyplot as plt

from skfewaudio import LogMel
from skfewaudio.datasets import make_sound_events

X, y, _ = make_sound_events(2, n_folds=2, duration=1.0, sample_rate=44100)
bark = X[list(y).index("dog_bark")]

# %%
# The default has decibels below the clip's own peak. The presets are those of the papers, and take their
# sample rates; files are brought to it when they are read.

front_ends = {
    "LogMel()": LogMel(),
    'LogMel.from_preset("few-data")': LogMel.from_preset("few-data"),
    'LogMel.from_preset("vggish", sample_rate=44100)': LogMel.from_preset("vggish", sample_rate=44100),
}
figure, axes = plt.subplots(len(front_ends), figsize=(7, 8), layout="constrained")
for ax, (name, front_end) in zip(axes, front_ends.items(), strict=True):
    spectrogram = front_end.fit_transform([bark])[0]
    ax.imshow(spectrogram, origin="lower", aspect="auto", cmap="magma")
    ax.set(title=f"{name}: {spectrogram.shape[0]} bands, {spectrogram.shape[1]} frames", ylabel="mel band")
axes[-1].set_xlabel("frame")
