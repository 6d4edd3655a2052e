"""The composer's maps, judged by CARLA's genuine client, by the standard's schema and by plain geometry."""

from __future__ import annotations

import math

import carla
import numpy as np
import pytest
from lxml import etree
from pydantic import ValidationError

from scenarios.catalogue import MAPS, compose
from scenarios.opendrive.compose import (
    MotorwayParameters,
    StreetParameters,
    TownParameters,
    motorway,
    street,
    town,
)

VARIANTS = {
    "street": lambda: street(),
    "street without a zebra": lambda: street(StreetParameters(length_m=120.0, crosswalk_s_m=None)),
    "town": lambda: town(),
    "block": lambda: town(TownParameters(columns=2, rows=2)),
    "large town": lambda: town(TownParameters(columns=4, rows=4, lights="four-way", phases="opposed")),
    "narrow town": lambda: town(TownParameters(lane_width_m=3.25, sidewalk_width_m=2.0, junction_half_m=11.0)),
    "motorway": lambda: motorway(),
    "wide motorway": lambda: motorway(MotorwayParameters(lanes=4, lane_width_m=3.5)),
    "small motorway": lambda: motorway(MotorwayParameters(lanes=2, exit_lane_m=120.0, approach_m=300.0)),
}


@pytest.fixture(scope="module", params=sorted(VARIANTS))
def made(request: pytest.FixtureRequest) -> tuple[str, str, carla.Map]:
    text = VARIANTS[request.param]()
    return request.param, text, carla.Map(request.param, text)


@pytest.fixture(scope="module")
def town_map() -> carla.Map:
    return carla.Map("RealityTown", town())


def driving(world_map: carla.Map, step_m: float = 4.0) -> list[carla.Waypoint]:
    return world_map.generate_waypoints(step_m)


def test_files_are_what_the_composer_writes() -> None:
    for name, path in MAPS.items():
        assert path.read_bytes() == compose(name).encode(), f"{name}: run python -m scenarios.catalogue"


def test_twice_the_same_text() -> None:
    assert town() == town()
    assert motorway() == motorway()


def test_the_client_finds_lanes(made: tuple[str, str, carla.Map]) -> None:
    _, text, world_map = made
    assert len(driving(world_map)) > 50
    assert len(world_map.get_topology()) >= 1
    zebras = text.count('type="crosswalk"')
    assert len(world_map.get_crosswalks()) == 4 * zebras


def test_lanes_continue_without_gap_or_kink(made: tuple[str, str, carla.Map]) -> None:
    """Half a metre on along the reference line, the lane's centre has moved on and turned as a drivable curve does."""
    _, _, world_map = made
    for waypoint in driving(world_map, 3.0):
        here = waypoint.transform
        forward = here.get_forward_vector()
        for following in waypoint.next(0.5):
            there = following.transform
            moved = here.location.distance(there.location)
            assert 0.3 < moved < 0.75, (waypoint, following)
            ahead = there.get_forward_vector()
            turned = math.acos(max(-1.0, min(1.0, forward.x * ahead.x + forward.y * ahead.y)))
            # No smaller radius than 5 m on a lane's centre.
            assert turned <= moved / 5.0, (waypoint, following)


def test_every_lane_has_a_road_mark(made: tuple[str, str, carla.Map]) -> None:
    _, text, _ = made
    root = etree.fromstring(text.encode())
    lanes = root.findall(".//lane")
    assert lanes
    assert all(lane.find("roadMark") is not None for lane in lanes)


