"""The pictures of the sensors on the screen: images with their labels, and points from above."""

from __future__ import annotations

import math

import numpy as np
import pygame

from bridge.drive import ui
from bridge.drive.state import Box, Pixels, Shot
from foundation.ids import PALETTE, ROAD_USERS
from sensors import overlay

LIDAR_REACH_M = 45.0
"""From the middle of the picture to its nearer edge."""
RING_M = 10.0
GROUND_BELOW_SENSOR_M = 2.2
BACKGROUND = (9, 12, 17)
_POINT_COLORS = np.maximum(PALETTE.astype(np.int16), 70).astype(np.uint8)
for _tag in ROAD_USERS:
    _POINT_COLORS[int(_tag)] = overlay.COLORS[_tag]


def fit(image: tuple[int, int], area: pygame.Rect) -> pygame.Rect:
    """Return where an image of a size lies in an area: whole, as large as possible, in the middle.

    An image of nearly the area's shape fills it: a pixel or two of rounding must not leave a dark line.
    """
    scale = min(area.width / image[0], area.height / image[1])
    found = pygame.Rect(0, 0, round(image[0] * scale), round(image[1] * scale))
    if area.width - found.width <= 3 and area.height - found.height <= 3:
        found.size = area.size
    found.center = area.center
    return found


def draw_shot(screen: pygame.Surface, shot: Shot, area: pygame.Rect, letter: int) -> None:
    """Draw what a sensor shows into an area."""
    if shot.image is not None:
        _draw_image(screen, shot.image, shot.boxes, area, letter)
    elif shot.points is not None:
        _draw_points(screen, shot, area, letter)


def _draw_image(screen: pygame.Surface, image: Pixels, boxes: tuple[Box, ...], area: pygame.Rect, letter: int) -> None:
    height, width = image.shape[:2]
    surface = pygame.image.frombuffer(np.ascontiguousarray(image).data, (width, height), "RGB")
    where = fit((width, height), area)
    if where != area:
        pygame.draw.rect(screen, BACKGROUND, area)
    if where.size == (width, height):
        screen.blit(surface, where)
    else:
        screen.blit(pygame.transform.smoothscale(surface, where.size), where)
    if boxes:
        screen.set_clip(where)
        draw_boxes(screen, boxes, where, (width, height), letter)
        screen.set_clip(None)


def draw_boxes(
    screen: pygame.Surface, boxes: tuple[Box, ...], where: pygame.Rect, size: tuple[int, int], letter: int
) -> None:
    """Draw labels onto a picture that was scaled from ``size`` to ``where``; names do not cover one another."""
    sx, sy = where.width / size[0], where.height / size[1]
    for box in boxes:
        for (ax, ay), (bx, by) in np.clip(box.edges * (sx, sy), -20000, 20000):
            ends = (where.left + ax, where.top + ay), (where.left + bx, where.top + by)
            pygame.draw.aaline(screen, tuple(c * 2 // 3 for c in box.color), *ends)
        pygame.draw.rect(screen, box.color, scaled_rect(box.rect, where, (sx, sy)), width=1 if sx < 1.5 else 2)
    taken: list[pygame.Rect] = []
    for box in reversed(boxes):  # the nearest first: its name matters most
        rect = scaled_rect(box.rect, where, (sx, sy))
        chip = ui.text(box.text, max(11, letter - 2), (8, 10, 12), True)
        place = chip.get_rect().inflate(6, 2)
        place.bottomleft = (rect.left, rect.top)
        if place.top < where.top:
            place.top = rect.top
        if rect.height < 6 or place.collidelist(taken) >= 0:
            continue
        taken.append(place)
        pygame.draw.rect(screen, box.color, place, border_radius=3)
        screen.blit(chip, (place.left + 3, place.top + 1))


def scaled_rect(rect: tuple[float, float, float, float], where: pygame.Rect, scale: tuple[float, float]) -> pygame.Rect:
    """Return the rectangle on the screen that covers exactly the pixels of a box in the picture."""
    left, top = where.left + math.floor(rect[0] * scale[0]), where.top + math.floor(rect[1] * scale[1])
    right, bottom = where.left + math.ceil(rect[2] * scale[0]), where.top + math.ceil(rect[3] * scale[1])
    return pygame.Rect(left, top, max(right - left, 1), max(bottom - top, 1))


def _draw_points(screen: pygame.Surface, shot: Shot, area: pygame.Rect, letter: int) -> None:
    """Draw points from above, forward up, the sensor in the lower middle."""
    assert shot.points is not None
    pygame.draw.rect(screen, BACKGROUND, area)
    scale = 0.5 * min(area.width, area.height) / LIDAR_REACH_M
    center = (area.centerx, area.top + round(area.height * 0.58))
    screen.set_clip(area)
    for ring in range(1, 12):
        pygame.draw.circle(screen, (30, 37, 46), center, round(ring * RING_M * scale), 1)
    pygame.draw.line(screen, (30, 37, 46), (center[0], area.top), (center[0], area.bottom))
    pygame.draw.line(screen, (30, 37, 46), (area.left, center[1]), (area.right, center[1]))
    u, v, color = project_points(shot, area.size, (center[0] - area.left, center[1] - area.top), scale)
    surface = screen.subsurface(area)
    pixels = pygame.surfarray.pixels3d(surface)
    pixels[u, v] = color
    if area.width > 500:  # one pixel is too small to be seen there
        pixels[np.minimum(u + 1, area.width - 1), v] = color
        pixels[u, np.minimum(v + 1, area.height - 1)] = color
    del pixels
    car = pygame.Rect(0, 0, max(4, round(1.9 * scale)), max(8, round(4.7 * scale)))
    car.center = center
    pygame.draw.rect(screen, ui.TEXT, car, width=0, border_radius=3)
    for ring in (1, 2, 3, 4):
        at = (center[0] + 4, center[1] - round(ring * RING_M * scale))
        if area.width > 260 and at[1] > area.top + 4:
            ui.put(screen, f"{ring * RING_M:.0f} m", at, max(10, letter - 4), ui.FAINT, anchor="midleft")
    screen.set_clip(None)


def project_points(
    shot: Shot, size: tuple[int, int], center: tuple[int, int], scale: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (N,) columns and rows and (N, 3) colours of a lidar's points seen from above, those in the picture only.

    Forward (x) is up, right (y) is right. Colours are those of the classes of a semantic lidar; else of the height.
    The highest points come last, so that they are drawn over those below.
    """
    assert shot.points is not None
    u = np.rint(center[0] + scale * shot.points[:, 1]).astype(np.int32)
    v = np.rint(center[1] - scale * shot.points[:, 0]).astype(np.int32)
    inside = (u >= 0) & (u < size[0]) & (v >= 0) & (v < size[1])
    height = shot.points[:, 2][inside]
    if shot.tags is not None:
        color = _POINT_COLORS[np.minimum(shot.tags[inside], len(_POINT_COLORS) - 1)]
    else:
        share = np.clip((height + GROUND_BELOW_SENSOR_M) / 5.0, 0.0, 1.0)[:, None]
        color = (np.array((70, 110, 160)) + share * np.array((180, 110, 40))).astype(np.uint8)
    order = np.argsort(height, kind="stable")
    return u[inside][order], v[inside][order], color[order]
