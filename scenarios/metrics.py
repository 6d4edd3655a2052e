"""Safety metrics on oriented boxes in the plane: pure functions, metres, seconds, radians, m/s, ASAM's frame.

Definitions follow the usual surrogate-safety literature: time headway and time to collision (Hayward 1972),
post-encroachment time (Allen, Shin and Cooper 1978), deceleration rate to avoid a crash (Almqvist 1991).
Two-dimensional TTC is the earliest time at which the boxes overlap if both keep their velocity; it is exact (separating
axes of moving convex bodies), not sampled. A quantity that does not exist (not closing, nothing ahead, no conflict) is
None, never 0 and never infinity.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


class Rect(NamedTuple):
    """An oriented box on the ground: its centre, heading, length along the heading and width."""

    x: float
    y: float
    heading: float
    length: float
    width: float

    def corners(self) -> Floats:
        """(4, 2) corners, counter-clockwise from the front left."""
        c, s = math.cos(self.heading), math.sin(self.heading)
        a, b = 0.5 * self.length, 0.5 * self.width
        return np.array(
            [[self.x + dx * c - dy * s, self.y + dx * s + dy * c] for dx, dy in ((a, b), (-a, b), (-a, -b), (a, -b))]
        )

    @property
    def reach(self) -> float:
        """Distance from the centre to a corner."""
        return 0.5 * math.hypot(self.length, self.width)


class Moving(NamedTuple):
    """A box, its velocity in the world (m/s) and the heights between which it reaches."""

    rect: Rect
    velocity: tuple[float, float]
    low: float = 0.0
    high: float = math.inf


def _axes(a: Rect, b: Rect) -> tuple[tuple[float, float], ...]:
    return tuple(
        axis for h in (a.heading, b.heading) for axis in ((math.cos(h), math.sin(h)), (-math.sin(h), math.cos(h)))
    )


def _half_extent(rect: Rect, ax: float, ay: float) -> float:
    c, s = math.cos(rect.heading), math.sin(rect.heading)
    return 0.5 * rect.length * abs(c * ax + s * ay) + 0.5 * rect.width * abs(-s * ax + c * ay)


def overlap(a: Rect, b: Rect) -> bool:
    """Return whether two boxes touch or overlap (separating axis theorem)."""
    dx, dy = b.x - a.x, b.y - a.y
    if dx * dx + dy * dy > (a.reach + b.reach) ** 2:
        return False
    return all(
        abs(dx * ax + dy * ay) <= _half_extent(a, ax, ay) + _half_extent(b, ax, ay) + 1e-12 for ax, ay in _axes(a, b)
    )


def collide(a: Moving, b: Moving) -> bool:
    """Return whether two bodies touch: boxes overlap and so do their heights."""
    return a.low <= b.high and b.low <= a.high and overlap(a.rect, b.rect)


def distance(a: Rect, b: Rect) -> float:
    """Return the smallest distance between two boxes; 0 when they touch."""
    if overlap(a, b):
        return 0.0
    pa, pb = a.corners(), b.corners()
    return math.sqrt(min(_points_to_edges(pa, pb), _points_to_edges(pb, pa)))


def _points_to_edges(points: Floats, polygon: Floats) -> float:
    """Return the smallest squared distance of (N, 2) points to the edges of a (M, 2) polygon."""
    start = polygon
    edge = np.roll(polygon, -1, axis=0) - start
    square = np.maximum((edge**2).sum(axis=1), 1e-300)
    to = points[:, None, :] - start[None]
    f = np.clip((to * edge[None]).sum(axis=2) / square, 0.0, 1.0)
    return float((((to - f[..., None] * edge[None]) ** 2).sum(axis=2)).min())


def time_to_collision(a: Moving, b: Moving) -> float | None:
    """Return the time until the boxes touch at constant velocities; 0 when they do, None when they never will."""
    if not (a.low <= b.high and b.low <= a.high):
        return None
    dx, dy = b.rect.x - a.rect.x, b.rect.y - a.rect.y
    vx, vy = b.velocity[0] - a.velocity[0], b.velocity[1] - a.velocity[1]
    enter, leave = 0.0, math.inf
    for ax, ay in _axes(a.rect, b.rect):
        gap, rate = dx * ax + dy * ay, vx * ax + vy * ay
        reach = _half_extent(a.rect, ax, ay) + _half_extent(b.rect, ax, ay)
        if abs(rate) < 1e-12:
            if abs(gap) > reach:
                return None
            continue
        first, second = sorted(((-reach - gap) / rate, (reach - gap) / rate))
        enter, leave = max(enter, first), min(leave, second)
    return enter if enter <= leave else None


def time_headway(gap_m: float, follower_speed: float) -> float | None:
    """Return the gap (bumper to bumper) over the follower's speed; None when it stands."""
    return gap_m / follower_speed if follower_speed > 1e-9 else None


