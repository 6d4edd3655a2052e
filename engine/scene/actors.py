"""The models of actors by blueprint, and where their joints are in a row of the actor table."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from engine.blueprints.specs import PropSpec, VehicleSpec, WalkerSpec
from engine.geometry import Joint, Model
from engine.scene import gait, people, props, two_wheelers, vehicles
from engine.scene.builder import MeshBuilder
from engine.scene.poster import Poster
from engine.scene.rigs import ActorModel, WalkerRig
from foundation.ids import Tag

Floats = npt.NDArray[np.float64]
Color = tuple[int, int, int]
Spec = VehicleSpec | WalkerSpec | PropSpec


def actor_model(spec: Spec, color: Color | None = None, seed: int = 0, poster: Poster | None = None) -> Model:
    """Return the model of a vehicle, walker or prop; equal arguments share one model.

    Args:
        spec: the blueprint's data (``engine.blueprints``).
        color: sRGB 0..255: the paint of vehicles, the upper garment of walkers, ignored by props that have
            no paint of their own; None lets the seed choose.
        seed: decides what the spec leaves open: paint, clothes, plates.
        poster: who is shown on an advertisement; None lets the seed choose.

    Returns:
        A model in CARLA's frame, whose box encloses its meshes at rest. Vehicles and props stand on z = 0, walkers
        have their origin at half height. :func:`joint_matrices` moves its joints.
    """
    return _build(spec, None if color is None else (int(color[0]), int(color[1]), int(color[2])), seed, poster)


@lru_cache(maxsize=512)
def _build(spec: Spec, color: Color | None, seed: int, poster: Poster | None) -> Model:
    if isinstance(spec, WalkerSpec):
        return walker_model(spec, color, seed)
    if isinstance(spec, VehicleSpec):
        if spec.two_wheeler:
            return two_wheelers.two_wheeler_model(spec, color, seed)
        return vehicles.vehicle_model(spec, color, seed)
    return props.prop_model(spec, color, seed, poster)


def walker_model(spec: WalkerSpec, color: Color | None, seed: int) -> ActorModel:
    """Return a walker of the blueprint's height, dressed by the seed."""
    builder = MeshBuilder(Tag.PEDESTRIANS)
    figure = people.Figure.of(spec.height, spec.gender == "female")
    top = None if color is None else (float(color[0]), float(color[1]), float(color[2]))
    outfit = people.outfit_of(spec, seed, top)
    base = -spec.height / 2.0
    people.add_person_joints(builder, figure, base)
    people.add_person(builder, figure, outfit, base, Tag.PEDESTRIANS)
    low, high = builder.bounds()
    builder.fit((low[0], low[1], base), (high[0], high[1], -base))
    height = spec.height
    rig = gait.make_rig(
        builder.joints,
        height,
        gait.BALL_SHARE * height,
        gait.HEEL_SHARE * height,
        stoop_deg=14.0 if spec.age == "elderly" else 0.0,
    )
    return ActorModel(spec.id, builder.meshes(), builder.box(), builder.joints, WalkerRig(rig))


def joint_matrices(model: Model, row: np.void) -> Floats:
    """Return (J, 4, 4) actor-from-joint matrices in the order of ``model.joints``.

    Args:
        model: of :func:`actor_model`; other models get their rest pose.
        row: the actor's row of an ``ActorTable``; ``wheel_spin`` and ``wheel_steer`` turn wheels, handlebars,
            cranks and the rider's legs; ``gait_phase``, ``gait_speed`` and ``feet`` move walkers.
    """
    if isinstance(model, ActorModel):
        return model.rig.matrices(row)
    return rest_matrices(model.joints)


def rest_matrices(joints: tuple[Joint, ...]) -> Floats:
    """Return (J, 4, 4) model-from-joint matrices at rest; parents come before their children."""
    placed: dict[str, Floats] = {"": np.eye(4)}
    for joint in joints:
        placed[joint.name] = placed[joint.parent] @ joint.rest
    return np.stack([placed[joint.name] for joint in joints]) if joints else np.zeros((0, 4, 4))
