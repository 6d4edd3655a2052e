"""Which rays pass near which actor: bounding cones of ray blocks against bounding spheres, then ray by ray."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.raycast.pieces import Pieces
from foundation.frames import Floats

Float32s = npt.NDArray[np.float32]
Index = npt.NDArray[np.intp]
BLOCK = 64
"""Rays per block. Lidar rays lie in scan order, so a block is a narrow fan; measured best of 16, 32, 64, 128, 256."""


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
    # Any axis is right as long as the cone holds every ray; of scan-ordered rays these three give a tight one.
    mean = rays[:, 0].astype(np.float64) + rays[:, size // 2] + rays[:, -1]
    length = np.linalg.norm(mean, axis=1, keepdims=True)
    axis = np.where(length > 1e-3, mean / np.maximum(length, 1e-3), rays[:, 0])
    # float32 cosines near 1 are coarse (1 - cos of 0.02 deg is 6e-8): leave that much room.
    cosines = np.matmul(rays, axis[:, :, None].astype(np.float32))[..., 0]
    cos = np.clip(cosines.min(axis=1).astype(np.float64) - 5e-7, -1.0, 1.0)
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


def _cones_meet_spheres(
    square: Floats, along: Floats, radius: Floats, cos: Floats, sin: Floats, reach: Floats
) -> npt.NDArray[np.bool_]:
    """Return whether cones may meet spheres within ``reach``. All arguments broadcast.

    Args:
        square: squared distance from the cones' apex to the spheres' centres.
        along: the same vectors' component along the cones' axis.
        radius: of the spheres; one that is not positive is never met.
        cos, sin: of the cones' half angle.
        reach: length of the cones.
    """
    distance = np.sqrt(np.maximum(square, 1e-18))
    # Angle between axis and centre <= half angle of the cone + half angle of the sphere, by the sum's cosine.
    sin_sphere = np.minimum(radius / distance, 1.0)
    cos_sphere = np.sqrt(1.0 - sin_sphere * sin_sphere)
    inside = along >= distance * (cos * cos_sphere - sin * sin_sphere)
    # The cosine of a sum above 180 degrees grows again: such a cone sees everything.
    inside |= cos < -cos_sphere
    inside |= distance <= radius
    inside &= distance - radius <= reach
    inside &= radius > 0.0
    return inside


def _dots(a: Floats, b: Floats) -> Floats:
    """Return the (A, B) scalar products of (A, 3) and (B, 3) vectors.

    In portions small enough for BLAS to stay in this thread: waking its others costs more than they bring, by
    milliseconds when the other cores are busy.
    """
    rows = max(1, 50_000 // max(len(b), 1))
    return np.concatenate([a[i : i + rows] @ b.T for i in range(0, len(a), rows)])


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
    none = np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    padded = np.concatenate([reach_m, np.zeros(-blocks.count % blocks.size, dtype=np.float32)])
    reach = padded.reshape(-1, blocks.size)
    block_reach = reach.max(axis=1).astype(np.float64) + blocks.spread
    live = np.flatnonzero((pieces.actor_radius > 0.0) & ~ignored)
    if not len(live):
        return none
    # Products of blocks and actors without (B, A, 3) arrays.
    centers = pieces.actor_center[live]
    crossed = _dots(blocks.origins, centers)
    square = (blocks.origins**2).sum(axis=1)[:, None] - 2.0 * crossed + (centers**2).sum(axis=1)
    along = _dots(blocks.axis, centers)
    along -= np.einsum("bi,bi->b", blocks.axis, blocks.origins)[:, None]
    radius = pieces.actor_radius[live] + blocks.spread[:, None]
    cone = blocks.cos[:, None], blocks.sin[:, None], block_reach[:, None]
    block, nth = np.nonzero(_cones_meet_spheres(square, along, radius, *cone))
    actor = live[nth]
    pieces.place(np.unique(actor))
    counts = pieces.count[actor]
    block = np.repeat(block, counts)
    piece = np.repeat(pieces.first[actor] - (np.cumsum(counts) - counts), counts) + np.arange(len(block))
    to_piece = pieces.center[piece] - blocks.origins[block]
    near = _cones_meet_spheres(
        np.einsum("qi,qi->q", to_piece, to_piece),
        np.einsum("qi,qi->q", to_piece, blocks.axis[block]),
        pieces.radius[piece] + blocks.spread[block],
        blocks.cos[block],
        blocks.sin[block],
        block_reach[block],
    )
    block, piece = block[near], piece[near]
    if not len(block):
        return none
    return _ray_by_ray(blocks, pieces, reach, block, piece)


def _ray_by_ray(blocks: Blocks, pieces: Pieces, reach: Float32s, block: Index, piece: Index) -> tuple[Index, Index]:
    """Test every ray of candidate blocks against the piece's sphere."""
    rays = np.take(blocks.rays, block, axis=0)
    square_radius = (pieces.radius[piece] ** 2)[:, None]
    # Distances are differences of float64, then float32 is enough: `slack` covers its error in the squares and in
    # the directions (1e-7 each), of which a quarter metre at 250 m remains as harmless extra candidates.
    if blocks.ray_origins is None:
        to_center = pieces.center[piece] - blocks.origins[block]
        square = np.einsum("qi,qi->q", to_center, to_center)[:, None].astype(np.float32)
        along = np.matmul(rays, to_center[:, :, None].astype(np.float32))[..., 0]
    else:
        to_centers = (pieces.center[piece][:, None] - blocks.ray_origins[block]).astype(np.float32)
        square = np.einsum("qbi,qbi->qb", to_centers, to_centers)
        along = np.einsum("qbi,qbi->qb", rays, to_centers)
    # How deep the ray's line cuts into the sphere, squared; negative when it passes by.
    depth_square = along * along
    depth_square -= square * np.float32(1.0 - 4e-6) - square_radius.astype(np.float32)
    pair, within = np.nonzero((depth_square >= 0.0) & ((along > 0.0) | (square <= square_radius)))
    entry = along[pair, within] - np.sqrt(depth_square[pair, within])
    ray = block[pair] * blocks.size + within
    real = (ray < blocks.count) & (entry <= reach[block[pair], within] + 1e-3)
    return ray[real], piece[pair[real]]
