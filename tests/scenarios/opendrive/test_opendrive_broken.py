# ruff: noqa: E501  XML samples read better on one line
"""Broken files: each gets one clear line naming file, line and element; mutated real files never surprise."""

from __future__ import annotations

import re

import numpy as np
import opendrive_samples as samples
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import scenarios.opendrive as opendrive
from foundation.errors import InputError

ROAD = samples.road()
GOOD = samples.network(ROAD)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'


def without(pattern: str, new: str = "", text: str = GOOD) -> str:
    changed, count = re.subn(pattern, new, text, count=1)
    assert count == 1, f"{pattern} is not in the sample"
    return changed


BROKEN = {
    "empty": ("", "empty"),
    "blank": ("  \n\n", "empty"),
    "not xml": ("road network follows", "not well-formed XML"),
    "cut off": (GOOD[: len(GOOD) // 2], "not well-formed XML"),
    "other root": ("<OpenSCENARIO/>", "<OpenSCENARIO>: the root element is not <OpenDRIVE>"),
    "no road": (samples.network(), "there is no <road>"),
    "entity bomb": (GOOD.replace("<OpenDRIVE>", BOMB + "<OpenDRIVE>"), "document type declarations"),
    "external entity": (
        GOOD.replace("<OpenDRIVE>", '<!DOCTYPE x SYSTEM "http://example.invalid/x.dtd"><OpenDRIVE>'),
        "document type declarations",
    ),
    "missing length": (without(r' length="100.0"'), ":4: <road>: attribute 'length' is missing (add length=...)"),
    "missing curve length": (
        without(r'hdg="0" length="100.0"', 'hdg="0"'),
        "<geometry>: attribute 'length' is missing",
    ),
    "NaN": (without(r'x="0"', 'x="NaN"'), "<geometry>: attribute 'x' is 'NaN', not a finite number"),
    "infinity": (without(r'x="0"', 'x="-inf"'), "not a finite number"),
    "a word": (without(r'x="0"', 'x="east"'), "<geometry>: attribute 'x' is 'east', not a number"),
    "half a lane": (without(r'lane id="-1"', 'lane id="-1.5"'), "not a whole number"),
    "negative length": (without(r'<road name="" length="100.0"', '<road name="" length="-5"'), "less than 0"),
    "zero length": (without(r'<road name="" length="100.0"', '<road name="" length="0"'), "has length 0"),
    "huge length": (without(r'<road name="" length="100.0"', '<road name="" length="1e12"'), "beyond the limit"),
    "huge coordinate": (without(r'x="0"', 'x="1e300"'), "beyond the limit"),
    "no plan view": (without(r"<planView>.*?</planView>"), "element <planView> is missing"),
    "empty plan view": (without(r"<geometry .*?</geometry>"), "has no <geometry>"),
    "no lanes": (without(r"<lanes>.*?</lanes>"), "element <lanes> is missing"),
    "no lane section": (without(r"<lanes>.*?</lanes>", "<lanes/>"), "has no <laneSection>"),
    "unknown geometry": (GOOD.replace(samples.LINE, "<bezier/>"), "has no shape this reader knows (<bezier>)"),
    "two geometries": (GOOD.replace(samples.LINE, '<line/><arc curvature="1"/>'), "has 2 shapes"),
    "curled up": (GOOD.replace(samples.LINE, '<arc curvature="1e3"/>'), "turns round"),
    "gap": (
        samples.network(
            samples.road(plan=samples.geometry(0, 0, 0, 0, 50) + samples.geometry(50, 60, 0, 0, 50)),
        ),
        "gap of 10.000 m in its plan view at s=50",
    ),
    "duplicate road": (samples.network(ROAD, ROAD), ":5: <road>: road id '1' is already used in line 4"),
    "duplicate junction": (
        samples.network(ROAD, '<junction id="9" name=""/>', '<junction id="9" name=""/>'),
        "junction id '9' is used twice",
    ),
    "duplicate lane": (
        samples.network(samples.road(lanes=samples.section(right=samples.lane(-1) * 2))),
        "appears twice",
    ),
    "lane on the wrong side": (
        samples.network(samples.road(lanes=samples.section(left=samples.lane(-1)))),
        "in <left>",
    ),
    "wrong contact": (
        samples.network(samples.road(link=samples.end("successor", "road", "1", "middle"))),
        "'contactPoint' is 'middle', not one of: end, start",
    ),
    "wrong connection": (
        samples.network(
            ROAD,
            '<junction id="9" name=""><connection id="0" incomingRoad="1" connectingRoad="55" contactPoint="start"/>'
            "</junction>",
        ),
        "connectingRoad '55' does not exist",
    ),
    "negative width": (
        samples.network(samples.road(lanes=samples.section(right=samples.lane(-1, width=-3.0)))),
        "lane -1 of road '1' is -3.000 m wide",
    ),
    "width turning negative": (without(r'a="3.5" b="0"', 'a="3.5" b="-1"'), "m wide at s=100.00"),
    "traffic rule": (without('rule="RHT"', 'rule="UHT"'), "'rule' is 'UHT', not one of: LHT, RHT"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_gets_one_clear_line(name, tmp_path):
    text, expected = BROKEN[name]
    path = tmp_path / "broken.xodr"
    path.write_text(text)
    with pytest.raises(opendrive.OpenDriveError) as caught:
        opendrive.read(path)
    message = str(caught.value)
    assert expected in message
    assert message.startswith(str(path))
    assert "\n" not in message
    assert len(message) < 400


def test_the_sample_itself_is_sound():
    network = opendrive.parse(GOOD)
    assert network.diagnostics == ()
    assert len(opendrive.surfaces(network)) == 2


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(opendrive.OpenDriveError, match=r"nowhere\.xodr: cannot be read"):
        opendrive.read(tmp_path / "nowhere.xodr")


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n<header", "\0<header"),
        GOOD.replace('x="0"', 'x="a&#10;b"'),
        GOOD.replace('id="1"', 'id="&#10;"') * 2,
    ],
)
def test_messages_stay_in_one_line(text):
    with pytest.raises(opendrive.OpenDriveError) as caught:
        opendrive.parse(text)
    assert "\n" not in str(caught.value)


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "noise.xodr"
    path.write_bytes(bytes(range(128, 256)) * 20)
    with pytest.raises(opendrive.OpenDriveError, match="save the file as UTF-8"):
        opendrive.read(path)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_encodings_are_read_as_declared(tmp_path, encoding):
    text = GOOD.replace('name=""', 'name="Söderleden"').replace("UTF-8", encoding.removesuffix("-sig"))
    path = tmp_path / "named.xodr"
    path.write_bytes(text.encode(encoding))
    assert opendrive.read(path).roads["1"].name == "Söderleden"


def test_oddities_are_reported_and_kept():
    text = GOOD.replace('<road name=""', '<road colour="grey" name=""').replace(
        "</road>", "<weather>wet</weather></road>"
    )
    network = opendrive.parse(text, "odd")
    assert [str(d) for d in network.diagnostics] == [
        "line 4: <road>: attribute 'colour' is not known; it is ignored",
        "line 4: <weather>: not used here (in <road>); it is kept but has no effect",
    ]
    record = network.roads["1"].record
    assert record.extra == {"colour": "grey"}
    assert record.unknown[0].xml == "<weather>wet</weather>"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ('<geometry s="0" x="0"', '<geometry s="0" x="0" y="0" hdg="0" length="50"><line/></geometry><geometry s="50" x="50.5"', "gap of 0.500 m"),
        ('hdg="0" length="100.0"', 'hdg="0" length="90"', "its geometries end at 90"),
        ('id="-1" type="driving"', 'id="-3" type="driving"', "leave out a number"),
        ('<width sOffset="0" a="3.5" b="0" c="0" d="0"/>', "", "has no width; taken as 0"),
        ('a="3.5" b="0"', 'a="3.5" b="-0.0355"', "-0.050 m wide at s=100.00; taken as 0"),
    ],
)  # fmt: skip
def test_small_faults_are_reported(old, new, expected):
    assert old in GOOD
    network = opendrive.parse(GOOD.replace(old, new, 1))
    assert any(expected in diagnostic.message for diagnostic in network.diagnostics), network.diagnostics


