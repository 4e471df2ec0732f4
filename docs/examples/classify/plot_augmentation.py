"""
What does augmentation change in a spectrogram?
===============================================

Apply each augmentation method to one clip, and look at the changed spectrograms.
"""

# %%
# The clip is a synthetic siren. Augmentation methods change spectrograms, not
# waveforms, so that a classifier can be fitted to many copies of a clip at little cost.

import torch

from skfewaudio import LogMel
from skfewaudio.augmentation import (
    BackgroundNoise,
    FrequencyShift,
    RandomCrop,
    RandomEqualizer,
    SpecAugment,
    TimeShift,
    TimeStretch,
    augment,
)
from skfewaudio.datasets import load_synthetic

dataset = load_synthetic(2, n_folds=2, duration=2.0)
siren = dataset.X[list(dataset.y).index("siren")]
spectrogram = LogMel(sample_rate=dataset.sample_rate).fit_transform([siren])

# %%
# The parameters are larger than their defaults, so that the changes are easy to see.

import matplotlib.pyplot as plt

methods = {
    "TimeShift()": TimeShift(),
    "RandomCrop(0.5)": RandomCrop(0.5),
    "TimeStretch(0.3)": TimeStretch(0.3),
    "FrequencyShift(12)": FrequencyShift(12),
    "RandomEqualizer(10)": RandomEqualizer(10.0),
    "BackgroundNoise(10, 20)": BackgroundNoise(10, 20),
    "SpecAugment()": SpecAugment(),
}
figure, axes = plt.subplots(
    2, 4, figsize=(10, 5), layout="constrained", sharex=True, sharey=True
)
panels = {"unchanged": torch.from_numpy(spectrogram)}
for name, method in methods.items():
    random = torch.Generator().manual_seed(1)
    panels[name], _ = augment(method, panels["unchanged"], torch.ones(1, 1), random)
for ax, (name, values) in zip(axes.flat, panels.items(), strict=True):
    extent = (0, 2, 0, values.shape[1])
    levels = {"vmin": spectrogram.min(), "vmax": spectrogram.max()}
    image = {"origin": "lower", "aspect": "auto", "cmap": "magma", "extent": extent}
    ax.imshow(values[0].numpy(), **image, **levels)
    ax.set_title(name, fontsize="medium")
figure.supxlabel("Time (s)")
figure.supylabel("Mel band")

# %%
# All methods but the one that mixes clips keep the class of a sound. Choose methods by
# what does *not* define your classes: do not shift the frequencies if the classes
# differ in pitch. See :doc:`/user_guide/augmentation`.
