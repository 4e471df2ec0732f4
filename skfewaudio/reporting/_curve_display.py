"""Picture of scores against the number of labelled clips."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ._plotting import get_axes, style_of
from ._tables import summarize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Metrics for which guessing a class at random scores 1 / n_classes whatever the sizes of the classes.
_CHANCE_METRICS = ("accuracy", "balanced_accuracy")


class FewShotCurveDisplay:
    """Mean score against the number of labelled clips per class, a line per method.

    Make it with `from_results`.

    Parameters
    ----------
    data : DataFrame
        Columns pipeline, n_shots, mean, half_width and n_repeats, as `summarize` gives them.
    metric : str, default="accuracy"
        What the scores are.
    chance : float or None, default=None
        Score of guessing at random, drawn as a dotted line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Where it was plotted.
    figure_ : matplotlib Figure
        The figure of `ax_`.

    See Also
    --------
    skfewaudio.model_selection.few_shot_curve : Computes the scores.

    Examples
    --------
    >>> import pandas as pd
    >>> from skfewaudio.reporting import FewShotCurveDisplay
    >>> results = pd.DataFrame({"pipeline": "1-nn", "n_shots": [1, 1, 5, 5], "repeat": [0, 1] * 2, "fold": 0,
    ...                         "metric": "accuracy", "value": [0.40, 0.41, 0.50, 0.52]})
    >>> display = FewShotCurveDisplay.from_results(results)
    >>> display.frame()["mean"].tolist()
    [0.405, 0.51]
    """

    def __init__(self, data: pd.DataFrame, *, metric: str = "accuracy", chance: float | None = None) -> None:
        self.data = data
        self.metric = metric
        self.chance = chance

    @classmethod
    def from_results(cls, results: pd.DataFrame, *, metric: str = "accuracy") -> Self:
        """Summarise results over folds and repeats.

        Parameters
        ----------
        results : DataFrame
            A row per pipeline, n_shots, repeat, fold and metric, as `few_shot_curve` gives it. With the
            column ``n_train``, the number of classes, and so the chance level, is known.
        metric : str, default="accuracy"
            Which of the metrics.

        Returns
        -------
        FewShotCurveDisplay

        Raises
        ------
        ValueError
            As for `summarize`.
        """
        chance = None
        if metric in _CHANCE_METRICS and "n_train" in results:
            chance = float((results["n_shots"] / results["n_train"]).median())
        return cls(summarize(results, metric=metric), metric=metric, chance=chance)

    def frame(self) -> pd.DataFrame:
        """Give what is plotted.

        Returns
        -------
        DataFrame
            Columns pipeline, n_shots, mean, half_width and n_repeats.
        """
        return self.data.copy()

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw means as lines, intervals as bands.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Where to draw; None makes a figure.
        title : str or None, default=None
            Heading.

        Returns
        -------
        self : FewShotCurveDisplay

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = get_axes(ax, (7.0, 4.4))
        ends = []
        for position, (name, line) in enumerate(self.data.groupby("pipeline", sort=False)):
            style = style_of(position)
            shots, mean, half = line["n_shots"], 100 * line["mean"], 100 * line["half_width"]
            ax.plot(shots, mean, linewidth=2, markersize=5, label=str(name), **style)
            ax.fill_between(shots, mean - half, mean + half, color=style["color"], alpha=0.18, linewidth=0)
            ends.append((float(mean.iloc[-1]), float(shots.iloc[-1]), str(name), style["color"]))
        self._dress_axes(ax)
        for (height, last, name, color), shown in zip(ends, _spread([end[0] for end in ends]), strict=True):
            ax.annotate(
                name,
                xy=(last, height),
                xytext=(1.02, shown),
                textcoords=ax.get_yaxis_transform(),
                color=color,
                fontweight="bold",
                va="center",
                annotation_clip=False,
            )
        if title:
            ax.set_title(title, loc="left")
        self.ax_ = ax
        self.figure_ = ax.figure
        return self

    def _dress_axes(self, ax: "Axes") -> None:
        """Name axes and ticks, draw the chance level, and say what the bands are."""
        shots = sorted(self.data["n_shots"].unique())
        ax.set_xscale("log")
        ax.set_xticks(shots, labels=[str(n) for n in shots])
        ax.minorticks_off()
        ax.set_xlabel("Labelled clips per class")
        ax.set_ylabel(f"{self.metric.replace('_', ' ').capitalize()} (%)")
        ax.set_ylim(0, 100)
        ax.grid(axis="y", color="0.9")
        ax.spines[["top", "right"]].set_visible(False)
        small: dict[str, Any] = {"color": "0.35", "fontsize": "small"}
        ax.text(0.02, 0.98, self._caption(), transform=ax.transAxes, va="top", **small)
        if self.chance is not None:
            ax.axhline(100 * self.chance, color="0.45", linestyle=":", linewidth=1.2)
            ax.text(shots[0], 100 * self.chance - 1, "chance", va="top", **small)

    def _caption(self) -> str:
        """Say over how many draws the means and bands are."""
        counts = self.data["n_repeats"]
        if counts.max() == 1:
            return "one draw of clips: no interval"
        number = str(counts.max()) if counts.nunique() == 1 else f"{counts.min()} to {counts.max()}"
        return f"mean and 95 % interval over {number} draws of clips"


def _spread(heights: Sequence[float], gap: float = 5.5, top: float = 100.0) -> NDArray[np.floating]:
    """Move heights apart, up first and then down from `top`, until neighbours are `gap` apart."""
    order = np.argsort(heights, kind="stable")
    shown = np.asarray(heights, dtype=float)[order]
    for k in range(1, len(shown)):
        shown[k] = max(shown[k], shown[k - 1] + gap)
    for k in reversed(range(len(shown))):
        shown[k] = min(shown[k], top - gap * (len(shown) - 1 - k))
    result = np.empty_like(shown)
    result[order] = shown
    return result