def test_namespaces_do_not_matter():
    text = GOOD.replace("<OpenDRIVE>", '<OpenDRIVE xmlns="http://code.asam.net/simulation/standard/opendrive_schema">')
    assert opendrive.parse(text).diagnostics == ()


def use(text: str) -> None:
    """Read a text and make everything of it that can be made."""
    network = opendrive.parse(text)
    opendrive.surfaces(network)
    opendrive.markings(network)
    opendrive.objects(network)
    opendrive.spawn_points(network)
    for signal in opendrive.signals(network):
        opendrive.trigger_boxes(network, signal)
    network.locate(1.0, 2.0, 0.0, 0.5)
    opendrive.client_text(text)


def refusal(text: str) -> str:
    """Return the message with which a text is refused, "" if it is not; every other exception is a failure."""
    try:
        use(text)
    except InputError as error:
        return str(error)
    return ""


SOURCES = [GOOD, samples.crossing(0.05)]
for _path in samples.REAL_FILES:
    if _path.stem in ("fabriksgatan_traffic_lights", "straight_500m_signs", "crest-curve", "jolengatan", "soderleden"):
        SOURCES.append(_path.read_text())
NUMBER = re.compile(r'"(-?\d[\d.eE+-]*)"')
EVIL = ["nan", "1e400", "-1", "0", "1e9", "-1e9", "1e-300", "", "x", "99999999999", "1e6", "0.5", "-0.0", "10001"]


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_numbers_never_surprise(data):
    text = data.draw(st.sampled_from(SOURCES))
    for _ in range(data.draw(st.integers(1, 3))):
        found = list(NUMBER.finditer(text))
        hit = found[data.draw(st.integers(0, len(found) - 1))]
        number = data.draw(st.sampled_from(EVIL) | st.floats(-1e4, 1e4).map(str))
        text = text[: hit.start(1)] + number + text[hit.end(1) :]
    assert "\n" not in refusal(text)


