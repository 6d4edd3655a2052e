"""Signals of a road network, placed: where they stand, which lanes they rule, who controls them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.network import RoadNetwork
from scenarios.opendrive.objects import lanes_of, place
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.units import SI_FACTORS, to_si
from scenarios.opendrive.values import DRIVING_TYPES, LaneKey, Pose

_TO_KMH = {"km/h": 1.0, "": 1.0, "mph": 1.609344, "m/s": 3.6}

LIGHT_TYPES = frozenset({"1000001", "1000002", "F", "W", "A", *(str(n) for n in range(1000007, 1000021))})
"""Signal types that CARLA's client takes for traffic lights."""
_LIGHT_SHIFT_M = 0.25

TRIGGER_AHEAD_M = 3.0
TRIGGER_HALF_LENGTH_M = 1.5
TRIGGER_HALF_HEIGHT_M = 1.0


@dataclass(frozen=True, slots=True)
class SignalPlace:
    """A place where a signal counts: its own or that of a ``<signalReference>``.

    Attributes:
        road_id, s, t: road coordinates.
        orientation: "+", "-" or "none" as in the file.
        lanes: ids of the lanes it counts for, of any type, without the centre lane.
    """

    road_id: str
    s: float
    t: float
    orientation: str
    lanes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlacedSignal:
    """A signal in the world, ASAM's frame.

    Attributes:
        record: the ``<signal>`` element.
        road_id, s, t: where it is given (``<positionRoad>`` and ``<positionInertial>`` only move ``pose``).
        pose: where it stands; its heading is the road's, turned round for orientation "-", plus hOffset: a driver
            it is meant for drives in this direction when hOffset is 0.
        client_heading: heading in radians that CARLA's client gives the landmark: the road's plus hOffset,
            orientation left aside.
        value: its number in ``unit``, None if not given; ``speed_limit_kmh`` for speed limit signs.
        places: where it counts: its own place, then references in file order.
        controllers: ids of the controllers that switch it.
        junction: id of the junction that owns one of these, else of the road it stands at, else "".
    """

    record: furniture.Signal
    road_id: str
    s: float
    t: float
    pose: Pose
    client_heading: float
    places: tuple[SignalPlace, ...]
    controllers: tuple[str, ...]
    junction: str

    @property
    def id(self) -> str:
        """The signal's id."""
        return self.record.id

    @property
    def name(self) -> str:
        """The signal's name."""
        return self.record.name

    @property
    def country(self) -> str:
        """The country whose catalogue ``type`` is taken from."""
        return self.record.country

    @property
    def type(self) -> str:
        """The type in that catalogue."""
        return self.record.type_

    @property
    def subtype(self) -> str:
        """The subtype in that catalogue."""
        return self.record.subtype

    @property
    def value(self) -> float | None:
        """The number on the sign, in ``unit``."""
        return self.record.value

    @property
    def unit(self) -> str:
        """The unit of ``value``, "" if not given."""
        return self.record.unit

    @property
    def si_value(self) -> float | None:
        """``value`` in m, m/s, kg or (``%``) as a ratio; None without a value or a unit that the standard knows."""
        known = self.value is not None and self.unit in SI_FACTORS
        return to_si(float(self.value or 0.0), self.unit) if known else None

    @property
    def orientation(self) -> str:
        """The orientation as in the file."""
        return self.record.orientation

    @property
    def dynamic(self) -> bool:
        """Whether it changes, as a traffic light does."""
        return self.record.dynamic == "yes"

    @property
    def is_light(self) -> bool:
        """Whether CARLA takes it for a traffic light."""
        return self.type in LIGHT_TYPES

    @property
    def client_location(self) -> tuple[float, float, float]:
        """Where CARLA's client has the landmark: it moves lights 0.25 m along their heading.

        The client also moves what stands within a driving lane out of it, by some fifths of the lane's width; that
        is not followed here.
        """
        reach = _LIGHT_SHIFT_M if self.is_light else 0.0
        x, y, z = self.pose[:3]
        return x + reach * math.cos(self.client_heading), y + reach * math.sin(self.client_heading), z

    @property
    def speed_limit_kmh(self) -> float | None:
        """What a speed limit sign (type 274) allows; without a unit its value counts as km/h."""
        if self.type != "274":
            return None
        number = self.value
        if number is None or number <= 0.0:
            # Older files write the limit into the subtype: 274-56 is 60 km/h.
            digits = self.subtype.strip()
            return (float(digits) - 50.0) * 10.0 if digits.isdigit() and 51 <= int(digits) <= 63 else None
        return number * _TO_KMH.get(self.unit, 1.0)


@dataclass(frozen=True, slots=True)
class TriggerBox:
    """A box on a lane in which traffic is affected by a signal, ASAM's frame.

    ``pose`` is its centre on the lane's surface, headed with the traffic; sizes are halves in metres.
    """

    lane: LaneKey
    pose: Pose
    half_length: float
    half_width: float
    half_height: float


