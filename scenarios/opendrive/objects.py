"""Objects of a road network, placed in the world: poses, outlines, repetitions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.errors import OpenDriveError
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.values import Pose

Floats = npt.NDArray[np.float64]

_SWEEP_STEP_M = 2.0
_MAX_REPEATS = 100_000


@dataclass(frozen=True, slots=True, eq=False)
class PlacedOutline:
    """An object's outline in the world.

    Attributes:
        points: (N, 3) corners at the foot, in the file's order; a last corner equal to the first is left out.
        heights: (N,) how high the object is at each corner.
        closed: whether it is an area. outer: whether it is a rim (else a hole).
        fill_type: as the file writes it. ids: the corners' ids.
    """

    points: Floats
    heights: Floats
    closed: bool
    outer: bool
    fill_type: str
    id: str
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """An object drawn out along the road (``<repeat distance="0">``): a wall, a fence, a guard rail.

    Attributes:
        points: (N, 3) foot of its middle line. heading: (N,) radians.
        width, height: (N,) metres.
    """

    points: Floats
    heading: Floats
    width: Floats
    height: Floats


@dataclass(frozen=True, slots=True, eq=False)
class PlacedObject:
    """An object in the world, ASAM's frame; a repeated object becomes many, numbered by ``repetition``.

    Attributes:
        s, t: road coordinates. pose: origin of the object; its length lies along the heading.
        length, width, height, radius: metres; 0 where the file gives none.
        outlines: its outlines, if any. sweep: set if it is drawn out along the road; ``pose`` is then its start.
        lanes: ids of the lanes it is valid for; empty: all.
    """

    record: furniture.RoadObject
    road_id: str
    repetition: int
    s: float
    t: float
    pose: Pose
    length: float
    width: float
    height: float
    radius: float
    outlines: tuple[PlacedOutline, ...]
    sweep: Sweep | None
    lanes: tuple[int, ...]

    @property
    def id(self) -> str:
        """The object's id."""
        return self.record.id

    @property
    def type(self) -> str:
        """The object's type."""
        return self.record.type_

    @property
    def name(self) -> str:
        """The object's name."""
        return self.record.name


def objects(network: RoadNetwork) -> list[PlacedObject]:
    """Return all objects of a network, roads and objects in file order.

    Raises:
        OpenDriveError: an object is repeated more than 100,000 times.
    """
    found: list[PlacedObject] = []
    for road in network.roads.values():
        for record in road.record.objects:
            if not record.repeats:
                found.append(_single(network, road, record))
                continue
            number = 0
            for repeat in record.repeats:
                placed = _repeated(network, road, record, repeat, number)
                number += len(placed)
                found += placed
    return found


def _single(network: RoadNetwork, road: RoadGeometry, record: furniture.RoadObject) -> PlacedObject:
    pose = place(road, record.s, record.t, record.z_offset, record.hdg, record.pitch, record.roll, record.perp_to_road)
    return PlacedObject(
        record, road.id, 0, record.s, record.t, pose, record.length, record.width, record.height, record.radius,
        _outlines(road, record, pose), None, lanes_of(record.validities),
    )  # fmt: skip


def _repeated(
    network: RoadNetwork, road: RoadGeometry, record: furniture.RoadObject, repeat: furniture.Repeat, first: int
) -> list[PlacedObject]:
    def between(start: float | None, end: float | None, plain: float) -> Floats:
        low = plain if start is None else start
        high = low if end is None else end
        return low + part * (high - low)

    drawn_out = repeat.distance <= 0.0
    gap = _SWEEP_STEP_M if drawn_out else repeat.distance
    length = min(repeat.length, max(road.length - repeat.s, 0.0)) if drawn_out else repeat.length
    if length / gap > _MAX_REPEATS:
        raise OpenDriveError(
            f"object '{record.id}' is repeated {length / gap:.3g} times",
            file=network.file,
            line=repeat.line,
            element="repeat",
            remedy="check length and distance",
        )
    if drawn_out:
        offsets = np.linspace(0.0, length, max(2, math.ceil(length / gap) + 1))
    else:
        offsets = np.arange(math.floor(length / gap + 1e-9) + 1, dtype=np.float64) * gap
    part = offsets / repeat.length if repeat.length > 0.0 else np.zeros(len(offsets))
    s, t = repeat.s + offsets, between(repeat.t_start, repeat.t_end, record.t)
    z = between(repeat.z_offset_start, repeat.z_offset_end, record.z_offset)
    heights = between(repeat.height_start, repeat.height_end, record.height)
    widths = between(repeat.width_start, repeat.width_end, record.width)
    lanes = lanes_of(record.validities)
    if drawn_out:
        points, heading = _along(road, s, t, z)
        pose = Pose(float(points[0, 0]), float(points[0, 1]), float(points[0, 2]), float(heading[0]), 0.0, 0.0)
        sweep = Sweep(points, heading, widths, heights)
        size = (length, float(widths.max()), float(heights.max()), record.radius)
        return [PlacedObject(record, road.id, first, float(s[0]), float(t[0]), pose, *size, (), sweep, lanes)]
    lengths = between(repeat.length_start, repeat.length_end, record.length)
    radii = between(repeat.radius_start, repeat.radius_end, record.radius)
    found = []
    for i in range(len(s)):
        if s[i] > road.length + 1e-6:
            break
        pose = place(road, s[i], t[i], z[i], record.hdg, record.pitch, record.roll, record.perp_to_road)
        size = (float(lengths[i]), float(widths[i]), float(heights[i]), float(radii[i]))
        outlines = _outlines(road, record, pose)
        found.append(
            PlacedObject(record, road.id, first + i, float(s[i]), float(t[i]), pose, *size, outlines, None, lanes)
        )
    return found


