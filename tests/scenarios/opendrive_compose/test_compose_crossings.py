"""Junctions, roundabouts and small towns: sound by our own check, by the official one, and drivable everywhere."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
from pathlib import Path

import carla
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from pydantic import ValidationError

import scenarios.opendrive as opendrive
from scenarios.catalogue import MAPS
from scenarios.opendrive.check import check_text
from scenarios.opendrive.compose import (
    CorridorParameters,
    JunctionParameters,
    RoundaboutParameters,
    SmallTownParameters,
    corridor,
    junction,
    roundabout,
    small_town,
)
from scenarios.opendrive.compose.corridor import RailwayCrossing, Zebra
from scenarios.opendrive.compose.crossings import CrossingArm
from scenarios.opendrive.compose.streets import Ring, Style

SHORT = tuple(CrossingArm(bearing_deg=bearing, length_m=50) for bearing in (0, 180, 225))
RAILWAY = RailwayCrossing(kind="railway_crossing", s_m=90.0)


def arms(*bearings: float) -> tuple[CrossingArm, ...]:
    return tuple(CrossingArm(bearing_deg=bearing) for bearing in bearings)


def faults(text: str) -> list[str]:
    return [finding.text("") for finding in check_text(text) if finding.severity != "note"]


def gaps_to_bearings(first: float, gaps: list[float]) -> tuple[CrossingArm, ...]:
    """Return arms at least 60 degrees apart, from shares of what is left of the circle."""
    spare = 360.0 - 60.0 * len(gaps)
    steps = 60.0 + np.array(gaps) / sum(gaps) * spare
    return arms(*((first + np.cumsum(steps)) % 360.0))


bearings = st.builds(gaps_to_bearings, st.floats(0, 359), st.lists(st.floats(0.1, 1.0), min_size=3, max_size=5))


@given(bearings, st.sampled_from(["lights", "stop", "yield", "right_before_left"]), st.sampled_from(["loop", "open"]),
       st.sampled_from(["right", "left"]))  # fmt: skip
@settings(max_examples=8, deadline=None, derandomize=True)
def test_every_junction_is_sound(places, control, ends, side):
    p = JunctionParameters(arms=places, control=control, ends=ends, style=Style(traffic=side))
    text = junction(p)
    assert faults(text) == []
    network = opendrive.parse(text)
    # Every arm leads to every other one.
    count = len(places)
    assert sum("to" in road.get("name").split() for road in etree.fromstring(text.encode()).iter("road")) == count * (
        count - 1
    )
    lit = [signal for signal in opendrive.signals(network) if signal.is_light]
    assert len(lit) == (count if control == "lights" else 0)


@given(bearings, st.sampled_from(["right", "left"]))
@settings(max_examples=6, deadline=None, derandomize=True)
def test_every_roundabout_is_sound_and_driven_round(places, side):
    p = RoundaboutParameters(arms=places, ring=Ring(radius_m=22.0), style=Style(traffic=side))
    text = roundabout(p)
    assert faults(text) == []
    network = opendrive.parse(text)
    assert len({road.junction for road in network.roads.values() if road.junction}) == 2 * len(places)
    # Around the ring one comes back to where one was.
    ring = next(
        key
        for key in network.lane_keys()
        if key.road_id.startswith("2000") and network.lane_type(*key[::2], 1.0) == "driving"
    )
    key, seen = ring, set()
    while key not in seen:
        seen.add(key)
        key = next(k for k in network.successors(key) if "exit" not in network.road(k.road_id).record.name)
    assert key == ring


@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(2, 4))
@settings(max_examples=5, deadline=None, derandomize=True)
def test_every_small_town_is_sound_and_closed(seed, columns, rows):
    p = SmallTownParameters(seed=seed, columns=columns, rows=rows, block_m=140.0)
    text = small_town(p)
    assert text == small_town(p)
    assert faults(text) == []
    network = opendrive.parse(text)
    for key in network.lane_keys():
        if network.lane_type(key.road_id, key.lane_id, 0.0) == "driving":
            assert network.successors(key), key


def test_signs_phases_and_priorities():
    t = arms(0, 180, 270)
    root = etree.fromstring(junction(JunctionParameters(arms=t, control="stop")).encode())
    assert sorted(signal.get("type") for signal in root.iter("signal")) == ["206", "306", "306"]
    assert len(root.findall("junction/priority")) == 4 * 2  # each of four major movements over two from the stem
    crossing = JunctionParameters(style=Style(phases="opposed"))
    root = etree.fromstring(junction(crossing).encode())
    assert [len(controller) for controller in root.findall("controller")] == [2, 2]
    root = etree.fromstring(roundabout().encode())
    assert root.find("junctionGroup").get("type") == "roundabout"
    assert len(root.findall("junctionGroup/junctionReference")) == 4


def test_the_client_turns_left_by_left_hand_traffic():
    """In left-hand traffic the client drives positive lanes along s, and goes round a roundabout clockwise."""
    text = roundabout(RoundaboutParameters(style=Style(traffic="left")))
    world_map = carla.Map("left", text)
    ring = world_map.get_waypoint_xodr(20000, 1, 2.0)
    assert ring is not None
    place, heading = ring.transform.location, ring.transform.get_forward_vector()
    # CARLA's y points south: clockwise seen from above is the way of growing angles.
    assert place.x * heading.y - place.y * heading.x > 0.0


def test_an_island_moves_the_lanes_out_and_back():
    zebra = Zebra(kind="zebra", s_m=100.0, island_m=2.4)
    text = corridor(CorridorParameters(features=(zebra,)))
    assert faults(text) == []
    network = opendrive.parse(text)
    assert network.lane_type("1", -1, 100.0) == "median"
    at = network.lane_pose("1", -2, 100.0), network.lane_pose("1", -1, 20.0)
    assert at[1].y - at[0].y == pytest.approx(1.2, abs=1e-6)
    islands = [o for o in opendrive.objects(network) if o.type == "trafficIsland"]
    assert len(islands) == 2


def test_a_railway_crosses_with_its_signs():
    crossing = RailwayCrossing(kind="railway_crossing", s_m=110.0, tracks=2, angle_deg=70.0)
    text = corridor(CorridorParameters(before_m=150.0, bend_deg=20.0, after_m=150.0, features=(crossing,)))
    assert faults(text) == []
    network = opendrive.parse(text)
    assert {network.lane_type(road, -1, 50.0) for road in ("100", "101")} == {"rail"}
    assert sorted(signal.type for signal in opendrive.signals(network)) == ["151", "151", "201", "201"]
    middle, here = network.road_pose("100", 100.0), network.road_pose("1", 110.0)
    assert math.hypot(middle.x - here.x, middle.y - here.y) == pytest.approx(2.0, abs=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: JunctionParameters(arms=arms(0, 30, 180)), "30 degrees apart"),
        (lambda: JunctionParameters(arms=arms(0, 180)), "arms"),
        (lambda: junction(JunctionParameters(arms=SHORT)), "is the least"),
        (lambda: roundabout(RoundaboutParameters(arms=arms(0, 45, 180))), "make the radius larger"),
        (lambda: SmallTownParameters(lights=0.8, roundabouts=0.4), "together at most 1"),
        (lambda: CorridorParameters(features=(Zebra(kind="zebra", s_m=30.0, island_m=2.0),)), "needs 43 m"),
        (lambda: Zebra(kind="zebra", s_m=30.0, island_m=1.0), "too narrow"),
        (lambda: CorridorParameters(crest_m=2.0, features=(RAILWAY,)), "level"),
    ],
)  # fmt: skip
def test_what_cannot_be_built_is_refused(make, message):
    with pytest.raises((ValidationError, ValueError), match=message):
        make()


def _checker() -> str | None:
    own = Path(sys.executable).parent.parent / "checkers" / "bin" / "qc_opendrive"  # in .venv
    return os.environ.get("QC_OPENDRIVE") or (str(own) if own.exists() else shutil.which("qc_opendrive"))


@pytest.mark.slow
@pytest.mark.skipif(_checker() is None, reason="asam-qc-opendrive is not installed (or name it in QC_OPENDRIVE)")
def test_the_official_checker_has_nothing_to_say(tmp_path: Path):
    left = Style(traffic="left")
    five = arms(10, 75, 150, 220, 290)
    files = {name: path.read_text() for name, path in MAPS.items()}
    files |= {
        "five": junction(JunctionParameters(arms=five, control="lights")),
        "left": roundabout(RoundaboutParameters(arms=five, style=left)),
    }
    for name, text in files.items():
        (tmp_path / f"{name}.xodr").write_text(text)
        config = tmp_path / f"{name}.xml"
        config.write_text(
            f'<Config><Param name="InputFile" value="{tmp_path / name}.xodr"/>'
            '<CheckerBundle application="xodrBundle">'
            f'<Param name="resultFile" value="{tmp_path / name}.xqar"/></CheckerBundle></Config>'
        )
        subprocess.run(
            [str(_checker()), "-c", str(config)], check=True, capture_output=True, timeout=120.0, cwd=tmp_path
        )
        report = etree.parse(tmp_path / f"{name}.xqar")
        assert [issue.get("description") for issue in report.iter("Issue")] == [], name
        assert sum(checker.get("status") == "completed" for checker in report.iter("Checker")) >= 15
