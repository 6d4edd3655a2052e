"""What a camera asks for: where it is, how it sees, and which pictures it wants."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.errors import RealityError
from foundation.frames import pose_matrices

WANTS = frozenset({"rgb", "depth", "semantic", "instance", "normals", "albedo", "flow"})
"""Everything :meth:`engine.render.Renderer.render` can deliver."""

MAX_SIDE_PX = 8192


@dataclass(frozen=True, slots=True)
class Optics:
    """How light becomes the rgb picture. It changes no geometry, so labels never depend on it.

    Attributes:
        exposure_mode: "histogram" adapts to the light of the weather (at once, without history, so the same
            scene always gives the same bytes); "manual" exposes by shutter, iso and fstop.
        exposure_compensation: stops, in both modes.
        shutter_speed: 1/s. iso: ISO 100 = 100. fstop: f-number.
        gamma: display gamma; 2.2 writes sRGB.
        temp: colour temperature of white, K. tint: green (-1) to magenta (1).
        postprocess: False leaves out anti-aliasing, rain streaks and white balance.
    """

    exposure_mode: str = "histogram"
    exposure_compensation: float = 0.0
    shutter_speed: float = 200.0
    iso: float = 100.0
    fstop: float = 1.4
    gamma: float = 2.2
    temp: float = 6500.0
    tint: float = 0.0
    postprocess: bool = True

    def manual_ev100(self) -> float:
        """Return the exposure value at ISO 100: log2(N^2 / t * 100 / S)."""
        return math.log2(self.fstop**2 * self.shutter_speed * 100.0 / self.iso)


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """An earlier moment: what the motion in a picture is measured from.

    Attributes:
        world_from_camera: (4, 4) pose of the camera then, CARLA's frame.
        rows: (N,) the actor table's rows then; actors that have none there count as resting.
    """

    world_from_camera: npt.NDArray[np.float64]
    rows: npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class View:
    """A pinhole camera in the world, CARLA's frame: it looks along +x, +y is right, +z is up.

    Attributes:
        location: metres. rotation: pitch, yaw, roll in degrees.
        fov: *horizontal* field of view in degrees; focal length in pixels = width / (2 tan(fov / 2)).
        width, height: pixels; the principal point is the centre.
        optics: what the rgb picture needs beyond that.
        hidden: ids of actors that this camera does not see.
        before: what "flow" is measured from; None: everything rests.
    """

    location: tuple[float, float, float]
    rotation: tuple[float, float, float]
    fov: float = 90.0
    width: int = 800
    height: int = 600
    optics: Optics = field(default_factory=Optics)
    hidden: frozenset[int] = frozenset()
    before: Past | None = None

    def __post_init__(self) -> None:
        if not (1 <= self.width <= MAX_SIDE_PX and 1 <= self.height <= MAX_SIDE_PX):
            raise RealityError(f"image of {self.width} x {self.height} px asked for; 1 to {MAX_SIDE_PX} px a side")
        if not 0.001 <= self.fov <= 170.0:
            raise RealityError(f"camera fov of {self.fov} degrees; 0.001 to 170 can be drawn")
        if not all(map(math.isfinite, (*self.location, *self.rotation))):
            raise RealityError(f"camera pose is not finite: {self.location}, {self.rotation}")

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, the same for both axes."""
        return self.width / (2.0 * math.tan(math.radians(self.fov) / 2.0))

    def world_from_camera(self) -> npt.NDArray[np.float64]:
        """Return the (4, 4) pose, CARLA's frame."""
        return pose_matrices(self.location, self.rotation)

    def same_geometry(self, other: View) -> bool:
        """Say whether both see the same pixels, whatever their optics."""
        mine = (self.location, self.rotation, self.fov, self.width, self.height, self.hidden)
        return mine == (other.location, other.rotation, other.fov, other.width, other.height, other.hidden)
