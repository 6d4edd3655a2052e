"""A small town: a closed grid of two-way streets with four-way junctions inside and T junctions at its rim.

Traffic can circulate for ever: every lane of every street has a successor. Streets that meet at a corner of the
grid are joined by a bend; three or four arms make a junction with lights (or a give-way sign on a T's stem).
All kerb corners are rounded: right-turn connecting roads carry the pavement around them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, model_validator
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

_DIRECTIONS = ((1, 0), (0, 1), (-1, 0), (0, -1))  # east, north, west, south: a quarter turn left each
_JUNCTION_BASE, _CONNECTING_BASE, _SIGNAL_BASE, _CONTROLLER_BASE, _BEND_BASE = 1000, 2000, 5000, 6000, 500

# Distances from the end of a street, where the junction begins.
_ZEBRA_M, _ZEBRA_WIDTH_M, _STOP_LINE_M, _LIGHT_M, _SOLID_LINE_M = 4.0, 4.0, 7.25, 6.5, 27.0


class TownParameters(BaseModel):
    """What a town may vary in. Lengths in metres.

    Lanes, from the centre outwards on both sides: driving (1), sidewalk (2). The crossing of column i and row j
    lies at (i * block_x_m, j * block_y_m).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: int = Field(default=3, ge=2, le=20)
    rows: int = Field(default=3, ge=2, le=20)
    block_x_m: float = Field(default=100.0, ge=80.0, le=400.0)
    block_y_m: float = Field(default=90.0, ge=80.0, le=400.0)
    lane_width_m: float = Field(default=4.0, ge=2.75, le=4.5)
    sidewalk_width_m: float = Field(default=3.0, ge=1.5, le=6.0)
    junction_half_m: float = Field(
        default=14.0, ge=10.0, le=18.0, description="from a crossing's middle to its streets' ends"
    )
    lights: str = Field(
        default="all",
        pattern="^(all|four-way|none)$",
        # Without lights CARLA's traffic manager locks up at T junctions under dense traffic: three cars that turn
        # left wait for each other for ever (seen with 30 vehicles in 5 minutes).
        description="junctions with lights; the stems of T junctions without get a give-way sign",
    )
    phases: str = Field(default="split", pattern="^(split|opposed)$", description="one phase an arm, or one an axis")
    crosswalks: bool = True
    speed_kmh: int = Field(default=50, ge=10, le=70)

    @model_validator(mode="after")
    def _corners_are_drivable(self) -> TownParameters:
        kerb_radius = self.junction_half_m - self.lane_width_m
        if kerb_radius < 5.0 or kerb_radius - self.sidewalk_width_m < 1.0:
            raise ValueError(
                f"junction_half_m {self.junction_half_m} leaves a kerb radius of {kerb_radius:.1f} m "
                f"inside a lane of {self.lane_width_m} m and a pavement of {self.sidewalk_width_m} m; 5 m is the least"
            )
        return self


@dataclass(frozen=True)
class _Arm:
    """The end of a street at a crossing."""

    road_id: int
    at_start: bool  # of the street
    direction: int  # index in _DIRECTIONS, pointing away from the crossing

    @property
    def contact(self) -> xodr.ContactPoint:
        return xodr.ContactPoint.start if self.at_start else xodr.ContactPoint.end

    @property
    def into(self) -> int:
        """Sign of the lanes that lead into the crossing."""
        return 1 if self.at_start else -1


@dataclass(frozen=True)
class _Crossing:
    """Column and row, its arms in the order of _DIRECTIONS, and the id of what joins them."""

    column: int
    row: int
    arms: tuple[_Arm, ...]
    joint_id: int

    @property
    def is_bend(self) -> bool:
        return len(self.arms) == 2


