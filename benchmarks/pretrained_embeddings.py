"""Evaluation of named pre-trained embeddings, alone and together with the built-in blocks, and their cost.

Few-shot accuracy on the ESC-10 classes of ESC-50, folds 1 to 4, without augmented copies. All rows of the
table have the same training clips. The cost is the time of the processor, relative to the runtime alone that
is fed the same waveforms.
"""

import argparse
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.model_selection import PredefinedSplit

from skfewaudio import (
    BlockScaler,
    CachedFeatures,
    CalibratedRidgeClassifier,
    PretrainedEmbed,
    make_few_shot_classifier,
)
from skfewaudio.audio import load_audio
from skfewaudio.datasets import load_esc50
from skfewaudio.exceptions import LicenceWarning
from skfewaudio.model_selection import few_shot_curve

N_SHOTS = (1, 2, 5, 10, 20)
AT_ONCE = 20  # clips embedded in turn by both, so that the load of the machine affects both alike
Array = NDArray[np.floating]


class Block:
    """Vectors of all clips, the sizes of the parts that are scaled separately, and a prior weight."""

    def __init__(self, vectors: Array, sizes: Sequence[int] | None = None, prior: float = 1.0) -> None:
        self.vectors, self.sizes, self.prior = vectors, sizes, prior


class RowsClassifier(ClassifierMixin, BaseEstimator):
    """The classifier of blocks, for blocks that are computed once for all clips."""

    def __init__(self, blocks: Any) -> None:
        self.blocks = blocks

    def fit(self, X: NDArray[np.int64], y: Any) -> Self:
        """Fit the scalers and the classifier to the rows in X."""
        self.scalers_ = [BlockScaler(block.sizes).fit(block.vectors[X[:, 0]]) for block in self.blocks]
        self.classifier_ = CalibratedRidgeClassifier(
            fit_intercept=False,
            block_sizes=[block.vectors.shape[1] for block in self.blocks],
            block_prior=[block.prior for block in self.blocks],
        ).fit(self._compute(X), y)
        self.classes_ = self.classifier_.classes_
        return self

    def predict(self, X: NDArray[np.int64]) -> Any:
        """Predict the labels of the rows in X."""
        return self.classifier_.predict(self._compute(X))

    def _compute(self, X: NDArray[np.int64]) -> Array:
        pairs = zip(self.scalers_, self.blocks, strict=True)
        return np.hstack([scaler.transform(block.vectors[X[:, 0]]) for scaler, block in pairs])


def built_in_blocks(paths: Sequence[Any], embedding: Any) -> tuple[list[Block], float]:
    """Compute the blocks of the recommended classifier, and return the prior weight of an embedding."""
    first, classifier = make_few_shot_classifier(augmentation=None, embedding=embedding)
    *inner, outer = classifier.prior
    spectrograms = clone(first.spectrogram).fit_transform(paths)
    blocks = []
    for (_, transformer), prior in zip(classifier.blocks, inner, strict=False):
        fitted = clone(transformer).fit(spectrograms)
        sizes = fitted.block_sizes() if hasattr(fitted, "block_sizes") else None
        relevance = getattr(fitted, "relevance_", 1.0)
        blocks.append(Block(fitted.transform(spectrograms), sizes, prior * relevance))
    return blocks, outer


def compare(dataset: Any, name: str, n_repeats: int, n_shots: Sequence[int]) -> None:
    """Print the accuracies of the embedding, of the built-in blocks and of both."""
    vectors = PretrainedEmbed(name).fit_transform(dataset.X)
    own, prior = built_in_blocks(dataset.X, name)
    named = {
        f"{name} alone": [Block(vectors)],
        "built-in blocks": own,
        f"both, {name}": [*own, Block(vectors, prior=prior)],
    }
    rows = np.arange(len(dataset))[:, None]
    curve = few_shot_curve(
        {row: RowsClassifier(blocks) for row, blocks in named.items()},
        rows,
        dataset.y,
        n_shots=n_shots,
        n_repeats=n_repeats,
        cv=PredefinedSplit(dataset.folds),
    )
    of_repeats = 100 * curve.groupby(["pipeline", "n_shots", "repeat"])["value"].mean()
    for row in named:
        found = of_repeats[row].groupby("n_shots")
        cells = [
            f"{found.mean()[n]:.1f} ± {1.96 * found.std()[n] / n_repeats**0.5:.1f}" for n in sorted(n_shots)
        ]
        print(f"| {row:30} | {' | '.join(cells)} |", flush=True)


