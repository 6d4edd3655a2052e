"""From keys and pads to pedals and a steering wheel: pure, one step of simulated time at a time."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from bridge.drive.gamepad import Pad
from bridge.drive.keys import Hold

THROTTLE_RATE = 2.5
"""Per second: a key presses the pedal down in 0.4 s, and lets it go faster than that."""
RELEASE_RATE = 6.0
BRAKE_RATE = 4.0
STEER_RATE = 1.8
CENTRE_RATE = 3.5
"""The wheel comes back faster than it is turned, as in a car that rolls."""
KEY_STEER = 0.7
"""How far keys turn the wheel at standstill, as in CARLA's ``manual_control.py``."""
CALM_SPEED_MPS = 14.0
"""At this speed keys turn the wheel half as far: nobody pulls it round on a motorway."""
NEUTRAL_GEAR, REVERSE_GEAR = 0, -1


@dataclass(frozen=True)
class Inputs:
    """What the person's hands and feet do now."""

    held: frozenset[Hold] = frozenset()
    pad: Pad = field(default_factory=Pad)

    @property
    def any(self) -> bool:
        """Whether anything that drives is touched."""
        return bool(self.held) or self.pad.throttle > 0.1 or self.pad.brake > 0.1 or abs(self.pad.steer) > 0.2


@dataclass(frozen=True)
class Controls:
    """What the car is told: pedals 0..1, steering -1 (left) .. 1 (right); ``gear`` counts in manual mode only."""

    throttle: float = 0.0
    brake: float = 0.0
    steer: float = 0.0
    hand_brake: bool = False
    reverse: bool = False
    manual: bool = False
    gear: int = 1


def _toward(value: float, target: float, step: float) -> float:
    return value + min(max(target - value, -step), step)


def key_steer_limit(speed_mps: float) -> float:
    """Return how far keys turn the wheel at a speed."""
    return KEY_STEER / (1.0 + abs(speed_mps) / CALM_SPEED_MPS)


@dataclass
class Driver:
    """Feet and hands of the person: remembers where pedals, wheel and levers are."""

    controls: Controls = field(default_factory=Controls)
    max_gear: int = 6
    _keys: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def step(self, inputs: Inputs, speed_mps: float, dt_s: float) -> Controls:
        """Return the controls ``dt_s`` later. A pad's value counts where it is stronger than the keys'."""
        held, pad = inputs.held, inputs.pad
        throttle, brake, steer = self._keys
        wants_throttle, wants_brake = Hold.THROTTLE in held, Hold.BRAKE in held
        throttle = _toward(throttle, float(wants_throttle), dt_s * (THROTTLE_RATE if wants_throttle else RELEASE_RATE))
        brake = _toward(brake, float(wants_brake), dt_s * (BRAKE_RATE if wants_brake else RELEASE_RATE))
        turn = float(Hold.RIGHT in held) - float(Hold.LEFT in held)
        target = turn * key_steer_limit(speed_mps)
        rate = STEER_RATE if turn and steer * turn >= 0.0 else CENTRE_RATE
        steer = _toward(steer, target, rate * dt_s)
        self._keys = (throttle, brake, steer)
        self.controls = replace(
            self.controls,
            throttle=max(throttle, pad.throttle),
            brake=max(brake, pad.brake),
            steer=steer if abs(steer) >= abs(pad.steer) else pad.steer,
            hand_brake=Hold.HAND_BRAKE in held or pad.hand_brake,
        )
        return self.controls

    def toggle_reverse(self) -> str:
        """Put the reverse gear in or out; returns what to tell the person."""
        now = self.controls
        if now.manual:
            gear = 1 if now.gear == REVERSE_GEAR else REVERSE_GEAR
            self.controls = replace(now, gear=gear, reverse=gear < 0)
        else:
            self.controls = replace(now, reverse=not now.reverse, gear=1 if now.reverse else REVERSE_GEAR)
        return "reverse" if self.controls.reverse else "forward"

    def toggle_manual(self, gear: int) -> str:
        """Take over the gears where the automatic has them now, or give them back."""
        now = self.controls
        manual = not now.manual
        wanted = gear if gear in range(REVERSE_GEAR, self.max_gear + 1) else 1
        self.controls = replace(now, manual=manual, gear=wanted, reverse=now.reverse if not manual else wanted < 0)
        return "manual gears" if manual else "automatic gears"

    def shift(self, by: int) -> str:
        """Shift up or down in manual mode; -1 is reverse, 0 neutral."""
        if not self.controls.manual:
            return "the gears are automatic; M makes them manual"
        gear = min(max(self.controls.gear + by, REVERSE_GEAR), self.max_gear)
        self.controls = replace(self.controls, gear=gear, reverse=gear < 0)
        return f"gear {gear_name(gear)}"

    def reset(self) -> None:
        """Let everything go: after a new start. The choice between manual and automatic stays."""
        self.controls = Controls(manual=self.controls.manual)
        self._keys = (0.0, 0.0, 0.0)


def gear_name(gear: int) -> str:
    """Return ``R``, ``N`` or the number."""
    return {REVERSE_GEAR: "R", NEUTRAL_GEAR: "N"}.get(gear, str(gear))
