"""Plan views of road networks: lanes by type, paint, signals, objects, road ids, arrows of traffic, heights."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from foundation.ids import Tag
from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.markings import markings
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.objects import PlacedObject, objects
from scenarios.opendrive.road import RoadGeometry, Section
from scenarios.opendrive.signals import PlacedSignal, signals
from scenarios.opendrive.values import DRIVING_TYPES, LaneKey

Floats = npt.NDArray[np.float64]
Box = tuple[float, float, float, float]

SUFFIXES = frozenset({".png", ".svg"})
_GROUPS: tuple[tuple[str, str, frozenset[str]], ...] = (
    ("bus, taxi, HOV", "#8a6d7c", frozenset({"bus", "taxi", "HOV"})),
    ("driving", "#7d8288", DRIVING_TYPES - {"bus", "taxi", "HOV"}),
    ("cycling", "#b86b5e", frozenset({"biking"})),
    ("parking", "#8fa7bf", frozenset({"parking"})),
    (
        "shoulder, stop, border",
        "#a9a79f",
        frozenset({"shoulder", "stop", "border", "restricted", "roadWorks", "shared"}),
    ),
    ("pavement", "#d9cdb8", frozenset({"sidewalk", "walking", "curb"})),
    ("median, verge, none", "#b9cfa6", frozenset({"median", "none", "verge", "grass"})),
    ("rail, tram", "#6b5b4d", frozenset({"rail", "tram"})),
)
_OTHER = ("other lanes", "#c9c2d6")
_BACKGROUND, _INK = "#eef1ea", "#20242a"
_INCHES, _DPI = 12.0, 150


@dataclass(frozen=True)
class PlanOptions:
    """What to draw.

    Attributes:
        roads: only these roads (and what is near them); empty for all.
        box: (west, south, east, north) in metres; None for all that is drawn.
        heights: shade the ground by height, with a scale.
        labels: road ids.
        inches, dpi: of the longer side of the picture.
    """

    roads: Sequence[str] = ()
    box: Box | None = None
    heights: bool = True
    labels: bool = True
    inches: float = _INCHES
    dpi: int = _DPI


@dataclass
class _Ground:
    """Lane polygons gathered over all roads."""

    quads: list[Floats] = field(default_factory=list)
    heights: list[Floats] = field(default_factory=list)
    colours: list[Floats] = field(default_factory=list)
    order: list[Floats] = field(default_factory=list)
    present: dict[str, str] = field(default_factory=dict)


def draw(network: RoadNetwork, out: str | Path, options: PlanOptions = PlanOptions()) -> Path:
    """Draw a plan view into a PNG or SVG file; returns its path.

    Raises:
        OpenDriveError: another kind of file is asked for, it cannot be written, a road does not exist, or the box
            is empty.
    """
    out = Path(out)
    if out.suffix.lower() not in SUFFIXES:
        raise OpenDriveError(f"cannot draw a {out.suffix or 'file without ending'}", file=out, remedy=".png or .svg")
    roads = [network.road(road_id) for road_id in options.roads] or list(network.roads.values())
    ground = _ground(roads)
    box = _box(network, ground, options)
    figure, axes = _page(box, options)
    _draw_ground(figure, axes, ground, box, options)
    names = {road.id for road in roads}
    metre = _points_per_metre(box, options)
    _draw_paint(axes, network, names)
    shown = _draw_objects(axes, network, names)
    shown |= _draw_arrows(axes, network, roads, box, metre)
    shown |= _draw_signals(axes, network, names, box)
    if options.labels:
        _draw_labels(axes, roads, box, metre)
    _scale_bar(axes, box)
    _legend(axes, ground, shown)
    axes.set_title(_title(network, roads), fontsize=11, color=_INK, loc="left")
    try:
        figure.savefig(out, dpi=options.dpi, metadata={"Date": None} if out.suffix.lower() == ".svg" else None)
    except OSError as error:
        raise OpenDriveError(f"cannot be written: {error.strerror}", file=out) from error
    return out


def draw_ground(axes: Axes, network: RoadNetwork, box: Box) -> None:
    """Draw lanes, paint and objects of what lies in a box (west, south, east, north; metres) onto a caller's axes."""
    west, south, east, north = box
    ground = _ground(list(network.roads.values()))
    quads, colours = np.concatenate(ground.quads), np.concatenate(ground.colours)
    order = np.concatenate(ground.order)
    low, high = quads.min(axis=1), quads.max(axis=1)
    seen = (low[:, 0] < east) & (high[:, 0] > west) & (low[:, 1] < north) & (high[:, 1] > south)
    sequence = np.flatnonzero(seen)[np.argsort(order[seen], kind="stable")]
    faces = colours[sequence]
    axes.add_collection(
        PolyCollection(list(quads[sequence]), facecolors=faces, edgecolors=faces, linewidths=0.3, zorder=1)
    )
    names = set(network.roads)
    _draw_paint(axes, network, names)
    _draw_objects(axes, network, names)
    axes.set_facecolor(_BACKGROUND)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")


