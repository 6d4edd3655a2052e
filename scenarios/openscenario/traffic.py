"""Traffic that a scenario does not describe one by one: entities made around sources, swarms and areas, and sinks.

Everything is drawn from streams of the execution's seed, one for each action, so the same seed gives the same traffic.
Vehicles enter on driving lanes, going with their traffic, pedestrians on pavements; nobody enters where somebody is.
Who has a controller is driven by it from the start. The others keep their lane and follow who is before them by the
Intelligent Driver Model (Treiber, Hennecke, Helbing 2000); the standard leaves that to the simulator.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from foundation.seeds import generator
from scenarios import metrics
from scenarios.opendrive import DRIVING_TYPES, LaneKey, RoadNetwork
from scenarios.openscenario import control
from scenarios.openscenario.actions.base import Activity
from scenarios.openscenario.objects import EntityEntry
from scenarios.openscenario.positions.base import Placement
from scenarios.openscenario.roads import Track
from scenarios.openscenario.states import Floats, Pose
from scenarios.openscenario.world import Entity

if TYPE_CHECKING:
    from scenarios.openscenario.world import World

FREE_M = 4.0
"""Room around who enters."""
TRIES = 20
"""How many places are drawn in a step before waiting for the next."""
WALK_TYPES = ("sidewalk", "walking")
WALK_MPS = 1.4
SPOT_M = 5.0
RETRY_S = 0.2
"""How often those who are missing are looked for a place."""
DEFAULT_KMH = 50.0
LOOK_M = 100.0
LOOK_EVERY_S = 0.1
HEADWAY_S, STANDSTILL_M, PULL_MPS2, BRAKE_MPS2, HARDEST_MPS2 = 1.5, 2.0, 1.5, 2.0, 8.0


@dataclass(frozen=True, slots=True)
class Mix:
    """What traffic is made of: entities and their weights (not negative, one above 0)."""

    entries: tuple[EntityEntry, ...]
    weights: tuple[float, ...]

    def draw(self, rng: np.random.Generator) -> EntityEntry:
        """Return one of the entities by lot."""
        return self.entries[pick(self.weights, rng)]

    def kinds(self) -> frozenset[str]:
        """Return the categories of vehicles in it."""
        return frozenset(str(e.record.category) for e, w in zip(self.entries, self.weights) if w > 0.0)


def pick(weights: Sequence[float], rng: np.random.Generator) -> int:
    """Return an index by lot, each with its weight."""
    edges = np.cumsum(weights)
    return int(min(np.searchsorted(edges, rng.random() * edges[-1], side="right"), len(weights) - 1))


class Flow(Activity):
    """Follows the lane at a wanted speed and keeps its distance from who is before it."""

    def __init__(self, wanted_mps: float) -> None:
        super().__init__()
        self._wanted = wanted_mps
        self._looked_s = -math.inf
        self._leader: tuple[str, float] | None = None  # name, and its place ahead less its rear end: the gap's far end

    def travel(self, entity: Entity, world: World, dt_s: float) -> tuple[float, float]:
        """See :class:`Activity`."""
        if world.time_s - self._looked_s > LOOK_EVERY_S - 1e-9:
            self._looked_s, self._leader = world.time_s, leader(entity, world)
        speed = entity.motion.speed
        free = (speed / self._wanted) ** 4 if self._wanted > 0.0 else 1.0
        hindered = 0.0
        if self._leader is not None:
            name, gap = self._leader
            other = world.entities[name].motion.speed
            # Between two looks the gap changes by what the speeds differ.
            gap = max(gap - (speed - other) * (world.time_s - self._looked_s), 0.1)
            wish = STANDSTILL_M + max(
                0.0, speed * HEADWAY_S + speed * (speed - other) / (2.0 * math.sqrt(PULL_MPS2 * BRAKE_MPS2))
            )
            hindered = (wish / gap) ** 2
        change = max(PULL_MPS2 * (1.0 - free - hindered), -HARDEST_MPS2) * dt_s
        after = max(speed + change, 0.0)
        return 0.5 * (speed + after) * dt_s, after


def leader(entity: Entity, world: World) -> tuple[str, float] | None:
    """Return who is next before an entity on its way, at most 100 m ahead, and the gap between them in metres."""
    if entity.track is None:
        return None
    here = entity.motion.pose
    c, s = math.cos(here.heading), math.sin(here.heading)
    front = entity.record.box.center[0] + 0.5 * entity.record.box.length
    best: tuple[str, float] | None = None
    for other in world.entities.values():
        if not other.present or other is entity or other.towed_by == entity.name:
            continue
        dx, dy = other.motion.pose.x - here.x, other.motion.pose.y - here.y
        if dx * c + dy * s < 0.0 or dx * dx + dy * dy > LOOK_M * LOOK_M:
            continue
        ahead, aside = dx * c + dy * s, -dx * s + dy * c
        if other.track is not None and (found := world.roads.along(entity.track, other.track)) is not None:
            ahead, aside = found[0], found[1]
        if ahead <= 0.0 or abs(aside) > 0.5 * (entity.record.box.width + other.record.box.width):
            continue
        gap = ahead - front - (0.5 * other.record.box.length - other.record.box.center[0])
        if best is None or gap < best[1]:
            best = (other.name, max(gap, 0.1))
    return best


@dataclass(eq=False)
class Process(Activity):
    """A traffic action that is at work. It never ends by itself; :class:`TrafficStop` or its event stops it.

    Attributes:
        world: where.
        name: the action's ``trafficName``, "" for none.
        made: names of the entities it brought in that are still there.
    """

    world: World
    name: str
    kind: str
    made: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        Activity.__init__(self)
        number = len(self.world.traffic)
        self.rng = generator(self.world.seed, "traffic", self.kind, self.name, number)
        self._label = self.name or (self.kind if not number else f"{self.kind}{number}")
        self._count = 0
        self.world.traffic.append(self)

    def poll(self) -> None:
        """Do what is due: once a step, while it is not stopped."""
        if not (self.done or self.stopped):
            self.made = [name for name in self.made if self.world.entities[name].present]
            self.work()

    def work(self) -> None:
        """Bring entities in, take them out."""
        raise NotImplementedError

    # ---- bringing in and taking out

    def enter(self, entry: EntityEntry, track: Track, speed: float | None, headway_s: float) -> bool:
        """Bring an entity in on a lane, unless somebody is in the way; say whether it is there now.

        Args:
            entry: what it is.
            track: where; it goes with the lane's traffic.
            speed: m/s; None for what the road allows (pedestrians: 1.4 m/s).
            headway_s: seconds of its drive that must be free before and behind it, besides 4 m and what others are
                faster or slower in 1.5 s.
        """
        world, roads = self.world, self.world.roads
        track = roads.along_lane(track)
        pose = roads.pose(track)
        if speed is None:
            speed = WALK_MPS if entry.record.kind == "pedestrian" else allowed_mps(world, track)
        box = entry.record.box
        x, y, _ = pose.point(box.center[0], box.center[1])
        c, s = math.cos(pose.heading), math.sin(pose.heading)
        for other in world.entities.values():
            at = other.motion.pose
            if not other.present:
                continue
            vx, vy, _ = other.motion.velocity
            margin = FREE_M + headway_s * speed + HEADWAY_S * abs(speed - (vx * c + vy * s))
            room = metrics.Rect(x, y, pose.heading, box.length + 2.0 * margin, box.width)
            near = math.hypot(at.x - x, at.y - y) < room.length + box.width + other.record.box.length
            if near and metrics.overlap(room, other.rect()):
                return False
        while (name := f"{self._label}_{self._count}") in world.entities:
            self._count += 1
        entity = Entity(name, entry.record)
        world.entities[name] = entity
        entity.set_speed(entity.attainable(speed))
        world.place(entity, Placement(pose, track))
        entity.route = None
        if entity.is_vehicle:
            entity.longitudinal = Flow(entity.motion.speed)
        for record in entry.controllers:
            control.assign(world, entity, record)
            control.activate(world, entity, True, True)
        self.made.append(name)
        return True

    def leave(self, name: str) -> None:
        """Take an entity out of the world for good."""
        entity = self.world.entities[name]
        if entity.binding is not None and entity.binding.started:
            entity.binding.controller.stop()
            entity.binding = None
        self.world.remove(entity)
        entity.driven = False


def allowed_mps(world: World, track: Track) -> float:
    """Return the speed that is allowed on a lane, m/s; 50 km/h where nothing is said."""
    limit = world.roads.network.speed_limit_kmh(track.road_id, track.s, track.lane_id)
    return (limit or DEFAULT_KMH) / 3.6


@dataclass(frozen=True, slots=True, eq=False)
class Spots:
    """Places on the lanes of a network, one every 5 m: (N,) coordinates, headings of the traffic there, the lanes."""

    x: Floats
    y: Floats
    heading: Floats
    tracks: tuple[Track, ...]

    def draw(self, mask: npt.NDArray[np.bool_], rng: np.random.Generator) -> Track | None:
        """Return one of the masked places by lot, None when there is none."""
        found = np.flatnonzero(mask)
        return None if len(found) == 0 else self.tracks[int(found[int(rng.integers(len(found)))])]


def spots(world: World, entry: EntityEntry) -> Spots:
    """Return where such an entity may enter: on driving lanes, pedestrians on pavements. Worked out once a world."""
    walks = entry.record.kind == "pedestrian"
    if walks not in world.spots:
        world.spots[walks] = _find_spots(world.roads.network, WALK_TYPES if walks else tuple(DRIVING_TYPES))
    return world.spots[walks]


def _find_spots(network: RoadNetwork, types: Sequence[str]) -> Spots:
    parts: list[Floats] = [np.empty((3, 0))]
    tracks: list[Track] = []
    for road in network.roads.values():
        for section in road.sections:
            length = section.end - section.start
            if length <= 0.0:
                continue
            count = max(1, round(length / SPOT_M))
            s = section.start + (np.arange(count) + 0.5) * length / count
            for lane in section.lanes:
                if lane.type not in types:
                    continue
                poses = network.lane_poses(LaneKey(road.id, section.index, lane.id), s)
                turn = 0.0 if network.lane_drives_forward(road.id, lane.id, section.index) else math.pi
                parts.append(np.stack([poses.x, poses.y, poses.heading + turn]))
                tracks += [Track(road.id, lane.id, float(value)) for value in s]
    x, y, heading = np.concatenate(parts, axis=1)
    return Spots(x, y, heading, tuple(tracks))


class Source(Process):
    """Brings entities in around a place, one every 1 / rate seconds, the first at once.

    One that finds no room waits for the next step, and those after it wait behind it.
    """

    def __init__(
        self, world: World, name: str, mix: Mix, place: Placement, radius: float, rate: float, speed: float | None
    ) -> None:
        super().__init__(world, name, "source")
        self._mix, self._place, self._radius, self._rate, self._speed = mix, place, radius, rate, speed
        self._next_s = world.time_s
        self._waiting: EntityEntry | None = None

    def work(self) -> None:
        """See :class:`Process`."""
        while self.world.time_s >= self._next_s - 1e-9:
            entry = self._waiting or self._mix.draw(self.rng)
            self._waiting = entry
            for _ in range(TRIES):
                track = self._draw(entry)
                if track is not None and self.enter(entry, track, self._speed, 0.0):
                    self._waiting = None
                    self._next_s = max(self._next_s + 1.0 / self._rate, self.world.time_s - 1.0 / self._rate)
                    break
                if self._radius <= 0.0:
                    return
            else:
                return

    def _draw(self, entry: EntityEntry) -> Track | None:
        center = self._place.pose
        if self._radius <= 0.0:
            track = self._place.track or self.world.roads.locate(center, reach_m=3.0)
            return None if track is None or track.lane_id == 0 else track
        there = spots(self.world, entry)
        return there.draw(np.hypot(there.x - center.x, there.y - center.y) <= self._radius, self.rng)


class Sink(Process):
    """Takes out what traffic actions brought in and comes within a radius: at once, or at most ``rate`` a second."""

    def __init__(
        self, world: World, name: str, kinds: frozenset[str] | None, place: Placement, radius: float, rate: float | None
    ) -> None:
        super().__init__(world, name, "sink")
        self._kinds, self._place, self._radius, self._rate = kinds, place.pose, radius, rate
        self._next_s = world.time_s

    def work(self) -> None:
        """See :class:`Process`."""
        center = self._place
        for process in self.world.traffic:
            for name in list(process.made):
                entity = self.world.entities[name]
                if not entity.present or (self._kinds is not None and entity.record.category not in self._kinds):
                    continue
                at = entity.motion.pose
                if math.hypot(at.x - center.x, at.y - center.y) > self._radius:
                    continue
                if self._rate is not None and self.world.time_s < self._next_s - 1e-9:
                    return
                process.leave(name)
                process.made.remove(name)
                if self._rate is not None:
                    self._next_s = self.world.time_s + 1.0 / self._rate


@dataclass(frozen=True, slots=True)
class Ellipse:
    """Where a swarm is: around a vehicle, the half axes along and across its heading, outside an inner circle."""

    semi_major: float
    semi_minor: float
    inner: float
    offset: float

    def share(self, center: Pose, x: Floats, y: Floats) -> Floats:
        """Return how far out places are: 0 in the middle of the ellipse, 1 on its rim."""
        cx, cy, _ = center.point(self.offset, 0.0)
        c, s = math.cos(center.heading), math.sin(center.heading)
        ahead, aside = (x - cx) * c + (y - cy) * s, (y - cy) * c - (x - cx) * s
        return np.hypot(ahead / self.semi_major, aside / self.semi_minor)


class Swarm(Process):
    """Keeps up to a number of vehicles in an ellipse around an entity; who leaves it is replaced near its rim."""

    RIM = 0.85

    def __init__(
        self, world: World, name: str, mix: Mix, central: str, ellipse: Ellipse, number: int,
        speeds: tuple[float, float] | None, same: float,
    ) -> None:  # fmt: skip
        super().__init__(world, name, "swarm")
        self._mix, self._central, self._ellipse, self._number = mix, central, ellipse, number
        self._speeds, self._same = speeds, same
        self._filled = False
        self._next_s = world.time_s

    def work(self) -> None:
        """See :class:`Process`."""
        world = self.world
        central = world.entities[self._central]
        if not central.present:
            return
        center = central.motion.pose
        for name in list(self.made):
            at = world.entities[name].motion.pose
            if self._ellipse.share(center, np.array([at.x]), np.array([at.y]))[0] > 1.0:
                self.leave(name)
                self.made.remove(name)
        missing = self._number - len(self.made)
        if missing > 0 and world.time_s >= self._next_s - 1e-9:
            self._next_s = world.time_s + RETRY_S
            for _ in range(missing if self._filled else TRIES * missing):
                if len(self.made) >= self._number:
                    break
                self._add(center)
            self._filled = True

    def _add(self, center: Pose) -> None:
        entry = self._mix.draw(self.rng)
        along = self.rng.random() < self._same
        there = spots(self.world, entry)
        share = self._ellipse.share(center, there.x, there.y)
        mask = (share <= 1.0) & (np.hypot(there.x - center.x, there.y - center.y) >= self._ellipse.inner)
        mask &= (np.cos(there.heading - center.heading) >= 0.0) == along
        if self._filled:
            mask &= share >= self.RIM
        track = there.draw(mask, self.rng)
        if track is not None:
            self.enter(entry, track, None if self._speeds is None else float(self.rng.uniform(*self._speeds)), 1.0)


class Area(Process):
    """Fills an area with a number of entities once; ``continuous`` replaces those who leave it.

    ``draw`` gives a place in the area by lot, ``inside`` says whether one is in it.
    """

    def __init__(
        self, world: World, name: str, mix: Mix, number: int, continuous: bool,
        draw: Callable[[EntityEntry, np.random.Generator], Track | None], inside: Callable[[Entity], bool],
    ) -> None:  # fmt: skip
        super().__init__(world, name, "area")
        self._mix, self._number, self._continuous, self._draw, self._inside = mix, number, continuous, draw, inside
        self._started = False
        self._next_s = world.time_s

    def work(self) -> None:
        """See :class:`Process`."""
        for name in list(self.made):
            if self._continuous and not self._inside(self.world.entities[name]):
                self.leave(name)
                self.made.remove(name)
        if self._started and self.world.time_s < self._next_s - 1e-9:
            return
        self._next_s = self.world.time_s + RETRY_S
        tries = TRIES if self._started else TRIES * max(self._number, 1)
        while len(self.made) < self._number and tries > 0:
            tries -= 1
            entry = self._mix.draw(self.rng)
            track = self._draw(entry, self.rng)
            if track is not None:
                self.enter(entry, track, None, 1.0)
        self._started = True
        if not self._continuous:
            if len(self.made) < self._number:
                found = f"room for {len(self.made)} of {self._number} only"
                self.world.notes.append(f"{self.world.time_s:.3f} s: traffic {self._label}: {found}")
            self.done = True
