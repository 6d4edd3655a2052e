"""Where the person looks from: chase, hood and bird's-eye cameras, and the cameras of the rig. Pure; CARLA's frame.

Hood and rig cameras are mounted on the car. The other two hang on nothing: before each tick they are put where they
shall be when it is over, reckoned from where the car will be then.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from foundation.frames import wrap_deg
from sensors.rig import Camera, Pose, Rig

CHASE_YAW_S = 0.28
"""Time constant in which the chase camera turns after the car."""
CHASE_HEIGHT_S = 0.25
"""Time constant in which kerbs and ramps reach a following camera."""
CHASE_PITCH_DEG = -10.0
CHASE_FOV_DEG = 80.0
HOOD_FOV_DEG = 90.0
BIRD_FOV_DEG = 34.0
BIRD_HEIGHT_M = 80.0
"""High up with a long lens: houses hide little of the street."""
BIRD_YAW_S = 0.5
PULL_BACK_S = 0.4
WALL_MARGIN_M = 0.4
TALL_M, NARROW_M = 0.97, 0.6
"""Half heights above which a vehicle has no bonnet to look over, half widths below which it is a two-wheeler."""


@dataclass(frozen=True)
class Body:
    """The car that is driven: its state at an instant, and its box.

    Attributes:
        x, y, z, yaw_deg: of the actor's origin.
        vx, vy, vz: m/s, world axes.  yaw_rate_degps: positive to the right.
        center, extent: of the bounding box in the car's frame, metres.
    """

    x: float
    y: float
    z: float
    yaw_deg: float
    vx: float = 0.0
    vy: float = 0.0
    vz: float = 0.0
    yaw_rate_degps: float = 0.0
    center: tuple[float, float, float] = (0.0, 0.0, 0.75)
    extent: tuple[float, float, float] = (2.4, 1.0, 0.75)

    @property
    def speed_mps(self) -> float:
        """Speed over ground."""
        return math.hypot(self.vx, self.vy)

    def after(self, dt_s: float) -> Body:
        """Return the car a little later if nothing changes."""
        return Body(
            self.x + self.vx * dt_s, self.y + self.vy * dt_s, self.z + self.vz * dt_s,
            self.yaw_deg + self.yaw_rate_degps * dt_s,
            self.vx, self.vy, self.vz, self.yaw_rate_degps, self.center, self.extent,
        )  # fmt: skip


@dataclass(frozen=True)
class Placed:
    """A camera's place in the world: metres and degrees (pitch, yaw)."""

    x: float
    y: float
    z: float
    pitch: float
    yaw: float


@dataclass(frozen=True)
class View:
    """One way to look.

    Attributes:
        name: ``chase``, ``hood``, ``bird``, or the name of a rig's camera.
        fov_deg: horizontal, at an aspect of 4:3; wider windows see more at the sides, not less above and below.
        mount: the rig's camera, None for our own views.
    """

    name: str
    title: str
    fov_deg: float
    mount: Camera | None = None

    @property
    def free(self) -> bool:
        """Whether the camera hangs on nothing."""
        return self.name in ("chase", "bird") and self.mount is None

    def camera(self, width: int, height: int, outputs: Sequence[str], body: Body, name: str = "view") -> Camera:
        """Return the mount that shows this view at a size in pixels."""
        if self.mount is not None:
            mount = self.mount
            width, height = fit_inside(mount.width, mount.height, width, height)
            return mount.model_copy(
                update={"name": name, "width": width, "height": height, "outputs": tuple(outputs), "period_s": 0.0}
            )
        pose = hood_pose(body) if self.name == "hood" else Pose()
        return Camera(
            name=name,
            type="camera",
            outputs=tuple(outputs),  # type: ignore[arg-type]
            width=width,
            height=height,
            fov_deg=wide_fov_deg(self.fov_deg, width, height),
            pose=pose,
        )


def fit_inside(width: int, height: int, most_width: int, most_height: int) -> tuple[int, int]:
    """Return a size of the same shape that fits, never larger than the original, 8 pixels at least."""
    scale = min(most_width / width, most_height / height, 1.0)
    return max(8, round(width * scale)), max(8, round(height * scale))


def wide_fov_deg(fov_deg: float, width: int, height: int) -> float:
    """Return the horizontal field of view of a window that keeps the vertical one of a 4:3 window."""
    vertical = math.tan(math.radians(fov_deg) / 2.0) * 3.0 / 4.0
    return min(math.degrees(2.0 * math.atan(vertical * width / height)), 140.0)


