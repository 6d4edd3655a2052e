"""Behaviour agents as OpenSCENARIO controllers: what they perceive is read from the scenario's world, what they intend
is handed to it.

``behavior`` knows no files and no client and thinks in CARLA's frame; ``scenarios`` knows no minds and thinks in
ASAM's. This module is the only place where they meet.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import carla
import numpy as np

from behavior import (
    EGO_AEB,
    PEDESTRIAN,
    AebDriver,
    Carriageway,
    DriverPercept,
    Kind,
    LaneSample,
    PedestrianAgent,
    Percept,
    Seen,
    Surroundings,
    VehicleShape,
    aeb_options,
    eye_of,
    line_of_sight,
    pedestrian_options,
)
from behavior.drivers import along_path
from foundation.frames import carla_rotation, flip_y
from scenarios import opendrive
from scenarios.opendrive import LaneKey, RoadNetwork
from scenarios.openscenario.controllers import CONTROLLERS, Controller, ControllerFactory, VehicleDrive, View, Walk
from scenarios.openscenario.entities import VehicleRecord
from scenarios.openscenario.world import Entity

SIGHT_BLOCKING_TAGS = ("Buildings", "Walls", "Fences")
ROAD_REACH_M = 15.0
"""A pedestrian reckons with a road no farther than this."""
CROSSWALK_REACH_M = 60.0
"""A pedestrian knows of zebra crossings no farther than this; the road counts as straight up to there."""
PATH_STEP_M = 1.0
PATH_LENGTH_M = 150.0
DRIVER_EYE_HEIGHT_M = 1.2
"""Eye height of car drivers, or of a sensor behind the windscreen."""

TWO_WHEELERS = ("bicycle", "motorbike")


class Eyes:
    """Everybody's surroundings, worked out once a tick and shared by all observers of one run.

    Args:
        static: boxes of scenery that hide things but are not reported.
    """

    def __init__(self, static: Surroundings | None = None) -> None:
        self._static = static
        self._time_s = math.nan
        self._around = Surroundings.of((), static)
        self._ids: dict[str, int] = {}

    @classmethod
    def of_world(cls, world: carla.World) -> Eyes:
        """Take the buildings, walls and fences of the simulator's map as scenery."""
        return cls(scenery(world))

    def id_of(self, name: str) -> int:
        """Return the number by which minds know an entity."""
        return self._ids.setdefault(name, len(self._ids) + 1)

    def look(self, view: View, eye: tuple[float, float, float]) -> tuple[Seen, ...]:
        """Return what the entity ``view.me`` sees from ``eye`` (CARLA's frame)."""
        if view.time_s != self._time_s:
            present = [entity for _, entity in sorted(view.entities.items()) if entity.present]
            self._around = Surroundings.of([self._seen(entity, view) for entity in present], self._static)
            self._time_s = view.time_s
        return line_of_sight(eye, self._around, observer_id=self.id_of(view.me))

    def _seen(self, entity: Entity, view: View) -> Seen:
        motion, box = view.motions[entity.name], entity.record.box
        x, y, z = flip_y(motion.pose.point(*box.center))
        vx, vy, _ = flip_y(motion.velocity)
        yaw = carla_rotation(motion.pose.heading)[1]
        return Seen(self.id_of(entity.name), _kind(entity), x, y, z, vx, vy, yaw, box.length, box.width, box.height)


def scenery(world: carla.World) -> Surroundings | None:
    """Return the boxes of a map that hide what is behind them: buildings, walls and fences; None without any."""
    boxes = [box for tag in SIGHT_BLOCKING_TAGS for box in world.get_level_bbs(getattr(carla.CityObjectLabel, tag))]
    if not boxes:
        return None
    centers = [(b.location.x, b.location.y, b.location.z) for b in boxes]
    sizes = [(2 * b.extent.x, 2 * b.extent.y, 2 * b.extent.z) for b in boxes]
    return Surroundings.static(centers, sizes, [b.rotation.yaw for b in boxes])


def _kind(entity: Entity) -> Kind:
    if entity.record.kind == "pedestrian":
        return Kind.PEDESTRIAN
    if isinstance(entity.record, VehicleRecord):
        return Kind.CYCLIST if entity.record.category in TWO_WHEELERS else Kind.VEHICLE
    return Kind.OBSTACLE


