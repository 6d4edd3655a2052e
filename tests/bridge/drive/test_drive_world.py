"""What the instruments measure, the sky, the pavement, the scenario's driver: without a simulator."""

import math

import carla
import numpy as np
import pytest

from bridge.drive import measure
from bridge.drive import sky as skies
from bridge.drive.pedals import Controls
from bridge.drive.scenario import Hands, HumanController, choose, verdict_of
from bridge.drive.stage import find_vehicle, vehicle_control
from bridge.drive.traffic import Stroller, Traffic
from bridge.drive.worker import EARLY_FRAMES, LATE_FRAMES, SCALES, Quality
from bridge.ego_switch import EgoSwitch
from foundation.errors import RealityError
from foundation.frames import pose_matrices
from foundation.ids import Tag
from scenarios import catalogue
from scenarios.openscenario.controllers import VehicleDrive
from scenarios.openscenario.outcomes import Collision, CriterionResult, Extreme, Outcome
from sensors.readings import ObjectState


def thing(x, y, yaw=0.0, v=(0.0, 0.0), number=1, extent=(2.0, 1.0, 0.75), tag=Tag.CAR):
    return ObjectState(
        number, ("actor", number), "vehicle.x", (int(tag),), pose_matrices((x, y, 0.0), (0.0, yaw, 0.0)),
        np.array([0.0, 0.0, 0.75]), np.array(extent), velocity_mps=np.array([*v, 0.0]),
    )  # fmt: skip


def test_time_to_collision_is_the_gap_over_the_closing_speed():
    # Bumpers are 20 - 2 - 2 = 16 m apart; 10 m/s against a car that stands: 1.6 s.
    threat, gap = measure.threats(thing(0, 0, v=(10.0, 0.0)), [thing(20.0, 0.0, number=2)])
    assert threat.ttc_s == pytest.approx(1.6)
    assert threat.name == "car"
    assert gap.gap_m == pytest.approx(16.0)


def test_the_nearest_threat_in_time_counts_not_the_nearest_in_space():
    ego = thing(0, 0, v=(10.0, 0.0))
    walker = thing(30.0, 0.0, number=3, extent=(0.3, 0.3, 0.9), tag=Tag.PEDESTRIANS, v=(-5.0, 0.0))
    # Both 27.7 m and 26 m: the walker comes towards the car, the other car drives away as fast.
    threat, _ = measure.threats(ego, [thing(25.0, 0.0, number=2, v=(10.0, 0.0)), walker])
    assert threat.name == "pedestrian"
    assert threat.ttc_s == pytest.approx(27.7 / 15.0)


@pytest.mark.parametrize(
    "other",
    [thing(20.0, 5.0, number=2), thing(-20.0, 0.0, number=2), thing(20.0, 0.0, number=2, v=(10.0, 0.0))],
    ids=["beside the way", "behind", "equally fast"],
)
def test_without_a_conflict_there_is_no_time_to_collision(other):
    assert measure.threats(thing(0, 0, v=(10.0, 0.0)), [other])[0] is None


def test_sideways_motion_counts_in_carlas_left_handed_frame():
    # From the right (positive y) a walker runs to the left into the way of the car: both at the corner after 2 s.
    walker = thing(23.0, 7.3, number=2, extent=(0.3, 0.3, 0.9), v=(0.0, -3.0), tag=Tag.PEDESTRIANS)
    threat, _ = measure.threats(thing(0, 0, v=(10.0, 0.0)), [walker])
    assert threat is not None
    assert threat.ttc_s == pytest.approx(2.07, abs=0.03)


@pytest.mark.parametrize(("yaw", "heading", "wind"), [(0, 90, "E"), (90, 180, "S"), (-90, 0, "N"), (180, 270, "W")])
def test_the_compass_counts_clockwise_from_north(yaw, heading, wind):
    assert measure.compass(yaw) == pytest.approx(heading)
    assert measure.wind(measure.compass(yaw)) == wind


@pytest.fixture(scope="module")
def town():
    return carla.Map("RealityTown", catalogue.MAPS["RealityTown"].read_text())