def deceleration_to_avoid(gap_m: float, follower_speed: float, leader_speed: float) -> float | None:
    """Return DRAC, (v_f - v_l)^2 / (2 gap), in m/s^2; None when not closing or touching already."""
    closing = follower_speed - leader_speed
    return closing * closing / (2.0 * gap_m) if closing > 0.0 and gap_m > 0.0 else None


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is in front of a body in its own corridor: bumper to bumper distance and speeds along its heading."""

    gap_m: float
    own_speed: float
    other_speed: float


def ahead(a: Moving, b: Moving) -> Ahead | None:
    """Return ``b`` as what ``a`` follows: in front of it and within its width, measured in ``a``'s frame; else None."""
    c, s = math.cos(a.rect.heading), math.sin(a.rect.heading)
    dx, dy = b.rect.x - a.rect.x, b.rect.y - a.rect.y
    side = abs(-s * dx + c * dy)
    if side > 0.5 * a.rect.width + _half_extent(b.rect, -s, c):
        return None
    gap = c * dx + s * dy - 0.5 * a.rect.length - _half_extent(b.rect, c, s)
    if gap < 0.0:
        return None
    return Ahead(gap, a.velocity[0] * c + a.velocity[1] * s, b.velocity[0] * c + b.velocity[1] * s)


def closing_speed(a: Moving, b: Moving) -> float:
    """Return how fast two bodies approach each other along the line between their centres; negative when they part."""
    dx, dy = b.rect.x - a.rect.x, b.rect.y - a.rect.y
    length = math.hypot(dx, dy)
    vx, vy = a.velocity[0] - b.velocity[0], a.velocity[1] - b.velocity[1]
    return (vx * dx + vy * dy) / length if length > 1e-9 else math.hypot(vx, vy)


def impact_speed(a: Moving, b: Moving) -> float:
    """Return the magnitude of the relative velocity, m/s."""
    return math.hypot(a.velocity[0] - b.velocity[0], a.velocity[1] - b.velocity[1])


def post_encroachment_time(times: Sequence[float], first: Sequence[Rect], second: Sequence[Rect]) -> float | None:
    """Return the smallest post-encroachment time of two recorded motions, in seconds.

    The conflict areas are the pieces in which the two swept areas intersect; in each, the time between one leaving it
    and the other entering it counts. None when the paths do not cross, and where both are in the area at once or one
    never leaves it (then there is a collision, or a following situation to which PET does not apply).

    Args:
        times: (N,) seconds, increasing.
        first, second: (N,) boxes at these times.
    """
    import shapely

    if len(times) < 2:
        return None
    polygons = [shapely.polygons(np.array([r.corners() for r in rects])) for rects in (first, second)]
    swept = [
        shapely.union_all(
            shapely.convex_hull(shapely.union(boxes[:-1], boxes[1:]))  # what is passed over between two samples
        )
        for boxes in polygons
    ]
    area = shapely.intersection(*swept)
    found = []
    for piece in shapely.get_parts(area):
        if piece.area < 1e-6:
            continue
        inside = [shapely.intersects(boxes, piece) for boxes in polygons]
        spans = [(times[int(np.argmax(i))], times[len(i) - 1 - int(np.argmax(i[::-1]))]) for i in inside if i.any()]
        if len(spans) < 2:
            continue
        (a_in, a_out), (b_in, b_out) = spans
        if a_out < b_in:
            found.append(b_in - a_out)
        elif b_out < a_in:
            found.append(a_in - b_out)
    return min(found) if found else None
