"""Reading: parameters, catalogs, old spellings; and what is wrong is refused in one clear line."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import random
import re
from pathlib import Path

import pytest
from building import (
    act,
    after,
    at,
    by_entity,
    by_value,
    car,
    event,
    execution,
    group,
    maneuver,
    private,
    read,
    speed,
    straight,
    text,
    until,
    walker,
)  # fmt: skip

from foundation.errors import RealityError
from scenarios.openscenario import Execution, OpenScenarioError, load
from scenarios.openscenario.entities import VehicleRecord

GOOD = text(story=act(maneuver(event("e", speed(3.0), group(after(1.0))))))


def declaration(name: str, kind: str, value: str, inner: str = "") -> str:
    return f'<ParameterDeclaration name="{name}" parameterType="{kind}" value="{value}">{inner}</ParameterDeclaration>'


def test_parameters_build_on_each_other_and_can_be_replaced(tmp_path: Path) -> None:
    declarations = declaration("kph", "double", "36") + declaration("mps", "double", "${$kph / 3.6}")
    content = text(
        declarations=declarations,
        init=private(
            "Ego", at(50.0), speed(0.0).replace('value="0.0"/></SpeedActionTarget', 'value="$mps"/></SpeedActionTarget')
        ),
    )
    assert read(tmp_path, content).parameters["mps"].text == "10"
    assert read(tmp_path, content, kph="72").parameters["mps"].text == "20"
    assert until(execution(tmp_path, content), 0.1).motions["Ego"].speed == 10.0


def test_inner_parameters_hide_outer_ones(tmp_path: Path) -> None:
    story = act(maneuver(event("e", speed(3.0), group(after(1.0)))), actors="$who")
    content = text(story=f"<ParameterDeclarations>{declaration('who', 'string', 'Ego')}</ParameterDeclarations>{story}",
                   declarations=declaration("who", "string", "Nobody"))  # fmt: skip
    assert until(execution(tmp_path, content), 2.0).motions["Ego"].speed == 3.0


CATALOG = """<OpenSCENARIO><FileHeader revMajor="1" revMinor="0" date="2024-01-01T00:00:00" description="" author=""/>
<Catalog name="cars"><Vehicle name="long" vehicleCategory="car"><ParameterDeclarations>
<ParameterDeclaration name="length" parameterType="double" value="7"/></ParameterDeclarations>
<BoundingBox><Center x="1.5" y="0" z="0.75"/><Dimensions width="2" length="$length" height="1.5"/></BoundingBox>
<Performance maxSpeed="70" maxAcceleration="10" maxDeceleration="10"/><Axles><RearAxle maxSteering="0"
wheelDiameter="0.6" trackWidth="1.8" positionX="0" positionZ="0.3"/></Axles></Vehicle></Catalog></OpenSCENARIO>"""
LOCATION = '<CatalogLocations><VehicleCatalog><Directory path="cats"/></VehicleCatalog></CatalogLocations>'


@pytest.mark.parametrize(
    ("assigned", "length"),
    [
        ("", 7.0),
        (
            '<ParameterAssignments><ParameterAssignment parameterRef="length" value="${4 + 5}"/></ParameterAssignments>',
            9.0,
        ),
    ],
)
def test_catalog_entries_take_parameters(tmp_path: Path, assigned: str, length: float) -> None:
    (tmp_path / "cats").mkdir()
    (tmp_path / "cats" / "x.xosc").write_text(CATALOG)
    entity = f'<ScenarioObject name="Ego"><CatalogReference catalogName="cars" entryName="long">{assigned}</CatalogReference></ScenarioObject>'
    record = read(tmp_path, text(entities=entity, head=LOCATION)).entities["Ego"].record
    assert isinstance(record, VehicleRecord)
    assert record.box.length == length


BROKEN = {
    "not xml": ("<OpenSCENARIO>", r"test\.xosc:\d+: not well-formed XML"),
    "doctype": ('<!DOCTYPE x [<!ENTITY a "b">]>' + GOOD.split("?>")[1], r"a DOCTYPE is not allowed"),
    "other root": ("<OpenDRIVE/>", r"<OpenDRIVE>: this is no OpenSCENARIO file"),
    "version": (GOOD.replace('revMinor="2"', 'revMinor="9"'), r":3: <FileHeader>: version 1\.9 is not supported"),
    "unknown entity": (GOOD.replace('entityRef="Ego"', 'entityRef="Egon"'), r"there is no entity 'Egon' \(entities are Ego\)"),
    "no such lane": (GOOD.replace('laneId="-1"', 'laneId="-7"'), r"<LanePosition>: road 1 has no lane -7"),
    "beyond the road": (GOOD.replace('s="50.0"', 's="5000"'), r"<LanePosition>: road 1 is 1000\.000 m long"),
    "no such road": (GOOD.replace('roadId="1"', 'roadId="9"'), r"<LanePosition>: there is no road '9'"),
    "not a number": (GOOD.replace('value="3.0"', 'value="fast"'), r"<AbsoluteTargetSpeed>: attribute value='fast' is not a number"),
    "undeclared parameter": (GOOD.replace('value="3.0"', 'value="$v"'), r"value='\$v': parameter v is not declared"),
    "bad expression": (GOOD.replace('value="3.0"', 'value="${1 +}"'), r"value='\$\{1 \+\}': ends too early"),
    "missing attribute": (GOOD.replace('conditionEdge="none"', ""), r"<Condition>: attribute conditionEdge is missing"),
    "unknown attribute": (GOOD.replace('conditionEdge="none"', 'conditionEdge="none" colour="red"'), r"<Condition>: attribute colour is unknown"),
    "unknown element": (GOOD.replace("<RoadNetwork/>", "<RoadNetwork><Rivers/></RoadNetwork>"), r"<Rivers>: unknown or unsupported inside <RoadNetwork>"),
    "unknown action": (GOOD.replace("SpeedAction>", "FlyAction>"), r"<FlyAction>: action LongitudinalAction/FlyAction is not supported \(supported are"),
    "unknown condition": (GOOD.replace("SimulationTimeCondition", "MoonCondition"), r"<MoonCondition>: this condition is not supported"),
    "unknown rule": (GOOD.replace("greaterThan", "biggerThan"), r"rule='biggerThan' is unknown or unsupported \(use equalTo"),
    "missing child": (GOOD.replace("<RoadNetwork/>", ""), r"<OpenSCENARIO>: child element <RoadNetwork> is missing"),
    "negative time": (GOOD.replace('dynamicsDimension="time" value="0.0"', 'dynamicsDimension="time" value="-1"'), r"value=-1 must not be negative"),
    "constraint": (
        text(declarations=declaration("p", "int", "7", '<ConstraintGroup><ValueConstraint rule="lessThan" value="5"/></ConstraintGroup>')),
        r"parameter p=7 breaks its constraint: lessThan 5",
    ),
    "wrong type": (text(declarations=declaration("p", "unsignedShort", "70000")), r"parameter p: value '70000' does not fit into unsignedShort"),
    "storyboard reference": (
        GOOD.replace('<SimulationTimeCondition value="1.0" rule="greaterThan"/>', '<StoryboardElementStateCondition storyboardElementType="act" storyboardElementRef="nowhere" state="runningState"/>'),
        r"there is no act 'nowhere' \(there are act\)",
    ),
    "no catalog": (GOOD.replace(car("Ego"), '<ScenarioObject name="Ego"><CatalogReference catalogName="c" entryName="e"/></ScenarioObject>'), r"no CatalogLocations entry"),
    "twice": (GOOD.replace(car("Ego"), car("Ego") + car("Ego")), r"two entities are called 'Ego'"),
    "road file": (GOOD.replace("<RoadNetwork/>", '<RoadNetwork><LogicFile filepath="no.xodr"/></RoadNetwork>'), r"<LogicFile>: road network no\.xodr does not exist"),
    "swarm": (
        GOOD.replace("<Private ", "<GlobalAction><TrafficAction><TrafficSwarmAction/></TrafficAction></GlobalAction><Private ", 1),
        r"<TrafficSwarmAction>: child element <CentralSwarmObject> is missing",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_wrong_is_refused_in_one_line(tmp_path: Path, case: str) -> None:
    content, message = BROKEN[case]
    assert content != GOOD, "the case must break something"
    file = tmp_path / "test.xosc"
    file.write_text(content)
    with pytest.raises(OpenScenarioError) as caught:
        load(file, network=None if case == "road file" else straight())
    assert re.search(message, str(caught.value)), str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(file))


def test_given_parameters_must_exist(tmp_path: Path) -> None:
    with pytest.raises(OpenScenarioError, match="parameter speed is not declared here"):
        read(tmp_path, GOOD, speed="3")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(OpenScenarioError, match=r"nowhere\.xosc: cannot be read: No such file"):
        load(tmp_path / "nowhere.xosc")


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    content = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file://{secret}">]>' + GOOD.split("?>")[1].replace(
        "test", "&x;"
    )
    (tmp_path / "test.xosc").write_text(content)
    with pytest.raises(OpenScenarioError, match=r"external entity|DOCTYPE") as caught:
        load(tmp_path / "test.xosc", network=straight())
    assert "secret" not in str(caught.value).replace("secret.txt", "")


def test_an_assigned_controller_must_be_registered(tmp_path: Path) -> None:
    assign = '<ControllerAction><AssignControllerAction><Controller name="ghost"><Properties/></Controller></AssignControllerAction></ControllerAction>'
    scenario = read(tmp_path, text(story=act(maneuver(event("e", assign, group(after(1.0)))))))
    with pytest.raises(
        OpenScenarioError, match=r"test\.xosc:\d+: <AssignControllerAction>: controller 'ghost' is unknown"
    ):
        Execution(scenario, None, None, 0.05)  # type: ignore[arg-type]


def test_mutated_files_never_surprise(tmp_path: Path) -> None:
    """1500 mutations of a rich file: each loads and runs a little, or is refused with an error of ours."""
    more = act(
        maneuver(
            event("a", speed(9.0, "cubic", "rate", 2.0), group(by_entity('<SpeedCondition value="${2 * 3}" rule="lessThan"/>'))),
            event("b", [speed(1.0), '<VisibilityAction graphics="true" sensors="true" traffic="true"/>'], group(after(0.01), by_value('<ParameterCondition parameterRef="p" value="4" rule="lessThan"/>'))),
        ),
        actors="Ego,W",
    )  # fmt: skip
    rich = text(
        entities=car("Ego") + walker("W"), init=private("Ego", at(50.0), speed(5.0)) + private("W", at(60.0)), story=more,
        declarations=declaration("p", "double", "3"),
    )  # fmt: skip
    rng, file, network = random.Random(7), tmp_path / "test.xosc", straight()
    from pure_world import PurePort

    messages: set[str] = set()
    for _ in range(1500):
        content = list(rich)
        for _ in range(rng.randint(1, 4)):
            place = rng.randrange(len(content))
            kind = rng.random()
            if kind < 0.3:
                content[place] = chr(rng.choice([34, 36, 45, 48, 57, 60, 62, 0xE9, rng.randrange(32, 127)]))
            elif kind < 0.6:
                del content[place : place + rng.randint(1, 12)]
            else:
                start = rng.randrange(len(content))
                content[place:place] = content[start : start + rng.randint(1, 60)]
        file.write_text("".join(content), encoding="utf-8")
        try:
            run = Execution(load(file, network=network), None, PurePort(), 0.05)
            run.start()
            for _ in range(3):
                run.step()
        except RealityError as error:
            messages.add(str(error).split(": ", 1)[1])
    assert len(messages) > 50, "mutations must reach many different checks"
