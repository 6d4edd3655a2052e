"""Records survive their files, hold nothing that JSON cannot, and charts' ticks are round."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from bridge import junit
from bridge.report.charts import line_chart, nice_ticks
from bridge.results import Result, Track, Unit, read_tracks, write_tracks
from foundation.errors import InputError

UNIT = Unit("child-000", "child.xosc", {"speed": "10"}, 5, "Child")


def test_a_result_survives_its_file(tmp_path):
    result = Result(UNIT, "fail", ["hit"], ego="Ego", collisions=[{"time_s": 1.5, "impact_speed_mps": 3.25}])
    result.write(tmp_path / "result.json")
    assert Result.read(tmp_path / "result.json") == result


def test_equal_results_are_equal_bytes(tmp_path):
    for name, order in (("a", ("x", "y")), ("b", ("y", "x"))):
        unit = Unit("u", "s.xosc", dict.fromkeys(order, "1"), 1)
        Result(unit, "pass", []).write(tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nan_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not finite"):
        Result(UNIT, "pass", [], min_ttc_s=float("nan")).write(tmp_path / "r.json")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"unit": 3}', "\x00"])
def test_a_broken_result_is_one_clear_error(tmp_path, text):
    (tmp_path / "result.json").write_text(text)
    with pytest.raises(InputError, match="is not a result"):
        Result.read(tmp_path / "result.json")


def test_tracks_survive_their_file(tmp_path):
    tracks = {"Ego": Track([0.0, 0.05], [1.0, 2.0], [0.0, 0.5], [0.0, 0.0], [0.1, 0.1], [10.0, 10.0]), "B": Track()}
    tracks["B"] = Track([0.0], [5.0], [5.0], [0.0], [0.0], [0.0])
    write_tracks(tmp_path / "t.csv", tracks)
    assert read_tracks(tmp_path / "t.csv") == tracks
    assert (tmp_path / "t.csv").read_text().splitlines()[0] == "time,name,x,y,z,heading,speed"


def test_junit_counts_and_carries_text_that_xml_cannot_hold(tmp_path):
    results = [
        Result(UNIT, "pass", []),
        Result(UNIT, "fail", ["collision with \x00Child & <others>"]),
        Result(UNIT, "error", ["server died"]),
        Result(UNIT, "inconclusive", ["never met"]),
    ]
    junit.write(tmp_path / "junit.xml", results)
    root = etree.parse(str(tmp_path / "junit.xml")).getroot()
    assert (root.get("tests"), root.get("failures"), root.get("errors"), root.get("skipped")) == ("4", "1", "1", "1")
    assert root.find(".//failure").get("message") == "collision with Child & <others>"
    # What the schema that Jenkins checks against allows in a test case, in this order.
    order = ["skipped", "error", "failure", "system-out", "system-err"]
    for case in root:
        tags = [child.tag for child in case]
        assert tags == sorted(tags, key=order.index)
        assert set(case.attrib) <= {"name", "assertions", "time", "classname", "status"}
        assert case.find("system-out").text == "\n".join(f"{k}={v}" for k, v in sorted(UNIT.parameters.items()))


@given(st.floats(-1e3, 1e3), st.floats(0.01, 1e3))
def test_ticks_cover_the_range_and_are_round(low, span):
    ticks = nice_ticks(low, low + span)
    assert ticks[0] <= low + 1e-6
    assert ticks[-1] >= low + span - 1e-6
    assert 2 <= len(ticks) <= 14
    step = ticks[1] - ticks[0]
    mantissa = float(f"{step:e}".split("e")[0])
    assert min(abs(mantissa - m) for m in (1, 2, 5, 10)) < 1e-3


def test_a_chart_is_well_formed_whatever_the_names():
    svg = line_chart('a<b "quoted"', {"x": ([0.0, 1.0], [0.0, 50.0])}, unit="km/h", mark_s=0.5, mark_label="<closest>")
    root = etree.fromstring(svg)
    points = root.find(".//polyline").get("points").split()
    assert len(points) == 2
    assert float(points[0].split(",")[1]) > float(points[1].split(",")[1])  # larger values are higher up


def test_results_are_json_without_surprises(tmp_path):
    Result(UNIT, "pass", [], min_ttc_s=1 / 3).write(tmp_path / "r.json")
    assert json.loads((tmp_path / "r.json").read_text())["min_ttc_s"] == 0.333333
