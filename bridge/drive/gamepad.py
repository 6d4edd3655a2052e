"""Gamepads and steering wheels: which axis and button does what, and pads that come and go while driving.

A mapping is chosen by the device's name; ``--gamepad FILE`` gives another one (docs/driving.md shows its form).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pydantic
import pygame
import yaml

from bridge.drive.keys import Action
from foundation.errors import InputError

Actions = {action.value: action for action in Action}


class Axis(pydantic.BaseModel):
    """One axis of a device: its number, the values at rest and fully pressed (or steered right), its dead zone."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    axis: int = pydantic.Field(ge=0, le=31)
    rest: float = 0.0
    full: float = 1.0
    dead_zone: float = pydantic.Field(default=0.05, ge=0.0, lt=0.9)
    exponent: float = pydantic.Field(default=1.0, ge=0.5, le=4.0)

    @pydantic.model_validator(mode="after")
    def _moves(self) -> Axis:
        if self.rest == self.full:
            raise ValueError("'rest' and 'full' must differ")
        return self

    def read(self, value: float) -> float:
        """Return -1..1: 0 inside the dead zone, 1 at ``full``; a power curve makes small moves finer."""
        share = (value - self.rest) / (self.full - self.rest)
        size = min(max((abs(share) - self.dead_zone) / (1.0 - self.dead_zone), 0.0), 1.0) ** self.exponent
        return size if share >= 0.0 else -size


class Mapping(pydantic.BaseModel):
    """What a device's axes and buttons do. Buttons and hats name actions as the help screen's table does."""

    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)

    name: str
    steer: Axis
    throttle: Axis
    brake: Axis
    hand_brake: int | None = None
    buttons: dict[int, str] = {}
    hat: dict[str, str] = {}

    @pydantic.field_validator("buttons", "hat")
    @classmethod
    def _known(cls, named: dict[Any, str]) -> dict[Any, str]:
        for action in named.values():
            if action not in Actions:
                raise ValueError(f"{action!r} is no action; there are {', '.join(sorted(Actions))}")
        return named

    @pydantic.field_validator("hat")
    @classmethod
    def _directions(cls, hat: dict[str, str]) -> dict[str, str]:
        unknown = sorted(set(hat) - {"up", "down", "left", "right"})
        if unknown:
            raise ValueError(f"{unknown[0]!r} is no direction of a hat")
        return hat


XBOX = Mapping(
    name="Xbox",
    steer=Axis(axis=0, dead_zone=0.12, exponent=1.8),
    throttle=Axis(axis=5, rest=-1.0, full=1.0),
    brake=Axis(axis=2, rest=-1.0, full=1.0),
    hand_brake=0,
    buttons={1: "reverse", 2: "labels", 3: "next view", 4: "gear down", 5: "gear up", 6: "help", 7: "pause"},
    hat={"up": "next sensor", "down": "lights", "left": "weather", "right": "autopilot"},
)
"""A hand brake, B reverse, X labels, Y view, bumpers gears, Back help, Start pause; triggers brake and throttle."""
PLAYSTATION = Mapping(
    name="PlayStation",
    steer=Axis(axis=0, dead_zone=0.12, exponent=1.8),
    throttle=Axis(axis=5, rest=-1.0, full=1.0),
    brake=Axis(axis=4, rest=-1.0, full=1.0),
    hand_brake=0,
    buttons={
        1: "reverse", 2: "labels", 3: "next view", 4: "help", 6: "pause", 9: "gear down", 10: "gear up",
        11: "next sensor", 12: "lights", 13: "weather", 14: "autopilot",
    },
)  # fmt: skip
"""Cross hand brake, circle reverse, square labels, triangle view; the d-pad counts as buttons 11-14."""
WHEEL = Mapping(
    name="Wheel",
    steer=Axis(axis=0, dead_zone=0.0),
    throttle=Axis(axis=2, rest=1.0, full=-1.0),
    brake=Axis(axis=3, rest=1.0, full=-1.0),
    hand_brake=4,
    buttons={5: "reverse", 0: "next view", 1: "next sensor", 2: "labels", 3: "lights"},
)
"""Logitech's wheels, numbered as in CARLA's ``wheel_config.ini``: pedals read 1 at rest and -1 fully pressed."""


