"""Traces of the executor alone, concrete files, and every reference trace of another engine (esmini) beside ours.

Differences from esmini are in ``DIFFERENT``, each with its reason; docs/openscenario.md tells them at length.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
from collections import defaultdict
from pathlib import Path

import pytest
from building import after, execution, group, private, speed, text, until
from building import at as lane
from typer.testing import CliRunner

from bridge.cli import app
from scenarios.openscenario import load
from scenarios.openscenario.actions.speed_profile import lines, rounded
from scenarios.openscenario.limits import Limits
from scenarios.openscenario.tracing import Tracer, transitions

SHARED = Path(__file__).resolve().parents[3] / ".." / "shared" / "data"
ESMINI, NCAP = SHARED / "esmini", SHARED / "ncap" / "OpenSCENARIO" / "NCAP" / "AEB_VRU_2023" / "Variations"
NEAR_M, STEPS_S = 0.5, 0.1 + 1e-6

ALKS = "Ego is driven by esmini's own ALKS_R157SM controller, which is not part of the standard"
DIFFERENT = {
    "alks_cut-in": ALKS,
    "alks_cut-out": ALKS,
    "alks_decelerate": ALKS,
    "alks_pedestrian": ALKS,
    "distance_test": "up to 2.2 m apart on the way to a longitudinal distance, which is left to the simulator",
    "trajectory-test": "where basis functions peak, and so the times on a NURBS, is found more coarsely there: 0.75 m",
    "swarm": "TrafficSwarmAction is refused; and where the vehicles of a swarm appear is the simulator's own choice",
}
EVENTS_DIFFERENT = {"routing-test": ("AquirePosition action", "AquirePosition event")}
"""AcquirePositionAction ends when the position is reached; esmini's ends at once."""
FAST = ("slow-lead-vehicle", "speed-profile")
SLOW = (
    "lane_change_crest", "straight_500m", "synchronize",
    "cut-in_simple", "drop-bike", "lane_change_simple", "left-hand-traffic_using_road_rule", "light_state",
    "long_dist_action_with_jerk", "ltap-od", "pedestrian_collision", "routing-test", "two_plus_one_road",
)  # fmt: skip


def compare(name: str) -> tuple[float, list[str]]:
    """Return the worst distance in metres and the elements whose transitions are at other times."""
    with gzip.open(ESMINI / "reference" / f"{name}.csv.gz", "rt") as file:
        truth = {(r["name"], round(float(r["time"]), 2)): r for r in csv.DictReader(file)}
    tracer = Tracer(load(ESMINI / "xosc" / f"{name}.xosc"), 0.1)
    ours = {(r.name, round(r.time, 2)): r for r in tracer.rows()}
    assert set(truth) <= set(ours), "every entity is in the world as long as it is in the reference"
    worst = max(math.hypot(ours[k].x - float(r["x"]), ours[k].y - float(r["y"])) for k, r in truth.items())
    found, wanted = defaultdict(list), defaultdict(list)
    for time, element, _, _, to in transitions(tracer.execution.events):
        found[element, to].append(float(time))
    with (ESMINI / "reference" / f"{name}.events.csv").open() as file:
        for row in csv.DictReader(file):
            # Beyond 60 s there is no trace; Init elements that control a domain end when esmini sees fit.
            if float(row["time"]) < 60.0 and not row["element"].startswith("Init "):
                wanted[row["element"], row["to"]].append(float(row["time"]))
    late = {
        element
        for (element, to), times in wanted.items()
        if len(found[element, to]) != len(times)
        or any(abs(a - b) > STEPS_S for a, b in zip(times, found[element, to], strict=True))
    }
    return worst, sorted(late - set(EVENTS_DIFFERENT.get(name, ())))


@pytest.mark.skipif(not ESMINI.is_dir(), reason="the real files are not here")
@pytest.mark.parametrize("name", [*FAST, *(pytest.param(n, marks=pytest.mark.slow) for n in SLOW)])
def test_the_trace_is_the_reference(name: str) -> None:
    worst, late = compare(name)
    assert worst <= NEAR_M
    assert late == []


