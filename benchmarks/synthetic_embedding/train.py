"""Train the network of `SoundEmbed` on synthetic sounds alone, by contrast.

Two renderings of nearly the same setting of the synthesiser should have similar embeddings, renderings of
different settings should not. The renderings are made once, and varied anew in each step, which costs a small
part of a rendering. Interrupted trainings go on from the last checkpoint. One seed gives one network on one
kind of machine.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import torch
from pool import draw_views, load_pool, render_pool
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, normalize

from skfewaudio.features._sound_embedding.network import POOLED, SoundNetwork

TEMPERATURE = 0.1
LOSS_SHARES = (0.25, 0.25, 0.5)  # of the pooled layers
# The options on which the weights depend.
SETTINGS = ("files", "steps", "batch", "rate", "strengths", "seed", "start", "precision")


class Heads(nn.ModuleList):
    """Projections of the pooled layers for the contrastive loss, which are not used afterwards."""

    def __init__(self) -> None:
        super().__init__(
            nn.Sequential(nn.Linear(layer.size, 512), nn.BatchNorm1d(512), nn.ReLU(), nn.Linear(512, 128))
            for layer in POOLED.values()
        )

    def forward(self, pooled: dict[int, Tensor]) -> list[Tensor]:
        """Project the values of each layer to (n, 128)."""
        return [head(part) for head, part in zip(self, pooled.values(), strict=True)]


def contrast(z: Tensor) -> Tensor:
    """Return the cross entropy of finding the other view of each setting among all views."""
    n = len(z) // 2
    z = normalize(z, dim=1)
    similarity = z @ z.mT / TEMPERATURE
    similarity.fill_diagonal_(-torch.inf)
    return cross_entropy(similarity, torch.arange(2 * n, device=z.device).roll(n))


def _settings_of(folder: Path, settings: dict[str, Any]) -> dict[str, Any]:
    """Return the settings of the training in a folder; a new one has those that are given."""
    path = folder / "settings.json"
    if not path.exists():
        path.write_text(json.dumps(settings))
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def _parse_arguments() -> argparse.Namespace:
    """Parse the options, and refuse an output folder that holds another training."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--output", type=Path, default=Path("results/synthetic-embedding"))
    parser.add_argument("--files", type=int, default=600, help="files of 240 settings to render")
    parser.add_argument("--processes", type=int, default=2, help="processes that render")
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--batch", type=int, default=240, help="settings per step")
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument(
        "--strengths",
        type=float,
        nargs="+",
        default=[1.0],
        help="strengths of the variations, in turn, each with projections of its own (default: 1)",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", help="weights to start from, instead of random ones")
    parser.add_argument("--precision", choices=("bfloat16", "single"), default="bfloat16")
    parser.add_argument("--checkpoint-every", type=int, default=50)
    parser.add_argument("--keep", type=int, nargs="*", default=[], help="steps whose weights are kept")
    parser.add_argument("--compile", action="store_true", help="compile the network, for speed")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    args.output.mkdir(parents=True, exist_ok=True)
    settings = {name: getattr(args, name) for name in SETTINGS}
    if (found := _settings_of(args.output, settings)) != settings:
        parser.error(
            f"{args.output} holds a training with {found}; name another --output, or use these settings"
        )
    return args


def main() -> None:
    """Train, with checkpoints, and write the weights."""
    args = _parse_arguments()
    device = torch.device(args.device)
    render_pool(args.output / "pool", args.files, args.seed, args.processes)
    pool = load_pool(args.output / "pool", args.files)
    torch.manual_seed(args.seed)
    network = SoundNetwork().to(device)
    if args.start is not None:
        network.load_state_dict(load_file(args.start))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if args.compile:
        network.compile(dynamic=False)
    heads = nn.ModuleList(Heads() for _ in args.strengths).to(device)
    shares = torch.tensor(LOSS_SHARES, device=device)
    parameters = [*network.parameters(), *heads.parameters()]
    optimiser = torch.optim.AdamW(parameters, args.rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, args.rate, args.steps, pct_start=0.1)
    state: dict[str, Any] = {"network": network, "heads": heads, "optimiser": optimiser, "schedule": schedule}
    checkpoint, first = args.output / "checkpoint.pt", 0
    if checkpoint.exists():
        found = torch.load(checkpoint, weights_only=True)
        first = found.pop("step")
        for name, part in state.items():
            part.load_state_dict(found[name])
    for step in range(first, args.steps):
        started = time.process_time()
        turn = step % len(args.strengths)
        views = draw_views(pool, args.batch, [args.seed, step], args.strengths[turn]).to(device)
        with torch.autocast(device.type, torch.bfloat16, enabled=args.precision == "bfloat16"):
            projected = heads[turn](network(views))
        losses = torch.stack([contrast(part.float()) for part in projected])
        loss = losses @ shares
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        schedule.step()
        with (args.output / "log.jsonl").open("a") as log:
            seconds = time.process_time() - started
            found = {"step": step, "losses": losses.tolist(), "seconds": round(seconds, 2)}
            log.write(json.dumps(found) + "\n")
        if (step + 1) % args.checkpoint_every == 0 or step + 1 == args.steps:
            new = checkpoint.with_suffix(".new")
            torch.save({name: part.state_dict() for name, part in state.items()} | {"step": step + 1}, new)
            new.replace(checkpoint)
        if step + 1 in (*args.keep, args.steps):
            half = {
                name: (value.half() if value.is_floating_point() else value).contiguous()
                for name, value in network.state_dict().items()
            }
            save_file(half, args.output / f"weights-{step + 1}.safetensors")


if __name__ == "__main__":
    main()