def mapping_for(name: str) -> Mapping:
    """Return the shipped mapping that fits a device of this name; Xbox's for unknown ones."""
    lower = name.lower()
    if any(word in lower for word in ("wheel", "g25", "g27", "g29", "g920", "g923", "driving force")):
        return WHEEL
    if any(word in lower for word in ("ps3", "ps4", "ps5", "dualshock", "dualsense", "playstation", "sony")):
        return PLAYSTATION
    return XBOX


def load(path: Path) -> Mapping:
    """Read a mapping from YAML.

    Raises:
        InputError: the file cannot be read, or says something a mapping cannot.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Mapping.model_validate(content)
    except OSError as error:
        raise InputError(f"the gamepad mapping cannot be read: {error.strerror}", file=path) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"not valid YAML: {error}".splitlines()[0], file=path) from None
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or None
        raise InputError(first["msg"].removeprefix("Value error, "), file=path, element=where) from None


@dataclass(frozen=True)
class Pad:
    """What a gamepad says now: pedals 0..1, steering -1 (left) .. 1 (right)."""

    throttle: float = 0.0
    brake: float = 0.0
    steer: float = 0.0
    hand_brake: bool = False


@dataclass
class Gamepads:
    """Follows pygame's joystick events; the device that moved last drives.

    Attributes:
        override: a mapping for every device, instead of those chosen by name.
    """

    override: Mapping | None = None
    _devices: dict[int, tuple[Any, Mapping]] = field(default_factory=dict)
    _axes: dict[int, dict[int, float]] = field(default_factory=dict)
    _held: dict[int, set[int]] = field(default_factory=dict)
    _driving: int | None = None

    def add(self, instance: int, name: str, device: Any = None) -> str:
        """Take a device in; returns what to tell the person. pygame reports a pad only while ``device`` is kept."""
        mapping = self.override or mapping_for(name)
        self._devices[instance] = (device, mapping)
        # A trigger that has never moved is read as 0 by SDL, which would be half pressed.
        self._axes[instance] = {axis.axis: axis.rest for axis in (mapping.steer, mapping.throttle, mapping.brake)}
        self._held[instance] = set()
        return f"{name}: {mapping.name} mapping"

    def knows(self, instance: int) -> bool:
        """Whether the device is there."""
        return instance in self._devices

    def remove(self, instance: int) -> None:
        """Forget a device: its pedals are released."""
        self._devices.pop(instance, None)
        if self._driving == instance:
            self._driving = None

    def event(self, event: pygame.event.Event) -> tuple[Action | None, str | None]:
        """Take an event in; returns the action of a button that went down, and a message about devices."""
        if event.type == pygame.JOYDEVICEADDED:
            joystick = pygame.joystick.Joystick(event.device_index)
            return None, self.add(joystick.get_instance_id(), joystick.get_name(), joystick)
        if event.type == pygame.JOYDEVICEREMOVED:
            self.remove(event.instance_id)
            return None, "gamepad disconnected"
        instance = getattr(event, "instance_id", None)
        if instance not in self._devices:
            return None, None
        mapping = self._devices[instance][1]
        if event.type == pygame.JOYAXISMOTION:
            self._axes[instance][event.axis] = event.value
            if any(axis.axis == event.axis for axis in (mapping.steer, mapping.throttle, mapping.brake)):
                self._driving = instance
        elif event.type == pygame.JOYBUTTONDOWN:
            self._driving = instance
            self._held[instance].add(event.button)
            return Actions.get(mapping.buttons.get(event.button, "")), None
        elif event.type == pygame.JOYBUTTONUP:
            self._held[instance].discard(event.button)
        elif event.type == pygame.JOYHATMOTION:
            x, y = event.value
            direction = "right" if x > 0 else "left" if x < 0 else "up" if y > 0 else "down" if y < 0 else ""
            return Actions.get(mapping.hat.get(direction, "")), None
        return None, None

    @property
    def pad(self) -> Pad:
        """What the device that drives says now."""
        if self._driving is None or self._driving not in self._devices:
            return Pad()
        mapping, axes = self._devices[self._driving][1], self._axes[self._driving]
        return Pad(
            max(0.0, mapping.throttle.read(axes.get(mapping.throttle.axis, mapping.throttle.rest))),
            max(0.0, mapping.brake.read(axes.get(mapping.brake.axis, mapping.brake.rest))),
            mapping.steer.read(axes.get(mapping.steer.axis, mapping.steer.rest)),
            mapping.hand_brake is not None and mapping.hand_brake in self._held[self._driving],
        )
