"""The file format: what is encoded is decoded, neighbours agree, the tree finds every polygon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.navigation import Area, NavigationError, NavMesh
from engine.navigation.detour import Detail, Tile, box_tree, decode, encode


def grid_mesh(columns: int, rows: int) -> NavMesh:
    x, y = np.meshgrid(np.arange(columns + 1.0), np.arange(rows + 1.0), indexing="ij")
    vertices = np.column_stack([x.ravel() * 3.0, y.ravel() * 2.0, 0.1 * x.ravel()])
    polygons = []
    for i in range(columns):
        for j in range(rows):
            a = i * (rows + 1) + j
            polygons.append((a, a + rows + 1, a + rows + 2, a + 1))
    areas = np.array([1 + k % 4 for k in range(len(polygons))], dtype=np.uint8)
    return NavMesh(vertices, tuple(polygons), areas, {})


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 6), st.integers(1, 6))
def test_what_is_written_is_read(columns: int, rows: int) -> None:
    mesh = grid_mesh(columns, rows)
    middle = mesh.vertices[list(mesh.polygons[0])].mean(axis=0)
    faces = np.array([(0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4)])
    mesh.details[0] = Detail(middle[None] + np.array([0.0, 0.0, 0.5]), faces)
    read = decode(encode([Tile(mesh)], (0.0, 0.0, 0.0), 100.0))
    (tile,), (links,) = read.tiles, read.links
    assert np.allclose(tile.mesh.vertices, mesh.vertices, atol=1e-6)
    assert tile.mesh.polygons == mesh.polygons
    assert (tile.mesh.areas == mesh.areas).all()
    assert tile.mesh.details[0].triangles.tolist() == faces.tolist()
    for own, stored in zip(mesh.neighbours(), links):
        assert [n - 1 for n in stored] == own


def test_neighbours_are_mutual() -> None:
    beside = grid_mesh(4, 3).neighbours()
    assert all(number in beside[other] for number, edges in enumerate(beside) for other in edges if other >= 0)
    assert sum(other >= 0 for edges in beside for other in edges) == 2 * (3 * 3 + 4 * 2)


def test_polygons_turn_the_way_the_client_wants_them() -> None:
    """Clockwise in CARLA's (x, y): (0, 0), (0, 1), (1, 1), (1, 0)."""
    data = encode([Tile(grid_mesh(1, 1))], (0.0, 0.0, 0.0), 10.0)
    points = np.frombuffer(data, "<f4", 12, 40 + 8 + 100).reshape(4, 3)
    corners = np.frombuffer(data, "<u2", 4, 40 + 8 + 100 + 48 + 4)
    x, y = points[corners][:, 0], points[corners][:, 2]
    assert float(x @ np.roll(y, -1) - y @ np.roll(x, -1)) < 0.0


@pytest.mark.parametrize("count", [1, 2, 3, 7, 64, 301])
def test_a_walk_through_the_tree_finds_exactly_the_boxes_that_are_met(count: int) -> None:
    rng = np.random.default_rng(count)
    low = rng.integers(0, 60_000, (count, 3))
    high = low + rng.integers(0, 4_000, (count, 3))
    tree = box_tree(low, high)
    for _ in range(20):
        ask_low = rng.integers(0, 60_000, 3)
        ask_high = ask_low + 5_000
        found, at = [], 0
        while at < len(tree):  # as the library walks: down when boxes meet, over the subtree when they do not
            node = tree[at]
            meets = bool((node["low"] <= ask_high).all() and (node["high"] >= ask_low).all())
            if node["index"] >= 0 and meets:
                found.append(int(node["index"]))
            at += 1 if meets or node["index"] >= 0 else -int(node["index"])
        expected = np.flatnonzero(((low <= ask_high) & (high >= ask_low)).all(axis=1))
        assert sorted(found) == expected.tolist()


def test_boxes_at_the_far_rim_leave_room_for_what_the_library_adds() -> None:
    """It looks with the upper corner plus one, in 16 bits: a box that ends at 65535 would never be found."""
    data = encode([Tile(grid_mesh(5, 5))], (0.0, 0.0, 0.0), 100.0)
    nodes = np.frombuffer(data, [("low", "<u2", 3), ("high", "<u2", 3), ("index", "<i4")], offset=len(data) - 49 * 16)
    assert nodes["index"][0] == -49
    assert nodes["high"].max() < 65_500


def test_what_is_no_mesh_is_refused() -> None:
    data = encode([Tile(grid_mesh(2, 2))], (0.0, 0.0, 0.0), 10.0)
    for broken in (b"", data[:30], b"X" + data[1:], data[:-1]):
        with pytest.raises(NavigationError):
            decode(broken)
    mesh = grid_mesh(1, 1)
    with pytest.raises(NavigationError, match="six corners"):
        encode([Tile(NavMesh(mesh.vertices, ((0, 1, 2, 3, 0, 1, 2),), mesh.areas, {}))], (0.0, 0.0, 0.0), 10.0)


def test_flags_are_carlas() -> None:
    assert [area.flag for area in (Area.SIDEWALK, Area.CROSSWALK, Area.ROAD, Area.GRASS)] == [2, 4, 8, 16]