def test_the_lane_is_the_one_under_the_car(town):
    start = next(w for w in town.generate_waypoints(20.0) if not w.is_junction)
    at, right = start.transform.location, start.transform.get_right_vector()
    state = thing(at.x + 0.5 * right.x, at.y + 0.5 * right.y)
    state.world_from_object[2, 3] = at.z
    lane = measure.lane_of(town, state)
    assert f"road {start.road_id}  lane {start.lane_id}" in lane.text
    assert lane.offset_m == pytest.approx(0.5, abs=0.02)
    assert lane.width_m == pytest.approx(start.lane_width)


def test_noon_is_high_in_the_south_and_midnight_is_dark():
    noon, night = skies.Sky(0, 720.0), skies.Sky(0, 0.0)
    azimuth, altitude = noon.sun_deg(48.0)
    assert 170.0 < azimuth < 190.0
    assert altitude == pytest.approx(90.0 - 48.0 + 18.0, abs=1.5)  # declination of 12 May: 18 degrees
    assert noon.parameters(48.0)["sun_azimuth_angle"] == pytest.approx(azimuth - 90.0)  # CARLA counts from east
    assert night.sun_deg(48.0)[1] < -15.0


def test_weathers_go_round_and_hours_too():
    sky = skies.Sky()
    for _ in skies.NAMES:
        sky = sky.other_weather(1)
    assert sky == skies.Sky()
    assert skies.Sky(0, 23 * 60.0).later(2.0).clock == "01:00"
    assert skies.Sky(0, 30.0).later(-1.0).clock == "23:30"


def test_every_weather_sets_fields_that_carla_has():
    weather = carla.WeatherParameters()
    for number in range(len(skies.WEATHERS)):
        for name in skies.Sky(number).parameters(48.0):
            assert hasattr(weather, name), name
    rain = skies.Sky(skies.NAMES.index("hard rain"), 720.0).parameters(48.0)
    assert rain["precipitation"] == 100


def test_vehicles_are_found_by_a_part_of_their_name():
    choices = ["vehicle.audi.a2", "vehicle.audi.tt", "vehicle.mini.cooper_s"]
    assert find_vehicle("vehicle.audi.tt", choices) == "vehicle.audi.tt"
    assert find_vehicle("Cooper", choices) == "vehicle.mini.cooper_s"
    with pytest.raises(RealityError, match="2 vehicles"):
        find_vehicle("audi", choices)
    with pytest.raises(RealityError, match="no vehicle"):
        find_vehicle("bus", choices)


def test_controls_reach_the_car_as_carla_spells_them():
    control = vehicle_control(Controls(0.5, 0.25, -0.3, True, True, True, -1))
    assert (control.throttle, control.brake, control.steer) == pytest.approx((0.5, 0.25, -0.3))
    assert (control.hand_brake, control.reverse, control.manual_gear_shift, control.gear) == (True, True, True, -1)


# --- people -------------------------------------------------------------------------------------------------------


@pytest.fixture
def traffic(town):
    return Traffic(None, None, town, None, 0)


def test_pavements_of_the_map_are_found(traffic):
    assert len(traffic.pavement()) > 100
    assert all(w.lane_type == carla.LaneType.Sidewalk for w in traffic.pavement())


def test_a_stroller_stays_on_the_pavement(town, traffic):
    start = traffic.pavement()[10]
    stroller = Stroller(None, start, True, 1.4, 0.5)
    at = start.transform.location
    walked = 0.0
    for _ in range(600):
        control = stroller.decide(at)
        direction = control.direction
        assert math.hypot(direction.x, direction.y) == pytest.approx(1.0, abs=1e-3)
        at = carla.Location(at.x + 0.28 * direction.x, at.y + 0.28 * direction.y, at.z)
        walked += 0.28
        below = town.get_waypoint(at, lane_type=carla.LaneType.Any)
        assert below.lane_type == carla.LaneType.Sidewalk
    assert walked > 100.0


