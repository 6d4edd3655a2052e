"""Which rays pass near which actor: bounding cones of ray blocks against bounding spheres, then ray by ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.raycast.pieces import Pieces
from foundation.frames import Floats

Float32s = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]
BLOCK = 32
"""Rays per block. Lidar rays lie in scan order, so a block is a narrow fan; measured best of 16, 32, 64, 128."""


@dataclass(frozen=True)
class Blocks:
    """N rays cut into B blocks of ``size`` consecutive rays, each with its bounding cone.

    The last block is filled up with copies of the last ray.
    """

    count: int
    size: int
    origins: Floats  # (B, 3) centre of the block's origins
    spread: Floats  # (B,) radius of the block's origins around that centre
    rays: Float32s  # (B, size, 3) directions
    ray_origins: Floats | None  # (B, size, 3), or None when all rays start at one point
    axis: Floats  # (B, 3) cone axis
    cos: Floats  # (B,) of the cone's half angle
    sin: Floats


def make_blocks(origins: Floats, directions: Float32s) -> Blocks:
    """Cut (N, 3) unit directions, with one shared (3,) origin or (N, 3) origins, into blocks."""
    count = len(directions)
    size = min(BLOCK, count)
    padding = -count % size
    if padding:
        directions = np.concatenate([directions, np.repeat(directions[-1:], padding, axis=0)])
    rays = directions.reshape(-1, size, 3)
    mean = rays.sum(axis=1, dtype=np.float64)
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    axis = np.where(length > 1e-9, mean / np.maximum(length, 1e-9), rays[:, 0])
    # float32 cosines near 1 are coarse (1 - cos of 0.02 deg is 6e-8): leave that much room.
    cos = np.clip(np.matmul(rays, axis[:, :, None].astype(np.float32))[..., 0].min(axis=1).astype(float) - 3e-7, -1, 1)
    cos = np.where(length[:, 0] > 1e-9, cos, -1.0)
    blocks = len(rays)
    if origins.ndim == 1:
        centers, spread, ray_origins = np.broadcast_to(origins, (blocks, 3)), np.zeros(blocks), None
    else:
        if padding:
            origins = np.concatenate([origins, np.repeat(origins[-1:], padding, axis=0)])
        ray_origins = origins.reshape(-1, size, 3)
        centers = (ray_origins.min(axis=1) + ray_origins.max(axis=1)) / 2
        spread = np.linalg.norm(ray_origins - centers[:, None], axis=2).max(axis=1)
    return Blocks(count, size, centers, spread, rays, ray_origins, axis, cos, np.sqrt(1.0 - cos**2))


def _cone_meets_sphere(
    to_center: Floats, radius: Floats, axis: Floats, cos: Floats, sin: Floats, reach: Floats
) -> npt.NDArray[np.bool_]:
    """Return whether cones from the origin may meet spheres within ``reach``; arguments broadcast, vectors last."""
    square = np.einsum("...i,...i->...", to_center, to_center)
    distance = np.sqrt(square)
    # Angle between axis and centre <= half angle of the cone + half angle of the sphere, by the sum's cosine.
    sin_sphere = np.minimum(radius / np.maximum(distance, 1e-9), 1.0)
    cos_sphere = np.sqrt(1.0 - sin_sphere**2)
    along = np.einsum("...i,...i->...", to_center, axis)
    inside_cone = along >= distance * (cos * cos_sphere - sin * sin_sphere)
    # The cosine of a sum above 180 degrees grows again: such a cone sees everything.
    wide = cos < -cos_sphere
    return (radius > 0.0) & (distance - radius <= reach) & (inside_cone | wide | (distance <= radius))


def candidates(
    blocks: Blocks, pieces: Pieces, reach_m: Float32s, ignored: npt.NDArray[np.bool_]
) -> tuple[Index, Index]:
    """Return (K,) ray numbers and (K,) piece numbers of the pairs whose ray meets the piece's sphere in reach.

    Args:
        blocks: the rays.
        pieces: the actors' pieces.
        reach_m: (N,) how far each ray goes: the range, or the nearest static surface.
        ignored: (A,) actors to leave out.
    """
    none = np.zeros(0, dtype=np.intp)
    padded = np.concatenate([reach_m, np.zeros(-blocks.count % blocks.size, dtype=np.float32)])
    reach = padded.reshape(-1, blocks.size)
    block_reach = reach.max(axis=1).astype(np.float64) + blocks.spread
    live = np.flatnonzero((pieces.actor_radius > 0.0) & ~ignored)
    if not len(live):
        return none, none
    block, nth = np.nonzero(
        _cone_meets_sphere(
            pieces.actor_center[live] - blocks.origins[:, None],
            pieces.actor_radius[live] + blocks.spread[:, None],
            blocks.axis[:, None],
            blocks.cos[:, None],
            blocks.sin[:, None],
            block_reach[:, None],
        )
    )
    actor = live[nth]
    counts = pieces.count[actor]
    block = np.repeat(block, counts)
    piece = np.repeat(pieces.first[actor] - (np.cumsum(counts) - counts), counts) + np.arange(len(block))
    near = _cone_meets_sphere(
        pieces.center[piece] - blocks.origins[block],
        pieces.radius[piece] + blocks.spread[block],
        blocks.axis[block],
        blocks.cos[block],
        blocks.sin[block],
        block_reach[block],
    )
    block, piece = block[near], piece[near]
    if not len(block):
        return none, none
    return _ray_by_ray(blocks, pieces, reach, block, piece)


def _ray_by_ray(blocks: Blocks, pieces: Pieces, reach: Float32s, block: Index, piece: Index) -> tuple[Index, Index]:
    """Test every ray of candidate blocks against the piece's sphere."""
    rays = blocks.rays[block]
    square_radius = (pieces.radius[piece] ** 2)[:, None]
    if blocks.ray_origins is None:
        to_center = pieces.center[piece] - blocks.origins[block]
        along = np.matmul(rays, to_center[:, :, None].astype(np.float32))[..., 0]
        square = np.einsum("qi,qi->q", to_center, to_center)[:, None]
    else:
        to_centers = pieces.center[piece][:, None] - blocks.ray_origins[block]
        along = np.einsum("qbi,qbi->qb", rays, to_centers).astype(np.float32)
        square = np.einsum("qbi,qbi->qb", to_centers, to_centers)
    # Squares of distances up to 1 km in float32 are off by 0.1 m^2; in float64 by nothing that matters.
    depth_square = square_radius - square + along.astype(np.float64) ** 2
    entry = along - np.sqrt(np.maximum(depth_square, 0.0))
    # `along` itself comes from float32 directions: widen the sphere by that error (1e-6 of the distance).
    slack = 4e-6 * square
    keep = (depth_square >= -slack) & (entry <= reach[block]) & ((along > 0.0) | (square <= square_radius))
    pair, within = np.nonzero(keep)
    ray = block[pair] * blocks.size + within
    real = ray < blocks.count
    return ray[real], piece[pair[real]]
