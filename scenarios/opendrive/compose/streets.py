"""Streets between nodes: what junctions, roundabouts and towns off the grid have in common.

A node with one street is an open end or a turning loop, one with two a bend, one with three to five a junction or a
roundabout. Every street is straight: one driving lane and a pavement on each side. All arms of a node point at its
middle and end equally far from it, so every movement through a junction is one arc: turning by ``a`` at the distance
``d`` takes the radius d / tan(a / 2).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field
from scenariogeneration import xodr

from scenarios.opendrive.compose.parts import (
    KERB_HEIGHT_M,
    LIGHT_TYPE,
    YIELD_TYPE,
    LaneSpec,
    Network,
    Piece,
    Pose2,
    SectionSpec,
    arc,
    connect,
    crosswalk,
    signal,
    stop_line,
)

STOP_TYPE, PRIORITY_TYPE, ROUNDABOUT_TYPE = "206", "306", "215"
LEAST_GAP = math.radians(45.0)
"""Arms nearer to each other than this leave no room for a corner."""
LEAST_STREET_M = 30.0

ZEBRA_M, _ZEBRA_WIDTH_M, STOP_LINE_M, _LIGHT_M, _SOLID_LINE_M = 4.0, 4.0, 7.25, 6.5, 27.0
_LOOP_RADIUS_M, _LOOP_ANGLE = 10.0, math.pi / 3.0
_KERB_RADIUS_M, _BEND_KERB_M = 6.0, 14.0
_STREET_BASE, _CONNECTING_BASE, _JUNCTION_BASE, _SIGNAL_BASE, _CONTROLLER_BASE = 0, 2000, 1000, 5000, 6000
ROUNDABOUT_BASE = 10000
_FLAT = 1e-6

Control = Literal["lights", "stop", "yield", "right_before_left"]
NodeKind = Literal["open", "loop", "junction", "roundabout"]


class Style(BaseModel):
    """What all streets of a network share. Lengths in metres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lane_width_m: float = Field(default=3.5, ge=2.75, le=4.5)
    sidewalk_width_m: float = Field(default=2.5, ge=1.5, le=6.0)
    crosswalks: bool = True
    phases: Literal["split", "opposed"] = Field(default="split", description="one phase an arm, or one an axis")
    speed_kmh: int = Field(default=50, ge=10, le=70)
    traffic: Literal["right", "left"] = Field(default="right", description="the side that traffic keeps to")


class Ring(BaseModel):
    """The ring of a roundabout: one lane. Lengths in metres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    radius_m: float = Field(default=15.0, ge=10.0, le=40.0, description="inner edge of the lane")
    width_m: float = Field(default=5.0, ge=4.0, le=7.0)
    apron_m: float = Field(default=1.5, ge=0.5, le=4.0, description="paved strip inside the lane")
    speed_kmh: int = Field(default=30, ge=10, le=50)


@dataclass(frozen=True)
class Node:
    """A place where streets end or meet; ``kind`` says what is there with one street, or with three and more."""

    x: float
    y: float
    kind: NodeKind = "junction"
    control: Control = "right_before_left"


@dataclass(frozen=True)
class Arm:
    """The end of a street at a node."""

    street: int
    at_start: bool  # of the street
    bearing: float  # away from the node, radians in [0, 2 pi)

    @property
    def contact(self) -> xodr.ContactPoint:
        """Which end of the street it is."""
        return xodr.ContactPoint.start if self.at_start else xodr.ContactPoint.end

    @property
    def into(self) -> int:
        """Sign of the lanes that lead into the node."""
        return 1 if self.at_start else -1


def wrapped(angle: float) -> float:
    """Return an angle in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def gaps_of(arms: Sequence[Arm]) -> list[float]:
    """Return the angle from each arm to the next one counter-clockwise; arms are in the order of their bearings."""
    return [(b.bearing - a.bearing) % (2.0 * math.pi) for a, b in zip(arms, (*arms[1:], arms[0]))]