def _ground(roads: Sequence[RoadGeometry]) -> _Ground:
    found = _Ground()
    # Pavements of crossing roads lie under the lanes of traffic.
    for road in roads:
        for section in road.sections:
            _section(road, section, found)
    return found


def _section(road: RoadGeometry, section: Section, found: _Ground) -> None:
    if not section.lanes or section.end - section.start < 1e-6:
        return
    s = _rows(road, section)
    edges = road.boundaries(s, section)
    at = road.stations(s)
    rims = [road.points(at, edge) for edge in edges]
    for rank, lane in enumerate(section.lanes):
        right, left = rims[rank], rims[rank + 1]
        name, colour = next(((n, c) for n, c, kinds in _GROUPS if lane.type in kinds), _OTHER)
        found.present.setdefault(name, colour)
        quads = np.stack([right[:-1, :2], right[1:, :2], left[1:, :2], left[:-1, :2]], axis=1)
        found.quads.append(quads)
        found.heights.append(0.25 * (right[:-1, 2] + right[1:, 2] + left[1:, 2] + left[:-1, 2]))
        found.colours.append(np.tile(to_rgb(colour), (len(quads), 1)))
        rank_of_type = 2.0 if lane.type in DRIVING_TYPES else 0.0 if name.startswith("median") else 1.0
        found.order.append(np.full(len(quads), rank_of_type))


def _rows(road: RoadGeometry, section: Section) -> Floats:
    """Return s of rows: at records, each 10 m at most, closer in bends."""
    breaks = road.breaks()
    places = [section.start, *breaks[(breaks > section.start) & (breaks < section.end)], section.end]
    rows = []
    for low, high in itertools.pairwise(places):
        bend = float(np.abs(road.plan.at(np.linspace(low, high, 3)).curvature).max())
        count = math.ceil((high - low) * max(0.1, min(bend, 1.0) / 0.1))
        rows.append(np.linspace(low, high, min(max(count, 1), 2000) + 1))
    return np.unique(np.concatenate(rows))


def _box(network: RoadNetwork, ground: _Ground, options: PlanOptions) -> Box:
    if options.box is not None:
        west, south, east, north = options.box
        if not (east > west and north > south and all(math.isfinite(v) for v in options.box)):
            raise OpenDriveError(
                f"the box {options.box} is empty", file=network.file, remedy="give west, south, east, north in metres"
            )
        return options.box
    if not ground.quads:
        raise OpenDriveError("there is no lane to draw", file=network.file)
    points = np.concatenate([quads.reshape(-1, 2) for quads in ground.quads])
    (west, south), (east, north) = points.min(axis=0), points.max(axis=0)
    margin = max(5.0, 0.03 * max(east - west, north - south))
    # A long straight road still needs some height to be seen in.
    spare = max(0.0, 0.16 * (east - west) - (north - south)) / 2.0
    aside = max(0.0, 0.16 * (north - south) - (east - west)) / 2.0
    return (
        float(west - margin - aside), float(south - margin - spare), float(east + margin + aside),
        float(north + margin + spare),
    )  # fmt: skip