def test_links_are_answered(made: tuple[str, str, carla.Map]) -> None:
    """A road that names a successor is named by it; a connecting road belongs to its junction's connections."""
    _, text, _ = made
    root = etree.fromstring(text.encode())
    roads = {road.get("id"): road for road in root.findall("road")}
    connecting = {c.get("connectingRoad"): (j.get("id"), c) for j in root.findall("junction") for c in j}
    for road_id, road in roads.items():
        for tag in ("predecessor", "successor"):
            link = road.find(f"link/{tag}")
            if link is None:
                continue
            if link.get("elementType") == "junction":
                assert root.find(f"junction[@id='{link.get('elementId')}']") is not None
                continue
            back = "predecessor" if link.get("contactPoint") == "start" else "successor"
            answer = roads[link.get("elementId")].find(f"link/{back}")
            assert answer is not None
            if road.get("junction") == "-1":
                assert answer.get("elementId") == road_id
            else:
                assert answer.get("elementType") == "junction"
                assert answer.get("elementId") == road.get("junction")
        if road.get("junction") != "-1":
            junction, connection = connecting[road_id]
            assert junction == road.get("junction")
            assert connection.get("incomingRoad") == road.find("link/predecessor").get("elementId")


def test_reference_lines_meet_where_roads_are_linked(made: tuple[str, str, carla.Map]) -> None:
    """Ends of linked town and street roads coincide (motorway ramps branch off beside the line)."""
    name, text, _ = made
    if "motorway" in name:
        pytest.skip("ramps leave from the edge of the carriageway, not from its reference line")
    root = etree.fromstring(text.encode())
    ends = {}
    for road in root.findall("road"):
        first, last = road.find("planView")[0], road.find("planView")[-1]
        ends[road.get("id"), "start"] = _start(first)
        ends[road.get("id"), "end"] = _end(last)
    for road in root.findall("road"):
        for tag, own in (("predecessor", "start"), ("successor", "end")):
            link = road.find(f"link/{tag}")
            if link is not None and link.get("elementType") == "road":
                other = ends[link.get("elementId"), link.get("contactPoint")]
                assert np.allclose(ends[road.get("id"), own], other, atol=1e-6)


def _start(geometry: etree._Element) -> tuple[float, float]:
    return float(geometry.get("x")), float(geometry.get("y"))


def _end(geometry: etree._Element) -> tuple[float, float]:
    x, y = _start(geometry)
    heading, length = float(geometry.get("hdg")), float(geometry.get("length"))
    arc = geometry.find("arc")
    if arc is None:
        return x + length * math.cos(heading), y + length * math.sin(heading)
    curvature = float(arc.get("curvature"))
    after = heading + curvature * length
    return x + (math.sin(after) - math.sin(heading)) / curvature, y - (math.cos(after) - math.cos(heading)) / curvature


def test_nobody_gets_stuck_in_town(town_map: carla.Map) -> None:
    """Every lane leads on, and from any street one can get to any other: traffic circulates for ever."""
    points = driving(town_map, 5.0)
    lanes: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for waypoint in points:
        following = waypoint.next(5.5)
        assert following, waypoint
        lanes.setdefault((waypoint.road_id, waypoint.lane_id), set()).update((w.road_id, w.lane_id) for w in following)
    start = next(iter(sorted(lanes)))
    for edges in (lanes, _reversed(lanes)):
        reached, todo = {start}, [start]
        while todo:
            for lane in edges.get(todo.pop(), ()):
                if lane not in reached:
                    reached.add(lane)
                    todo.append(lane)
        # A closed grid has two ways round, joined by turns at its junctions.
        assert reached == set(lanes)


def _reversed(edges: dict[tuple[int, int], set[tuple[int, int]]]) -> dict[tuple[int, int], set[tuple[int, int]]]:
    back: dict[tuple[int, int], set[tuple[int, int]]] = {}
    for start, ends in edges.items():
        for end in ends:
            back.setdefault(end, set()).add(start)
    return back


def test_a_junction_offers_all_turns(town_map: carla.Map) -> None:
    """From the four-way crossing's western arm one gets left, straight on and right: headings 90, 0, -90 (ASAM)."""
    before = town_map.get_waypoint_xodr(6, -1, 71.0)
    assert before is not None
    turns = set()
    for inside in before.next(2.0):
        after = inside.next_until_lane_end(1.0)[-1]
        # CARLA's yaw grows clockwise.
        turns.add(round(-(after.transform.rotation.yaw - before.transform.rotation.yaw) / 90.0) % 4)
    assert turns == {0, 1, 3}


