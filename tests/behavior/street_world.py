"""A street of points for the tests of the minds: people and cars that do exactly what they intend.

CARLA's frame. The road runs along x; traffic on it lies between y = 0 and y = 7 (two lanes). The near pavement is
at y < 0, so a pedestrian crosses towards +y. Cars on the near lane (y = 1.75) drive towards -x (they come from
the left of who faces the road), on the far one (y = 5.25) towards +x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from behavior import Carriageway, Intention, Kind, LaneSample, PedestrianAgent, Percept, Seen, Surroundings
from behavior.perception import eye_of, line_of_sight

ROAD = Carriageway.from_lanes(
    0.0,
    -1.0,
    [
        LaneSample(0.0, -1.5, 0.0, 3.0, "sidewalk"),
        LaneSample(0.0, 1.75, 180.0, 3.5, "driving"),
        LaneSample(0.0, 5.25, 0.0, 3.5, "driving"),
        LaneSample(0.0, 8.5, 0.0, 3.0, "sidewalk"),
    ],
)
assert ROAD is not None


def car(number: int, x: float, y: float = 1.75, vx: float = -10.0, *, length: float = 4.5, height: float = 1.5) -> Seen:
    """Return a car in the near lane (by default) that comes from +x."""
    yaw = 180.0 if vx < 0.0 else 0.0
    return Seen(number, Kind.VEHICLE, x, y, 0.5 * height, vx, 0.0, yaw, length, 1.8, height)


def parked(number: int, x: float, y: float, *, height: float, length: float = 5.5, width: float = 2.0) -> Seen:
    """Return a parked vehicle."""
    return Seen(number, Kind.VEHICLE, x, y, 0.5 * height, 0.0, 0.0, 0.0, length, width, height)


Motion = Callable[[Seen, float, "Street"], Seen]


def steady(thing: Seen, dt_s: float, street: Street) -> Seen:
    """Go on as before."""
    return replace(thing, x=thing.x + thing.vx * dt_s, y=thing.y + thing.vy * dt_s)


@dataclass
class Street:
    """One pedestrian and some vehicles, stepped together."""

    agent: PedestrianAgent
    things: list[Seen]
    x: float = 0.0
    y: float = -1.0
    yaw_deg: float = 90.0
    time_s: float = 0.0
    dt_s: float = 0.05
    road: Carriageway | None = ROAD
    light: str | None = None
    motion: Motion = steady
    intention: Intention = field(default_factory=Intention)
    blocked: bool = False
    collided: bool = False
    sight: bool = True

    def percept(self) -> Percept:
        """Return what the pedestrian perceives now."""
        eye = eye_of(self.x, self.y, 0.0, self.agent.profile.stature_m)
        if not self.sight:
            seen = tuple(self.things)
        else:
            seen = line_of_sight(eye, Surroundings.of(self.things))
        return Percept(
            self.time_s, self.x, self.y, 0.9, self.yaw_deg, self.intention.speed_mps, seen, self.road, self.light,
            self.blocked,
        )  # fmt: skip

    def step(self) -> Intention:
        """Let everybody act for one step."""
        self.intention = self.agent.step(self.percept(), self.dt_s)
        direction, speed = self.intention.direction, self.intention.speed_mps
        assert speed == 0.0 or abs(math.hypot(*direction) - 1.0) < 1e-9
        if not self.blocked:
            self.x += direction[0] * speed * self.dt_s
            self.y += direction[1] * speed * self.dt_s
        if speed > 0.0:
            self.yaw_deg = math.degrees(math.atan2(direction[1], direction[0]))
        elif self.intention.look_at is not None:
            self.yaw_deg = self.yaw_deg  # the head turns, the body stays
        self.things = [self.motion(thing, self.dt_s, self) for thing in self.things]
        self.time_s += self.dt_s
        for thing in self.things:
            inside = abs(self.x - thing.x) < 0.5 * thing.length and abs(self.y - thing.y) < 0.5 * thing.width
            self.collided = self.collided or inside
        return self.intention

    def run(self, until_s: float, stop: Callable[[Street], bool] = lambda street: False) -> Street:
        """Step until a time or a condition; returns itself."""
        while self.time_s < until_s and not stop(self):
            self.step()
        return self

    def events(self, event: str) -> list[str]:
        """Return the subjects of a kind of trace entry, in order."""
        return [entry.subject for entry in self.agent.mind.trace if entry.event == event]
