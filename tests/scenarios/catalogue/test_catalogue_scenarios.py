"""The catalogue: complete, valid against the schema, documented, and as critical as it promises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import pytest
from kinematic_world import diverse, run
from lxml import etree

from foundation.errors import RealityError
from scenarios import catalogue
from scenarios.catalogue import FOLDER, MAPS, SCENARIOS, families, find
from scenarios.openscenario import Outcome, expand, load

NAMES = sorted(SCENARIOS)
EVERY = diverse(NAMES)
WITH_AGENTS = sorted(entry.name for entry in families()["with behaviour agents"])
FILES = sorted(FOLDER.glob("*.xosc")) + sorted((FOLDER / "catalogs").glob("*.xosc"))
SAMPLES = 12


@cache
def outcomes(name: str) -> tuple[Outcome, ...]:
    """Run samples of a scenario in the kinematic world: no tyres and no gears, but the real executor and agents."""
    concretes = expand(SCENARIOS[name].distribution, samples=SAMPLES, seed=11)
    return tuple(run(c.scenario_path, c.parameters, seed=n)[0] for n, c in enumerate(concretes))


@pytest.mark.parametrize("name", EVERY)
def test_files_are_there_and_load(name: str) -> None:
    entry = SCENARIOS[name]
    scenario = load(entry.scenario)
    assert scenario.road_path == MAPS[entry.map_name]
    assert scenario.criteria, "a scenario says what passing means"
    assert entry.title
    assert find(name) == entry.scenario


def test_nothing_of_the_folder_is_left_out() -> None:
    listed = {entry.scenario for entry in SCENARIOS.values()} | {entry.distribution for entry in SCENARIOS.values()}
    assert set(FOLDER.glob("*.xosc")) == listed
    assert set((FOLDER / "maps").glob("*")) == set(MAPS.values())
    assert all(find(name) == path for name, path in MAPS.items())


def test_unknown_names_are_refused_with_the_known_ones() -> None:
    with pytest.raises(RealityError, match="child_runs_out"):
        find("child_runs_in")
    with pytest.raises(RealityError, match="RealityTown"):
        catalogue.compose("Town01")


@cache
def schema() -> etree.XMLSchema:
    """scenariogeneration brings ASAM's schema of OpenSCENARIO 1.3.1 along."""
    schemas = pytest.importorskip("schemas")
    folder = Path(next(iter(schemas.__path__)))
    return etree.XMLSchema(etree.parse(folder / "OpenSCENARIO_1_3_1.xsd"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_files_follow_the_standards_schema(path: Path) -> None:
    assert schema().validate(etree.parse(path)), schema().error_log


@pytest.mark.parametrize("name", EVERY)
def test_every_free_parameter_is_documented(name: str) -> None:
    """And each is either sampled or has a fixed default that the page explains; derived ones begin with _."""
    page = FOLDER / "README.md" if name in WITH_AGENTS else FOLDER.parents[1] / "docs" / "catalogue.md"
    text = page.read_text(encoding="utf-8")
    section = text.split(f"`{name}`", 1)[1]
    if name not in WITH_AGENTS:
        section = section.split("\n### ", 1)[0] + text.split("## Weather and light", 1)[1].split("\n## ", 1)[0]
    declared = [p.get("name") for p in etree.parse(SCENARIOS[name].scenario).iter("ParameterDeclaration")]
    for parameter in declared:
        if not str(parameter).startswith("_"):
            assert f"`{parameter}`" in section, f"{name}: {parameter}"
    sampled = [d.get("parameterName") for d in etree.parse(SCENARIOS[name].distribution).iter("StochasticDistribution")]
    assert set(sampled) <= {p for p in declared if not str(p).startswith("_")}


@pytest.mark.parametrize("name", EVERY)
def test_samples_differ_and_repeat(name: str) -> None:
    path = SCENARIOS[name].distribution
    first, again, other = (expand(path, samples=5, seed=seed) for seed in (1, 1, 2))
    assert [c.parameters for c in first] == [c.parameters for c in again]
    assert len({tuple(sorted(c.parameters.items())) for c in [*first, *other]}) == 10


def critical(results: Sequence[Outcome]) -> int:
    return sum(o.min_ttc is not None and o.min_ttc.value < 1.5 for o in results)


def collided(results: Sequence[Outcome]) -> int:
    return sum(bool(o.collisions) for o in results)


@pytest.mark.slow
@pytest.mark.parametrize("name", WITH_AGENTS)
def test_samples_end_some_well_and_some_badly(name: str) -> None:
    results = outcomes(name)
    assert 1 <= collided(results) <= SAMPLES - 2
    assert all(4.0 <= o.duration_s <= 15.0 for o in results)
    assert {o.verdict for o in results} == {"pass", "fail"}


@pytest.mark.slow
def test_a_child_that_runs_out_is_critical() -> None:
    """Nearly all samples get below a time to collision of 1.5 s, the usual bound of a critical conflict."""
    assert critical(outcomes("child_runs_out")) >= 0.8 * SAMPLES


def test_the_margin_decides_about_the_child() -> None:
    """No margin: the child is hit. Two seconds: it is across before the car comes, which never had to brake."""
    path = SCENARIOS["child_runs_out"].scenario
    hit, _ = run(path, {"ArrivalMargin": "0.0", "BrakeTtc": "0.9"})
    assert [(c.first, c.second) for c in hit.collisions] == [("Child", "Ego")]
    missed, execution = run(path, {"ArrivalMargin": "2.0"})
    assert not missed.collisions
    assert missed.verdict == "pass"
    fired = [change for change in execution.events if re.search("ChildSeesItsBall", str(change))]
    assert fired


def test_the_same_seed_runs_the_same() -> None:
    path = SCENARIOS["adult_jaywalks_night"].scenario
    first, second = (run(path, seed=3)[0].as_dict() for _ in range(2))
    assert first == second
