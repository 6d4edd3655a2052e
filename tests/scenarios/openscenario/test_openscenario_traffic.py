"""Traffic actions: sources, sinks, swarms, areas and stopping them bring in and take out real entities."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from pathlib import Path

import pytest
from building import CAR, WALKER, act, after, at, circle, event, execution, group, maneuver, private, speed, text, until

from scenarios.openscenario import Execution, OpenScenarioError

DEFINITION = (
    '<TrafficDefinition name="mix"><VehicleCategoryDistribution><VehicleCategoryDistributionEntry category="car" weight="3"/>'
    '<VehicleCategoryDistributionEntry category="truck" weight="1"/></VehicleCategoryDistribution><ControllerDistribution>'
    '<ControllerDistributionEntry weight="1"><Controller name="default"><Properties/></Controller></ControllerDistributionEntry>'
    "</ControllerDistribution></TrafficDefinition>"
)


def place(s: float, lane: int = -1) -> str:
    return f'<Position><LanePosition roadId="1" laneId="{lane}" s="{s}"/></Position>'


def traffic(inner: str, name: str = "") -> str:
    named = f' trafficName="{name}"' if name else ""
    return f"<GlobalAction><TrafficAction{named}>{inner}</TrafficAction></GlobalAction>"


def source(rate: float, s: float = 100.0, radius: float = 0.0, more: str = DEFINITION, mps: float = 10.0) -> str:
    return f'<TrafficSourceAction rate="{rate}" radius="{radius}" speed="{mps}">{place(s)}{more}</TrafficSourceAction>'


def running(tmp_path: Path, *events: str, init: str = "", seed: int = 0, **options: object) -> Execution:
    story = act(maneuver(*events)) if events else ""
    start = init + private("Ego", at(50.0, lane=-2), speed(10.0))
    content = text(init=start, story=story, stop=group(after(100.0)), minor=3)
    return execution(tmp_path, content, dt=0.05, seed=seed, **options)  # type: ignore[arg-type]


def others(run: Execution) -> dict[str, tuple[float, float]]:
    return {name: (m.pose.x, m.pose.y) for name, m in run.motions.items() if name != "Ego"}


def test_a_source_brings_in_one_every_so_many_seconds_and_they_drive(tmp_path: Path) -> None:
    run = until(running(tmp_path, init=traffic(source(0.25), "south")), 20.0)
    assert sorted(others(run)) == [f"south_{i}" for i in range(6)], "at 0, 4, 8 ... 20 s"
    places = [others(run)[f"south_{i}"][0] for i in range(6)]
    assert places == sorted(places, reverse=True)
    assert places[0] > 280.0
    assert set(run.world.port.motions) == {*others(run), "Ego"}, "the world has them, not only the executor"


def test_a_source_waits_while_somebody_is_in_the_way(tmp_path: Path) -> None:
    blocked = private("Ego", at(100.0), speed(0.0))
    run = execution(tmp_path, text(init=traffic(source(1.0)) + blocked, stop=group(after(100.0)), minor=3), dt=0.05)
    assert others(until(run, 5.0)) == {}


def test_the_same_seed_gives_the_same_traffic_and_another_another(tmp_path: Path) -> None:
    def end(seed: int) -> dict[str, tuple[float, float]]:
        return others(until(running(tmp_path, init=traffic(source(1.0, 300.0, 60.0)), seed=seed), 10.0))

    assert end(1) == end(1)
    assert end(1) != end(2)
    assert all(abs(y) < 7.0 for _, y in end(1).values())


def test_they_keep_their_distance(tmp_path: Path) -> None:
    slow = private("Ego", at(150.0), speed(2.0))
    content = text(init=traffic(source(0.5, 50.0, mps=15.0)) + slow, stop=group(after(100.0)), minor=3)
    run = until(execution(tmp_path, content, dt=0.05), 40.0)
    assert len(others(run)) > 3
    assert run.collisions == ()


def test_a_sink_takes_out_what_traffic_brought_in_and_nobody_else(tmp_path: Path) -> None:
    sink = traffic(f'<TrafficSinkAction radius="20">{place(200.0)}</TrafficSinkAction>', "sink")
    run = until(running(tmp_path, init=traffic(source(0.5)) + sink), 30.0)
    assert "Ego" in run.motions
    assert all(x < 182.0 for x, _ in others(run).values())
    assert "source_0" in run.world.entities
    assert "source_0" in run.world.port.removed


def test_a_sink_with_a_rate_lets_the_others_pass(tmp_path: Path) -> None:
    sink = traffic(f'<TrafficSinkAction radius="20" rate="0.1">{place(200.0)}</TrafficSinkAction>')
    run = until(running(tmp_path, init=traffic(source(1.0, mps=20.0)) + sink), 20.0)
    assert 1 <= len(run.world.port.removed) <= 3
    assert any(x > 230.0 for x, _ in others(run).values())


def test_a_sink_for_trucks_leaves_cars(tmp_path: Path) -> None:
    trucks = DEFINITION.replace('"car" weight="3"', '"car" weight="0"')
    sink = traffic(f'<TrafficSinkAction radius="30">{place(200.0)}{trucks}</TrafficSinkAction>')
    run = until(running(tmp_path, init=traffic(source(1.0, mps=20.0)) + sink), 30.0)
    gone = {run.world.entities[name].record.category for name in run.world.port.removed}
    assert gone == {"truck"}
    assert "car" in {run.world.entities[n].record.category for n, (x, _) in others(run).items() if x > 240.0}


def test_a_swarm_stays_around_its_centre(tmp_path: Path) -> None:
    swarm = traffic(
        '<TrafficSwarmAction innerRadius="20" numberOfVehicles="8" offset="10" semiMajorAxis="120" semiMinorAxis="60">'
        f'<CentralObject entityRef="Ego"/>{DEFINITION}<InitialSpeedRange lowerLimit="8" upperLimit="12"/>'
        '<DirectionOfTravelDistribution same="1" opposite="0"/></TrafficSwarmAction>'
    )
    ego = private("Ego", at(400.0, lane=-2), speed(10.0))
    run = execution(tmp_path, text(init=swarm + ego, stop=group(after(100.0)), minor=3), dt=0.05)
    for moment in (1.0, 10.0, 25.0):
        until(run, moment)
        center = run.motions["Ego"].pose.x + 10.0
        found = others(run)
        assert 2 <= len(found) <= 8
        assert all(math.hypot((x - center) / 120.0, y / 60.0) < 1.1 for x, y in found.values())
        assert all(y < 0.0 for _, y in found.values()), "all go the same way, on the right"
    assert not [c for c in run.collisions if "Ego" not in (c.first, c.second)], "the ego does not look ahead"


def test_a_polygon_is_filled_once_or_again(tmp_path: Path) -> None:
    corners = "".join(
        f'<Position><WorldPosition x="{x}" y="{y}"/></Position>' for x, y in ((300, 9), (420, 9), (420, -9), (300, -9))
    )
    template = CAR.format(name="any", more="").replace('ScenarioObject name="any"', "ScenarioObjectTemplate")
    template = template.replace("/ScenarioObject", "/ScenarioObjectTemplate")
    mix = (
        '<TrafficDistribution><TrafficDistributionEntry weight="1"><EntityDistribution><EntityDistributionEntry weight="1">'
        f"{template}</EntityDistributionEntry></EntityDistribution></TrafficDistributionEntry></TrafficDistribution>"
    )

    def area(again: str) -> str:
        return traffic(
            f'<TrafficAreaAction numberOfEntities="4" continuous="{again}">{mix}<TrafficArea><Polygon>{corners}</Polygon>'
            "</TrafficArea></TrafficAreaAction>",
            "yard",
        )

    once = running(tmp_path, init=area("false"))
    assert len(others(until(once, 0.5))) == 4
    assert all(295.0 < x < 430.0 for x, _ in others(once).values())
    assert len(others(until(once, 20.0))) == 4
    again = until(running(tmp_path, init=area("true")), 20.0)
    assert again.world.port.removed, "who left the area is gone"
    assert all(295.0 < x < 425.0 for x, _ in others(again).values())


def test_a_range_of_a_road_is_filled_on_the_lanes_it_names(tmp_path: Path) -> None:
    area = traffic(
        '<TrafficAreaAction numberOfEntities="3" continuous="false"><TrafficArea><RoadRange length="80"><RoadCursor roadId="1" '
        's="20"><Lane id="1"/></RoadCursor><RoadCursor roadId="1"/></RoadRange></TrafficArea>' + DEFINITION + "</TrafficAreaAction>"
    )  # fmt: skip
    content = text(init=area + private("Ego", at(200.0), speed(0.0)), stop=group(after(100.0)), minor=3)
    run = execution(tmp_path, content, circle(), dt=0.05)
    until(run, 0.1)
    tracks = [run.world.entities[name].track for name in others(run)]
    assert len(tracks) == 3
    assert all(t is not None and t.lane_id == 1 and 14.0 < t.s < 101.0 for t in tracks)


def test_stopping_by_name_stops_only_that(tmp_path: Path) -> None:
    two = traffic(source(0.5, 100.0), "a") + traffic(source(0.5, 400.0), "b")
    stop = event("stop", traffic("<TrafficStopAction/>", "a"), group(after(3.0)))
    run = until(running(tmp_path, stop, init=two), 10.0)
    assert len([n for n in others(run) if n.startswith("a_")]) == 2
    assert len([n for n in others(run) if n.startswith("b_")]) > 4


def test_an_event_with_traffic_goes_on_until_it_is_stopped(tmp_path: Path) -> None:
    begin = event("begin", traffic(source(0.5), "a"), group(after(1.0)))
    stop = event("stop", traffic("<TrafficStopAction/>"), group(after(4.0)))
    run = until(running(tmp_path, begin, stop), 8.0)
    changes = [(c.time_s, c.transition) for c in run.events if c.name == "begin"]
    assert changes[-1][1] == "endTransition"
    assert 4.0 < changes[-1][0] < 4.2
    assert len(others(run)) == 2


def test_walkers_enter_on_pavements_only(tmp_path: Path) -> None:
    template = WALKER.format(name="w", more="").replace('ScenarioObject name="w"', "ScenarioObjectTemplate")
    template = template.replace("/ScenarioObject", "/ScenarioObjectTemplate")
    mix = (
        '<TrafficDistribution><TrafficDistributionEntry weight="1"><EntityDistribution><EntityDistributionEntry weight="1">'
        f"{template}</EntityDistributionEntry></EntityDistribution></TrafficDistributionEntry></TrafficDistribution>"
    )
    action = traffic(f'<TrafficSourceAction rate="1" radius="50">{place(100.0)}{mix}</TrafficSourceAction>')
    assert others(until(running(tmp_path, init=action), 3.0)) == {}, "this road has no pavement"


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (source(0.0), r"<TrafficSourceAction>: attribute rate=0 must be above 0"),
        (source(1.0, more=DEFINITION.replace('weight="3"', 'weight="0"').replace('"truck" weight="1"', '"truck" weight="0"')), r"<TrafficDefinition>: one weight must be above 0"),
        (source(1.0, more=DEFINITION.replace('"truck"', '"boat"')), r"category='boat' is unknown"),
        ('<TrafficAreaAction numberOfEntities="1" continuous="true"><TrafficArea/>' + DEFINITION + "</TrafficAreaAction>", r"<TrafficArea>: either a Polygon or RoadRanges"),
        (source(1.0, more=DEFINITION + "<Rivers/>"), "<Rivers>: unknown or unsupported"),
    ],
    ids=["rate", "weights", "category", "area", "unknown"],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(tmp_path: Path, action: str, message: str) -> None:
    with pytest.raises(OpenScenarioError, match=message):
        running(tmp_path, init=traffic(action))
