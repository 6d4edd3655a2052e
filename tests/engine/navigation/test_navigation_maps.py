"""Meshes of real road networks: what they cover, that they hang together, that they lie on the ground."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import shapely
import shapely.affinity
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.navigation import Area, NavMesh, navigation_mesh
from engine.navigation.building import _frame
from engine.navigation.detour import MOST_CORNERS, Tile, decode, encode
from engine.navigation.partition import partition
from engine.world.maps import SHIPPED, LoadedMap, build_map
from foundation.ids import Tag

DATA = Path(__file__).resolve().parents[4] / "shared" / "data"
CARLA, ESMINI = DATA / "carla", DATA / "esmini"
FAST = [SHIPPED / "RealityTown.xodr", SHIPPED / "RealityStreet.xodr"]
SLOW = [
    CARLA / "Town01.xodr",
    CARLA / "Town02.xodr",
    CARLA / "Town10HD.xodr",
    SHIPPED / "RealityMotorway.xodr",
    *sorted(ESMINI.rglob("soderleden.xodr")),
    *sorted(ESMINI.rglob("curves_elevation.xodr")),
    *sorted(ESMINI.rglob("straight_500m.xodr")),
    *sorted(ESMINI.rglob("fabriksgatan.xodr")),
]
RECTANGLES = st.tuples(st.floats(0, 30), st.floats(0, 30), st.floats(1, 20), st.floats(1, 20), st.floats(0, 3))
"""West, south, width, height, turn."""
MAPS = [*FAST, *(pytest.param(path, marks=pytest.mark.slow) for path in SLOW)]


@cache
def loaded(path: Path) -> tuple[LoadedMap, NavMesh]:
    if not path.exists():
        pytest.skip(f"{path} is not here")
    made = build_map(path.read_text(encoding="utf-8-sig"), path.stem, 0)
    return made, navigation_mesh(made.network, made.static)


def shapes(mesh: NavMesh) -> np.ndarray:
    return np.array([shapely.Polygon(mesh.vertices[list(polygon), :2]) for polygon in mesh.polygons])


def components(mesh: NavMesh, areas: tuple[Area, ...]) -> list[list[int]]:
    beside, found = mesh.neighbours(), []
    left = {number for number in range(len(mesh.polygons)) if mesh.areas[number] in areas}
    while left:
        members = [min(left)]
        left.remove(members[0])
        for number in members:
            for other in beside[number]:
                if other in left:
                    left.remove(other)
                    members.append(other)
        found.append(members)
    return found


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_polygons_are_convex_and_neither_overlap_nor_repeat_an_edge(path: Path) -> None:
    _, mesh = loaded(path)
    assert all(3 <= len(polygon) <= MOST_CORNERS for polygon in mesh.polygons)
    for polygon in mesh.polygons:
        p = mesh.vertices[list(polygon), :2]
        ahead, after = np.roll(p, -1, axis=0) - p, np.roll(p, -2, axis=0) - np.roll(p, -1, axis=0)
        assert (ahead[:, 0] * after[:, 1] - ahead[:, 1] * after[:, 0] > -1e-6).all()
    edges = [edge for polygon in mesh.polygons for edge in pairwise((*polygon, polygon[0]))]
    assert len(edges) == len(set(edges))
    polygons = shapes(mesh)
    if np.ptp(mesh.vertices[:, 2]) < 2.0:  # no bridges
        assert shapely.union_all(polygons, grid_size=1e-4).area == pytest.approx(shapely.area(polygons).sum(), rel=1e-3)


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_the_file_holds_the_mesh_and_comes_out_the_same_twice(path: Path) -> None:
    made, mesh = loaded(path)
    data = encode([Tile(mesh)], *_frame(mesh))
    assert decode(data).tiles[0].mesh.polygons == mesh.polygons
    assert made.navigation.data == data
    assert made.navigation.name.startswith(f"Carla/Maps/Nav/{path.stem}-")


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_nobody_walks_through_houses_or_lamps(path: Path) -> None:
    made, mesh = loaded(path)
    walked = shapely.union_all(shapes(mesh)[mesh.areas != Area.ROAD])
    shapely.prepare(walked)
    inside = 0
    for thing in made.static.objects:
        if thing.tag in (Tag.BUILDINGS, Tag.POLES) and thing.collides:
            x, y = thing.pose[:2, 3]
            box = thing.model.box
            if thing.tag == Tag.BUILDINGS:
                x, y = (thing.pose @ np.array([*box.center, 1.0]))[:2]
            inside += bool(shapely.intersects(walked, shapely.Point(x, y)))
    assert inside == 0


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_there_is_pavement_and_most_of_it_hangs_together(path: Path) -> None:
    made, mesh = loaded(path)
    sizes = mesh.sizes()
    paved = mesh.areas == Area.SIDEWALK
    assert sizes[paved].sum() > 100.0
    found = components(mesh, (Area.SIDEWALK, Area.CROSSWALK, Area.GRASS))
    paved_sizes = sorted((sizes[[n for n in members if paved[n]]].sum() for members in found), reverse=True)
    assert min(size for size in paved_sizes if size > 0.0) >= 10.0
    if made.network.junctions and "Motorway" not in path.stem:
        assert paved_sizes[0] > 0.6 * sum(paved_sizes)


@pytest.mark.parametrize("path", MAPS, ids=lambda path: path.stem)
def test_pavement_lies_on_the_files_pavements_at_their_height(path: Path) -> None:
    made, mesh = loaded(path)
    ground = made.static.extra["ground"]
    paved = [s for s in [*ground.surfaces, *ground.bridges] if s.tag == Tag.SIDEWALKS]
    if not paved:
        pytest.skip("no pavement in the file")
    corners = np.concatenate([s.vertices[s.triangles] for s in paved]) * np.array([1.0, -1.0, 1.0])
    area = shapely.union_all([shapely.Polygon(c[:, :2]) for c in corners], grid_size=1e-3)
    walked = shapely.union_all(shapes(mesh)[mesh.areas == Area.SIDEWALK], grid_size=1e-3)
    assert shapely.difference(walked, area).area < 0.02 * walked.area
    assert walked.area > 0.6 * area.area
    tree = shapely.STRtree([shapely.Polygon(c[:, :2]) for c in corners])
    middles = [mesh.vertices[list(polygon)].mean(axis=0) for polygon in mesh.polygons]
    misses = []
    for number in np.flatnonzero((mesh.areas == Area.SIDEWALK) & (mesh.sizes() > 1.0)).tolist():
        if number in mesh.details:
            continue
        x, y, z = middles[number]
        near = tree.query(shapely.Point(x, y), predicate="intersects")
        if len(near):
            misses.append(min(np.ptp([*corners[k][:, 2], z]) for k in near))
    assert misses
    assert np.median(misses) < 0.05


def test_regions_share_whole_edges_where_they_meet() -> None:
    plan = partition([shapely.box(2, -2, 4, 2), shapely.box(0, 0, 10, 1), shapely.box(-1, -3, 10, 3)])
    polygons = [shapely.Polygon(plan.places[list(polygon)]) for polygon in plan.polygons]
    assert sum(p.area for p in polygons) == pytest.approx(66.0)
    assert sum(p.area for p, c in zip(polygons, plan.classes) if c == 0) == pytest.approx(8.0)
    owners = {e: n for n, polygon in enumerate(plan.polygons) for e in pairwise((*polygon, polygon[0]))}
    across = {
        (int(plan.classes[n]), int(plan.classes[owners[b, a]])) for (a, b), n in owners.items() if (b, a) in owners
    }
    assert {(0, 1), (1, 0), (0, 2), (1, 2)} <= across


@settings(deadline=None, max_examples=40)
@given(st.lists(RECTANGLES, min_size=1, max_size=5))
def test_any_regions_are_covered_once(boxes: list[tuple[float, float, float, float, float]]) -> None:
    regions = [
        shapely.affinity.rotate(shapely.box(x, y, x + w, y + h), turn, use_radians=True) for x, y, w, h, turn in boxes
    ]
    plan = partition(regions)
    polygons = [shapely.Polygon(plan.places[list(polygon)]) for polygon in plan.polygons]
    whole = shapely.union_all(regions)
    assert all(polygon.is_valid for polygon in polygons)
    assert sum(p.area for p in polygons) == pytest.approx(whole.area, rel=0.02, abs=0.5)
    assert shapely.union_all(polygons).area == pytest.approx(sum(p.area for p in polygons), rel=1e-3, abs=0.02)


@pytest.mark.slow
def test_without_any_pavement_something_else_is_walked_on() -> None:
    path = SHIPPED / "RealityMotorway.xodr"
    made, mesh = loaded(path)
    assert 'type="sidewalk"' not in made.network.text
    assert mesh.sizes()[mesh.areas == Area.SIDEWALK].sum() > 1000.0
