"""A model of :mod:`learning.ppo` as the ego of any scenario: ``--ego "learning.ppo.ego:TrainedEgo?model=FILE.zip"``.

The model sees the observation ``state`` as it did in training, with those only whom the driver can see, and sets the
speed of a cruise control from rest to the speed the scenario began with; a lane keeper steers. It was trained on one
scenario; what it does in others is for the run to show.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import carla
import numpy as np

from bridge.egos import EgoContext, EgoError, Observation
from learning.envs.actions import Cruise, keep_lane
from learning.envs.base import Ends
from learning.envs.route import Follower, Route, RouteMaker
from learning.envs.scene import CAR, PEDESTRIAN, THING, TWO_WHEELER, Ego, Others, Scene, wrap
from learning.envs.state import StateLayout
from learning.episodes.policies import PolicyError, load_model
from learning.ppo.task import DECISION_S, FULL

KINDS = {"vehicle": CAR, "cyclist": TWO_WHEELER, "pedestrian": PEDESTRIAN}
ROUTE_M = 600.0


class TrainedEgo:
    """Drives with a model that Stable-Baselines3 saved.

    A zip of Stable-Baselines3 can contain pickled objects: load only files that you trust.

    Args:
        model: the file.
        time_limit_s: that the training's episodes had; a part of the observation.

    Raises:
        EgoError: the file is no such model, or was trained with other observations or actions.
    """

    def __init__(self, model: str, time_limit_s: str | float | None = None) -> None:
        try:
            self._model: Any = load_model(Path(model))
        except (PolicyError, OSError) as error:
            raise EgoError(f"the model {model} cannot be loaded: {error}") from error
        self._layout = StateLayout(only_visible=True)
        if self._model.observation_space != self._layout.space or self._model.action_space.shape != (1,):
            raise EgoError(
                f"the model {model} was trained with {self._model.observation_space} and "
                f"{self._model.action_space}, expected {self._layout.space} and one number"
            )
        self._time_limit_s = Ends().time_limit_s if time_limit_s is None else float(time_limit_s)
        self._cruise = Cruise()
        self._last = carla.VehicleControl()
        self._wanted_mps = 0.0
        self._next_s = 0.0
        self._begun_mps: float | None = None

    def setup(self, context: EgoContext) -> None:
        """Prepare the routes; nothing in the mode of the policy is random."""
        self._step_s = context.step_s
        self._routes = RouteMaker(context.network)
        self._route: Route | None = None

    def run_step(self, seen: Observation) -> carla.VehicleControl:
        """Decide on a speed every 0.2 s, and hold it."""
        scene = self._scene(seen)
        route = self._route
        assert route is not None
        if self._begun_mps is None:
            self._begun_mps = scene.ego.speed
        if seen.time_s >= self._next_s - 1e-9:
            self._next_s += DECISION_S
            vector = self._layout.observe(scene, route, self._time_limit_s)
            value = float(np.asarray(self._model.predict(vector, deterministic=True)[0]).reshape(-1)[0])
            if math.isnan(value):
                raise EgoError("the model returned nan")
            self._wanted_mps = min(max((value + 1.0) / (1.0 + FULL), 0.0), 1.0) * self._begun_mps
        throttle, brake = self._cruise.step(scene.ego.speed, self._wanted_mps, self._step_s)
        self._last = carla.VehicleControl(throttle=throttle, brake=brake, steer=keep_lane(scene, route))
        return self._last

    def _scene(self, seen: Observation) -> Scene:
        me, given = seen.ego, self._last
        yaw = math.radians(me.yaw_deg)
        c, s = math.cos(yaw), math.sin(yaw)
        (vx, vy, _), (ax, ay, _) = me.velocity, me.acceleration
        ego = Ego(
            me.x, me.y, me.z - 0.5 * me.height, yaw, vx, vy, vx * c + vy * s, ax * c + ay * s, ay * c - ax * s,
            me.yaw_rate, me.length, me.width, me.height, 0.6 * me.length, given.throttle, given.brake, given.steer,
        )  # fmt: skip
        others = Others.none()
        if seen.others:
            rows = seen.others
            others = Others(
                tuple(o.name for o in rows),
                np.array([(o.x, o.y) for o in rows]),
                np.array([o.velocity[:2] for o in rows]),
                np.array([o.z - 0.5 * o.height for o in rows]),
                np.array([math.radians(o.yaw_deg) for o in rows]),
                np.array([(o.length, o.width, o.height) for o in rows]),
                np.array([KINDS.get(o.kind, THING) for o in rows], np.int64),
                np.array([o.visible for o in rows], np.bool_),
            )
        scene = Scene(seen.time_s, ego, others)
        if self._route is None:
            try:
                self._route = self._routes.from_place(me.x, me.y, yaw, ROUTE_M)
            except ValueError as error:
                raise EgoError(str(error)) from error
            self._follower = Follower(self._route)
            self._follower.restart(me.x, me.y)
        scene.s, scene.offset, heading = self._follower.place(me.x, me.y)
        scene.heading_error = wrap(yaw - heading)
        return scene
