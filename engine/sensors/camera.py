"""Camera sensors: what the renderer drew, in CARLA's messages.

A camera names its :class:`~engine.render.view.View` and the pictures it wants; the world renders each view once, for
all cameras that share it, and hands the pictures to :meth:`Camera.encode`.

Every attribute of the blueprints is read; a value that is no number is an error. Some have no effect here, because
what they steer in Unreal does not exist in this renderer: they are accepted so that clients need not care,
:data:`COMPATIBLE_ONLY` lists them, and the log names each once when a client sets it to something else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, ClassVar, TypeVar

import numpy as np
import numpy.typing as npt

from engine.render.view import Optics, Past, View
from engine.sensors.base import (
    Sensor,
    SensorContext,
    boolean,
    integer,
    note_without_effect,
    number,
    register,
)
from engine.sensors.lens import Lens, read_lens
from engine.sensors.tone import Film, toned

Pictures = Mapping[str, npt.NDArray[Any]]

COMPATIBLE_ONLY = frozenset(
    {
        # Effects that smear or add light over the true pixels.
        "motion_blur_intensity",
        "motion_blur_max_distortion",
        "motion_blur_min_object_screen_size",
        "lens_flare_intensity",
        "bloom_intensity",
        "focal_distance",
        "blur_amount",
        "blur_radius",
        "min_fstop",
        "blade_count",
        # Exposure adapts at once and to the weather, not over time and to the histogram.
        "exposure_min_bright",
        "exposure_max_bright",
        "exposure_speed_up",
        "exposure_speed_down",
        "calibration_constant",
    }
)
"""Attributes that are accepted for CARLA's sake and change nothing."""

IMAGE_HEADER = struct.Struct("<IIf")
"""Width and height in pixels, horizontal field of view in degrees; the pixels follow."""


def image_body(pixels: npt.NDArray[np.generic], fov_deg: float) -> bytes:
    """Return the message body of an image.

    Args:
        pixels: (H, W, C), top row first: BGRA uint8, or float32 pairs of optical flow.
    """
    height, width = pixels.shape[:2]
    return IMAGE_HEADER.pack(width, height, fov_deg) + pixels.tobytes()


class Camera(Sensor):
    """A pinhole camera behind a lens that may distort. Subclasses say which picture they deliver.

    Attributes:
        wants: names of the pictures this camera needs of the renderer.
        smooth: whether the lens may mix pixels: colours only.
    """

    is_camera = True
    sees = True
    picture: ClassVar[str]
    smooth: ClassVar[bool] = False

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        self.width = integer(attributes, "image_size_x", 800)
        self.height = integer(attributes, "image_size_y", 600)
        self.fov = number(attributes, "fov", 90.0)
        self.optics = self.read_optics(attributes)
        self.lens = self.read_lens(attributes)
        for name in sorted(COMPATIBLE_ONLY & set(attributes)):
            number(attributes, name, 0.0)
        note_without_effect("sensor.camera.rgb", attributes, COMPATIBLE_ONLY)
        # A size or angle that cannot be drawn is refused now, not at the first frame.
        View((0.0, 0.0, 0.0), (0.0, 0.0, 0.0), self.fov, self.width, self.height)

    def read_optics(self, attributes: Mapping[str, str]) -> Optics:
        """Return how light becomes colour; cameras without colour need none."""
        return Optics()

    def read_lens(self, attributes: Mapping[str, str]) -> Lens:
        """Return the lens; cameras without colour have no coloured fringes."""
        return replace(read_lens(attributes), fringe=(0.0, 0.0))

    @property
    def wants(self) -> frozenset[str]:
        """Names of the pictures this camera needs."""
        return frozenset({self.picture})

    def view(self, context: SensorContext) -> View:
        """Return the view of this frame."""
        return self.view_from(context)

    def view_from(self, context: SensorContext, before: Past | None = None) -> View:
        """Return the view of this frame, with motion measured from ``before``."""
        row = context.table[self.actor_id]
        location, rotation = row["location"].tolist(), row["rotation"].tolist()
        return View(
            (location[0], location[1], location[2]),
            (rotation[0], rotation[1], rotation[2]),
            self.fov,
            self.width,
            self.height,
            self.optics,
            self.ignored,
            before,
        )

    def seen(self, pictures: Pictures, context: SensorContext) -> npt.NDArray[Any]:
        """Return this camera's picture of the view's pictures, (H, W, C): through the lens."""
        picture = pictures[self.picture]
        return picture if self.lens.neutral else self.lens.warp(picture, smooth=self.smooth)

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the message body made of the view's pictures; None for no message."""
        return image_body(self.seen(pictures, context), self.fov)

    def capture(self, context: SensorContext) -> bytes | None:
        """Refuse: pictures come from the renderer, one render for all cameras of a view."""
        raise TypeError(f"camera {self.actor_id} is encoded from rendered pictures, see Camera.encode")


