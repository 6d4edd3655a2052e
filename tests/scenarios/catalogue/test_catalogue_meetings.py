"""Every scenario shows its point: at its defaults the unbraked ego meets whom it should, when and where it should."""

from __future__ import annotations

import math
from functools import cache

import pytest
from kinematic_world import diverse
from lxml import etree

from scenarios.catalogue import FOLDER, INDEX, MAPS, SCENARIOS, compose, diagrams, families
from scenarios.catalogue.making import page
from scenarios.catalogue.making.catalogue import all_recipes
from scenarios.catalogue.making.common import meeting_values
from scenarios.catalogue.making.writing import all_parameters, distribution_text, scenario_text
from scenarios.openscenario import expand

DOCS = FOLDER.parents[1] / "docs"
NAMES = list(all_recipes())
EVERY = diverse(NAMES)
TIME_S, PLACE_M = 0.25, 1.5
"""Boxes touch a little before or after their middles meet; at 20 m/s half a metre is 25 ms."""


@cache
def met(name: str, **parameters: str) -> diagrams.Encounter:
    recipe = all_recipes()[name]
    done = diagrams.run(FOLDER / f"{name}.xosc", parameters)
    foreign = [note for note in done.tracer.notes if "ego_aeb" not in note]
    assert foreign == []
    return done.encounter(recipe.meeting.actor)


@pytest.mark.parametrize("name", EVERY)
def test_the_ego_meets_whom_it_should(name):
    expected, found = meeting_values(all_recipes()[name]), met(name)
    assert found.gap_m == 0.0
    assert found.time_s == pytest.approx(expected["time_s"], abs=TIME_S)
    assert math.dist(found.place, (expected["x"], expected["y"])) < PLACE_M
    # Long enough to see it coming, short enough to run in crowds.
    assert 2.0 < found.time_s < 10.0


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cpna", "cpla", "cbfa", "ccrm", "ccfhos", "school_zone_children"])
@pytest.mark.parametrize("share", [0.2, 0.8])
def test_they_meet_at_other_parameters_too(name, share):
    recipe = all_recipes()[name]
    values = {p.name: round(p.low + share * (p.high - p.low), 3) for p in recipe.parameters if p.name != "BrakeTtc"}
    expected = meeting_values(recipe, values)
    found = diagrams.run(FOLDER / f"{name}.xosc", {k: str(v) for k, v in values.items()}).encounter(
        recipe.meeting.actor
    )
    assert found.gap_m == 0.0
    assert found.time_s == pytest.approx(expected["time_s"], abs=0.4)
    assert math.dist(found.place, (expected["x"], expected["y"])) < PLACE_M


def test_the_files_are_what_the_recipes_write():
    hint = "run python -m scenarios.catalogue"
    for name, recipe in all_recipes().items():
        assert (FOLDER / f"{name}.xosc").read_text() == scenario_text(recipe), hint
        assert (FOLDER / f"{name}_distribution.xosc").read_text() == distribution_text(recipe), hint
    assert (DOCS / "catalogue.md").read_text() == page.text(), hint
    assert [item["name"] for item in page.index()] == list(SCENARIOS), f"{INDEX}: {hint}"
    assert set(MAPS) == set(page.COMPOSERS)


def test_about_forty_scenarios_in_families():
    assert len(SCENARIOS) >= 40
    assert sum(len(entries) for entries in families().values()) == len(SCENARIOS)
    assert {"car to pedestrian", "car to cyclist", "car to car", "motorway", "town", "weather and light"} <= set(
        families()
    )


def test_pictures_are_there_and_small():
    pictures = sorted((DOCS / "pictures" / "catalogue").glob("*.png"))
    assert {path.stem for path in pictures} == set(SCENARIOS)
    assert sum(path.stat().st_size for path in pictures) < 2_000_000


@pytest.mark.parametrize("name", EVERY)
def test_files_are_plain(name):
    """Nothing but the standard's elements; every parameter is declared with its limits, and samples keep them."""
    root = etree.parse(FOLDER / f"{name}.xosc").getroot()
    declared = {p.get("name") for p in root.iter("ParameterDeclaration")}
    recipe = all_recipes()[name]
    assert {p.name for p in all_parameters(recipe)} | {key for key, _ in recipe.derived} == declared
    limits = {p.name: (p.low, p.high) for p in all_parameters(recipe) if p.low is not None}
    for concrete in expand(FOLDER / f"{name}_distribution.xosc", samples=4, seed=3):
        for key, (low, high) in limits.items():
            if key in concrete.parameters:
                assert low <= float(concrete.parameters[key]) <= high


def test_a_picture_can_be_drawn_as_svg_and_is_refused_as_something_else(tmp_path):
    path = diagrams.draw_scenario(FOLDER / "ccrs.xosc", tmp_path / "a.svg")
    assert path.read_text().count("<path") > 20
    with pytest.raises(Exception, match=r"\.png or \.svg"):
        diagrams.draw_scenario(FOLDER / "ccrs.xosc", tmp_path / "a.gif")


def test_maps_are_composed_anew():
    assert compose("RealityRural").encode() == MAPS["RealityRural"].read_bytes()
