"""
What a network sees
===================

The same second of sound through the front-ends of three papers.
"""

# %%
# The default has decibels below the clip's own peak. The presets are those of the papers; that of VGGish
# hears at 16 kHz.

import matplotlib.pyplot as plt

from skfewaudio import LogMel
from skfewaudio.datasets import make_sound_events

front_ends = {
    "LogMel()": LogMel(),
    'LogMel.from_preset("few-data")': LogMel.from_preset("few-data"),
    'LogMel.from_preset("vggish")': LogMel.from_preset("vggish"),
}

# %%
# A dog's bark, made by code at the rate of each. Files are brought to it when they are read.

figure, axes = plt.subplots(len(front_ends), figsize=(7, 8), layout="constrained")
for ax, (name, front_end) in zip(axes, front_ends.items(), strict=True):
    X, y, _ = make_sound_events(2, n_folds=2, duration=1.0, sample_rate=front_end.sample_rate)
    bark = X[list(y).index("dog_bark")]
    spectrogram = front_end.fit_transform([bark])[0]
    ax.imshow(spectrogram, origin="lower", aspect="auto", cmap="magma")
    ax.set(title=f"{name}: {spectrogram.shape[0]} bands, {spectrogram.shape[1]} frames", ylabel="mel band")
axes[-1].set_xlabel("frame")
