"""The blueprint library as the client receives it: an :class:`ActorDefinition` for every blueprint."""

from __future__ import annotations

from engine.blueprints.props import PROPS
from engine.blueprints.sensors import SENSORS
from engine.blueprints.specs import PropSpec, SensorSpec, VehicleSpec, WalkerSpec
from engine.blueprints.vehicles import VEHICLES
from engine.blueprints.walkers import WALKERS
from engine.protocol.structs import ActorAttribute, ActorAttributeType, ActorDefinition

BOOL, INT, FLOAT = ActorAttributeType.BOOL, ActorAttributeType.INT, ActorAttributeType.FLOAT
STRING, RGB = ActorAttributeType.STRING, ActorAttributeType.RGB_COLOR
TYPE_LETTERS = {"b": BOOL, "i": INT, "f": FLOAT, "s": STRING}
SENSOR_ROLES = ("front", "back", "left", "right", "front_left", "front_right", "back_left", "back_right")
Attributes = tuple[ActorAttribute, ...]


def _modifiable(name: str, kind: int, *values: str, restricted: bool = False) -> ActorAttribute:
    return ActorAttribute(name, int(kind), values[0], values, True, restricted)


def _constant(name: str, kind: int, value: str) -> ActorAttribute:
    return ActorAttribute(name, int(kind), value, (), False, False)


def _names(blueprint: str, roles: tuple[str, ...]) -> Attributes:
    return _modifiable("role_name", STRING, *roles), _modifiable("ros_name", STRING, blueprint)


def _text(flag: bool) -> str:
    return "true" if flag else "false"


def _vehicle(spec: VehicleSpec) -> Attributes:
    found = list(_names(spec.id, ("autopilot", "scenario", "ego_vehicle")))
    if spec.colors:
        found.append(_modifiable("color", RGB, *spec.colors))
    if spec.two_wheeler or spec.id == "vehicle.lincoln.mkz_2020":
        found.append(_modifiable("driver_id", INT, "0", "1", "2", restricted=True))
    found += [
        _modifiable("sticky_control", BOOL, "true"),
        _modifiable("terramechanics", BOOL, "false"),
        _constant("object_type", STRING, ""),
        _constant("base_type", STRING, spec.base_type),
        _constant("special_type", STRING, spec.special_type),
        _constant("number_of_wheels", INT, str(spec.number_of_wheels)),
        _constant("generation", INT, str(spec.generation)),
        _constant("has_dynamic_doors", BOOL, _text(spec.has_dynamic_doors)),
        _constant("has_lights", BOOL, _text(spec.has_lights)),
    ]
    return tuple(found)


def _walker(spec: WalkerSpec) -> Attributes:
    return (
        *_names(spec.id, ("pedestrian",)),
        _modifiable("speed", FLOAT, *(str(speed) for speed in spec.speeds)),
        _modifiable("is_invincible", BOOL, "true"),
        _modifiable("use_wheelchair", BOOL, "false", restricted=True),
        # Ours, not CARLA's: where in the stride a walker begins, so that a still can show any moment of it.
        _modifiable("gait_phase", FLOAT, "0.0"),
        _constant("gender", STRING, spec.gender),
        _constant("generation", INT, str(spec.generation)),
        _constant("age", STRING, spec.age),
        _constant("can_use_wheelchair", BOOL, "false"),
    )


def _prop(spec: PropSpec) -> Attributes:
    shown: Attributes = ()
    if spec.shape == "advertisement":
        # Ours, not CARLA's: who is shown (a walker's id; empty: the seed chooses), in which moment, and from where.
        numbers = (_modifiable(name, FLOAT, "0.0") for name in ("gait_phase", "person_heading"))
        shown = (_modifiable("person", STRING, ""), *numbers)
    return *_names(spec.id, ("prop",)), *shown, _constant("size", STRING, spec.size)


def _sensor(spec: SensorSpec) -> Attributes:
    own = (
        _modifiable(name, TYPE_LETTERS[letter], *(allowed or (value,)), restricted=bool(allowed))
        for name, letter, value, allowed in spec.attributes
    )
    return *_names(spec.id, SENSOR_ROLES), *own


def _others() -> list[tuple[str, Attributes]]:
    friction = (
        _modifiable("friction", FLOAT, "3.5f"),
        *(_modifiable(f"extent_{axis}", FLOAT, "1.0f") for axis in "xyz"),
    )
    mesh = (
        _modifiable("mesh_path", STRING, ""),
        _modifiable("mass", FLOAT, ""),
        _modifiable("scale", FLOAT, "1.0f"),
    )
    return [
        ("controller.ai.walker", _names("controller.ai.walker", ("default",))),
        ("util.actor.empty", _names("util.actor.empty", ("default",))),
        ("static.trigger.friction", _names("static.trigger.friction", ("default",)) + friction),
        ("static.prop.mesh", _names("static.prop.mesh", ("prop",)) + mesh),
    ]


def build_library() -> dict[str, ActorDefinition]:
    """Return all definitions by id, numbered from 1."""
    entries: list[tuple[str, Attributes]] = []
    entries += [(spec.id, _vehicle(spec)) for spec in VEHICLES.values()]
    entries += [(spec.id, _walker(spec)) for spec in WALKERS.values()]
    entries += [(spec.id, _prop(spec)) for spec in PROPS.values()]
    entries += [(spec.id, _sensor(spec)) for spec in SENSORS.values()]
    entries += _others()
    return {
        name: ActorDefinition(uid, name, name.replace(".", ","), attributes)
        for uid, (name, attributes) in enumerate(entries, start=1)
    }


LIBRARY: dict[str, ActorDefinition] = build_library()
"""Every spawnable blueprint's definition by id."""
