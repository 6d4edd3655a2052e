"""Bird's-eye pictures of scenarios, made from the files: map, who is where, and everybody's way until they meet."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from foundation.errors import InputError
from scenarios.openscenario import load
from scenarios.openscenario.tracing import Row, Tracer

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.patches import Rectangle

    from scenarios.openscenario.entities import EntityRecord

_COLOURS = ("#d1495b", "#00798c", "#7b4fa0", "#3a7d34", "#b06a00", "#444444")
_EGO = "#1f4e9c"
_MARGIN_M, _LEAST_WIDTH_M, _LEAST_HEIGHT = 9.0, 44.0, 0.26
_INCHES, _DPI, _PALETTE = 7.0, 90, 96
STEP_S = 0.05


@dataclass(frozen=True)
class Encounter:
    """When a scenario's ego first touches somebody, or comes closest to them, by the executor alone.

    Attributes:
        time_s: when.
        actor: with whom.
        place: the middle of its box, metres.
        gap_m: between the boxes; 0 when they touch.
    """

    time_s: float
    actor: str
    place: tuple[float, float]
    gap_m: float


@dataclass(frozen=True)
class Run:
    """A scenario's trace: rows by time and name, and what the entities are."""

    rows: Mapping[float, Mapping[str, Row]]
    records: Mapping[str, EntityRecord]
    tracer: Tracer

    def outline(self, name: str, time_s: float) -> shapely.Polygon:
        """Return the box of an entity seen from above."""
        row, box = self.rows[time_s][name], self.records[name].box
        cos, sin = math.cos(row.h), math.sin(row.h)
        corners = []
        for u, v in ((0.5, 0.5), (0.5, -0.5), (-0.5, -0.5), (-0.5, 0.5)):
            along, left = box.center[0] + u * box.length, box.center[1] + v * box.width
            corners.append((row.x + cos * along - sin * left, row.y + sin * along + cos * left))
        return shapely.Polygon(corners)

    def encounter(self, actor: str | None = None, ego: str = "Ego") -> Encounter:
        """Return the encounter of the ego with an entity, or with whoever it touches first or comes closest to."""
        best: Encounter | None = None
        for time_s, rows in self.rows.items():
            if ego not in rows:
                continue
            mine = self.outline(ego, time_s)
            for name in rows:
                if name == ego or (actor is not None and name != actor):
                    continue
                theirs = self.outline(name, time_s)
                gap = float(mine.distance(theirs))
                if best is None or gap < best.gap_m:
                    middle = theirs.centroid
                    best = Encounter(time_s, name, (middle.x, middle.y), gap)
            if best is not None and best.gap_m == 0.0:
                return best
        if best is None:
            raise InputError(f"there is no entity {ego!r} that meets anybody", file="scenario")
        return best


def run(path: Path, parameters: Mapping[str, str] | None = None, max_time_s: float = 25.0) -> Run:
    """Run a scenario by the executor alone.

    Raises:
        InputError: the file cannot be read or run.
    """
    tracer = Tracer(load(path, parameters or {}), STEP_S, step_s=STEP_S, max_time_s=max_time_s)
    rows: dict[float, dict[str, Row]] = {}
    for row in tracer.rows():
        rows.setdefault(round(row.time, 4), {})[row.name] = row
    records = {name: entity.record for name, entity in tracer.execution.world.entities.items()}
    return Run(rows, records, tracer)


def draw_scenario(path: Path, out: Path) -> Path:
    """Draw a scenario at its parameters' defaults into a PNG or SVG file; returns its path.

    Raises:
        InputError: the scenario cannot be read or run, or the picture not be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    from scenarios.opendrive.drawing import draw_ground

    if out.suffix.lower() not in (".png", ".svg"):
        raise InputError(f"cannot draw a {out.suffix or 'file without ending'}", file=out, remedy=".png or .svg")
    done = run(path)
    encounter = done.encounter(ego="Ego" if "Ego" in done.records else next(iter(done.records)))
    box = _box(done, encounter)
    west, south, east, north = box
    figure = Figure(figsize=(_INCHES, _INCHES * (north - south) / (east - west)), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    draw_ground(axes, done.tracer.execution.world.roads.network, box)
    axes.set_axis_off()
    axes.add_artist(_background(axes))
    _draw_actors(axes, done, encounter)
    _draw_scale(axes, box)
    try:
        if out.suffix.lower() == ".svg":
            figure.savefig(out, metadata={"Date": None})
        else:
            _save_png(figure, out)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=out) from error
    return out


def _background(axes: Axes) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle((0, 0), 1, 1, transform=axes.transAxes, color=axes.get_facecolor(), zorder=0)


def _save_png(figure: object, out: Path) -> None:
    """Write with a palette: the page's pictures together stay small."""
    from PIL import Image

    canvas = figure.canvas  # type: ignore[attr-defined]
    figure.set_dpi(_DPI)  # type: ignore[attr-defined]
    canvas.draw()
    image = Image.fromarray(np.asarray(canvas.buffer_rgba())[:, :, :3].copy())
    image.quantize(_PALETTE, dither=Image.Dither.NONE).save(out, optimize=True)


