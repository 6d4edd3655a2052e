"""Four-wheeled (and six-wheeled) vehicles: picks body style, paint and extras, and fits the blueprint's box."""

from __future__ import annotations

import numpy as np

from engine.blueprints.specs import VehicleSpec
from engine.geometry import Mesh
from engine.scene import cars, heavy
from engine.scene.builder import Color, MeshBuilder
from engine.scene.car_styles import style_of
from engine.scene.doors import DOOR_JOINTS
from engine.scene.rigs import ActorModel, VehicleRig
from foundation.seeds import generator


def paint_of(spec: VehicleSpec, color: tuple[int, int, int] | None, seed: int) -> Color:
    """Return the paint: the colour asked for, else one of the blueprint's, drawn by the seed."""
    if color is not None:
        return float(color[0]), float(color[1]), float(color[2])
    if not spec.colors:
        return 168.0, 170.0, 173.0  # bare steel
    choice = spec.colors[int(generator(seed, "paint", spec.id).integers(len(spec.colors)))]
    red, green, blue = (float(part) for part in choice.split(","))
    return red, green, blue


def vehicle_model(spec: VehicleSpec, color: tuple[int, int, int] | None, seed: int) -> ActorModel:
    """Return the model of a car, van, lorry or bus; its box is the blueprint's to the millimetre."""
    builder = MeshBuilder(spec.tags[0])
    paint = paint_of(spec, color, seed)
    if spec.body == "truck" or spec.id == "vehicle.ford.ambulance":
        heavy.add_heavy(builder, spec, paint)
    else:
        shell = cars.make_shell(spec, style_of(spec), height=heavy.roof_height(spec))
        cars.add_lower_body(builder, shell, paint)
        cars.add_greenhouse(builder, shell, paint, paint)
        cars.add_fittings(builder, shell, paint)
        cars.add_wheels(builder, shell)
        if spec.body == "bus":
            heavy.add_bus_fittings(builder, spec, shell)
    heavy.add_service(builder, spec)
    builder.shift((spec.center_x, 0.0, 0.0))
    center, half = spec.center_x, (spec.length / 2.0, spec.width / 2.0)
    builder.fit((center - half[0], -half[1], 0.0), (center + half[0], half[1], spec.height))
    joints = builder.joints
    steered = {"wheel_fl": 0, "wheel_fr": 1, "wheel_rl": 2, "wheel_rr": 3}
    meshes = builder.meshes()
    rig = VehicleRig(
        centers=np.stack([joint.rest[:3, 3] for joint in joints]),
        steer_index=tuple(steered.get(joint.name, -1) for joint in joints),
        radius_ratio=(1.0,) * len(joints),
        doors=tuple(DOOR_JOINTS.index(joint.name) if joint.name in DOOR_JOINTS else -1 for joint in joints),
        reach=tuple(_reach(meshes, joint.name) for joint in joints),
        half_width=half[1],
    )
    return ActorModel(spec.id, meshes, builder.box(), joints, rig)


def _reach(meshes: tuple[Mesh, ...], joint: str) -> tuple[float, float]:
    """Return the radius about y and the half width of what hangs on a joint, metres."""
    points = np.concatenate([mesh.vertices for mesh in meshes if mesh.joint == joint] or [np.zeros((1, 3))])
    return float(np.hypot(points[:, 0], points[:, 2]).max()), float(np.abs(points[:, 1]).max())
