"""The evaluation against runs whose figures can be worked out by hand; the executor alone, no simulator."""

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios import evaluation, metrics
from scenarios.evaluation import Evaluator, StopLine, face, impact_point, in_frame, is_red
from scenarios.openscenario import Execution, load
from scenarios.openscenario.bare_port import BarePort
from scenarios.safety import RssParameters

DATA = Path(__file__).parents[1] / "data" / "broken"
OTHER = """
    <ScenarioObject name="Other">
      <Vehicle name="car" vehicleCategory="car">
        <BoundingBox><Center x="1.4" y="0.0" z="0.75"/><Dimensions width="1.8" length="4.5" height="1.5"/></BoundingBox>
        <Performance maxSpeed="69" maxDeceleration="10" maxAcceleration="10"/>
        <Axles>
          <FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.7" positionX="2.8" positionZ="0.3"/>
          <RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.7" positionX="0" positionZ="0.3"/>
        </Axles>
        <Properties/>
      </Vehicle>
    </ScenarioObject>
  </Entities>"""
PLACE = """
        <Private entityRef="Other"><PrivateAction><TeleportAction><Position>
          <LanePosition roadId="1" laneId="-1" s="{s}" offset="0"/>
        </Position></TeleportAction></PrivateAction></Private>
      </Actions>"""


def run(tmp_path, gap_m=None, speed=10.0, offset=0.0, parameters=""):
    """Drive the ego from s = 10 m at constant speed, perhaps towards a car that stands ``gap_m`` before its bumper."""
    text = (DATA / "valid.xosc").read_text().replace("street.xodr", str(DATA / "street.xodr"))
    text = text.replace('s="10" offset="0"', f's="10" offset="{offset}"')
    if gap_m is not None:
        text = text.replace("</Entities>", OTHER).replace("</Actions>", PLACE.format(s=10 + 4.5 + gap_m))
    text = text.replace("</ParameterDeclarations>", parameters + "</ParameterDeclarations>")
    file = tmp_path / "run.xosc"
    file.write_text(text)
    execution = Execution(load(file, {"Speed": str(speed)}), None, BarePort(), 0.05)
    execution.start()
    evaluator = Evaluator("Ego", execution.world)
    evaluator.record()
    while not execution.finished:
        execution.step()
        evaluator.record()
    return evaluator.finish(execution.outcome)


def test_alone_at_constant_speed(tmp_path):
    found = run(tmp_path)
    assert found.metrics["max_speed_kmh"] == pytest.approx(36.0)
    assert found.metrics["max_jerk_mps3"] == pytest.approx(0.0, abs=1e-6)
    assert found.metrics["max_lane_offset_m"] == pytest.approx(0.0, abs=0.01)
    assert found.metrics["lane_departures"] == 0
    assert found.metrics["min_ttc_s"] is None
    assert found.metrics["tet_s"] == 0.0
    assert found.collisions == []
    assert "ncap_points" not in found.metrics
    assert len(found.series) == 62  # 3.05 s: the trigger asks for more than 3


def test_towards_a_standing_car(tmp_path):
    """25 m at 10 m/s: TTC falls from 2.5 s by 1 s a second, the impact comes at 2.5 s with 36 km/h, on the front."""
    found = run(tmp_path, gap_m=25.0)
    rows = [dict(zip(evaluation.SERIES_COLUMNS, row, strict=True)) for row in found.series]
    for row in rows:
        left = 25.0 - 10.0 * row["time"]
        if left > 1e-6:
            assert row["ttc"] == pytest.approx(left / 10.0, abs=1e-6)
            assert row["headway"] == pytest.approx(left / 10.0, abs=1e-6)
            assert row["drac"] == pytest.approx(100.0 / (2.0 * left), rel=1e-6)
            assert row["distance"] == pytest.approx(left, abs=1e-6)
            assert row["ttc_to"] == "Other"
    (collision,) = found.collisions
    assert collision["time_s"] == pytest.approx(2.5, abs=0.051)
    assert collision["counterpart"] == "Other"
    assert collision["face"] == "front"
    assert collision["ego_left_m"] == pytest.approx(0.0, abs=1e-6)
    assert found.metrics["impact_speed_kmh"] == pytest.approx(36.0)
    assert found.metrics["rss_min_margin_m"] < 0.0
    # RSS asks for 10 + 1.75 + 13.5^2/8 = 34.5 m behind a standing car: dangerous from the start
    assert rows[0]["rss_margin"] == pytest.approx(25.0 - 34.53125)
    assert found.metrics["rss_first_danger_s"] == 0.0
    # every step from 2.5 s down to 0.05 s
    assert found.metrics["tet_s"] == pytest.approx(50 * 0.05, abs=0.051)
    assert "risk_of_death" not in collision, "the formula is for pedestrians"


def test_points_of_a_test_that_carries_them(tmp_path):
    declared = '<ParameterDeclaration name="ncap_points" parameterType="double" value="3"/>'
    assert run(tmp_path, gap_m=25.0, parameters=declared).metrics["ncap_points"] == pytest.approx(0.0)
    free = run(tmp_path, gap_m=60.0, parameters=declared)
    assert (free.metrics["ncap_points"], free.metrics["ncap_available"]) == (3.0, 3.0)


