"""Single junctions and roundabouts with three to five arms, and small towns on a perturbed grid."""

from __future__ import annotations

import math
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from foundation.seeds import generator
from scenarios.opendrive.compose.mirroring import mirrored
from scenarios.opendrive.compose.parts import Network
from scenarios.opendrive.compose.streets import LEAST_GAP, Control, Node, NodeKind, Ring, Streets, Style

_LEAST_DEG = math.degrees(LEAST_GAP)
_TRIES = 40


class CrossingArm(BaseModel):
    """A street that leads away from a crossing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    bearing_deg: float = Field(ge=-360.0, le=360.0, description="0 east, 90 north")
    length_m: float = Field(default=120.0, ge=50.0, le=2000.0, description="from the middle of the crossing")


def _arms(*bearings: float) -> tuple[CrossingArm, ...]:
    return tuple(CrossingArm(bearing_deg=bearing) for bearing in bearings)


class _Crossing(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    arms: tuple[CrossingArm, ...] = Field(default=_arms(0, 90, 180, 270), min_length=3, max_length=5)
    ends: Literal["loop", "open"] = Field(default="loop", description="of the arms: a turning loop or nothing")
    style: Style = Style()

    @model_validator(mode="after")
    def _apart(self) -> _Crossing:
        bearings = sorted(arm.bearing_deg % 360.0 for arm in self.arms)
        for one, other in zip(bearings, (*bearings[1:], bearings[0] + 360.0)):
            if other - one < _LEAST_DEG - 1e-9:
                raise ValueError(f"two arms are {other - one:.0f} degrees apart; {_LEAST_DEG:.0f} is the least")
        return self

    def _nodes(self, kind: NodeKind, control: Control) -> tuple[list[Node], list[tuple[int, int]]]:
        nodes = [Node(0.0, 0.0, kind, control)]
        for arm in self.arms:
            bearing = math.radians(arm.bearing_deg)
            nodes.append(Node(arm.length_m * math.cos(bearing), arm.length_m * math.sin(bearing), self.ends))
        # Streets run outwards: s is 0 at the crossing.
        return nodes, [(0, number) for number in range(1, len(nodes))]


class JunctionParameters(_Crossing):
    """What a T, X, Y or five-armed junction may vary in. Signs give priority to the two most nearly opposite arms."""

    control: Control = "lights"


class RoundaboutParameters(_Crossing):
    """What a roundabout may vary in."""

    ring: Ring = Ring()


def junction(parameters: JunctionParameters = JunctionParameters(), name: str = "RealityJunction") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a junction whose middle is the origin."""
    p = parameters
    nodes, edges = p._nodes("junction", p.control)
    return _built(name, p.style, nodes, edges, Ring())


def roundabout(
    parameters: RoundaboutParameters = RoundaboutParameters(),  # noqa: B008
    name: str = "RealityRoundabout",
) -> str:
    """Return the OpenDRIVE text of a roundabout whose middle is the origin."""
    p = parameters
    nodes, edges = p._nodes("roundabout", "yield")
    return _built(name, p.style, nodes, edges, p.ring)


class SmallTownParameters(BaseModel):
    """What a town on a perturbed grid may vary in. Lengths in metres."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: int = Field(default=4, ge=2, le=12)
    rows: int = Field(default=3, ge=2, le=12)
    block_m: float = Field(default=120.0, ge=100.0, le=400.0)
    jitter: float = Field(default=0.12, ge=0.0, le=0.2, description="of crossings, as a share of a block")
    thinning: float = Field(default=0.15, ge=0.0, le=0.5, description="share of streets left out")
    lights: float = Field(default=0.4, ge=0.0, le=1.0, description="share of crossings with lights")
    roundabouts: float = Field(default=0.2, ge=0.0, le=1.0, description="share of crossings that are roundabouts")
    stops: float = Field(default=0.1, ge=0.0, le=1.0, description="share of crossings with stop signs; the rest yields")
    seed: int = Field(default=1, ge=0)
    ring: Ring = Ring()
    style: Style = Style()

    @model_validator(mode="after")
    def _shares(self) -> SmallTownParameters:
        if self.lights + self.roundabouts + self.stops > 1.0 + 1e-9:
            raise ValueError("lights, roundabouts and stops are shares of all crossings: together at most 1")
        return self


def small_town(parameters: SmallTownParameters = SmallTownParameters(), name: str = "RealityVillage") -> str:  # noqa: B008
    """Return the OpenDRIVE text of a town on a perturbed grid; the same seed gives the same town.

    Raises:
        ValueError: no arrangement was found in which all streets fit.
    """
    p = parameters
    problem: ValueError | None = None
    for attempt in range(_TRIES):
        nodes = _places(p, attempt)
        edges = _thinned(p, attempt)
        try:
            return _built(name, p.style, nodes, edges, p.ring)
        except ValueError as error:  # two arms too close, a street too short: draw again
            problem = error
    raise ValueError(f"no town found in {_TRIES} draws: {problem}; make blocks larger or jitter smaller")


def _places(p: SmallTownParameters, attempt: int) -> list[Node]:
    draw = generator(p.seed, "small town", "places", attempt)
    nodes = []
    for row in range(p.rows):
        for column in range(p.columns):
            dx, dy = draw.uniform(-p.jitter, p.jitter, 2) * p.block_m
            share = draw.uniform()
            kind: NodeKind = "roundabout" if share < p.roundabouts else "junction"
            share -= p.roundabouts
            control: Control = "lights" if share < p.lights else "stop" if share < p.lights + p.stops else "yield"
            nodes.append(Node(column * p.block_m + dx, row * p.block_m + dy, kind, control))
    return nodes


def _thinned(p: SmallTownParameters, attempt: int) -> list[tuple[int, int]]:
    """Return the grid's streets without some of them: every crossing keeps two, and all stay connected."""
    edges = []
    for row in range(p.rows):
        for column in range(p.columns):
            here = row * p.columns + column
            if column + 1 < p.columns:
                edges.append((here, here + 1))
            if row + 1 < p.rows:
                edges.append((here, here + p.columns))
    wanted = round(p.thinning * len(edges))
    for index in generator(p.seed, "small town", "thinning", attempt).permutation(len(edges)):
        edge = sorted(edges)[int(index) % len(edges)]
        rest = [other for other in edges if other != edge]
        if wanted and all(sum(n in e for e in rest) >= 2 for n in edge) and _connected(rest):
            edges, wanted = rest, wanted - 1
    return edges


def _connected(edges: list[tuple[int, int]]) -> bool:
    reached, todo = {edges[0][0]}, [edges[0][0]]
    while todo:
        here = todo.pop()
        for a, b in edges:
            for near, far in ((a, b), (b, a)):
                if near == here and far not in reached:
                    reached.add(far)
                    todo.append(far)
    return reached == {node for edge in edges for node in edge}


def _built(name: str, style: Style, nodes: list[Node], edges: list[tuple[int, int]], ring: Ring) -> str:
    network = Network(name)
    Streets(network, style, nodes, edges, ring).build()
    text = network.text()
    return mirrored(text) if style.traffic == "left" else text
