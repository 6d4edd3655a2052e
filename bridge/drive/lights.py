"""The car's lamps: what the keys switch, and the flags that CARLA wants."""

from __future__ import annotations

from dataclasses import dataclass

import carla

from bridge.drive.keys import Action

_STATE = carla.VehicleLightState
_LOW = int(_STATE.Position) | int(_STATE.LowBeam)
STEPS = (("", 0), ("position", int(_STATE.Position)), ("low beam", _LOW), ("fog", _LOW | int(_STATE.Fog)))
"""What L goes through."""
EXTRAS = {
    Action.HIGH_BEAM: ("high beam", int(_STATE.HighBeam)),
    Action.LEFT_BLINKER: ("left", int(_STATE.LeftBlinker)),
    Action.RIGHT_BLINKER: ("right", int(_STATE.RightBlinker)),
}
_BLINKERS = {Action.LEFT_BLINKER: Action.RIGHT_BLINKER, Action.RIGHT_BLINKER: Action.LEFT_BLINKER}


@dataclass
class Lights:
    """The switches. Brake and reverse lamps are not among them: pedals and gears light those."""

    step: int = 0
    extras: frozenset[Action] = frozenset()

    def press(self, action: Action) -> bool:
        """Take a key; returns whether it is one of ours. One blinker puts the other out."""
        if action is Action.LIGHTS:
            self.step = (self.step + 1) % len(STEPS)
        elif action in EXTRAS:
            self.extras = (self.extras ^ {action}) - {_BLINKERS.get(action, Action.LIGHTS)}
        else:
            return False
        return True

    @property
    def flags(self) -> int:
        """``carla.VehicleLightState`` as a number."""
        flags = STEPS[self.step][1]
        for action in self.extras:
            flags |= EXTRAS[action][1]
        return flags

    @property
    def names(self) -> tuple[str, ...]:
        """What is on, in words."""
        on = [STEPS[self.step][0]] if self.step else []
        return (*on, *(name for action, (name, _) in EXTRAS.items() if action in self.extras))
