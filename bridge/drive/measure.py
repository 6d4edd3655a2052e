"""What the instruments show, worked out from the ground truth of a frame."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import carla

from foundation.frames import asam_orientation
from scenarios import metrics
from sensors.labels import CLASS_NAMES, category_of
from sensors.readings import ObjectState

REACH_M = 100.0
LONGEST_TTC_S = 9.9
"""Farther in the future it is no warning, but a number that flickers."""
WINDS = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")


class Threat(NamedTuple):
    """The road user that would be hit first if nobody changed speed or direction."""

    ttc_s: float
    name: str


class Gap(NamedTuple):
    """The distance to what drives, stands or walks ahead in one's own corridor."""

    gap_m: float
    name: str


class Lane(NamedTuple):
    """Where the car is on the road. ``offset_m`` is positive to the right of the lane's centre."""

    text: str
    offset_m: float
    width_m: float


def moving(state: ObjectState) -> metrics.Moving:
    """Return a thing's box on the ground, its velocity and its heights, in ASAM's frame."""
    matrix = state.world_from_box
    # Yaw as foundation.frames.rotation_of reads it; the full orientation of everybody in every frame costs too much.
    heading = asam_orientation(0.0, math.degrees(math.atan2(matrix[1, 0], matrix[0, 0])), 0.0)[0]
    x, y, z = (float(v) for v in matrix[:3, 3])
    extent = state.box_extent
    rect = metrics.Rect(x, -y, heading, 2.0 * float(extent[0]), 2.0 * float(extent[1]))
    velocity = float(state.velocity_mps[0]), -float(state.velocity_mps[1])
    return metrics.Moving(rect, velocity, z - float(extent[2]), z + float(extent[2]))


def threats(ego: ObjectState, objects: Iterable[ObjectState]) -> tuple[Threat | None, Gap | None]:
    """Return the smallest time to collision (``scenarios.metrics``) and the nearest thing ahead, with whom."""
    own = moving(ego)
    threat: Threat | None = None
    nearest: Gap | None = None
    here = ego.world_from_object[:3, 3]
    for state in objects:
        if state.key == ego.key:
            continue
        at = state.world_from_object[:3, 3] if state.actor_id else state.box_center
        if abs(at[0] - here[0]) > REACH_M or abs(at[1] - here[1]) > REACH_M:
            continue
        other = moving(state)
        name = CLASS_NAMES[category_of(state.tags)]
        ttc_s = metrics.time_to_collision(own, other)
        if ttc_s is not None and 0.0 < ttc_s <= LONGEST_TTC_S and (threat is None or ttc_s < threat.ttc_s):
            threat = Threat(ttc_s, name)
        ahead = metrics.ahead(own, other)
        if ahead is not None and (nearest is None or ahead.gap_m < nearest.gap_m):
            nearest = Gap(ahead.gap_m, name)
    return threat, nearest


def lane_of(carla_map: carla.Map, ego: ObjectState) -> Lane | None:
    """Return the lane under the middle of the car; None off the road."""
    x, y, z = (float(v) for v in ego.world_from_box[:3, 3])
    place = carla.Location(x, y, z)
    waypoint = carla_map.get_waypoint(place, project_to_road=False, lane_type=carla.LaneType.Any)
    if waypoint is None:
        return None
    center, right = waypoint.transform.location, waypoint.transform.get_right_vector()
    offset = (x - center.x) * right.x + (y - center.y) * right.y
    kind = str(waypoint.lane_type).rsplit(".", maxsplit=1)[-1].lower()
    text = f"road {waypoint.road_id}  lane {waypoint.lane_id}"
    if waypoint.is_junction:
        text += "  junction"
    elif kind != "driving":
        text += f"  {kind}"
    return Lane(text, offset, float(waypoint.lane_width))


def compass(yaw_deg: float) -> float:
    """Return the compass heading, 0..360 clockwise from north, of CARLA's yaw (0 is east, 90 is south)."""
    return (yaw_deg + 90.0) % 360.0


def wind(heading_deg: float) -> str:
    """Return N, NE, E ... for a compass heading."""
    return WINDS[round(heading_deg / 45.0) % 8]
