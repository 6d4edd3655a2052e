"""G-buffers of colour cameras (``listen_to_gbuffer``): those of Unreal's that this renderer has, too.

All are sent as 8-bit BGRA pictures, the only ones that CARLA's Python client reads:

    SceneColor      the lit picture without post-processing (in Unreal: linear, high dynamic range)
    SceneDepth      planar depth in the depth camera's encoding: 24 bits, 1000 m; CustomDepth is the same
    GBufferA        world normals, -1..1 on 0..255, in RGB
    GBufferC        base colour, sRGB
    Velocity        motion since the last frame: raw_data as uint16 (H, W, 2), 65535 / 4 units for each unit of motion
                    around 32767.5, as Unreal stores it; x to the right, y up, the picture being 2 wide and 2 high
    CustomStencil   semantic tag in R; SceneStencil is the same

The rest hold properties of Unreal's shading models (metallic, subsurface, precomputed shadow, tangents, ambient
occlusion) that do not exist here: asking for them is an error.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from engine.render.view import Optics, Past, View
from engine.sensors.base import Sensor, SensorContext, interval_s
from engine.sensors.camera import Camera, Pictures, RgbCamera, image_body

NAMES = (
    "SceneColor", "SceneDepth", "SceneStencil", "GBufferA", "GBufferB", "GBufferC", "GBufferD", "GBufferE", "GBufferF",
    "Velocity", "SSAO", "CustomDepth", "CustomStencil",
)  # fmt: skip
"""Unreal's buffers in CARLA's order."""
PICTURES = {0: "rgb", 1: "depth", 2: "semantic", 3: "normals", 5: "albedo", 9: "flow", 11: "depth", 12: "semantic"}
"""Which of the renderer's pictures a buffer is made of; the others are not available."""
TYPE_INDEX = 18


class GBuffer(Camera):
    """One G-buffer of a camera: it sees what the camera sees, and ticks with it. Lenses do not bend G-buffers."""

    type_index = TYPE_INDEX

    def __init__(self, owner: RgbCamera, number: int) -> None:
        """Make the buffer.

        Args:
            owner: the camera; its pose is that of the buffer.
            number: one of :data:`PICTURES`.

        Raises:
            ValueError: there is no such buffer here.
        """
        if not isinstance(owner, RgbCamera) or owner.type_index != RgbCamera.type_index:
            raise ValueError(f"sensor {owner.actor_id} is no sensor.camera.rgb: it has no G-buffers")
        if number not in PICTURES:
            name = NAMES[number] if 0 <= number < len(NAMES) else str(number)
            known = ", ".join(NAMES[n] for n in sorted(PICTURES))
            raise ValueError(f"not supported by the embedded engine: G-buffer {name}; there are {known}")
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
        optics = replace(self.owner.optics, postprocess=False)
        return replace(self.view_from(context, before), optics=optics if self.number == 0 else Optics())

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the buffer."""
        picture = pictures[PICTURES[self.number]]
        if PICTURES[self.number] == "flow":
            picture = _velocity(picture)
        return image_body(picture, self.fov)


def _velocity(flow: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 4) bytes of (H, W, 2) motion: two little-endian uint16, 0 at 32767.5, +-2 at the ends."""
    units = np.rint(flow.astype(np.float64) * (65535.0 / 4.0) + 32767.5).clip(0, 65535).astype("<u2")
    return units.view(np.uint8).reshape(*flow.shape[:2], 4)
