"""The drivers of ``behavior`` as policies: ``idm`` follows its lane and the vehicle ahead, ``aeb`` brakes for whatever
it sees coming into its way.

They think in physical units, so they read the environment's ``scene`` and ``route`` instead of the scaled observation,
but of the scene only what the observation may contain: with ``sight="only"``, the default, those in line of sight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from behavior import AebDriver, AebSettings, DriverIntention, DriverPercept, IdmDriver, IdmSettings, Kind, Seen
from behavior.drivers import VehicleShape
from learning.envs import actions
from learning.envs.base import DrivingEnv
from learning.envs.route import STEP_M, Route
from learning.envs.scene import CAR, PEDESTRIAN, TWO_WHEELER, Scene
from learning.episodes.policies import PolicyError

if TYPE_CHECKING:
    import gymnasium

_KINDS = {CAR: Kind.VEHICLE, TWO_WHEELER: Kind.CYCLIST, PEDESTRIAN: Kind.PEDESTRIAN}
_BEHIND, _AHEAD = 3, 150
"""Points of the route, one metre apart, that a driver gets behind and before the vehicle."""
TOWN_MPS = 13.9
"""Wished speed of a driver that begins at rest on a road without a limit."""


class IdmPolicy:
    """``idm``: the intelligent driver model along the route; it looks out for vehicles only.

    Raises:
        PolicyError: the environment is none of ours, or its actions are not such as a driver gives.
    """

    name = "idm"

    def __init__(self, env: gymnasium.Env[Any, Any]) -> None:
        inner = env.unwrapped
        if not isinstance(inner, DrivingEnv):
            raise PolicyError(f"policy {self.name}: drives our environments only, not {type(inner).__name__}")
        if env.action_space != inner.action.space:
            raise PolicyError(f"policy {self.name}: a wrapper has changed the actions of the environment")
        self._env = inner
        self._translate = _translator(inner.action, self.name)
        self._driver: IdmDriver | None = None

    def reset(self, seed: int) -> None:
        """Forget the last episode; nothing in a driver is random."""
        self._driver = None

    def act(self, observation: Any, info: Mapping[str, Any]) -> Any:
        """Return the pedals and the steering that the driver wants, as an action of the environment."""
        scene, route = self._env.scene, self._env.route
        if self._driver is None:
            ego = scene.ego
            self._driver = self._make(_wished_mps(scene, route), VehicleShape(ego.length, ego.width, ego.wheelbase))
        seen = percept(scene, route)
        return self._translate(self._driver.step(seen, self._env.timing.decision_s), scene)

    def _make(self, wished_mps: float, shape: VehicleShape) -> IdmDriver:
        return IdmDriver(IdmSettings(desired_mps=wished_mps), shape)


class AebPolicy(IdmPolicy):
    """``aeb``: the catalogue's ego: the same with an emergency brake for anything that is about to be in its way."""

    name = "aeb"

    def _make(self, wished_mps: float, shape: VehicleShape) -> IdmDriver:
        return AebDriver(IdmSettings(desired_mps=wished_mps), AebSettings(), shape)


def percept(scene: Scene, route: Route) -> DriverPercept:
    """Return what a driver perceives of a scene; the hidden are left out."""
    ego, others = scene.ego, scene.others
    seen = tuple(
        Seen(
            index + 1,
            _KINDS.get(int(others.kind[index]), Kind.OBSTACLE),
            float(others.xy[index, 0]),
            float(others.xy[index, 1]),
            float(others.z[index] + 0.5 * others.size[index, 2]),
            float(others.velocity[index, 0]),
            float(others.velocity[index, 1]),
            math.degrees(float(others.yaw[index])),
            *(float(size) for size in others.size[index]),
        )
        for index in np.flatnonzero(others.visible).tolist()
    )
    return DriverPercept(scene.time_s, ego.x, ego.y, math.degrees(ego.yaw), ego.speed, _path(scene, route), seen)


def _path(scene: Scene, route: Route) -> list[tuple[float, float]]:
    first = min(max(0, int(scene.s / STEP_M) - _BEHIND), len(route.points) - 2)
    return [(float(x), float(y)) for x, y in route.points[first : first + _BEHIND + _AHEAD]]


def _wished_mps(scene: Scene, route: Route) -> float:
    """The speed the episode begins with; from rest the road's limit."""
    if scene.ego.speed > 1.0:
        return scene.ego.speed
    limit = float(route.limit[route.index(scene.s)])
    return TOWN_MPS if math.isnan(limit) else limit


def _translator(action: actions.Action, name: str) -> Any:
    """Return the function from an intention to an action of this kind."""
    for kind, translate in _TRANSLATORS.items():
        if type(action) is kind:
            return translate
    known = ", ".join(key for key, kind in actions.ACTIONS.items() if kind in _TRANSLATORS)
    raise PolicyError(
        f"policy {name}: a driver cannot express itself in actions of the kind {type(action).__name__}; "
        f"make the environment with one of {known}"
    )


def _pedal(intention: DriverIntention) -> float:
    return intention.throttle - intention.brake


def _continuous(intention: DriverIntention, scene: Scene) -> Any:
    return np.array([_pedal(intention), intention.steer], dtype=np.float32)


def _longitudinal(intention: DriverIntention, scene: Scene) -> Any:
    return np.array([_pedal(intention)], dtype=np.float32)


def _discrete(intention: DriverIntention, scene: Scene) -> Any:
    wheel = int(np.argmin(np.abs(np.array(actions.STEER_CHOICES) - intention.steer)))
    return np.int64(wheel * len(actions.PEDAL_CHOICES) + _discrete_longitudinal(intention, scene))


def _discrete_longitudinal(intention: DriverIntention, scene: Scene) -> Any:
    return np.int64(np.argmin(np.abs(np.array(actions.PEDAL_CHOICES) - _pedal(intention))))


_TRANSLATORS = {
    actions.Continuous: _continuous,
    actions.Longitudinal: _longitudinal,
    actions.Discrete: _discrete,
    actions.DiscreteLongitudinal: _discrete_longitudinal,
}