@register("sensor.camera.rgb")
class RgbCamera(Camera):
    """Colours: sRGB, 8 bit."""

    type_index = 13
    picture = "rgb"
    smooth = True
    gbuffers_enabled = True

    def __init__(self, attributes: Mapping[str, str], actor_id: int, seed: int = 0) -> None:
        super().__init__(attributes, actor_id, seed)
        # Without post-processing there is no tone curve to change.
        self.tones = Film.read(attributes).table() if self.optics.postprocess else None

    def seen(self, pictures: Pictures, context: SensorContext) -> npt.NDArray[Any]:
        """Return the picture through the lens, in the tones of the camera's film curve."""
        return toned(super().seen(pictures, context), self.tones)

    def read_lens(self, attributes: Mapping[str, str]) -> Lens:
        """Return the lens; with post-processing switched off it is a plain pinhole."""
        if boolean(attributes, "enable_postprocess_effects", True):
            return read_lens(attributes)
        return Lens(0.0, 0.0, (0.0, 0.0), (0.0, 0.0))

    def encode(self, pictures: Pictures, context: SensorContext) -> bytes | None:
        """Return the picture. What hangs on the spectator also shows the texts and shapes of the server's window."""
        picture = self.seen(pictures, context)
        hud = getattr(context, "hud", None)
        if hud and int(context.table[self.actor_id]["parent"]) == context.spectator:
            from engine.render.hud import draw_hud

            picture = draw_hud(picture, self.view(context), hud)
        return image_body(picture, self.fov)

    def read_optics(self, attributes: Mapping[str, str]) -> Optics:
        """Return the optics that the post-process attributes describe."""
        mode = attributes.get("exposure_mode", "histogram") or "histogram"
        if mode not in ("histogram", "manual"):
            raise ValueError(f"attribute exposure_mode: {mode!r} is neither histogram nor manual")
        positive = {}
        for name, default in (
            ("shutter_speed", 200.0),
            ("iso", 100.0),
            ("fstop", 1.4),
            ("gamma", 2.2),
            ("temp", 6500.0),
        ):
            positive[name] = number(attributes, name, default)
            if positive[name] <= 0.0:
                raise ValueError(f"attribute {name}: {positive[name]} is not positive")
        return Optics(
            exposure_mode=mode,
            exposure_compensation=number(attributes, "exposure_compensation", 0.0),
            tint=number(attributes, "tint", 0.0),
            postprocess=boolean(attributes, "enable_postprocess_effects", True),
            **positive,
        )


@register("sensor.camera.depth")
class DepthCamera(Camera):
    """Planar distance along the optical axis: (R + 256 G + 65536 B) / (2^24 - 1) * 1000 m; the sky is white."""

    type_index = 1
    picture = "depth"


@register("sensor.camera.semantic_segmentation")
class SemanticCamera(Camera):
    """The tag (``foundation.ids.Tag``) in R; G and B are 0."""

    type_index = 14
    picture = "semantic"


@register("sensor.camera.instance_segmentation")
class InstanceCamera(Camera):
    """The tag in R; the 16-bit instance id in G (low byte) and B (high byte)."""

    type_index = 15
    picture = "instance"


@register("sensor.camera.normals")
class NormalsCamera(Camera):
    """Surface normals in world axes (CARLA's), each from [-1, 1] to 0..255: x in R, y in G, z in B."""

    type_index = 2
    picture = "normals"


Mounted = TypeVar("Mounted")


def group_views(
    cameras: Iterable[tuple[Mounted, View, frozenset[str]]],
) -> list[tuple[View, frozenset[str], list[Mounted]]]:
    """Group cameras into renders: one for each pose and intrinsics, with the union of what is wanted.

    Colour cameras of different optics are apart; cameras without colour join any render of their geometry. Cameras
    that measure motion each look back to a moment of their own, so they stay alone.

    Args:
        cameras: (whatever identifies the camera, its view, what it wants).

    Returns:
        (view, wants, cameras) for each render, in order of first appearance.
    """
    cameras = list(cameras)
    groups: list[tuple[View, set[str], list[Mounted]]] = []
    for wants_color in (True, False):
        for camera, view, wants in cameras:
            if bool(wants & {"rgb", "albedo"}) != wants_color:
                continue
            for known, union, members in groups:
                if (
                    known.same_geometry(view)
                    and known.before is view.before
                    and (not wants_color or known.optics == view.optics)
                ):
                    union |= wants
                    members.append(camera)
                    break
            else:
                groups.append((view, set(wants), [camera]))
    return [(view, frozenset(union), members) for view, union, members in groups]