@given(st.data())
@settings(max_examples=40, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
def test_mutated_structure_never_surprises(data):
    text = data.draw(st.sampled_from(SOURCES))
    for _ in range(data.draw(st.integers(1, 3))):
        tags = list(re.finditer(r"<[^<>]*>", text))
        hit = tags[data.draw(st.integers(0, len(tags) - 1))]
        kind = data.draw(st.sampled_from(["drop", "double", "rename", "attribute", "bytes"]))
        if kind == "drop":
            text = text[: hit.start()] + text[hit.end() :]
        elif kind == "double":
            text = text[: hit.end()] + hit.group() + text[hit.end() :]
        elif kind == "rename":
            text = text[: hit.start()] + re.sub(r"^</?\w+", lambda m: m.group() + "X", hit.group()) + text[hit.end() :]
        elif kind == "attribute":
            attributes = list(re.finditer(r'\s[\w:]+="[^"]*"', hit.group()))
            if attributes:
                gone = attributes[data.draw(st.integers(0, len(attributes) - 1))]
                text = text[: hit.start() + gone.start()] + text[hit.start() + gone.end() :]
        else:
            text = text[: hit.start()] + data.draw(st.text(max_size=5)) + text[hit.start() :]
        if "<" not in text:
            break
    assert "\n" not in refusal(text)


def test_a_link_to_a_road_that_is_not_there_is_reported_and_ends_the_road():
    text = samples.network(samples.road(link=samples.end("successor", "road", "404", "start")))
    network = opendrive.parse(text)
    expected = "road '1' is linked to road '404', which does not exist"
    assert [d.element for d in network.diagnostics if expected in d.message] == ["link"]
    assert network.successors(opendrive.LaneKey("1", 0, -1)) == []


def test_a_painted_line_without_length_is_reported_and_has_no_gaps():
    line = '<type name="botts dots" width="0.15"><line space="5.0" tOffset="0" sOffset="0" rule="caution"/></type>'
    mark = f'<roadMark sOffset="0" type="broken" color="white" width="0.15">{line}</roadMark>'
    network = opendrive.parse(samples.network(samples.road(lanes=samples.section(right=samples.lane(-1, mark=mark)))))
    assert [d.element for d in network.diagnostics if "'length' is missing" in d.message] == ["line"]


def test_one_lanes_edges_are_those_of_all_lanes():
    """Bit for bit: they are what positions on lanes are made of."""
    right = samples.lane(-3, width=1.5) + samples.lane(-2, width=2.7) + samples.lane(-1)
    lanes = samples.section(left=samples.lane(2, width=0.3) + samples.lane(1, width=3.1), right=right)
    road = opendrive.parse(samples.network(samples.road(lanes=lanes))).roads["1"]
    section, s = road.sections[0], np.linspace(0.0, 100.0, 7)
    offset = 0.1 * s
    every = section.boundaries(s, offset)
    for lane_id in (-3, -2, -1, 0, 1, 2):
        inner, outer = section.lane_edges(lane_id, s, offset)
        numbers = section.edge_numbers(lane_id)
        np.testing.assert_array_equal(inner, every[numbers[0]])
        np.testing.assert_array_equal(outer, every[numbers[1]])
