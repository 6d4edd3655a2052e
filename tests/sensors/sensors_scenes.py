"""Synthetic frames with known truth: boxes and balls, ray traced pixel by pixel."""

from __future__ import annotations

import numpy as np

from foundation.frames import invert, pose_matrices, transform_points
from foundation.ids import Tag
from sensors import projection
from sensors.readings import FAR_M, CameraReading, Frame, LidarReading, ObjectState, RadarReading


def thing(actor_id, location, extent, tags=(Tag.CAR,), rotation=(0, 0, 0), velocity=(0, 0, 0), scenery=False):
    """An actor whose box stands on its origin."""
    extent = np.asarray(extent, dtype=float)
    return ObjectState(
        actor_id=0 if scenery else actor_id,
        key=("scenery" if scenery else "actor", actor_id),
        type_id="vehicle.test",
        tags=tuple(int(t) for t in tags),
        world_from_object=pose_matrices(location, rotation),
        box_center=np.array([0, 0, extent[2]]),
        box_extent=extent,
        velocity_mps=np.asarray(velocity, dtype=float),
    )


def ball_depth(rays, center, radius):
    """Depth at which rays of x = 1 from the camera meet a ball; inf where they pass."""
    a = (rays * rays).sum(-1)
    b = (rays * center).sum(-1)
    square = b * b - a * (center @ center - radius * radius)
    return np.where((square >= 0) & (b > 0), (b - np.sqrt(np.maximum(square, 0))) / a, np.inf)


def render(things, width=320, height=240, fov=90.0, pose=None, shape="box", occluders=()):
    """Ray trace objects (boxes, or the largest balls in them), occluders ((center, extent) boxes) and the ground z = 0.

    Returns the camera reading and the (H, W) map of object indices, -1 for none. Instance numbers are scrambled, so
    nothing can be read from them; actors sharing a tag get different ones.
    """
    pose = pose_matrices((0, 0, 1.5), (0, 0, 0)) if pose is None else pose
    focal = width / 2 / np.tan(np.radians(fov / 2))
    u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
    rays = projection.rays(u, v, width, height, focal)
    flat = rays.reshape(-1, 3)
    down = (flat @ pose[:3, :3].T)[:, 2]
    with np.errstate(divide="ignore"):
        ground = np.where(down < 0, -pose[2, 3] / down, np.inf)
    depth = np.minimum(ground, FAR_M)
    owner = np.full(len(flat), -1)
    tag = np.where(depth < FAR_M, int(Tag.ROADS), int(Tag.SKY)).astype(np.uint8)
    for index, state in enumerate(things):
        camera_from_box = invert(pose) @ state.world_from_box
        if shape == "box":
            near, far = projection.depth_range(flat, camera_from_box, state.box_extent)
            at = np.where((near <= far) & (near > 0), near, np.inf)
        else:
            at = ball_depth(flat, camera_from_box[:3, 3], state.box_extent.min())
        wins = at < depth
        depth[wins], owner[wins], tag[wins] = at[wins], index, state.tags[0]
    for center, extent in occluders:
        near, far = projection.depth_range(flat, invert(pose) @ pose_matrices(center, (0, 0, 0)), np.asarray(extent))
        wins = (near <= far) & (near > 0) & (near < depth)
        depth[wins], owner[wins], tag[wins] = near[wins], -1, int(Tag.WALLS)
    scramble = np.array([(i * 7919 + 31337) % 65536 for i in range(len(things))] + [5], dtype=np.uint16)
    image = (height, width)
    reading = CameraReading(
        width, height, fov, pose, np.zeros((*image, 3), np.uint8), depth.reshape(image).astype(np.float32),
        tag.reshape(image), scramble[owner].reshape(image),
    )  # fmt: skip
    return reading, owner.reshape(image)


def lidar_of(things, rng, per_object=200, semantic=False):
    """Points on the objects' box sides and on the ground, with their true owner."""
    points, owner = [rng.uniform((-30, -30, 0), (30, 30, 0), (500, 3))], [np.full(500, -1)]
    for index, state in enumerate(things):
        local = rng.uniform(-1, 1, (per_object, 3))
        axis = rng.integers(0, 2, per_object)
        local[np.arange(per_object), axis] = np.sign(local[np.arange(per_object), axis])
        local = local * state.box_extent * (1, 1, 0.9)
        points.append(transform_points(state.world_from_box, local))
        owner.append(np.full(per_object, index))
    world, owner = np.concatenate(points), np.concatenate(owner)
    covered = np.zeros(len(world), dtype=bool)
    for state in things:  # ground under an object cannot be seen
        local = transform_points(invert(state.world_from_box), world)
        covered |= (owner < 0) & (np.abs(local[:, :2]) < state.box_extent[:2] + 0.3).all(axis=1)
    world, owner = world[~covered], owner[~covered]
    pose = pose_matrices((0.5, 0, 2.0), (0, 25, 0))
    sensor = transform_points(invert(pose), world).astype(np.float32)
    ids = np.array([s.actor_id for s in things] + [0], dtype=np.uint32)[owner]
    tags = np.array([s.tags[0] for s in things] + [int(Tag.ROADS)], dtype=np.uint8)[owner]
    counts = np.array([len(world)])
    if semantic:
        reading = LidarReading(
            pose, sensor, counts, 0.0, cos_incidence=np.ones(len(world), np.float32), actor_id=ids, tag=tags
        )
    else:
        reading = LidarReading(pose, sensor, counts, 0.0, intensity=np.ones(len(world), np.float32))
    return reading, owner


def radar_of(point):
    """One detection at a world point, seen from the origin at 1 m height."""
    offset = np.asarray(point, dtype=float) - (0, 0, 1)
    distance = np.linalg.norm(offset)
    one = [np.array([v], dtype=np.float32) for v in
           (-3.0, np.arctan2(offset[1], offset[0]), np.arcsin(offset[2] / distance), distance)]  # fmt: skip
    return RadarReading(pose_matrices((0, 0, 1), (0, 0, 0)), *one)


def frame_of(things, readings, number=100, elapsed=5.0, ego=None):
    """A frame; the ego, actor 1, stands at the origin."""
    ego = thing(1, (0, 0, 0), (2, 1, 0.7)) if ego is None else ego
    return Frame(number, elapsed, 0.05, readings, tuple(sorted((ego, *things), key=lambda s: s.key)), 1, ego)
