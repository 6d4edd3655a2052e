"""G-buffers of colour cameras (``listen_to_gbuffer``): those of Unreal's that this renderer has, too.

All are sent as 8-bit BGRA pictures, the only ones that CARLA's Python client reads:

    SceneColor      the lit picture without post-processing (in Unreal: linear, high dynamic range)
    SceneDepth      planar depth in the depth camera's encoding: 24 bits, 1000 m; CustomDepth is the same
    GBufferA        world normals, -1..1 on 0..255, in RGB
    GBufferC        base colour, sRGB
    Velocity        motion since the last frame: raw_data as uint16 (H, W, 2), 65535 / 4 units for each unit of motion
                    around 32767.5, as Unreal stores it; x to the right, y up, the picture being 2 wide and 2 high
    CustomStencil   semantic tag in R; SceneStencil is the same

    SSAO            screen-space ambient occlusion in RGB: 255 is open, 0 shut in; computed from depth
    GBufferB        metallic, specular, roughness in RGB, one value for each semantic class: models have no maps of them
    GBufferD, E, F  black: custom shading data, precomputed shadows and tangents are used by no material here, and CARLA
                    sends unused buffers as black pictures
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from engine.render.view import Past, View
from engine.sensors.base import Sensor, SensorContext, interval_s
from engine.sensors.camera import Camera, Pictures, RgbCamera, image_body
from foundation.ids import Tag

NAMES = (
    "SceneColor", "SceneDepth", "SceneStencil", "GBufferA", "GBufferB", "GBufferC", "GBufferD", "GBufferE", "GBufferF",
    "Velocity", "SSAO", "CustomDepth", "CustomStencil",
)  # fmt: skip
"""Unreal's buffers in CARLA's order."""
PICTURES = (
    "rgb", "depth", "semantic", "normals", "semantic", "albedo", "semantic", "semantic", "semantic", "flow", "depth",
    "depth", "semantic",
)  # fmt: skip
"""Which of the renderer's pictures a buffer is made of."""
MATERIAL, OCCLUSION = 4, 10
BLACK = (6, 7, 8)
_PAINTED = (Tag.CAR, Tag.TRUCK, Tag.BUS, Tag.TRAIN, Tag.MOTORCYCLE)
_METAL = (Tag.POLES, Tag.GUARD_RAIL, Tag.BICYCLE, Tag.RAIL_TRACK, Tag.TRAFFIC_SIGNS, Tag.TRAFFIC_LIGHT)
SURFACES: dict[Tag, tuple[float, float, float]] = {
    **dict.fromkeys(_PAINTED, (0.4, 0.5, 0.25)),
    **dict.fromkeys(_METAL, (0.8, 0.5, 0.45)),
    Tag.WATER: (0.0, 0.5, 0.05),
    Tag.SKY: (0.0, 0.0, 0.0),
    Tag.NONE: (0.0, 0.0, 0.0),
}
"""Metallic, specular and roughness by tag; anything else is matt stuff: 0, 0.5, 0.85."""
_SURFACES = np.tile(np.array([217, 128, 0, 255], dtype=np.uint8), (256, 1))
for _tag, _values in SURFACES.items():
    _SURFACES[int(_tag), :3] = np.rint(np.array(_values[::-1]) * 255.0)
AO_RADIUS_M = 0.8
AO_WIDTH_PX = 640
"""Occlusion changes slowly: pictures wider than this get it from every second, third ... pixel, as in Unreal."""
FAR_M = 1000.0
TYPE_INDEX = 18


