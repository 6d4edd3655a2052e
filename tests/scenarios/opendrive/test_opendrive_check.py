# ruff: noqa: E501  XML samples read better on one line
"""``scenarios.opendrive.check``: every planted fault is found, with its line, road and s; sound files are clean."""

from __future__ import annotations

import json
import re

import opendrive_samples as samples
import pytest
from typer.testing import CliRunner

from bridge.map_commands import app
from scenarios.catalogue import MAPS
from scenarios.opendrive.check import check, check_text

BOTH = '<predecessor id="{p}"/><successor id="{s}"/>'
GOOD = samples.network(samples.road())
HALVES = samples.geometry(0, 0, 0, 0, 50) + samples.geometry(50, 50, 0, 0, 50)
SLOPES = '<elevation s="0" a="0" b="0" c="0" d="0"/>\n<elevation s="50" a="{a}" b="{b}" c="0" d="0"/>'


def chain(second: str, first_lanes: str | None = None) -> str:
    """Return two straight roads, the first linked to the start of ``second``."""
    lanes = samples.section(right=samples.lane(-1, link='<successor id="-1"/>')) if first_lanes is None else first_lanes
    return samples.network(samples.road("1", lanes=lanes, link=samples.end("successor", "road", "2", "start")), second)


def second(x: float = 100.0, *, link: bool = True, y: float = 0.0, hdg: float = 0.0, **more: str) -> str:
    lanes = samples.section(right=samples.lane(-1, link='<predecessor id="-1"/>'))
    return samples.road(
        "2", 50.0, samples.geometry(0, x, y, hdg, 50.0), lanes,
        link=samples.end("predecessor", "road", "1", "end") if link else "", **more,
    )  # fmt: skip


def with_lanes(*sections: str) -> str:
    return samples.network(samples.road(lanes="\n".join(sections)))


def two_sections(link: str, width: float = 3.5) -> str:
    return with_lanes(
        samples.section(0, right=samples.lane(-1, link=link)),
        samples.section(40, right=samples.lane(-1, width=width, link='<predecessor id="-1"/>')),
    )


