"""Kinds of observations, by name, and how an environment is told which of them it shall give."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import gymnasium
import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import Scene
from learning.envs.state import StateLayout
from scenarios.opendrive import RoadNetwork
from sensors.readings import Reading
from sensors.rig import AnyMount

Observed = npt.NDArray[Any]


class Observer(Protocol):
    """One kind of observation."""

    space: gymnasium.spaces.Box[Any]

    def mounts(self, name: str, period_s: float, step_s: float) -> Sequence[AnyMount]:
        """Return the sensors it needs on the ego; their names begin with ``name``."""
        ...

    def observe(self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float) -> Observed:
        """Return the observation; ``readings`` holds the newest reading of each mount by its name."""
        ...


class _State:
    """``state``: see :mod:`learning.envs.state`."""

    def __init__(self, *, neighbours: int = 8, only_visible: bool = False) -> None:
        self.layout = StateLayout(neighbours, only_visible=only_visible)
        self.space = self.layout.space

    def mounts(self, name: str, period_s: float, step_s: float) -> Sequence[AnyMount]:
        return ()

    def observe(self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float) -> Observed:
        return self.layout.observe(scene, route, max_time_s)


def _birdseye(network: RoadNetwork, **options: Any) -> Observer:
    from learning.envs.birdseye import Birdseye

    return Birdseye(network, **options)


def _camera(network: RoadNetwork, **options: Any) -> Observer:
    from learning.envs.imaging import CameraObserver

    return CameraObserver(**options)


def _lidar(network: RoadNetwork, **options: Any) -> Observer:
    from learning.envs.imaging import LidarObserver

    return LidarObserver(**options)


def _state(network: RoadNetwork, **options: Any) -> Observer:
    return _State(**options)


OBSERVERS: Mapping[str, Callable[..., Observer]] = {
    "state": _state,
    "birdseye": _birdseye,
    "camera": _camera,
    "lidar": _lidar,
}

ObservationSpec = str | Sequence[str] | Mapping[str, Mapping[str, Any]]


class Observation:
    """What an environment observes: one array, or a dictionary of several.

    Args:
        spec: a kind's name (the observation is its array), or several names, or a mapping from names to options (the
            observation is a dictionary).
        network: the road network.
        only_visible: whether state and birdseye leave out whom the driver cannot see.

    Raises:
        RealityError: an unknown kind, or an option it does not have.
    """

    def __init__(self, spec: ObservationSpec, network: RoadNetwork, *, only_visible: bool) -> None:
        options: dict[str, dict[str, Any]]
        if isinstance(spec, str):
            options = {spec: {}}
        elif isinstance(spec, Mapping):
            options = {name: dict(values) for name, values in spec.items()}
        else:
            options = {name: {} for name in spec}
        if not options:
            raise RealityError("observation: nothing is observed; name at least one of " + ", ".join(OBSERVERS))
        self._single = isinstance(spec, str)
        self.observers: dict[str, Observer] = {}
        for name, values in options.items():
            if name not in OBSERVERS:
                raise RealityError(f"there is no observation kind {name!r}; there are {', '.join(OBSERVERS)}")
            if name in ("state", "birdseye"):
                values.setdefault("only_visible", only_visible)
            try:
                self.observers[name] = OBSERVERS[name](network, **values)
            except TypeError as error:
                raise RealityError(f"observation {name}: {error}") from None
        spaces = {name: observer.space for name, observer in self.observers.items()}
        self.space: gymnasium.Space[Any] = (
            next(iter(spaces.values())) if self._single else gymnasium.spaces.Dict(dict(spaces))
        )

    def mounts(self, period_s: float, step_s: float) -> list[AnyMount]:
        """Return the sensors that all kinds together need."""
        return [mount for name, observer in self.observers.items() for mount in observer.mounts(name, period_s, step_s)]

    def observe(
        self, scene: Scene, route: Route, readings: Mapping[str, Reading], max_time_s: float
    ) -> Observed | dict[str, Observed]:
        """Return the observation of an instant."""
        if self._single:
            return next(iter(self.observers.values())).observe(scene, route, readings, max_time_s)
        return {name: observer.observe(scene, route, readings, max_time_s) for name, observer in self.observers.items()}

    def state_layout(self) -> StateLayout | None:
        """Return the layout of the state vector, None where it is not observed."""
        state = self.observers.get("state")
        return state.layout if isinstance(state, _State) else None


def empty(space: gymnasium.spaces.Box[Any]) -> Observed:
    """Return an observation of zeros."""
    return np.zeros(space.shape, space.dtype)


__all__ = ["OBSERVERS", "Observation", "ObservationSpec", "Observer", "empty"]
