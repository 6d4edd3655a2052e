"""Controllers, criteria, signals, environment and visibility: what reaches the world."""

# ruff: noqa: E501 - lines of XML stay whole
from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from building import (
    act,
    after,
    at,
    by_value,
    car,
    event,
    execution,
    group,
    lane_change,
    maneuver,
    private,
    speed,
    text,
    times,
    until,
    walker,
)  # fmt: skip
from pure_world import PurePort

from scenarios.openscenario import Kinematic, OpenScenarioError, Pose, Speed, View, Walk, board
from scenarios.openscenario.entities import ControllerRecord
from scenarios.openscenario.signals import Phase, SignalController, Signals, color_of
from scenarios.openscenario.world import Entity


@dataclass
class Scripted:
    """Answers with what the test says."""

    answer: object
    physical: bool = False
    obeys: bool = False
    started: list[Mapping[str, str]] = field(default_factory=list)
    stopped: int = 0
    draws: list[float] = field(default_factory=list)

    def start(self, entity: Entity, properties: Mapping[str, str], rng: np.random.Generator) -> None:
        self.started.append(properties)
        self.draws.append(float(rng.random()))

    def step(self, view: View, dt_s: float) -> object:
        return self.answer(view) if callable(self.answer) else self.answer

    def request(self, action: object, view: View) -> bool:
        return self.obeys

    def stop(self) -> None:
        self.stopped += 1


def assign(name: str, longitudinal: bool = True, lateral: bool = True) -> str:
    return (
        f'<ControllerAction><AssignControllerAction activateLongitudinal="{str(longitudinal).lower()}" activateLateral='
        f'"{str(lateral).lower()}"><Controller name="{name}"><Properties><Property name="k" value="v"/></Properties>'
        "</Controller></AssignControllerAction></ControllerAction>"
    )


def test_a_kinematic_controller_puts_the_entity(tmp_path: Path) -> None:
    mine = Scripted(lambda view: Kinematic(Pose(100.0 + 3.0 * view.time_s, 2.0, 0.0, 0.5), 3.0))
    content = text(init=private("Ego", at(50.0), assign("mine")))
    run = until(execution(tmp_path, content, controllers={"mine": lambda: mine}), 1.0)
    pose = run.motions["Ego"].pose
    assert (pose.x, pose.y, pose.heading) == pytest.approx((100.0 + 3.0 * 0.99, 2.0, 0.5))
    assert mine.started == [{"k": "v"}]
    run.close()
    assert mine.stopped == 1


def test_a_speed_controller_leaves_steering_to_the_scenario(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(10.0), assign("cruise", lateral=False)),
        story=act(maneuver(event("side", lane_change(-2, 1.0), ""), event("fast", speed(50.0), group(after(2.0))))),
    )
    run = until(execution(tmp_path, content, controllers={"cruise": lambda: Scripted(Speed(20.0))}), 3.0)
    assert run.motions["Ego"].pose.y == pytest.approx(-5.25)
    assert run.motions["Ego"].speed == 20.0, "the speed action was refused by the controller"
    assert times(run, "fast-0", board.STOP) == [2.01]
    assert any("SpeedAction refused" in note for note in run.outcome.notes)


def test_a_controller_may_take_an_action_over(tmp_path: Path) -> None:
    content = text(
        init=private("Ego", at(50.0), speed(10.0), assign("agent")),
        story=act(maneuver(event("fast", speed(50.0), group(after(0.5))))),
    )
    agent = Scripted(Speed(7.0), obeys=True)
    run = until(execution(tmp_path, content, controllers={"agent": lambda: agent}), 1.0)
    assert times(run, "fast-0", board.END) == [0.51]


def test_a_walking_agent_is_moved_by_physics_and_observed(tmp_path: Path) -> None:
    agent = Scripted(Walk((0.0, 1.0, 0.0), 2.0), physical=True)
    content = text(
        entities=car("Ego") + walker("W"), init=private("Ego", at(50.0)) + private("W", at(80.0, -2), assign("agent")),
        story=act(maneuver(event("end", "<ControllerAction><ActivateControllerAction lateral=\"false\" longitudinal=\"false\"/></ControllerAction>", group(after(1.0)))), actors="W"),
    )  # fmt: skip
    run = execution(tmp_path, content, controllers={"agent": lambda: agent})
    port = run.world.port
    assert isinstance(port, PurePort)
    until(run, 1.0)
    assert port.driven == {"W"}
    assert run.motions["W"].pose.y == pytest.approx(-5.25 + 2.0)
    assert run.world.entities["W"].traveled_m == pytest.approx(2.0)
    until(run, 1.5)
    assert port.driven == set(), "taken back"


def test_each_controller_has_its_own_random_stream(tmp_path: Path) -> None:
    def draws(seed: int) -> list[float]:
        made = [Scripted(Speed(1.0)), Scripted(Speed(1.0))]
        queue = iter(made)
        content = text(
            entities=car("Ego") + car("B"),
            init=private("Ego", at(50.0), assign("c")) + private("B", at(90.0), assign("c")),
        )
        execution(tmp_path, content, controllers={"c": lambda: next(queue)}, seed=seed)
        return [m.draws[0] for m in made]

    assert draws(1) == draws(1)
    assert len(set(draws(1) + draws(2))) == 4