class GBuffer(Camera):
    """One G-buffer of a camera: it sees what the camera sees, and ticks with it. Lenses do not bend G-buffers."""

    type_index = TYPE_INDEX

    def __init__(self, owner: RgbCamera, number: int) -> None:
        """Make the buffer.

        Args:
            owner: the camera; its pose is that of the buffer.
            number: index into :data:`NAMES`.

        Raises:
            ValueError: there is no such buffer here.
        """
        if not isinstance(owner, RgbCamera) or owner.type_index != RgbCamera.type_index:
            raise ValueError(f"sensor {owner.actor_id} is no sensor.camera.rgb: it has no G-buffers")
        if not 0 <= number < len(NAMES):
            raise ValueError(f"there is no G-buffer {number}; they are 0 to {len(NAMES) - 1}")
        super().__init__(owner.attributes, owner.actor_id)
        self.owner, self.number = owner, number
        self._past: tuple[float, Past] | None = None

    @property
    def enabled(self) -> bool:
        """Whether the camera sends G-buffers."""
        return self.owner.gbuffers_enabled

    @property
    def wants(self) -> frozenset[str]:
        """The one picture it is made of."""
        return frozenset({PICTURES[self.number]})

    def view(self, context: SensorContext) -> View:
        """Return the owner's view without post-processing."""
        self.ignored = self.owner.ignored
        before = None
        if PICTURES[self.number] == "flow":
            if self._past is not None and interval_s(self._past[0], context.elapsed_s) > 0.0:
                before = self._past[1]
            self._past = context.elapsed_s, Past(Sensor.pose(self, context), np.array(context.table.rows))
        # Base colour knows no exposure: with the owner's optics it comes out of the owner's own render.
        optics = replace(self.owner.optics, postprocess=False) if self.number == 0 else self.owner.optics
        return replace(self.view_from(context, before), optics=optics)

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the buffer."""
        picture = pictures[PICTURES[self.number]]
        if PICTURES[self.number] == "flow":
            picture = _velocity(picture)
        elif self.number == MATERIAL:
            picture = _SURFACES[picture[..., 2]]
        elif self.number == OCCLUSION:
            picture = ambient_occlusion(picture, self.fov)
        elif self.number in BLACK:
            picture = np.zeros_like(picture)
            picture[..., 3] = 255
        return image_body(picture, self.fov)


def ambient_occlusion(depth: npt.NDArray[np.uint8], fov_deg: float) -> npt.NDArray[np.uint8]:
    """Return (H, W, 4) BGRA of how open each point is, from the depth camera's picture of the same shape.

    On a plane, one over depth is linear in the picture, so the mean of two opposite neighbours tells how deep a point
    lies below the chord between them (Bavoil & Sainz, "Multi-layer dual-resolution screen-space ambient occlusion",
    2009, use the horizon in the same way). Neighbours lie ``AO_RADIUS_M`` and half of it away; chords deeper than
    twice that belong to something in front and count less and less.
    """
    full_height, full_width = depth.shape[:2]
    every = -(-full_width // AO_WIDTH_PX)
    depth = depth[::every, ::every]
    height, width = depth.shape[:2]
    parts = depth.astype(np.float32)
    z = (parts[..., 2] + parts[..., 1] * 256.0 + parts[..., 0] * 65536.0) * np.float32(FAR_M / (256.0**3 - 1.0))
    z = np.maximum(z, np.float32(0.05))
    nearness = 1.0 / z
    focal = width / 2.0 / np.tan(np.radians(fov_deg) / 2.0)
    rows, columns = np.indices((height, width), dtype=np.int32)
    shut = np.zeros_like(z)
    turns = [(1.0, 0.0), (0.0, 1.0), (0.7071, 0.7071), (0.7071, -0.7071)]
    for radius in (AO_RADIUS_M, AO_RADIUS_M / 2.0):
        step = np.minimum(radius * focal * nearness, min(height, width) / 8.0)
        for right, down in turns:
            dx, dy = np.rint(step * right).astype(np.int32), np.rint(step * down).astype(np.int32)
            # Both ends lie in the picture, or neither counts.
            inside = (np.abs(2 * columns - (width - 1)) + 2 * np.abs(dx) < width) & (
                np.abs(2 * rows - (height - 1)) + 2 * np.abs(dy) < height
            )
            dx, dy = dx * inside, dy * inside
            chord = 2.0 / (nearness[rows + dy, columns + dx] + nearness[rows - dy, columns - dx])
            deep = (z - chord) / radius
            shut += np.clip(deep, 0.0, 0.5) * np.clip(3.0 - deep, 0.0, 1.0)
    shut *= z < FAR_M * 0.99  # the sky is open
    open_share = np.clip(1.0 - shut / (len(turns) * 2 * 0.5), 0.0, 1.0)
    grey = np.rint(open_share * 255.0).astype(np.uint8)
    grey = grey.repeat(every, axis=0).repeat(every, axis=1)[:full_height, :full_width]
    picture = np.full((full_height, full_width, 4), 255, dtype=np.uint8)
    picture[..., :3] = grey[..., None]
    return picture


def _velocity(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 4) bytes of (H, W, 2) motion: two little-endian uint16, 0 at 32767.5, +-2 at the ends."""
    units = np.rint(flow.astype(np.float64) * (65535.0 / 4.0) + 32767.5).clip(0, 65535).astype("<u2")
    return units.view(np.uint8).reshape(*flow.shape[:2], 4)
