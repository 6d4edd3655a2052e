"""What the agent decides, and how pedals and the wheel follow from it.

An action kind has a Gymnasium space and turns a decision, at every tick of the simulation, into pedals. Pedals that the
agent gives itself are one number: positive for the throttle, negative for the brake.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import Ego, Scene

MAX_STEER_RAD = math.radians(70.0)
"""Steering lock of CARLA's cars: what steer = 1 stands for."""
PREVIEW_S, LEAST_PREVIEW_M = 0.6, 3.5
"""The lane keeper aims at a point so far ahead, as the drivers of ``behavior`` do."""
TOP_SPEED_MPS = 40.0
SPEED_GAIN, INTEGRAL_GAIN = 0.4, 0.2
BRAKE_GAIN = 0.25


@dataclass(slots=True)
class Pedals:
    """What the vehicle gets: throttle and brake 0..1, steer -1..1, positive to the right."""

    throttle: float
    brake: float
    steer: float


class Action(ABC):
    """One kind of action. It belongs to one environment and may keep state within an episode."""

    space: gymnasium.Space[Any]

    @abstractmethod
    def restart(self, scene: Scene, route: Route) -> None:
        """Begin an episode."""

    @abstractmethod
    def decide(self, action: Any, scene: Scene, route: Route) -> None:
        """Take a decision of the agent; RealityError if it is none of the space."""

    @abstractmethod
    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        """Return what the decision means now."""


class _Continuous(Action):
    """Base of those whose decision is a vector in [-1, 1]."""

    def __init__(self, size: int) -> None:
        self.space = gymnasium.spaces.Box(-1.0, 1.0, (size,), np.float32)
        self._values: npt.NDArray[np.float64] = np.zeros(size)

    def restart(self, scene: Scene, route: Route) -> None:
        self._values = np.zeros_like(self._values)

    def decide(self, action: Any, scene: Scene, route: Route) -> None:
        values = np.asarray(action, dtype=np.float64)
        if values.shape != self._values.shape:
            raise RealityError(
                f"action {action!r}: {len(self._values)} numbers are needed, its shape is {values.shape}"
            )
        if not np.isfinite(values).all():
            raise RealityError(
                f"action {values.tolist()} is not finite; look at the policy's output (a learning rate too high, "
                "observations that were not scaled)"
            )
        self._values = np.clip(values, -1.0, 1.0)


class Continuous(_Continuous):
    """``continuous``: [pedal, steer]; steer positive to the right, 1 is the steering lock."""

    def __init__(self) -> None:
        super().__init__(2)

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        return _split(float(self._values[0]), float(self._values[1]))


class Longitudinal(_Continuous):
    """``longitudinal``: [pedal]; a lane keeper steers."""

    def __init__(self) -> None:
        super().__init__(1)

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        return _split(float(self._values[0]), keep_lane(scene, route))


class Target(_Continuous):
    """``target``: [speed, offset]: a speed from 0 (-1) to 40 m/s (1) and a place across the lane from its left (-1) to
    its right edge (1); controllers hold both."""

    def __init__(self) -> None:
        super().__init__(2)
        self._cruise = Cruise()

    def restart(self, scene: Scene, route: Route) -> None:
        super().restart(scene, route)
        self._cruise = Cruise()

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        speed = 0.5 * (float(self._values[0]) + 1.0) * TOP_SPEED_MPS
        aside = float(self._values[1]) * 0.5 * float(route.width[route.index(scene.s)])
        throttle, brake = self._cruise.step(scene.ego.speed, speed, dt_s)
        return Pedals(throttle, brake, keep_lane(scene, route, aside))


class _Choice(Action):
    """Base of those whose decision is one of a few."""

    def __init__(self, count: int) -> None:
        self.space = gymnasium.spaces.Discrete(count)
        self._count = count
        self._choice = 0

    def decide(self, action: Any, scene: Scene, route: Route) -> None:
        value = np.asarray(action)
        if value.size != 1 or not np.issubdtype(value.dtype, np.integer) or not 0 <= int(value.item()) < self._count:
            raise RealityError(f"action {action!r} is none of the {self._count} choices 0 .. {self._count - 1}")
        self._choice = int(value.item())


PEDAL_CHOICES = (-1.0, -0.4, 0.0, 0.4, 1.0)
STEER_CHOICES = (-0.05, 0.0, 0.05)
STILL = PEDAL_CHOICES.index(0.0)


class Discrete(_Choice):
    """``discrete``: 15 choices, ``5 * wheel + pedal``.

    Pedal: full brake, 40 % brake, nothing, 40 % throttle, full throttle; wheel: 3.5 degrees left, straight, 3.5 degrees
    right.
    """

    def __init__(self) -> None:
        super().__init__(len(PEDAL_CHOICES) * len(STEER_CHOICES))

    def restart(self, scene: Scene, route: Route) -> None:
        self._choice = len(PEDAL_CHOICES) + STILL

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        wheel, pedal = divmod(self._choice, len(PEDAL_CHOICES))
        return _split(PEDAL_CHOICES[pedal], STEER_CHOICES[wheel])


class DiscreteLongitudinal(_Choice):
    """``discrete_longitudinal``: the five pedals of ``discrete``; a lane keeper steers."""

    def __init__(self) -> None:
        super().__init__(len(PEDAL_CHOICES))

    def restart(self, scene: Scene, route: Route) -> None:
        self._choice = STILL

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        return _split(PEDAL_CHOICES[self._choice], keep_lane(scene, route))


