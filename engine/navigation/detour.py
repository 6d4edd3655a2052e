"""The file that CARLA's client loads its navigation mesh from: a set of Detour tiles, encoded and decoded.

Layout: a set header, then for each tile its reference, its size and its data (header, vertices, polygons, room for
links, detail meshes, detail vertices, detail triangles, tree of boxes). Detour's axes are (x, z, y) of CARLA's
frame. The tile format is that of the Recast/Detour library, version 7.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

SET_MAGIC, SET_VERSION = int.from_bytes(b"MSET", "big"), 1
TILE_MAGIC, TILE_VERSION = int.from_bytes(b"DNAV", "big"), 7
MOST_CORNERS = 6
"""Corners of a polygon, at most: a constant of the library."""
MOST_PER_TILE = 60_000
"""Vertices or polygons of a tile: both are numbered with 16 bits."""
WALKABLE_HEIGHT_M, WALKABLE_RADIUS_M, WALKABLE_CLIMB_M = 1.8, 0.3, 0.4
"""The client's agents, and the step that two tiles may differ by where they meet."""
_EXTERNAL = 0x8000

_SET = struct.Struct("<3i3f2f2i")
_TILE_ENTRY = struct.Struct("<Ii")
_TILE = struct.Struct("<5iI9i3f3f3ff")
_POLYGON = np.dtype(
    [
        ("link", "<u4"),
        ("corners", "<u2", MOST_CORNERS),
        ("next", "<u2", MOST_CORNERS),
        ("flags", "<u2"),
        ("count", "u1"),
        ("area", "u1"),
    ]
)
_DETAIL = np.dtype(
    [("vertices", "<u4"), ("triangles", "<u4"), ("vertex_count", "u1"), ("triangle_count", "u1"), ("pad", "u1", 2)]
)
_NODE = np.dtype([("low", "<u2", 3), ("high", "<u2", 3), ("index", "<i4")])
_LINK_BYTES = 12


class Area(IntEnum):
    """What a polygon is. The client's ordinary walkers keep off ROAD; random places come from SIDEWALK only."""

    BLOCK = 0
    SIDEWALK = 1
    CROSSWALK = 2
    ROAD = 3
    GRASS = 4

    @property
    def flag(self) -> int:
        """The polygon flag that the client's filters look at."""
        return 1 << self.value


class NavigationError(RealityError):
    """A navigation mesh cannot be written or read."""


@dataclass(frozen=True, eq=False)
class Detail:
    """A polygon's surface where the polygon itself is not flat enough.

    Attributes:
        vertices: (V, 3) points beyond the polygon's corners.
        triangles: (T, 3) numbers of corners (first) and these points.
    """

    vertices: Floats
    triangles: Ints


@dataclass(frozen=True, eq=False)
class NavMesh:
    """Convex polygons in CARLA's frame; two that share both ends of an edge are connected.

    Attributes:
        vertices: (V, 3) metres.
        polygons: vertex numbers, three to six each, counter-clockwise in CARLA's (x, y) plane as drawn with y up.
        areas: (P,) values of :class:`Area`.
        details: surfaces of the polygons that are not flat, by number.
    """

    vertices: Floats
    polygons: tuple[tuple[int, ...], ...]
    areas: npt.NDArray[np.uint8]
    details: dict[int, Detail]

    def sizes(self) -> Floats:
        """Return the (P,) areas of the polygons seen from above, square metres."""
        found = np.zeros(len(self.polygons))
        for number, polygon in enumerate(self.polygons):
            x, y = self.vertices[list(polygon), 0], self.vertices[list(polygon), 1]
            found[number] = 0.5 * float(x @ np.roll(y, -1) - y @ np.roll(x, -1))
        return found

    def neighbours(self) -> list[list[int]]:
        """Return for each edge of each polygon the polygon beyond it, -1 at a wall."""
        owner: dict[tuple[int, int], int] = {}
        for number, polygon in enumerate(self.polygons):
            for a, b in zip(polygon, polygon[1:] + polygon[:1]):
                owner[a, b] = number
        return [
            [owner.get((b, a), -1) for a, b in zip(polygon, polygon[1:] + polygon[:1])] for polygon in self.polygons
        ]


