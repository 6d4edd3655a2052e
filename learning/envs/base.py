"""What all environments have in common: decisions, rewards, ends, rendering, and the engine's life.

A subclass puts actors into the world and moves them; it hands over a :class:`Scene` after each tick.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import carla
import gymnasium
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from learning.envs import actions, rewards
from learning.envs.engine import Engine, EngineError
from learning.envs.observations import Observation, ObservationSpec
from learning.envs.route import LOST_M, Follower, Route, RouteMaker
from learning.envs.scene import Scene, wrap
from learning.envs.watching import Watch, camera_mount
from scenarios.opendrive import RoadNetwork

GOAL_M = 1.0
"""The route's end counts as reached this far before it."""


@dataclass(frozen=True)
class Ends:
    """When an episode ends besides the scenario's own end and the time limit.

    Attributes:
        collision: the ego touches another road user.
        off_road: the ego's middle leaves the carriageway.
        goal: the route's end is reached.
        time_limit_s: simulated seconds after which the episode is truncated.
    """

    collision: bool = True
    off_road: bool = True
    goal: bool = True
    time_limit_s: float = 30.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.time_limit_s) and self.time_limit_s > 0.0):
            raise RealityError(f"time_limit_s: {self.time_limit_s} must be a time greater than 0 s")


@dataclass(frozen=True)
class Timing:
    """How time is cut.

    Attributes:
        step_s: simulated seconds of a tick.
        decision_s: seconds between two decisions of the agent: a whole number of ticks.
    """

    step_s: float = 0.05
    decision_s: float = 0.1

    def __post_init__(self) -> None:
        ratio = self.decision_s / self.step_s if self.step_s > 0.0 else 0.0
        if not 0.0 < self.step_s <= 0.2:
            raise RealityError(f"step_s: {self.step_s} must be more than 0 s and at most 0.2 s")
        if ratio < 1.0 - 1e-9 or abs(ratio - round(ratio)) > 1e-6:
            raise RealityError(
                f"decision_s: {self.decision_s} s is no whole number of steps of {self.step_s} s; "
                f"try {max(1, round(ratio)) * self.step_s:g}"
            )

    @property
    def ticks(self) -> int:
        """Ticks of a decision."""
        return round(self.decision_s / self.step_s)