@dataclass
class PedestrianController:
    """``pedestrian_agent``: a walker with a mind, moved by physics."""

    eyes: Eyes
    physical: bool = field(default=True, init=False)
    _agent: PedestrianAgent | None = field(default=None, init=False)
    _road: Carriageway | None = field(default=None, init=False)
    _road_of: tuple[float, float] | None = field(default=None, init=False)
    _wanted_mps: float = field(default=0.0, init=False)
    _stuck_s: float = field(default=0.0, init=False)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Make the mind that the controller's properties describe."""
        options = pedestrian_options(properties, rng)
        goal_x, goal_y = flip_y(options.goal_asam)
        self._agent = PedestrianAgent(options.profile, (float(goal_x), float(goal_y)), rng, haste=options.haste)

    def step(self, view: View, dt_s: float) -> Walk:
        """Perceive, think, and say where to walk."""
        assert self._agent is not None, "the controller was not started"
        motion = view.motions[view.me]
        pose = motion.pose
        x, y, ground_z = (float(v) for v in flip_y(pose.location))
        stature_m = view.entities[view.me].record.box.height
        seen = None
        if self._agent.wants_to_look(view.time_s):
            seen = self.eyes.look(view, eye_of(x, y, ground_z, stature_m))
        percept = Percept(
            view.time_s,
            x,
            y,
            ground_z + 0.5 * stature_m,
            carla_rotation(pose.heading)[1],
            motion.speed,
            seen,
            self._carriageway(view.network, x, y),
            None,
            self._is_stuck(motion.speed, dt_s),
        )
        intention = self._agent.step(percept, dt_s)
        self._wanted_mps = intention.speed_mps
        direction = flip_y(intention.direction)
        return Walk((float(direction[0]), float(direction[1]), 0.0), intention.speed_mps)

    def request(self, action: object, view: View) -> bool:
        """A mind takes no orders from the storyboard; the action is refused and the log shows it."""
        return False

    def stop(self) -> None:
        """The mind ends with the controller."""
        self._agent = None

    def _is_stuck(self, speed_mps: float, dt_s: float) -> bool:
        """Whether the body has been told to walk for half a second and has not moved."""
        stuck = self._wanted_mps > 0.3 and speed_mps < 0.1 * self._wanted_mps
        self._stuck_s = self._stuck_s + dt_s if stuck else 0.0
        return self._stuck_s > 0.5

    def _carriageway(self, network: RoadNetwork, x: float, y: float) -> Carriageway | None:
        """The road beside the walker; looked up again only after it has walked on."""
        if self._road_of is None or math.hypot(x - self._road_of[0], y - self._road_of[1]) > 2.0:
            self._road_of = (x, y)
            self._road = carriageway(network, x, y)
        return self._road


@lru_cache(maxsize=8)
def crosswalks(network: RoadNetwork) -> dict[str, tuple[tuple[tuple[float, float], float], ...]]:
    """Return the zebra crossings of each road: centre (CARLA's frame) and half width along the road, metres."""
    found: dict[str, list[tuple[tuple[float, float], float]]] = {}
    for placed in opendrive.objects(network):
        if placed.type != "crosswalk":
            continue
        corners = np.array([point[:2] for outline in placed.outlines for point in outline.points])
        if len(corners) < 3:
            corners = np.array([(placed.pose.x, placed.pose.y)])
        heading = network.road_pose(placed.road_id, placed.s).heading
        along = corners @ np.array([math.cos(heading), math.sin(heading)])
        half_m = max(0.5 * float(along.max() - along.min()), 0.5 * min(placed.length, placed.width))
        centre = flip_y(0.5 * (corners.min(axis=0) + corners.max(axis=0)))
        found.setdefault(placed.road_id, []).append(((float(centre[0]), float(centre[1])), half_m))
    return {road_id: tuple(zebras) for road_id, zebras in found.items()}


def carriageway(network: RoadNetwork, x: float, y: float) -> Carriageway | None:
    """Return the road nearest to a place (CARLA's frame), cut across there; None where no road is near."""
    asam_x, asam_y = (float(v) for v in flip_y((x, y)))
    here = network.locate(asam_x, asam_y, max_distance_m=ROAD_REACH_M)
    if here is None:
        return None
    samples = []
    for lane_id in network.lanes_at(here.road_id, here.s):
        pose = network.lane_pose(here.road_id, lane_id, here.s)
        heading = pose.heading if network.lane_drives_forward(here.road_id, lane_id) else pose.heading + math.pi
        lane_x, lane_y = (float(v) for v in flip_y((pose.x, pose.y)))
        samples.append(
            LaneSample(
                lane_x,
                lane_y,
                carla_rotation(heading)[1],
                network.lane_width(here.road_id, lane_id, here.s),
                network.lane_type(here.road_id, lane_id, here.s),
            )
        )
    near = [
        zebra
        for zebra in crosswalks(network).get(here.road_id, ())
        if math.hypot(zebra[0][0] - x, zebra[0][1] - y) < CROSSWALK_REACH_M
    ]
    return Carriageway.from_lanes(x, y, samples, near)


