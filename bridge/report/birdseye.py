"""A bird's-eye plot as SVG: the road, the ways everybody took, and where they stood at the moment that mattered."""

from __future__ import annotations

import math
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import shapely

from bridge.report.charts import COLORS
from bridge.results import Result, Track
from foundation.ids import Tag
from scenarios import opendrive

WIDTH_PX, HEIGHT_PX = 620, 340
SMALLEST_HALF_LENGTH_M = 14.0
LARGEST_HALF_LENGTH_M = 60.0
GROUND = {Tag.ROADS: "#8b9098", Tag.SIDEWALKS: "#d5d0c8", Tag.TERRAIN: "#cfe0c4", Tag.GROUND: "#cfe0c4"}
PARKED = "#5b6778"

Floats = npt.NDArray[np.float64]


class View:
    """From ASAM's plane to the picture: the ego's direction of travel points to the right.

    Args:
        center: (x, y) in metres that lands in the middle.
        heading: direction in radians that points right.
        half_length_m: half of the picture's width on the ground.
    """

    def __init__(self, center: tuple[float, float], heading: float, half_length_m: float) -> None:
        self.center = np.array(center)
        self.heading = heading
        self.scale = WIDTH_PX / (2.0 * half_length_m)
        c, s = math.cos(heading), math.sin(heading)
        self._turn = np.array([[c, s], [-s, c]])
        half = np.array([half_length_m, half_length_m * HEIGHT_PX / WIDTH_PX])
        corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * (half + 1.0)
        self.window = shapely.Polygon(corners @ self._turn + self.center)

    def pixels(self, points: npt.ArrayLike) -> Floats:
        """Turn (N, 2) metres into (N, 2) pixels, y downwards."""
        local = (np.asarray(points, dtype=np.float64) - self.center) @ self._turn.T * self.scale
        return local * (1.0, -1.0) + (WIDTH_PX / 2, HEIGHT_PX / 2)


@lru_cache(maxsize=8)
def _ground(text: str) -> tuple[tuple[str, shapely.Geometry], ...]:
    """Merge the surfaces of an OpenDRIVE text by colour, and its markings, into polygons in drawing order.

    Kept by the text, not by the file: every unit of a run has a copy of its own.
    """
    network = opendrive.parse(text)
    by_color: dict[str, list[shapely.Geometry]] = {}
    for surface in opendrive.surfaces(network):
        color = GROUND.get(surface.tag)
        if color is not None:
            corners = np.asarray(surface.vertices)[np.asarray(surface.triangles)][:, :, :2]
            by_color.setdefault(color, []).extend(_valid(shapely.polygons(corners)))
    order = [GROUND[Tag.TERRAIN], GROUND[Tag.SIDEWALKS], GROUND[Tag.ROADS]]
    layers = [(c, shapely.union_all(by_color[c], grid_size=0.005)) for c in order if c in by_color]
    paint = [
        polygon
        for marking in opendrive.markings(network)
        for polygon in _valid(shapely.polygons(np.asarray(marking.vertices)[np.asarray(marking.triangles)][:, :, :2]))
    ]
    if paint:
        layers.append(("#ffffff", shapely.union_all(paint, grid_size=0.005)))
    return tuple(layers)


def _valid(polygons: npt.NDArray[np.object_]) -> list[shapely.Geometry]:
    """Drop the triangles that are slivers or stand upright (kerbs): they have no area from above."""
    return list(polygons[shapely.area(polygons) > 1e-5])


def birdseye(result: Result, tracks: dict[str, Track], names: list[str], key_s: float | None, *, base: Path) -> str:
    """Return the SVG, or "" when nothing was recorded.

    Args:
        result: its ``map_file`` is relative to ``base``; its ``entities`` hold the boxes' sizes.
        tracks: every entity's way, ASAM frame.
        names: the moving ones in the order of their colours, the ego first.
        key_s: the moment at which entities are drawn solid; the end if None.
        base: the folder that ``map_file`` is relative to.
    """
    if not tracks or not names:
        return ""
    ego = tracks[names[0]]
    key_s = ego.time[-1] if key_s is None else key_s
    view = _choose_view({name: tracks[name] for name in names}, ego, key_s)
    parts = [
        f'<svg class="birdseye" viewBox="0 0 {WIDTH_PX} {HEIGHT_PX}" role="img" '
        f'aria-label="bird\'s-eye view of {escape(result.unit.name, quote=True)}">'
    ]
    if result.map_file:
        for color, geometry in _ground((base / result.map_file).read_text(encoding="utf-8")):
            path = _path(view, shapely.intersection(geometry, view.window))
            if path:
                parts.append(f'<path d="{path}" fill="{color}" fill-rule="evenodd"/>')
    for i, name in enumerate(names):
        parts.append(_way(view, tracks[name], COLORS[i % len(COLORS)]))
    for name, track in tracks.items():
        color = COLORS[names.index(name) % len(COLORS)] if name in names else PARKED
        parts.append(_footprints(view, name, track, result.entities.get(name, {}), color, key_s, name in names))
    parts.append(_scale_bar(view))
    label = f"t = {key_s:.2f} s"
    parts.append(f'<text x="10" y="20" font-size="13" fill="#1b2430">{label}</text></svg>')
    return "".join(parts)