class DrivingEnv(gymnasium.Env[Any, Any]):
    """Base of our environments; see ``docs/environments.md`` for what observations, actions and rewards mean.

    The engine is started by the first :meth:`reset`, so an environment that is only asked for its spaces costs nothing.

    Args:
        network: the road network.
        simulator: ``embedded`` (an engine of its own) or HOST:PORT, see :func:`bridge.simulators.start`.
        observation: see :class:`learning.envs.observations.Observation`.
        action: see :data:`learning.envs.actions.ACTIONS`.
        reward: weights of terms, see :class:`learning.envs.rewards.Reward`.
        timing, ends: how time is cut and when episodes end.
        sight: ``all``: everybody near is observed; ``flag``: and marked as visible or not; ``only``: the hidden are
            left out.
        render_mode: None or ``rgb_array``. render_view: ``chase`` or ``hood``. render_size: width, height in pixels.

    Raises:
        RealityError: an argument cannot be used.
    """

    metadata: dict[str, Any] = {"render_modes": ["rgb_array"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's name
    substep_s = 0.01
    """Longest step of the physics; what CARLA recommends."""

    def __init__(
        self,
        network: RoadNetwork,
        *,
        simulator: str = "embedded",
        observation: ObservationSpec = "state",
        action: str = "continuous",
        reward: Mapping[str, float | tuple[float, rewards.Term]] | None = None,
        timing: Timing | None = None,
        ends: Ends | None = None,
        sight: str = "all",
        render_mode: str | None = None,
        render_view: str = "chase",
        render_size: tuple[int, int] = (640, 360),
    ) -> None:
        if sight not in ("all", "flag", "only"):
            raise RealityError(f"sight: {sight!r} is none of all, flag and only")
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise RealityError(f"render_mode: {render_mode!r} is neither None nor 'rgb_array'")
        self.render_mode = render_mode
        self.timing, self.ends, self.sight = timing or Timing(), ends or Ends(), sight
        self.metadata = {**self.metadata, "render_fps": max(1, round(1.0 / self.timing.decision_s))}
        self.network = network
        self.routes = RouteMaker(network)
        self.observation = Observation(observation, network, only_visible=sight == "only")
        self.observation_space = self.observation.space
        self.action = actions.make(action)
        self.action_space = self.action.space
        self.reward = rewards.Reward(reward)
        period_s = self.timing.decision_s if self.timing.ticks > 1 else 0.0
        self._mounts = self.observation.mounts(period_s, self.timing.step_s)
        if render_mode is not None:
            self._mounts.append(camera_mount("render", render_view, render_size, period_s))
        self._simulator = simulator
        self._engine: Engine | None = None
        self._watch: Watch | None = None
        self._over = True
        self._scene: Scene | None = None
        self._route: Route | None = None
        self._follower: Follower | None = None
        self._free_mps = 10.0

    # --- what a subclass does ---------------------------------------------------------------------------------

    @abstractmethod
    def _begin(self, engine: Engine, seed: int, options: Mapping[str, Any], *, seeded: bool) -> dict[str, Any]:
        """Put everybody into the world (it is empty), set ``self._scene`` through :meth:`_start_route`, and return what
        ``info`` shall tell of the episode. Calls :meth:`_mount` before its last tick. ``seeded``: the caller of
        ``reset`` gave the seed."""

    @abstractmethod
    def _advance(self, engine: Engine, pedals: actions.Pedals) -> int:
        """Simulate one tick in which the ego gets ``pedals``; update ``self._scene`` (not its others); return the
        frame's number."""

    @abstractmethod
    def _see(self) -> None:
        """Bring ``self._scene.others`` up to date; called at the end of a decision."""

    def _story_over(self) -> bool:
        """Whether the scenario has come to its own end."""
        return False

    def _finish(self, reason: str) -> dict[str, Any]:
        """The episode has ended: return what ``info`` shall tell of its outcome."""
        return {}

    def _abandon(self) -> None:
        """Let go of the last episode's objects; the world they are in may be gone."""

    # --- Gymnasium ---------------------------------------------------------------------------------------------

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begin an episode.

        Args:
            seed: of the episode and, as usual, of those after it. The same seed (and parameters) gives the same
                episode bit for bit on the embedded engine.
            options: ``{"parameters": {name: value}}`` fixes parameters that would be sampled.

        Raises:
            RealityError: the options cannot be used, or the simulator did not start.
        """
        super().reset(seed=seed)
        options = options or {}
        unknown = sorted(set(options) - {"parameters"})
        if unknown:
            raise RealityError(f"reset: there is no option {unknown[0]!r}; there is parameters")
        episode_seed = int(seed) if seed is not None else int(self.np_random.integers(2**31))
        self._let_go()
        if self._engine is None:
            self._engine = Engine(self._simulator, self.network, self.timing.step_s, self.substep_s)
        try:
            self._engine.begin_episode()
            with self._engine.guard():
                info = self._begin(self._engine, episode_seed, options, seeded=seed is not None)
        except EngineError:
            self._drop_engine()
            raise
        scene, route = self._now()
        self._free_mps = self._wished_speed(scene, route)
        self.action.restart(scene, route)
        self._over = False
        return self._observe(), {**info, "seed": episode_seed}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Let the agent's decision act for ``decision_s`` seconds.

        Raises:
            RealityError: the action is not finite or of the wrong shape, or no episode runs.
            EngineError: the simulator has gone; ``reset`` starts a new one.
        """
        if self._over or self._engine is None:
            raise RealityError("step: no episode runs; call reset() first")
        scene, route = self._now()
        self.action.decide(action, scene, route)
        before = scene
        frame, reason, ticks = 0, "", 0
        try:
            with self._engine.guard():
                while ticks < self.timing.ticks and not reason:
                    frame = self._advance(self._engine, self.action.pedals(scene, route, self.timing.step_s))
                    ticks += 1
                    scene, route = self._now()
                    reason = self._reason(scene, route)
                self._see()
                if self._watch is not None:
                    self._watch.take(frame)
        except EngineError:
            self._over = True
            self._drop_engine()
            raise
        return self._result(before, reason, ticks)

    def _result(self, before: Scene, reason: str, ticks: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        scene, route = self._now()
        step = rewards.Step(before, scene, route, ticks * self.timing.step_s, reason, self._free_mps)
        value, parts = self.reward(step)
        info: dict[str, Any] = {
            "time_s": scene.time_s,
            "speed_mps": scene.ego.speed,
            "s_m": scene.s,
            "reward_terms": parts,
        }
        observation = self._observe()
        if reason:
            self._over = True
            info["reason"] = reason
            info["is_success"] = reason not in ("collision", "off_road")
            if scene.collision is not None:
                hit = scene.collision
                info["collision"] = {"other": hit.other, "impact_mps": hit.impact_mps, "time_s": scene.time_s}
            info["outcome"] = self._finish(reason)
        truncated = reason == "time_limit"
        return observation, float(value), bool(reason) and not truncated, truncated, info

    def render(self) -> npt.NDArray[np.uint8] | None:  # type: ignore[override]
        """Return the picture of the last decision's end, (H, W, 3) uint8; None without a render mode.

        Raises:
            RealityError: there has been no reset yet.
        """
        if self.render_mode is None:
            return None
        if self._watch is None:
            raise RealityError("render: no episode runs; call reset() first")
        return self._watch.picture("render")

    def close(self) -> None:
        """Stop the engine. May be called twice; ``reset`` would start a new one."""
        self._over = True
        if self._engine is not None:
            self._let_go()
            self._drop_engine()
        super().close()

    # --- for everybody -------------------------------------------------------------------------------------------

    @property
    def scene(self) -> Scene:
        """The present instant, in physical units (for hand-written policies)."""
        return self._now()[0]

    @property
    def route(self) -> Route:
        """The ego's way."""
        return self._now()[1]

    @property
    def engine_pid(self) -> int | None:
        """Process id of the engine, None while there is none of ours."""
        return None if self._engine is None else self._engine.pid

    # --- helpers of subclasses -----------------------------------------------------------------------------------

    def _start_route(self, scene: Scene, route: Route) -> None:
        """Take over the first scene and the route."""
        self._route, self._follower = route, Follower(route)
        self._follower.restart(scene.ego.x, scene.ego.y)
        self._take(scene)

    def _take(self, scene: Scene) -> None:
        """Take over a scene and place its ego on the route."""
        assert self._route is not None
        assert self._follower is not None
        ego, route = scene.ego, self._route
        scene.s, scene.offset, heading = self._follower.place(ego.x, ego.y)
        scene.heading_error = wrap(ego.yaw - heading)
        i = route.index(scene.s)
        beyond = scene.offset > float(route.right[i]) or -scene.offset > float(route.left[i])
        scene.off_road = beyond or abs(scene.offset) > LOST_M
        self._scene = scene

    def _mount(self, engine: Engine, ego: carla.Actor, seed: int) -> None:
        """Mount what observations and rendering need on the ego."""
        if self._mounts:
            self._watch = Watch(engine.world, ego, self._mounts, seed)

    # --- private -------------------------------------------------------------------------------------------------

    def _now(self) -> tuple[Scene, Route]:
        if self._scene is None or self._route is None:
            raise RealityError("no episode runs; call reset() first")
        return self._scene, self._route

    def _reason(self, scene: Scene, route: Route) -> str:
        """Return why the episode ends, "" if it goes on. What is worst comes first."""
        ends = self.ends
        if ends.collision and scene.collision is not None:
            return "collision"
        if ends.off_road and scene.off_road:
            return "off_road"
        if ends.goal and scene.s >= route.length - GOAL_M:
            return "goal"
        if self._story_over():
            return "storyboard"
        return "time_limit" if scene.time_s >= ends.time_limit_s - 1e-6 else ""

    def _wished_speed(self, scene: Scene, route: Route) -> float:
        limit = float(route.limit[route.index(scene.s)])
        begun = max(scene.ego.speed, 1.0)
        return begun if math.isnan(limit) else (min(begun, limit) if scene.ego.speed > 1.0 else limit)

    def _observe(self) -> Any:
        scene, route = self._now()
        readings = self._watch.readings if self._watch is not None else {}
        return self.observation.observe(scene, route, readings, self.ends.time_limit_s)

    def _let_go(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()
        self._abandon()

    def _drop_engine(self) -> None:
        engine, self._engine = self._engine, None
        self._watch = None
        if engine is not None:
            engine.close()


__all__ = ["DrivingEnv", "Ends", "Timing"]
