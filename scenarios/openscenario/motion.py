"""Default motion: exact kinematics of the standard's default controller.

Without an action the speed stays, and an entity on a lane keeps its lane and its offset from the centre. The speed is
that of the
reference point along its own path: while it also moves sideways, it goes forward so much less. Heading follows the
path.

Vehicles keep to lanes. Pedestrians and things do so only while they look along the lane (within 45 degrees); else
they go
straight on, so that somebody put across the road walks across it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from scenarios.openscenario.control import view
from scenarios.openscenario.controllers import Autopilot, Kinematic, Speed, VehicleDrive, Walk
from scenarios.openscenario.entities import VehicleRecord
from scenarios.openscenario.roads import Track
from scenarios.openscenario.states import Floats, Motion, Pose, wrap

if TYPE_CHECKING:
    from scenarios.openscenario.world import Entity, World


def advance(world: World) -> dict[str, VehicleDrive | Walk | Autopilot]:
    """Move every kinematic entity by one step and return what controllers want of physical bodies.

    Controllers see the world as it was before anybody moved, and are asked in the order of the entities.
    """
    wishes: dict[str, VehicleDrive | Walk | Autopilot] = {}
    for entity in world.entities.values():
        if entity.relocated:
            entity.relocated = entity.at_end_of_road = False
            entity.at_end_s = 0.0
    answers = {
        name: e.binding.controller.step(view(world, e), world.dt_s)
        for name, e in world.entities.items()
        if e.present and e.binding is not None and e.binding.active
    }
    for name, entity in world.entities.items():
        if not entity.present or entity.towed_by:
            continue
        answer = answers.get(name)
        if isinstance(answer, VehicleDrive | Walk | Autopilot):
            wishes[name] = _overridden(answer, entity.overrides)
        elif isinstance(answer, Kinematic):
            _put(world, entity, answer)
        else:
            _default(world, entity, answer.speed if isinstance(answer, Speed) else None)
    _commit(world)
    for entity in world.entities.values():
        if entity.present and entity.towed_by:
            _tow(world, entity)
            _commit(world)
    world.moved()
    return wishes


def _overridden(
    wish: VehicleDrive | Walk | Autopilot, overrides: Mapping[str, float]
) -> VehicleDrive | Walk | Autopilot:
    """Return a controller's wish with what OverrideControllerValueActions took from it (pedals 0..1)."""
    if not overrides or not isinstance(wish, VehicleDrive):
        return wish
    changes: dict[str, float | bool] = {}
    for part, name in (("Throttle", "throttle"), ("Brake", "brake")):
        if part in overrides:
            changes[name] = min(max(overrides[part], 0.0), 1.0)
    if "SteeringWheel" in overrides:  # radians at the wheel; its stop is at one and a half turns
        changes["steer"] = min(max(overrides["SteeringWheel"] / (3.0 * math.pi), -1.0), 1.0)
    if "ParkingBrake" in overrides:
        changes["hand_brake"] = overrides["ParkingBrake"] > 0.5
    if "Gear" in overrides:
        changes["reverse"] = overrides["Gear"] < 0.0
    if overrides.get("Clutch", 0.0) > 0.5 or overrides.get("Gear") == 0.0:  # nothing gets to the wheels
        changes["throttle"] = 0.0
    return replace(wish, **changes)  # type: ignore[arg-type]


def _commit(world: World) -> None:
    """Let the new states hold. Until then everybody is seen where they were at the start of the step."""
    for entity in world.entities.values():
        if entity.pending is not None:
            entity.motion, entity.track = entity.pending
            entity.pending = None


def _put(world: World, entity: Entity, answer: Kinematic) -> None:
    old, dt = entity.motion, world.dt_s
    delta = answer.pose.location - old.pose.location
    track = world.roads.locate(answer.pose)
    _finish(world, entity, answer.pose, track, answer.speed, delta / dt, float(np.linalg.norm(delta)))


def _default(world: World, entity: Entity, speed: float | None) -> None:
    dt = world.dt_s
    binding = entity.binding
    if binding is not None and binding.longitudinal:
        new = entity.motion.speed if speed is None else max(0.0, speed)
        distance = 0.5 * (entity.motion.speed + new) * dt
    elif entity.longitudinal is not None:
        distance, new = entity.longitudinal.travel(entity, world, dt)
    else:
        new = 0.0 if entity.stranded and entity.lateral is None else entity.motion.speed
        distance = new * dt
    activity = entity.lateral
    if distance == 0.0 and new == 0.0 and activity is None:
        _along(world, entity, entity.motion.pose, entity.track, 0.0, 0.0)
    elif activity is not None and activity.leaves_lanes:
        pose, gone = activity.follow(entity, world, dt, distance)
        if activity.done and activity.ends_way and not world.roads.paved:
            entity.stranded = True
            new = new if entity.longitudinal not in (None, activity) else 0.0
        track = world.roads.locate(pose) if activity.done else None
        _along(world, entity, pose, track, new, gone, activity.forward())
    elif entity.track is not None and (activity is not None or _keeps_lane(world, entity)):
        _on_lane(world, entity, distance, new)
    else:
        _straight(world, entity, distance, new)
    for domain in ("longitudinal", "lateral"):
        running = getattr(entity, domain)
        if running is not None and (running.done or running.stopped):
            setattr(entity, domain, None)


def _keeps_lane(world: World, entity: Entity) -> bool:
    if entity.is_vehicle or entity.track is None:
        return entity.track is not None
    if entity.motion.speed == 0.0:
        return False
    lane = world.roads.pose(entity.track)
    return abs(wrap(entity.motion.pose.heading - lane.heading)) < math.pi / 4.0


