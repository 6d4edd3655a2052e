"""Tactical crossing: how long until traffic arrives, and which gaps people accept.

The acceptance curve is a logit fitted to published percentiles: half of the people take a gap of 4.0 s across
two lanes (Pawar and Patil), 95 % one of 5.9 s (Zhao et al. 2019), and it moves by 1.06 s for every metre of
crossing distance (Zhao: 3.7 s between 7.5 and 11 m). It is a calibration, not a published model.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from behavior.beliefs import Track
from behavior.percept import Carriageway
from behavior.profile import AgeClass, Profile

SLOPE_PER_S = 1.55  # ln 19 / 1.9 s
HALF_AT_7_5_M_S = 4.0
PER_METRE_S = 1.06
LEAST_HALF_S = 1.5
LEAST_OBSERVED_S = 3.0
"""Minimum acceptable gap across a single stream (DiPietro and King 1970)."""
_REFERENCE_SPEED_MPS = 40.0 / 3.6  # who judges by distance takes every car for one that drives 40 km/h
_SENIOR_SHIFT_S = 1.0
_WAITING_SHIFT_PER_S, _WAITING_SHIFT_MOST_S = 0.02, 1.0
_YIELD_DECELERATION_MPS2 = 0.5
_STANDING_MPS = 0.3


@dataclass(frozen=True, slots=True)
class Approach:
    """A vehicle on its way to the line on which somebody wants to cross.

    Attributes:
        arrival_s: until its front is there, at its present speed.
        distance_m: from its front to the line.
        lane_near_m, lane_far_m: the strip it sweeps, across the carriageway.
        yields: it stands, or brakes hard enough to stop before the line.
    """

    id: int
    arrival_s: float
    distance_m: float
    speed_mps: float
    lane_near_m: float
    lane_far_m: float
    yields: bool


def half_accepted_s(crossing_m: float, profile: Profile, waited_s: float = 0.0) -> float:
    """Return the gap in seconds that this person accepts in half of the cases.

    Args:
        crossing_m: length of the way across moving traffic.
        waited_s: time at the kerb so far.
    """
    half = max(LEAST_HALF_S, HALF_AT_7_5_M_S + PER_METRE_S * (crossing_m - 7.5))
    if profile.age is AgeClass.SENIOR:
        half += _SENIOR_SHIFT_S
    return half - min(_WAITING_SHIFT_PER_S * waited_s, _WAITING_SHIFT_MOST_S)


def acceptance(gap_s: float, half_s: float) -> float:
    """Return the probability that a gap is accepted, 0..1."""
    return 1.0 / (1.0 + math.exp(-SLOPE_PER_S * (gap_s - half_s)))


def draw_offset_s(rng: np.random.Generator) -> float:
    """Draw how far a person's threshold lies from the half-accepted gap, once per approach to a kerb.

    A threshold drawn once and kept makes acceptance independent of how often the decision is looked at; drawn
    anew in every frame, any gap would be taken sooner or later. Its distribution is the logit's own, so over many
    people the share that accepts a gap is :func:`acceptance`.
    """
    return float(rng.logistic(0.0, 1.0 / SLOPE_PER_S))


def perceived_gap_s(approach: Approach, profile: Profile, misjudgement: float) -> float:
    """Return the time gap a person believes in; ``misjudgement`` is its factor for this vehicle (1 is right)."""
    by_distance = approach.distance_m / _REFERENCE_SPEED_MPS
    weight = profile.distance_judgement
    return max(0.0, (1.0 - weight) * approach.arrival_s + weight * by_distance) * misjudgement


def approaches(road: Carriageway, along_m: float, tracks: Iterable[Track], time_s: float) -> list[Approach]:
    """Return the believed vehicles that come towards the line at ``along_m``, the earliest first.

    Vehicles that have passed, drive on other roads or stand without being in the way are left out.
    """
    coming = []
    for track in tracks:
        x, y = track.position(time_s)
        along, across = road.locate(x, y)
        thing = track.thing
        if not -0.5 * thing.width < across < road.width_m + 0.5 * thing.width:
            continue
        speed_along = thing.vx * road.along[0] + thing.vy * road.along[1]
        speed = abs(speed_along)
        ahead = (along_m - along) * (1.0 if speed_along >= 0.0 else -1.0)
        if speed < _STANDING_MPS:
            ahead = abs(along_m - along)
        distance = ahead - 0.5 * thing.length
        if distance < -thing.length - 0.5:
            continue
        sweep = 0.5 * thing.width + 0.2
        arrival = max(distance, 0.0) / max(speed, 1e-3)
        coming.append(
            Approach(
                thing.id, arrival, distance, speed, across - sweep, across + sweep, _yields(track, distance, speed)
            )
        )
    return sorted(coming, key=lambda a: (a.arrival_s, a.id))


def _yields(track: Track, distance_m: float, speed_mps: float) -> bool:
    if distance_m < 0.0:
        return False
    if speed_mps < _STANDING_MPS:
        return True
    braking = -track.acceleration_mps2
    return braking > _YIELD_DECELERATION_MPS2 and speed_mps**2 / (2.0 * braking) < distance_m - 0.5