class Streets:
    """Builds a network of streets; ``network.text()`` is the result.

    Args:
        network: what to build into.
        style: of all streets.
        nodes: the places.
        edges: pairs of node numbers; a straight street lies between them.
        ring: of every roundabout.

    Raises:
        ValueError: arms too close to each other, more than five, or streets too short for what is at their ends.
    """

    def __init__(
        self, network: Network, style: Style, nodes: Sequence[Node], edges: Sequence[tuple[int, int]],
        ring: Ring = Ring(),  # noqa: B008
    ) -> None:  # fmt: skip
        self.network, self.style, self.ring = network, style, ring
        self.nodes, self.edges = list(nodes), list(edges)
        self.roads: dict[int, xodr.Road] = {}
        self._connecting, self._signal = itertools.count(_CONNECTING_BASE), itertools.count(_SIGNAL_BASE + 1)
        self._controller = itertools.count(_CONTROLLER_BASE)
        self.arms = [self._arms(number) for number in range(len(self.nodes))]
        self.setbacks = [self._setback(number) for number in range(len(self.nodes))]

    # --- geometry ----------------------------------------------------------------------------------------

    def _arms(self, number: int) -> tuple[Arm, ...]:
        here = self.nodes[number]
        arms = []
        for street, ends in enumerate(self.edges, 1):
            for at_start, (near, far) in ((True, ends), (False, ends[::-1])):
                if near == number:
                    there = self.nodes[far]
                    arms.append(Arm(street, at_start, math.atan2(there.y - here.y, there.x - here.x) % (2.0 * math.pi)))
        arms.sort(key=lambda arm: arm.bearing)
        if not 1 <= len(arms) <= 5:
            raise ValueError(f"node {number} has {len(arms)} streets; 1 to 5 can meet")
        if len(arms) > 1 and min(gaps_of(arms)) < LEAST_GAP - 1e-9:
            least = math.degrees(min(gaps_of(arms)))
            raise ValueError(f"two streets of node {number} are {least:.0f} degrees apart; 45 is the least")
        return tuple(arms)

    def _setback(self, number: int) -> float:
        """Return how far from a node's middle its streets end."""
        node, arms, style = self.nodes[number], self.arms[number], self.style
        if len(arms) == 1:
            return 0.0
        inner = max(_BEND_KERB_M if len(arms) == 2 else _KERB_RADIUS_M, style.sidewalk_width_m + 1.5)
        sharp = [gap for gap in gaps_of(arms) if gap < math.pi - 1e-3]
        corner = max(((style.lane_width_m + inner) / math.tan(0.5 * gap) for gap in sharp), default=0.0)
        if len(arms) == 2:
            return max(corner, 4.0)
        if node.kind == "roundabout":
            reach = self.reach(number)
            # From the ring's edge a tangent of the length r tan(reach), then as much again along the arm.
            return self.ring.radius_m * (1.0 / math.cos(reach) + math.tan(reach)) + 1.0
        return max(corner, 10.0)

    def reach(self, number: int) -> float:
        """Return the angle on the ring between an arm's axis and where its entry and exit meet the ring."""
        return min(math.radians(38.0), 0.5 * (min(gaps_of(self.arms[number])) - math.radians(9.0)))

    def pose(self, number: int, arm: Arm) -> Pose2:
        """Return the pose at the end of an arm, heading away from the node."""
        node = self.nodes[number]
        return Pose2(node.x, node.y, arm.bearing).moved(self.setbacks[number])

    # --- streets -----------------------------------------------------------------------------------------

    def build(self) -> None:
        """Add all roads, junctions, signs, lights and zebras."""
        # The library writes roads in the order they come; ids of streets are 1, 2, ...
        for street in range(1, len(self.edges) + 1):
            self.roads[street] = self._street(street)
        for number, arms in enumerate(self.arms):
            kind = self.nodes[number].kind
            if len(arms) == 1:
                if kind == "loop":
                    self._loop(number)
            elif len(arms) == 2:
                self._bend(number)
            elif kind == "roundabout":
                from scenarios.opendrive.compose.roundabouts import add_roundabout

                add_roundabout(self, number)
            else:
                self._junction(number)

    def lanes(
        self, sign: int, before: int | None, after: int | None, kerb: bool = True, widths: tuple[float, ...] = ()
    ) -> tuple[LaneSpec, ...]:
        """Return driving lane and pavement of one side (``sign`` -1 right); the links keep or turn the sign.

        Without ``kerb`` only the driving lane. ``widths`` is its width polynomial, the street's width by default.
        """

        def linked(lane: int, factor: int | None) -> int | None:
            return None if factor is None else sign * lane * factor

        mark = xodr.RoadMarkType.curb if kerb else xodr.RoadMarkType.none
        a, b, c, d = widths or (self.style.lane_width_m, 0.0, 0.0, 0.0)
        driving = LaneSpec(
            xodr.LaneType.driving, (a, b, c, d), mark, 0.15, predecessor=linked(1, before), successor=linked(1, after)
        )
        pavement = LaneSpec(
            xodr.LaneType.sidewalk, (self.style.sidewalk_width_m, 0, 0, 0), height_m=KERB_HEIGHT_M,
            predecessor=linked(2, before), successor=linked(2, after),
        )  # fmt: skip
        return (driving, pavement) if kerb else (driving,)

    def _street(self, street: int) -> xodr.Road:
        ends = self.edges[street - 1]
        near = next(arm for arm in self.arms[ends[0]] if arm.street == street and arm.at_start)
        a, b = self.nodes[ends[0]], self.nodes[ends[1]]
        length = math.hypot(b.x - a.x, b.y - a.y) - self.setbacks[ends[0]] - self.setbacks[ends[1]]
        if length < LEAST_STREET_M:
            raise ValueError(f"street {street} has {length:.1f} m between its ends; {LEAST_STREET_M:.0f} is the least")
        factors: list[int | None] = []
        for index, node in enumerate(ends):
            factors.append(None)
            if len(self.arms[node]) == 2:
                # A bend starts at its first arm and ends at its second: a street's end meets its start or end.
                at_bend_start = self.arms[node][0].street == street and self.arms[node][0].at_start == (index == 0)
                factors[-1] = -1 if at_bend_start == (index == 0) else 1
        zebras = [self._has_zebra(node) for node in ends]
        section = SectionSpec(
            0.0, self.lanes(1, factors[0], factors[1]), self.lanes(-1, factors[0], factors[1]),
            _center_marks(length, *zebras),
        )  # fmt: skip
        road = self.network.road(
            street, self.pose(ends[0], near), [Piece(length)], [section], kind=xodr.RoadType.town,
            speed_kmh=self.style.speed_kmh, name=f"street {street}",
        )  # fmt: skip
        for add, node, at_start in zip((road.add_predecessor, road.add_successor), ends, (True, False)):
            count = len(self.arms[node])
            if count == 1 and self.nodes[node].kind != "loop":
                continue
            if count != 2:
                add(xodr.ElementType.junction, self.junction_id(node, street, at_start))
                continue
            first = self.arms[node][0].street == street and self.arms[node][0].at_start == at_start
            contact = xodr.ContactPoint.start if first else xodr.ContactPoint.end
            add(xodr.ElementType.road, self._bend_id(node), contact)
        return road

    def junction_id(self, node: int, street: int, at_start: bool) -> int:
        """Return the junction that a street's end leads into; a roundabout has one for each of its arms."""
        if self.nodes[node].kind != "roundabout":
            return _JUNCTION_BASE + node
        index = next(i for i, a in enumerate(self.arms[node]) if a.street == street and a.at_start == at_start)
        return ROUNDABOUT_BASE + 10 * node + index

    def _has_zebra(self, node: int) -> bool:
        return len(self.arms[node]) > 2

    def _bend_id(self, node: int) -> int:
        return 500 + node

    def _bend(self, number: int) -> None:
        first, second = self.arms[number]
        before, after = (-1 if first.at_start else 1), (1 if second.at_start else -1)
        section = SectionSpec(
            0.0, self.lanes(1, before, after), self.lanes(-1, before, after), ((0.0, xodr.RoadMarkType.solid),)
        )
        turn = wrapped(second.bearing - first.bearing - math.pi)
        slow = min(self.style.speed_kmh, 30) if abs(turn) > 0.6 else self.style.speed_kmh
        road = self.network.road(
            self._bend_id(number), self.pose(number, first).moved(0.0, turn=math.pi), self._through(number, turn),
            [section], kind=xodr.RoadType.town, speed_kmh=slow, name=f"bend {number}",
        )  # fmt: skip
        road.add_predecessor(xodr.ElementType.road, first.street, first.contact)
        road.add_successor(xodr.ElementType.road, second.street, second.contact)

    def _through(self, number: int, turn: float) -> list[Piece]:
        """Return the way through a node that turns by ``turn``: one arc, or a line."""
        setback = self.setbacks[number]
        return [Piece(2.0 * setback)] if abs(turn) < _FLAT else [arc(setback / math.tan(0.5 * abs(turn)), turn)]

    def connecting_road(
        self, start: Pose2, pieces: Sequence[Piece], section: SectionSpec, *, junction: int, speed_kmh: float,
        name: str, before: tuple[int, xodr.ContactPoint], after: tuple[int, xodr.ContactPoint],
    ) -> int:  # fmt: skip
        """Add a road inside a junction that leads from one road's end to another's; returns its id."""
        road_id = next(self._connecting)
        road = self.network.road(
            road_id, start, pieces, [section], kind=xodr.RoadType.town, speed_kmh=speed_kmh,
            junction=junction, name=name,
        )  # fmt: skip
        road.add_predecessor(xodr.ElementType.road, *before)
        road.add_successor(xodr.ElementType.road, *after)
        return road_id

    def _loop(self, number: int) -> None:
        """Let who arrives at a street's end turn round: right, left round a circle, right, back onto the street."""
        (arm,) = self.arms[number]
        pieces = [
            arc(_LOOP_RADIUS_M, -_LOOP_ANGLE), arc(_LOOP_RADIUS_M, math.pi + 2.0 * _LOOP_ANGLE),
            arc(_LOOP_RADIUS_M, -_LOOP_ANGLE),
        ]  # fmt: skip
        end = (arm.street, arm.contact)
        road_id = self.connecting_road(
            self.pose(number, arm).moved(0.0, turn=math.pi), pieces,
            SectionSpec(0.0, (), self.lanes(-1, -arm.into, arm.into)),
            junction=_JUNCTION_BASE + number, speed_kmh=20, name=f"loop {number}", before=end, after=end,
        )  # fmt: skip
        # The far end leads onto the lanes of the other side.
        junction = xodr.Junction(f"loop {number}", _JUNCTION_BASE + number)
        connect(junction, arm.street, road_id, [(arm.into * n, -n) for n in (1, 2)])
        self.network.doc.add_junction(junction)

    # --- junctions ---------------------------------------------------------------------------------------

    def _junction(self, number: int) -> None:
        arms = self.arms[number]
        node_id = _JUNCTION_BASE + number
        junction = xodr.Junction(f"junction {number}", node_id)
        major = self.major(number)
        made: dict[bool, list[int]] = {True: [], False: []}
        for index, arm_in in enumerate(arms):
            for arm_out in arms:
                if arm_in is arm_out:
                    continue
                around = arm_out is arms[(index + 1) % len(arms)]
                made[arm_in in major].append(self._movement(number, junction, arm_in, arm_out, around))
        self.network.doc.add_junction(junction)
        if self.nodes[number].control in ("stop", "yield"):
            self.network.priorities(node_id, [(high, low) for high in made[True] for low in made[False]])
        for arm in arms:
            self._furnish(number, arm, arm in major)
        if self.nodes[number].control == "lights":
            self._lights(number)

    def major(self, number: int) -> tuple[Arm, ...]:
        """Return the two arms that are most nearly opposite: the street that has priority where signs give it."""
        pairs = itertools.combinations(self.arms[number], 2)
        return min(pairs, key=lambda p: (round(math.pi - abs(wrapped(p[0].bearing - p[1].bearing)), 6), p[0].bearing))

    def _movement(self, number: int, junction: xodr.Junction, arm_in: Arm, arm_out: Arm, around: bool) -> int:
        turn = wrapped(arm_out.bearing - arm_in.bearing - math.pi)
        lanes = self.lanes(-1, -arm_in.into, arm_out.into, kerb=around)
        slow = self.style.speed_kmh if abs(turn) < 0.6 else min(self.style.speed_kmh, 30)
        road_id = self.connecting_road(
            self.pose(number, arm_in).moved(0.0, turn=math.pi), self._through(number, turn),
            SectionSpec(0.0, (), lanes), junction=_JUNCTION_BASE + number, speed_kmh=slow,
            name=f"{number}: {arm_in.street} to {arm_out.street}", before=(arm_in.street, arm_in.contact),
            after=(arm_out.street, arm_out.contact),
        )  # fmt: skip
        connect(junction, arm_in.street, road_id, [(arm_in.into * n, -n) for n in ((1, 2) if around else (1,))])
        return road_id

    def from_end(self, arm: Arm, distance_m: float) -> float:
        """Return the s of a street that lies ``distance_m`` before its node."""
        return distance_m if arm.at_start else float(self.roads[arm.street].planview.get_total_length()) - distance_m

    def zebra(self, arm: Arm) -> None:
        """Put a zebra across an arm."""
        if self.style.crosswalks:
            road = self.roads[arm.street]
            crosswalk(self.network, road, self.from_end(arm, ZEBRA_M), _ZEBRA_WIDTH_M, 2.0 * self.style.lane_width_m)

    def _furnish(self, number: int, arm: Arm, major: bool) -> None:
        self.zebra(arm)
        control = self.nodes[number].control
        if control == "right_before_left":
            return
        if control == "lights" or not major:
            self.stop_line(arm, STOP_LINE_M)
        if control != "lights":
            self.sign(arm, PRIORITY_TYPE if major else STOP_TYPE if control == "stop" else YIELD_TYPE)

    def stop_line(self, arm: Arm, distance_m: float) -> None:
        """Paint a line across the lane that leads into the node."""
        # `into` is the sign of the side the traffic comes in on, and t grows to the left as lane ids do.
        width = self.style.lane_width_m * arm.into
        stop_line(self.network, self.roads[arm.street], self.from_end(arm, distance_m), 0.1 * arm.into, width)

    def sign(self, arm: Arm, kind: str, distance_m: float = _LIGHT_M) -> int:
        """Put a sign or light beside the lane that leads into the node; returns its id."""
        number = next(self._signal)
        t = arm.into * (self.style.lane_width_m + 0.6)
        signal(
            self.roads[arm.street], number, kind, self.from_end(arm, distance_m), t, forward=not arm.at_start,
            lanes=(arm.into, arm.into),
        )  # fmt: skip
        return number

    def _lights(self, number: int) -> None:
        arms = self.arms[number]
        lights = {arm: self.sign(arm, LIGHT_TYPE) for arm in arms}
        if self.style.phases == "split":
            phases = [[lights[arm]] for arm in arms]
        else:
            major = self.major(number)
            others = [arm for arm in arms if arm not in major]
            phases = [[lights[arm] for arm in major], [lights[arm] for arm in others]]
        for phase, signals in enumerate((p for p in phases if p), 1):
            self.network.controller(
                next(self._controller), f"junction {number} phase {phase}", signals, _JUNCTION_BASE + number
            )


def _center_marks(length: float, start: bool, end: bool) -> list[tuple[float, xodr.RoadMarkType]]:
    """Return the centre line: none over a zebra, solid before a stop line, broken elsewhere."""
    kinds = xodr.RoadMarkType
    solid = min(_SOLID_LINE_M, 0.4 * length)
    marks = [(0.0, kinds.none), (STOP_LINE_M, kinds.solid), (solid, kinds.broken)] if start else [(0.0, kinds.broken)]
    if end:
        marks += [(length - solid, kinds.solid), (length - STOP_LINE_M, kinds.none)]
    return marks
