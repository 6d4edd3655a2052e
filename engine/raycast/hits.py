"""What rays met, as arrays."""

from __future__ import annotations

from functools import cached_property

import numpy as np
import numpy.typing as npt

Float32s = npt.NDArray[np.float32]


class Hits:
    """The answer to one cast of N rays; everything but the distance is looked up when first asked for.

    Attributes:
        distance_m: (N,) float32 metres along each ray, ``inf`` where nothing lies within range.
    """

    def __init__(
        self,
        distance_m: Float32s,
        tag_of_static: npt.NDArray[np.uint8],
        owner_of_static: npt.NDArray[np.uint64],
        static_triangle: npt.NDArray[np.uint32],
        static_normal: Float32s,
        directions: npt.NDArray[np.floating],
        actor_ray: npt.NDArray[np.intp],
        actor_id: npt.NDArray[np.uint32],
        actor_tag: npt.NDArray[np.uint8],
        actor_normal: Float32s,
    ) -> None:
        self.distance_m = distance_m
        self._tag_of_static, self._owner_of_static = tag_of_static, owner_of_static
        self._triangle, self._static_normal, self._directions = static_triangle, static_normal, directions
        self._actor_ray, self._actor_id = actor_ray, actor_id
        self._actor_tag, self._actor_normal = actor_tag, actor_normal

    def __len__(self) -> int:
        return len(self.distance_m)

    @cached_property
    def hit(self) -> npt.NDArray[np.bool_]:
        """(N,) whether the ray met something within range."""
        return np.isfinite(self.distance_m)

    @cached_property
    def actor_id(self) -> npt.NDArray[np.uint32]:
        """(N,) uint32 actor that was hit, 0 for the static world and for a miss."""
        ids = np.zeros(len(self), dtype=np.uint32)
        ids[self._actor_ray] = self._actor_id
        return ids

    @cached_property
    def tag(self) -> npt.NDArray[np.uint8]:
        """(N,) uint8 semantic tag of the surface, 0 (``Tag.NONE``) for a miss."""
        tags = self._tag_of_static[self._triangle]
        tags[self._actor_ray] = self._actor_tag
        tags[~self.hit] = 0
        return tags

    @cached_property
    def static_object_id(self) -> npt.NDArray[np.uint64]:
        """(N,) uint64 id of the static object, 0 for actors and for a miss."""
        ids = self._owner_of_static[self._triangle]
        ids[self._actor_ray] = 0
        ids[~self.hit] = 0
        return ids

    @cached_property
    def normal(self) -> Float32s:
        """(N, 3) float32 unit normal of the surface on the side the ray came from, world axes; zeros for a miss."""
        normals = self._static_normal.copy()
        normals[self._actor_ray] = self._actor_normal
        facing_away = np.einsum("ij,ij->i", normals, self._directions) > 0.0
        normals[facing_away] *= -1.0
        normals[~self.hit] = 0.0
        return normals
