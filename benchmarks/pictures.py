"""Draw pictures of the README and of the documentation from the stored rows and the tables of the pages.

python benchmarks/pictures.py
"""

import re
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from pages import PAGES, read_rows

from skfewaudio.reporting import summarize

BLUE, BLACK, GREY = "#1f5fa8", "#222222", "#6b7280"
CHANCE = 10
N_TRAINING_CLIPS = 240  # of the extreme learning machine
# Lines of the first picture, with the colour and the style of each.
LINES = {
    "few-shot": ("few-shot classifier", BLUE, "-"),
    "prototypical": ("PrototypicalClassifier", "#0f766e", "-"),
    "vgg": ("VGG network", "#b45309", "--"),
    "sb-cnn": ("SB-CNN network", "#be185d", "--"),
    "librosa-forest": ("MFCC, random forest", GREY, ":"),
    "mfcc-1nn": ("MFCC, nearest neighbour", BLACK, ":"),
}
KINDS = {"ESC-10": "environmental sounds", "embedded dataset": "urban sounds, synthetic"}
STYLE: dict[Any, Any] = {
    "font.family": "sans-serif",
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
SVG: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "skfewaudio",
    "font.sans-serif": ["Arial", "DejaVu Sans"],
}


def draw_curves(ax: Axes) -> None:
    """Draw accuracy against clips per class on ESC-10, with the names of the methods at the ends."""
    rows = read_rows("esc10", "esc10-networks", "esc10-librosa", "esc10-few-shot")
    ends = {}
    for name, (label, color, style) in LINES.items():
        found = summarize(rows[rows["pipeline"] == name]).sort_values("n_shots")
        mean, half = 100 * found["mean"], 100 * found["half_width"]
        wide = 2.5 if name == "few-shot" else 1.5
        ax.plot(found["n_shots"], mean, style, color=color, linewidth=wide, marker="o", markersize=4)
        ax.fill_between(found["n_shots"], mean - half, mean + half, color=color, alpha=0.12, linewidth=0)
        ends[label] = (mean.iloc[-1], color)
    ax.axhline(CHANCE, color=GREY, linewidth=0.8)
    ax.text(1, CHANCE + 1.5, "guessing", color=GREY, fontsize=9)
    for (label, (_, color)), y in zip(ends.items(), spread([y for y, _ in ends.values()], 4.6), strict=True):
        weight = "bold" if color == BLUE else "normal"
        ax.text(22, y, label, color=color, va="center", fontsize=10, weight=weight, clip_on=False)
    ax.set(xscale="log", ylim=(0, 100), xlim=(0.93, 21.5))
    ax.set_xticks([1, 2, 5, 10, 20], ["1", "2", "5", "10", "20"])
    ax.minorticks_off()
    ax.set_yticks(range(0, 101, 20), [f"{y} %" for y in range(0, 101, 20)])
    ax.grid(axis="y", alpha=0.25)
    ax.set_xlabel("labelled clips per class")
    ax.set_title("Accuracy on ten kinds of environmental sound", loc="left", fontsize=12)


def spread(values: list[float], gap: float) -> list[float]:
    """Move sorted values apart, from the highest down, so that labels do not overlap."""
    order = sorted(range(len(values)), key=lambda i: -values[i])
    moved, last = list(values), float("inf")
    for i in order:
        moved[i] = last = min(values[i], last - gap)
    return moved


def read_kinds(column: int) -> dict[str, tuple[float, float]]:
    """Read the accuracies of the nearest neighbour and of the default for each kind of sound."""
    text = (PAGES / "few-shot-classifier.md").read_text(encoding="utf-8")
    found: dict[str, dict[str, float]] = {}
    for kind, method, cells in re.findall(r"^\| ([^:|]+): (MFCC, 1-NN|all \(now\)) +\|(.+)\|$", text, re.M):
        cell = cells.split("|")[column].split("±")[0].strip()
        if cell:
            found.setdefault(kind, {}).setdefault(method, float(cell))
    return {kind: (both["MFCC, 1-NN"], both["all (now)"]) for kind, both in found.items() if len(both) == 2}


def draw_kinds(ax: Axes) -> None:
    """Draw the accuracy with five clips per class of each kind of sound, the nearest neighbour beside."""
    kinds = sorted(read_kinds(2).items(), key=lambda item: item[1][1])
    for y, (_, (baseline, ours)) in enumerate(kinds):
        ax.plot([baseline, ours], [y, y], color="#c7cdd6", linewidth=3, zorder=1, solid_capstyle="round")
        ax.text(ours + 2.2, y, f"{ours:.0f}", va="center", color=BLUE, fontsize=10, weight="bold")
        ax.text(baseline - 2.2, y, f"{baseline:.0f}", va="center", ha="right", color=GREY, fontsize=10)
        ax.scatter([baseline, ours], [y, y], color=[GREY, BLUE], s=45, zorder=2)
    ax.set_yticks(range(len(kinds)), [KINDS.get(kind, kind) for kind, _ in kinds])
    ax.set(xlim=(0, 105), ylim=(-0.6, len(kinds) - 0.2))
    ax.set_xticks(range(0, 101, 25), [f"{x} %" for x in range(0, 101, 25)])
    ax.tick_params(length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(axis="x", alpha=0.25)
    ax.set_title("Accuracy with five clips per class", loc="left", fontsize=12)
    for color, name, x in ((GREY, "MFCC, nearest neighbour", 0.0), (BLUE, "few-shot classifier", 0.55)):
        ax.text(x, -0.13, f"● {name}", color=color, transform=ax.transAxes, fontsize=10)


def draw_penalty(ax: Axes) -> None:
    """Draw the accuracy of an extreme learning machine with and without a penalty, from its page."""
    text = (PAGES.parent / "user_guide" / "elm.rst").read_text(encoding="utf-8")
    rows = re.findall(r"\* - (\d+)\n +- ([\d.]+)\n +- ([\d.]+)\n", text)
    n_hidden, without, chosen = (np.array(column, dtype=float) for column in zip(*rows, strict=True))
    for values, label, color in ((chosen, "penalty by leave-one-out", BLUE), (without, "no penalty", GREY)):
        ax.plot(n_hidden, values, marker="o", color=color, linewidth=2)
        ax.text(n_hidden[-1], values[-1] + (4 if color == BLUE else -9), label, color=color, ha="right")
    ax.axvline(N_TRAINING_CLIPS, color=GREY, linewidth=0.8, linestyle=":")
    ax.text(1.03 * N_TRAINING_CLIPS, 4, "training clips", color=GREY, fontsize=9)
    ax.set(xscale="log", ylim=(0, 100), xlabel="hidden units")
    ax.set_xticks(n_hidden, [f"{n:.0f}" for n in n_hidden])
    ax.minorticks_off()
    ax.set_yticks(range(0, 101, 25), [f"{y} %" for y in range(0, 101, 25)])
    ax.grid(axis="y", alpha=0.25)
    ax.set_title("Accuracy on ESC-10", loc="left", fontsize=12)


def main() -> None:
    """Write the pictures beside their pages."""
    mpl.use("agg")
    with plt.rc_context(STYLE | SVG):
        figure, ax = plt.subplots(figsize=(7.6, 4.2), layout="constrained")
        draw_curves(ax)
        figure.savefig(PAGES / "few-shot-esc10.png", dpi=115, metadata={"Software": None})
        figure, ax = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
        draw_kinds(ax)
        figure.savefig(PAGES / "kinds-of-sound.svg", metadata={"Date": None})
        figure, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
        draw_penalty(ax)
        figure.savefig(PAGES.parent / "user_guide" / "elm-penalty.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
