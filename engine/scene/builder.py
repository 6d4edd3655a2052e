"""Collects coloured triangles and turns them into :class:`engine.geometry.Mesh` values in CARLA's frame.

Generators work in a right-handed frame (x forward, y left, z up); the flip happens here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from engine.geometry import Box, Joint, Material, Mesh, Model
from engine.scene.shapes import Floats
from foundation.frames import flip_y
from foundation.ids import Tag

Color = tuple[float, float, float]
"""sRGB, 0..255."""

WELD_M = 1e-4


def shade(color: Color, share: float) -> Color:
    """Return a colour made darker (share < 1) or lighter."""
    return color[0] * share, color[1] * share, color[2] * share


def smooth_normals(corners: Floats, groups: npt.NDArray[np.int64], crease_deg: npt.NDArray[np.float64]) -> Floats:
    """Return (T, 3, 3) corner normals: the angle-weighted mean of neighbouring faces within the crease angle.

    Args:
        corners: (T, 3, 3) triangles, counter-clockwise from outside, none degenerate.
        groups: (T,) smoothing group; faces of different groups never share a normal.
        crease_deg: (T,) faces that bend more than this keep a sharp edge.
    """
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(edge1, edge2)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True)
    ahead = np.roll(corners, -1, axis=1) - corners
    back = np.roll(corners, 1, axis=1) - corners
    cosine = np.einsum("tki,tki->tk", ahead, back)
    cosine /= np.linalg.norm(ahead, axis=2) * np.linalg.norm(back, axis=2)
    angle = np.arccos(cosine.clip(-1.0, 1.0)).ravel()

    owner = np.repeat(np.arange(len(corners)), 3)
    weld = _weld(corners.reshape(-1, 3), np.repeat(groups, 3))
    order = np.argsort(weld, kind="stable")
    counts = np.bincount(weld)
    start = np.concatenate([[0], np.cumsum(counts)[:-1]])
    # Every corner meets every corner at the same point: counts**2 pairs a point, a few dozen a corner.
    mine = np.repeat(order, counts[weld[order]])
    offset = np.arange(len(mine)) - np.repeat(
        np.concatenate([[0], np.cumsum(counts[weld[order]])[:-1]]), counts[weld[order]]
    )
    theirs = order[start[weld[mine]] + offset]
    dot = np.einsum("ni,ni->n", normal[owner[mine]], normal[owner[theirs]])
    share = np.where(dot > np.cos(np.radians(crease_deg[owner[mine]])) - 1e-9, angle[theirs], 0.0)
    smooth = np.zeros((len(owner), 3))
    for axis in range(3):
        smooth[:, axis] = np.bincount(mine, share * normal[owner[theirs], axis], minlength=len(owner))
    length = np.linalg.norm(smooth, axis=1, keepdims=True)
    smooth = np.where(length > 1e-9, smooth / np.maximum(length, 1e-9), normal[owner])
    return smooth.reshape(-1, 3, 3)


def _weld(points: Floats, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return one number per point; points within the weld distance and of one group share it."""
    cell = np.round(points / WELD_M).astype(np.int64)
    cell -= cell.min(axis=0)
    span = cell.max(axis=0) + 1
    key = (cell[:, 0] * span[1] + cell[:, 1]) * span[2] + cell[:, 2]
    _, place = np.unique(key, return_inverse=True)
    _, both = np.unique(place * (int(groups.max()) + 1) + groups, return_inverse=True)
    return both


def box_uv(corners: Floats, normal: Floats) -> Floats:
    """Return (T, 3, 2) metres along the surface, by each face's dominant axis; v points up on walls."""
    steep = np.abs(normal)
    axis = np.argmax(steep, axis=1)
    u = np.where((axis == 0)[:, None], corners[..., 1], corners[..., 0])
    v = np.where((axis == 2)[:, None], corners[..., 1], corners[..., 2])
    return np.stack([u, v], axis=-1)