def town(parameters: TownParameters = TownParameters(), name: str = "RealityTown") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a town whose south-west crossing lies at the origin."""
    builder = _Builder(parameters, Network(name))
    builder.build()
    return builder.network.text()


class _Builder:
    def __init__(self, parameters: TownParameters, network: Network) -> None:
        self.p = parameters
        self.network = network
        self._streets: dict[tuple[int, int, int], int] = {}  # (column, row, 0 east | 1 north) -> road id
        for row in range(parameters.rows):
            for column in range(parameters.columns):
                for direction in (0, 1):
                    dx, dy = _DIRECTIONS[direction]
                    if column + dx < parameters.columns and row + dy < parameters.rows:
                        self._streets[column, row, direction] = len(self._streets) + 1
        self._crossings = {
            (column, row): self._crossing(column, row)
            for row in range(parameters.rows)
            for column in range(parameters.columns)
        }
        self._next_connecting = _CONNECTING_BASE
        self._next_signal = _SIGNAL_BASE

    def build(self) -> None:
        roads = {road_id: self._street(*place) for place, road_id in self._streets.items()}
        for crossing in self._crossings.values():
            if crossing.is_bend:
                self._bend(crossing)
                continue
            self._junction(crossing)
            for arm in crossing.arms:
                self._furnish(roads[arm.road_id], arm, crossing)
            if self._is_lit(crossing):
                self._lights(crossing, roads)

    def _is_lit(self, crossing: _Crossing) -> bool:
        return self.p.lights == "all" or (self.p.lights == "four-way" and len(crossing.arms) == 4)

    def _crossing(self, column: int, row: int) -> _Crossing:
        arms = []
        for direction, (dx, dy) in enumerate(_DIRECTIONS):
            at_start = direction < 2
            place = (column, row, direction) if at_start else (column + dx, row + dy, direction - 2)
            if place in self._streets:
                arms.append(_Arm(self._streets[place], at_start, direction))
        number = row * self.p.columns + column
        base = _BEND_BASE if len(arms) == 2 else _JUNCTION_BASE
        return _Crossing(column, row, tuple(arms), base + number)

    def _pose(self, crossing: _Crossing, direction: int) -> Pose2:
        """Return the pose at the end of an arm, heading away from the crossing."""
        heading = direction * math.pi / 2.0
        centre = Pose2(crossing.column * self.p.block_x_m, crossing.row * self.p.block_y_m, heading)
        return centre.moved(self.p.junction_half_m)

    def _lanes(self, sign: int, before: int | None, after: int | None, kerb: bool = True) -> tuple[LaneSpec, ...]:
        """Return driving lane and pavement of one side (``sign`` -1 right); the links keep or turn the sign."""

        def linked(lane: int, factor: int | None) -> int | None:
            return None if factor is None else sign * lane * factor

        mark = xodr.RoadMarkType.curb if kerb else xodr.RoadMarkType.none
        return (
            LaneSpec(
                xodr.LaneType.driving, (self.p.lane_width_m, 0, 0, 0), mark, 0.15,
                predecessor=linked(1, before), successor=linked(1, after),
            ),
            LaneSpec(
                xodr.LaneType.sidewalk, (self.p.sidewalk_width_m, 0, 0, 0), height_m=KERB_HEIGHT_M,
                predecessor=linked(2, before), successor=linked(2, after),
            ),
        )  # fmt: skip

    def _street(self, column: int, row: int, direction: int) -> xodr.Road:
        dx, dy = _DIRECTIONS[direction]
        ends = self._crossings[column, row], self._crossings[column + dx, row + dy]
        length = (self.p.block_x_m if direction == 0 else self.p.block_y_m) - 2.0 * self.p.junction_half_m
        # A bend starts at its first arm and ends at its second: a street's end meets a bend's start or end.
        factors: list[int | None] = []
        for index, crossing in enumerate(ends):
            factors.append(None)
            if crossing.is_bend:
                at_bend_start = crossing.arms[0].road_id == self._streets[column, row, direction]
                factors[-1] = -1 if at_bend_start == (index == 0) else 1
        section = SectionSpec(
            0.0,
            self._lanes(1, factors[0], factors[1]),
            self._lanes(-1, factors[0], factors[1]),
            self._center_marks(length, *(not crossing.is_bend for crossing in ends)),
        )
        road = self.network.road(
            self._streets[column, row, direction], self._pose(ends[0], direction), [Piece(length)], [section],
            kind=xodr.RoadType.town, speed_kmh=self.p.speed_kmh,
            name=f"{'street' if direction == 0 else 'avenue'} {column}-{row}",
        )  # fmt: skip
        for add, crossing in zip((road.add_predecessor, road.add_successor), ends):
            if not crossing.is_bend:
                add(xodr.ElementType.junction, crossing.joint_id)
                continue
            first = crossing.arms[0].road_id == road.id
            add(xodr.ElementType.road, crossing.joint_id, xodr.ContactPoint.start if first else xodr.ContactPoint.end)
        return road

    @staticmethod
    def _center_marks(length: float, start: bool, end: bool) -> list[tuple[float, xodr.RoadMarkType]]:
        """Return the centre line: none over a zebra, solid before a stop line, broken elsewhere."""
        kinds = xodr.RoadMarkType
        marks = [(0.0, kinds.none), (_STOP_LINE_M, kinds.solid), (_SOLID_LINE_M, kinds.broken)] if start else []
        marks = marks or [(0.0, kinds.broken)]
        if end:
            solid_from = max(length - _SOLID_LINE_M, marks[-1][0] + 1.0)
            marks += [(solid_from, kinds.solid), (length - _STOP_LINE_M, kinds.none)]
        return marks

    def _bend(self, crossing: _Crossing) -> None:
        first, second = crossing.arms
        turn = _turn(first.direction, second.direction)
        # Links keep the lane's sign where an end meets a start.
        before, after = (-1 if first.at_start else 1), (1 if second.at_start else -1)
        section = SectionSpec(
            0.0, self._lanes(1, before, after), self._lanes(-1, before, after), ((0.0, xodr.RoadMarkType.solid),)
        )
        start = self._pose(crossing, first.direction).moved(0.0, turn=math.pi)
        road = self.network.road(
            crossing.joint_id, start, [arc(self.p.junction_half_m, turn)], [section],
            kind=xodr.RoadType.town, speed_kmh=min(self.p.speed_kmh, 30), name=f"bend {crossing.column}-{crossing.row}",
        )  # fmt: skip
        road.add_predecessor(xodr.ElementType.road, first.road_id, first.contact)
        road.add_successor(xodr.ElementType.road, second.road_id, second.contact)

    def _junction(self, crossing: _Crossing) -> None:
        junction = xodr.Junction(f"crossing {crossing.column}-{crossing.row}", crossing.joint_id)
        for arm_in in crossing.arms:
            for arm_out in crossing.arms:
                if arm_in is not arm_out:
                    self._movement(crossing, junction, arm_in, arm_out)
        self.network.doc.add_junction(junction)

    def _movement(self, crossing: _Crossing, junction: xodr.Junction, arm_in: _Arm, arm_out: _Arm) -> None:
        turn = _turn(arm_in.direction, arm_out.direction)
        right_of = (arm_in.direction + 1) % 4  # seen by whoever drives in from this arm
        flat_side = turn == 0.0 and all(arm.direction != right_of for arm in crossing.arms)
        around_kerb = turn < 0.0 or flat_side
        lanes = self._lanes(-1, -arm_in.into, arm_out.into, kerb=around_kerb)
        half = self.p.junction_half_m
        pieces = [Piece(2.0 * half)] if turn == 0.0 else [arc(half, turn)]
        road_id = self._next_connecting
        self._next_connecting += 1
        road = self.network.road(
            road_id, self._pose(crossing, arm_in.direction).moved(0.0, turn=math.pi), pieces,
            [SectionSpec(0.0, (), lanes if around_kerb else lanes[:1])],
            kind=xodr.RoadType.town, speed_kmh=self.p.speed_kmh if turn == 0.0 else min(self.p.speed_kmh, 30),
            junction=crossing.joint_id,
            name=f"{crossing.column}-{crossing.row} {arm_in.road_id} to {arm_out.road_id}",
        )  # fmt: skip
        road.add_predecessor(xodr.ElementType.road, arm_in.road_id, arm_in.contact)
        road.add_successor(xodr.ElementType.road, arm_out.road_id, arm_out.contact)
        links = [(arm_in.into * n, -n) for n in ((1, 2) if around_kerb else (1,))]
        connect(junction, arm_in.road_id, road_id, links)

    def _from_end(self, road: xodr.Road, arm: _Arm, distance_m: float) -> float:
        """Return the s that lies ``distance_m`` before the crossing."""
        return distance_m if arm.at_start else float(road.planview.get_total_length()) - distance_m

    def _furnish(self, road: xodr.Road, arm: _Arm, crossing: _Crossing) -> None:
        width = self.p.lane_width_m
        if self.p.crosswalks:
            crosswalk(self.network, road, self._from_end(road, arm, _ZEBRA_M), _ZEBRA_WIDTH_M, 2.0 * width)
        is_stem = all(other.direction != (arm.direction + 2) % 4 for other in crossing.arms)
        lit = self._is_lit(crossing)
        if not (is_stem or lit):
            return
        # `into` is the sign of the side the traffic comes in on, and t grows to the left as lane ids do.
        stop_line(self.network, road, self._from_end(road, arm, _STOP_LINE_M), 0.1 * arm.into, width * arm.into)
        if not lit:
            self._sign(road, arm, YIELD_TYPE)

    def _sign(self, road: xodr.Road, arm: _Arm, kind: str) -> int:
        self._next_signal += 1
        t = arm.into * (self.p.lane_width_m + 0.6)
        signal(
            road, self._next_signal, kind, self._from_end(road, arm, _LIGHT_M), t,
            forward=not arm.at_start, lanes=(arm.into, arm.into),
        )  # fmt: skip
        return self._next_signal

    def _lights(self, crossing: _Crossing, roads: dict[int, xodr.Road]) -> None:
        lights = [self._sign(roads[arm.road_id], arm, LIGHT_TYPE) for arm in crossing.arms]
        if self.p.phases == "split":
            phases = [[light] for light in lights]
        else:
            axes = [[s for s, arm in zip(lights, crossing.arms) if arm.direction % 2 == axis] for axis in (0, 1)]
            phases = [axis for axis in axes if axis]
        for number, phase in enumerate(phases):
            controller_id = _CONTROLLER_BASE + 10 * (crossing.joint_id - _JUNCTION_BASE) + number
            name = f"crossing {crossing.column}-{crossing.row} phase {number + 1}"
            self.network.controller(controller_id, name, phase, crossing.joint_id)


def _turn(direction_in: int, direction_out: int) -> float:
    """Return the angle turned by who enters from one arm and leaves by another: left positive, 0 straight on."""
    quarter = (direction_out - direction_in - 2 + 1) % 4 - 1
    return quarter * math.pi / 2.0
