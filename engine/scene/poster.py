"""A life-size person printed on an advertising board: a walker seen from afar in a street, flattened onto the poster.

The person is a relief of a few millimetres in the walker's own colours, so that nearer limbs cover farther ones without
a picture file; the street behind is a coarse mosaic. Their light is printed, too: all normals are the paper's.
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
EDGE_M = 0.05
"""Between the figure and the paper's edges."""
WALK_MPS = 1.3
"""Speed whose stride the printed person has."""
_LIGHT = np.array([-0.55, -0.45, 0.70]) / np.linalg.norm([-0.55, -0.45, 0.70])
_AMBIENT = 0.55
BACKDROP_CELLS = (36, 24)
"""Rows and columns of the mosaic behind the person: 6 to 7 cm each on a board of 2.4 m."""
_HOUSES = ((188, 160, 132), (170, 110, 92), (206, 190, 160), (150, 150, 156), (196, 176, 178), (128, 118, 110))
_LEAVES = ((74, 98, 58), (92, 112, 62), (60, 84, 56))


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


def street_picture(seed: int, *address: str | int) -> npt.NDArray[np.uint8]:
    """Return the street behind the printed person: (rows, columns, 3) sRGB, the top row first.

    Sky, a row of houses with windows or of trees, pavement, and the road's edge: what stands behind a person in a
    photograph taken in a town, out of focus.
    """
    rng = generator(seed, "poster", "street", *address)
    rows, columns = BACKDROP_CELLS
    picture = np.empty((rows, columns, 3))
    haze = rng.uniform(0.0, 0.35)
    roofs, ground = rng.uniform(0.02, 0.25), rng.uniform(0.66, 0.78)
    height = (np.arange(rows) + 0.5) / rows
    picture[:] = (np.array((150.0, 176.0, 204.0)) + 60.0 * height[:, None])[:, None]
    edge = 0
    while edge < columns:
        wide = int(rng.integers(3, 8))
        house = rng.random() < 0.7
        color = np.array(
            _HOUSES[int(rng.integers(len(_HOUSES)))] if house else _LEAVES[int(rng.integers(len(_LEAVES)))]
        )
        top = roofs + rng.uniform(-0.02, 0.12)
        rows_of = np.flatnonzero((height > top) & (height < ground))
        block = np.broadcast_to(color.astype(float), (len(rows_of), wide, 3)).copy()
        if house:
            windows = (np.arange(len(rows_of))[:, None] % 4 > 1) & (np.arange(wide)[None, :] % 3 == 1)
            block[windows] *= 0.55
        else:
            block *= rng.uniform(0.75, 1.2, (len(rows_of), wide, 1))
        block = block[:, : columns - edge]
        picture[rows_of, edge : edge + block.shape[1]] = block
        edge += wide
    paved = float(rng.uniform(148.0, 176.0))
    picture[height >= ground] = paved
    road = ground + rng.uniform(0.06, 0.30)
    picture[height >= road] = paved * 0.62
    picture[np.abs(height - road) < 0.5 / rows] = paved * 1.15
    picture *= rng.uniform(0.96, 1.04, picture.shape[:2])[..., None]
    return (picture * (1.0 - haze) + 190.0 * haze).round().clip(0, 255).astype(np.uint8)


def _backdrop(picture: npt.NDArray[np.uint8], half: float, low: float, high: float) -> tuple[Floats, Floats]:
    """Return the picture as (T, 3, 2) corners (to the beholder's right, up) and (T, 3, 3) colours."""
    rows, columns = picture.shape[:2]
    x, z = np.linspace(-half, half, columns + 1), np.linspace(high, low, rows + 1)
    left, top = np.meshgrid(x[:-1], z[:-1])
    right, bottom = np.meshgrid(x[1:], z[1:])
    a, b = np.stack([left, bottom], -1), np.stack([right, bottom], -1)
    c, d = np.stack([right, top], -1), np.stack([left, top], -1)
    corners = np.stack([np.stack([a, b, c], -2), np.stack([a, c, d], -2)], 2).reshape(-1, 3, 2)
    colors = np.repeat(picture.reshape(-1, 1, 3), 6, axis=1).reshape(-1, 3, 3)
    return corners, colors.astype(np.float64)


def poster_meshes(
    poster: Poster, seed: int, *, face_m: float, half_m: float, low_m: float, high_m: float, tag: Tag
) -> list[Mesh]:
    """Return the prints on both faces of a board that stands along x.

    Args:
        face_m: distance of the paper from the board's middle plane. half_m: half the paper's width.
        low_m, high_m: the paper's lower and upper edge above the ground. The figure stands a little above the lower;
            who is too tall for the paper is printed smaller.
        tag: of the board: a printed person is no pedestrian.
    """
    poster.check()
    corners, normal, paint = seen_person(poster, seed)
    scale = min(1.0, (high_m - low_m - 2.0 * EDGE_M) / float(corners[..., 2].max()))
    light = _AMBIENT + (1.0 - _AMBIENT) * np.clip(normal @ _LIGHT, 0.0, 1.0)
    colors = np.round(paint * light[..., None]).clip(0, 255).astype(np.uint8).reshape(-1, 3)
    depth = corners[..., 0]
    nearness = (depth.max() - depth) / max(float(np.ptp(depth)), 1e-9)
    # The same person is shown in the same street, whoever draws it.
    street = street_picture(seed, poster.person, round(poster.heading_deg), round(100 * poster.gait_phase))
    behind, behind_colors = _backdrop(street, half_m, low_m, high_m)
    paints = np.concatenate([behind_colors.reshape(-1, 3).astype(np.uint8), colors])
    meshes = []
    # Someone who looks at the face whose outward normal is +y has +x at the right, in CARLA's left-handed frame.
    for sign in (1.0, -1.0):
        paper = np.stack([sign * behind[..., 0], np.full(behind.shape[:2], sign * face_m), behind[..., 1]], -1)
        figure = np.empty_like(corners)
        figure[..., 0] = sign * corners[..., 1] * scale
        figure[..., 1] = sign * (face_m + RELIEF_M * (0.1 + 0.9 * nearness))
        figure[..., 2] = low_m + EDGE_M + corners[..., 2] * scale
        place = np.concatenate([paper, figure])
        meshes.append(
            Mesh(
                vertices=place.reshape(-1, 3).astype(np.float32),
                # Both prints are the scene turned, not mirrored, so the winding stays.
                triangles=np.arange(3 * len(place), dtype=np.int32).reshape(-1, 3),
                normals=np.tile(np.array([0.0, sign, 0.0], dtype=np.float32), (3 * len(place), 1)),
                uv=np.zeros((3 * len(place), 2), dtype=np.float32),
                colors=paints,
                material=m.SIGN,
                tag=tag,
            )
        )
    return meshes
