"""What can be audited: a space, and how a point of it becomes a picture."""

from __future__ import annotations

import contextlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

from bridge.space.scenario_stage import ScenarioWorkers, Shot
from bridge.studio import Pose, StillCamera, Studio, road_users
from foundation.errors import InputError, RealityError
from scenarios import catalogue
from scenarios.openscenario import expand, load
from scenarios.openscenario.expressions import text_of
from scenarios.sampling import Space, SpaceError, Value
from scenarios.sampling.files import load_space
from scenarios.sampling.presets import WEATHER_NAMES, rig_space, weather_space
from scenarios.sampling.scenario import scenario_space

Picture = npt.NDArray[np.uint8]
Request = tuple[dict[str, Value], int]

ROAD_USERS = "road_users"
MOUNT = "camera"
MOUNT_POSE = {"x": 0.05, "z": 1.5}
"""The audited camera: on the ego's nose, as in the default rig."""
SCENARIO_CAMERA = StillCamera(160, 120, 90.0)
JOINED_WEATHER = {"fog_density": (0.0, 60.0), "wind_intensity": (0.0, 100.0)}
"""Weather that catalogue scenarios do not decide themselves, joined to their spaces."""


@dataclass(frozen=True)
class Target:
    """Something to audit.

    Attributes:
        name: of it, for titles. space: its parameters. about: one sentence on what a picture shows.
        scenario: the OpenSCENARIO file of a scenario's space, None for road_users.
        times_s: at which moments a scenario's pictures are taken, side by side in one picture.
    """

    name: str
    space: Space
    about: str
    scenario: Path | None = None
    times_s: tuple[float, ...] = ()

    @contextlib.contextmanager
    def renderer(self, workers: int, seed: int) -> Iterator[Renderer]:
        """Run the workers that make this target's pictures."""
        if self.scenario is None:
            with Studio(road_users.MAP_NAME, road_users.CAMERA, workers=workers, seed=seed) as studio:
                yield _RoadUsers(studio)
            return
        network = load(self.scenario, {}).network
        if network is None:
            raise RealityError(f"{self.scenario}: names no road network, so there is nothing to render")
        with tempfile.TemporaryDirectory(prefix="reality-audit-") as folder:
            road_file = Path(folder) / f"{self.scenario.stem}.xodr"
            road_file.write_text(network.text, encoding="utf-8")
            with ScenarioWorkers(str(road_file), SCENARIO_CAMERA, workers=workers, seed=seed) as pool:
                yield _Scenario(pool, self.scenario, self.times_s)


class Renderer:
    """Makes pictures of points of a space."""

    def pictures(self, requests: Iterable[Request]) -> Iterator[Picture]:
        """Yield (H, W, 3) uint8 sRGB for each (values, seed), in order; equal requests give equal pictures."""
        raise NotImplementedError


class _RoadUsers(Renderer):
    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def pictures(self, requests: Iterable[Request]) -> Iterator[Picture]:
        scenes = (road_users.scene(values, seed, f"audit-{n}") for n, (values, seed) in enumerate(requests))
        for still in self._studio.stills(scenes):
            yield still.rgb