@dataclass(frozen=True, eq=False)
class Tile:
    """One tile: a mesh and its place in the grid of tiles.

    Attributes:
        portals: (polygon, edge) -> side of the tile (0 east, 2 north in Detour's sense, 4 west, 6 south).
    """

    mesh: NavMesh
    x: int = 0
    y: int = 0
    portals: dict[tuple[int, int], int] | None = None


def encode(tiles: list[Tile], origin: tuple[float, float, float], side_m: float) -> bytes:
    """Return the file of a set of tiles.

    Args:
        tiles: at least one; each with at most :data:`MOST_PER_TILE` vertices and polygons.
        origin: least corner of the grid of tiles, CARLA's frame.
        side_m: width and height of a tile.

    Raises:
        NavigationError: a tile is too large, or a polygon has too many corners.
    """
    polygon_bits = 16
    tile_bits = max(1, (len(tiles) - 1).bit_length())
    if tile_bits > 6:  # the library wants ten bits for its salt
        raise NavigationError(f"a navigation mesh of {len(tiles)} tiles: 64 is the most that references can number")
    head = _SET.pack(
        SET_MAGIC, SET_VERSION, len(tiles), origin[0], origin[2], origin[1], side_m, side_m, 1 << tile_bits,
        1 << polygon_bits,
    )  # fmt: skip
    parts = [head]
    for number, tile in enumerate(tiles):
        data = _encode_tile(tile)
        reference = 1 << (tile_bits + polygon_bits) | number << polygon_bits
        parts += [_TILE_ENTRY.pack(reference, len(data)), data]
    return b"".join(parts)


def _encode_tile(tile: Tile) -> bytes:
    mesh, count = tile.mesh, len(tile.mesh.polygons)
    if max(count, len(mesh.vertices)) > MOST_PER_TILE:
        size = f"{count} polygons and {len(mesh.vertices)} vertices"
        raise NavigationError(f"a tile of {size}: {MOST_PER_TILE} is the most")
    if any(not 3 <= len(polygon) <= MOST_CORNERS for polygon in mesh.polygons):
        raise NavigationError("polygons have three to six corners")
    points = mesh.vertices[:, [0, 2, 1]].astype("<f4")
    polygons, inner, outer = _polygons(tile)
    details, detail_points, detail_triangles = _details(mesh)
    low, high = _bounds(mesh, points)
    tile_low, tile_high = low.min(axis=0), high.max(axis=0)
    # The library adds one to the upper corners of the boxes it looks for, in 16 bits: leave room, or it finds nothing
    # near the tile's far rim (and the client, left without a route, looks for ever).
    factor = 65000.0 / max(float((tile_high - tile_low).max()), 1.0)
    tree = box_tree(_quantised(low - tile_low, factor), _quantised(high - tile_low, factor))
    # A portal may meet several polygons of the next tile.
    links = inner + 2 * outer + 2 * outer
    header = _TILE.pack(
        TILE_MAGIC, TILE_VERSION, tile.x, tile.y, 0, 0, count, len(points), links, count, len(detail_points),
        len(detail_triangles), len(tree), 0, count, WALKABLE_HEIGHT_M, WALKABLE_RADIUS_M, WALKABLE_CLIMB_M,
        *tile_low.tolist(), *tile_high.tolist(), factor,
    )  # fmt: skip
    return b"".join(
        [
            header,
            points.tobytes(),
            polygons.tobytes(),
            bytes(_LINK_BYTES * links),
            details.tobytes(),
            detail_points.astype("<f4").tobytes(),
            detail_triangles.tobytes(),
            tree.tobytes(),
        ]
    )


