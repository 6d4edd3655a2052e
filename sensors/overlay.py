"""Labels drawn on images, for people to check that boxes sit on their objects."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from foundation.ids import PALETTE, Tag
from sensors import projection
from sensors.labels import CameraLabels, ObjectLabel
from sensors.readings import CameraReading

COLORS: dict[Tag, tuple[int, int, int]] = {
    Tag.PEDESTRIANS: (255, 64, 96),
    Tag.RIDER: (255, 120, 0),
    Tag.CAR: (64, 160, 255),
    Tag.TRUCK: (130, 120, 255),
    Tag.BUS: (0, 200, 200),
    Tag.TRAIN: (0, 220, 150),
    Tag.MOTORCYCLE: (230, 90, 255),
    Tag.BICYCLE: (255, 200, 0),
}
"""Bright class colours; Cityscapes' own are too dark for thin lines."""


def draw(
    reading: CameraReading,
    labels: CameraLabels,
    objects: Mapping[int, ObjectLabel],
    *,
    boxes_2d: bool = True,
    boxes_3d: bool = True,
    names: bool = True,
) -> npt.NDArray[np.uint8]:
    """Return a copy of the camera's colour image with labels drawn on it.

    Args:
        reading: with an rgb image.
        labels: of the same camera and frame.
        objects: the frame's objects by track id, for class colours and names.
        boxes_2d: draw the tight boxes of the visible pixels, one pixel wide, on their outermost pixels.
        boxes_3d: draw the edges of the 3D boxes, the front face crossed.
        names: write class, track id and distance.

    Returns:
        (H, W, 3) uint8.
    """
    if reading.rgb is None:
        raise ValueError("an overlay needs the camera's rgb image")
    image = Image.fromarray(reading.rgb)
    pen = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=max(10.0, reading.height / 50))
    shown = [view for view in labels.objects if view.visible_px and view.box_visible is not None]
    shown.sort(key=lambda view: -view.depth_m)  # the nearest is drawn last
    for view in shown:
        color = COLORS[objects[view.track_id].category]
        if boxes_3d:
            extent = objects[view.track_id].state.box_extent
            _draw_box(pen, reading, view.camera_from_box, extent, color)
        if boxes_2d and view.box_visible is not None:
            left, top, right, bottom = view.box_visible
            pen.rectangle((left, top, right - 1, bottom - 1), outline=color)
    taken: list[tuple[float, float, float, float]] = []
    for view in reversed(shown if names else []):
        known = objects[view.track_id]
        assert view.box_visible is not None
        text = f"{known.class_name} {view.track_id}, {view.depth_m:.0f} m"
        _write(pen, font, view.box_visible[:2], text, COLORS[known.category], taken)
    return np.asarray(image)


def _write(
    pen: ImageDraw.ImageDraw,
    font: ImageFont.FreeTypeFont | ImageFont.ImageFont,
    at: tuple[float, float],
    text: str,
    color: tuple[int, int, int],
    taken: list[tuple[float, float, float, float]],
) -> None:
    """Write above a box, or inside it where there is no room above; not over a text that is there already."""
    left, top, right, bottom = pen.textbbox((0, 0), text, font=font)
    x, y = at[0], at[1] - (bottom - top) - 4
    y = at[1] + 1 if y < 0 else y
    place = (x, y, x + right - left + 3, y + bottom - top + 3)
    if any(place[0] <= t[2] and t[0] <= place[2] and place[1] <= t[3] and t[1] <= place[3] for t in taken):
        return
    taken.append(place)
    pen.rectangle(place, fill=color)
    pen.text((x + 2 - left, y + 2 - top), text, fill=(0, 0, 0), font=font)


def _draw_box(
    pen: ImageDraw.ImageDraw,
    reading: CameraReading,
    camera_from_box: npt.NDArray[np.float64],
    extent: npt.NDArray[np.float64],
    color: tuple[int, int, int],
) -> None:
    points = projection.corners(camera_from_box, extent)
    size = reading.width, reading.height, reading.focal_px
    segments = projection.cut_edges(points)
    front = points[4:]  # the corners at +x
    if (front[:, 0] > projection.NEAR_M).all():
        segments += [(front[0], front[3]), (front[1], front[2])]
    for a, b in segments:
        ends = np.clip(projection.project(np.array([a, b]), *size), -32000, 32000)
        # A pixel's centre lies half a pixel after its corner.
        pen.line([(float(u) - 0.5, float(v) - 0.5) for u, v in ends], fill=color)


def colorize_tags(tags: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) colours of a (H, W) tag image in the Cityscapes palette of CARLA; unknown tags are black."""
    return PALETTE[np.where(tags < len(PALETTE), tags, 0)]


def colorize_tracks(tracks: npt.NDArray[np.uint16]) -> npt.NDArray[np.uint8]:
    """Return (H, W, 3) colours that tell neighbouring track ids apart; 0 is black."""
    number = tracks.astype(np.uint32)
    hashed = (number * np.uint32(2654435761)) >> np.uint32(8)
    color = np.stack([hashed & 0xFF, (hashed >> 8) & 0xFF, (hashed >> 16) & 0xFF], axis=-1) // 2 + 96
    color[tracks == 0] = 0
    return color.astype(np.uint8)