def test_lights_are_grouped_and_seen(town_map: carla.Map) -> None:
    """Every lit approach has one light, valid for its incoming lane, in a controller that its junction names."""
    root = etree.fromstring(town().encode())
    controlled = {
        c.get("signalId"): controller.get("id") for controller in root.findall("controller") for c in controller
    }
    named = {
        c.get("id"): junction.get("id") for junction in root.findall("junction") for c in junction.findall("controller")
    }
    lights = [lm for lm in town_map.get_all_landmarks() if lm.type == "1000001"]
    assert len(lights) == 4 + 4 * 3  # one crossing of four arms, four of three
    assert set(controlled) == {lm.id for lm in lights}
    assert set(controlled.values()) == set(named)
    for light in lights:
        (lane,) = {lane for pair in light.get_lane_validities() for lane in pair}
        upstream = town_map.get_waypoint_xodr(light.road_id, lane, light.s).previous(20.0)[0]
        assert light.id in {lm.id for lm in upstream.get_landmarks_of_type(40.0, "1000001", False)}
        # The client's heading of a light is where its traffic drives.
        drives = upstream.transform.rotation.yaw
        assert math.cos(math.radians(light.transform.rotation.yaw - drives)) == pytest.approx(1.0, abs=1e-3)
        # It stands beside the road, right of its traffic.
        right = upstream.transform.get_right_vector()
        offset = light.transform.location - upstream.transform.location
        assert 2.0 < offset.x * right.x + offset.y * right.y < 4.0


def test_motorway_is_driven_through_on_every_lane() -> None:
    """From each lane at its start one arrives, without changing lanes, at the end of the carriageway or of the ramp."""
    world_map = carla.Map("RealityMotorway", motorway())
    for road_id, last_road in ((1, 4), (101, 104)):
        for lane in (-1, -2, -3):
            waypoint, steps = world_map.get_waypoint_xodr(road_id, lane, 1.0), 0
            while (following := waypoint.next(10.0)) and steps < 300:
                waypoint, steps = following[0], steps + 1
            assert waypoint.road_id == last_road
            assert waypoint.lane_id == lane
    ramp = world_map.get_waypoint_xodr(6, -1, 1.0)
    while following := ramp.next(10.0):
        ramp = following[0]
    assert (ramp.road_id, ramp.lane_id) == (4, -3), "the acceleration lane leads onto the last through lane"
    leaving = world_map.get_waypoint_xodr(1, -4, 490.0)
    while following := leaving.next(10.0):
        leaving = following[0]
    assert leaving.road_id == 5


def test_carriageways_lie_side_by_side() -> None:
    """The medians of both carriageways meet and never overlap: their reference lines are 5 m apart everywhere."""
    world_map = carla.Map("RealityMotorway", motorway())
    for s in np.arange(5.0, 590.0, 20.0):
        inner = world_map.get_waypoint_xodr(2, -1, float(s))
        right = inner.transform.get_right_vector()
        expected = inner.transform.location + right * -(inner.lane_width + 5.0)
        across = world_map.get_waypoint(expected, project_to_road=True)
        assert (across.road_id, across.lane_id) == (102, -1)
        # Along the road the client's search stops within some centimetres; across it its answer is exact.
        off = across.transform.location - expected
        assert abs(off.x * right.x + off.y * right.y) < 0.002


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: StreetParameters(length_m=10.0), "length_m"),
        (lambda: StreetParameters(crosswalk_s_m=400.0), "crosswalk_s_m"),
        (lambda: TownParameters(columns=1), "columns"),
        (lambda: TownParameters(lane_width_m=4.5, sidewalk_width_m=6.0, junction_half_m=10.0), "kerb radius"),
        (lambda: TownParameters(colour="red"), "colour"),  # type: ignore[call-arg]
        (lambda: MotorwayParameters(lanes=1), "lanes"),
    ],
)
def test_wrong_parameters_are_refused(make: object, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        make()  # type: ignore[operator]


def test_an_exit_lane_longer_than_the_approach_is_refused() -> None:
    with pytest.raises(ValueError, match="exit_lane_m"):
        motorway(MotorwayParameters(approach_m=200.0, exit_lane_m=180.0))