def _box(done: Run, encounter: Encounter) -> tuple[float, float, float, float]:
    points = np.array([
        (row.x, row.y) for time_s, rows in done.rows.items() if time_s <= encounter.time_s for row in rows.values()
    ])  # fmt: skip
    (west, south), (east, north) = points.min(axis=0) - _MARGIN_M, points.max(axis=0) + _MARGIN_M
    wide = max(east - west, _LEAST_WIDTH_M)
    high = max(north - south, _LEAST_HEIGHT * wide)
    wide = max(wide, 1.1 * high)
    x, y = 0.5 * (west + east), 0.5 * (south + north)
    return (float(x - wide / 2), float(y - high / 2), float(x + wide / 2), float(y + high / 2))


def _draw_actors(axes: Axes, done: Run, encounter: Encounter) -> None:
    from matplotlib.patches import Polygon

    times = [time_s for time_s in done.rows if time_s <= encounter.time_s + 1e-9]
    others = [name for name in done.records if name != "Ego"]
    metre = 72.0 * _INCHES / (axes.get_xlim()[1] - axes.get_xlim()[0])
    for name in done.records:
        colour = _EGO if name == "Ego" else _COLOURS[others.index(name) % len(_COLOURS)]
        rows = [done.rows[t][name] for t in times if name in done.rows[t]]
        if not rows:
            continue
        way = np.array([done.outline(name, t).centroid.coords[0] for t in times if name in done.rows[t]])
        moved = float(np.hypot(*np.diff(way, axis=0).T).sum()) > 0.3
        if moved:
            axes.plot(way[:, 0], way[:, 1], color="white", linewidth=3.2, zorder=5, solid_capstyle="round")
            axes.plot(way[:, 0], way[:, 1], color=colour, linewidth=1.6, zorder=6)
            _draw_arrow(axes, way, colour)
            start = np.array(done.outline(name, times[0]).exterior.coords)
            axes.add_patch(Polygon(start, closed=True, fill=False, edgecolor=colour, linewidth=1.0, zorder=6))
        shape = np.array(done.outline(name, times[-1]).exterior.coords)
        axes.add_patch(Polygon(shape, closed=True, facecolor=colour, edgecolor="white", linewidth=0.6, zorder=8))
        if min(np.ptp(shape, axis=0)) * metre < 4.0 and done.records[name].box.length < 3.0:
            axes.plot(*shape.mean(axis=0), "o", color=colour, markersize=5, markeredgecolor="white", zorder=8)
        fastest = max(abs(row.speed) for row in rows) * 3.6
        _draw_label(axes, way[0], f"{name} {fastest:.0f} km/h" if moved else name, colour)
    axes.plot(
        *encounter.place, "*", color="#ffd23f", markersize=11, markeredgecolor="#333333", markeredgewidth=0.7, zorder=9
    )
    gap = f"{encounter.gap_m:.1f} m from" if encounter.gap_m else "meets"
    text = f"{encounter.time_s:.1f} s: {gap} {encounter.actor}"
    axes.text(0.99, 0.97, text, transform=axes.transAxes, ha="right", va="top", fontsize=8, color="#333333")


def _draw_label(axes: Axes, place: np.ndarray, text: str, colour: str) -> None:
    west, east = axes.get_xlim()
    right = place[0] > 0.5 * (west + east)
    axes.annotate(
        text, (float(place[0]), float(place[1])),
        xytext=(-4 if right else 4, 9), textcoords="offset points", fontsize=8, color=colour, zorder=10,
        ha="right" if right else "left", weight="bold",
        bbox={"boxstyle": "round,pad=0.15", "facecolor": "white", "edgecolor": "none", "alpha": 0.75},
    )  # fmt: skip


def _draw_arrow(axes: Axes, way: np.ndarray, colour: str) -> None:
    middle = len(way) // 2
    after = min(middle + 2, len(way) - 1)
    if float(np.hypot(*(way[after] - way[middle]))) > 0.05:
        axes.annotate(
            "", way[after], xytext=way[middle], zorder=7,
            arrowprops={"arrowstyle": "-|>", "color": colour, "mutation_scale": 12, "linewidth": 1.4},
        )  # fmt: skip


def _draw_scale(axes: Axes, box: tuple[float, float, float, float]) -> None:
    west, south, east, north = box
    length = next(v for v in (100, 50, 20, 10, 5) if v < 0.3 * (east - west))
    x, y = west + 0.02 * (east - west), south + 0.06 * (north - south)
    axes.plot([x, x + length], [y, y], color="#333333", linewidth=2, solid_capstyle="butt", zorder=10)
    axes.text(x, y + 0.015 * (north - south), f"{length} m", fontsize=7, color="#333333", va="bottom", zorder=10)
