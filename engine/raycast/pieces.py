"""The moving things a ray may meet: for every actor its rigid pieces, with poses kept as arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from engine.geometry import Mesh, Model
from engine.raycast.atlas import Atlas
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


JOINT_SLACK_M = 0.5
"""How far a ``joint_matrices`` function may shift a joint from its rest place; it may turn it freely."""


class _Shapes:
    """The rigid parts of one model: which triangle set hangs on which joint (-1 is the root).

    ``reach`` is the radius of a sphere around the model's origin that holds it however its joints turn: lengths add
    up along each chain of joints.
    """

    def __init__(self, model: Model, known: dict[bytes, Triangles]) -> None:
        self.model = model
        number = {"": -1} | {joint.name: i for i, joint in enumerate(model.joints)}
        groups: dict[int, list[Mesh]] = {}
        for mesh in model.meshes:
            if len(mesh.triangles):
                groups.setdefault(number[mesh.joint], []).append(mesh)
        self.joints = np.array(sorted(groups), dtype=np.intp)
        self.moves = bool((self.joints >= 0).any())
        self.rest = rest_matrices(model)
        length = {"": 0.0}
        scale = {"": 1.0}
        for joint in model.joints:
            rest = np.asarray(joint.rest, dtype=np.float64)
            length[joint.name] = length[joint.parent] + scale[joint.parent] * float(np.linalg.norm(rest[:3, 3]))
            scale[joint.name] = scale[joint.parent] * float(np.linalg.norm(rest[:3, :3], axis=0).max())
        self.reach = JOINT_SLACK_M if self.moves else 0.0
        self.triangles: list[Triangles] = []
        for index in self.joints:
            key = shape_key(groups[int(index)])
            if key not in known:
                known[key] = Triangles([(mesh, None, 0) for mesh in groups[int(index)]])
            shape, name = known[key], "" if index < 0 else model.joints[index].name
            self.triangles.append(shape)
            size = float(np.linalg.norm(shape.center)) + shape.radius
            slack = JOINT_SLACK_M if self.moves else 0.0
            self.reach = max(self.reach, length[name] + scale[name] * size * 1.0001 + 1e-4 + slack)


class Pieces:
    """All actors' rigid pieces as columns, P pieces of A actors, sorted by actor.

    Joints cost more than anything else here, so they are asked for only when rays pass near their actor:
    :meth:`place` does that for some actors, once per update.

    Attributes:
        shapes: the distinct triangle sets.
        shape_radius: of the spheres around them.
        shape: (P,) index into ``shapes``.
        actor: (P,) index of the piece's actor, 0..A-1.
        ids: (A,) actor ids.
        first, count: (A,) the actor's pieces are ``first`` .. ``first + count``.
        actor_center, actor_radius: (A, 3), (A,) world sphere that holds the actor; radius -1 when it is not there.
        from_world: (P, 4, 4) shape-from-world, origin at the shape's own centre; of placed actors.
        center, radius: (P, 3), (P,) world sphere around each piece; of placed actors.
    """

    def __init__(self, joint_matrices: JointMatrices | None) -> None:
        self._joint_matrices = joint_matrices
        self._known: dict[bytes, Triangles] = {}
        self._shapes_of_model: dict[int, _Shapes] = {}
        self._actors: dict[int, _Shapes] = {}
        self._columns_stale = True
        self.atlas = Atlas()
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

    def begin(self) -> None:
        """Lay the shapes out anew, beginning with those of the actors that are there, however they lie now."""
        self.atlas.clear()
        self.layout()

    def layout(self) -> None:
        """Rebuild the columns that only change when actors come or go."""
        self.ids = np.array(sorted(self._actors), dtype=np.uint32)
        sets = [self._actors[int(i)] for i in self.ids]
        self.shapes = list(dict.fromkeys(t for s in sets for t in s.triangles))
        self.atlas.add(self.shapes)
        index = {id(t): i for i, t in enumerate(self.shapes)}
        self.shape = np.array([index[id(t)] for s in sets for t in s.triangles], dtype=np.intp)
        self.sheet, self.in_sheet = (column[self.shape] for column in self.atlas.positions(self.shapes))
        self.count = np.array([len(s.triangles) for s in sets], dtype=np.intp)
        self.first = np.concatenate([[0], np.cumsum(self.count)[:-1]]).astype(np.intp)[: len(sets)]
        self.actor = np.repeat(np.arange(len(sets)), self.count)
        self._reach = np.array([s.reach for s in sets])
        self._shape_center = np.array([t.center for t in self.shapes]).reshape(-1, 3)
        self.shape_radius = np.array([t.radius for t in self.shapes])
        self.from_world: Floats = np.zeros((len(self.shape), 4, 4))
        self.center: Floats = np.zeros((len(self.shape), 3))
        self.radius: Floats = np.full(len(self.shape), -1.0)
        self.actor_center: Floats = np.zeros((len(sets), 3))
        self.actor_radius: Floats = np.full(len(sets), -1.0)
        self._placed = np.zeros(len(sets), dtype=bool)
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
        self.actor_radius[:] = self.radius[:] = -1.0
        self._placed[:] = ~present | (self.count == 0)
        if not present.any():
            return
        self._rows, self._given = table.rows, joints or {}
        self._row_of = np.zeros(len(self.ids), dtype=np.intp)
        self._row_of[present] = table.indices([int(i) for i in self.ids[present]])
        self._poses = pose_matrices(self._rows["location"][self._row_of], self._rows["rotation"][self._row_of])
        self.actor_center = self._poses[:, :3, 3]
        self.actor_radius[:] = np.where(present & (self.count > 0), self._reach, -1.0)
        # Whoever gives matrices may move joints anywhere: their pieces are placed now and bound exactly.
        exact = np.flatnonzero(present & (self.count > 0) & np.isin(self.ids, np.fromiter(self._given, dtype=np.int64)))
        if len(exact):
            self.place(exact)
            for a in exact:
                own = slice(self.first[a], self.first[a] + self.count[a])
                gap = np.linalg.norm(self.center[own] - self.actor_center[a], axis=1)
                self.actor_radius[a] = float((gap + self.radius[own]).max())

    def place(self, actors: npt.NDArray[np.intp]) -> None:
        """Work out the poses and spheres of the pieces of some actors, unless that has been done."""
        actors = actors[~self._placed[actors]]
        if not len(actors):
            return
        self._placed[actors] = True
        counts = self.count[actors]
        piece = np.repeat(self.first[actors] - (np.cumsum(counts) - counts), counts) + np.arange(int(counts.sum()))
        world_from_piece = self._poses[self.actor[piece]]
        begin = 0
        for a, count in zip(actors, counts):
            shapes = self._actors[int(self.ids[a])]
            if shapes.moves:
                moving = shapes.joints >= 0
                own = begin + np.flatnonzero(moving)
                world_from_piece[own] = world_from_piece[own] @ self._joints_of(a, shapes)[shapes.joints[moving]]
            begin += count
        shape = self.shape[piece]
        turn = world_from_piece[:, :3, :3]
        world_from_piece[:, :3, 3] += np.einsum("pij,pj->pi", turn, self._shape_center[shape])
        self.center[piece] = world_from_piece[:, :3, 3]
        self.from_world[piece] = np.linalg.inv(world_from_piece)  # general: joints may scale (a child's body)
        scale = np.sqrt((turn**2).sum(axis=1)).max(axis=1)
        # A hair more, so that float32 in the tests never cuts off a grazing ray.
        self.radius[piece] = self.shape_radius[shape] * scale * 1.0001 + 1e-4

    def place_all(self) -> None:
        """Place every actor that is there."""
        self.place(np.flatnonzero(self.actor_radius > 0.0))

    def _joints_of(self, a: int, shapes: _Shapes) -> Floats:
        given = self._given.get(int(self.ids[a]))
        if given is not None:
            return given
        if self._joint_matrices is None:
            return shapes.rest
        return self._joint_matrices(shapes.model, self._rows[self._row_of[a]])
