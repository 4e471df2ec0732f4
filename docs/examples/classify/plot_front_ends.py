"""
Which log-mel spectrogram do I need?
====================================

Compare the default log-mel spectrogram with the presets of two papers, on one second of
sound.
"""

# %%
# The default is in decibels, from the peak of the clip down to 80 dB below it. The
# presets use the settings of the papers. The preset of VGGish has a sample rate of 16
# kHz.

from skfewaudio import LogMel
from skfewaudio.datasets import make_sound_events

front_ends = {
    "LogMel()": LogMel(),
    'LogMel.from_preset("few-data")': LogMel.from_preset("few-data"),
    'LogMel.from_preset("vggish")': LogMel.from_preset("vggish"),
}

# %%
# The sound is a synthetic dog bark, generated at the sample rate of each front-end.
# Files would be resampled to this rate when they are read. Use the default for the
# few-shot classifier, and a preset for the networks that were published with it.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(
    len(front_ends), figsize=(7, 7), layout="constrained", sharex=True
)
for ax, (name, front_end) in zip(axes, front_ends.items(), strict=True):
    X, y, _ = make_sound_events(
        2, n_folds=2, duration=1.0, sample_rate=front_end.sample_rate
    )
    bark = X[list(y).index("dog_bark")]
    spectrogram = front_end.fit_transform([bark])[0]
    n_bands, n_frames = spectrogram.shape
    image = ax.imshow(
        spectrogram,
        origin="lower",
        aspect="auto",
        cmap="magma",
        extent=(0, 1, 0, n_bands),
    )
    figure.colorbar(image, ax=ax)
    ax.set(title=f"{name}: {n_bands} bands, {n_frames} frames", ylabel="Mel band")
axes[-1].set_xlabel("Time (s)")
