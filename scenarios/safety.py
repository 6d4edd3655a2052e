"""Safety and comfort measures over time: RSS distances, exposed TTC, jerk, injury risk, points. Pure functions.

SI units, ASAM's frame. A quantity that does not exist is None, never 0 and never infinity. Sources: RSS after
Shalev-Shwartz, Shammah and Shashua 2017 with the start values of the open implementation's parameter discussion; TET
and TIT after Minderhoud and Bovy 2001; risk of death after Rosen and Sander 2009.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

TTC_THRESHOLD_S = 3.0
"""Below this a time to collision counts as a conflict: the usual choice for TET and TIT (1.5 to 4 s are in use)."""
JERK_WINDOW_S = 0.2
"""Differences are taken over this long: over one step of 0.05 s the noise of a physics engine is all one would see."""
POINTS_FULL_RANGE_KMH = 40.0
POINTS_REDUCTION_KMH = 20.0


@dataclass(frozen=True)
class RssParameters:
    """What RSS assumes about everybody, m, s, m/s^2.

    Attributes:
        response_own_s, response_other_s: until the ego, or another one, begins to brake.
        accelerate: at most during the response. brake_least, brake_most: of whom one relies on, of whom one fears.
        brake_correct: least braking of somebody in the right lane who meets oncoming traffic.
        lateral_accelerate, lateral_brake: the same across the lane.
        lateral_margin: for swaying, m.
    """

    response_own_s: float = 1.0
    response_other_s: float = 2.0
    accelerate: float = 3.5
    brake_least: float = 4.0
    brake_most: float = 8.0
    brake_correct: float = 3.0
    lateral_accelerate: float = 0.2
    lateral_brake: float = 0.8
    lateral_margin: float = 0.1


def rss_same_direction(rear: float, front: float, response_s: float, p: RssParameters) -> float:
    """Return the least safe gap behind somebody who drives in the same direction, m.

    Args:
        rear, front: speeds, m/s, not negative.
        response_s: of the one behind.
    """
    reached = rear + response_s * p.accelerate
    way = rear * response_s + 0.5 * p.accelerate * response_s**2 + reached**2 / (2.0 * p.brake_least)
    return max(0.0, way - front**2 / (2.0 * p.brake_most))


def rss_opposite_direction(correct: float, wrong: float, p: RssParameters) -> float:
    """Return the least safe gap of two who drive towards each other, m.

    Args:
        correct: speed of the ego, which is in its lane and need brake but gently.
        wrong: speed of the one that comes towards it.
    """
    total = 0.0
    for speed, response_s, brake in (
        (correct, p.response_own_s, p.brake_correct),
        (wrong, p.response_other_s, p.brake_least),
    ):
        reached = speed + response_s * p.accelerate
        total += 0.5 * (speed + reached) * response_s + reached**2 / (2.0 * brake)
    return total


def rss_lateral(own_towards: float, other_towards: float, p: RssParameters) -> float:
    """Return the least safe gap to the side, m.

    Args:
        own_towards, other_towards: lateral speeds of the two, each positive towards the other, m/s. Who moves away
            goes on doing so while it brakes, which makes room.
    """
    total = 0.0
    for speed, response_s in ((own_towards, p.response_own_s), (other_towards, p.response_other_s)):
        reached = speed + response_s * p.lateral_accelerate
        way = 0.5 * (speed + reached) * response_s
        total += way + math.copysign(reached**2 / (2.0 * p.lateral_brake), reached)
    return p.lateral_margin + max(0.0, total)


@dataclass(frozen=True)
class RssSituation:
    """Gaps of a pair, and those that RSS asks for, m; dangerous when both are too small."""

    longitudinal_gap: float
    longitudinal_safe: float
    lateral_gap: float
    lateral_safe: float

    @property
    def margin(self) -> float:
        """How much larger than asked for the gap is that has to hold, m; negative is dangerous.

        With room to the side it is the larger of the two margins, without it the one along the way.
        """
        along, across = self.longitudinal_gap - self.longitudinal_safe, self.lateral_gap - self.lateral_safe
        return along if across < 0.0 else max(along, across)

    @property
    def dangerous(self) -> bool:
        """Whether both gaps are too small."""
        return self.margin < 0.0


def rss_situation(
    ahead: float,
    aside: float,
    own: tuple[float, float],
    other: tuple[float, float],
    extents: tuple[float, float],
    oncoming: bool,
    p: RssParameters | None = None,
) -> RssSituation:
    """Return how two road users stand to each other, in axes along and across the ego's heading.

    Args:
        ahead, aside: the other's middle from the ego's, m, forward and to the left.
        own, other: velocities in these axes, m/s.
        extents: half lengths of both together along each axis, m.
        oncoming: whether the other one is headed against the ego.
        p: assumptions.
    """
    p = p or RssParameters()
    along, across = max(0.0, abs(ahead) - extents[0]), max(0.0, abs(aside) - extents[1])
    if oncoming:
        # Behind the ego, or driving apart, there is nothing to keep a distance for.
        apart = ahead < 0.0
        needed = 0.0 if apart else rss_opposite_direction(max(own[0], 0.0), max(-other[0], 0.0), p)
    elif ahead >= 0.0:
        needed = rss_same_direction(max(own[0], 0.0), max(other[0], 0.0), p.response_own_s, p)
    else:
        needed = rss_same_direction(max(other[0], 0.0), max(own[0], 0.0), p.response_other_s, p)
    side = math.copysign(1.0, aside)
    return RssSituation(along, needed, across, rss_lateral(side * own[1], -side * other[1], p))


def time_exposed(
    ttc: Sequence[float | None], step_s: float, threshold_s: float = TTC_THRESHOLD_S
) -> tuple[float, float]:
    """Return TET, s, and TIT, s^2: how long, and how far, the TTC was below the threshold (0 < TTC < threshold)."""
    low = [threshold_s - value for value in ttc if value is not None and 0.0 < value < threshold_s]
    return len(low) * step_s, sum(low) * step_s


def derivative(values: Floats, step_s: float, window_s: float = JERK_WINDOW_S) -> Floats:
    """Return (N,) central differences over ``window_s`` (at least two steps); shorter at the ends.

    Exact for parabolas, but for the first and the last half window.
    """
    values = np.asarray(values, dtype=np.float64)
    count = len(values)
    if count < 2:
        return np.zeros(count)
    half = max(1, round(0.5 * window_s / step_s))
    index = np.arange(count)
    low, high = np.maximum(index - half, 0), np.minimum(index + half, count - 1)
    return (values[high] - values[low]) / ((high - low) * step_s)


@dataclass(frozen=True)
class Comfort:
    """Accelerations and jerks along and across the body over time, m/s^2 and m/s^3, (N,) each."""

    longitudinal: Floats
    lateral: Floats
    jerk_longitudinal: Floats
    jerk_lateral: Floats


def comfort(speed: Floats, heading: Floats, step_s: float, window_s: float = JERK_WINDOW_S) -> Comfort:
    """Return accelerations and jerks of a body that moves along its heading.

    Longitudinal is dv/dt, lateral v dheading/dt (positive to the left); all differences are taken over ``window_s``.

    Args:
        speed: (N,) m/s, signed. heading: (N,) radians.
    """
    along = derivative(speed, step_s, window_s)
    across = np.asarray(speed) * derivative(np.unwrap(heading), step_s, window_s)
    return Comfort(along, across, derivative(along, step_s, window_s), derivative(across, step_s, window_s))


def rms(values: Floats) -> float | None:
    """Return the root of the mean square; None of nothing."""
    return float(np.sqrt(np.mean(np.square(values)))) if len(values) else None


def risk_of_death(impact_kmh: float) -> float:
    """Return the share of adult pedestrians that die when a car's front hits them at this speed.

    1 / (1 + exp(6.9 - 0.090 v)), Rosen and Sander 2009, weighted GIDAS cases.
    """
    return 1.0 / (1.0 + math.exp(6.9 - 0.090 * impact_kmh))


def braking_points(available: float, test_kmh: float, impact_kmh: float | None) -> float:
    """Return the points of a braking test, as consumer tests give them: not an official rating.

    All of them without an impact. Up to 40 km/h in proportion to the reduction of speed; above, all of them when the
    speed was reduced by 20 km/h at least.

    Args:
        available: points of the test.
        test_kmh: closing speed at the beginning.
        impact_kmh: closing speed at the impact; None without.
    """
    if impact_kmh is None:
        return available
    reduction = max(0.0, test_kmh - impact_kmh)
    if test_kmh <= 0.0:
        return 0.0
    if test_kmh <= POINTS_FULL_RANGE_KMH:
        return available * min(1.0, reduction / test_kmh)
    return available if reduction >= POINTS_REDUCTION_KMH else 0.0