def test_a_controller_of_another_tool_is_noted_and_default_motion_used(tmp_path: Path) -> None:
    other = '<ObjectController><Controller name="TheirDriver"><Properties/></Controller></ObjectController>'
    activate = '<ControllerAction><ActivateControllerAction lateral="true" longitudinal="true"/></ControllerAction>'
    run = until(
        execution(tmp_path, text(entities=car("Ego", other), init=private("Ego", at(50.0), activate, speed(10.0)))), 1.0
    )
    assert run.motions["Ego"].pose.x == pytest.approx(60.0)
    assert any("TheirDriver" in note for note in run.outcome.notes)


def criterion(name: str, parameter: str = "", value: str = "") -> str:
    inner = f'<ParameterCondition parameterRef="{parameter}" value="{value}" rule="lessThan"/>'
    return by_value(inner, name=f"criteria_{name}", edge="rising")


@pytest.mark.parametrize(
    ("test", "parameter", "value", "passes"),
    [
        ("CollisionTest", "", "", False),
        ("DrivenDistanceTest", "distance_success", "30", True),
        ("DrivenDistanceTest", "distance_success", "3000", False),
        ("MaxVelocityTest", "max_velocity", "10", True),
        ("MaxVelocityTest", "max_velocity", "9", False),
        ("KeepLaneTest", "", "", False),
        ("WrongLaneTest", "", "", True),
        ("OffRoadTest", "", "", True),
        ("OnSidewalkTest", "", "", True),
        ("MinimumTimeToCollisionTest", "ttc", "1", False),
        ("MinimumDistanceTest", "distance", "0.5", False),
    ],
)
def test_criteria_decide_the_verdict(tmp_path: Path, test: str, parameter: str, value: str, passes: bool) -> None:
    """Ego hits a parked car in the next lane by changing into it."""
    content = text(
        entities=car("Ego") + car("P"), init=private("Ego", at(50.0), speed(10.0)) + private("P", at(85.0, lane=-2)),
        story=act(maneuver(event("e", lane_change(-2, 2.0), ""))), stop=group(criterion(test, parameter, value)) + group(after(5.0)),
    )  # fmt: skip
    run = until(execution(tmp_path, content), 9.0)
    assert run.time_s == pytest.approx(5.01), "a criterion stops nothing"
    outcome = run.outcome
    assert (outcome.verdict, outcome.criteria[0].test, outcome.criteria[0].passed) == (
        "pass" if passes else "fail",
        test,
        passes,
    )
    assert bool(outcome.reasons) is not passes


def test_unknown_criteria_are_refused(tmp_path: Path) -> None:
    with pytest.raises(OpenScenarioError, match="criterion BeautyTest is not supported"):
        execution(tmp_path, text(stop=group(criterion("BeautyTest"))))


def test_outcome_measures_the_approach(tmp_path: Path) -> None:
    """20 m/s towards a parked car 95 m bumper to bumper away, braking with 4 m/s^2 from 2 s on: 50 m, 5 m are left."""
    content = text(
        entities=car("Ego") + car("P"), init=private("Ego", at(50.0), speed(20.0)) + private("P", at(150.0)),
        story=act(maneuver(event("e", speed(0.0, "linear", "rate", 4.0), group(after(2.0, "greaterOrEqual"))))),
    )  # fmt: skip
    outcome = until(execution(tmp_path, content), 9.0).outcome
    assert outcome.collisions == ()
    assert outcome.min_distance is not None
    assert outcome.min_distance.value == pytest.approx(5.0, abs=1e-6)
    # TTC = (5 + v^2 / 8) / v is least at v = sqrt(40): sqrt(40) / 4 s.
    assert outcome.min_ttc is not None
    assert outcome.min_ttc.value == pytest.approx(math.sqrt(40.0) / 4.0, rel=1e-4)
    assert outcome.max_drac is not None
    assert outcome.max_drac.value == pytest.approx(400.0 / (2 * 55.0), rel=1e-3)


def test_entities_are_added_hidden_and_deleted(tmp_path: Path) -> None:
    add = '<GlobalAction><EntityAction entityRef="B"><AddEntityAction><Position><LanePosition roadId="1" laneId="-2" s="90"/></Position></AddEntityAction></EntityAction></GlobalAction>'
    delete = '<GlobalAction><EntityAction entityRef="B"><DeleteEntityAction/></EntityAction></GlobalAction>'
    hide = '<VisibilityAction graphics="false" sensors="false" traffic="true"/>'
    light = '<AppearanceAction><LightStateAction><LightType><VehicleLight vehicleLightType="warningLights"/></LightType><LightState mode="on"/></LightStateAction></AppearanceAction>'
    content = text(
        entities=car("Ego") + car("B"), init=private("Ego", at(50.0)),
        story=act(maneuver(event("add", add, group(after(1.0))), event("hide", [hide, light], group(after(1.5))), event("del", delete, group(after(2.0)))), actors="B"),
    )  # fmt: skip
    run = execution(tmp_path, content)
    port = run.world.port
    assert isinstance(port, PurePort)
    assert "B" not in run.motions
    assert until(run, 1.2).motions["B"].pose.x == pytest.approx(90.0)
    until(run, 1.8)
    assert port.visibility["B"] == (False, True, False)
    assert port.lights["B"] == {"warningLights": "on"}
    until(run, 3.0)
    assert (port.removed, "B" in run.motions) == (["B"], False)


