"""The plain records of the studio: what a still shows, and what is got back. CARLA's frame, metres, degrees.

All of them pickle, hold no handle of a simulator, and compare by value: a scene is a complete description.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError

WEATHER_FIELDS = {
    "cloudiness": (0.0, 100.0),
    "precipitation": (0.0, 100.0),
    "precipitation_deposits": (0.0, 100.0),
    "wind_intensity": (0.0, 100.0),
    "sun_azimuth_angle": (-360.0, 360.0),
    "sun_altitude_angle": (-90.0, 90.0),
    "fog_density": (0.0, 100.0),
    "fog_distance": (0.0, 1e5),
    "wetness": (0.0, 100.0),
    "fog_falloff": (0.0, 100.0),
    "scattering_intensity": (0.0, 100.0),
    "mie_scattering_scale": (0.0, 5.0),
    "rayleigh_scattering_scale": (0.0, 2.0),
    "dust_storm": (0.0, 100.0),
}
"""Fields of ``carla.WeatherParameters`` and their limits."""


class StudioError(RealityError):
    """A still could not be made."""


class Pose(NamedTuple):
    """A place and an orientation, CARLA's frame: metres and degrees."""

    x: float
    y: float
    z: float
    pitch: float = 0.0
    yaw: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class StillActor:
    """One actor of a scene. It is put where it is told and stays there: its physics are off.

    Attributes:
        name: what the still calls it; unique in its scene.
        blueprint: CARLA's blueprint id.
        pose: its origin. For walkers, z is the ground under their feet; vehicles and props stand on their origin.
        attributes: blueprint attributes by name, as text. Optional ones have a name that ends in "?": they are set
            where the server's blueprint has them, and left out elsewhere (our engine knows a few that CARLA does not).
        lights: ``carla.VehicleLightState`` flags; vehicles only.
        walk_speed: m/s, which decides a walker's stride; walkers only.
        gait_phase: in [0, 1): how far a walker is in its stride. Servers other than the embedded engine ignore it.
    """

    name: str
    blueprint: str
    pose: Pose
    attributes: tuple[tuple[str, str], ...] = ()
    lights: int = 0
    walk_speed: float = 0.0
    gait_phase: float = 0.0


@dataclass(frozen=True)
class StillScene:
    """Everything a still depends on.

    Attributes:
        key: the caller's name for it; comes back with the still.
        actors: who is in it.
        camera_transform: where the camera is.
        weather: values of ``carla.WeatherParameters`` by name; what is not named is CARLA's clear noon.
    """

    key: str
    actors: tuple[StillActor, ...]
    camera_transform: Pose
    weather: Mapping[str, float] = field(default_factory=dict)

    def check(self) -> None:
        """Raise StudioError when the scene cannot be meant: a name twice, unknown weather, numbers not finite."""
        names = [actor.name for actor in self.actors]
        double = sorted({name for name in names if names.count(name) > 1})
        if double:
            raise StudioError(f"still {self.key}: two actors are called {', '.join(double)}")
        for name, value in self.weather.items():
            if name not in WEATHER_FIELDS:
                known = ", ".join(WEATHER_FIELDS)
                raise StudioError(f"still {self.key}: there is no weather parameter {name}; there are {known}")
            low, high = WEATHER_FIELDS[name]
            if not low <= value <= high:
                raise StudioError(f"still {self.key}: weather {name} is {value}, outside {low:g} to {high:g}")
        for what, pose in [("camera", self.camera_transform), *((a.name, a.pose) for a in self.actors)]:
            if not all(math.isfinite(number) and abs(number) < 1e5 for number in pose):
                raise StudioError(f"still {self.key}: the pose of {what} is {tuple(pose)}, which is nowhere")
        for actor in self.actors:
            if not (0.0 <= actor.gait_phase < 1.0 and 0.0 <= actor.walk_speed <= 10.0):
                raise StudioError(
                    f"still {self.key}: {actor.name} walks at {actor.walk_speed} m/s, phase {actor.gait_phase}; "
                    "expected 0 to 10 m/s and a phase from 0 to below 1"
                )


@dataclass(frozen=True)
class StillCamera:
    """The camera of a studio: a pinhole without distortion.

    Attributes:
        width, height: pixels. fov: horizontal, degrees.
    """

    width: int = 160
    height: int = 120
    fov: float = 40.0

    def __post_init__(self) -> None:
        if not (8 <= self.width <= 4096 and 8 <= self.height <= 4096 and 1.0 <= self.fov <= 170.0):
            raise StudioError(
                f"camera {self.width}x{self.height}, {self.fov} degrees: "
                "expected 8 to 4096 pixels each way and 1 to 170 degrees"
            )

    @property
    def focal_px(self) -> float:
        """Focal length in pixels."""
        return self.width / 2.0 / math.tan(math.radians(self.fov) / 2.0)


@dataclass(frozen=True)
class StillObject:
    """What is seen of one actor of the scene.

    Attributes:
        name: as in the scene.
        blueprint: its blueprint id.
        instance_id: its value in :attr:`Still.instances`: 1 for the scene's first actor, and so on.
        pixels: how many pixels show it.
        box: (left, top, right, bottom) around these pixels, right and bottom exclusive; None when none does.
    """

    name: str
    blueprint: str
    instance_id: int
    pixels: int
    box: tuple[int, int, int, int] | None


@dataclass(frozen=True, eq=False)
class Still:
    """A labelled picture. Colours and labels come from one rasterization.

    Attributes:
        key: of the scene.
        rgb: (H, W, 3) uint8, sRGB.
        tags: (H, W) uint8, ``foundation.ids.Tag`` of what each pixel shows.
        instances: (H, W) uint16: 1.. for the scene's actors in their order; 0x8000 and above for the map's static
            objects; 0x4000 and above for the map's lights and signs; 0 for the sky.
        objects: the scene's actors, in their order.
    """

    key: str
    rgb: npt.NDArray[np.uint8]
    tags: npt.NDArray[np.uint8]
    instances: npt.NDArray[np.uint16]
    objects: tuple[StillObject, ...]

    def object(self, name: str) -> StillObject:
        """Return the object of that name; KeyError when the scene has none."""
        for found in self.objects:
            if found.name == name:
                return found
        raise KeyError(f"still {self.key} has no object {name}")

    def mask(self, name: str) -> npt.NDArray[np.bool_]:
        """Return (H, W): where the object of that name is seen."""
        return self.instances == self.object(name).instance_id