def test_a_trace_is_what_one_computes_by_hand(tmp_path: Path) -> None:
    file = tmp_path / "a.xosc"
    road = Path(__file__).resolve().parents[3] / "scenarios" / "catalogue" / "maps" / "RealityMotorway.xodr"
    logic = f'<RoadNetwork><LogicFile filepath="{road}"/></RoadNetwork>'
    place = '<TeleportAction><Position><WorldPosition x="1" y="2" z="0" h="0"/></Position></TeleportAction>'
    content = text(init=private("Ego", place, speed(0.0)), stop=group(after(0.2))).replace("<RoadNetwork/>", logic)
    file.write_text(content, encoding="utf-8")
    out = tmp_path / "a.csv"
    result = CliRunner().invoke(app, ["scenario", "trace", str(file), "--out", str(out), "--dt", "0.1"])
    assert result.exit_code == 0, result.output
    rows = list(csv.DictReader(out.open()))
    assert [row["time"] for row in rows] == ["0.00", "0.10", "0.20"]
    assert {(row["x"], row["y"], row["speed"]) for row in rows} == {("1.000", "2.000", "0.000")}
    last = list(csv.DictReader((tmp_path / "a.events.csv").open()))[-1]
    assert (last["time"], last["element"], last["to"]) == ("0.210", "storyBoard", "completeState")
    wrong = CliRunner().invoke(app, ["scenario", "trace", str(file), "--out", str(out), "--param", "Nothing"])
    assert wrong.exit_code != 0


def test_no_change_of_speed_is_harder_than_the_performance_section_allows(tmp_path: Path) -> None:
    # 10 m/s in 0.5 s would take 20 m/s^2; the car has 10, so it takes 1 s and 0.5 * 10 * 1^2 m.
    init = private("Ego", lane(50.0), speed(0.0), speed(10.0, "linear", "time", 0.5))
    run = until(execution(tmp_path, text(init=init)), 1.0)
    assert run.motions["Ego"].speed == pytest.approx(10.0, abs=1e-6)
    assert run.world.track("Ego").s == pytest.approx(55.0, abs=1e-3)


def test_corners_of_a_speed_profile_are_rounded_by_the_jerk() -> None:
    # To 10 m/s in 6 s with 2 m/s^3 both ways: a 6 - a^2 / 2 = 10 gives a peak of 2 m/s^2, reached after 1 s.
    limits = Limits(5.0, 5.0, 2.0, 2.0)
    pieces = rounded(lines(0.0, [(10.0, 6.0)], limits, jump=False), limits)
    assert pieces is not None
    assert [p.time for p in pieces] == pytest.approx([0.0, 1.0, 5.0, 6.0])
    assert [p.speed for p in pieces] == pytest.approx([0.0, 1.0, 9.0, 10.0])
    # Lines of slopes 1 and 0 at jerk 1: the first is late by half a second, v = t - 0.5, so it meets v = 4 at 4.5 s;
    # the bend lasts 1 s, half of it on either side of that.
    limits = Limits(5.0, 5.0, 1.0, 1.0)
    goals: list[tuple[float, float | None]] = [(4.0, 4.0), (4.0, 4.0)]
    two = rounded(lines(0.0, goals, limits, jump=False), limits)
    assert two is not None
    assert [p.time for p in two] == pytest.approx([0.0, 1.0, 4.0, 5.0])
    assert [p.speed for p in two] == pytest.approx([0.0, 0.5, 3.5, 4.0])


def test_samples_are_files_of_equal_bytes_that_load(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        words = ["scenario", "sample", "child_runs_out", "--out", str(tmp_path / folder), "-n", "2", "--seed", "4"]
        assert CliRunner().invoke(app, words).exit_code == 0
    rows = list(csv.DictReader((tmp_path / "a" / "samples.csv").open()))
    assert len(rows) == 2
    for row in rows:
        data = (tmp_path / "a" / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert data == (tmp_path / "b" / row["file"]).read_bytes()
        assert load(tmp_path / "a" / row["file"]).parameters["ChildSpeed"].text == row["ChildSpeed"]
    shown = CliRunner().invoke(app, ["scenario", "show", "child_runs_out"]).output
    assert "parameter ChildSpeed: double = 2.6 (>= 1 and <= 5)" in shown
    assert "child_runs_out" in CliRunner().invoke(app, ["scenario", "list"]).output


@pytest.mark.skipif(not NCAP.is_dir(), reason="the real files are not here")
def test_all_34_ncap_distributions_expand() -> None:
    files = sorted(NCAP.glob("*.xosc"))
    assert len(files) == 34
    for file in files:
        result = CliRunner().invoke(app, ["scenario", "expand", str(file)])
        assert result.exit_code == 0, result.output
        assert result.output.startswith(file.stem)
