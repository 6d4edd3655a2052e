"""Ego plug-ins: found, made, asked with patience, and their answers checked; the shipped ones on the executor alone."""

import math
import threading
import time

import carla
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.egos import Actor, EgoContext, EgoError, Observation, located
from bridge.egos.driver import _Patience, checked
from bridge.egos.examples import AebByTtc, ConstantSpeed, LaneKeeper
from bridge.egos.loading import SHIPPED, make, split


def actor(name, kind, x, speed=0.0, y=0.0, size=(4.5, 1.8, 1.5), visible=True):
    return Actor(name, kind, x, y, 0.5 * size[2], 0.0, (speed, 0.0, 0.0), speed, *size, visible)


def seen(*others, speed=15.0, time_s=0.0):
    path = tuple((float(x), 0.0) for x in range(-3, 150))
    return Observation(time_s, actor("Ego", "vehicle", 0.0, speed), others, path, None, None)


CONTEXT = EgoContext(None, None, None, 0.05, 1, {})  # type: ignore[arg-type]


def drive(agent, *others, steps=20, speed=15.0):
    """Ask for a second while everything stays where it is; return the last control."""
    agent.setup(CONTEXT)
    for i in range(steps):
        control = agent.run_step(seen(*others, speed=speed, time_s=0.05 * i))
        checked(control, "x", 0.0)
    return control


def test_constant_speed_minds_nobody():
    assert drive(ConstantSpeed(), actor("Lorry", "vehicle", 12.0)).brake == 0.0


def test_the_lane_keeper_brakes_for_vehicles_but_has_no_eye_for_pedestrians():
    assert drive(LaneKeeper(), actor("Lorry", "vehicle", 20.0)).brake > 0.2
    child = actor("Child", "pedestrian", 12.0, size=(0.4, 0.4, 1.2))
    assert drive(LaneKeeper(), child).brake == 0.0


def test_the_emergency_brake_brakes_for_what_it_sees_in_time_only():
    child = actor("Child", "pedestrian", 15.0, size=(0.4, 0.4, 1.2))
    assert drive(AebByTtc(), child).brake > 0.8
    assert drive(AebByTtc(brake_ttc_s="0.3"), child).brake == 0.0, "not yet"
    hidden = actor("Child", "pedestrian", 15.0, size=(0.4, 0.4, 1.2), visible=False)
    assert drive(AebByTtc(), hidden).brake == 0.0


def test_a_wished_speed_is_an_option():
    assert drive(ConstantSpeed(speed_kmh="20"), speed=15.0).throttle < drive(ConstantSpeed(speed_kmh="90")).throttle


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_drivers_have_short_names(name):
    text, file = located(name)
    assert text == SHIPPED[name]
    assert file.name == "examples.py"
    assert callable(make(name).run_step)


def test_options_are_keyword_arguments(tmp_path):
    assert split("a.b:C?x=1&y=two%20words") == ("a.b", "C", {"x": "1", "y": "two words"})
    (tmp_path / "plug_in_here.py").write_text(
        "class Mine:\n    def __init__(self, gain): self.gain = gain\n    def run_step(self, seen): ...\n"
        "class Wrong:\n    pass\n"
    )
    assert make("plug_in_here:Mine?gain=3", str(tmp_path)).gain == "3"
    for text, words in (
        ("plug_in_here:Mine", "gain"),
        ("plug_in_here:Mine?other=3", "other"),
        ("plug_in_here:Nobody", "Nobody"),
        ("plug_in_here:Wrong", "run_step"),
    ):
        with pytest.raises(EgoError, match=words):
            make(text, str(tmp_path))


@pytest.mark.parametrize("text", ["", "x", "no_such_module_at_all:X", "os:", ":X", "a b:C", "os:path?x", "1:2"])
def test_what_is_no_plug_in_is_one_clear_error(text):
    with pytest.raises(EgoError) as error:
        located(text)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(
    "control",
    [None, 0.5, carla.VehicleControl(throttle=math.nan), carla.VehicleControl(steer=math.inf),
     carla.VehicleControl(throttle=1.5), carla.VehicleControl(brake=-0.1), carla.VehicleControl(steer=-1.2)],
)  # fmt: skip
def test_what_no_vehicle_can_follow_is_refused(control):
    with pytest.raises(EgoError, match=r"ego mine: run_step\(\) at 1.25 s returned"):
        checked(control, "mine", 1.25)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(-1, 1))
def test_every_control_within_its_limits_is_taken(throttle, brake, steer):
    control = carla.VehicleControl(throttle=throttle, brake=brake, steer=steer)
    assert checked(control, "mine", 0.0) is control


def test_patience_returns_raises_and_ends():
    patience = _Patience("mine")
    threads = {patience.call(threading.get_ident, 5.0, "x") for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    with pytest.raises(EgoError, match=r"ego mine: run_step.. raised ValueError: two lines"):
        patience.call(lambda: (_ for _ in ()).throw(ValueError("two\nlines")), 5.0, "run_step()")
    with pytest.raises(EgoError, match="raised SystemExit"):
        patience.call(lambda: exit(3), 5.0, "close()")
    with pytest.raises(EgoError, match=r"did not return within 0.05 s"):
        patience.call(lambda: time.sleep(1.0), 0.05, "run_step()")


@pytest.mark.slow
def test_a_trained_model_drives(tmp_path):
    """Any policy of the task's spaces will do: what is tested is that it sees and acts as in training."""
    gymnasium = pytest.importorskip("gymnasium")
    sb3 = pytest.importorskip("stable_baselines3")
    import numpy as np

    from learning.envs.state import StateLayout
    from learning.ppo.ego import TrainedEgo
    from scenarios import catalogue, opendrive

    class Spaces(gymnasium.Env):
        observation_space = StateLayout(only_visible=True).space
        action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,), np.float32)

        def reset(self, *, seed=None, options=None):
            return self.observation_space.sample(), {}

        def step(self, action):
            return self.observation_space.sample(), 0.0, True, False, {}

    sb3.PPO("MlpPolicy", Spaces(), seed=1, n_steps=8, batch_size=8, device="cpu").save(tmp_path / "model.zip")
    network = opendrive.read(catalogue.FOLDER / "maps" / "RealityStreet.xodr")
    pose = opendrive.spawn_points(network)[0]
    me = Actor("Ego", "vehicle", pose.x, -pose.y, 0.75, -math.degrees(pose.heading), (0, 0, 0), 8.0, 4.5, 1.8, 1.5)
    context = EgoContext(None, None, network, 0.05, 1, {})
    agents = [TrainedEgo(str(tmp_path / "model.zip")) for _ in range(2)]
    answers = []
    for agent in agents:
        agent.setup(context)
        seen = [Observation(0.05 * i, me, (actor("B", "vehicle", 9.0),), (), None, None) for i in range(6)]
        answers.append([agent.run_step(moment) for moment in seen])
    assert answers[0] == answers[1]
    for control in answers[0]:
        checked(control, "ppo", 0.0)
        assert abs(control.steer) < 0.1, "it stands in its lane and looks along it"
    with pytest.raises(EgoError, match="cannot be loaded"):
        TrainedEgo(str(tmp_path / "nothing.zip"))
