"""Which part of the ground is pavement, crossing, road and grass to a walker. ASAM's frame."""

from __future__ import annotations

from dataclasses import dataclass

import shapely

from engine.geometry import StaticWorld
from engine.navigation.crossings import crosswalks, drawn_out, missing_crossings
from engine.navigation.detour import Area
from engine.navigation.levels import Level
from engine.navigation.obstacles import obstacles
from foundation.ids import Tag
from scenarios.opendrive import RoadNetwork

KERB_M = 0.35
"""Walkers' middles keep this far from the carriageway while they are on the pavement."""
NARROW_M = 0.25
"""Passages narrower than twice this are closed."""
VERGE_M = 2.0
"""Width of the strip beside roads without a pavement."""
LEAST_PAVEMENT_M2 = 50.0
"""A map with less pavement than this has its verges as pavement, or nobody could walk there."""
ORDER = (Area.CROSSWALK, Area.SIDEWALK, Area.ROAD, Area.GRASS)
"""Where areas overlap, the first has its way."""


@dataclass(frozen=True, eq=False)
class Regions:
    """The areas of one level, in :data:`ORDER`; what stands in the way is cut out of all of them."""

    level: Level
    shapes: tuple[shapely.Geometry, ...]


def regions(network: RoadNetwork, static: StaticWorld, levels: list[Level]) -> list[Regions]:
    """Return the areas of all levels of a map."""
    paved = sum(float(level.pavement.area) for level in levels) >= LEAST_PAVEMENT_M2
    given = crosswalks(network)
    crossings = [*given, *missing_crossings(network, [area for area, _ in given])]
    found = []
    for level in levels:
        on_land = level is levels[0]
        verge = _verge(level) if on_land else shapely.Polygon()
        pavement = _walked(level)
        green = level.outline(Tag.TERRAIN)
        if not paved:
            # The outer strips are walked on; a median is not.
            pavement = shapely.union_all([verge, level.outline(Tag.TERRAIN, without=frozenset({"median"}))])
            verge = shapely.Polygon()
        whole = shapely.union_all([level.area, verge, pavement], grid_size=0.001)
        across = [
            shapely.intersection(drawn_out(area, pavement), whole)
            for area, height in crossings
            if shapely.intersects(area, whole) and _is_at(level, area, height)
        ]
        blocked = obstacles(static, whole, level.heights)
        crossed = shapely.difference(shapely.union_all(across), pavement) if across else shapely.Polygon()
        rest = shapely.union_all([level.carriageway, level.pavement])
        shapes = (crossed, pavement, rest, shapely.union(green, verge))
        free = [_opened(shapely.difference(shape, blocked)) for shape in shapes]
        found.append(Regions(level, tuple(free)))
    return found


def _walked(level: Level) -> shapely.Geometry:
    """Return the pavement without a strip along the kerb; where it is too narrow for that, all of it."""
    pavement = level.pavement
    kerbside = shapely.buffer(level.carriageway, KERB_M, quad_segs=2)
    inner = _opened(shapely.difference(pavement, kerbside))
    lost = shapely.difference(pavement, shapely.buffer(inner, KERB_M + 0.5, quad_segs=2))
    narrow = shapely.buffer(_opened(lost), 0.5, quad_segs=2)
    return shapely.union(inner, shapely.intersection(narrow, pavement))


def _verge(level: Level) -> shapely.Geometry:
    """Return strips of land beside carriageways that no pavement accompanies."""
    inner = shapely.union(level.carriageway, level.outline(Tag.TERRAIN))
    strip = shapely.difference(shapely.buffer(inner, VERGE_M, quad_segs=2), level.area)
    return shapely.intersection(shapely.buffer(_opened(strip, 0.5), 0.05, quad_segs=1), strip)


def _is_at(level: Level, area: shapely.Geometry, height: float) -> bool:
    place = shapely.get_coordinates(shapely.centroid(area))
    return abs(float(level.heights.at(place)[0]) - height) < 1.0


def _opened(shape: shapely.Geometry, by_m: float = NARROW_M) -> shapely.Geometry:
    """Return an area without its passages narrower than twice ``by_m``; corners stay sharp."""
    thin = shapely.buffer(shape, -by_m, join_style="mitre", mitre_limit=2.0)
    back = shapely.buffer(thin, by_m, join_style="mitre", mitre_limit=2.0)
    return shapely.intersection(back, shape)
