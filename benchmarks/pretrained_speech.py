"""Evaluation of pre-trained networks for speech and pitch, alone and together with the built-in blocks.

The networks have no format of their own that is read here: each is an object with `sample_rate`, `window` and
`embed`, around the code of its authors. Two kinds of sound are used: the ESC-10 classes of ESC-50, folds 1 to
4, and words spoken by eSpeak NG (if installed). Every row of a table has the same training clips. Packages:
resemblyzer, torchcrepe, silero-vad; their weights are part of them.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np
import torch
from few_shot_classifier import Sounds, accuracies, format_interval, print_row
from numpy.typing import NDArray
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from spoken_words import make_spoken_words

from skfewaudio import BlockScaler, CalibratedRidgeClassifier, make_few_shot_classifier
from skfewaudio.datasets import load_esc50
from skfewaudio.features import PretrainedEmbed

N_SHOTS = (1, 5, 20)
WORDS_RATE = 22050
Array = NDArray[np.float32]


class Resemblyzer:
    """Encoder of speakers (arXiv:1710.10467), in the package resemblyzer; 256 numbers per clip."""

    sample_rate, window = 16000, None

    def __init__(self) -> None:
        self.encoder = import_module("resemblyzer").VoiceEncoder("cpu", verbose=False)

    def embed(self, batch: Array) -> Array:
        """Return the embedding of each clip as one utterance."""
        return np.stack([self.encoder.embed_utterance(clip) for clip in batch])


class TorchCrepe:
    """Fifth layer of the small pitch tracker CREPE (arXiv:1802.06182), in torchcrepe, every 50 ms."""

    sample_rate, window = 16000, None

    def embed(self, batch: Array) -> Array:
        """Return the activations of every frame."""
        embed = import_module("torchcrepe").embed
        rows = [
            embed(torch.tensor(clip)[None], self.sample_rate, 800, "tiny", batch_size=64) for clip in batch
        ]
        return torch.stack([row[0].flatten(1) for row in rows]).detach().numpy()


class SileroVad:
    """State of the recurrent layer of the detector of speech in the package silero-vad, every 32 ms."""

    sample_rate, window, min_duration = 16000, None, 0.032

    def __init__(self) -> None:
        self.network = import_module("silero_vad").load_silero_vad()

    @torch.no_grad()
    def embed(self, batch: Array) -> Array:
        """Return 128 numbers for each of the 512 samples that the network receives at a time."""
        self.network.reset_states()
        missing = -batch.shape[1] % 512
        states = []
        for chunk in torch.from_numpy(np.pad(batch, ((0, 0), (0, missing)))).split(512, dim=1):
            self.network(chunk, self.sample_rate)
            states.append(self.network._state[0].clone())
        return torch.stack(states, dim=1).numpy()


MODELS: dict[str, Callable[[], Any]] = {
    "resemblyzer": Resemblyzer,
    "torchcrepe": TorchCrepe,
    "silero-vad": SileroVad,
}


def load(name: str, data_home: str | None) -> tuple[list[Any], NDArray, NDArray[np.int64], int]:
    """Return clips, labels, folds and the rate of the spectrograms."""
    if name == "esc10":
        data = load_esc50(data_home=data_home, subset="esc10")
        chosen = np.flatnonzero(data.folds <= 4)
        return [data.X[i] for i in chosen], data.y[chosen], data.folds[chosen], 44100
    clips, y, folds = make_spoken_words(WORDS_RATE)
    return [(clip, WORDS_RATE) for clip in clips], y, folds, WORDS_RATE


def evaluate(name: str, models: list[str], n_draws: int, data_home: str | None) -> None:
    """Print the accuracies of one kind of sound."""
    X, y, folds, rate = load(name, data_home)
    sounds = Sounds(X, y, folds, rate, [], [])
    print(f"\n{name}, {len(y)} clips, {n_draws} draws", flush=True)

    def report(row: str, model: Any, features: Any) -> None:
        make = partial(clone, model)
        print_row(row, [format_interval(accuracies(make, features, sounds, n, n_draws)) for n in N_SHOTS])

    embeddings = {}
    for model in models:
        started = time.process_time()
        embeddings[model] = PretrainedEmbed(MODELS[model](), n_threads=1).fit_transform(X)
        milliseconds = 1000 * (time.process_time() - started) / len(X)
        ridge = CalibratedRidgeClassifier(fit_intercept=False, device="cpu")
        row = f"{model}, {embeddings[model].shape[1]} numbers, {milliseconds:.0f} ms of a core a clip"
        report(row, make_pipeline(BlockScaler(), ridge), embeddings[model])
    for names in ([], *([model] for model in models)):
        rows = [FunctionTransformer(partial(get_rows, embeddings[model])) for model in names]
        both = make_few_shot_classifier(sample_rate=rate, augmentation=None, embedding=rows, device="cpu")
        report(" and ".join(["built-in blocks", *names]), both[1:], both[0].fit_transform(X))


def get_rows(rows: Array, _: Any) -> Array:
    """Return the embeddings of all clips, which have been computed before."""
    return rows


def main() -> None:
    """Print a table for each kind of sound."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", help="folder of ESC-50-master, for esc10")
    parser.add_argument("--data", nargs="+", default=["esc10", "words"])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--n-draws", type=int, default=4)
    args = parser.parse_args()
    for name in args.data:
        evaluate(name, args.models, args.n_draws, args.data_home)


if __name__ == "__main__":
    main()
