"""A life-size person printed on an advertising board: a walker seen from afar, flattened onto the poster.

The print is a relief of a few millimetres in the walker's own colours, so that nearer limbs cover farther ones without
a picture file. Its light is printed, too: all normals are the paper's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.blueprints import WALKERS
from engine.geometry import Mesh, Model
from engine.scene import materials as m
from engine.state import ACTOR_DTYPE
from foundation.errors import RealityError
from foundation.frames import rotation_matrices
from foundation.ids import Tag
from foundation.seeds import generator

Floats = npt.NDArray[np.float64]

RELIEF_M = 0.006
WALK_MPS = 1.3
"""Speed whose stride the printed person has."""
_LIGHT = np.array([-0.55, -0.45, 0.70]) / np.linalg.norm([-0.55, -0.45, 0.70])
_AMBIENT = 0.55


@dataclass(frozen=True)
class Poster:
    """Who is printed, and how.

    Attributes:
        person: a walker's blueprint id; "" lets the seed choose.
        gait_phase: moment of the stride, [0, 1). heading_deg: 0 looks at the beholder, 90 to the beholder's left.
    """

    person: str = ""
    gait_phase: float = 0.0
    heading_deg: float = 0.0

    def check(self) -> None:
        """Raise RealityError when there is nobody of that name."""
        if self.person and self.person not in WALKERS:
            raise RealityError(f"there is no walker {self.person!r} to print on a poster")


def seen_person(poster: Poster, seed: int) -> tuple[Floats, Floats, npt.NDArray[np.uint8]]:
    """Return what a beholder who looks along +x sees of the person, who stands with the feet on z = 0.

    Returns:
        (T, 3, 3) corners of the triangles that face the beholder, CARLA's axes (y to the beholder's right), metres;
        (T, 3, 3) the corners' unit normals; (T, 3, 3) sRGB colours of the corners, unlit.
    """
    from engine.scene.actors import joint_matrices, walker_model

    name = poster.person or sorted(WALKERS)[int(generator(seed, "poster").integers(len(WALKERS)))]
    spec = WALKERS[name]
    model: Model = walker_model(spec, None, seed)
    row = np.zeros(1, dtype=ACTOR_DTYPE)[0]
    row["gait_phase"], row["gait_speed"] = poster.gait_phase, WALK_MPS
    joints = dict(zip((joint.name for joint in model.joints), joint_matrices(model, row)))
    turn = rotation_matrices(np.array([[0.0, 180.0 + poster.heading_deg, 0.0]]))[0]
    corners, normals, colors = [], [], []
    for mesh in model.meshes:
        pose = joints.get(mesh.joint, np.eye(4))
        points = (mesh.vertices @ pose[:3, :3].T + pose[:3, 3] + (0.0, 0.0, spec.height / 2)) @ turn.T
        corners.append(points[mesh.triangles])
        normals.append((mesh.normals @ (turn @ pose[:3, :3]).T)[mesh.triangles])
        colors.append(mesh.colors[mesh.triangles])
    triangles = np.concatenate(corners)
    # Meshes are wound counter-clockwise in a right-handed frame; CARLA's axes turn the cross product round.
    outward = -np.cross(triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0])
    facing = outward[:, 0] < -1e-9
    return triangles[facing], np.concatenate(normals)[facing], np.concatenate(colors)[facing]


def poster_meshes(poster: Poster, seed: int, *, face_m: float, foot_m: float, height_m: float, tag: Tag) -> list[Mesh]:
    """Return the prints on both faces of a board that stands along x.

    Args:
        face_m: distance of the paper from the board's middle plane. foot_m: height of the feet above the ground.
        height_m: at most so high is the figure; taller people are printed smaller.
        tag: of the board: a printed person is no pedestrian.
    """
    poster.check()
    corners, normal, paint = seen_person(poster, seed)
    scale = min(1.0, height_m / float(corners[..., 2].max()))
    light = _AMBIENT + (1.0 - _AMBIENT) * np.clip(normal @ _LIGHT, 0.0, 1.0)
    colors = np.round(paint * light[..., None]).clip(0, 255).astype(np.uint8).reshape(-1, 3)
    depth = corners[..., 0]
    nearness = (depth.max() - depth) / max(float(np.ptp(depth)), 1e-9)
    meshes = []
    # Someone who looks at the face whose outward normal is +y has +x at the right, in CARLA's left-handed frame.
    for sign in (1.0, -1.0):
        place = np.empty_like(corners)
        place[..., 0] = sign * corners[..., 1] * scale
        place[..., 1] = sign * (face_m + RELIEF_M * (0.1 + 0.9 * nearness))
        place[..., 2] = foot_m + corners[..., 2] * scale
        meshes.append(
            Mesh(
                vertices=place.reshape(-1, 3).astype(np.float32),
                # Both prints are the scene turned, not mirrored, so the winding stays.
                triangles=np.arange(3 * len(place), dtype=np.int32).reshape(-1, 3),
                normals=np.tile(np.array([0.0, sign, 0.0], dtype=np.float32), (3 * len(place), 1)),
                uv=np.zeros((3 * len(place), 2), dtype=np.float32),
                colors=colors,
                material=m.SIGN,
                tag=tag,
            )
        )
    return meshes