def _polygons(tile: Tile) -> tuple[np.ndarray, int, int]:
    """Return the polygon records and how many edges lead to polygons of this tile and to other tiles."""
    mesh = tile.mesh
    records = np.zeros(len(mesh.polygons), dtype=_POLYGON)
    inner = outer = 0
    portals = tile.portals or {}
    for number, (polygon, beside) in enumerate(zip(mesh.polygons, mesh.neighbours())):
        # Detour's axes mirror the plane, and with it the sense of rotation.
        corners = polygon[::-1]
        edges = [beside[(len(polygon) - 2 - k) % len(polygon)] for k in range(len(polygon))]
        area = Area(int(mesh.areas[number]))
        record = records[number]
        record["corners"][: len(corners)] = corners
        for k, other in enumerate(edges):
            side = portals.get((number, (len(polygon) - 2 - k) % len(polygon)))
            if other >= 0:
                record["next"][k] = other + 1
                inner += 1
            elif side is not None:
                record["next"][k] = _EXTERNAL | side
                outer += 1
        record["flags"], record["count"], record["area"] = area.flag, len(corners), area
    return records, inner, outer


def _details(mesh: NavMesh) -> tuple[np.ndarray, Floats, npt.NDArray[np.uint8]]:
    """Return detail mesh records, their points (Detour's axes) and (T, 4) triangles with edge flags."""
    records = np.zeros(len(mesh.polygons), dtype=_DETAIL)
    points: list[Floats] = []
    triangles: list[npt.NDArray[np.int64]] = []
    placed = drawn = 0
    for number, polygon in enumerate(mesh.polygons):
        count, detail = len(polygon), mesh.details.get(number)
        if detail is None:
            extra, faces = np.zeros((0, 3)), np.array([(0, k, k + 1) for k in range(1, count - 1)])
        else:
            # Corners are written in the opposite order (see _polygons), and so are triangles.
            faces = np.where(detail.triangles < count, count - 1 - detail.triangles, detail.triangles)[:, ::-1]
            extra = detail.vertices[:, [0, 2, 1]]
        flags = _edge_flags(faces, count)
        records[number] = (placed, drawn, len(extra), len(faces), (0, 0))
        points.append(extra)
        triangles.append(np.column_stack([faces, flags]))
        placed, drawn = placed + len(extra), drawn + len(faces)
    return records, np.concatenate(points), np.concatenate(triangles).astype(np.uint8)


def _edge_flags(faces: Ints, corner_count: int) -> Ints:
    """Return (T,) two bits an edge: 1 for edges on the polygon's rim, which only one triangle has."""
    edges = np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1).reshape(-1, 2)
    known = {(int(a), int(b)) for a, b in edges}
    rim = np.array([(int(b), int(a)) not in known for a, b in edges], dtype=np.int64).reshape(-1, 3)
    return rim[:, 0] | rim[:, 1] << 2 | rim[:, 2] << 4


def _bounds(mesh: NavMesh, points: npt.NDArray[np.float32]) -> tuple[Floats, Floats]:
    """Return (P, 3) least and greatest corners of the polygons' boxes, Detour's axes, details included."""
    flat = np.concatenate([np.array(polygon) for polygon in mesh.polygons])
    starts = np.cumsum([0, *(len(polygon) for polygon in mesh.polygons[:-1])])
    corners = points[flat].astype(np.float64)
    low, high = np.minimum.reduceat(corners, starts), np.maximum.reduceat(corners, starts)
    for number, detail in mesh.details.items():
        if len(detail.vertices):
            extra = detail.vertices[:, [0, 2, 1]]
            low[number] = np.minimum(low[number], extra.min(axis=0))
            high[number] = np.maximum(high[number], extra.max(axis=0))
    return low, high


def _quantised(offset: Floats, factor: float) -> Ints:
    return np.clip(np.floor(offset * factor), 0, 65535).astype(np.int64)