CROSSING = samples.crossing()
FAULTS: dict[str, tuple[str, str, str, str, float | None]] = {
    # name: text, severity, rule, road, s
    "plan gap": (GOOD.replace(samples.geometry(0, 0, 0, 0, 100.0), HALVES.replace('x="50"', 'x="50.3"')), "error", "plan-gap", "1", 50.0),
    "plan kink": (GOOD.replace(samples.geometry(0, 0, 0, 0, 100.0), HALVES.replace('y="0" hdg="0" length="50"><line/></geometry><geometry s="50" x="50" y="0" hdg="0"', 'y="0" hdg="0" length="50"><line/></geometry><geometry s="50" x="50" y="0" hdg="0.05"')), "warning", "plan-kink", "1", 50.0),
    "geometries overlap in s": (GOOD.replace(samples.geometry(0, 0, 0, 0, 100.0), HALVES.replace('length="50"', 'length="52"', 1)), "warning", "s-order", "1", 50.0),
    "geometries out of order": (GOOD.replace(samples.geometry(0, 0, 0, 0, 100.0), samples.geometry(50, 50, 0, 0, 50) + samples.geometry(0, 0, 0, 0, 50)), "error", "s-order", "1", 0.0),
    "sharp curvature": (GOOD.replace(samples.LINE, '<arc curvature="0.4"/>'), "warning", "fold", "1", None),
    "elevation step": (samples.network(samples.road(elevation=SLOPES.format(a=0.5, b=0))), "error", "elevation-step", "1", 50.0),
    "elevation kink": (samples.network(samples.road(elevation=SLOPES.format(a=0, b=0.08))), "warning", "elevation-kink", "1", 50.0),
    "cliff": (samples.network(samples.road(elevation='<elevation s="0" a="0" b="0.5" c="0" d="0"/>')), "warning", "steep", "1", None),
    "lane offset jumps": (samples.network(samples.road(offsets='<laneOffset s="0" a="0" b="0" c="0" d="0"/><laneOffset s="30" a="0.5" b="0" c="0" d="0"/>')), "warning", "laneOffset-step", "1", 30.0),
    "sections out of order": (with_lanes(samples.section(0, right=samples.lane(-1)), samples.section(0, right=samples.lane(-1))), "error", "s-order", "1", 0.0),
    "width jumps in a section": (GOOD.replace("<roadMark", '<width sOffset="20" a="3" b="0" c="0" d="0"/><roadMark', 1), "warning", "width-step", "1", 20.0),
    "width jumps between sections": (two_sections('<successor id="-1"/>', 4.0), "warning", "lane-gap", "1", 40.0),
    "one-sided lane link": (two_sections(""), "note", "one-sided-link", "1", 40.0),
    "lane without link": (with_lanes(samples.section(0, right=samples.lane(-1)), samples.section(40, right=samples.lane(-1))), "note", "lane-without-link", "1", 40.0),
    "linked to no lane": (two_sections('<successor id="-7"/>'), "error", "lane-link", "1", 40.0),
    "slightly negative width": (GOOD.replace('a="3.5" b="0"', 'a="3.5" b="-0.0355"', 1), "error", "negative-width", "1", 100.0),
    "NaN": (GOOD.replace('hdg="0"', 'hdg="nan"'), "error", "attribute", "1", None),
    "missing attribute": (GOOD.replace(' type="driving"', "", 1), "error", "attribute", "1", None),
    "missing element": (re.sub("<planView>.*</planView>", "", GOOD), "error", "element", "1", None),
    "no such road": (samples.network(samples.road(link=samples.end("successor", "road", "9", "start"))), "error", "unknown-road", "1", 100.0),
    "no such junction": (samples.network(samples.road(junction="9")), "error", "unknown-junction", "1", None),
    "one-sided road link": (chain(second(link=False)), "warning", "one-sided-link", "1", 100.0),
    "roads apart": (chain(second(x=100.5)), "warning", "lane-gap", "1", 100.0),
    "roads far apart": (chain(second(x=130.0)), "error", "lane-gap", "1", 100.0),
    "roads at an angle": (chain(second(hdg=0.2)), "warning", "lane-kink", "1", 100.0),
    "roads at two heights": (chain(second(elevation='<elevation s="0" a="2" b="0" c="0" d="0"/>')), "error", "height-step", "1", 100.0),
    "no lane links": (chain(second(), samples.section(right=samples.lane(-1))).replace('<predecessor id="-1"/>', ""), "warning", "no-lane-link", "1", 100.0),
    "head-on": (chain(second().replace("<right>", "<left>").replace("</right>", "</left>").replace('lane id="-1"', 'lane id="1"'), samples.section(right=samples.lane(-1, link='<successor id="1"/>'))), "error", "wrong-way-link", "1", 100.0),
    "roads across each other": (samples.network(samples.road("1"), samples.road("2", plan=samples.geometry(0, 50, -50, 1.5708, 100))), "warning", "overlap", "1", None),
    "connection to no road": (CROSSING.replace('connectingRoad="105"', 'connectingRoad="666"'), "error", "unknown-road", "", None),
    "connection to no lane": (CROSSING.replace('<laneLink from="-1" to="-1"/>', '<laneLink from="-1" to="-4"/>', 1), "error", "lane-link", "100", None),
    "connecting road that ends": (re.sub(r'(id="104" junction.*?)<successor elementType="road" elementId="3" contactPoint="end"/>', r"\1", CROSSING), "error", "leads-nowhere", "104", None),
    "lane no connection takes": (re.sub(r'<connection id="\d+" incomingRoad="2".*?</connection>', "", CROSSING), "warning", "leads-nowhere", "2", 45.0),
    "connecting road of no connection": (re.sub(r'<connection id="101".*?</connection>', "", CROSSING), "warning", "connection", "101", None),
    "signal behind the road": (samples.network(samples.road(rest='<signals><signal id="s" s="120" t="0" dynamic="no" orientation="+"/></signals>')), "warning", "s-range", "1", 120.0),
    "signal for no lane": (samples.network(samples.road(rest='<signals><signal id="s" s="20" t="0" dynamic="no" orientation="+"><validity fromLane="-5" toLane="-4"/></signal></signals>')), "warning", "validity", "1", 20.0),
    "reference to no signal": (samples.network(samples.road(rest='<signals><signalReference id="s" s="20" t="0" orientation="+"/></signals>')), "error", "unknown-signal", "1", 20.0),
    "dependency on no signal": (samples.network(samples.road(rest='<signals><signal id="s" s="20" t="0" dynamic="no" orientation="+"><dependency id="x"/></signal></signals>')), "error", "unknown-signal", "1", 20.0),
    "controller of nothing": (samples.network(samples.road(), '<controller id="1"><control signalId="4"/></controller>'), "error", "unknown-signal", "", None),
    "two roads of one id": (samples.network(samples.road(), samples.road()), "error", "duplicate-id", "", None),
    "not xml": (GOOD[:200], "error", "xml", "", None),
    "strange revision": (GOOD.replace('revMinor="7"', 'revMinor="12"'), "warning", "header", "", None),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_a_planted_fault_is_found_where_it_is(name):
    text, severity, rule, road, s = FAULTS[name]
    assert text not in (GOOD, CROSSING)
    report = check_text(text, "planted")
    hits = [f for f in report if (f.severity, f.rule, f.road) == (severity, rule, road)]
    assert hits, [finding.text("planted") for finding in report]
    if s is not None:
        assert any(hit.s == pytest.approx(s, abs=0.01) for hit in hits), hits
    assert all(hit.line is not None and 1 <= hit.line <= text.count("\n") + 1 for hit in hits)
    assert all("\n" not in finding.text("planted") for finding in report)


def test_the_line_is_that_of_the_fault():
    text = FAULTS["elevation step"][0]
    (finding,) = [f for f in check_text(text) if f.rule == "elevation-step"]
    assert text.splitlines()[finding.line - 1].startswith('<elevation s="50"')


def test_all_faults_are_told_not_only_the_first():
    text = (
        GOOD.replace('hdg="0"', 'hdg="nan"').replace(' type="driving"', "", 1).replace('length="100.0"', 'length="x"')
    )
    found = [f for f in check_text(text) if f.severity == "error"]
    assert {f.element for f in found} == {"geometry", "lane", "road"}


@pytest.mark.parametrize("text", [GOOD, CROSSING, chain(second())])
def test_sound_files_are_clean(text):
    assert [f.text("") for f in check_text(text) if f.severity != "note"] == []


@pytest.mark.parametrize("name", sorted(MAPS))
def test_our_maps_are_clean(name):
    report = check(MAPS[name])
    assert [f.text("") for f in report if f.severity != "note"] == []


@pytest.mark.skipif(not samples.REAL_FILES, reason="the real files are not here")
def test_what_is_known_of_real_files():
    """Faults that were confirmed by looking into the files; the others have none."""
    known = {"soderleden": {"lane-gap", "road-gap"}, "X-Intersection_NCAP": {"lane-link"}}
    for path in samples.REAL_FILES:
        if path.stat().st_size < 100_000 and "noRoadmarks" not in path.stem:
            report = check(path)
            assert {f.rule for f in report if f.severity == "error"} == known.get(path.stem, set()), path


def test_command_line(tmp_path):
    good, bad = tmp_path / "good.xodr", tmp_path / "bad.xodr"
    good.write_text(GOOD)
    bad.write_text(FAULTS["plan gap"][0])
    run = CliRunner().invoke
    assert run(app, ["check", str(good)]).exit_code == 0
    done = run(app, ["check", str(good), str(bad)])
    assert done.exit_code == 1
    assert f"{bad}:4: error: <geometry> road 1 s=50.00: gap of 0.300 m in the plan view [plan-gap]" in done.output
    done = run(app, ["check", "--json", "--level", "error", str(bad)])
    (entry,) = json.loads(done.output)
    assert entry["counts"]["error"] == len(entry["findings"]) == 1
    assert entry["findings"][0]["s"] == 50.0
    assert run(app, ["check", str(tmp_path / "none.xodr")]).exit_code != 0
    bad.write_text(FAULTS["plan kink"][0])
    assert run(app, ["check", str(bad)]).exit_code == 0
    assert run(app, ["check", "--strict", str(bad)]).exit_code == 1
