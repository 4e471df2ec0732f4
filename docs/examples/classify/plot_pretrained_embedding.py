"""
How do I use my own network as an embedding?
============================================

Wrap a function from waveforms to vectors, and use it as the features of a classifier,
alone or together with the features of this package.
"""

# %%
# Any object with ``sample_rate``, ``window`` and ``embed`` is an embedding. A real one
# would call a network that was trained on many recordings. This one computes the
# modulation spectrum of a clip: how fast its loudness changes in octave bands.

import numpy as np


class ModulationSpectrum:
    sample_rate, window = 16000, 1.0  # Hz, seconds

    def embed(self, waveforms):
        """Return embeddings (n_clips, n_dims) of waveforms (n_clips, n_samples)."""
        frames = np.lib.stride_tricks.sliding_window_view(waveforms, 512, axis=1)[
            :, ::160
        ]
        power = np.abs(np.fft.rfft(frames * np.hanning(512))) ** 2
        octaves = [
            power[:, :, low : 2 * low].sum(axis=2) for low in (2, 4, 8, 16, 32, 64, 128)
        ]
        modulation = np.abs(
            np.fft.rfft(np.log(np.stack(octaves, axis=1) + 1e-9), axis=2)
        )
        return np.log(modulation[:, :, :25] + 1e-3).reshape(len(waveforms), -1)


# %%
# :class:`~skfewaudio.features.PretrainedEmbed` resamples clips, cuts them into windows
# and averages the embeddings of a clip. ``embedding=`` adds the vectors to the features
# of the few-shot classifier, with a weight that is chosen from the training clips.

from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfewaudio import (
    CalibratedRidgeClassifier,
    PretrainedEmbed,
    few_shot_curve,
    make_few_shot_classifier,
)
from skfewaudio.datasets import load_synthetic
from skfewaudio.reporting import FewShotCurveDisplay

dataset = load_synthetic(8, n_folds=2, duration=1.0, sample_rate=16000, snr_db=(-5, 10))
embed = PretrainedEmbed(ModulationSpectrum())
pipelines = {
    "embedding": make_pipeline(embed, StandardScaler(), CalibratedRidgeClassifier()),
    "features": make_few_shot_classifier(sample_rate=16000, augmentation=None),
    "both": make_few_shot_classifier(
        sample_rate=16000, augmentation=None, embedding=ModulationSpectrum()
    ),
}
curve = few_shot_curve(
    pipelines, *dataset, n_shots=[1, 4], n_repeats=3, cv=dataset.make_cv()
)
display = FewShotCurveDisplay.from_results(curve).plot(
    title="Embedding, built-in features, and both"
)

# %%
# Networks that are installed have names, such as ``embedding="birdnet-2.4"``: see
# :doc:`/user_guide/embeddings`.
