"""Train the network of `SoundEmbed` on synthetic sounds alone, by contrast.

Two renderings of nearly the same setting of the synthesiser should have similar embeddings, renderings of
different settings should not. Interrupted trainings go on from the last checkpoint. One seed gives one
network on one kind of machine.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from synthesiser import RATES, Renderer, draw_settings, perturb
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from skfewaudio.features._sound_embedding.network import N_FEATURES, SoundNetwork

N_FRAMES = (32, 56, 87, 120)
RATE_SHARES = (0.2, 0.2, 0.25, 0.2, 0.05, 0.1)  # high rates cost most
TEMPERATURE = 0.1


class Head(nn.Sequential):
    """Projection of embeddings for the contrastive loss, which is not used afterwards."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(N_FEATURES, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 128))


def render_pairs(step: int, n: int, seed: int, device: torch.device) -> Tensor:
    """Render two views of n settings, (2 n, 64, n_frames), with the random numbers of a step."""
    generator = torch.Generator().manual_seed(seed * 10_000_019 + step)
    choice = np.random.default_rng([seed, step])
    renderer = Renderer(int(choice.choice(RATES, p=RATE_SHARES)), int(choice.choice(N_FRAMES)), generator)
    settings = draw_settings(n, generator)
    views = [renderer.render(perturb(settings, generator)) for _ in range(2)]
    return torch.cat(views).to(device)


def contrast(z: Tensor) -> Tensor:
    """Return the cross entropy of finding the other view of each setting among all views."""
    n = len(z) // 2
    z = normalize(z, dim=1)
    similarity = z @ z.mT / TEMPERATURE
    similarity.fill_diagonal_(-torch.inf)
    return cross_entropy(similarity, torch.arange(2 * n, device=z.device).roll(n))


def main() -> None:
    """Train, with checkpoints, and write the weights."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/synthetic-embedding"))
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--batch", type=int, default=192, help="settings per step")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--checkpoint-every", type=int, default=50)
    parser.add_argument("--keep", type=int, nargs="*", default=[], help="steps whose weights are kept")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    device = torch.device(args.device)
    torch.manual_seed(args.seed)
    network, head = SoundNetwork().to(device), Head().to(device)
    parameters = [*network.parameters(), *head.parameters()]
    optimiser = torch.optim.AdamW(parameters, args.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, args.steps, pct_start=0.1)
    state: dict[str, Any] = {"network": network, "head": head, "optimiser": optimiser, "schedule": schedule}
    checkpoint, first = args.output / "checkpoint.pt", 0
    if checkpoint.exists():
        found = torch.load(checkpoint, weights_only=True)
        first = found.pop("step")
        for name, part in state.items():
            part.load_state_dict(found[name])
    for step in range(first, args.steps):
        started = time.process_time()
        views = render_pairs(step, args.batch, args.seed, device)
        loss = contrast(head(network(views)))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with (args.output / "log.jsonl").open("a") as log:
            seconds = time.process_time() - started
            log.write(json.dumps({"step": step, "loss": loss.item(), "seconds": round(seconds, 2)}) + "\n")
        if (step + 1) % args.checkpoint_every == 0 or step + 1 == args.steps:
            new = checkpoint.with_suffix(".new")
            torch.save({name: part.state_dict() for name, part in state.items()} | {"step": step + 1}, new)
            new.replace(checkpoint)
        if step + 1 in (*args.keep, args.steps):
            half = {k: v.half() if v.is_floating_point() else v for k, v in network.state_dict().items()}
            save_file(half, args.output / f"weights-{step + 1}.safetensors")


if __name__ == "__main__":
    main()