def _choose_view(moving: dict[str, Track], ego: Track, key_s: float) -> View:
    """Show where everybody is at the key moment and what they did in the seconds around it."""
    at = _at(ego, key_s)
    points = []
    for track in moving.values():
        time = np.array(track.time)
        near = np.abs(time - key_s) <= 3.0
        points.append(np.column_stack([track.x, track.y])[near])
    cloud = np.concatenate(points) if points else np.array([[at[0], at[1]]])
    cloud = cloud[np.hypot(cloud[:, 0] - at[0], cloud[:, 1] - at[1]) < LARGEST_HALF_LENGTH_M * 1.5]
    c, s = math.cos(at[2]), math.sin(at[2])
    local = (cloud - (at[0], at[1])) @ np.array([[c, -s], [s, c]])
    low, high = local.min(axis=0), local.max(axis=0)
    middle = (low + high) / 2
    half = max((high[0] - low[0]) / 2 + 6.0, ((high[1] - low[1]) / 2 + 4.0) * WIDTH_PX / HEIGHT_PX)
    half = min(max(half, SMALLEST_HALF_LENGTH_M), LARGEST_HALF_LENGTH_M)
    center = (at[0] + c * middle[0] - s * middle[1], at[1] + s * middle[0] + c * middle[1])
    return View(center, at[2], half)


def _at(track: Track, time_s: float) -> tuple[float, float, float]:
    """The pose nearest to a moment: x, y, heading."""
    i = int(np.argmin(np.abs(np.array(track.time) - time_s)))
    return track.x[i], track.y[i], track.heading[i]


def _path(view: View, geometry: shapely.Geometry) -> str:
    rings = []
    for part in shapely.get_parts(geometry):
        if part.geom_type == "Polygon":
            for ring in (part.exterior, *part.interiors):
                pixels = view.pixels(np.asarray(ring.coords)[:, :2])
                rings.append("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in pixels) + "Z")
    return "".join(rings)


def _way(view: View, track: Track, color: str) -> str:
    pixels = view.pixels(np.column_stack([track.x, track.y]))
    points = " ".join(f"{x:.1f},{y:.1f}" for x, y in pixels)
    return f'<polyline points="{points}" fill="none" stroke="{color}" stroke-width="2" stroke-opacity="0.65"/>'


def _corners(box: dict[str, float], pose: tuple[float, float, float]) -> Floats:
    """The box on the ground around a reference point that need not be its centre, (4, 2) metres."""
    length, width = box.get("length_m", 0.5), box.get("width_m", 0.5)
    local = np.array([[1, 1], [1, -1], [-1, -1], [-1, 1]]) * (length / 2, width / 2) + (
        box.get("center_x_m", 0.0),
        box.get("center_y_m", 0.0),
    )
    c, s = math.cos(pose[2]), math.sin(pose[2])
    return local @ np.array([[c, s], [-s, c]]) + pose[:2]


def _footprints(
    view: View, name: str, track: Track, box: dict[str, float], color: str, key_s: float, moving: bool
) -> str:
    parts = []
    moments = [key_s]
    if moving:
        moments = [t for t in np.arange(math.ceil(key_s - 3.0), key_s + 2.0, 1.0) if track.time[0] <= t] + [key_s]
    for moment in moments:
        if not track.time[0] - 0.2 <= moment <= track.time[-1] + 0.2:
            continue
        points = " ".join(f"{x:.1f},{y:.1f}" for x, y in view.pixels(_corners(box, _at(track, float(moment)))))
        solid = moment == key_s
        style = f'fill="{color}" stroke="#1b2430"' if solid else f'fill="none" stroke="{color}"'
        opacity = "0.9" if solid else "0.55"
        parts.append(f'<polygon points="{points}" {style} stroke-width="1" opacity="{opacity}"/>')
    title = escape(name)
    return f"<g><title>{title}</title>{''.join(parts)}</g>"


def _scale_bar(view: View) -> str:
    length_m = next(m for m in (50, 20, 10, 5, 2, 1) if m * view.scale < WIDTH_PX / 3)
    end = WIDTH_PX - 14
    start = end - length_m * view.scale
    y = HEIGHT_PX - 14
    return (
        f'<path d="M{start:.1f} {y - 4}V{y}H{end}V{y - 4}" fill="none" stroke="#1b2430"/>'
        f'<text x="{(start + end) / 2:.1f}" y="{y - 6}" font-size="12" text-anchor="middle" fill="#1b2430">'
        f"{length_m} m</text>"
    )
