"""The running world: entities with their motion, parameters, variables, signals, and what they are asked about."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from scenarios import metrics
from scenarios.openscenario.entities import EntityRecord, VehicleRecord
from scenarios.openscenario.environment import Environment
from scenarios.openscenario.parameters import Parameter
from scenarios.openscenario.positions.base import Placement
from scenarios.openscenario.roads import Roads, RoutePath, Track
from scenarios.openscenario.signals import Signals
from scenarios.openscenario.states import Motion, Pose

if TYPE_CHECKING:
    from scenarios.openscenario.actions.base import Activity
    from scenarios.openscenario.board import Board
    from scenarios.openscenario.controllers import Binding
    from scenarios.openscenario.ports import WorldPort
    from scenarios.openscenario.traffic import Process, Spots

STANDING_MPS = 1e-3
"""Below this speed an entity stands. Default motion is exact, so the limit only absorbs rounding and physics' creep."""
PHYSICS_STANDING_MPS = 0.05


@dataclass(slots=True, eq=False)
class Entity:
    """One entity while the scenario runs.

    Attributes:
        name, record: what it is.
        present: whether it is in the world; the rest means nothing before. placed: whether it ever was.
        motion: its state at the world's time.
        track: where it is on the roads; None off them, or when it goes across them.
        longitudinal, lateral: the actions that control these domains, None for the default: keep speed, keep lane.
        stranded: whether a trajectory ended for it where there are no roads: it stands until a speed is asked for.
        driven: whether physics moves it (a controller answers with pedals or steps), so that it is only observed.
    """

    name: str
    record: EntityRecord
    present: bool = False
    placed: bool = False
    motion: Motion = field(default_factory=lambda: Motion(Pose(0.0, 0.0)))
    track: Track | None = None
    route: RoutePath | None = None
    longitudinal: Activity | None = None
    lateral: Activity | None = None
    binding: Binding | None = None
    driven: bool = False
    traveled_m: float = 0.0
    standing_s: float = 0.0
    off_road_s: float = 0.0
    at_end_s: float = 0.0
    is_off_road: bool = False
    at_end_of_road: bool = False
    lights: dict[str, Any] = field(default_factory=dict)
    flashing: dict[str, Activity] = field(default_factory=dict)
    relocated: bool = False
    stranded: bool = False
    seen: tuple[Pose, Track | None] | None = None
    towed_by: str = ""
    overrides: dict[str, float] = field(default_factory=dict)
    animations: dict[str, float] = field(default_factory=dict)
    pending: tuple[Motion, Track | None] | None = None

    @property
    def is_vehicle(self) -> bool:
        """Whether it is a vehicle."""
        return isinstance(self.record, VehicleRecord)

    @property
    def is_standing(self) -> bool:
        """Whether it does not move."""
        return abs(self.motion.speed) < (PHYSICS_STANDING_MPS if self.driven else STANDING_MPS)

    def rect(self) -> metrics.Rect:
        """Return its box on the ground."""
        box = self.record.box
        x, y, _ = self.motion.pose.point(box.center[0], box.center[1])
        return metrics.Rect(x, y, self.motion.pose.heading, box.length, box.width)

    def moving(self) -> metrics.Moving:
        """Return its box, velocity and heights for metrics."""
        box = self.record.box
        middle = self.motion.pose.z + box.center[2]
        v = self.motion.velocity
        return metrics.Moving(self.rect(), (v[0], v[1]), middle - 0.5 * box.height, middle + 0.5 * box.height)

    def component(self, vector: tuple[float, float, float], direction: str) -> float:
        """Return a world vector's component along this entity's x (longitudinal), y (lateral) or z (vertical) axis."""
        axis = {"longitudinal": (1.0, 0.0, 0.0), "lateral": (0.0, 1.0, 0.0), "vertical": (0.0, 0.0, 1.0)}[direction]
        pose = self.motion.pose
        world = np.array(pose.point(*axis)) - pose.location
        return float(world @ np.array(vector))

    def speed_in(self, direction: str) -> float:
        """Return its speed: the magnitude for "", else one signed component."""
        return self.component(self.motion.velocity, direction) if direction else abs(self.motion.speed)

    def acceleration_in(self, direction: str) -> float:
        """Return its acceleration: the magnitude for "", else one signed component."""
        if direction:
            return self.component(self.motion.acceleration, direction)
        return math.sqrt(sum(a * a for a in self.motion.acceleration))

    def attainable(self, speed: float) -> float:
        """Return a speed within the top speed of its performance section (vehicles; others have none)."""
        if not isinstance(self.record, VehicleRecord):
            return speed
        top = self.record.performance.max_speed
        return min(max(speed, -top), top)

    def hardest(self, change: float) -> float:
        """Return the largest rate at which its speed can change by ``change``, m/s^2; infinite for non-vehicles.

        A limit of 0 in a file means that nobody cared, for nothing could ever move: it is no limit.
        """
        if not isinstance(self.record, VehicleRecord):
            return math.inf
        performance = self.record.performance
        return (performance.max_acceleration if change > 0.0 else performance.max_deceleration) or math.inf

    def set_speed(self, speed: float) -> None:
        """Change its speed at once; the direction of motion stays."""
        self.stranded = False
        old = self.motion
        if abs(old.speed) > 1e-9:
            velocity = tuple(v * speed / old.speed for v in old.velocity)
        else:
            pose = old.pose
            forward = np.array(pose.point(1.0, 0.0)) - pose.location
            velocity = tuple(float(f) * speed for f in forward)
        self.motion = replace(old, speed=speed, velocity=(velocity[0], velocity[1], velocity[2]))


