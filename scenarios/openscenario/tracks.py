"""Places on lanes, and ways over roads. ASAM's frame."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Track:
    """A place on a lane and which way the entity goes.

    Attributes:
        road_id, lane_id, s: the lane.
        offset: metres to the left of the lane's centre, seen along s.
        direction: +1 when going with growing s, -1 against it.
    """

    road_id: str
    lane_id: int
    s: float
    offset: float = 0.0
    direction: int = 1


@dataclass(frozen=True, slots=True)
class Leg:
    """A stretch of road on a route: from ``s_from`` to ``s_to`` in travel order, ``start_m`` metres after its start."""

    road_id: str
    s_from: float
    s_to: float
    direction: int
    start_m: float


@dataclass(frozen=True, slots=True)
class RoutePath:
    """A way over the roads."""

    legs: tuple[Leg, ...]

    @property
    def length(self) -> float:
        """Metres from start to end, along the reference lines."""
        last = self.legs[-1]
        return last.start_m + abs(last.s_to - last.s_from)

    def at(self, path_s: float) -> Track:
        """Return the place ``path_s`` metres after the start, on lane 0; ValueError beyond the end."""
        if path_s > self.length + 1e-6:
            raise ValueError(f"the route is {self.length:.1f} m long, a position at {path_s:.1f} m was asked for")
        leg = next(leg for leg in reversed(self.legs) if leg.start_m <= path_s + 1e-9)
        along = min(path_s - leg.start_m, abs(leg.s_to - leg.s_from))
        return Track(leg.road_id, 0, leg.s_from + leg.direction * along, 0.0, leg.direction)

    def after(self, road_id: str) -> tuple[str, ...]:
        """Return the next two roads that come after ``road_id``: fewer at the end, none off the route."""
        ids = [leg.road_id for leg in self.legs]
        for i, (here, after) in enumerate(pairwise(ids)):
            if here == road_id and after != road_id:
                return tuple(ids[i + 1 : i + 3])
        return ()


@dataclass(frozen=True, slots=True)
class Between:
    """How many lanes to the left of one entity another is, and whether its lane is driven in the same direction."""

    lanes: int
    same_direction: bool
