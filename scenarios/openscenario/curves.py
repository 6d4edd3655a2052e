"""Curves that trajectories follow: sampled by arc length, pure numpy.

Polylines are exact. Clothoids are integrated from their curvature (midpoint rule on samples at most 0.1 m apart,
error of
order step^2 * curvature change), NURBS evaluated with de Boor's recursion at 64 points a knot span.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from scenarios.openscenario.looks import Looks, Written
from scenarios.openscenario.states import Pose, wrap

Floats = npt.NDArray[np.float64]
STEP_M = 0.1
STEP_NURBS_M = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """A curve over the ground.

    Attributes:
        s: (N,) arc length from the start, strictly increasing, metres.
        xy: (N, 2) points.
        heading: (N,) tangent at each point, radians, unwrapped; for polylines of the segment that begins there.
        lift: (N,) height above ``ground`` at each point.
        knots: (M,) seconds and (M,) arc lengths at which they hold, or None when the shape carries no times.
        smooth: whether the heading changes between points (clothoid, NURBS) or jumps at them (polyline).
        ground: gives the height of the road at (x, y).
        looks: which way one looks on a polyline; None for the other shapes: along the path.
    """

    s: Floats
    xy: Floats
    heading: Floats
    lift: Floats
    knots: tuple[Floats, Floats] | None
    smooth: bool
    ground: Callable[[float, float], float]
    looks: Looks | None = None

    @property
    def length(self) -> float:
        """Metres from start to end."""
        return float(self.s[-1])

    def pose(self, s: float) -> Pose:
        """Return the pose at ``s`` metres from the start, headed along the path; the ends hold beyond them."""
        s = min(max(s, 0.0), self.length)
        i = min(max(int(np.searchsorted(self.s, s, side="right")) - 1, 0), len(self.s) - 2)
        span = self.s[i + 1] - self.s[i]
        f = float((s - self.s[i]) / span)
        x, y = self.xy[i] + f * (self.xy[i + 1] - self.xy[i])
        turn = float(self.heading[i + 1] - self.heading[i]) if self.smooth else 0.0
        lift = self.lift[i] + f * (self.lift[i + 1] - self.lift[i])
        z = self.ground(float(x), float(y)) + float(lift)
        return Pose(float(x), float(y), z, wrap(float(self.heading[i]) + f * turn))

    def along(self, s: float) -> float:
        """Return the heading of the path at ``s`` metres from the start, radians, without looking for the ground."""
        i = min(max(int(np.searchsorted(self.s, min(max(s, 0.0), self.length), side="right")) - 1, 0), len(self.s) - 2)
        if not self.smooth:
            return float(self.heading[i])
        part = min(max((s - float(self.s[i])) / float(self.s[i + 1] - self.s[i]), 0.0), 1.0)
        return float(self.heading[i] + part * (self.heading[i + 1] - self.heading[i]))

    def s_at(self, time: float) -> float:
        """Return how far along the curve its times say one is at ``time``."""
        assert self.knots is not None
        return float(np.interp(time, *self.knots))


def steady(times: Floats, s: Floats, speed: float) -> Callable[[float], float]:
    """Return s over time that meets every knot with an acceleration that is constant from knot to knot.

    Nothing jumps but the acceleration: each stretch begins with the speed the one before ended with, v1 = 2 ds / dt -
    v0. Where that would turn round, the entity brakes so as to stop at the knot, and waits there.

    Args:
        times: (M,) seconds, growing.
        s: (M,) metres, not falling.
        speed: at the first knot, m/s, not negative.
    """
    starts: list[tuple[float, float, float, float, float]] = []
    for t0, t1, s0, s1 in zip(times, times[1:], s, s[1:]):
        way, dt = float(s1 - s0), float(t1 - t0)
        if way <= 1e-9 or dt <= 1e-9:
            starts.append((float(t0), float(s0), 0.0, 0.0, 0.0))
            speed = 0.0
            continue
        acceleration, lasts = 2.0 * (way - speed * dt) / dt**2, dt
        after = speed + acceleration * dt
        if after < 0.0:
            acceleration, lasts, after = -(speed**2) / (2.0 * way), 2.0 * way / speed, 0.0
        starts.append((float(t0), float(s0), speed, acceleration, lasts))
        speed = after

    def at(time: float) -> float:
        i = min(max(int(np.searchsorted(times, time, side="right")) - 1, 0), len(starts) - 1)
        t0, s0, v0, a, lasts = starts[i]
        x = min(max(time - t0, 0.0), lasts)
        return s0 + v0 * x + 0.5 * a * x * x

    return at


def polyline(
    points: Floats,
    times: Sequence[float] | None,
    ground: Callable[[float, float], float],
    closed: bool,
    written: Sequence[Written] | None = None,
) -> Curve:
    """Return a polyline through (N, 3) points; points that repeat the one before are dropped.

    Args:
        points: the vertices.
        times: of the vertices, seconds, when it is timed.
        ground: height of the road.
        closed: whether it leads back to its first vertex.
        written: N orientations written at the vertices. Of vertices in one place the last one's holds.
    """
    written = [Written()] * len(points) if written is None else list(written)
    if closed and len(points) > 2 and times is None:
        points, written = np.vstack([points, points[:1]]), [*written, written[0]]
    everywhere = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(points[:, :2], axis=0).T))])
    keep, there = [0], [written[0]]
    for i in range(1, len(points)):
        if math.dist(points[i][:2], points[keep[-1]][:2]) > 1e-6:
            keep.append(i)
            there.append(written[i])
        else:
            there[-1] = written[i]
    if len(keep) < 2:
        raise ValueError("a trajectory needs at least two different points")
    points = points[keep]
    step = np.diff(points[:, :2], axis=0)
    heading = np.arctan2(step[:, 1], step[:, 0])
    heading = np.append(heading, heading[-1])
    s = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    lifts = _lifts(points, ground)
    climb = -np.arctan2(np.diff(lifts), np.diff(s))
    angles = np.array([
        [float(is_so if says is None else says) for is_so, says in zip(path, (w.heading, w.pitch, w.roll))]
        for path, w in zip(zip(heading, np.append(climb, climb[-1]), np.zeros(len(s))), there)
    ])  # fmt: skip
    looks = Looks(s, angles, np.array([w.heading is not None for w in there]))
    return Curve(
        s, points[:, :2], heading, lifts,
        None if times is None else (np.asarray(times, dtype=np.float64), everywhere), False, ground, looks,
    )  # fmt: skip


def clothoids(
    segments: Sequence[tuple[Pose | None, float, float, float]],
    lengths: Sequence[float],
    times: tuple[Sequence[float], Sequence[float]] | None,
    ground: Callable[[float, float], float],
) -> Curve:
    """Return a chain of clothoids.

    Args:
        segments: (where it begins, else the end of the one before; how much it is turned there, rad; curvature at the
            start; at the end, 1/m) each; the first needs a place.
        lengths: of the segments, metres.
        times: seconds, and the metres from the start at which they hold, when the shape carries times.
        ground: height of the road.
    """
    s_parts: list[Floats] = []
    heading_parts: list[Floats] = []
    xy_parts: list[Floats] = []
    lifts: list[Floats] = []
    done, x, y, heading, lift = 0.0, 0.0, 0.0, 0.0, 0.0
    for (pose, turn, k0, k1), length in zip(segments, lengths):
        heading += turn
        if pose is not None:
            x, y, heading, lift = pose.x, pose.y, pose.heading, pose.z - ground(pose.x, pose.y)
        count = max(2, math.ceil(length / STEP_M) + 1)
        local = np.linspace(0.0, length, count)
        angle = heading + k0 * local + 0.5 * (k1 - k0) / length * local**2
        middle, bend = 0.5 * (angle[1:] + angle[:-1]), np.diff(angle)
        # A chord of an arc of length ds that turns by a is ds sin(a/2) / (a/2) long.
        chord = np.diff(local) * np.sinc(bend / (2.0 * np.pi))
        xs = x + np.concatenate([[0.0], np.cumsum(chord * np.cos(middle))])
        ys = y + np.concatenate([[0.0], np.cumsum(chord * np.sin(middle))])
        # A segment's first point is the last of the one before, unless it jumps: then both are kept, a hair apart.
        jumps = bool(s_parts) and (turn != 0.0 or pose is not None)
        first = 0 if not s_parts or jumps else 1
        s = done + local
        if jumps:
            s[0] += min(1e-9, 0.5 * length)
        for into, part in ((s_parts, s), (heading_parts, angle), (xy_parts, np.stack([xs, ys], axis=1))):
            into.append(part[first:])
        lifts.append(np.full(len(s) - first, lift))
        done, x, y, heading = done + length, float(xs[-1]), float(ys[-1]), float(angle[-1])
    knots = None
    if times is not None:
        knots = (np.asarray(times[0], dtype=np.float64), np.asarray(times[1], dtype=np.float64))
    return Curve(
        np.concatenate(s_parts), np.concatenate(xy_parts), np.concatenate(heading_parts), np.concatenate(lifts),
        knots, True, ground,
    )  # fmt: skip


def nurbs(
    order: int,
    points: Floats,
    weights: Sequence[float],
    knots: Sequence[float],
    times: Sequence[float] | None,
    ground: Callable[[float, float], float],
) -> Curve:
    """Return a NURBS curve of ``order`` (degree + 1) through the hull of (N, 3) control points.

    Times belong to control points: each holds where the point's basis function (without its weight) peaks, and
    between these places time goes linearly with the parameter. The standard leaves that open, and a hair in the
    parameter is most of a metre on the road; so the peaks are looked for where esmini does: just after places that are
    a metre of the control polygon apart.
    """
    degree = order - 1
    u = np.asarray(knots, dtype=np.float64)
    spans = [(a, b) for a, b in zip(u[degree:-order], u[degree + 1 :]) if b > a]
    at = np.unique(np.concatenate([np.linspace(a, b, 65) for a, b in spans]))
    basis = np.array([_basis(u, degree, len(points), value) for value in at])
    weighted = basis * np.asarray(weights)
    weighted /= weighted.sum(axis=1, keepdims=True)
    xyz = weighted @ points
    step = np.diff(xyz[:, :2], axis=0)
    ds = np.hypot(step[:, 0], step[:, 1])
    keep = np.concatenate([[True], ds > 1e-9])
    xyz, at = xyz[keep], at[keep]
    s = np.concatenate([[0.0], np.cumsum(ds[ds > 1e-9])])
    heading = np.unwrap(np.arctan2(np.gradient(xyz[:, 1], s), np.gradient(xyz[:, 0], s)))
    timing = None
    if times is not None:
        polygon = float(np.hypot(*np.diff(points[:, :2], axis=0).T).sum())
        grid = np.linspace(0.0, float(u[-1]), 2 + int(polygon / STEP_NURBS_M))
        inside = np.clip(grid + min(1e-3, grid[1]), u[degree], np.nextafter(u[-1], u[0]))
        peaks = grid[np.argmax([_basis(u, degree, len(points), value) for value in inside], axis=0)]
        timing = (np.interp(at, peaks, np.asarray(times, dtype=np.float64)), s)
    return Curve(s, xyz[:, :2], heading, _lifts(xyz, ground), timing, True, ground)


def _basis(u: Floats, degree: int, count: int, value: float) -> Floats:
    """Return the (count,) B-spline basis functions at ``value`` (Cox and de Boor)."""
    last = float(u[-1])
    base = np.array([1.0 if u[i] <= value < u[i + 1] else 0.0 for i in range(len(u) - 1)])
    if value >= last:
        base[:] = 0.0
        base[max(i for i in range(len(u) - 1) if u[i] < last)] = 1.0
    for p in range(1, degree + 1):
        raised = np.zeros(len(base) - 1)
        for i in range(len(raised)):
            left = u[i + p] - u[i]
            right = u[i + p + 1] - u[i + 1]
            if left > 0.0:
                raised[i] += (value - u[i]) / left * base[i]
            if right > 0.0:
                raised[i] += (u[i + p + 1] - value) / right * base[i + 1]
        base = raised
    return base[:count]


def _lifts(points: Floats, ground: Callable[[float, float], float]) -> Floats:
    return np.array([z - ground(float(x), float(y)) for x, y, z in points])
