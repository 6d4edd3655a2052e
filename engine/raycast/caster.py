"""The ray caster: static world, actors, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import numpy.typing as npt

from engine.geometry import Model, StaticWorld
from engine.raycast.cull import candidates, make_blocks
from engine.raycast.hits import Hits
from engine.raycast.pieces import JointMatrices, Pieces
from engine.raycast.sweep import NearbyTriangles, Sweep, sweep_sphere
from engine.raycast.triangles import Float32s, Triangles
from engine.state import ActorTable
from foundation.frames import Floats

Index = npt.NDArray[np.intp]


class RayCaster:
    """Answers where rays first meet the world.

    The static world is one Embree scene. Actors are rigid pieces (one per joint that carries triangles); pieces of
    equal shape share one small scene. Rays that pass near a piece are moved into its frame and cast there, so an
    update only moves matrices.

    Args:
        static: what does not move.
        joint_matrices: ``(model, table row) -> (J, 4, 4)`` actor-from-joint; without it joints keep their rest
            pose. The engine passes ``engine.scene.joint_matrices``.
    """

    def __init__(self, static: StaticWorld, joint_matrices: JointMatrices | None = None) -> None:
        self._world = static
        self._hidden: frozenset[int] = frozenset()
        self._pieces = Pieces(joint_matrices)
        self._table: ActorTable | None = None
        self._joints: Mapping[int, Floats] | None = None
        self._stale = False
        self._build_static()

    def _build_static(self) -> None:
        self._static = Triangles(
            [
                (mesh, obj.pose, obj.id)
                for obj in self._world.objects
                if obj.id not in self._hidden
                for mesh in obj.model.meshes
                if len(mesh.triangles)
            ]
        )
        self._nearby = NearbyTriangles(self._static)

    def set_static_visibility(self, object_ids: Collection[int], visible: bool) -> None:
        """Show or hide static objects (``enable_environment_objects``); rebuilds the static scene when it changes."""
        known = {obj.id for obj in self._world.objects}
        ids = known.intersection(object_ids)
        hidden = self._hidden - ids if visible else self._hidden | ids
        if hidden != self._hidden:
            self._hidden = frozenset(hidden)
            self._build_static()

    def warm_up(self) -> None:
        """Import Open3D and build the static scene now (about two seconds) instead of at the first cast."""
        self.cast(np.zeros(3), np.array([[0.0, 0.0, -1.0]]), 1.0)

    def add_actor(self, actor_id: int, model: Model) -> None:
        """Let rays meet an actor after the next :meth:`update`; ValueError when it is known already."""
        self._pieces.add(actor_id, model)
        self._stale = True

    def remove(self, actor_id: int) -> None:
        """Forget an actor; KeyError when it is not known."""
        self._pieces.remove(actor_id)
        self._stale = True

    def begin(self) -> None:
        """Begin an episode: what rays will meet must not depend, by a rounding, on the actors that were there before.

        Actors that are known stay.
        """
        self._pieces.begin()

    def __contains__(self, actor_id: int) -> bool:
        return actor_id in self._pieces

    def update(self, table: ActorTable, joints: Mapping[int, Floats] | None = None) -> None:
        """Say where the actors are now.

        Costs nothing by itself: poses are read from ``table`` by the first cast after this call, so a frame
        without ray sensors pays nothing.

        Args:
            table: the live actor table.
            joints: actor-from-joint matrices, (J, 4, 4) by actor id, if the caller has them already.
        """
        self._table, self._joints, self._stale = table, joints, True

    def _refresh(self) -> None:
        if self._stale and self._table is not None:
            self._pieces.update(self._table, self._joints)
            self._stale = False

    def cast(
        self,
        origins: npt.ArrayLike,
        directions: npt.ArrayLike,
        max_range_m: float | npt.ArrayLike,
        ignore: Collection[int] = (),
    ) -> Hits:
        """Return the first surface along each ray. Surfaces are hit from both sides.

        Args:
            origins: (3,) shared, or (N, 3) metres, world.
            directions: (N, 3) unit vectors, world.
            max_range_m: hits beyond it count as misses; one number or (N,).
            ignore: actor ids that rays pass through.
        """
        self._refresh()
        start = np.asarray(origins, dtype=np.float64)
        toward = np.ascontiguousarray(directions, dtype=np.float32).reshape(-1, 3)
        limit = np.asarray(max_range_m, dtype=np.float32)
        rays = np.empty((len(toward), 6), dtype=np.float32)
        for axis in range(3):  # column by column: twice as fast as rows of three
            rays[:, axis] = start[..., axis] - self._static.center[axis]
            rays[:, 3 + axis] = toward[:, axis]
        distance, triangle, normal = self._static.first(rays)
        distance[distance > limit] = np.inf
        ray, actor, tag, actor_normal, at = self._first_actors(start, toward, np.minimum(distance, limit), ignore)
        distance[ray] = at
        return Hits(
            distance, self._static.tag, self._static.owner, triangle, normal, toward, ray, actor, tag, actor_normal
        )

    def _first_actors(
        self, start: Floats, toward: Float32s, reach: Float32s, ignore: Collection[int]
    ) -> tuple[Index, npt.NDArray[np.uint32], npt.NDArray[np.uint8], Float32s, Float32s]:
        """Return (ray, actor id, tag, normal, distance) of the rays that meet an actor within their reach."""
        pieces = self._pieces
        nothing = (np.zeros(0, np.intp), np.zeros(0, np.uint32), np.zeros(0, np.uint8))
        if not len(pieces.ids) or not len(toward):
            return *nothing, np.zeros((0, 3), np.float32), np.zeros(0, np.float32)
        ignored = (
            np.isin(pieces.ids, np.fromiter(ignore, dtype=np.int64)) if ignore else np.zeros(len(pieces.ids), bool)
        )
        ray, piece = candidates(make_blocks(start, toward), pieces, reach, ignored)
        local = np.empty((len(ray), 6), dtype=np.float32)
        turn = np.take(pieces.from_world[:, :3, :3].astype(np.float32), piece, axis=0)
        local[:, 3:] = np.einsum("pij,pj->pi", turn, np.take(toward, ray, axis=0))
        if start.ndim == 1:
            origin = np.einsum("pij,j->pi", pieces.from_world[:, :3, :3], start) + pieces.from_world[:, :3, 3]
            local[:, :3] = np.take(origin.astype(np.float32), piece, axis=0)
        else:
            into = pieces.from_world[piece]
            local[:, :3] = np.einsum("pij,pj->pi", into[:, :3, :3], start[ray]) + into[:, :3, 3]
        entry = _entry(local, pieces.shape_radius[pieces.shape[piece]])
        local[:, :3] += local[:, 3:] * entry[:, None]
        distance, tag, normal = pieces.atlas.cast(pieces.sheet[piece], pieces.in_sheet[piece], local)
        distance += entry
        best = np.flatnonzero(distance < reach[ray])
        best = best[np.lexsort((distance[best], ray[best]))]
        best = best[np.concatenate([[True], np.diff(ray[best]) > 0])] if len(best) else best
        # Normals go over by the inverse transpose, so that joints may scale.
        world_normal = np.einsum("pi,pij->pj", normal[best], turn[best])
        world_normal /= np.maximum(np.linalg.norm(world_normal, axis=1, keepdims=True), 1e-30)
        return (
            ray[best],
            pieces.ids[pieces.actor[piece[best]]],
            tag[best],
            world_normal.astype(np.float32),
            distance[best],
        )

    def cast_all(
        self, origin: npt.ArrayLike, direction: npt.ArrayLike, max_range_m: float, ignore: Collection[int] = ()
    ) -> Hits:
        """Return everything one ray passes, in order (``cast_ray``).

        As in Unreal's multi trace a component answers once, where the ray first meets it; a component is here what
        shares the static object or the actor piece, and the tag.

        Args:
            origin: (3,) metres.
            direction: (3,) unit vector.
            max_range_m: length of the segment.
            ignore: actor ids that the ray passes through.
        """
        self._refresh()
        pieces = self._pieces
        pieces.place_all()
        start, toward = np.asarray(origin, dtype=np.float64), np.asarray(direction, dtype=np.float64)
        found: list[tuple[float, int, int, int, Floats]] = []  # distance, actor, tag, static triangle, normal
        seen: set[tuple[int, int, int]] = set()
        at, number = self._static.all_along(np.concatenate([start - self._static.center, toward]).astype(np.float32))
        for distance, n, normal in zip(at, number, self._static.normals(number)):
            tag = int(self._static.tag[n])
            key = (-1, int(self._static.owner[n]), tag)
            if distance <= max_range_m and key not in seen:
                seen.add(key)
                found.append((float(distance), 0, tag, int(n), normal))
        for p in np.flatnonzero(pieces.radius > 0.0):
            actor_id = int(pieces.ids[pieces.actor[p]])
            along = float((pieces.center[p] - start) @ toward)
            off_axis = np.linalg.norm(pieces.center[p] - start - along * toward)
            if actor_id in ignore or off_axis > pieces.radius[p]:
                continue
            into, shape = pieces.from_world[p], pieces.shapes[pieces.shape[p]]
            local = np.concatenate([into[:3, :3] @ start + into[:3, 3], into[:3, :3] @ toward]).astype(np.float32)
            at, number = shape.all_along(local)
            for distance, n, normal in zip(at, number, shape.normals(number) @ into[:3, :3]):
                key = (int(p), 0, int(shape.tag[n]))
                if distance <= max_range_m and key not in seen:
                    seen.add(key)
                    found.append((float(distance), actor_id, int(shape.tag[n]), len(self._static), normal))
        found.sort(key=lambda entry: entry[:4])
        return self._pack(found, toward)

    def _pack(self, found: list[tuple[float, int, int, int, Floats]], toward: Floats) -> Hits:
        normals = np.array([entry[4] for entry in found]).reshape(-1, 3)
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
        moving = np.array([i for i, entry in enumerate(found) if entry[1]], dtype=np.intp)
        return Hits(
            np.array([entry[0] for entry in found], dtype=np.float32),
            self._static.tag,
            self._static.owner,
            np.array([entry[3] for entry in found], dtype=np.uint32),
            normals.astype(np.float32),
            np.broadcast_to(toward, (len(found), 3)),
            moving,
            np.array([found[i][1] for i in moving], dtype=np.uint32),
            np.array([found[i][2] for i in moving], dtype=np.uint8),
            normals[moving].astype(np.float32),
        )

    def project_point(
        self, point: npt.ArrayLike, direction: npt.ArrayLike, distance_m: float, ignore: Collection[int] = ()
    ) -> tuple[Floats, int] | None:
        """Return (location (3,), tag) of the first surface from ``point`` along ``direction``, or None.

        Args:
            point: (3,) metres.
            direction: (3,), any length but 0; a zero vector meets nothing.
            distance_m: how far to look.
            ignore: actor ids to look through.
        """
        start, toward = np.asarray(point, dtype=np.float64), np.asarray(direction, dtype=np.float64)
        length = np.linalg.norm(toward)
        if not length > 0.0:
            return None
        hits = self.cast(start, (toward / length)[None], distance_m, ignore)
        if not hits.hit[0]:
            return None
        return start + toward / length * float(hits.distance_m[0]), int(hits.tag[0])

    def sweep(
        self,
        start: npt.ArrayLike,
        direction: npt.ArrayLike,
        radius_m: float,
        max_distance_m: float,
        ignore: Collection[int] = (),
        static: bool = True,
    ) -> Sweep | None:
        """Move a sphere along a line and return what it touches first, or None. Exact, triangle by triangle.

        Args:
            start: (3,) centre of the sphere, metres.
            direction: (3,) unit vector.
            radius_m: of the sphere.
            max_distance_m: how far the centre travels.
            ignore: actor ids the sphere passes through.
            static: whether the static world stops the sphere.
        """
        self._refresh()
        begin, toward = np.asarray(start, dtype=np.float64), np.asarray(direction, dtype=np.float64)
        best: Sweep | None = None
        if static:
            local = begin - self._static.center
            numbers = self._nearby.along(local, toward, radius_m, max_distance_m)
            travelled = sweep_sphere(local, toward, radius_m, self._static.corners(numbers).astype(np.float64))
            if len(travelled) and travelled.min() <= max_distance_m:
                n = int(numbers[int(travelled.argmin())])
                best = Sweep(float(travelled.min()), 0, int(self._static.tag[n]), int(self._static.owner[n]))
        pieces = self._pieces
        pieces.place_all()
        along = np.clip((pieces.center - begin) @ toward, 0.0, max_distance_m)
        gap = np.linalg.norm(pieces.center - begin - along[:, None] * toward, axis=1)
        for p in np.flatnonzero((pieces.radius > 0.0) & (gap <= pieces.radius + radius_m)):
            actor_id = int(pieces.ids[pieces.actor[p]])
            if actor_id in ignore:
                continue
            shape, out = pieces.shapes[pieces.shape[p]], np.linalg.inv(pieces.from_world[p])
            corners = shape.corners().astype(np.float64) @ out[:3, :3].T + out[:3, 3]
            travelled = sweep_sphere(begin, toward, radius_m, corners)
            n = int(travelled.argmin())
            if travelled[n] <= max_distance_m and (best is None or travelled[n] < best.distance_m):
                best = Sweep(float(travelled[n]), actor_id, int(shape.tag[n]), 0)
        return best


def _entry(rays: Float32s, radius: Floats) -> Float32s:
    """Return where (N, 6) rays enter balls of ``radius`` around the origin, in lengths of their direction, at least 0.

    Measured from the point nearest to the centre, so that float32 is exact enough however far away the ray starts.
    """
    origin, direction = rays[:, :3], rays[:, 3:]
    square = np.einsum("ij,ij->i", direction, direction)
    nearest = -np.einsum("ij,ij->i", origin, direction) / square
    closest = origin + direction * nearest[:, None]
    half = np.sqrt(np.maximum(radius**2 - np.einsum("ij,ij->i", closest, closest), 0.0) / square)
    return np.maximum(nearest - half - 1e-3, 0.0).astype(np.float32)