def make_bare(name: str) -> Callable[[Array], Array]:
    """Return a function that runs a network by its runtime alone, on one waveform."""
    known, path = PretrainedEmbed.list_models()[name], PretrainedEmbed(name).find_files()[0]
    if path.suffix == ".tflite":
        runtime = import_module("ai_edge_litert.interpreter")
        interpreter = runtime.Interpreter(model_path=str(path), num_threads=1)
        interpreter.allocate_tensors()
        index = interpreter.get_input_details()[0]["index"]
        output = interpreter.get_output_details()[0]["index"]

        def run_tflite(waveform: Array) -> Array:
            interpreter.set_tensor(index, waveform[None])
            interpreter.invoke()
            return interpreter.get_tensor(output)

        return run_tflite
    onnxruntime = import_module("onnxruntime")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options)
    node = session.get_inputs()[0]
    shape = [1, -1, 1] if len(node.shape) == 3 else [1, -1]
    others = {"state": np.zeros((2, 1, 128), np.float32), "sr": np.array(known["sample_rate"])}
    feeds = {each.name: others[each.name] for each in session.get_inputs()[1:]}
    return lambda waveform: session.run(None, {node.name: waveform.reshape(shape), **feeds})[0]


def measure(dataset: Any, name: str, n_clips: int) -> None:
    """Print the time of embeddings by the runtime, by the transformer and from the cache."""
    known, bare = PretrainedEmbed.list_models()[name], make_bare(name)
    rate, seconds = known["sample_rate"], known["window"]
    clips = [load_audio(path, sample_rate=rate) for path in dataset.X]
    clips = (clips * (n_clips // len(clips) + 1))[:n_clips]
    embed, n_window = PretrainedEmbed(name, n_threads=1).fit(clips), round(seconds * rate)
    embed.transform(clips[:1])
    ours = theirs = 0.0
    for start in range(0, n_clips, AT_ONCE):
        part, begun = clips[start : start + AT_ONCE], time.process_time()
        embed.transform(part)
        between = time.process_time()
        for clip in part:
            n_whole = len(clip) // n_window
            windows = [clip[i * n_window : (i + 1) * n_window] for i in range(n_whole)]
            for window in [*windows, clip[-n_window:]] if n_whole * n_window < len(clip) else windows:
                bare(window)
        ours, theirs = ours + between - begun, theirs + time.process_time() - between
    with tempfile.TemporaryDirectory() as folder:
        cached = CachedFeatures(embed, location=folder)
        paths = dataset.X[:n_clips]
        cached.warm(paths)
        begun = time.process_time()
        cached.transform(paths)
        again = (time.process_time() - begun) * n_clips / len(paths)
    print(
        f"| {name:30} | {theirs:.1f} s | {ours:.1f} s | {ours / theirs:.3f} | {again / ours:.2%} |",
        flush=True,
    )


def main() -> None:
    """Run the evaluation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-home", required=True, help="folder ESC-50-master")
    parser.add_argument("--embedding", nargs="+", default=["birdnet-2.4"], help="names of networks")
    parser.add_argument("--n-repeats", type=int, default=6)
    parser.add_argument("--n-shots", type=int, nargs="+", default=N_SHOTS)
    parser.add_argument("--cost", type=int, metavar="N", help="measure the cost on N clips instead")
    args = parser.parse_args()
    warnings.simplefilter("ignore", LicenceWarning)
    torch.set_num_threads(1)
    dataset = load_esc50(args.data_home, subset="esc10")
    dataset = dataset.subset(np.flatnonzero(dataset.folds <= 4))
    for name in args.embedding:
        if args.cost:
            measure(dataset, name, args.cost)
        else:
            compare(dataset, name, args.n_repeats, args.n_shots)


if __name__ == "__main__":
    main()