def test_weather_reaches_the_world_and_later_actions_change_only_what_they_name(tmp_path: Path) -> None:
    def environment(inner: str) -> str:
        return f'<GlobalAction><EnvironmentAction><Environment name="e">{inner}</Environment></EnvironmentAction></GlobalAction>'

    rain = environment(
        '<Weather fractionalCloudCover="eightOktas"><Precipitation precipitationType="rain" precipitationIntensity="10"/></Weather>'
    )
    fog = environment(
        '<Weather><Fog visualRange="100"/></Weather><RoadCondition frictionScaleFactor="0.6" wetness="moist"/>'
    )
    content = text(init=rain + private("Ego", at(50.0)), story=act(maneuver(event("fog", fog, group(after(1.0))))))
    run = until(execution(tmp_path, content), 2.0)
    port = run.world.port
    assert isinstance(port, PurePort)
    first, second = port.environments
    assert (first.clouds_oktas, first.precipitation_mm_h, first.fog_range_m) == (8, 10.0, None)
    assert (second.clouds_oktas, second.precipitation_mm_h, second.fog_range_m, second.friction) == (
        8,
        10.0,
        100.0,
        0.6,
    )


def test_signal_phases_follow_time_and_delays() -> None:
    phases = (Phase("go", 5.0, {"1": "green"}), Phase("stop", 3.0, {"1": "red"}))
    signals = Signals({"a": SignalController("a", phases), "b": SignalController("b", phases, 2.0, "a")})
    signals.start()
    seen = []
    for second in range(10):
        signals.update(float(second))
        seen.append((signals.phase("a"), signals.phase("b")))
    assert [a for a, _ in seen] == ["go"] * 5 + ["stop"] * 3 + ["go"] * 2
    assert [b for _, b in seen] == [None, None] + ["go"] * 5 + ["stop"] * 3
    signals.set_phase("a", "stop")
    assert signals.state("1") == "red"


@pytest.mark.parametrize(
    ("state", "color"),
    [
        ("red", "red"),
        ("GO", "green"),
        ("on;off;off", "red"),
        ("off;on;off", "yellow"),
        ("off;off;on", "green"),
        ("off;off;off", "off"),
    ],
)
def test_signal_states(state: str, color: str) -> None:
    assert color_of(state) == color


def test_signal_states_that_mean_nothing_are_refused() -> None:
    with pytest.raises(ValueError, match="purple"):
        color_of("purple")


def test_controller_records_carry_their_properties() -> None:
    assert ControllerRecord("c", {"a": "b"}).properties["a"] == "b"


def test_a_door_is_opened_and_shut(tmp_path: Path) -> None:
    def door(state: str) -> str:
        return f'<AppearanceAction><AnimationAction animationDuration="0.3"><AnimationType><ComponentAnimation><VehicleComponent vehicleComponentType="doorFrontLeft"/></ComponentAnimation></AnimationType>{state}</AnimationAction></AppearanceAction>'

    content = text(
        entities=car("Ego"), init=private("Ego", at(50.0)),
        story=act(maneuver(event("open", door(""), group(after(1.0))), event("shut", door('<AnimationState state="0"/>'), group(after(2.0))))),
    )  # fmt: skip
    run = execution(tmp_path, content)
    port = run.world.port
    assert isinstance(port, PurePort)
    until(run, 0.8)
    assert not port.doors
    until(run, 1.2)
    assert port.doors == {("Ego", "doorFrontLeft"): True}
    assert not any(change.name == "open" and change.transition == "endTransition" for change in run.events)
    until(run, 2.2)
    assert port.doors == {("Ego", "doorFrontLeft"): False}


@pytest.mark.parametrize(
    ("inner", "words"),
    [
        ('<AnimationType><ComponentAnimation><VehicleComponent vehicleComponentType="hood"/></ComponentAnimation></AnimationType>', "hood does not move"),
        ('<AnimationType><PedestrianAnimation motion="walking" userDefinedPedestrianAnimation=""/></AnimationType>', "only doors"),
        ('<AnimationType><ComponentAnimation><VehicleComponent vehicleComponentType="doorRearLeft"/></ComponentAnimation></AnimationType><AnimationState state="2"/>', "more than 1"),
    ],
)  # fmt: skip
def test_what_is_no_door_is_refused(tmp_path: Path, inner: str, words: str) -> None:
    action = f"<AppearanceAction><AnimationAction>{inner}</AnimationAction></AppearanceAction>"
    content = text(
        entities=car("Ego"),
        init=private("Ego", at(50.0)),
        story=act(maneuver(event("open", action, group(after(1.0))))),
    )
    with pytest.raises(OpenScenarioError, match=words):
        execution(tmp_path, content)
