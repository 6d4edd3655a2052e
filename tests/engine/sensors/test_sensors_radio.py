"""V2X: path loss by formula, what stands between, who sends when, and the bytes of a message."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from test_sensors_capture import EGO, OTHER, SENSOR, World, box

from engine.geometry import Box, Model
from engine.protocol.structs import Actor, ActorDescription, BoundingBox, Location, Vector3D
from engine.sensors import SENSORS
from engine.sensors.radio import Air
from engine.state import Kind
from foundation.ids import Tag
from sensors.models import v2x
from sensors.models.v2x import Path

FAR = 7  # a second sensor, on OTHER
BLOCK = 9


class RadioWorld(World):
    """The world of the other sensors' tests with an ego of a car's height, and a sensor on each car."""

    def __init__(self):
        super().__init__()
        self.air, self.spectator = Air(), 0
        self.table.add(FAR, Kind.SENSOR, OTHER)["location"] = 20, 0, 1
        self.tags = {EGO: Tag.CAR, OTHER: Tag.CAR}

    def actor_struct(self, actor_id):
        extent = Vector3D(2.2, 0.9, 0.75) if actor_id in (EGO, OTHER, BLOCK) else Vector3D()
        tag = bytes([int(self.tags[actor_id])]) if actor_id in self.tags else b""
        return Actor(actor_id, 0, ActorDescription(1, f"t{actor_id}"), BoundingBox(Location(), extent), tag)


@pytest.fixture
def world():
    return RadioWorld()


def make(name, actor_id, seed=0, **attributes):
    quiet = {"use_etsi_fading": "false"} | {k: str(v) for k, v in attributes.items()}
    return SENSORS[f"sensor.other.{name}"](quiet, actor_id, seed=seed)


def records(body, size):
    assert body is None or len(body) % size == 0
    return [body[n : n + size] for n in range(0, len(body or b""), size)]


def exchange(world, *sensors):
    world.air.clear()
    for sensor in sensors:
        sensor.transmit(world)
    return [sensor.capture(world) for sensor in sensors]


def whole(record, offset):
    return struct.unpack_from("<q", record, offset)[0]


# --- formulas ----------------------------------------------------------------------------------------------------


def test_losses_follow_their_formulas():
    assert v2x.free_space_db(100.0, 5.9) == pytest.approx(20 * math.log10(4 * math.pi * 100 * 5.9e9 / 299792458.0))
    assert v2x.winner_db(Path.FREE, "highway", 100.0, 5.9) == pytest.approx(32.4 + 40 + 20 * math.log10(5.9))
    assert v2x.winner_db(Path.VEHICLES, "urban", 100.0, 5.9) == pytest.approx(38.77 + 33.4 + 18.2 * math.log10(5.9))
    assert v2x.winner_db(Path.BUILDINGS, "rural", 100.0, 5.9) == pytest.approx(36.85 + 60 + 18.9 * math.log10(5.9))
    assert v2x.log_distance_db(10.0, 1.0, 2.7, 5.9) == pytest.approx(v2x.free_space_db(1.0, 5.9) + 27.0)
    # ITU-R P.526: a knife edge that just touches (v = 0) takes 6 dB.
    assert v2x.knife_edge_db(50.0, 50.0, 0.0, 5.9) == pytest.approx(6.03, abs=0.01)
    assert v2x.knife_edge_db(50.0, 50.0, 2.0, 5.9) > v2x.knife_edge_db(50.0, 50.0, 1.0, 5.9) > 6.03


def test_the_two_rays_add_up_far_and_interfere_near():
    far = [v2x.two_ray_db(d, 1.5, 1.5, 5.9) - v2x.free_space_db(d, 5.9) for d in np.linspace(10.0, 60.0, 400)]
    assert min(far) < -1.0  # where they meet in phase
    assert max(far) > 1.0
    # With antennas on the ground both paths are one, and the mirrored ray cancels it.
    assert v2x.two_ray_db(100.0, 1e-4, 1e-4, 5.9) > v2x.free_space_db(100.0, 5.9) + 20.0


# --- what arrives ------------------------------------------------------------------------------------------------


def custom(world, **attributes):
    receiver, sender = make("v2x_custom", SENSOR, **attributes), make("v2x_custom", FAR)
    sender.send("slippery")
    return exchange(world, receiver, sender)[0]


def test_a_text_arrives_once_with_power_and_station(world):
    receiver, sender = make("v2x_custom", SENSOR), make("v2x_custom", FAR, transmit_power=20.0)
    sender.send("slippery")
    sender.send("x" * 200)
    body, own = exchange(world, receiver, sender)
    assert own is None
    first, second = records(body, 136)
    power = struct.unpack_from("<f", first)[0]
    assert power == pytest.approx(20.0 + 10.0 - v2x.winner_db(Path.FREE, "highway", 20.0, 5.9), abs=1e-4)
    assert (whole(first, 16), whole(first, 24)) == (0, OTHER)
    assert first[32:132].rstrip(b"\0") == b"slippery"
    assert second[32:132] == b"x" * 99 + b"\0"
    assert exchange(world, receiver, sender) == [None, None]


def test_what_is_weak_or_far_does_not_arrive(world):
    assert custom(world) is not None
    assert custom(world, receiver_sensitivity=-40) is None
    assert custom(world, filter_distance=19) is None
    assert custom(world, filter_distance=21) is not None


def test_vehicles_and_walls_in_between_take_their_share(world):
    def power():
        return struct.unpack_from("<f", custom(world, path_loss_model="geometric"))[0]

    free = power()
    shape = Model("", (box((-2, -1, 0), (2, 1, 3.0), Tag.CAR),), Box((0, 0, 1.5), (2, 1, 1.5)))
    world.table.add(BLOCK, Kind.VEHICLE)["location"] = 10, 0, 0
    world.rays.add_actor(BLOCK, shape)
    world.rays.update(world.table)
    behind_car = power()
    height = 1.5 + 0.02
    expected = v2x.free_space_db(20.0, 5.9) + v2x.knife_edge_db(10.0, 10.0, height, 5.9)
    assert behind_car == pytest.approx(21.5 + 10.0 - expected, abs=1e-3)
    assert behind_car < free - 10.0
    world.table[BLOCK]["kind"] = Kind.PROP
    world.rays.update(world.table)
    expected = v2x.log_distance_db(20.0, 1.0, 2.7, 5.9)
    assert power() == pytest.approx(31.5 - expected, abs=1e-3)


def test_fading_has_the_spread_that_was_asked_for(world):
    receiver, sender = make("v2x_custom", SENSOR, custom_fading_stddev=4.0, noise_seed=5), make("v2x_custom", FAR)
    powers = []
    for _ in range(400):
        sender.send("a")
        powers.append(struct.unpack_from("<f", exchange(world, receiver, sender)[0])[0])
    assert np.std(powers) == pytest.approx(4.0, rel=0.15)
    assert np.mean(powers) == pytest.approx(31.5 - v2x.winner_db(Path.FREE, "highway", 20.0, 5.9), abs=0.8)


@pytest.mark.parametrize(
    "wrong", [{"scenario": "moon"}, {"path_loss_model": "none"}, {"frequency_ghz": 0}, {"d_ref": -1}]
)
def test_useless_attributes_are_refused(wrong):
    with pytest.raises(ValueError, match="attribute"):
        make("v2x", SENSOR, **wrong)


# --- cooperative awareness messages --------------------------------------------------------------------------------


def sent_in(world, frames, move=lambda row: None, **attributes):
    """Return in which frames the sensor on OTHER sent a message that the one on EGO received."""
    receiver, sender = make("v2x", SENSOR), make("v2x", FAR, **attributes)
    heard = []
    for n in range(frames):
        world.advance(0.05)
        move(world.table[OTHER])
        if exchange(world, receiver, sender)[0]:
            heard.append(n)
    return heard


def test_who_rests_sends_once_in_gen_cam_max(world):
    assert sent_in(world, 45) == [0, 20, 40]


def test_a_fixed_rate_is_gen_cam_min(world):
    assert sent_in(world, 10, fixed_rate="true", gen_cam_min=0.2) == [0, 4, 8]


def test_moving_turning_and_speeding_up_trigger(world):
    def drive(row):
        row["location"][0] += 1.5  # 30 m/s: more than 4 m in three frames

    assert sent_in(world, 9, drive) == [0, 3, 6]

    def turn(row):
        row["rotation"][1] += 2.5

    assert sent_in(RadioWorld(), 6, turn) == [0, 2, 4]

    def hurry(row):
        row["velocity"][0] += 0.3

    assert sent_in(RadioWorld(), 6, hurry) == [0, 2, 4]


def test_a_message_says_where_and_how_its_sender_drives(world):
    receiver, sender = make("v2x", SENSOR), make("v2x", FAR)
    row = world.table[OTHER]
    row["velocity"], row["rotation"], row["angular_velocity"] = (0.0, 12.34, 0.0), (0.0, 90.0, 0.0), (0.0, 0.0, 5.0)
    row["lights"] = 2 | 8 | 32
    (record,) = records(exchange(world, receiver, sender)[0], 464)
    assert [whole(record, at) for at in (16, 24, 40, 104)] == [2, OTHER, 5, 1]
    assert whole(record, 112) == 1800  # +y is south
    assert (whole(record, 128), whole(record, 144)) == (1234, 0)
    assert (whole(record, 152), whole(record, 168)) == (44, 18)  # decimetres
    assert whole(record, 216) == 500
    assert [whole(record, at) for at in (176, 280, 304)] == [0, 0, 98]
    assert (record[272], record[296], record[232], record[248]) == (1, 1, 0, 0)
    assert (whole(record, 408), record[424]) == (1, 0b10100000)
    assert whole(record, 48) == pytest.approx(49.0e7, abs=1e4)
    assert record[376:408] == bytes(32)
    assert record[432:464] == bytes(32)


def test_noise_and_bias_of_a_message(world):
    receiver, sender = (
        make("v2x", SENSOR),
        make("v2x", FAR, noise_alt_bias=2.5, noise_head_bias=10, noise_vel_stddev_x=3),
    )
    (record,) = records(exchange(world, receiver, sender)[0], 464)
    assert (whole(record, 88), whole(record, 112)) == (250, 1000)


def test_a_sensor_that_hangs_on_nothing_sends_no_awareness_messages(world):
    world.table[FAR]["parent"] = 0
    assert exchange(world, make("v2x", SENSOR), make("v2x", FAR)) == [None, None]