def test_beside_the_middle_of_the_lane(tmp_path):
    found = run(tmp_path, offset=1.2)
    assert found.metrics["max_lane_offset_m"] == pytest.approx(1.2, abs=0.02)
    assert found.metrics["rms_lane_offset_m"] == pytest.approx(1.2, abs=0.02)
    assert found.metrics["lane_departures"] == 1, "it begins beyond its edge and stays there"
    assert found.metrics["outside_lane_s"] == pytest.approx(62 * 0.05)


def test_the_series_survives_its_file(tmp_path):
    found = run(tmp_path, gap_m=25.0)
    evaluation.write_series(tmp_path / "m.csv", found.series)
    rows = evaluation.read_series(tmp_path / "m.csv")
    assert len(rows) == len(found.series)
    assert rows[0]["ttc"] == pytest.approx(2.5)
    assert rows[0]["ttc_to"] == "Other"
    assert rows[0]["speed_limit_kmh"] is None


@pytest.mark.parametrize(
    ("state", "red"),
    [("red", True), ("Red", True), ("stop", True), ("green", False), ("yellow", False), (None, False), ("", False),
     ("on;off;off", True), ("on;on;off", True), ("off;off;on", False), ("off;on;off", False)],
)  # fmt: skip
def test_what_is_red(state, red):
    assert is_red(state) is red


@given(st.floats(-math.pi, math.pi), st.floats(-3, 3), st.floats(0.1, 4), st.floats(0.1, 4))
def test_a_stop_line_counts_in_its_direction_and_within_its_width(heading, aside, before, after):
    line = StopLine("1", 3.0, -2.0, 0.0, heading, 1.75)
    c, s = math.cos(heading), math.sin(heading)

    def at(ahead):
        return 3.0 + ahead * c - aside * s, -2.0 + ahead * s + aside * c

    if abs(abs(aside) - 1.75) > 1e-6:
        assert line.crossed(at(-before), at(after)) == (abs(aside) < 1.75)
    assert not line.crossed(at(after), at(-before)), "the other way"
    assert not line.crossed(at(after), at(after + 1.0)), "passed already"


class _World:
    """Just enough of a world for lights."""

    def __init__(self, state):
        self.state = state

    def signal_state(self, name):
        assert name == "7"
        return self.state


@pytest.mark.parametrize(("state", "count"), [("red", 1), ("green", 0), ("yellow", 0)])
def test_a_red_light_is_run_once_by_the_front(state, count):
    lights = evaluation._Lights([StopLine("7", 10.0, 0.0, 0.0, 0.0, 1.75), StopLine("7", 10.0, 1.0, 0.0, 0.0, 1.75)])
    for x in (0.0, 5.0, 9.0, 14.0):
        lights.record(_World(state), metrics.Moving(metrics.Rect(x, 0.0, 0.0, 4.0, 1.8), (5.0, 0.0)), x)
    assert [(t, name) for t, name in lights.run] == [(9.0, "7")] * count


def test_our_town_has_stop_lines():
    from scenarios import catalogue, opendrive

    network = opendrive.read(catalogue.MAPS["RealityTown"])
    lines = evaluation.stop_lines(network)
    assert lines
    for line in lines:
        place = network.locate(line.x - 1.0 * math.cos(line.heading), line.y - 1.0 * math.sin(line.heading))
        assert place is not None
        assert abs(place.offset) < 0.5, "a line lies across the lane it guards"
        assert 1.0 < line.half_width < 3.0


@given(st.floats(-math.pi, math.pi), st.floats(-2, 2))
def test_impact_points_lie_in_both_boxes(heading, aside):
    a = metrics.Rect(0.0, 0.0, 0.0, 4.5, 1.8)
    b = metrics.Rect(2.0, aside, heading, 3.0, 1.0)
    if not metrics.overlap(a, b):
        return
    for rect in (a, b):
        forward, left = in_frame(rect, impact_point(a, b))
        assert abs(forward) <= 0.5 * rect.length + 1e-6
        assert abs(left) <= 0.5 * rect.width + 1e-6


def test_faces():
    car = metrics.Rect(0.0, 0.0, 0.0, 4.0, 2.0)
    assert [face(car, *p) for p in ((1.9, 0.3), (-1.9, 0.0), (0.0, 0.9), (0.5, -0.95))] == [
        "front", "rear", "left", "right",
    ]  # fmt: skip


def test_rss_follows_the_cars_around(tmp_path):
    """In any orientation of the world the situation of a pair is the same."""
    outcome = []
    for turn in (0.0, 1.0, -2.5):
        c, s = math.cos(turn), math.sin(turn)

        def car(x, y, v, c=c, s=s, turn=turn):
            return metrics.Moving(metrics.Rect(c * x - s * y, s * x + c * y, turn, 4.5, 1.8), (c * v, s * v))

        outcome.append(evaluation.rss_between(car(0, 0, 15), car(30, 0.5, 5), RssParameters()).margin)
    assert outcome == pytest.approx([outcome[0]] * 3)


def test_no_ego_no_figures():
    world = SimpleNamespace(entities={}, roads=SimpleNamespace(network=_empty()), time_s=0.0, dt_s=0.05, parameters={})
    evaluator = Evaluator("", world)
    evaluator.record()
    outcome = SimpleNamespace(
        collisions=(), duration_s=0.0, min_ttc=None, min_headway=None, min_distance=None, max_drac=None, pet=None,
        criteria=(),
    )  # fmt: skip
    found = evaluator.finish(outcome)
    assert found.series == []
    assert found.metrics["collisions"] == 0


def _empty():
    from scenarios import opendrive

    return opendrive.read(DATA / "street.xodr")