class _Scenario(Renderer):
    def __init__(self, pool: ScenarioWorkers, scenario: Path, times_s: tuple[float, ...]) -> None:
        self._pool, self._scenario, self._times_s = pool, scenario, times_s

    def pictures(self, requests: Iterable[Request]) -> Iterator[Picture]:
        shots = self._shots(requests)
        parts: list[Picture] = []
        for picture in self._pool.results(shots):
            parts.append(picture)
            if len(parts) == len(self._times_s):
                yield np.concatenate(parts, axis=1)
                parts = []

    def _shots(self, requests: Iterable[Request]) -> Iterator[Shot]:
        last: Request | None = None
        repeat = 0
        for number, request in enumerate(requests):
            # Asked for the same again, we want to know whether it comes out the same: from the scenario's start.
            repeat = repeat + 1 if request == last else 0
            last = request
            for time_s in self._times_s:
                yield self._shot(number, *request, time_s, repeat)

    def _shot(self, number: int, values: Mapping[str, Value], seed: int, time_s: float, repeat: int) -> Shot:
        parameters: dict[str, str] = {}
        weather: dict[str, float] = {}
        mount: dict[str, float] = dict(MOUNT_POSE)
        for name, value in values.items():
            if name in WEATHER_NAMES:
                weather[name] = float(value)
            elif name.startswith(f"{MOUNT}."):
                mount[name.removeprefix(f"{MOUNT}.")] = float(value)
            elif "+" in name:  # a value set: several parameters of the scenario at once
                parameters |= {k: str(v) for k, v in json.loads(str(value)).items()}
            else:
                parameters[name] = value if isinstance(value, str) else text_of(value)
        pose = Pose(**{"x": 0.0, "y": 0.0, "z": 0.0} | mount)
        ordered = tuple(sorted(parameters.items()))
        return Shot(f"picture {number}", str(self._scenario), ordered, time_s, seed, pose, weather, repeat)


def resolve(text: str, times_s: tuple[float, ...]) -> Target:
    """Return the target that a word of the command line means.

    Args:
        text: ``road_users``, a catalogue scenario's name, an OpenSCENARIO distribution, or a space file (YAML).
        times_s: moments of a scenario.

    Raises:
        RealityError, InputError, SpaceError: it means nothing, or its space is wrong.
    """
    if text == ROAD_USERS:
        about = "One road user in the town; the ego camera's picture, 160 x 120."
        return Target(ROAD_USERS, road_users.SPACE, about)
    if text in catalogue.SCENARIOS:
        return _scenario_target(text, catalogue.SCENARIOS[text].distribution, None, times_s)
    path = Path(text)
    if path.suffix == ".xosc":
        return _scenario_target(path.stem, path, None, times_s)
    if path.suffix in (".yaml", ".yml"):
        return _file_target(path, times_s)
    known = ", ".join((ROAD_USERS, *sorted(catalogue.SCENARIOS)))
    raise RealityError(f"{text}: is nothing that can be audited; give {known}, a .xosc distribution or a space .yaml")


def _scenario_target(name: str, distribution: Path, space: Space | None, times_s: tuple[float, ...]) -> Target:
    if space is None:
        space = scenario_space(distribution)
        space = space.joined(weather_space(tuple(JOINED_WEATHER), limits=JOINED_WEATHER))
        space = space.joined(rig_space({MOUNT: MOUNT_POSE}))
        space = Space(name, space.parameters, space.constants)
    moments = ", ".join(f"{t:g}" for t in times_s)
    about = f"The ego camera's picture, 160 x 120, {moments} s into the scenario."
    return Target(name, space, about, expand(distribution, samples=1)[0].scenario_path, times_s)


def _file_target(path: Path, times_s: tuple[float, ...]) -> Target:
    space = load_space(path)
    content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    if content.get("scenario") is not None:
        distribution = path.parent / str(content["scenario"])
        for name in space.names:
            head, dot, _ = name.partition(".")
            if dot and head != MOUNT:
                raise InputError(
                    f"the camera {head!r} is not rendered", file=path, remedy=f"call the mount {MOUNT!r}", element="rig"
                )
        return _scenario_target(space.name, distribution, space, times_s)
    unknown = sorted((set(space.names) | set(space.constants)) - set(road_users.SPACE.names))
    if unknown:
        raise InputError(
            f"nothing renders the parameter {unknown[0]!r}",
            file=path,
            remedy="name a scenario, or use the parameters of road_users",
        )
    try:
        road_users.SPACE.points_of([space.values(np.full(space.dimension, 0.5))])
    except SpaceError as error:
        raise InputError(f"is not a space that road_users can draw: {error}", file=path) from None
    return Target(space.name, space, "One road user in the town; the ego camera's picture, 160 x 120.")