@dataclass(slots=True, eq=False)
class World:
    """Everything that conditions and actions may ask or change."""

    roads: Roads
    entities: dict[str, Entity]
    parameters: dict[str, Parameter]
    variables: dict[str, Parameter]
    signals: Signals
    board: Board
    port: WorldPort
    dt_s: float
    seed: int
    controllers: Mapping[str, Any]
    time_s: float = 0.0
    environment: Environment = field(default_factory=Environment)
    watch_off_road: frozenset[str] = frozenset()
    contacts: frozenset[frozenset[str]] = frozenset()
    notes: list[str] = field(default_factory=list)
    commands: Mapping[str, Callable[[World, str], Activity | None]] = field(default_factory=dict)
    user_values: dict[str, str] = field(default_factory=dict)
    monitors: dict[str, bool] = field(default_factory=dict)
    traffic: list[Process] = field(default_factory=list)
    spots: dict[bool, Spots] = field(default_factory=dict)
    _touching: dict[str, tuple[str, ...]] | None = None
    _clock: tuple[datetime, float, bool] | None = None

    # ---- entities

    def entity(self, name: str) -> Entity:
        """Return an entity that is in the world; ValueError when it is not (yet, or any more)."""
        entity = self.entities[name]
        if not entity.present:
            raise ValueError(f"entity {name} is not in the world at {self.time_s:.3f} s")
        return entity

    def reference(self, name: str) -> Entity:
        """Return an entity that is in the world or was: positions may be told from where it left."""
        entity = self.entities[name]
        return entity if entity.placed else self.entity(name)

    def pose(self, name: str) -> Pose:
        """Return the pose of an entity, the last one of an entity that was taken out of the world."""
        return self.reference(name).motion.pose

    def lane(self, entity: Entity, reach_m: float = 5.0) -> Track | None:
        """Return where an entity is on the roads, also one that follows a trajectory and keeps to no lane.

        Args:
            entity: somebody who is in the world.
            reach_m: how far beside every lane it may be.
        """
        if entity.track is not None:
            return entity.track
        if entity.seen is None or entity.seen[0] is not entity.motion.pose:
            entity.seen = (entity.motion.pose, self.roads.locate(entity.motion.pose, reach_m=reach_m))
        return entity.seen[1]

    def track(self, name: str) -> Track:
        """Return the lane an entity is on, and which way it goes; ValueError when it is on no road."""
        entity = self.reference(name)
        if entity.track is not None:
            return self.roads.nearest_lane(entity.track)
        track = self.roads.locate(entity.motion.pose, reach_m=1.0)
        if track is None:
            raise ValueError(f"entity {name} is on no road at {self.time_s:.3f} s")
        return track

    def place(self, entity: Entity, placement: Placement) -> None:
        """Put an entity somewhere at once. It goes on with its speed, along the new heading."""
        pose = placement.pose
        entity.track = placement.track or self.roads.locate(pose)
        speed = entity.motion.speed
        forward = np.array(pose.point(1.0, 0.0)) - pose.location
        velocity = forward * speed
        entity.motion = Motion(pose, speed, (float(velocity[0]), float(velocity[1]), float(velocity[2])))
        # Being at an end of the road holds till the step is over: conditions of one instant see one world.
        entity.relocated = True
        entity.stranded = False
        self._touching = None
        if not entity.present:
            entity.present = entity.placed = True
            self.port.spawn(entity.name, entity.record, entity.motion)
        elif entity.driven:
            self.port.move({entity.name: entity.motion}, {entity.name: entity.record})
        self.align_trailers(entity)

    def align_trailers(self, entity: Entity) -> None:
        """Put what an entity tows straight behind it."""
        for other in self.entities.values():
            if other.towed_by == entity.name and isinstance(other.record, VehicleRecord):
                assert isinstance(entity.record, VehicleRecord)
                back = (entity.record.hitch_x or 0.0) - (other.record.coupler_x or 0.0)
                pose = entity.motion.pose
                self.place(other, Placement(pose.moved(*pose.point(back, 0.0))))

    def remove(self, entity: Entity) -> None:
        """Take an entity out of the world."""
        if entity.present:
            entity.present = False
            self.port.remove(entity.name)
        for activity in (entity.longitudinal, entity.lateral):
            if activity is not None:
                activity.stop()
        entity.longitudinal = entity.lateral = None
        self._touching = None

    def touching(self, name: str) -> tuple[str, ...]:
        """Return the entities that an entity touches now: boxes overlap, or the simulator reported a contact."""
        if self._touching is None:
            self._touching = self._find_touching()
        return self._touching.get(name, ())

    def _find_touching(self) -> dict[str, tuple[str, ...]]:
        present = [e for e in self.entities.values() if e.present]
        moving = {e.name: e.moving() for e in present}
        found: dict[str, list[str]] = {}
        for i, a in enumerate(present):
            for b in present[i + 1 :]:
                if a.towed_by == b.name or b.towed_by == a.name:
                    continue
                if frozenset((a.name, b.name)) in self.contacts or metrics.collide(moving[a.name], moving[b.name]):
                    found.setdefault(a.name, []).append(b.name)
                    found.setdefault(b.name, []).append(a.name)
        return {name: tuple(others) for name, others in found.items()}

    def moved(self) -> None:
        """Forget what was worked out from the last poses."""
        self._touching = None

    # ---- control

    def take_over(
        self, entity: Entity, activity: Activity, *, longitudinal: bool = False, lateral: bool = False
    ) -> None:
        """Give a domain of an entity to an action; whatever controlled it before is stopped."""
        if longitudinal:
            if entity.longitudinal is not None and entity.longitudinal is not activity:
                self._release(entity, entity.longitudinal)
            entity.longitudinal, entity.stranded = activity, False
        if lateral:
            if entity.lateral is not None and entity.lateral is not activity:
                self._release(entity, entity.lateral)
            entity.lateral = activity

    @staticmethod
    def _release(entity: Entity, activity: Activity) -> None:
        activity.stop()
        if entity.longitudinal is activity:
            entity.longitudinal = None
        if entity.lateral is activity:
            entity.lateral = None

    # ---- time and signals

    @property
    def date_time(self) -> datetime | None:
        """The simulated date and time, None while none is set."""
        if self._clock is None:
            return None
        start, since, runs = self._clock
        return start + timedelta(seconds=self.time_s - since) if runs else start

    def set_clock(self, moment: datetime, animated: bool) -> None:
        """Set the date and time of day; it runs on if ``animated``."""
        self._clock = (moment, self.time_s, animated)

    def signal_state(self, name: str) -> str | None:
        """Return the state a signal shows: the scenario's, else the simulator's own."""
        state = self.signals.state(name)
        return self.port.signal_state(name) if state is None else state