def _page(box: Box, options: PlanOptions) -> tuple[Figure, Axes]:
    west, south, east, north = box
    wide, high = east - west, north - south
    scale = options.inches / max(wide, high)
    figure = Figure(figsize=(max(wide * scale, 5.0) + 2.6, max(high * scale, 2.2) + 0.9), facecolor="white")
    FigureCanvasAgg(figure)
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    axes.set_facecolor(_BACKGROUND)
    axes.set_xlim(west, east)
    axes.set_ylim(south, north)
    axes.set_aspect("equal")
    axes.tick_params(labelsize=7, colors="#666666")
    axes.set_xlabel("x east, m", fontsize=8, color="#666666")
    axes.set_ylabel("y north, m", fontsize=8, color="#666666")
    for spine in axes.spines.values():
        spine.set_color("#bbbbbb")
    return figure, axes


def _points_per_metre(box: Box, options: PlanOptions) -> float:
    """Return how many typographic points a metre of ground gets."""
    return options.inches * 72.0 / max(box[2] - box[0], box[3] - box[1])


def _draw_ground(figure: Figure, axes: Axes, ground: _Ground, box: Box, options: PlanOptions) -> None:
    quads, heights = np.concatenate(ground.quads), np.concatenate(ground.heights)
    colours, order = np.concatenate(ground.colours), np.concatenate(ground.order)
    span = float(np.ptp(heights))
    if options.heights and span > 0.5:
        # Low ground is darker and bluer, high ground lighter and warmer; the lane types stay apart.
        part = ((heights - heights.min()) / span)[:, None]
        colours = np.clip(colours * (0.72 + 0.5 * part) + (part - 0.5) * np.array([0.10, 0.0, -0.10]), 0.0, 1.0)
        text = f"heights {heights.min():.1f} m (dark, blue) to {heights.max():.1f} m (light, warm)"
        figure.supxlabel(text, fontsize=8, color="#666666")
    sequence = np.lexsort((heights, order))
    faces = PolyCollection(
        list(quads[sequence]), facecolors=colours[sequence], edgecolors=colours[sequence], linewidths=0.3, zorder=1
    )
    axes.add_collection(faces)


def _draw_paint(axes: Axes, network: RoadNetwork, names: set[str]) -> None:
    triangles, colours = [], []
    for mark in markings(network):
        if mark.road_id in names and mark.tag == Tag.ROAD_LINES:
            corners = mark.vertices[mark.triangles][:, :, :2]
            triangles.append(corners)
            colours.append(np.tile(mark.rgb, (len(corners), 1)))
    if triangles:
        rgb = np.concatenate(colours)
        axes.add_collection(
            PolyCollection(list(np.concatenate(triangles)), facecolors=rgb, edgecolors=rgb, linewidths=0.25, zorder=3)
        )


def _outline_of(item: PlacedObject) -> list[Floats]:
    """Return the areas an object covers."""
    if item.outlines:
        return [outline.points[:, :2] for outline in item.outlines if len(outline.points) > 1]
    if item.sweep is not None:
        side = np.stack([-np.sin(item.sweep.heading), np.cos(item.sweep.heading)], axis=1)
        half = 0.5 * np.maximum(item.sweep.width, 0.2)[:, None]
        middle = item.sweep.points[:, :2]
        return [np.concatenate([middle + half * side, (middle - half * side)[::-1]])]
    if item.radius > 0.0:
        angle = np.linspace(0.0, 2.0 * math.pi, 17)[:-1]
        return [np.array([item.pose.x, item.pose.y]) + item.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)]
    length, width = max(item.length, 0.3), max(item.width, 0.3)
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)]) * (length, width)
    cosine, sine = math.cos(item.pose.heading), math.sin(item.pose.heading)
    turned = corners @ np.array([[cosine, sine], [-sine, cosine]])
    return [turned + np.array([item.pose.x, item.pose.y])]


