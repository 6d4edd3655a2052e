"""Tunnels of the OpenDRIVE file: walls, ceiling and lamps around a stretch of road, as a concrete gallery.

The land is not raised over them: what lies above a tunnel's ceiling is its roof.
"""

from __future__ import annotations

import numpy as np

from engine.geometry import StaticObject
from engine.scene import materials as m
from engine.scene.furniture import soup
from engine.scene.ground import LAYER_WALLS, Floats, static_object
from engine.scene.shapes import grid
from foundation.ids import Tag
from scenarios.opendrive import PAVED_TYPES, RoadNetwork

HEADROOM_M = 5.0
"""Inner height: above the 4.5 m that road standards keep clear, with lamps below the ceiling."""
WALL_M = 0.5
BESIDE_M = 0.3
"""Distance of the inner wall faces from the outermost lane that is paved."""
STEP_M = 5.0
LAMP_EVERY = 2
WALKED_TYPES = frozenset({"sidewalk", "walking", "curb"})


def tunnel_objects(network: RoadNetwork, *, seed: int, world: str) -> tuple[list[StaticObject], Floats]:
    """Return the tunnels, and the (N, 2) places of their walls, ASAM's frame, for others to keep clear of."""
    found, walls = [], [np.zeros((0, 2))]
    for road in network.roads.values():
        for record in road.record.tunnels:
            start, end = max(record.s, 0.0), min(record.s + record.length, road.length)
            if end - start < 1.0:
                continue
            s = np.linspace(start, end, max(2, int(np.ceil((end - start) / STEP_M))) + 1)
            rows = []
            for here in s:
                section = road.section_at(float(here))
                one = np.array([here])
                edges = section.boundaries(one, road.lane_offset(one))[:, 0]
                used = [k for k, lane in enumerate(section.lanes) if lane.type in PAVED_TYPES | WALKED_TYPES]
                low, high = (used[0], used[-1] + 1) if used else (0, -1)
                rows.append((edges[low] - BESIDE_M, edges[high] + BESIDE_M))
            right, left = (np.array(side) for side in zip(*rows))
            at = road.stations(s)
            name = f"Tunnel_{road.id}_{record.id}"
            inner = np.stack([road.points(at, t) for t in (left, left, right, right)])
            inner[1:3, :, 2] += HEADROOM_M
            inner[[0, 3], :, 2] -= 0.4
            outer = np.stack(
                [road.points(at, t) for t in (left + WALL_M, left + WALL_M, right - WALL_M, right - WALL_M)]
            )
            outer[1:3, :, 2] += HEADROOM_M + WALL_M
            outer[[0, 3], :, 2] -= 0.4
            ring = np.concatenate([outer, inner[::-1]])
            # Rows run left, over the top, to the right; columns along s: the outside of the hull is then in front.
            hull = grid(np.concatenate([ring, ring[:1]]))[:, ::-1]
            ends = [grid(np.stack([outer[:, k], inner[:, k]])) for k in (0, -1)]
            faces = [hull, ends[0][:, ::-1], ends[1]]
            parts = [(soup(np.concatenate(faces), (150.0, 149.0, 146.0)), m.CONCRETE, Tag.WALLS)]
            parts.append((soup(_lamps(inner), (250.0, 246.0, 230.0)), m.TUNNEL_LAMP, Tag.POLES))
            found.append(static_object(name, parts, tag=Tag.WALLS, seed=seed, world=world, layer=LAYER_WALLS))
            walls += [outer[0, :, :2], outer[3, :, :2]]
    return found, np.concatenate(walls)


def _lamps(inner: Floats) -> Floats:
    """Return lamp panels below the ceiling, facing down, along the middle."""
    middle = (inner[1] + inner[2]) / 2.0 - np.array([0.0, 0.0, 0.06])
    panels = []
    for k in range(0, len(middle) - 1, LAMP_EVERY):
        along = middle[k + 1] - middle[k]
        length = np.linalg.norm(along)
        along = along / length
        side = np.array([-along[1], along[0], 0.0]) * 0.2
        a, b = middle[k] + along * length * 0.2, middle[k] + along * length * 0.6
        # Counter-clockwise from below.
        panels += [[a + side, b + side, b - side], [a + side, b - side, a - side]]
    return np.array(panels)