LANE_LEFT, IDLE, LANE_RIGHT, FASTER, SLOWER = range(5)
SPEED_STEP_MPS = 5.0


class Meta(_Choice):
    """``meta``: what a driver tells a car that drives itself, in highway-env's order.

    0 one lane to the left, 1 nothing, 2 one lane to the right, 3 5 m/s faster, 4 5 m/s slower. Lanes of the ego's own
    direction only; a wish for another one is like nothing.
    """

    def __init__(self) -> None:
        super().__init__(5)
        self._cruise, self._lanes, self._speed = Cruise(), 0, 0.0

    def restart(self, scene: Scene, route: Route) -> None:
        self._choice, self._cruise, self._lanes = IDLE, Cruise(), 0
        self._speed = max(scene.ego.speed, 0.0)

    def decide(self, action: Any, scene: Scene, route: Route) -> None:
        super().decide(action, scene, route)
        i = route.index(scene.s)
        width = float(route.width[i])
        if self._choice in (LANE_LEFT, LANE_RIGHT):
            lanes = self._lanes + (1 if self._choice == LANE_RIGHT else -1)
            middle = lanes * width
            if -float(route.same_left[i]) < middle < float(route.same_right[i]):
                self._lanes = lanes
        elif self._choice in (FASTER, SLOWER):
            change = SPEED_STEP_MPS if self._choice == FASTER else -SPEED_STEP_MPS
            self._speed = min(max(self._speed + change, 0.0), TOP_SPEED_MPS)

    def pedals(self, scene: Scene, route: Route, dt_s: float) -> Pedals:
        aside = self._lanes * float(route.width[route.index(scene.s)])
        throttle, brake = self._cruise.step(scene.ego.speed, self._speed, dt_s)
        return Pedals(throttle, brake, keep_lane(scene, route, aside))


class Cruise:
    """Holds a speed with pedals: proportional and integral, the integral bounded to what a pedal can do."""

    def __init__(self) -> None:
        self._integral = 0.3

    def step(self, speed_mps: float, wanted_mps: float, dt_s: float) -> tuple[float, float]:
        """Return throttle and brake."""
        error = wanted_mps - speed_mps
        if error < -1.0 or (wanted_mps < 0.1 and speed_mps < 1.0):
            self._integral = 0.0
            return 0.0, min(1.0, max(0.3 if wanted_mps < 0.1 else 0.0, -BRAKE_GAIN * error))
        self._integral = max(0.0, min(0.9, self._integral + INTEGRAL_GAIN * min(error, 2.0) * dt_s))
        return max(0.0, min(1.0, SPEED_GAIN * error + self._integral)), 0.0


def keep_lane(scene: Scene, route: Route, aside_m: float = 0.0) -> float:
    """Return the steering that leads onto a line beside the route's centre: pure pursuit from the rear axle.

    Args:
        aside_m: metres to the right of the lane's centre.
    """
    ego = scene.ego
    preview = max(LEAST_PREVIEW_M, PREVIEW_S * ego.speed) + 0.5 * ego.wheelbase
    # A change of lanes is spread over the way that two seconds take, at least four times its width.
    error = aside_m - scene.offset
    preview = max(preview, min(2.0 * ego.speed, 6.0 * abs(error)))
    at = scene.s + preview
    i = route.index(at)
    beyond = max(0.0, at - route.length)
    heading = float(route.heading[i])
    along = min(at, route.length) - i
    c, s = math.cos(heading), math.sin(heading)
    x = float(route.points[i, 0]) + c * (along + beyond) - s * aside_m
    y = float(route.points[i, 1]) + s * (along + beyond) + c * aside_m
    return steer_towards(ego, x, y)


def steer_towards(ego: Ego, x: float, y: float) -> float:
    """Return the steering for the arc from the rear axle, tangent to the vehicle, through a point."""
    c, s = math.cos(ego.yaw), math.sin(ego.yaw)
    dx, dy = x - (ego.x - 0.5 * ego.wheelbase * c), y - (ego.y - 0.5 * ego.wheelbase * s)
    ahead, right = dx * c + dy * s, dy * c - dx * s
    curvature = 2.0 * right / max(ahead * ahead + right * right, 1e-6)
    return max(-1.0, min(1.0, math.atan(curvature * ego.wheelbase) / MAX_STEER_RAD))


def _split(pedal: float, steer: float) -> Pedals:
    return Pedals(max(pedal, 0.0), max(-pedal, 0.0), steer)


ACTIONS: dict[str, type[Action]] = {
    "continuous": Continuous,
    "longitudinal": Longitudinal,
    "target": Target,
    "discrete": Discrete,
    "discrete_longitudinal": DiscreteLongitudinal,
    "meta": Meta,
}
"""Action kinds by name."""


def make(name: str) -> Action:
    """Return an action kind; RealityError for an unknown name."""
    if name not in ACTIONS:
        raise RealityError(f"there is no action kind {name!r}; there are {', '.join(ACTIONS)}")
    return ACTIONS[name]()


__all__ = ["ACTIONS", "Action", "Cruise", "Pedals", "keep_lane", "make"]