def signals(network: RoadNetwork) -> list[PlacedSignal]:
    """Return all signals of a network, roads and signals in file order.

    Where several signals have one id (``network.diagnostics`` tells), references and controllers count for each.
    """
    references: dict[str, list[SignalPlace]] = {}
    for road in network.roads.values():
        for reference in road.record.signal_references:
            references.setdefault(reference.id, []).append(_place(road, reference))
    switched, owner = _controllers(network)
    found = []
    for road in network.roads.values():
        for record in road.record.signals:
            controllers = tuple(switched.get(record.id, ()))
            owners = [owner[c] for c in controllers if c in owner]
            places = (_place(road, record), *references.get(record.id, ()))
            where = (road.id, record.s, record.t, _pose(network, road, record))
            junction = owners[0] if owners else road.junction
            found.append(PlacedSignal(record, *where, _client_heading(road, record), places, controllers, junction))
    return found


def trigger_boxes(network: RoadNetwork, signal: PlacedSignal) -> list[TriggerBox]:
    """Return the boxes in which CARLA's server would put traffic under a signal's rule.

    One for each driving lane it counts for, its centre 3 m before the signal in the direction of traffic, half
    size 1.5 m along, a quarter of the lane's width across, 1 m high. Where the lane belongs to a junction and has
    one predecessor, the box lies at that predecessor's end.
    """
    found: dict[LaneKey, TriggerBox] = {}
    for where in signal.places:
        road = network.roads[where.road_id]
        section = road.section_at(min(max(where.s, 0.0), road.length))
        for lane_id in where.lanes:
            if not section.has(lane_id) or section.lane(lane_id).type not in DRIVING_TYPES:
                continue
            key = LaneKey(road.id, section.index, lane_id)
            before = network.predecessors(key) if road.junction else []
            if len(before) == 1:
                key, s = before[0], _end_of(network, before[0])
            else:
                s = where.s
            box = _trigger_box(network, key, s)
            found.setdefault(box.lane, box)
    return list(found.values())


def _end_of(network: RoadNetwork, key: LaneKey) -> float:
    start, end = network.lane_range(key)
    return end if network.lane_drives_forward(key.road_id, key.lane_id, key.section) else start


def _trigger_box(network: RoadNetwork, key: LaneKey, s: float) -> TriggerBox:
    forward = network.lane_drives_forward(key.road_id, key.lane_id, key.section)
    start, end = network.lane_range(key)
    centre = min(max(s - TRIGGER_AHEAD_M if forward else s + TRIGGER_AHEAD_M, start), end)
    at = network.lane_poses(key, np.array([centre]))
    x, y, z, heading, pitch, roll = (float(column[0]) for column in at)
    if not forward:
        heading, pitch, roll = math.remainder(heading + math.pi, 2.0 * math.pi), -pitch, -roll
    width = float(network.lane_widths(key, np.array([centre]))[0])
    pose = Pose(x, y, z, heading, pitch, roll)
    return TriggerBox(key, pose, TRIGGER_HALF_LENGTH_M, 0.25 * width, TRIGGER_HALF_HEIGHT_M)


def _place(road: RoadGeometry, record: furniture.Signal | furniture.SignalReference) -> SignalPlace:
    """Return where a signal counts; without validity for all lanes whose traffic its orientation faces."""
    if record.validities:
        lanes = lanes_of(record.validities)
    else:
        section = road.section_at(min(max(record.s, 0.0), road.length))
        wanted = {"+": (True,), "-": (False,)}.get(record.orientation, (True, False))
        lanes = tuple(i for i in section.lane_ids if road.drives_forward(i, section.index) in wanted)
    return SignalPlace(road.id, record.s, record.t, record.orientation, lanes)


def _pose(network: RoadNetwork, road: RoadGeometry, record: furniture.Signal) -> Pose:
    turn = math.pi if record.orientation == "-" else 0.0
    inertial, other = record.position_inertial, record.position_road
    if inertial is not None:
        return Pose(inertial.x, inertial.y, inertial.z, inertial.hdg, inertial.pitch, inertial.roll)
    if other is not None and other.road_id in network.roads:
        base = network.roads[other.road_id]
        return place(base, other.s, other.t, other.z_offset, other.h_offset + turn, other.pitch, other.roll)
    return place(road, record.s, record.t, record.z_offset, record.h_offset + turn, record.pitch, record.roll)


def _client_heading(road: RoadGeometry, record: furniture.Signal) -> float:
    at = road.plan.at(np.array([min(max(record.s, 0.0), road.length)]))
    return math.remainder(float(at.heading[0]) + record.h_offset, 2.0 * math.pi)


def _controllers(network: RoadNetwork) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Return (controller ids by signal id, junction id by controller id)."""
    switched: dict[str, list[str]] = {}
    for controller in network.controllers.values():
        for control in controller.controls:
            if controller.id not in switched.setdefault(control.signal_id, []):
                switched[control.signal_id].append(controller.id)
    owner: dict[str, str] = {}
    for junction in network.junctions.values():
        for reference in junction.controllers:
            owner.setdefault(reference.id, junction.id)
    return switched, owner
