"""A motorway: two carriageways with an exit, an entry and an acceleration lane each, shoulders and guard rails.

Both carriageways are the same; the second is the first turned by 180 degrees about the middle. Each is a chain

    approach -> (diverge) -> middle, an S-curve -> (merge) -> acceleration -> (lane drop) -> departure

where the parts in brackets are junctions. The reference line is the left edge of the leftmost driving lane.
Direct junctions (OpenDRIVE 1.7) would say the same with fewer roads, but CARLA's client does not read them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field
from scenariogeneration import xodr

from scenarios.opendrive.compose.parts import (
    LaneSpec,
    Network,
    Piece,
    Pose2,
    SectionSpec,
    arc,
    barrier,
    connect,
    end_of,
    start_of,
    sway,
    taper,
)

_INNER_SHOULDER_M, _MEDIAN_M = 1.0, 1.5
_CURVE_RADIUS_M, _CURVE_ANGLE = 1500.0, math.radians(8.0)
_FORK_M, _FORK_RADIUS_M = 90.0, 400.0  # length of the junctions at the ramps, radius of the ramp in them
_DROP_M = 100.0  # length of the junction that ends the acceleration lane
_OPENING_M = 60.0  # over which the exit lane opens
_RAMP_RADIUS_M, _RAMP_TURN, _RAMP_SHOULDER_M = 80.0, math.radians(55.0), 1.5
SECOND = 100
"""Road ids of the second carriageway are those of the first plus this; the first has 1 to 4 on its way."""


class MotorwayParameters(BaseModel):
    """What a motorway may vary in. Lengths in metres.

    Lanes of a carriageway, from the left: median (2), inner shoulder (1), driving (-1 .. -lanes), then exit or
    acceleration lane where there is one, and the shoulder.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    lanes: int = Field(default=3, ge=2, le=4, description="through lanes in each direction")
    lane_width_m: float = Field(default=3.75, ge=3.25, le=4.0)
    shoulder_width_m: float = Field(default=2.5, ge=1.5, le=4.0)
    approach_m: float = Field(default=500.0, ge=200.0, le=5000.0)
    exit_lane_m: float = Field(default=200.0, ge=100.0, le=480.0, description="from where it opens to the fork")
    middle_straight_m: float = Field(default=90.0, ge=20.0, le=5000.0, description="before and after the S-curve")
    acceleration_m: float = Field(default=220.0, ge=100.0, le=600.0)
    departure_m: float = Field(default=250.0, ge=50.0, le=5000.0)
    speed_kmh: int = Field(default=120, ge=60, le=130)
    ramp_speed_kmh: int = Field(default=60, ge=30, le=80)