def test_a_stroller_who_is_stuck_turns_round(traffic):
    start = traffic.pavement()[10]
    stroller = Stroller(None, start, True, 1.4, 0.0)
    at = start.transform.location
    before = stroller.decide(at).direction
    for _ in range(20):
        after = stroller.decide(at).direction
        if before.x * after.x + before.y * after.y < -0.5:
            return
    raise AssertionError("it keeps pushing")


# --- scenarios ----------------------------------------------------------------------------------------------------


class _Entity:
    def __init__(self, name):
        self.name = name


class _Machine:
    physical = False

    def __init__(self):
        self.started = False

    def start(self, entity, properties, rng):
        self.started = True

    def step(self, view, dt_s):
        return "machine"

    def request(self, action, view):
        return True

    def stop(self):
        self.started = False


def test_only_the_ego_gets_a_human_driver():
    hands = Hands(Controls(0.5, 0.0, 0.25, reverse=True))
    ego, other = (EgoSwitch(_Machine, "Ego", lambda: HumanController(hands)) for _ in range(2))
    ego.start(_Entity("Ego"), {}, np.random.default_rng(0))
    other.start(_Entity("Child"), {}, np.random.default_rng(0))
    assert ego.physical
    assert not other.physical
    assert other.step(None, 0.05) == "machine"
    assert other.request(None, None)
    # CARLA steers positive to the right, OpenSCENARIO's frame to the left.
    assert ego.step(None, 0.05) == VehicleDrive(0.5, -0.25, 0.0, False, True)
    assert not ego.request(None, None)
    assert HumanController(hands).physical


def test_samples_are_those_of_a_run_and_repeat():
    first, again, second = (choose("child_runs_out", i, 7) for i in (0, 0, 1))
    assert first.unit == again.unit
    assert first.unit.parameters != second.unit.parameters
    from bridge.plan import plan

    assert [first.unit.parameters, second.unit.parameters] == [u.parameters for u in plan(["child_runs_out"], 2, 7)]


@pytest.mark.parametrize("target", ["catalogue", "nothing_like_it", "."])
def test_what_is_no_single_scenario_is_refused(target):
    with pytest.raises(RealityError):
        choose(target, 0, 0)


def test_a_verdict_says_whom_one_hit_and_what_was_demanded():
    outcome = Outcome(
        "fail", ("CollisionTest: ...",), "Ego", 5.0,
        (Collision(3.9, "Child", "Ego", 10.0), Collision(4.0, "A", "B", 3.0)),
        Extreme(0.4, 3.5, "Child"), None, None, None, None,
        (CriterionResult("CollisionTest", "touch nothing", False, "collision at 3.90 s"),
         CriterionResult("MinimumTimeToCollisionTest", "0.2", True, "met")), (),
    )  # fmt: skip
    verdict = verdict_of(outcome, "Title")
    assert verdict.reasons == ("You touched Child at 3.9 s, 36 km/h fast.",)
    assert verdict.criteria[0] == (False, "Collision: collision at 3.90 s; demanded: touch nothing")
    assert verdict.criteria[1] == (True, "Minimum time to collision: met")
    assert ("Smallest TTC", "0.40 s  (Child, at 3.5 s)") in verdict.figures


# --- quality ------------------------------------------------------------------------------------------------------


def test_quality_gives_way_when_frames_are_late_and_comes_back_slowly():
    quality = Quality()
    for _ in range(LATE_FRAMES):
        quality.saw(0.08, 0.05)
    assert quality.scale == SCALES[1]
    for _ in range(EARLY_FRAMES - 1):
        assert not quality.saw(0.02, 0.05)
    assert quality.saw(0.02, 0.05)
    assert quality.scale == 1.0


def test_a_single_late_frame_changes_nothing_and_a_fixed_quality_never_does():
    quality = Quality()
    for _ in range(50):
        assert not quality.saw(0.2, 0.05)
        assert not any(quality.saw(0.04, 0.05) for _ in range(3))
    assert quality.scale == 1.0
    fixed = Quality(0.5)
    assert not any(fixed.saw(1.0, 0.05) for _ in range(100))
    assert fixed.scale == 0.5
