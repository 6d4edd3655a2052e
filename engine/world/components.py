"""The components of an actor that clients can ask for: its root, and the lamps of its model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.geometry import Model
from engine.state import Kind
from foundation.frames import transform_points

if TYPE_CHECKING:
    from engine.world.world import World

ROOT = "root"
_LAMPS = {
    "low_beam": ("front", "low_beam"),
    "position": ("", "position"),
    "left_blinker": ("", "blinker"),
    "right_blinker": ("", "blinker"),
    "brake": ("back", "brake"),
    "reverse": ("back", "reverse"),
    "fog": ("", "fog"),
}
"""Materials' lamps: the end of the vehicle they are at ("" for both) and their word."""


def components(world: World, actor_id: int) -> dict[str, npt.NDArray[np.float64]]:
    """Return the places (3,) of an actor's components in its own frame, metres, by name.

    Lamps are called as in CARLA's cars: ``front-blinker-r-1``, ``back-brake-l-1``.
    """
    found = {ROOT: np.zeros(3)}
    if world.actors[actor_id].kind == Kind.VEHICLE:
        found |= lamps(world.views.model(actor_id))
    return found


def lamps(model: Model) -> dict[str, npt.NDArray[np.float64]]:
    """Return the middles (3,) of a vehicle model's lamps, in its frame, by component name; sorted."""
    from engine.scene import rest_matrices

    joints = dict(zip((joint.name for joint in model.joints), rest_matrices(model.joints))) | {"": np.eye(4)}
    corners: dict[str, list[npt.NDArray[np.float64]]] = {}
    for mesh in model.meshes:
        if mesh.material.light not in _LAMPS or not len(mesh.vertices):
            continue
        end, word = _LAMPS[mesh.material.light]
        places = transform_points(joints[mesh.joint], mesh.vertices)
        middles = places[mesh.triangles].mean(axis=1) - model.box.center
        for front in (True, False):
            for right in (True, False):
                mine = ((middles[:, 0] > 0.0) == front) & ((middles[:, 1] > 0.0) == right)
                name = f"{'front' if front else 'back'}-{word}-{'r' if right else 'l'}-1"
                if mine.any() and end in ("", name.split("-")[0]):
                    corners.setdefault(name, []).append(places[mesh.triangles[mine]].reshape(-1, 3))
    middle = {}
    for name in sorted(corners):
        points = np.concatenate(corners[name])
        middle[name] = (points.min(axis=0) + points.max(axis=0)) / 2.0
    return middle
