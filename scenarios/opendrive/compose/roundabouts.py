"""A roundabout in a network of streets: a ring of one lane, and one junction for every arm.

The reference line of the ring is the inner edge of its lane, driven counter-clockwise. With the arm's axis at the
bearing b and the angle g between it and the places where its exit leaves and its entry joins the ring, the tangent at
b + g meets the axis at the distance R / cos g from the middle, R tan g away from the ring: an entry is the arc that
rounds this corner, an exit its mirror image. What lies between the two is the splitter island.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scenariogeneration import xodr

from scenarios.opendrive.compose.parts import (
    YIELD_TYPE,
    LaneSpec,
    Piece,
    Pose2,
    SectionSpec,
    arc,
    connect,
    taper,
)

if TYPE_CHECKING:
    from scenarios.opendrive.compose.streets import Arm, Streets

_RING_BASE = 20000
_START, _END = xodr.ContactPoint.start, xodr.ContactPoint.end


def add_roundabout(streets: Streets, node: int) -> None:
    """Add ring, entries and exits, yield signs and zebras of a roundabout.

    Raises:
        ValueError: the arms are so close to each other that entries and exits would be too tight for cars.
    """
    arms = streets.arms[node]
    for index in range(len(arms)):
        _free_ring(streets, node, index)
    for index, arm in enumerate(arms):
        _arm(streets, node, index, arm)
    names = [streets.junction_id(node, arm.street, arm.at_start) for arm in arms]
    streets.network.roundabout(_RING_BASE + 10 * node, f"roundabout {node}", names)


def _on_ring(streets: Streets, node: int, bearing: float) -> Pose2:
    middle = streets.nodes[node]
    return Pose2(middle.x, middle.y, bearing).moved(streets.ring.radius_m, turn=0.5 * math.pi)


def _ring_section(streets: Streets, kerb: bool, linked: bool) -> SectionSpec:
    ring, factor = streets.ring, 1 if linked else None
    link = 1 if linked else None
    apron = LaneSpec(xodr.LaneType.shoulder, (ring.apron_m, 0.0, 0.0, 0.0), predecessor=link, successor=link)
    widths = (ring.width_m, 0.0, 0.0, 0.0)
    lanes = streets.lanes(-1, factor, factor, kerb=kerb, widths=widths)
    return SectionSpec(0.0, (apron,), lanes, ((0.0, xodr.RoadMarkType.solid),))


def _free_ring(streets: Streets, node: int, index: int) -> None:
    """Add the stretch of ring after an arm's entry, up to the next arm's exit."""
    arms, reach = streets.arms[node], streets.reach(node)
    arm, following = arms[index], arms[(index + 1) % len(arms)]
    turn = (following.bearing - arm.bearing) % (2.0 * math.pi) - 2.0 * reach
    road = streets.network.road(
        _RING_BASE + 10 * node + index, _on_ring(streets, node, arm.bearing + reach),
        [arc(streets.ring.radius_m, turn)], [_ring_section(streets, kerb=True, linked=False)],
        kind=xodr.RoadType.town, speed_kmh=streets.ring.speed_kmh, name=f"roundabout {node} ring {index}",
    )  # fmt: skip
    road.add_predecessor(xodr.ElementType.junction, streets.junction_id(node, arm.street, arm.at_start))
    road.add_successor(xodr.ElementType.junction, streets.junction_id(node, following.street, following.at_start))


def _arm(streets: Streets, node: int, index: int, arm: Arm) -> None:
    ring, reach, count = streets.ring, streets.reach(node), len(streets.arms[node])
    number = streets.junction_id(node, arm.street, arm.at_start)
    before, after = _RING_BASE + 10 * node + (index - 1) % count, _RING_BASE + 10 * node + index
    turn = 0.5 * math.pi - reach
    tangent = ring.radius_m * math.tan(reach)
    radius = tangent / math.tan(0.5 * turn)
    if radius - ring.width_m < streets.style.sidewalk_width_m + 1.5:
        raise ValueError(
            f"roundabout {node}: its arms are too close for a ring of {ring.radius_m} m; make the radius larger"
        )
    lead = streets.setbacks[node] - ring.radius_m / math.cos(reach) - tangent
    corner, straight = arc(radius, -turn), Piece(lead)
    length = corner.length_m + lead
    narrow, wide = streets.style.lane_width_m, ring.width_m
    end = (arm.street, arm.contact)
    junction = xodr.Junction(f"roundabout {node} arm {index}", number)
    outside = streets.pose(node, arm)

    def lanes(widths: tuple[float, ...], into: int, out: int) -> SectionSpec:
        return SectionSpec(0.0, (), streets.lanes(-1, into, out, widths=widths), ((0.0, xodr.RoadMarkType.solid),))

    through = streets.connecting_road(
        _on_ring(streets, node, arm.bearing - reach), [arc(ring.radius_m, 2.0 * reach)],
        _ring_section(streets, kerb=False, linked=True), junction=number, speed_kmh=ring.speed_kmh,
        name=f"roundabout {node} past arm {index}", before=(before, _END), after=(after, _START),
    )  # fmt: skip
    leave = streets.connecting_road(
        _on_ring(streets, node, arm.bearing - reach), [corner, straight],
        lanes(taper(length, wide, narrow), 1, arm.into), junction=number, speed_kmh=ring.speed_kmh,
        name=f"roundabout {node} exit {index}", before=(before, _END), after=end,
    )  # fmt: skip
    enter = streets.connecting_road(
        outside.moved(0.0, turn=math.pi), [straight, corner], lanes(taper(length, narrow, wide), -arm.into, 1),
        junction=number, speed_kmh=ring.speed_kmh, name=f"roundabout {node} entry {index}", before=end,
        after=(after, _START),
    )  # fmt: skip
    connect(junction, before, through, [(1, 1), (-1, -1)])
    connect(junction, before, leave, [(-1, -1), (-2, -2)])
    connect(junction, arm.street, enter, [(arm.into * n, -n) for n in (1, 2)])
    streets.network.doc.add_junction(junction)
    streets.network.priorities(number, [(through, enter)])
    streets.zebra(arm)
    streets.stop_line(arm, 0.5)
    from scenarios.opendrive.compose.streets import ROUNDABOUT_TYPE

    streets.sign(arm, YIELD_TYPE)
    streets.sign(arm, ROUNDABOUT_TYPE, 8.0)