class MeshBuilder:
    """Gathers surfaces, then makes one mesh for each (material, tag, joint).

    Args:
        tag: the tag of surfaces that do not name their own.
    """

    def __init__(self, tag: Tag) -> None:
        self.tag = tag
        self._corners: list[Floats] = []
        self._colors: list[Floats] = []
        self._uv: list[Floats | None] = []
        self._meta: list[tuple[Material, Tag, str, float, int]] = []
        self._joints: list[Joint] = []
        self._joint_at: dict[str, Floats] = {"": np.zeros(3)}
        self._group = 0

    def joint(self, name: str, at: Sequence[float], parent: str = "") -> str:
        """Add a joint at a point of the model frame; surfaces on it are still given in the model frame."""
        here = np.asarray(at, dtype=np.float64)
        rest = np.eye(4)
        rest[:3, 3] = flip_y(here - self._joint_at[parent])
        self._joints.append(Joint(name, parent, rest))
        self._joint_at[name] = here
        return name

    def add(
        self,
        corners: Floats,
        material: Material,
        color: Color | Floats = (255.0, 255.0, 255.0),
        *,
        tag: Tag | None = None,
        joint: str = "",
        crease_deg: float = 35.0,
        group: int | None = None,
        uv: Floats | None = None,
    ) -> None:
        """Add (T, 3, 3) triangles with one sRGB colour (0..255), or (T, 3) of them, or (T, 3, 3) per corner.

        Surfaces added under the same ``group`` shade smoothly into each other across materials; without one,
        each call is its own group. ``uv`` (T, 3, 2) in metres; by default laid on by the dominant axis.
        """
        paint = np.asarray(color, dtype=np.float64)
        if paint.ndim == 2:
            paint = paint[:, None]
        self._corners.append(np.asarray(corners, dtype=np.float64))
        self._colors.append(np.broadcast_to(paint, corners.shape))
        self._uv.append(uv)
        if group is None:
            self._group += 1
            group = -self._group
        self._meta.append((material, self.tag if tag is None else tag, joint, crease_deg, group))

    def bounds(self) -> tuple[Floats, Floats]:
        """Return the lowest and highest corner of everything added so far (right-handed frame)."""
        points = np.concatenate([c.reshape(-1, 3) for c in self._corners])
        return points.min(axis=0), points.max(axis=0)

    def shift(self, offset: Sequence[float]) -> None:
        """Move everything added so far, joints included."""
        step = np.asarray(offset, dtype=np.float64)
        low, high = self.bounds()
        self.fit(low + step, high + step)

    def fit(self, low: npt.ArrayLike, high: npt.ArrayLike) -> None:
        """Stretch everything, joints included, so that the bounds become exactly ``low`` and ``high``.

        For removing centimetres of misfit; large ratios would make wheels oval.
        """
        now_low, now_high = self.bounds()
        scale = (np.asarray(high, dtype=np.float64) - np.asarray(low, dtype=np.float64)) / np.maximum(
            now_high - now_low, 1e-9
        )
        shift = np.asarray(low, dtype=np.float64) - now_low * scale
        self._corners = [c * scale + shift for c in self._corners]
        old = {name: at.copy() for name, at in self._joint_at.items()}
        self._joint_at = {name: at * scale + shift if name else at for name, at in old.items()}
        rebuilt = []
        for joint in self._joints:
            rest = np.eye(4)
            rest[:3, 3] = flip_y(self._joint_at[joint.name] - self._joint_at[joint.parent])
            rebuilt.append(Joint(joint.name, joint.parent, rest))
        self._joints = rebuilt

    def meshes(self) -> tuple[Mesh, ...]:
        """Return the finished meshes, in the order in which their material, tag and joint first appeared."""
        counts = [len(c) for c in self._corners]
        corners = np.concatenate(self._corners)
        colors = np.concatenate(self._colors)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        area = np.linalg.norm(normal, axis=1)
        keys: dict[tuple[Material, Tag, str], int] = {}
        mesh_of = [keys.setdefault(meta[:3], len(keys)) for meta in self._meta]
        names: dict[tuple[str, int], int] = {}
        group_of = [names.setdefault((meta[2], meta[4]), len(names)) for meta in self._meta]
        mesh_index = np.repeat(mesh_of, counts)
        group = np.repeat(np.array(group_of, dtype=np.int64), counts)
        crease = np.repeat([meta[3] for meta in self._meta], counts)
        keep = area > 1e-9
        uv = box_uv(corners, normal)
        for start, given in zip(np.cumsum([0, *counts[:-1]]), self._uv):
            if given is not None:
                uv[start : start + len(given)] = given
        corners, colors, uv, mesh_index = corners[keep], colors[keep], uv[keep], mesh_index[keep]
        if crease.max(initial=0.0) == 0.0:
            unit = normal[keep] / area[keep, None]
            normals = np.repeat(unit[:, None], 3, axis=1)
        else:
            normals = smooth_normals(corners, group[keep], crease[keep])
        return tuple(
            self._mesh(key, corners[chosen], normals[chosen], uv[chosen], colors[chosen])
            for key, index in keys.items()
            if (chosen := mesh_index == index).any()
        )

    def _mesh(
        self, key: tuple[Material, Tag, str], corners: Floats, normals: Floats, uv: Floats, colors: Floats
    ) -> Mesh:
        """Return one mesh with equal corners merged."""
        material, tag, joint = key
        if not material.texture:
            uv = np.zeros_like(uv)
        local = corners.reshape(-1, 3) - self._joint_at[joint]
        table = np.concatenate([local, normals.reshape(-1, 3), uv.reshape(-1, 2)], axis=1).astype(np.float32)
        table[:, 3:6] = np.round(table[:, 3:6], 3)
        paint = np.round(colors.reshape(-1, 3)).clip(0, 255).astype(np.uint8)
        raw = np.concatenate([(table + np.float32(0.0)).view(np.uint8), paint], axis=1)
        packed = np.ascontiguousarray(raw).view(np.dtype((np.void, raw.shape[1]))).ravel()
        _, first, index = np.unique(packed, return_index=True, return_inverse=True)
        vertices, unit = table[first, :3], table[first, 3:6]
        return Mesh(
            vertices=flip_y(vertices).astype(np.float32),
            triangles=index.reshape(-1, 3).astype(np.int32),
            normals=flip_y(unit / np.linalg.norm(unit, axis=1, keepdims=True)).astype(np.float32),
            uv=table[first, 6:8],
            colors=paint[first],
            material=material,
            tag=tag,
            joint=joint,
        )

    def model(self, name: str) -> Model:
        """Return the model with its exact axis-aligned box at rest."""
        return Model(name, self.meshes(), self.box(), tuple(self._joints))

    def box(self) -> Box:
        """Return the axis-aligned box of everything added, in CARLA's frame."""
        low, high = self.bounds()
        center, extent = flip_y((low + high) / 2.0), (high - low) / 2.0
        return Box(
            (float(center[0]), float(center[1]), float(center[2])),
            (float(extent[0]), float(extent[1]), float(extent[2])),
        )

    @property
    def joints(self) -> tuple[Joint, ...]:
        """The joints added so far, parents before children."""
        return tuple(self._joints)
