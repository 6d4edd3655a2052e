"""Corridors and declarative files: sound by our own check, and what was asked for is there."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scenarios.opendrive as opendrive
from foundation.errors import InputError
from scenarios.opendrive.check import check_text
from scenarios.opendrive.compose.corridor import CorridorParameters, Strip, corridor
from scenarios.opendrive.compose.declared import KINDS, compose_file

FULL = """kind: corridor
name: school street
bend_deg: 50
crest_m: 4
features:
- {kind: zebra, s_m: 90}
- {kind: bus_stop, s_m: 200, side: left}
- {kind: school_zone, start_m: 40, end_m: 150}
"""


@given(
    bend=st.just(0.0) | st.floats(0.1, 170) | st.floats(-170, -0.1),
    radius=st.floats(40, 800),
    crest=st.floats(-3, 3),
    strips=st.lists(st.sampled_from(["driving", "biking", "parking", "shoulder", "sidewalk"]), max_size=4),
)
@settings(max_examples=8, deadline=None, derandomize=True)
def test_every_corridor_is_sound(bend, radius, crest, strips):
    lanes = tuple(Strip(kind=kind, width_m=2.5) for kind in ("driving", *strips))
    p = CorridorParameters(bend_deg=bend, bend_radius_m=radius, crest_m=crest, strips=lanes)
    text = corridor(p)
    assert [f.text("") for f in check_text(text) if f.severity != "note"] == []
    network = opendrive.parse(text)
    road = network.road("1")
    assert road.length == pytest.approx(p.length_m, abs=1e-6)
    assert network.road_pose("1", 0.5 * road.length).z == pytest.approx(crest, abs=1e-6)


def test_a_declared_street_has_what_it_declares(tmp_path):
    path = tmp_path / "a.yaml"
    path.write_text(FULL)
    text = compose_file(path)
    network = opendrive.parse(text)
    assert [f.text("") for f in check_text(text) if f.severity != "note"] == []
    assert [network.speed_limit_kmh("1", s) for s in (20.0, 100.0, 160.0)] == [50.0, 30.0, 50.0]
    assert {o.record.subtype for o in opendrive.objects(network)} == {"zebra", "busStop"}
    limits = [(s.orientation, s.speed_limit_kmh) for s in opendrive.signals(network) if s.speed_limit_kmh]
    assert limits == [("+", 30.0), ("+", 50.0), ("-", 30.0), ("-", 50.0)]
    lanes = [network.lane_type("1", lane, 10.0) for lane in (-1, -2, -3, -4)]
    assert lanes == ["driving", "parking", "biking", "sidewalk"]
    assert compose_file(path) == text


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_declared(tmp_path, kind):
    path = tmp_path / "a.yaml"
    path.write_text(f"kind: {kind}\n")
    assert opendrive.parse(compose_file(path)).name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kind: castle", "one of corridor"),
        ("[1, 2", "is not YAML"),
        ("just words", "no known kind"),
        ("kind: corridor\ncolour: red", "<colour>"),
        ("kind: corridor\nbend_deg: 90\nbend_radius_m: 8", "bend_radius_m"),
        ("kind: corridor\nbend_deg: 0.001", "neither 0 nor at least"),
        ("kind: corridor\ncrest_m: 15", "steeper than 12 %"),
        ("kind: corridor\nfeatures: [{kind: zebra, s_m: 900}]", "lies outside"),
        ("kind: corridor\nfeatures: [{kind: moat, s_m: 9}]", "features"),
        ("kind: motorway\napproach_m: 200\nexit_lane_m: 180", "exit_lane_m"),
    ],
)
def test_wrong_declarations_are_refused(tmp_path, text, message):
    path = tmp_path / "a.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        compose_file(path)
