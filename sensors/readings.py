"""What the sensors of one frame delivered, as arrays. No simulator is needed to make or to read these.

Frames of reference are CARLA's: x forward, y right, z up, metres. Images have row 0 at the top; pixel (u, v) covers
[u, u+1) x [v, v+1), and the optical axis meets the image at (width / 2, height / 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from foundation.frames import Floats, pose_matrices

FAR_M = 1000.0
"""Depth of CARLA's far plane; a pixel this deep shows nothing (sky)."""

Bytes = npt.NDArray[np.uint8]
Float32s = npt.NDArray[np.float32]


@dataclass(frozen=True)
class CameraReading:
    """One camera mount's images; an output that was not asked for is None.

    Attributes:
        width, height: pixels.
        fov_deg: horizontal field of view.
        world_from_camera: (4, 4), camera axes x forward, y right, z up.
        rgb: (H, W, 3) uint8, sRGB.
        depth_m: (H, W) float32 metres along the optical axis; 1000 is the far plane.
        tag: (H, W) uint8 semantic tag of each pixel.
        instance: (H, W) uint16 the engine's instance number of each pixel (not an actor id).
    """

    width: int
    height: int
    fov_deg: float
    world_from_camera: Floats
    rgb: Bytes | None = None
    depth_m: Float32s | None = None
    tag: Bytes | None = None
    instance: npt.NDArray[np.uint16] | None = None

    @property
    def focal_px(self) -> float:
        """Focal length in pixels, the same in both directions."""
        return self.width / (2.0 * np.tan(np.radians(self.fov_deg) / 2.0))

    @property
    def intrinsics(self) -> Floats:
        """(3, 3) matrix that maps (right, down, forward) to homogeneous pixels."""
        return np.array([[self.focal_px, 0, self.width / 2], [0, self.focal_px, self.height / 2], [0, 0, 1.0]])


@dataclass(frozen=True)
class LidarReading:
    """One lidar measurement.

    Attributes:
        world_from_sensor: (4, 4).
        points: (N, 3) float32, sensor axes, grouped by channel, the highest channel first.
        points_per_channel: (C,) int.
        horizontal_angle_rad: where the head stands after the frame.
        intensity: (N,) float32 0..1; None of a semantic lidar.
        cos_incidence: (N,) float32; semantic lidars only, as are ``actor_id`` and ``tag``.
        actor_id: (N,) uint32, 0 for what is no actor.
        tag: (N,) uint8.
    """

    world_from_sensor: Floats
    points: Float32s
    points_per_channel: npt.NDArray[np.int64]
    horizontal_angle_rad: float
    intensity: Float32s | None = None
    cos_incidence: Float32s | None = None
    actor_id: npt.NDArray[np.uint32] | None = None
    tag: Bytes | None = None


@dataclass(frozen=True)
class RadarReading:
    """(N,) detections: m/s along the ray (negative: approaching), rad right, rad up, m."""

    world_from_sensor: Floats
    velocity_mps: Float32s
    azimuth_rad: Float32s
    altitude_rad: Float32s
    depth_m: Float32s

    @property
    def points(self) -> Floats:
        """(N, 3) where the detections lie, sensor axes."""
        azimuth, altitude = self.azimuth_rad.astype(np.float64), self.altitude_rad.astype(np.float64)
        level = np.cos(altitude)
        rays = np.stack([level * np.cos(azimuth), level * np.sin(azimuth), np.sin(altitude)], axis=1)
        return rays * self.depth_m[:, None]


@dataclass(frozen=True)
class ImuReading:
    """m/s^2 and rad/s in sensor axes; compass in rad, 0 = north (world -y), clockwise."""

    world_from_sensor: Floats
    accelerometer_mps2: tuple[float, float, float]
    gyroscope_radps: tuple[float, float, float]
    compass_rad: float


@dataclass(frozen=True)
class GnssReading:
    """Degrees and metres."""

    world_from_sensor: Floats
    latitude_deg: float
    longitude_deg: float
    altitude_m: float


Reading = CameraReading | LidarReading | RadarReading | ImuReading | GnssReading


@dataclass(frozen=True)
class ObjectState:
    """Ground truth of one thing that can be labelled, of the frame's own snapshot.

    Attributes:
        actor_id: of the simulator; 0 for scenery (a parked car that belongs to the map).
        key: orders and tells apart all things of a frame: ("actor", id) or ("scenery", id).
        type_id: blueprint id, or the scenery's name.
        tags: semantic tags of its parts, e.g. (13, 19) of a bicycle with its rider.
        world_from_object: (4, 4) of the actor's origin.
        box_center, box_extent: (3,) centre in the object's frame, half sizes, metres.
        box_rotation_deg: (3,) pitch, yaw, roll of the box in the object's frame.
        velocity_mps, angular_velocity_degps, acceleration_mps2: (3,) world axes.
    """

    actor_id: int
    key: tuple[str, int]
    type_id: str
    tags: tuple[int, ...]
    world_from_object: Floats
    box_center: Floats
    box_extent: Floats
    box_rotation_deg: Floats = field(default_factory=lambda: np.zeros(3))
    velocity_mps: Floats = field(default_factory=lambda: np.zeros(3))
    angular_velocity_degps: Floats = field(default_factory=lambda: np.zeros(3))
    acceleration_mps2: Floats = field(default_factory=lambda: np.zeros(3))

    @property
    def world_from_box(self) -> Floats:
        """(4, 4) of the box: its centre and axes."""
        return self.world_from_object @ pose_matrices(self.box_center, self.box_rotation_deg)


@dataclass(frozen=True)
class Frame:
    """Everything of one simulated frame.

    Attributes:
        frame: the simulator's frame number; every reading carries it.
        elapsed_s: simulation time, seconds since the episode began.
        delta_s: length of the step.
        readings: by mount name; holds every sensor that was due in this frame.
        objects: what can be labelled, sorted by key.
        ego_id: actor id of the vehicle that carries the rig.
        ego: its state; also among ``objects``.
    """

    frame: int
    elapsed_s: float
    delta_s: float
    readings: Mapping[str, Reading]
    objects: tuple[ObjectState, ...]
    ego_id: int
    ego: ObjectState


# --- CARLA's encodings ---------------------------------------------------------------------------------------


def decode_depth_m(bgra: Bytes) -> Float32s:
    """Return (H, W) metres of a CARLA depth image: 1000 * (R + 256 G + 65536 B) / (2^24 - 1)."""
    b, g, r = (bgra[..., i].astype(np.uint32) for i in range(3))
    return ((r + (g << 8) + (b << 16)) * (FAR_M / (2**24 - 1))).astype(np.float32)


def decode_instance(bgra: Bytes) -> tuple[Bytes, npt.NDArray[np.uint16]]:
    """Return (H, W) tags and (H, W) instance numbers of a CARLA instance image: R, and G + 256 B."""
    number = bgra[..., 0].astype(np.uint16)
    number *= np.uint16(256)
    number += bgra[..., 1]
    return bgra[..., 2].copy(), number
