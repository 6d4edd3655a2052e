"""Scenarios: the executor alone (no server, no sensors) against real time, in processor time, at steps of 0.05 s.

The limit is real time itself: 20 steps a second. A cut-in with two cars must reach 50 times that; a platoon of twenty
cars that change lanes and keep a distance is there to show how it grows with the entities.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import INFORMATION, Row
from scenarios import opendrive
from scenarios.catalogue import MAPS
from scenarios.openscenario import Execution, Scenario, load
from scenarios.openscenario.bare_port import BarePort, kinematic_controllers

CUT_IN = Path(__file__).resolve().parents[2] / "shared/data/esmini/xosc/cut-in.xosc"
STEP_S = 0.05
LONGEST_S = 20.0
TIMES_REAL = 50.0

_CAR = """<ScenarioObject name="car{i}"><Vehicle name="car" vehicleCategory="car">
 <BoundingBox><Center x="1.4" y="0" z="0.75"/><Dimensions width="2" length="5" height="1.5"/></BoundingBox>
 <Performance maxSpeed="70" maxAcceleration="10" maxDeceleration="10"/>
 <Axles><FrontAxle maxSteering="0.5" wheelDiameter="0.6" trackWidth="1.8" positionX="2.8" positionZ="0.3"/>
 <RearAxle maxSteering="0" wheelDiameter="0.6" trackWidth="1.8" positionX="0" positionZ="0.3"/></Axles>
 </Vehicle></ScenarioObject>"""
_INIT = """<Private entityRef="car{i}"><PrivateAction><TeleportAction><Position>
 <LanePosition roadId="{road}" laneId="{lane}" s="{s}"/></Position></TeleportAction></PrivateAction>
 <PrivateAction><LongitudinalAction><SpeedAction><SpeedActionDynamics dynamicsShape="step" dynamicsDimension="time"
 value="0"/><SpeedActionTarget><AbsoluteTargetSpeed value="{speed}"/></SpeedActionTarget></SpeedAction>
 </LongitudinalAction></PrivateAction></Private>"""
_ACT = """<Act name="act{i}"><ManeuverGroup name="group{i}" maximumExecutionCount="1">
 <Actors selectTriggeringEntities="false"><EntityRef entityRef="car{i}"/></Actors><Maneuver name="maneuver{i}">
 <Event name="event{i}" priority="override"><Action name="action{i}"><PrivateAction><LateralAction>
 <LaneOffsetAction continuous="false"><LaneOffsetActionDynamics dynamicsShape="sinusoidal" maxLateralAcc="0.5"/>
 <LaneOffsetTarget><AbsoluteTargetLaneOffset value="0.8"/></LaneOffsetTarget></LaneOffsetAction></LateralAction>
 </PrivateAction></Action><StartTrigger><ConditionGroup><Condition name="near" delay="0" conditionEdge="none">
 <ByEntityCondition><TriggeringEntities triggeringEntitiesRule="any"><EntityRef entityRef="car{i}"/>
 </TriggeringEntities><EntityCondition><TimeHeadwayCondition entityRef="car{other}" value="1.5" rule="lessThan"
 freespace="true" coordinateSystem="road" relativeDistanceType="longitudinal"/></EntityCondition></ByEntityCondition>
 </Condition></ConditionGroup></StartTrigger></Event></Maneuver></ManeuverGroup><StartTrigger/></Act>"""


def platoon(cars: int, network: opendrive.RoadNetwork) -> str:
    """Return a scenario with so many cars on the longest road of a map; each watches the one before it."""
    road = max(network.roads.values(), key=lambda r: (r.length, r.id))
    lanes = sorted(
        lane for lane in network.lanes_at(road.id, 1.0)
        if lane and network.lane_type(road.id, lane, 1.0) in opendrive.DRIVING_TYPES
    )  # fmt: skip
    lane = next(n for n in lanes if network.lane_drives_forward(road.id, n))
    gap = min(40.0, 0.5 * road.length / cars)
    init = (_INIT.format(i=i, road=road.id, lane=lane, s=5.0 + gap * i, speed=25.0 - 0.4 * i) for i in range(cars))
    acts = (_ACT.format(i=i, other=i + 1) for i in range(cars - 1))
    return f"""<?xml version="1.0"?><OpenSCENARIO>
<FileHeader revMajor="1" revMinor="2" date="2024-01-01T00:00:00" description="platoon" author="Digital Reality"/>
<ParameterDeclarations/><CatalogLocations/><RoadNetwork/>
<Entities>{"".join(_CAR.format(i=i) for i in range(cars))}</Entities>
<Storyboard><Init><Actions>{"".join(init)}</Actions></Init><Story name="story">{"".join(acts)}</Story>
<StopTrigger/></Storyboard></OpenSCENARIO>"""


def steps_per_second(scenario: Scenario) -> float:
    """Return the executor's steps in a second of processor time; the best of three runs."""
    rates = []
    for _ in range(3):
        run = Execution(scenario, None, BarePort(), STEP_S, 0, kinematic_controllers(), default_motion=True)
        run.start()
        began, steps = time.process_time(), 0
        while not run.finished and steps < LONGEST_S / STEP_S:
            run.step()
            steps += 1
        rates.append(steps / (time.process_time() - began))
    return max(rates)


def run() -> list[Row]:
    """Return the rows; esmini's cut-in is replaced by two cars of our own, and named so, where it is not at hand."""
    network = opendrive.read(MAPS["RealityMotorway"])
    scenarios = {}
    with tempfile.TemporaryDirectory() as folder:
        for cars in (2, 20):
            file = Path(folder) / f"platoon-{cars}.xosc"
            file.write_text(platoon(cars, network), encoding="utf-8")
            scenarios[cars] = load(file, network=network)
    two = load(CUT_IN) if CUT_IN.exists() else scenarios[2]
    real = 1.0 / STEP_S
    rows: list[Row] = []
    for scenario, cars, target in ((two, 2, f">= {TIMES_REAL:g}"), (scenarios[20], 20, INFORMATION)):
        rate = steps_per_second(scenario)
        rows.append(
            {
                "name": f"scenario {scenario.name}, {cars} entities, beside real time", "value": rate,
                "unit": "steps/s CPU", "limit_value": real, "ratio": rate / real, "target": target,
            }
        )  # fmt: skip
    return rows
