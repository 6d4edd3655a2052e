"""``reality map show`` and ``convert``: pictures with what is on the road in them; OSM by carla's converter."""

from __future__ import annotations

import numpy as np
import opendrive_samples as samples
import pytest
from PIL import Image
from typer.testing import CliRunner

import scenarios.opendrive as opendrive
from bridge.map_commands import app
from scenarios.opendrive.check import check
from scenarios.opendrive.converting import from_osm
from scenarios.opendrive.drawing import PlanOptions, draw

LEFT = samples.section(left=samples.lane(1), right=samples.lane(-1) + samples.lane(-2, "biking", 2.0))
TEXT = samples.network(samples.road(lanes=LEFT), samples.road("2", plan=samples.geometry(0, 0, 40, 0, 100), lanes=LEFT))
OSM = """<osm version="0.6"><bounds minlat="49.0" minlon="8.4" maxlat="49.004" maxlon="8.406"/>
<node id="1" lat="49.001" lon="8.401"/><node id="2" lat="49.002" lon="8.403"/><node id="3" lat="49.003" lon="8.405"/>
<node id="4" lat="49.003" lon="8.402"/><node id="5" lat="49.001" lon="8.404"/>
<way id="10"><nd ref="1"/><nd ref="2"/><nd ref="3"/><tag k="highway" v="secondary"/></way>
<way id="11"><nd ref="4"/><nd ref="2"/><nd ref="5"/><tag k="highway" v="secondary"/></way></osm>"""


def has_colour(path, colour: str, least: int) -> bool:
    want = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)])
    pixels = np.asarray(Image.open(path).convert("RGB")).astype(int)
    return int((np.abs(pixels - want).max(axis=2) <= 3).sum()) >= least


def test_lanes_have_their_colours(tmp_path):
    path = draw(opendrive.parse(TEXT), tmp_path / "a.png", PlanOptions(inches=5.0, dpi=60))
    assert has_colour(path, "#7d8288", 300)
    assert has_colour(path, "#b86b5e", 80)
    assert not has_colour(path, "#8fa7bf", 20)  # no parking


def test_one_road_and_one_box(tmp_path):
    network = opendrive.parse(TEXT)
    svg = draw(network, tmp_path / "one.svg", PlanOptions(roads=("2",), inches=4.0)).read_text()
    assert "<svg" in svg
    assert svg.count("<path") < draw(network, tmp_path / "all.svg", PlanOptions(inches=4.0)).read_text().count("<path")
    empty = draw(network, tmp_path / "far.png", PlanOptions(box=(500, 500, 600, 600), inches=4.0, dpi=50))
    assert not has_colour(empty, "#7d8288", 200)


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("a.bmp", PlanOptions(), "cannot draw a .bmp"),
        ("a.png", PlanOptions(roads=("9",)), "there is no road '9'"),
        ("a.png", PlanOptions(box=(0, 0, 0, 5)), "is empty"),
        ("no/a.png", PlanOptions(inches=3.0, dpi=40), "cannot be written"),
    ],
)
def test_what_cannot_be_drawn(tmp_path, name, options, message):
    with pytest.raises(opendrive.OpenDriveError, match=message):
        draw(opendrive.parse(TEXT), tmp_path / name, options)


def test_osm_is_converted_and_sound(tmp_path):
    pytest.importorskip("carla")
    (tmp_path / "a.osm").write_text(OSM)
    done = CliRunner().invoke(app, ["convert", str(tmp_path / "a.osm"), "--out", str(tmp_path / "a.xodr")])
    assert done.exit_code == 0, done.output
    network = opendrive.read(tmp_path / "a.xodr")
    assert len(network.junctions) == 1
    # Four arms, each two roads of one direction, as the converter writes them.
    assert len([road for road in network.roads.values() if not road.junction]) == 8
    assert check(tmp_path / "a.xodr").sound


@pytest.mark.parametrize("text", ["", "<osm/>", "<osm><way", "<gpx><way/></gpx>"])
def test_what_is_not_osm_is_refused(tmp_path, text):
    (tmp_path / "a.osm").write_text(text)
    with pytest.raises(opendrive.OpenDriveError):
        from_osm(tmp_path / "a.osm", tmp_path / "a.xodr", lane_width_m=4.0, lights=True, center=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "a.osm"]
