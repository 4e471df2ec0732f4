"""Plot of scores against the number of labelled clips."""

from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from ._plotting import get_axes, separate_labels, style_of
from ._tables import MIN_REPEATS, summarize

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# Metrics for which random guessing scores 1 / n_classes for any class sizes.
_CHANCE_METRICS = ("accuracy", "balanced_accuracy")


class FewShotCurveDisplay:
    """Plot of the mean score against the number of labelled clips per class, one line per method.

    Create it with `from_results`.

    Parameters
    ----------
    data : DataFrame
        Columns pipeline, n_shots, mean, half_width and n_repeats, as returned by `summarize`.
    metric : str, default="accuracy"
        Name of the metric.
    chance : float or None, default=None
        Score of random guessing, drawn as a dotted line. None draws no line.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes of the plot.
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
            One row per pipeline, n_shots, repeat, fold and metric, as returned by `few_shot_curve`. The
            chance level is computed from the column ``n_train`` if present.
        metric : str, default="accuracy"
            Metric to plot.

        Returns
        -------
        FewShotCurveDisplay

        Raises
        ------
        ValueError
            As in `summarize`.
        """
        chance = None
        if metric in _CHANCE_METRICS and "n_train" in results:
            chance = float((results["n_shots"] / results["n_train"]).median())
        return cls(summarize(results, metric=metric), metric=metric, chance=chance)

    def frame(self) -> pd.DataFrame:
        """Return the plotted means and intervals.

        Returns
        -------
        DataFrame
            Columns pipeline, n_shots, mean, half_width and n_repeats.
        """
        return self.data.copy()

    def plot(self, ax: "Axes | None" = None, *, title: str | None = None) -> Self:
        """Draw means as lines and intervals as bands.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on. None creates a new figure.
        title : str or None, default=None
            Title of the plot. None draws no title.

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
            low, high = (mean - half).clip(lower=0), (mean + half).clip(upper=100)
            ax.plot(shots, mean, linewidth=2, markersize=5, label=str(name), **style)
            ax.fill_between(shots, low, high, color=style["color"], alpha=0.18, linewidth=0)
            ends.append((float(mean.iloc[-1]), float(shots.iloc[-1]), str(name), style["color"]))
        self._style_axes(ax)
        for (height, last, name, color), shown in zip(
            ends, separate_labels([end[0] for end in ends]), strict=True
        ):
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

    def _style_axes(self, ax: "Axes") -> None:
        """Set axis labels, ticks and limits, and draw the chance level and the caption."""
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
            # In the corner, where no line has its markers or its label.
            ax.text(
                0.995,
                100 * self.chance - 2.5,
                "chance",
                va="top",
                ha="right",
                transform=ax.get_yaxis_transform(),
                **small,
            )

    def _caption(self) -> str:
        """Describe the bands and the number of draws."""
        counts = self.data["n_repeats"]
        if counts.max() < MIN_REPEATS:
            return f"{'one draw' if counts.max() == 1 else 'two draws'} of clips: no interval"
        number = str(counts.max()) if counts.nunique() == 1 else f"{counts.min()} to {counts.max()}"
        return f"mean and 95 % interval over {number} draws of clips"
