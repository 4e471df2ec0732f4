"""
Log-mel spectrogram presets
===========================

Compare the default log-mel spectrogram with the presets of two papers, on one second of sound.
"""

# %%
# The default is in decibels relative to the peak of the clip. The presets use the settings of the papers. The
# preset of VGGish has a sample rate of 16 kHz.

import matplotlib.pyplot as plt

from skfewaudio import LogMel
from skfewaudio.datasets import make_sound_events

front_ends = {
    "LogMel()": LogMel(),
    'LogMel.from_preset("few-data")': LogMel.from_preset("few-data"),
    'LogMel.from_preset("vggish")': LogMel.from_preset("vggish"),
}

# %%
# The sound is a synthetic dog bark, generated at the sample rate of each front-end. Files would be resampled
# to this rate when they are read.

figure, axes = plt.subplots(len(front_ends), figsize=(7, 8), layout="constrained")
for ax, (name, front_end) in zip(axes, front_ends.items(), strict=True):
    X, y, _ = make_sound_events(2, n_folds=2, duration=1.0, sample_rate=front_end.sample_rate)
    bark = X[list(y).index("dog_bark")]
    spectrogram = front_end.fit_transform([bark])[0]
    ax.imshow(spectrogram, origin="lower", aspect="auto", cmap="magma")
    ax.set(title=f"{name}: {spectrogram.shape[0]} bands, {spectrogram.shape[1]} frames", ylabel="mel band")
axes[-1].set_xlabel("frame")