def _draw_objects(axes: Axes, network: RoadNetwork, names: set[str]) -> set[str]:
    flat: list[npt.NDArray[np.float64]] = []
    solid: list[npt.NDArray[np.float64]] = []
    for item in objects(network):
        if item.road_id in names:
            target = flat if item.record.type_ in ("crosswalk", "parkingSpace", "roadMark") else solid
            target += _outline_of(item)
    if flat:
        axes.add_collection(PolyCollection(flat, facecolors="none", edgecolors="#4a6fa5", linewidths=0.6, zorder=4))
    if solid:
        axes.add_collection(
            PolyCollection(solid, facecolors="#5b4a8a99", edgecolors="#3b2f63", linewidths=0.6, zorder=4)
        )
    return ({"flat"} if flat else set()) | ({"solid"} if solid else set())


def _draw_arrows(axes: Axes, network: RoadNetwork, roads: Sequence[RoadGeometry], box: Box, metre: float) -> set[str]:
    """Draw arrows in the direction of traffic, as far apart as the scale allows."""
    spacing = max(25.0, 60.0 / metre)
    tails: list[Floats] = []
    for road in roads:
        for section in road.sections:
            for lane in section.lanes:
                length = section.end - section.start
                if lane.type not in DRIVING_TYPES or length < min(0.4 * spacing, 8.0):
                    continue
                count = max(1, int(length / spacing))
                s = section.start + length * (np.arange(count) + 0.5) / count
                poses = network.lane_poses(LaneKey(road.id, section.index, lane.id), s)
                forward = 1.0 if road.drives_forward(lane.id, section.index) else -1.0
                direction = forward * np.stack([np.cos(poses.heading), np.sin(poses.heading)], axis=1)
                tails.append(np.concatenate([np.stack([poses.x, poses.y], axis=1), direction], axis=1))
    if not tails:
        return set()
    every = np.concatenate(tails)
    size = min(max(2.2, 7.0 / metre), 6.0)  # metres; at least some points on paper
    tip, left = every[:, 2:], np.stack([-every[:, 3], every[:, 2]], axis=1)
    middle = every[:, :2]
    wings = [middle - size * (0.5 * tip - sign * 0.32 * left) for sign in (1.0, -1.0)]
    heads = np.stack([wings[0], middle + 0.5 * size * tip, wings[1]], axis=1)
    axes.add_collection(LineCollection(list(heads), colors="#ffffffcc", linewidths=0.9, zorder=5))
    return {"arrow"}


def _draw_signals(axes: Axes, network: RoadNetwork, names: set[str], box: Box) -> set[str]:
    found = [signal for signal in signals(network) if signal.road_id in names]
    inside = [s for s in found if box[0] <= s.pose.x <= box[2] and box[1] <= s.pose.y <= box[3]]
    shown = set()
    for key, marker, colour, chosen in (
        ("light", "o", "#d62728", [s for s in inside if s.is_light]),
        ("sign", "^", "#f2a900", [s for s in inside if not s.is_light]),
    ):
        if not chosen:
            continue
        shown.add(key)
        x, y = [s.pose.x for s in chosen], [s.pose.y for s in chosen]
        axes.plot(x, y, marker, color=colour, markersize=4.5, markeredgecolor=_INK, markeredgewidth=0.5, zorder=7,
                  linestyle="none")  # fmt: skip
    if len(inside) <= 60:
        for signal in inside:
            axes.annotate(
                _signal_text(signal), (signal.pose.x, signal.pose.y), xytext=(4, 3), textcoords="offset points",
                fontsize=5.5, color=_INK, zorder=8, clip_on=True,
            )  # fmt: skip
    return shown


