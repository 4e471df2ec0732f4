"""Error of extrapolate_curve, and coverage of its interval.

On rows of run_all.py, the scores for larger numbers of clips per class are left out and estimated from the
scores for smaller numbers. On simulated curves the true score is known. These curves are power laws, and
exponentials, which fall faster than any power law.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from skfewaudio.model_selection import extrapolate_curve
from skfewaudio.reporting import summarize

RESULTS = Path(__file__).parent / "results"
ErrorCurve = Callable[[NDArray], NDArray]


def print_stored_runs(rows: pd.DataFrame, n_first: int) -> None:
    """Print the estimated and observed score for the next number of clips, for every pipeline."""
    shots = np.sort(rows["n_shots"].unique())
    known, target = rows[rows["n_shots"].isin(shots[:n_first])], int(shots[n_first])
    estimates = extrapolate_curve(known, n_shots=target)
    means = summarize(rows).query("n_shots == @target")
    observed = dict(zip(means["pipeline"], means["mean"], strict=True))
    print(f"\nfrom {', '.join(map(str, shots[:n_first]))} clips per class to {target}")
    for name, estimate in estimates.groupby("pipeline", sort=False):
        mean, low, high = estimate[["mean", "low", "high"]].to_numpy()[0]
        position = "in the interval" if low <= observed[name] <= high else "outside the interval"
        print(
            f"  {name!s:14s} observed {100 * observed[name]:.1f}, estimated {100 * mean:.1f} "
            f"[{100 * low:.1f}, {100 * high:.1f}] {position}"
        )


def power_law(rng: np.random.Generator) -> ErrorCurve:
    """Draw a power law, the kind of curve that is fitted."""
    floor, exponent = rng.uniform(0, 0.3), rng.uniform(0.1, 1.2)
    height = rng.uniform(0.3, 0.9) * (1 - floor)
    return lambda n: floor + height * n**-exponent


def exponential(rng: np.random.Generator) -> ErrorCurve:
    """Draw an exponential, which reaches its floor faster than a power law can."""
    floor, rate = rng.uniform(0.05, 0.4), rng.uniform(0.05, 0.4)
    height = rng.uniform(0.3, 0.9) * (1 - floor)
    return lambda n: floor + height * np.exp(-rate * n)


def simulate(
    error_curve: ErrorCurve, n_shots: NDArray, n_repeats: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Simulate scores that vary as on ESC-10: by 2 to 7 points with one clip, correlated over n_shots."""
    spread = rng.uniform(0.02, 0.07) * n_shots**-0.35
    shared, own = rng.normal(size=(n_repeats, 1)), rng.normal(size=(n_repeats, len(n_shots)))
    scores = 1 - np.clip(error_curve(n_shots) + spread * (0.5 * shared + np.sqrt(0.75) * own), 0, 1)
    return pd.DataFrame(
        {
            "pipeline": "simulated",
            "metric": "accuracy",
            "n_shots": np.tile(n_shots.astype(int), n_repeats),
            "repeat": np.repeat(np.arange(n_repeats), len(n_shots)),
            "value": scores.ravel(),
        }
    )


def print_simulation(
    draw: Callable[[np.random.Generator], ErrorCurve], n_shots: list[int], n_repeats: int, n_curves: int
) -> None:
    """Print the share of intervals that contain the true score at twice the largest number of clips."""
    target = 2 * n_shots[-1]
    covered, widths, errors = [], [], []
    for seed in range(1000, 1000 + n_curves):
        rng = np.random.default_rng(seed)
        error_curve = draw(rng)
        rows = simulate(error_curve, np.array(n_shots, dtype=float), n_repeats, rng)
        row = extrapolate_curve(rows).iloc[0]
        truth = 1 - float(error_curve(np.array(float(target))))
        covered.append(row["low"] <= truth <= row["high"])
        widths.append(row["high"] - row["low"])
        errors.append(abs(row["mean"] - truth))
    print(
        f"  {draw.__name__}, {n_shots} to {target}, {n_repeats} repeats: "
        f"coverage {100 * np.mean(covered):.1f} %, width {100 * np.mean(widths):.1f}, "
        f"off by {100 * np.mean(errors):.2f} points"
    )


def main() -> None:
    """Print all results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", nargs="+", default=["esc10", "esc10-networks"], help="in results/")
    parser.add_argument("--n-curves", type=int, default=200)
    args = parser.parse_args()
    paths = [RESULTS / name / "results.jsonl" for name in args.results]
    rows = pd.concat([pd.read_json(path, lines=True) for path in paths], ignore_index=True)
    for n_first in (4, 3):
        print_stored_runs(rows, n_first)
    print()
    for draw in (power_law, exponential):
        for n_shots in ([1, 2, 5], [1, 2, 5, 10], [1, 2, 5, 10, 20]):
            for n_repeats in (3, 5, 10, 20):
                print_simulation(draw, n_shots, n_repeats, args.n_curves)


if __name__ == "__main__":
    main()
