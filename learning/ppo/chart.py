"""The learning curve as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from learning.ppo.train import RECENT, Point


def draw(path: Path, curves: Sequence[tuple[str, Sequence[Point]]]) -> None:
    """Draw collision rate, goal rate and return of training episodes over decisions, one line a training.

    Args:
        path: the PNG to write.
        curves: (label, points) of each training.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 3.6), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(1, 3)
    panels = (
        ("collision rate", [[100 * p.collision_rate for p in points] for _, points in curves], "%", (0, 102)),
        ("goal reached", [[100 * p.goal_rate for p in points] for _, points in curves], "%", (0, 102)),
        ("return", [[p.mean_return for p in points] for _, points in curves], "", None),
    )
    for axis, (title, values, unit, limits) in zip(axes, panels, strict=True):
        for (label, points), line in zip(curves, values, strict=True):
            axis.plot([p.steps / 1000 for p in points], line, label=label, linewidth=1.8)
        axis.set_title(f"{title}, {unit}" if unit else title, fontsize=11)
        axis.set_xlabel("decisions, thousands", fontsize=9)
        axis.grid(alpha=0.3)
        axis.tick_params(labelsize=9)
        if limits is not None:
            axis.set_ylim(*limits)
    if len(curves) > 1:
        axes[-1].legend(fontsize=9)
    figure.suptitle(f"last {RECENT} training episodes", fontsize=10, x=0.01, ha="left")
    figure.savefig(path)
