"""Structs: field order as on the wire, lenient reading, round trips."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.protocol import structs
from engine.protocol.structs import (
    COMMANDS,
    ActorDescription,
    BoundingBox,
    EpisodeSettings,
    SpawnActor,
    Transform,
    VehicleControl,
    VehiclePhysicsControl,
    WeatherParameters,
    Wire,
)


def wire(value):
    return msgspec.msgpack.decode(msgspec.msgpack.encode(value))


def test_field_orders_are_carlas():
    assert wire(Transform()) == [[0, 0, 0], [0, 0, 0]]
    assert wire(VehicleControl(0.1, 0.2, 0.3, True, False, True, 4)) == [0.1, 0.2, 0.3, True, False, True, 4]
    assert wire(BoundingBox(actor_id=9)) == [[0, 0, 0], [0, 0, 0], [0, 0, 0], 9]
    assert wire(EpisodeSettings()) == [False, False, [False], True, 0.01, 10, 0, True, 3000, 2000, True]
    assert len(wire(WeatherParameters())) == 14
    physics = wire(VehiclePhysicsControl())
    assert physics[0] == [[0, 500], [5000, 500]]
    assert physics[1:10] == [5000, 1, 0.15, 2, 0.35, True, 0.5, 10, 4]
    assert physics[11:13] == [1000, 0.3]
    assert physics[14] == [[0, 1], [10, 0.5]]
    assert len(physics) == 17


def test_a_short_array_leaves_defaults_and_surplus_is_ignored():
    assert msgspec.convert([[1, 2, 3]], BoundingBox) == BoundingBox(structs.Location(1, 2, 3))
    assert msgspec.convert([0.5], VehicleControl) == VehicleControl(throttle=0.5)
    assert msgspec.convert([[1, 2, 3, 99], [4, 5, 6], "surplus"], Transform).rotation.roll == 6


@pytest.mark.parametrize(
    ("field", "step"), [([False], None), ([True, 0.05], 0.05), ([True, 0.0], None), ([True, -1.0], None), ([], None)]
)
def test_the_optional_step(field, step):
    assert msgspec.convert([True, False, field], EpisodeSettings).fixed_delta == step


def test_a_spawn_command_with_garbage_attachment_and_no_parent_is_read():
    command = msgspec.convert([[1, "vehicle.a.b", []], [[0, 0, 0], [0, 0, 0]], [False], 80, "", []], SpawnActor)
    assert command.parent_id == 0
    assert msgspec.convert([[1, "x", []], [], [True, 12], 0, "", []], SpawnActor).parent_id == 12


def test_commands_stand_at_their_index():
    names = [command.__name__ for command in COMMANDS]
    assert names[0] == "SpawnActor"
    assert names[2] == "ApplyVehicleControl"
    assert names[7] == "ApplyWalkerState"
    assert names[14] == "SetSimulatePhysics"
    assert names[18] == "SetVehicleLightState"
    assert names[21] == "SetTrafficLightState"
    assert len(names) == 22


number = st.floats(-1e6, 1e6, width=32)


@given(st.lists(number, min_size=7, max_size=7), st.text(max_size=30))
def test_round_trips(numbers, text):
    transform = msgspec.convert([numbers[:3], numbers[3:6]], Transform)
    description = ActorDescription(3, text, (structs.ActorAttributeValue(text, 4, text),))
    command = SpawnActor(description, transform, (True, 5), 1, text)
    assert msgspec.convert(wire(command), SpawnActor) == command
    assert description.get(text) == text


def test_every_struct_is_an_immutable_array():
    kinds = [kind for kind in vars(structs).values() if isinstance(kind, type) and issubclass(kind, Wire)]
    assert len(kinds) > 60
    for kind in kinds:
        assert kind.__struct_config__.array_like, kind
        assert kind.__struct_config__.frozen, kind
