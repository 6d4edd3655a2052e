"""The picture of one parameter: what it does, how much at each value, and the remap that evens it out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from bridge.space.targets import Picture
from scenarios.sampling import Remap
from scenarios.sampling.auditing import Audit
from scenarios.sampling.influence import Influence
from scenarios.sampling.parameters import Enum

INK, BLUE, RED, GREY = "#1b2430", "#2563eb", "#dc2626", "#9aa5b4"


def draw(audit: Audit, name: str, values: list[Any], pictures: list[Picture], path: Path) -> None:
    """Write a parameter's chart as a PNG.

    Args:
        values, pictures: some values of the parameter and the picture of one configuration with each.
    """
    # Seconds to import, and only needed here.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11.0, 5.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    parts: Any = figure.subfigures(2, 1, height_ratios=(1.0, 1.55))
    top, bottom = parts
    axes = top.subplots(1, len(pictures), squeeze=False)[0]
    for axis, value, picture in zip(axes, values, pictures):
        axis.imshow(picture)
        axis.set_title(value if isinstance(value, str) else f"{value:.4g}", fontsize=9, color=INK)
        axis.set_axis_off()
    if isinstance(audit.space[name], Enum):
        _matrix(bottom, audit, name)
    else:
        _curves(bottom, audit, name)
    figure.savefig(path)


def _curves(figure: Any, audit: Audit, name: str) -> None:
    parameter = audit.space[name]
    left, middle, right = figure.subplots(1, 3)
    unit = f"{name} [{parameter.unit}]" if parameter.unit else name
    for metric, color in (("rmse", BLUE), ("dssim", RED)):
        if metric not in audit.fitted:
            continue
        influence = audit.fitted[metric][name]
        points = np.asarray(influence.values, dtype=np.float64)
        middles, widths = (points[1:] + points[:-1]) / 2, np.diff(points)
        each = influence.distances / widths
        left.plot(middles, each.mean(axis=0), color=color, label=metric.upper(), marker="o", markersize=3)
        spread = each.std(axis=0) / np.sqrt(len(each))
        left.fill_between(middles, each.mean(axis=0) - spread, each.mean(axis=0) + spread, color=color, alpha=0.15)
    left.set(title="influence: picture change per unit", xlabel=unit)
    left.legend(frameon=False, fontsize=8)
    remap: Remap | None = getattr(audit.remapped[name], "remap", None)
    low, high = float(getattr(parameter, "low", 0.0)), float(getattr(parameter, "high", 1.0))
    grid = np.linspace(low, high, 200)
    middle.plot(grid, (grid - low) / (high - low), color=GREY, linewidth=1)
    if remap is not None:
        middle.plot(grid, remap.forward(grid), color=BLUE)
    middle.set(title="remap", xlabel=unit, ylabel="place on the axis", ylim=(0, 1))
    for label, found, color in (("before", audit.before[name], GREY), ("after", audit.after[name], BLUE)):
        _evenness(right, label, found, color)
    right.axhline(1.0, color=INK, linewidth=0.6)
    right.set(title="fresh configurations: share of the mean", xlabel="place on the axis", xlim=(0, 1), ylim=(0, None))
    if right.get_legend_handles_labels()[0]:
        right.legend(frameon=False, fontsize=8)
    for axis in (left, middle, right):
        _quiet(axis)
    left.set_ylim(bottom=0.0)


def _evenness(axis: Any, label: str, influence: Influence, color: str) -> None:
    rates = influence.profile / np.diff(influence.units)
    mean = float(rates.mean())
    if mean <= 0.0:
        return
    label = f"{label}: CV {influence.cv:.2f}, largest over least {influence.ratio:.1f}"
    axis.stairs(rates / mean, influence.units, color=color, label=label, linewidth=1.6)


def _matrix(figure: Any, audit: Audit, name: str) -> None:
    influence = audit.fitted[audit.metric][name]
    axis = figure.subplots(1, 1)
    shown = axis.imshow(influence.profile, cmap="Blues", vmin=0.0)
    labels = [str(value)[:18] for value in influence.values]
    small = 8 if len(labels) < 14 else 5
    axis.set_xticks(range(len(labels)), labels, rotation=60, ha="right", fontsize=small)
    axis.set_yticks(range(len(labels)), labels, fontsize=small)
    axis.set_title(f"mean {audit.metric.upper()} of two choices", fontsize=10, color=INK)
    figure.colorbar(shown, ax=axis)


def _quiet(axis: Any) -> None:
    axis.tick_params(labelsize=8)
    axis.title.set_fontsize(10)
    axis.xaxis.label.set_fontsize(9)
    axis.yaxis.label.set_fontsize(9)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