def hood_pose(body: Body) -> Pose:
    """Return the driver's outlook, without roof or window in the picture.

    Over the rear edge of a car's bonnet; before the windscreen of a bus or a van; before a rider's hands.
    """
    top = body.center[2] + body.extent[2]
    if body.extent[2] > TALL_M or body.extent[1] < NARROW_M:
        ahead = 1.02 if body.extent[2] > TALL_M else 0.75
        return Pose(x=body.center[0] + ahead * body.extent[0], z=min(0.75 * top, 2.2), pitch=-5.0)
    return Pose(x=body.center[0] + 0.28 * body.extent[0], z=max(0.93 * top, 0.9), pitch=-5.0)


def views_of(rig: Rig) -> tuple[View, ...]:
    """Return all views: our three, then the rig's cameras in their order."""
    own = (
        View("chase", "Chase", CHASE_FOV_DEG),
        View("hood", "Hood", HOOD_FOV_DEG),
        View("bird", "Bird's eye", BIRD_FOV_DEG),
    )
    taken = {view.name for view in own}
    return own + tuple(
        View(
            f"rig {camera.name}" if camera.name in taken else camera.name, f"Rig: {camera.name}", camera.fov_deg, camera
        )
        for camera in rig.cameras
    )


def ease(dt_s: float, constant_s: float) -> float:
    """Return the share of the way that an exponential approach goes in a step."""
    return 1.0 - math.exp(-dt_s / constant_s)


@dataclass
class Follower:
    """A camera that follows smoothly. Tell it where the car will be, and it tells where to be.

    Only yaw, height and distance are smoothed: place along the ground is rigid, so the car never trembles in the
    picture, however uneven the frames come.
    """

    view: str
    _yaw: float | None = None
    _z: float = 0.0
    _distance: float = 0.0

    def reset(self) -> None:
        """Jump to the car the next time: it has been put somewhere else."""
        self._yaw = None

    def step(self, body: Body, dt_s: float, free_m: float = math.inf) -> Placed:
        """Return the camera's place.

        Args:
            body: the car at the end of the step.
            dt_s: the step.
            free_m: how far behind the car a chase camera has free sight.
        """
        if self.view == "bird":
            return self._bird(body, dt_s)
        length, height = 2.0 * body.extent[0], 2.0 * body.extent[2]
        wanted = 2.6 + 1.1 * length + 0.35 * height + min(body.speed_mps, 40.0) * 0.035
        self._approach(body, dt_s, CHASE_YAW_S, wanted)
        assert self._yaw is not None
        distance = max(min(self._distance, free_m - WALL_MARGIN_M), 0.6 * length)
        rise = 0.55 + 0.75 * height + 0.14 * distance
        yaw = math.radians(self._yaw)
        return Placed(
            body.x - distance * math.cos(yaw),
            body.y - distance * math.sin(yaw),
            self._z + rise,
            CHASE_PITCH_DEG,
            self._yaw,
        )

    def _bird(self, body: Body, dt_s: float) -> Placed:
        self._approach(body, dt_s, BIRD_YAW_S, BIRD_HEIGHT_M + 1.2 * min(body.speed_mps, 40.0))
        assert self._yaw is not None
        # The car stands in the lower third: what comes matters more than what was.
        yaw, ahead = math.radians(self._yaw), 0.085 * self._distance
        return Placed(
            body.x + ahead * math.cos(yaw), body.y + ahead * math.sin(yaw), self._z + self._distance, -90.0, self._yaw
        )

    def _approach(self, body: Body, dt_s: float, yaw_s: float, distance: float) -> None:
        if self._yaw is None:
            self._yaw, self._z, self._distance = body.yaw_deg, body.z, distance
            return
        behind = float(wrap_deg(body.yaw_deg - self._yaw))
        self._yaw = float(wrap_deg(self._yaw + behind * ease(dt_s, yaw_s)))
        self._z += (body.z - self._z) * ease(dt_s, CHASE_HEIGHT_S)
        self._distance += (distance - self._distance) * ease(dt_s, PULL_BACK_S)

    def sight_line(self, body: Body) -> tuple[tuple[float, float, float], tuple[float, float, float]] | None:
        """Return the line that must be free for a chase camera: from above the car's roof to where it wants to be."""
        if self.view != "chase" or self._yaw is None:
            return None
        yaw = math.radians(self._yaw)
        z = body.z + 2.0 * body.extent[2] + 0.5
        start = 1.05 * body.extent[0]
        near = (body.x - start * math.cos(yaw), body.y - start * math.sin(yaw), z)
        reach = self._distance + WALL_MARGIN_M
        return near, (body.x - reach * math.cos(yaw), body.y - reach * math.sin(yaw), z + 0.5)