def _on_lane(world: World, entity: Entity, distance: float, speed: float) -> None:
    assert entity.track is not None
    roads, before = world.roads, entity.track
    offset = before.offset
    if entity.lateral is not None:
        offset = entity.lateral.shift(entity, world, world.dt_s, distance)
    side = offset - before.offset
    on_top = entity.lateral is not None and entity.lateral.on_top
    forward = distance
    if not on_top:
        forward = math.copysign(math.sqrt(max(distance * distance - side * side, 0.0)), distance)
    track, gone = roads.advance(before, forward, entity.route)
    entity.at_end_of_road = abs(gone) < abs(forward) - 1e-6
    flip = track.direction * before.direction
    # The lane may count its offset from the other side after a change of road.
    track = replace(track, offset=track.offset + side * flip)
    pose = roads.pose(track)
    if abs(distance) > 1e-12:
        drift = None if entity.lateral is None else entity.lateral.drift(speed)
        drift = side / world.dt_s if drift is None else drift
        # The tangent at the end of the step, not the chord of it: so velocity and acceleration are those of the
        # instant.
        slope = min(max(drift * before.direction / speed, -1.0), 1.0) if abs(speed) > 1e-6 else 0.0
        angle = math.atan(slope) if on_top else math.asin(slope)
        pose = replace(pose, heading=wrap(pose.heading + angle))
    else:
        pose = replace(pose, heading=entity.motion.pose.heading)
    if entity.at_end_of_road:
        speed = 0.0
    _along(world, entity, pose, track, speed, math.hypot(gone, side))


def _straight(world: World, entity: Entity, distance: float, speed: float) -> None:
    old = entity.motion.pose
    if distance == 0.0:
        _along(world, entity, old, entity.track, speed, 0.0)
        return
    x, y = old.x + distance * math.cos(old.heading), old.y + distance * math.sin(old.heading)
    lift = old.z - world.roads.height(old.x, old.y)
    pose = Pose(x, y, world.roads.height(x, y) + lift, old.heading, old.pitch, old.roll)
    _along(world, entity, pose, world.roads.locate(pose), speed, distance)


def _along(
    world: World,
    entity: Entity,
    pose: Pose,
    track: Track | None,
    speed: float,
    distance: float,
    way: float | None = None,
) -> None:
    """Finish a step whose path is tangent to the new heading, or to the heading ``way``."""
    ahead = pose if way is None else replace(pose, heading=way)
    forward = np.array(ahead.point(1.0, 0.0)) - ahead.location
    # The speed is that over the map; what goes up or down a slope comes on top.
    forward /= max(math.hypot(forward[0], forward[1]), 0.1)
    _finish(world, entity, pose, track, speed, forward * speed, distance)


def _finish(
    world: World, entity: Entity, pose: Pose, track: Track | None, speed: float, velocity: Floats, distance: float
) -> None:
    old, dt = entity.motion, world.dt_s
    acceleration = (velocity - np.array(old.velocity)) / dt
    motion = Motion(
        pose,
        speed,
        (float(velocity[0]), float(velocity[1]), float(velocity[2])),
        (float(acceleration[0]), float(acceleration[1]), float(acceleration[2])),
        wrap(pose.heading - old.pose.heading) / dt,
    )
    entity.pending = (motion, track)
    entity.traveled_m += abs(distance)


def _tow(world: World, entity: Entity) -> None:
    """Pull a trailer: its coupler stays on the hitch, its axle does not slip sideways (tractrix)."""
    front = world.entities[entity.towed_by]
    if not front.present or not isinstance(front.record, VehicleRecord) or not isinstance(entity.record, VehicleRecord):
        return
    hx, hy, _ = front.motion.pose.point(front.record.hitch_x or 0.0, 0.0)
    reach = entity.record.coupler_x or 0.0
    old = entity.motion.pose
    heading = math.atan2(hy - old.y, hx - old.x) if reach > 1e-6 else front.motion.pose.heading
    x, y = hx - reach * math.cos(heading), hy - reach * math.sin(heading)
    pose = Pose(x, y, world.roads.height(x, y), heading, front.motion.pose.pitch, front.motion.pose.roll)
    speed = front.motion.speed * math.cos(wrap(front.motion.pose.heading - heading))
    _along(world, entity, pose, None, speed, math.hypot(x - old.x, y - old.y))


def clocks(world: World) -> None:
    """Count how long each entity has stood, been off the road or at the end of one. Called once a step, after
    motion."""
    for entity in world.entities.values():
        if not entity.present:
            continue
        entity.standing_s = entity.standing_s + world.dt_s if entity.is_standing else 0.0
        entity.at_end_s = entity.at_end_s + world.dt_s if entity.at_end_of_road else 0.0
        if entity.name in world.watch_off_road:
            was = entity.is_off_road
            entity.is_off_road = off_road(world, entity)
            entity.off_road_s = entity.off_road_s + world.dt_s if entity.is_off_road and was else 0.0


def off_road(world: World, entity: Entity) -> bool:
    """Return whether the reference point is outside every lane (lanes of type none are no road)."""
    if entity.track is None:
        track = world.roads.locate(entity.motion.pose)
        if track is None:
            return True
    else:
        track = world.roads.nearest_lane(entity.track)
        if abs(track.offset) > 0.5 * world.roads.width(track) + 1e-6:
            return True
    return track.lane_id != 0 and world.roads.network.lane_type(track.road_id, track.lane_id, track.s) == "none"
