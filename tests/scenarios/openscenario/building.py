"""Small scenarios for tests, written where they are used. A helper of tests."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from functools import lru_cache
from pathlib import Path

from pure_world import PurePort

from scenarios import opendrive
from scenarios.openscenario import Execution, Scenario, load

DT = 0.01


def _road(geometry: str, length: float) -> str:
    lane = '<lane id="{}" type="driving" level="false"><width sOffset="0" a="3.5" b="0" c="0" d="0"/></lane>'
    return f"""<?xml version="1.0"?>
<OpenDRIVE><header revMajor="1" revMinor="6" name="t"/>
<road name="r" length="{length!r}" id="1" junction="-1">
 <planView><geometry s="0" x="0" y="0" hdg="0" length="{length!r}">{geometry}</geometry></planView>
 <lanes><laneSection s="0">
  <left>{lane.format(2)}{lane.format(1)}</left>
  <center><lane id="0" type="none" level="false"/></center>
  <right>{lane.format(-1)}{lane.format(-2)}</right>
 </laneSection></lanes>
</road></OpenDRIVE>"""


@lru_cache
def straight(length: float = 1000.0) -> opendrive.RoadNetwork:
    """A straight road along x: lanes 2, 1 (against x) and -1, -2 (with x), 3.5 m each."""
    return opendrive.parse(_road("<line/>", length), "straight")


@lru_cache
def circle(radius: float = 100.0) -> opendrive.RoadNetwork:
    """Most of a circle to the left, from the origin along x."""
    return opendrive.parse(_road(f'<arc curvature="{1.0 / radius!r}"/>', 1.8 * math.pi * radius), "circle")


CAR = """<ScenarioObject name="{name}"><Vehicle name="{name}" vehicleCategory="car">
 <BoundingBox><Center x="1.5" y="0" z="0.75"/><Dimensions width="2" length="5" height="1.5"/></BoundingBox>
 <Performance maxSpeed="70" maxAcceleration="10" maxDeceleration="10"/>
 <Axles><FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.8" positionX="3" positionZ="0.3"/>
 <RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.8" positionX="0" positionZ="0.3"/></Axles>
 </Vehicle>{more}</ScenarioObject>"""
WALKER = """<ScenarioObject name="{name}"><Pedestrian name="{name}" mass="70" pedestrianCategory="pedestrian">
 <BoundingBox><Center x="0" y="0" z="0.9"/><Dimensions width="0.5" length="0.6" height="1.8"/></BoundingBox>
 </Pedestrian>{more}</ScenarioObject>"""


def car(name: str, more: str = "") -> str:
    """A car 5 m long and 2 m wide, its box centre 1.5 m before the rear axle."""
    return CAR.format(name=name, more=more)


def walker(name: str, more: str = "") -> str:
    """An adult."""
    return WALKER.format(name=name, more=more)


def private(entity: str, *actions: str) -> str:
    """Init actions of an entity."""
    return (
        f'<Private entityRef="{entity}">'
        + "".join(f"<PrivateAction>{a}</PrivateAction>" for a in actions)
        + "</Private>"
    )


def at(s: float, lane: int = -1, offset: float = 0.0, orientation: str = "") -> str:
    """TeleportAction to a lane."""
    return (
        f'<TeleportAction><Position><LanePosition roadId="1" laneId="{lane}" s="{s}" offset="{offset}">{orientation}'
        "</LanePosition></Position></TeleportAction>"
    )


def speed(value: float, shape: str = "step", dimension: str = "time", amount: float = 0.0) -> str:
    """SpeedAction to an absolute speed."""
    return (
        f'<LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="{shape}" dynamicsDimension="{dimension}" '
        f'value="{amount}"/><SpeedActionTarget><AbsoluteTargetSpeed value="{value}"/></SpeedActionTarget></SpeedAction>'
        "</LongitudinalAction>"
    )


def lane_change(lane: int, seconds: float, shape: str = "sinusoidal", dimension: str = "time") -> str:
    """LaneChangeAction to an absolute lane."""
    return (
        f'<LateralAction><LaneChangeAction><LaneChangeActionDynamics dynamicsShape="{shape}" '
        f'dynamicsDimension="{dimension}" value="{seconds}"/><LaneChangeTarget><AbsoluteTargetLane value="{lane}"/>'
        "</LaneChangeTarget></LaneChangeAction></LateralAction>"
    )


def by_value(inner: str, *, edge: str = "none", delay: float = 0.0, name: str = "c") -> str:
    """A condition by value."""
    return (
        f'<Condition name="{name}" delay="{delay}" conditionEdge="{edge}"><ByValueCondition>{inner}</ByValueCondition>'
        "</Condition>"
    )


def by_entity(inner: str, entity: str = "Ego", *, edge: str = "none", delay: float = 0.0, rule: str = "any") -> str:
    """A condition on one entity, or several separated by commas."""
    refs = "".join(f'<EntityRef entityRef="{e}"/>' for e in entity.split(","))
    return (
        f'<Condition name="c" delay="{delay}" conditionEdge="{edge}"><ByEntityCondition><TriggeringEntities '
        f'triggeringEntitiesRule="{rule}">{refs}</TriggeringEntities><EntityCondition>{inner}</EntityCondition>'
        "</ByEntityCondition></Condition>"
    )


def after(seconds: float, rule: str = "greaterThan", **options: object) -> str:
    """A condition on simulation time."""
    return by_value(f'<SimulationTimeCondition value="{seconds}" rule="{rule}"/>', **options)  # type: ignore[arg-type]


def state(kind: str, name: str, wanted: str, **options: object) -> str:
    """A condition on a storyboard element."""
    return by_value(
        f'<StoryboardElementStateCondition storyboardElementType="{kind}" storyboardElementRef="{name}" '
        f'state="{wanted}"/>',
        **options,  # type: ignore[arg-type]
    )


def group(*conditions: str) -> str:
    """A condition group."""
    return "<ConditionGroup>" + "".join(conditions) + "</ConditionGroup>"


def event(name: str, actions: str | list[str], start: str | None, priority: str = "parallel", maximum: int = 1) -> str:
    """An event; ``start`` is condition groups, "" an empty trigger, None no trigger."""
    inner = [actions] if isinstance(actions, str) else actions
    wrapped = "".join(
        f'<Action name="{name}-{i}">'
        + (a if a.startswith("<GlobalAction>") else f"<PrivateAction>{a}</PrivateAction>")
        + "</Action>"
        for i, a in enumerate(inner)
    )
    trigger = "" if start is None else f"<StartTrigger>{start}</StartTrigger>"
    return f'<Event name="{name}" priority="{priority}" maximumExecutionCount="{maximum}">{wrapped}{trigger}</Event>'


def maneuver(*events: str, name: str = "maneuver") -> str:
    """A maneuver."""
    return f'<Maneuver name="{name}">' + "".join(events) + "</Maneuver>"


def act(
    *maneuvers: str, actors: str = "Ego", start: str = "", stop: str = "", select: bool = False, maximum: int = 1
) -> str:
    """An act with one maneuver group."""
    refs = "".join(f'<EntityRef entityRef="{a}"/>' for a in actors.split(",") if a)
    return (
        f'<Act name="act"><ManeuverGroup name="group" maximumExecutionCount="{maximum}"><Actors '
        f'selectTriggeringEntities="{str(select).lower()}">{refs}</Actors>{"".join(maneuvers)}</ManeuverGroup>'
        f"<StartTrigger>{start}</StartTrigger><StopTrigger>{stop}</StopTrigger></Act>"
    )


def text(
    *,
    entities: str = "",
    init: str = "",
    story: str = "",
    stop: str | None = None,
    declarations: str = "",
    head: str = "",
    minor: int = 2,
) -> str:
    """A whole scenario file."""
    stories = f'<Story name="story">{story}</Story>' if story else ""
    stop = group(after(10.0)) if stop is None else stop
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OpenSCENARIO>
<FileHeader revMajor="1" revMinor="{minor}" date="2024-01-01T00:00:00" description="test" author="us"/>
<ParameterDeclarations>{declarations}</ParameterDeclarations>
{head if "<CatalogLocations" in head else head + "<CatalogLocations/>"}
<RoadNetwork/>
<Entities>{entities or car("Ego")}</Entities>
<Storyboard><Init><Actions>{init or private("Ego", at(50.0), speed(10.0))}</Actions></Init>
{stories}<StopTrigger>{stop}</StopTrigger></Storyboard>
</OpenSCENARIO>
"""


def read(tmp_path: Path, content: str, network: opendrive.RoadNetwork | None = None, **parameters: str) -> Scenario:
    """Write a scenario to a file and load it."""
    file = tmp_path / "test.xosc"
    file.write_text(content, encoding="utf-8")
    return load(file, parameters, network=network or straight())


def execution(
    tmp_path: Path, content: str, network: opendrive.RoadNetwork | None = None, dt: float = DT, **options: object
) -> Execution:
    """Load a scenario and start it in a world without a simulator."""
    run = Execution(read(tmp_path, content, network), None, PurePort(), dt, **options)  # type: ignore[arg-type]
    run.start()
    return run


def until(run: Execution, time_s: float) -> Execution:
    """Step until a time or the end."""
    while not run.finished and run.time_s < time_s - 1e-9:
        run.step()
    return run


def times(run: Execution, name: str, transition: str) -> list[float]:
    """Return when an element made a transition."""
    return [round(c.time_s, 6) for c in run.events if c.name == name and c.transition == transition]