@dataclass
class AebController:
    """``ego_aeb``: a driver that keeps its lane and speed and brakes for what it sees; physics moves the car."""

    eyes: Eyes
    physical: bool = field(default=True, init=False)
    _properties: Mapping[str, str] = field(default_factory=dict, init=False)
    _driver: AebDriver | None = field(default=None, init=False)
    _path: list[tuple[float, float]] = field(default_factory=list, init=False)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        """Read the settings; the cruising speed is the entity's own unless the properties give one."""
        options = aeb_options(properties)
        record = entity.record
        assert isinstance(record, VehicleRecord), "the scenario reader lets only vehicles have drivers"
        wheelbase_m = record.front_axle.x if record.front_axle is not None else 0.6 * record.box.length
        shape = VehicleShape(record.box.length, record.box.width, wheelbase_m)
        self._driver = AebDriver(options.idm(entity.motion.speed), options.aeb, shape)

    def step(self, view: View, dt_s: float) -> VehicleDrive:
        """Look, decide, and say what the pedals and the wheel do."""
        assert self._driver is not None, "the controller was not started"
        motion, box = view.motions[view.me], view.entities[view.me].record.box
        middle = flip_y(motion.pose.point(*box.center))
        x, y = float(middle[0]), float(middle[1])
        front = flip_y(motion.pose.point(box.center[0] + 0.25 * box.length, 0.0, 0.0))
        eye_z = max(DRIVER_EYE_HEIGHT_M, 0.7 * box.height) + float(front[2])
        percept = DriverPercept(
            view.time_s,
            x,
            y,
            carla_rotation(motion.pose.heading)[1],
            motion.speed,
            self._ahead(view.network, x, y, motion.pose.heading),
            self.eyes.look(view, (float(front[0]), float(front[1]), eye_z)),
        )
        intention = self._driver.step(percept, dt_s)
        # CARLA steers positive to the right, OpenSCENARIO's frame to the left.
        return VehicleDrive(intention.throttle, -intention.steer, intention.brake)

    def request(self, action: object, view: View) -> bool:
        """The driver decides for itself; actions of the storyboard are refused and the log shows it."""
        return False

    def stop(self) -> None:
        """The driver ends with the controller."""
        self._driver = None

    def _ahead(self, network: RoadNetwork, x: float, y: float, heading: float) -> Sequence[tuple[float, float]]:
        """The lane's centre from beside the vehicle on; the way is laid once and prolonged when it gets short."""
        if self._path:
            travelled = along_path(self._path, (x, y))[0]
            skip = max(0, int(travelled / PATH_STEP_M) - 5)
            self._path = self._path[skip:]
        if len(self._path) * PATH_STEP_M < 0.5 * PATH_LENGTH_M:
            self._path = lane_path(network, x, y, heading)
        return self._path


def lane_path(
    network: RoadNetwork, x: float, y: float, heading: float, length_m: float = PATH_LENGTH_M
) -> list[tuple[float, float]]:
    """Return the centre of the lane at a place and of the lanes it leads to, going as straight as they let.

    Args:
        x, y: CARLA's frame.
        heading: ASAM's frame, radians.

    Returns:
        points in CARLA's frame, in driving order, about a metre apart, two at least.
    """
    asam_x, asam_y = (float(v) for v in flip_y((x, y)))
    here = network.locate(asam_x, asam_y, heading=heading)
    ahead = [(asam_x, asam_y), (asam_x + math.cos(heading), asam_y + math.sin(heading))]
    if here is None:
        return [(float(px), float(py)) for px, py in flip_y(ahead)]
    key: LaneKey | None = here.key
    points = np.empty((0, 2))
    visited: set[LaneKey] = set()
    while key is not None and key not in visited and len(points) * PATH_STEP_M < length_m + 20.0:
        visited.add(key)
        centre = _driving_order(network, key)
        points = np.concatenate([points, centre])
        key = min(
            network.successors(key),
            key=lambda k: (_turn(points, _driving_order(network, k)), k),
            default=None,
        )
    start = int(np.argmin(np.hypot(points[:, 0] - asam_x, points[:, 1] - asam_y)))
    points = points[max(0, start - 2) :]
    if len(points) < 2:
        points = np.array(ahead)
    return [(float(px), float(py)) for px, py in flip_y(points)]


def _driving_order(network: RoadNetwork, key: LaneKey) -> np.ndarray:
    centre, _ = network.lane_centre(key, PATH_STEP_M)
    forward = network.lane_drives_forward(key.road_id, key.lane_id, key.section)
    return centre[:, :2] if forward else centre[::-1, :2]


def _turn(before: np.ndarray, after: np.ndarray) -> float:
    """How far the end of ``after`` lies off the direction in which ``before`` ends, radians."""
    arrive, leave = before[-1] - before[-2], after[-1] - after[0]
    turn = math.atan2(leave[1], leave[0]) - math.atan2(arrive[1], arrive[0])
    return abs((turn + math.pi) % (2.0 * math.pi) - math.pi)


def controllers(eyes: Eyes) -> dict[str, ControllerFactory]:
    """Return the controllers that a run offers: the executor's own, and ours bound to this run's eyes."""
    ours: dict[str, Callable[[], Controller]] = {
        PEDESTRIAN: lambda: PedestrianController(eyes),
        EGO_AEB: lambda: AebController(eyes),
    }
    return {**CONTROLLERS, **ours}


__all__ = ["AebController", "Eyes", "PedestrianController", "carriageway", "controllers", "lane_path", "scenery"]