def _signal_text(signal: PlacedSignal) -> str:
    if signal.is_light:
        return f"light {signal.id}"
    if signal.speed_limit_kmh is not None:
        return f"{signal.speed_limit_kmh:.0f} km/h"
    return signal.type or signal.name


def _draw_labels(axes: Axes, roads: Sequence[RoadGeometry], box: Box, metre: float) -> None:
    """Write road ids: all that have room, connecting roads only where the scale is large."""
    taken: list[tuple[float, float]] = []
    room = 22.0 / metre
    for road in sorted(roads, key=lambda r: (bool(r.junction), -r.length)):
        if road.length * metre < 14.0 or (road.junction and metre < 6.0):
            continue
        for part in (0.5, 0.35, 0.65, 0.2, 0.8):
            plan = road.plan.at(np.array([road.length * part]))
            x, y = float(plan.x[0]), float(plan.y[0])
            inside = box[0] < x < box[2] and box[1] < y < box[3]
            if inside and all(math.dist((x, y), other) > room for other in taken):
                taken.append((x, y))
                axes.text(
                    x, y, road.id, fontsize=6.5 if not road.junction else 5.0, ha="center", va="center", zorder=9,
                    color="white" if not road.junction else _INK, clip_on=True,
                    bbox={"boxstyle": "round,pad=0.22", "linewidth": 0.0,
                          "facecolor": "#1f4e79" if not road.junction else "#ffffffb0"},
                )  # fmt: skip
                break


def _scale_bar(axes: Axes, box: Box) -> None:
    wide, high = box[2] - box[0], box[3] - box[1]
    raw = 0.2 * max(wide, 0.4 * high)
    power = 10.0 ** math.floor(math.log10(raw))
    length = max(step * power for step in (1.0, 2.0, 5.0) if step * power <= raw)
    x, y = box[0] + 0.03 * wide, box[1] + 0.035 * high
    axes.plot([x, x + length], [y, y], color=_INK, linewidth=2.5, solid_capstyle="butt", zorder=10)
    axes.text(x + 0.5 * length, y + 0.008 * high, f"{length:g} m", fontsize=8, ha="center", va="bottom", color=_INK,
              zorder=10)  # fmt: skip


def _legend(axes: Axes, ground: _Ground, shown: set[str]) -> None:
    names = [name for name, _, _ in _GROUPS] + [_OTHER[0]]
    entries: list[Patch | Line2D] = [
        Patch(facecolor=ground.present[name], label=name) for name in names if name in ground.present
    ]
    extras: dict[str, Patch | Line2D] = {
        "flat": Patch(facecolor="none", edgecolor="#4a6fa5", label="zebra, bay, painted area"),
        "solid": Patch(facecolor="#5b4a8a99", edgecolor="#3b2f63", label="object"),
        "light": Line2D([], [], marker="o", linestyle="none", color="#d62728", markeredgecolor=_INK, label="light"),
        "sign": Line2D([], [], marker="^", linestyle="none", color="#f2a900", markeredgecolor=_INK, label="sign"),
    }
    entries += [entry for key, entry in extras.items() if key in shown]
    if "arrow" in shown:
        entries.append(Line2D([], [], color="white", marker=">", linestyle="none", markeredgecolor="#999999",
                              label="direction of traffic"))  # fmt: skip
    axes.legend(
        handles=entries, loc="upper left", bbox_to_anchor=(1.005, 1.0), fontsize=7.5, frameon=False, borderaxespad=0.0
    )


def _title(network: RoadNetwork, roads: Sequence[RoadGeometry]) -> str:
    total = sum(road.length for road in roads)
    kilometres = f"{total / 1000:.2f} km" if total >= 1000 else f"{total:.0f} m"
    return f"{network.name}: {len(roads)} roads, {kilometres}, {len(network.junctions)} junctions"
