"""Training time of SkorchCNN and of a plain PyTorch loop over the same networks as published, in one run.

The plain loop cuts each clip's patch separately, keeps the published order of layers, normalises its input
with a learned scale and offset, and backpropagates through every convolution. Both train on one thread.
Times are CPU times, scaled from a few epochs to 200.

    OMP_NUM_THREADS=1 python benchmarks/speed/cnn.py
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812, as in torch's own documentation

from skfewaudio import SkorchCNN

N_CLASSES, N_MELS, N_FRAMES, PATCH = 10, 128, 216, 128
N_EPOCHS = 200


class GlobalMaxPool(nn.Module):
    """Global max pooling."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, n_filters) for maps of shape (batch, n_filters, n_mels, n_frames)."""
        return F.max_pool2d(x, x.shape[2:]).flatten(1)


def sb_cnn() -> nn.Module:
    """Build the SB-CNN as published."""
    layers: list[nn.Module] = [nn.BatchNorm2d(1)]
    for n_in, n_out in ((1, 24), (24, 48)):
        layers += [nn.Conv2d(n_in, n_out, 5), nn.ReLU(), nn.MaxPool2d((2, 4))]
    layers += [nn.Conv2d(48, 48, 5), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5), nn.Linear(2400, 64), nn.ReLU()]
    return nn.Sequential(*layers, nn.Dropout(0.5), nn.Linear(64, N_CLASSES))


def vgg() -> nn.Module:
    """Build the VGG with 32 filters as published."""
    layers: list[nn.Module] = [nn.BatchNorm2d(1)]
    for i in range(5):
        layers += [nn.Conv2d(32 if i else 1, 32, 3, padding=1), nn.ELU(), nn.BatchNorm2d(32), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.5), nn.Linear(512, N_CLASSES))


def timbre() -> nn.Module:
    """Build the single layer of timbral filters as published."""
    return nn.Sequential(nn.BatchNorm2d(1), nn.Conv2d(1, N_CLASSES, (108, 7)), GlobalMaxPool())


PLAIN_NETWORKS: dict[str, Callable[[], nn.Module]] = {"sb_cnn": sb_cnn, "vgg": vgg, "timbre": timbre}


def fit_plain(name: str, X: np.ndarray, y: np.ndarray, n_epochs: int) -> nn.Module:
    """Train in a plain loop, 256 patches at a time."""
    network = PLAIN_NETWORKS[name]().train()
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1, weight_decay=0.001)
    rng = np.random.default_rng(0)
    for _ in range(n_epochs):
        order = rng.permutation(len(X))
        for part in np.array_split(order, -(-len(order) // 256)):
            starts = rng.integers(N_FRAMES - PATCH + 1, size=len(part))
            patches = [X[i][:, start : start + PATCH] for i, start in zip(part, starts, strict=True)]
            x = torch.from_numpy(np.stack(patches)).unsqueeze(1)
            optimizer.zero_grad()
            F.cross_entropy(network(x), torch.from_numpy(y[part])).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 5.0)
            optimizer.step()
    return network


def predict_plain(network: nn.Module, X: np.ndarray) -> np.ndarray:
    """Predict patches in steps of one frame, and average the probabilities of each clip."""
    network.eval()
    probabilities = []
    with torch.no_grad():
        for clip in X:
            patches = np.stack([clip[:, i : i + PATCH] for i in range(N_FRAMES - PATCH + 1)])
            probabilities.append(network(torch.from_numpy(patches).unsqueeze(1)).softmax(1).mean(0).numpy())
    return np.stack(probabilities)


def fit_ours(name: str, X: np.ndarray, y: np.ndarray, n_epochs: int, mixed_precision: bool) -> SkorchCNN:
    """Train with the library for the same number of epochs."""
    cnn = SkorchCNN(name, max_epochs=n_epochs, recalibrate=False, device="cpu", random_state=0)
    return cnn.set_params(mixed_precision=mixed_precision).fit(X, y)


def seconds(function: Callable[..., object], *args: object) -> float:
    """Measure the CPU time of one call."""
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def main() -> None:
    """Print the CPU times of both and their ratio, for each network."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--n-shots", type=int, nargs="+", default=[1, 5, 10, 20])
    parser.add_argument("--n-epochs", type=int, default=8, help="timed epochs, after an untimed one")
    parser.add_argument("--mixed-precision", action="store_true", help="bfloat16 products in SkorchCNN")
    args = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    scale = N_EPOCHS / args.n_epochs
    print(f"{N_EPOCHS} epochs, {args.n_epochs} of them timed; CPU seconds")
    print(f"{'':9}{'clips per class':>16}{'plain':>9}{'ours':>9}{'ours/plain':>12}")
    for name in PLAIN_NETWORKS:
        for n_shots in args.n_shots:
            y = np.repeat(np.arange(N_CLASSES), n_shots)
            X = rng.standard_normal((len(y), N_MELS, N_FRAMES), dtype=np.float32)

            fit_plain(name, X, y, 1)
            cnn = fit_ours(name, X, y, 1, args.mixed_precision)
            plain = scale * seconds(fit_plain, name, X, y, args.n_epochs)
            ours = scale * seconds(fit_ours, name, X, y, args.n_epochs, args.mixed_precision)
            print(f"{name:9}{n_shots:16}{plain:9.1f}{ours:9.1f}{ours / plain:12.2f}", flush=True)
        X_test = rng.standard_normal((80, N_MELS, N_FRAMES), dtype=np.float32)
        slow = seconds(predict_plain, fit_plain(name, X, y, 1), X_test)
        fast = seconds(cnn.predict, X_test)
        same = seconds(cnn.set_params(hop_frames=1).predict, X_test)
        print(
            f"{name:9}80 test clips: plain, every frame {slow:.1f}; ours {fast:.2f}, every frame {same:.1f}"
        )


if __name__ == "__main__":
    main()
