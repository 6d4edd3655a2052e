"""Tables and comparisons from results that are made here."""

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from bridge import tables
from bridge.compare import Comparison, compare_runs, lines
from bridge.planfile import RunOptions
from bridge.report import write_report
from bridge.results import Result, Unit
from bridge.run import prepare
from foundation.errors import RealityError

DATA = Path(__file__).parents[1] / "data" / "broken"
METRICS = {"min_ttc_s": 1.5, "collisions": 0, "impact_speed_kmh": None, "max_jerk_mps3": 2.0, "impact_face": None}


def result(name="a-000", verdict="pass", **metrics):
    unit = Unit(name, "a.xosc", {"Speed": "10", "Kind": name}, 5, "A", "a", "none", 1)
    return Result(unit, verdict, [], metrics={**METRICS, **metrics})


def test_tables_have_a_row_per_unit_and_the_right_types(tmp_path):
    results = [result(), result("a-001", "fail", collisions=1, impact_speed_kmh=31.5, impact_face="front")]
    tables.write(tmp_path, results)
    with (tmp_path / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    table = pq.read_table(tmp_path / "results.parquet")
    assert [row["unit"] for row in rows] == table["unit"].to_pylist() == ["a-000", "a-001"]
    assert list(rows[0]) == table.column_names
    assert table["impact_speed_kmh"].to_pylist() == [None, 31.5]
    assert rows[0]["impact_speed_kmh"] == ""
    assert table["impact_face"].to_pylist() == [None, "front"]
    assert table["p.Speed"].to_pylist() == [10.0, 10.0]
    assert table["p.Kind"].to_pylist() == ["a-000", "a-001"]
    assert table["verdict"].to_pylist() == ["pass", "fail"]


def test_tables_repeat_byte_for_byte_and_may_be_empty(tmp_path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        tables.write(tmp_path / folder, [result()])
    for name in ("results.csv", "results.parquet"):
        assert (tmp_path / "x" / name).read_bytes() == (tmp_path / "y" / name).read_bytes()
    tables.write(tmp_path, [])
    assert pq.read_table(tmp_path / "results.parquet").num_rows == 0


@pytest.fixture
def runs(tmp_path):
    """Two planned runs of one scenario with results to be written by the test."""
    for name in ("valid.xosc", "street.xodr"):
        shutil.copy(DATA / name, tmp_path / name)
    options = RunOptions((str(tmp_path / "valid.xosc"),), seeds=(1, 2), rigs=("none",))
    return [(tmp_path / name, prepare(options, tmp_path / name)) for name in ("before", "after")]


def write(run, *changes):
    out, plan = run
    for unit, change in zip(plan.units, changes, strict=True):
        if change is None:
            continue
        (out / "scenarios" / unit.name).mkdir(parents=True)
        verdict, metrics = change
        file = out / "scenarios" / unit.name / "result.json"
        Result(unit, verdict, [], metrics={**METRICS, **metrics}).write(file)


def compared(runs, before, after) -> Comparison:
    write(runs[0], *before)
    write(runs[1], *after)
    return compare_runs(runs[0][0], runs[1][0])


def test_equal_runs_have_no_differences(runs):
    found = compared(runs, [("pass", {}), ("fail", {})], [("pass", {}), ("fail", {"min_ttc_s": 1.501})])
    assert (found.units, found.worse, found.same) == ([], False, 2)


def test_a_worse_verdict_makes_a_run_worse(runs):
    found = compared(runs, [("pass", {}), ("fail", {})], [("fail", {"collisions": 1}), ("pass", {})])
    assert found.worse
    assert [unit.verdict_change for unit in found.units] == [2, -2]
    assert [unit.worse for unit in found.units] == [True, False]
    assert any(line.startswith("worse   valid-000-s1: pass -> fail") for line in lines(found))


@pytest.mark.parametrize(
    ("metrics", "worse"),
    [
        ({"min_ttc_s": 1.0}, True),
        ({"min_ttc_s": 2.0}, False),
        ({"min_ttc_s": None}, False),
        ({"collisions": 1}, True),
        ({"impact_speed_kmh": 10.0}, True),
        ({"max_jerk_mps3": 9.0}, False),
        ({"impact_face": "front"}, False),
    ],
)
def test_which_metrics_make_a_run_worse(runs, metrics, worse):
    found = compared(runs, [("fail", {}), ("pass", {})], [("fail", metrics), ("pass", {})])
    assert found.worse is worse
    assert len(found.units) == 1
    assert json.loads(json.dumps(found.as_dict()))["worse"] is worse


def test_a_result_that_is_missing_is_worse(runs):
    found = compared(runs, [("pass", {}), ("pass", {})], [("pass", {}), None])
    assert found.worse
    assert found.only_before == ["valid-000-s2"]


def test_runs_without_a_common_unit_cannot_be_compared(runs):
    write(runs[0], ("pass", {}), None)
    with pytest.raises(RealityError, match="no unit in common"):
        compare_runs(runs[0][0], runs[1][0])


def test_the_command_has_three_statuses(runs, tmp_path):
    from bridge.cli import app

    write(runs[0], ("pass", {}), ("pass", {}))
    write(runs[1], ("pass", {}), ("fail", {}))
    before, after = str(runs[0][0]), str(runs[1][0])
    assert CliRunner().invoke(app, ["compare", before, before]).exit_code == 0
    worse = CliRunner().invoke(app, ["compare", before, after, "--out", str(tmp_path / "c.json")])
    assert worse.exit_code == 1
    assert "pass -> fail" in worse.output
    assert json.loads((tmp_path / "c.json").read_text())["worse_units"] == ["valid-000-s2"]
    assert isinstance(CliRunner().invoke(app, ["compare", before, str(tmp_path)]).exception, RealityError)


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_better_and_worse_change_sides_with_the_runs(a, b):
    from bridge.compare import _better

    for name in ("min_ttc_s", "collisions", "driven_m"):
        there, back = _better(name, a, b), _better(name, b, a)
        if name == "driven_m":
            assert there is back is None
        elif a != b:
            assert there is (not back)


def test_the_page_holds_what_the_filters_need(runs):
    write(runs[0], ("pass", {"min_ttc_s": 2.0}), ("fail", {}))
    page = write_report(runs[0][0]).read_text()
    assert page.count("<tr data-unit=") == page.count('<details class="card"') == 2
    assert 'data-verdict="fail"' in page
    assert '<option value="min_ttc_s" data-low="1.5" data-high="2">' in page
    assert "&#34;min_ttc_s&#34;: 2.0" in page
    assert "http" not in page.replace("http://www.w3.org", ""), "the page must need no network"


def test_text_of_scenarios_cannot_break_the_page(runs):
    out, plan = runs[0]
    unit = replace(plan.units[0], title="</script><script>alert(1)</script>")
    (out / "scenarios" / unit.name).mkdir(parents=True)
    Result(unit, "fail", ['<img src=x onerror="alert(1)">']).write(out / "scenarios" / unit.name / "result.json")
    page = write_report(out).read_text()
    assert "<script>alert" not in page
    assert "<img src=x" not in page