def motorway(parameters: MotorwayParameters = MotorwayParameters(), name: str = "RealityMotorway") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a motorway; the first carriageway starts near the origin and runs east.

    Raises:
        ValueError: the exit lane is longer than the approach.
    """
    p = parameters
    if p.exit_lane_m + 50.0 > p.approach_m:
        raise ValueError(f"exit_lane_m {p.exit_lane_m} needs an approach of {p.exit_lane_m + 50.0} m or more")
    network = Network(name)
    offset = _INNER_SHOULDER_M + _MEDIAN_M
    first = Pose2(0.0, -offset, 0.0)
    # The middle of the S-curve, on the line between the carriageways: the centre of the half turn.
    middle = end_of(
        Pose2(p.approach_m + _FORK_M, 0.0, 0.0), [Piece(p.middle_straight_m), arc(_CURVE_RADIUS_M, _CURVE_ANGLE)]
    )
    second = Pose2(2.0 * middle.x - first.x, 2.0 * middle.y - first.y, math.pi)
    for base, start in ((0, first), (SECOND, second)):
        _Carriageway(p, network, base, start).build()
    return network.text()


@dataclass
class _Carriageway:
    p: MotorwayParameters
    network: Network
    base: int
    start: Pose2

    def build(self) -> None:
        p, offset = self.p, _INNER_SHOULDER_M + _MEDIAN_M
        approach = self._approach()
        fork = self.start.moved(p.approach_m)
        after_fork = self._diverge(fork)
        curve = (
            Piece(p.middle_straight_m),
            arc(_CURVE_RADIUS_M + offset, _CURVE_ANGLE),
            arc(_CURVE_RADIUS_M - offset, -_CURVE_ANGLE),
            Piece(p.middle_straight_m),
        )
        self._main(2, after_fork, curve, [self._section()], ("junction", 1001), ("junction", 1002), "middle")
        merge = end_of(after_fork, curve)
        acceleration = self._merge(merge)
        drop = self._accelerate(acceleration)
        departure = self._lane_drop(drop)
        self._main(4, departure, [Piece(p.departure_m)], [self._section()], ("junction", 1003), None, "departure")
        self._rail(approach, 0.0, p.approach_m - p.exit_lane_m, self._edge())

    # --- lanes -------------------------------------------------------------------------------------------

    def _edge(self, extra_lanes: int = 0) -> float:
        """Return the distance from the reference line to the outer edge of the shoulder."""
        return (self.p.lanes + extra_lanes) * self.p.lane_width_m + self.p.shoulder_width_m

    def _section(
        self,
        s: float = 0.0,
        *,
        extra: tuple[float, float, float, float] | None = None,
        shoulder: tuple[float, float, float, float] | None = (0.0, 0.0, 0.0, 0.0),
        before: tuple[bool, bool] | None = None,
        after: tuple[bool, bool] | None = None,
    ) -> SectionSpec:
        """Return a section of the carriageway.

        Args:
            extra: width polynomial of a lane right of the through lanes, if there is one.
            shoulder: its width polynomial; all zero for the usual width, None for no shoulder.
            before, after: None where the road ends there, else whether the section or road beyond has
                (the extra lane, a shoulder): the links of all lanes follow from it.
        """
        p, kinds, marks = self.p, xodr.LaneType, xodr.RoadMarkType
        width = (p.lane_width_m, 0.0, 0.0, 0.0)
        lanes: list[LaneSpec] = []

        def beyond(neighbour: tuple[bool, bool] | None, lane: int | str) -> int | None:
            if neighbour is None:
                return None
            has_extra, has_shoulder = neighbour
            if lane == "extra":
                return -(p.lanes + 1) if has_extra else None
            if lane == "shoulder":
                return -(p.lanes + (2 if has_extra else 1)) if has_shoulder else None
            return int(lane)

        def add(
            kind: xodr.LaneType,
            polynomial: tuple[float, float, float, float],
            lane: int | str,
            mark: xodr.RoadMarkType,
            wide_m: float,
            change: xodr.LaneChange,
        ) -> None:
            lanes.append(
                LaneSpec(kind, polynomial, mark, wide_m, change, 0.0, beyond(before, lane), beyond(after, lane))
            )

        both, none = xodr.LaneChange.both, xodr.LaneChange.none
        for number in range(1, p.lanes + 1):
            last = number == p.lanes
            if not last:
                add(kinds.driving, width, -number, marks.broken, 0.15, both)
            elif extra is not None:
                add(kinds.driving, width, -number, marks.broken, 0.3, both)
            else:
                add(kinds.driving, width, -number, marks.solid, 0.3, none)
        if extra is not None:
            add(kinds.driving, extra, "extra", marks.solid, 0.3, none)
        if shoulder is not None:
            polynomial = shoulder if any(shoulder) else (p.shoulder_width_m, 0.0, 0.0, 0.0)
            add(kinds.shoulder, polynomial, "shoulder", marks.none, 0.12, none)
        left = [
            LaneSpec(kind, (lane_width, 0.0, 0.0, 0.0), predecessor=beyond(before, n), successor=beyond(after, n))
            for n, (kind, lane_width) in enumerate(((kinds.shoulder, _INNER_SHOULDER_M), (kinds.median, _MEDIAN_M)), 1)
        ]
        return SectionSpec(s, left, lanes, ((0.0, marks.solid),))

    def _ramp_section(self, shoulder: tuple[float, float, float, float], before: bool, after: bool) -> SectionSpec:
        """Return one driving lane and a shoulder, linked to lanes of the same numbers where a road follows."""
        width = (self.p.lane_width_m, 0.0, 0.0, 0.0)
        kinds, marks = xodr.LaneType, xodr.RoadMarkType
        return SectionSpec(
            0.0, (),
            [
                LaneSpec(kinds.driving, width, marks.solid, 0.15, predecessor=-1 if before else None,
                         successor=-1 if after else None),
                LaneSpec(kinds.shoulder, shoulder, predecessor=-2 if before else None, successor=-2 if after else None),
            ],
            ((0.0, marks.solid),),
        )  # fmt: skip

    # --- roads -------------------------------------------------------------------------------------------

    def _main(
        self,
        number: int,
        start: Pose2,
        pieces: Sequence[Piece],
        sections: Sequence[SectionSpec],
        before: tuple[str, int] | None,
        after: tuple[str, int] | None,
        name: str,
        junction: int = -1,
        ramp: bool = False,
    ) -> xodr.Road:
        """Add a road; ``before`` and ``after`` are ("junction" | "road", number without the carriageway's base)."""
        road = self.network.road(
            self.base + number, start, pieces, sections, kind=xodr.RoadType.motorway,
            speed_kmh=self.p.ramp_speed_kmh if ramp else self.p.speed_kmh,
            name=f"{name} {'A' if self.base == 0 else 'B'}",
            junction=junction if junction < 0 else self.base + junction,
        )  # fmt: skip
        ends = ((road.add_predecessor, before, "end"), (road.add_successor, after, "start"))
        for add, link, contact in ends:
            if link is None:
                continue
            if link[0] == "junction":
                add(xodr.ElementType.junction, self.base + link[1])
            else:
                add(xodr.ElementType.road, self.base + link[1], xodr.ContactPoint[contact])
        if not ramp and number != 16:
            length = sum(piece.length_m for piece in pieces)
            # One rail between the carriageways is enough: the first one carries it.
            if self.base == 0:
                median = _INNER_SHOULDER_M + _MEDIAN_M
                barrier(self.network, road, 0.0, length, (median, median))
            if junction < 0 and number in (2, 4):
                self._rail(road, 0.0, length, self._edge())
        return road

    def _rail(self, road: xodr.Road, s: float, length_m: float, edge_m: float) -> None:
        barrier(self.network, road, s, length_m, (-edge_m - 0.5, -edge_m - 0.5))

    def _approach(self) -> xodr.Road:
        p = self.p
        opening, full = p.approach_m - p.exit_lane_m, p.approach_m - p.exit_lane_m + _OPENING_M
        constant = (p.lane_width_m, 0.0, 0.0, 0.0)
        sections = [
            self._section(0.0, after=(True, True)),
            self._section(
                opening, extra=taper(_OPENING_M, 0.0, p.lane_width_m), before=(False, True), after=(True, True)
            ),
            self._section(full, extra=constant, before=(True, True)),
        ]
        # The first section's shoulder continues right of the lane that opens; the lane itself begins there.
        road = self._main(1, self.start, [Piece(p.approach_m)], sections, None, ("junction", 1001), "approach")
        self._rail(road, full, p.approach_m - full, self._edge(1))
        return road

    def _diverge(self, fork: Pose2) -> Pose2:
        p, lanes = self.p, self.p.lanes
        through, opening = [Piece(_FORK_M)], taper(_FORK_M, 0.0, p.shoulder_width_m)
        self._main(
            11, fork, through,
            [self._section(shoulder=opening, before=(False, False), after=(False, True))],
            ("road", 1), ("road", 2), "past the exit", junction=1001,
        )  # fmt: skip
        ramp_start, turn = fork.moved(0.0, -lanes * p.lane_width_m), -_FORK_M / _FORK_RADIUS_M
        narrowing = taper(_FORK_M, p.shoulder_width_m, _RAMP_SHOULDER_M)
        section = self._ramp_section(narrowing, True, True)
        section.right[0], section.right[1] = (  # type: ignore[index]
            _relinked(section.right[0], before=-(lanes + 1)), _relinked(section.right[1], before=-(lanes + 2)),
        )  # fmt: skip
        leaving = [arc(_FORK_RADIUS_M, turn)]
        self._main(12, ramp_start, leaving, [section], ("road", 1), ("road", 5), "exit", junction=1001, ramp=True)
        ramp = [Piece(60.0), arc(_RAMP_RADIUS_M, -_RAMP_TURN), Piece(40.0)]
        constant = (_RAMP_SHOULDER_M, 0.0, 0.0, 0.0)
        self._main(
            5, end_of(ramp_start, leaving), ramp, [self._ramp_section(constant, False, False)],
            ("junction", 1001), None, "exit ramp", ramp=True,
        )  # fmt: skip
        main = [(n, n) for n in range(-1, -lanes - 1, -1)]
        self._junction(1001, "diverge", [
            (1, 11, [(2, 2), (1, 1), *main]),
            (1, 12, [(-(lanes + 1), -1), (-(lanes + 2), -2)]),
        ])  # fmt: skip
        return fork.moved(_FORK_M)

    def _merge(self, merge: Pose2) -> Pose2:
        p, lanes = self.p, self.p.lanes
        closing = taper(_FORK_M, p.shoulder_width_m, 0.0)
        self._main(
            13, merge, [Piece(_FORK_M)],
            [self._section(shoulder=closing, before=(False, True), after=(False, False))],
            ("road", 2), ("road", 3), "past the entry", junction=1002,
        )  # fmt: skip
        after = merge.moved(_FORK_M)
        joining = [arc(_FORK_RADIUS_M, -_FORK_M / _FORK_RADIUS_M)]
        joining_start = start_of(after.moved(0.0, -lanes * p.lane_width_m), joining)
        section = self._ramp_section(taper(_FORK_M, _RAMP_SHOULDER_M, p.shoulder_width_m), True, True)
        section.right[0], section.right[1] = (  # type: ignore[index]
            _relinked(section.right[0], after=-(lanes + 1)), _relinked(section.right[1], after=-(lanes + 2)),
        )  # fmt: skip
        self._main(14, joining_start, joining, [section], ("road", 6), ("road", 3), "entry", junction=1002, ramp=True)
        ramp = [Piece(40.0), arc(_RAMP_RADIUS_M, -_RAMP_TURN), Piece(60.0)]
        constant = (_RAMP_SHOULDER_M, 0.0, 0.0, 0.0)
        self._main(
            6, start_of(joining_start, ramp), ramp, [self._ramp_section(constant, False, False)],
            None, ("junction", 1002), "entry ramp", ramp=True,
        )  # fmt: skip
        main = [(n, n) for n in range(-1, -lanes - 1, -1)]
        self._junction(1002, "merge", [
            (2, 13, [(2, 2), (1, 1), *main, (-(lanes + 1), -(lanes + 1))]),
            (6, 14, [(-1, -1), (-2, -2)]),
        ])  # fmt: skip
        return after

    def _accelerate(self, start: Pose2) -> Pose2:
        p = self.p
        section = self._section(extra=(p.lane_width_m, 0.0, 0.0, 0.0))
        road = self._main(
            3, start, [Piece(p.acceleration_m)], [section], ("junction", 1002), ("junction", 1003), "acceleration"
        )
        self._rail(road, 0.0, p.acceleration_m, self._edge(1))
        return start.moved(p.acceleration_m)

    def _lane_drop(self, start: Pose2) -> Pose2:
        """End the acceleration lane: a connecting road leads it sideways onto the last through lane."""
        p, lanes = self.p, self.p.lanes
        self._main(
            15, start, [Piece(_DROP_M)], [self._section(shoulder=None, before=(False, False), after=(False, False))],
            ("road", 3), ("road", 4), "past the lane drop", junction=1003,
        )  # fmt: skip
        section = self._ramp_section((p.shoulder_width_m, 0.0, 0.0, 0.0), True, True)
        section.right[0], section.right[1] = (  # type: ignore[index]
            _relinked(section.right[0], before=-(lanes + 1), after=-lanes),
            _relinked(section.right[1], before=-(lanes + 2), after=-(lanes + 1)),
        )  # fmt: skip
        self._main(
            16, start.moved(0.0, -lanes * p.lane_width_m), sway(_DROP_M, p.lane_width_m), [section],
            ("road", 3), ("road", 4), "lane drop", junction=1003,
        )  # fmt: skip
        main = [(n, n) for n in range(-1, -lanes - 1, -1)]
        self._junction(1003, "lane drop", [
            (3, 15, [(2, 2), (1, 1), *main]),
            (3, 16, [(-(lanes + 1), -1), (-(lanes + 2), -2)]),
        ])  # fmt: skip
        return start.moved(_DROP_M)

    def _junction(self, number: int, name: str, connections: list[tuple[int, int, list[tuple[int, int]]]]) -> None:
        junction = xodr.Junction(f"{name} {'A' if self.base == 0 else 'B'}", self.base + number)
        for incoming, connecting, links in connections:
            connect(junction, self.base + incoming, self.base + connecting, links)
        self.network.doc.add_junction(junction)


def _relinked(lane: LaneSpec, before: int | None = None, after: int | None = None) -> LaneSpec:
    return LaneSpec(
        lane.kind, lane.width, lane.mark, lane.mark_width_m, lane.lane_change, lane.height_m,
        lane.predecessor if before is None else before, lane.successor if after is None else after,
    )  # fmt: skip
