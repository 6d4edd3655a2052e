"""SpeedProfileAction."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, ClassVar, NamedTuple

from scenarios.openscenario.actions.base import LONGITUDINAL, Activity, private_action
from scenarios.openscenario.limits import Limits, read_limits
from scenarios.openscenario.nodes import Node

if TYPE_CHECKING:
    from scenarios.openscenario.reading import Reader
    from scenarios.openscenario.world import Entity, World

TINY = 1e-9


class Piece(NamedTuple):
    """A stretch of the profile: from ``time`` seconds on, speed m/s, acceleration m/s^2 and jerk m/s^3 at its start."""

    time: float
    speed: float
    acceleration: float
    jerk: float

    def at(self, time: float) -> float:
        """Return the speed at a time."""
        tau = time - self.time
        return self.speed + tau * (self.acceleration + 0.5 * self.jerk * tau)

    def gone(self, time: float) -> float:
        """Return the metres from the start of the piece to a time."""
        tau = time - self.time
        return tau * (self.speed + tau * (0.5 * self.acceleration + self.jerk * tau / 6.0))


class Corner(NamedTuple):
    """A point of the profile as written, and the slope of the line that leaves it (0 at the last)."""

    time: float
    speed: float
    slope: float


@dataclass(frozen=True, slots=True)
class SpeedProfile:
    """Runs through speeds, linearly between them; with jerk limits (``follow``) its corners are rounded.

    Each entry is (speed, seconds since the entry before); without a time, or with one that would need more than the
    limits allow, it is reached as fast as they allow. With an entity the speeds are relative to its speed at the start.
    An entry at once (0 s) in front is where the profile begins; with jerk limits the profile begins with the present
    speed instead, because a speed cannot jump then, and with no acceleration.
    """

    entries: tuple[tuple[float, float | None], ...]
    limits: Limits
    rounded: bool
    entity: str | None
    domains: ClassVar[frozenset[str]] = LONGITUDINAL

    def begin(self, entity: Entity, world: World) -> Activity | None:
        """See :class:`PrivateAction`."""
        base = 0.0 if self.entity is None else world.entity(self.entity).motion.speed
        goals = [(min(max(speed + base, -self.limits.speed), self.limits.speed), t) for speed, t in self.entries]
        corners = lines(entity.motion.speed, goals, self.limits, jump=not self.rounded)
        pieces = rounded(corners, self.limits) if self.rounded else None
        if self.rounded and pieces is None:
            world.notes.append(
                f"{world.time_s:.3f} s: {entity.name}: no time to round the corners of its speed profile, which is "
                "followed by straight lines"
            )
        pieces = pieces or [Piece(c.time, c.speed, c.slope, 0.0) for c in corners]
        entity.set_speed(pieces[0].speed)
        return _Profile(pieces) if len(pieces) > 1 else None


def lines(start: float, goals: list[tuple[float, float | None]], limits: Limits, *, jump: bool) -> list[Corner]:
    """Return the corners of the profile, collinear ones left out.

    Args:
        start: the present speed, m/s.
        goals: (speed, seconds since the goal before, None for as fast as allowed).
        limits: what slopes may be at most.
        jump: whether a goal at 0 s sets the speed; else such a goal in front is passed over.
    """
    points = [(0.0, start)]
    for i, (speed, seconds) in enumerate(goals):
        time, before = points[-1]
        limit = limits.acceleration if speed > before else limits.deceleration
        least = abs(speed - before) / limit if math.isfinite(limit) else 0.0
        if seconds is not None and seconds <= TINY:
            if i == 0 and not jump:
                continue
            points[-1] = (time, speed)
            continue
        length = least if seconds is None else max(seconds, least)
        if length > TINY:
            points.append((time + length, speed))
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(points)]
    corners = [Corner(*points[0], slopes[0] if slopes else 0.0)]
    for point, slope in zip(points[1:], [*slopes[1:], 0.0]):
        if abs(slope - corners[-1].slope) > TINY or point is points[-1]:
            corners.append(Corner(*point, slope))
    return corners


def rounded(corners: list[Corner], limits: Limits) -> list[Piece] | None:
    """Return the profile with jerk limits, or None when there is no time between two corners to round both.

    Between lines v = k0 t + m0 and v = k1 t + m1 the acceleration changes with constant jerk j from k0 to k1. The
    parabola touches both when it begins at t = (m1 - m0) / (k0 - k1) + (k0 - k1) / (2 j): equate the speeds at its end.
    The first line is left behind by what the first change of acceleration costs. One goal alone is reached in time by
    a higher acceleration instead where the limits leave room (:func:`_single`).
    """
    if len(corners) == 2:
        return _single(corners[0], corners[1], limits)
    first = corners[0]
    jerk = limits.acceleration_rate if first.slope > 0.0 else -limits.deceleration_rate
    pieces, time, speed = [], first.time, first.speed
    if abs(first.slope) > TINY:
        pieces.append(Piece(time, speed, 0.0, jerk))
        time = first.time + first.slope / jerk
        speed = pieces[-1].at(time)
    pieces.append(Piece(time, speed, first.slope, 0.0))
    for corner in corners[1:]:
        line = pieces[-1]
        bend = line.acceleration - corner.slope
        if abs(bend) <= TINY:
            continue
        jerk = limits.acceleration_rate if bend < 0.0 else -limits.deceleration_rate
        m0 = line.speed - line.acceleration * line.time
        m1 = corner.speed - corner.slope * corner.time
        begin = (m1 - m0) / bend + bend / (2.0 * jerk)
        if begin < line.time - TINY:
            return None
        pieces.append(Piece(begin, line.at(begin), line.acceleration, jerk))
        end = begin - bend / jerk
        pieces.append(Piece(end, pieces[-1].at(end), corner.slope, 0.0))
    return pieces


def _single(first: Corner, last: Corner, limits: Limits) -> list[Piece] | None:
    """Return the way to one goal: jerk to an acceleration, hold it, jerk back; in time, or as soon as possible.

    With peak a and c = (1 / j0 + 1 / j1) / 2 the change of speed is a T - c a^2, solved for a. Without a hold the
    change is c a^2.
    """
    change, seconds = last.speed - first.speed, last.time - first.time
    if abs(change) <= TINY:
        return [Piece(first.time, first.speed, 0.0, 0.0), Piece(last.time, last.speed, 0.0, 0.0)]
    sign = math.copysign(1.0, change)
    up, down = limits.acceleration_rate, limits.deceleration_rate
    rise, fall = (up, down) if sign > 0.0 else (down, up)
    c, size = 0.5 * (1.0 / rise + 1.0 / fall), abs(change)
    root = seconds * seconds - 4.0 * c * size
    if c > TINY:
        peak = (seconds - math.sqrt(root)) / (2.0 * c) if root >= 0.0 else math.sqrt(size / c)
    else:
        peak = size / seconds
    peak = min(peak, limits.acceleration if sign > 0.0 else limits.deceleration)
    hold = max(0.0, size / peak - c * peak)
    total = hold + peak / rise + peak / fall
    hold_from = first.time + peak / rise
    fall_from = first.time + total - peak / fall
    one = Piece(first.time, first.speed, 0.0, sign * rise)
    two = Piece(hold_from, one.at(hold_from), sign * peak, 0.0)
    three = Piece(fall_from, two.at(fall_from), sign * peak, -sign * fall)
    return [one, two, three, Piece(first.time + total, last.speed, 0.0, 0.0)]


class _Profile(Activity):
    def __init__(self, pieces: list[Piece]) -> None:
        super().__init__()
        self._pieces = pieces
        self._elapsed = 0.0

    def _piece(self, time: float) -> int:
        return max(i for i, piece in enumerate(self._pieces) if i == 0 or piece.time <= time + TINY)

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        begin, end = self._elapsed, self._elapsed + dt_s
        distance, at = 0.0, begin
        for i in range(self._piece(begin), len(self._pieces)):
            piece = self._pieces[i]
            stop = end if i + 1 == len(self._pieces) else min(end, self._pieces[i + 1].time)
            if stop > at:
                distance += piece.gone(stop) - piece.gone(at)
                at = stop
        self._elapsed = end
        self.done = end >= self._pieces[-1].time - TINY
        return distance, self._pieces[self._piece(end)].at(end)


@private_action("LongitudinalAction/SpeedProfileAction")
def read(node: Node, reader: Reader) -> SpeedProfile:
    """Read ``SpeedProfileAction``. Jerk limits count in following mode ``follow`` only, as the standard says."""
    follow = node.choice("followingMode", ("position", "follow")) == "follow"
    limits = read_limits(node.maybe("DynamicConstraints"))
    entries = tuple((e.number("speed"), e.maybe_number("time", minimum=0.0)) for e in node.many("SpeedProfileEntry"))
    if not entries:
        raise node.error("a speed profile needs entries")
    if any(seconds is None for _, seconds in entries) and (
        math.isinf(limits.acceleration) or math.isinf(limits.deceleration)
    ):
        raise node.error(
            "an entry without time needs acceleration limits", remedy="give DynamicConstraints or a time to every entry"
        )
    rounded_corners = follow and math.isfinite(limits.acceleration_rate) and math.isfinite(limits.deceleration_rate)
    return SpeedProfile(entries, limits, rounded_corners, reader.entity(node) if node.has("entityRef") else None)