def place(
    road: RoadGeometry, s: float, t: float, z: float, hdg: float, pitch: float, roll: float, perpendicular: bool = False
) -> Pose:
    """Return the pose of something ``z`` above a road's surface at (s, t), turned by ``hdg`` from the road.

    Pitch and roll count from the horizontal plane, or from the road's if ``perpendicular``.
    """
    at = road.poses(road.stations(np.array([s])), np.array([t]), 0.0, z)
    x, y, height, heading, slope, bank = (float(column[0]) for column in at)
    if perpendicular:
        pitch, roll = pitch + slope, roll + bank
    return Pose(x, y, height, math.remainder(heading + hdg, 2.0 * math.pi), pitch, roll)


def _along(road: RoadGeometry, s: Floats, t: Floats, z: Floats) -> tuple[Floats, Floats]:
    at = road.poses(road.stations(s), t, 0.0, z)
    return np.stack([at.x, at.y, at.z], axis=-1), at.heading


def lanes_of(validities: tuple[furniture.Validity, ...]) -> tuple[int, ...]:
    """Return the lane ids of validity records, sorted, without the centre lane."""
    ids: set[int] = set()
    for record in validities:
        low, high = sorted((record.from_lane, record.to_lane))
        if high - low <= 20_000:
            ids |= set(range(low, high + 1))
    return tuple(sorted(ids - {0}))


def rotation(pose: Pose) -> Floats:
    """Return the (3, 3) world-from-local rotation of a pose: heading about z, then pitch about y, then roll about x."""
    (ch, sh), (cp, sp), (cr, sr) = ((math.cos(a), math.sin(a)) for a in (pose.heading, pose.pitch, pose.roll))
    return np.array(
        [
            [ch * cp, ch * sp * sr - sh * cr, ch * sp * cr + sh * sr],
            [sh * cp, sh * sp * sr + ch * cr, sh * sp * cr - ch * sr],
            [-sp, cp * sr, cp * cr],
        ]
    )


def _outlines(road: RoadGeometry, record: furniture.RoadObject, pose: Pose) -> tuple[PlacedOutline, ...]:
    given = [*record.outlines, *([record.outline] if record.outline is not None else [])]
    found = []
    for outline in given:
        if outline.corners_local:
            local = np.array([(c.u, c.v, c.z) for c in outline.corners_local])
            points = local @ rotation(pose).T + np.array(pose[:3])
            heights = np.array([c.height for c in outline.corners_local])
            ids = [c.id for c in outline.corners_local]
        elif outline.corners_road:
            s, t, dz = (np.array([getattr(c, n) for c in outline.corners_road]) for n in ("s", "t", "dz"))
            points, _ = _along(road, s, t, dz)
            heights = np.array([c.height for c in outline.corners_road])
            ids = [c.id for c in outline.corners_road]
        else:
            continue
        if len(points) > 3 and np.linalg.norm(points[0] - points[-1]) < 1e-3:
            points, heights, ids = points[:-1], heights[:-1], ids[:-1]
        found.append(
            PlacedOutline(points, heights, outline.closed, outline.outer, outline.fill_type, outline.id, tuple(ids))
        )
    return tuple(found)