def box_tree(low: Ints, high: Ints) -> np.ndarray:
    """Return the tree of boxes over items with (N, 3) quantised boxes: nodes in preorder, each with its escape.

    Leaves carry the item's number, inner nodes minus the number of nodes below them and themselves. Items are halved
    along the longer axis of their common box, as the library's own builder does.
    """
    nodes = np.zeros(2 * len(low) - 1, dtype=_NODE)
    stack = [(np.arange(len(low)), 0)]
    while stack:
        items, at = stack.pop()
        nodes[at]["low"], nodes[at]["high"] = low[items].min(axis=0), high[items].max(axis=0)
        if len(items) == 1:
            nodes[at]["index"] = items[0]
            continue
        nodes[at]["index"] = -(2 * len(items) - 1)
        span = high[items].max(axis=0) - low[items].min(axis=0)
        order = items[np.argsort(low[items, int(np.argmax(span))], kind="stable")]
        half = len(order) // 2
        stack += [(order[half:], at + 2 * half), (order[:half], at + 1)]
    return nodes


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a file says: tiles with their neighbours as the file numbers them.

    Attributes:
        tiles: the tiles; ``links[i][p]`` lists, for tile i and polygon p, the raw neighbour entry of each edge, in the
            order of the mesh's own edges.
    """

    tiles: tuple[Tile, ...]
    links: tuple[tuple[tuple[int, ...], ...], ...]
    origin: tuple[float, float, float]
    side_m: float


def decode(data: bytes) -> Decoded:
    """Read a file back.

    Raises:
        NavigationError: it is none, or it breaks off.
    """
    try:
        magic, version, count, x, z, y, side, _, _, _ = _SET.unpack_from(data)
        if (magic, version) != (SET_MAGIC, SET_VERSION):
            raise NavigationError("not a set of Detour tiles")
        at, tiles, links = _SET.size, [], []
        for _ in range(count):
            reference, size = _TILE_ENTRY.unpack_from(data, at)
            at += _TILE_ENTRY.size
            if not reference or at + size > len(data):
                raise NavigationError("a tile breaks off")
            tile, beside = _decode_tile(data[at : at + size])
            tiles.append(tile)
            links.append(beside)
            at += size
    except (struct.error, ValueError) as error:
        raise NavigationError(f"the file breaks off: {error}") from error
    return Decoded(tuple(tiles), tuple(links), (x, y, z), side)


def _decode_tile(data: bytes) -> tuple[Tile, tuple[tuple[int, ...], ...]]:
    values = _TILE.unpack_from(data)
    if values[:2] != (TILE_MAGIC, TILE_VERSION):
        raise NavigationError("not a Detour tile of version 7")
    count, vertex_count, link_count, detail_count, detail_points, detail_triangles, node_count = values[6:13]
    at = _TILE.size

    def take(kind: npt.DTypeLike, number: int) -> np.ndarray:
        nonlocal at
        found = np.frombuffer(data, kind, number, at)
        at += found.nbytes
        return found

    points = take("<f4", 3 * vertex_count).reshape(-1, 3)[:, [0, 2, 1]].astype(np.float64)
    records = take(_POLYGON, count)
    take("u1", _LINK_BYTES * link_count)
    details = take(_DETAIL, detail_count)
    extra = take("<f4", 3 * detail_points).reshape(-1, 3)[:, [0, 2, 1]].astype(np.float64)
    triangles = take("u1", 4 * detail_triangles).reshape(-1, 4)[:, :3].astype(np.int64)
    take(_NODE, node_count)
    if at != len(data):
        raise NavigationError("a tile's size does not fit its content")
    polygons, beside = [], []
    surfaces: dict[int, Detail] = {}
    for number, record in enumerate(records):
        n = int(record["count"])
        polygons.append(tuple(int(v) for v in record["corners"][:n][::-1]))
        beside.append(tuple(int(record["next"][(n - 2 - k) % n]) for k in range(n)))
        detail = details[number]
        if detail["vertex_count"]:
            faces = triangles[detail["triangles"] :][: detail["triangle_count"]]
            faces = np.where(faces < n, n - 1 - faces, faces)[:, ::-1]
            surfaces[number] = Detail(extra[detail["vertices"] :][: detail["vertex_count"]], faces)
    mesh = NavMesh(points, tuple(polygons), (records["area"] & 0x3F).astype(np.uint8), surfaces)
    return Tile(mesh, values[2], values[3]), tuple(beside)
