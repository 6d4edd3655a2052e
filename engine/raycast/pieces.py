"""The moving things a ray may meet: for every actor its rigid pieces, with poses kept as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from engine.geometry import Mesh, Model
from engine.raycast.triangles import Triangles, shape_key
from engine.state import ActorTable
from foundation.frames import Floats, pose_matrices

JointMatrices = Callable[[Model, np.void], Floats]
"""``(model, table row) -> (J, 4, 4)`` actor-from-joint, in the order of ``model.joints``."""


def rest_matrices(model: Model) -> Floats:
    """Return the (J, 4, 4) actor-from-joint matrices of a model at rest."""
    matrices: dict[str, Floats] = {"": np.eye(4)}
    for joint in model.joints:
        matrices[joint.name] = matrices[joint.parent] @ np.asarray(joint.rest, dtype=np.float64)
    return np.stack([matrices[joint.name] for joint in model.joints]) if model.joints else np.zeros((0, 4, 4))


class _Shapes:
    """The rigid parts of one model: which triangle set hangs on which joint (-1 is the root)."""

    def __init__(self, model: Model, known: dict[bytes, Triangles]) -> None:
        self.model = model
        number = {"": -1} | {joint.name: i for i, joint in enumerate(model.joints)}
        groups: dict[int, list[Mesh]] = {}
        for mesh in model.meshes:
            if len(mesh.triangles):
                groups.setdefault(number[mesh.joint], []).append(mesh)
        self.joints = np.array(sorted(groups), dtype=np.intp)
        self.rest = rest_matrices(model)
        self.triangles: list[Triangles] = []
        for joint in self.joints:
            key = shape_key(groups[int(joint)])
            if key not in known:
                known[key] = Triangles([(mesh, None, 0) for mesh in groups[int(joint)]])
            self.triangles.append(known[key])


class Pieces:
    """All actors' rigid pieces as columns, P pieces of A actors, sorted by actor.

    Attributes:
        shapes: the distinct triangle sets.
        shape: (P,) index into ``shapes``.
        actor: (P,) index of the piece's actor, 0..A-1.
        ids: (A,) actor ids.
        first, count: (A,) the actor's pieces are ``first`` .. ``first + count``.
        from_world: (P, 4, 4) shape-from-world, origin at the shape's own centre.
        center, radius: (P, 3), (P,) world sphere around each piece.
        actor_center, actor_radius: (A, 3), (A,) world sphere around all pieces of the actor.
    """

    def __init__(self, joint_matrices: JointMatrices | None) -> None:
        self._joint_matrices = joint_matrices
        self._known: dict[bytes, Triangles] = {}
        self._shapes_of_model: dict[int, _Shapes] = {}
        self._actors: dict[int, _Shapes] = {}
        self._columns_stale = True
        self.layout()

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._actors

    def add(self, actor_id: int, model: Model) -> None:
        """Let rays meet an actor from the next update on."""
        if actor_id in self._actors:
            raise ValueError(f"actor {actor_id} is already known to the ray caster")
        shapes = self._shapes_of_model.get(id(model))
        if shapes is None or shapes.model is not model:
            shapes = self._shapes_of_model[id(model)] = _Shapes(model, self._known)
        self._actors[actor_id] = shapes
        self._columns_stale = True

    def remove(self, actor_id: int) -> None:
        """Forget an actor; KeyError when it is not known. Shapes are kept for the next actor of the kind."""
        del self._actors[actor_id]
        self._columns_stale = True

    def layout(self) -> None:
        """Rebuild the columns that only change when actors come or go."""
        self.ids = np.array(sorted(self._actors), dtype=np.uint32)
        sets = [self._actors[int(i)] for i in self.ids]
        self.shapes = list(dict.fromkeys(t for s in sets for t in s.triangles))
        index = {id(t): i for i, t in enumerate(self.shapes)}
        self.shape = np.array([index[id(t)] for s in sets for t in s.triangles], dtype=np.intp)
        self.count = np.array([len(s.triangles) for s in sets], dtype=np.intp)
        self.first = np.concatenate([[0], np.cumsum(self.count)[:-1]]).astype(np.intp)[: len(sets)]
        self.actor = np.repeat(np.arange(len(sets)), self.count)
        self._shape_center = np.array([t.center for t in self.shapes]).reshape(-1, 3)
        self._shape_radius = np.array([t.radius for t in self.shapes])
        self.from_world: Floats = np.zeros((len(self.shape), 4, 4))
        self.center: Floats = np.zeros((len(self.shape), 3))
        self.radius: Floats = np.full(len(self.shape), -1.0)
        self.actor_center, self.actor_radius = np.zeros((len(sets), 3)), np.full(len(sets), -1.0)
        self._columns_stale = False

    def update(self, table: ActorTable, joints: Mapping[int, Floats] | None = None) -> None:
        """Take the poses of ``table``; an actor without a row there is not hit.

        Args:
            table: world poses, and what the joints follow from (steering, gait).
            joints: (J, 4, 4) actor-from-joint matrices by actor id, for whoever has them already; the others are
                asked from the ``joint_matrices`` function, or keep their rest pose without one.
        """
        if self._columns_stale:
            self.layout()
        present = np.array([int(i) in table for i in self.ids], dtype=bool)
        if not len(self.ids) or not present.any():
            self.actor_radius[:] = self.radius[:] = -1.0
            return
        rows = table.rows
        row_of = np.zeros(len(self.ids), dtype=np.intp)
        row_of[present] = table.indices([int(i) for i in self.ids[present]])
        world_from_actor = pose_matrices(rows["location"][row_of], rows["rotation"][row_of])
        world_from_piece = world_from_actor[self.actor]
        for a in np.flatnonzero(present):
            actor_id = int(self.ids[a])
            shapes = self._actors[actor_id]
            moving = shapes.joints >= 0
            if moving.any():
                given = joints.get(actor_id) if joints else None
                matrices = self._joints_of(shapes, rows[row_of[a]]) if given is None else given
                own = np.arange(self.first[a], self.first[a] + self.count[a])[moving]
                world_from_piece[own] = world_from_piece[own] @ matrices[shapes.joints[moving]]
        self._place(world_from_piece, present)

    def _joints_of(self, shapes: _Shapes, row: np.void) -> Floats:
        return shapes.rest if self._joint_matrices is None else self._joint_matrices(shapes.model, row)

    def _place(self, world_from_piece: Floats, present: npt.NDArray[np.bool_]) -> None:
        """Derive inverse poses and bounding spheres from the piece poses."""
        offset = self._shape_center[self.shape]
        self.center = world_from_piece[:, :3, 3] + np.einsum("pij,pj->pi", world_from_piece[:, :3, :3], offset)
        centred = world_from_piece.copy()
        centred[:, :3, 3] = self.center
        self.from_world = np.asarray(
            np.linalg.inv(centred), dtype=np.float64
        )  # general: joints may scale (a child's body)
        scale: Floats = np.sqrt((world_from_piece[:, :3, :3] ** 2).sum(axis=1)).max(axis=1, initial=0.0)
        # A hair more, so that float32 in the tests never cuts off a grazing ray.
        self.radius = np.multiply(self._shape_radius[self.shape], scale) * 1.0001 + 1e-4
        self.radius[~present[self.actor]] = -1.0
        self._bound_actors(present)

    def _bound_actors(self, present: npt.NDArray[np.bool_]) -> None:
        self.actor_radius[:] = -1.0
        filled = np.flatnonzero(self.count > 0)
        if not len(filled):
            return
        starts = self.first[filled]
        low = np.minimum.reduceat(self.center - self.radius[:, None], starts, axis=0)
        high = np.maximum.reduceat(self.center + self.radius[:, None], starts, axis=0)
        self.actor_center[filled] = (low + high) / 2
        reach = np.linalg.norm(self.center - self.actor_center[self.actor], axis=1) + self.radius
        self.actor_radius[filled] = np.where(present[filled], np.maximum.reduceat(reach, starts), -1.0)
