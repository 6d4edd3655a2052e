"""The instruments: drawn over the picture, legible on any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pygame

from bridge.drive import measure, ui
from bridge.drive.layout import Layout
from bridge.drive.state import Instruments, Notice

LEVELS = ("all", "few", "none")
NOTICE_S = 3.5
TTC_ALARM_S, TTC_WARN_S = 1.5, 3.0
NOTICE_COLORS = {"info": ui.TEXT, "saved": ui.GOOD, "warning": ui.WARN, "alarm": ui.ALARM}


@dataclass(frozen=True)
class Toast:
    """A notice on the screen, until a time of the window's clock."""

    notice: Notice
    until_s: float


def draw(
    screen: pygame.Surface,
    place: Layout,
    now: Instruments,
    toasts: Sequence[Toast],
    *,
    level: str,
    client_ms: float,
    filming_s: float | None,
    time_s: float,
) -> None:
    """Draw the instruments of a frame.

    Args:
        level: one of :data:`LEVELS`.
        client_ms: how long the last picture took to be drawn.
        filming_s: length of the film so far; None when nothing is filmed.
        time_s: of the window's clock, for what blinks and fades.
    """
    if level == "all":
        _info(screen, place, now)
        _machine(screen, place, now, client_ms)
        _compass(screen, place, now)
    if level != "none":
        _dash(screen, place, now)
    # What is being recorded, and what has just happened, is never hidden.
    _recording(screen, place, now, filming_s, time_s)
    _toasts(screen, place, toasts, time_s)
    if now.paused or now.speed_factor < 1.0:
        _time_badge(screen, place, now)


def _info(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    area, size = place.info, place.letter
    ui.draw_panel(screen, area)
    inner = area.width - 2 * place.pad
    x, y = area.left + place.pad, area.top + place.pad // 2
    minutes, seconds = divmod(now.time_s, 60.0)
    clock = f"{int(minutes):02d}:{seconds:04.1f}"
    title = now.scenario or now.map_name
    ui.put(screen, clock, (area.right - place.pad, y), size, ui.ACCENT, bold=True, anchor="topright")
    ui.put(screen, ui.fitted(title, size, inner - ui.width_of(clock, size, True) - 8, True), (x, y), size, bold=True)
    others = f"{now.cars} cars, {now.people} people" if now.cars or now.people else ""
    weather = ", ".join(part for part in (now.weather, now.clock) if part)
    lines = [(now.vehicle, ui.DIM), (weather, ui.DIM), (now.lane, ui.DIM)]
    if not place.small:
        lines.insert(
            0, (f"{now.map_name}, sample {now.sample}" if now.scenario else (others or "no other traffic"), ui.DIM)
        )
    for line, color in lines:
        y += place.line
        ui.put(screen, ui.fitted(line, size, inner), (x, y), size, color)
    y += place.line
    _lane_bar(screen, pygame.Rect(x, y, inner, place.line), now, size)
    if not place.small:
        y += place.line
        gap = "nothing ahead" if now.gap_m is None else f"ahead {now.gap_m:.0f} m"
        ui.put(screen, gap, (x, y), size, ui.DIM)
        ui.put(screen, now.place, (area.right - place.pad, y), size, ui.FAINT, anchor="topright")


def _lane_bar(screen: pygame.Surface, area: pygame.Rect, now: Instruments, size: int) -> None:
    """Draw the lane from above: its edges, and the car in it."""
    if now.lane_offset_m is None or now.lane_width_m is None:
        ui.put(screen, "no lane here", area.topleft, size, ui.WARN)
        return
    label = f"{now.lane_offset_m:+.2f} m"
    ui.put(screen, label, (area.right, area.top), size, ui.TEXT, anchor="topright")
    lane = pygame.Rect(area.left, area.top, area.width - ui.width_of("+0.00 m", size) - 12, area.height)
    half = max(now.lane_width_m, 0.5) / 2.0
    for x in (lane.left, lane.right - 2):
        pygame.draw.rect(screen, ui.DIM, pygame.Rect(x, lane.top + 3, 2, lane.height - 6))
    share = min(max(now.lane_offset_m / half, -1.15), 1.15)
    car = pygame.Rect(
        0, 0, round(lane.width * 0.9 / now.lane_width_m) if now.lane_width_m > 1.0 else 8, lane.height - 8
    )
    car.center = (round(lane.centerx + share * lane.width / 2), lane.centery)
    outside = abs(now.lane_offset_m) + 0.9 > half
    pygame.draw.rect(screen, ui.WARN if outside else ui.GOOD, car, border_radius=3)


def _machine(screen: pygame.Surface, place: Layout, now: Instruments, client_ms: float) -> None:
    area, size = place.machine, place.letter
    ui.draw_panel(screen, area)
    x, right, y = area.left + place.pad, area.right - place.pad, area.top + place.pad // 2
    slow = now.real_time < 0.9 * now.speed_factor and not now.paused and now.rate_hz > 0.0
    rows = [
        (f"{now.rate_hz:.0f} frames/s", f"{now.real_time:.2f}×", ui.WARN if slow else ui.GOOD),
        ("server", f"{now.server_ms:.0f} ms", ui.TEXT),
        ("client", f"{client_ms:.0f} ms", ui.TEXT),
        (now.view, now.detail, ui.TEXT),
    ]
    if not place.small:
        labels = "" if now.labels is None else f"{now.labels} labels"
        rows.append((SENSOR_NAMES.get(now.sensor, now.sensor), labels, ui.TEXT))
    for name, value, color in rows:
        ui.put(screen, value, (right, y), size, color, anchor="topright")
        room = area.width - 2 * place.pad - ui.width_of(value, size) - 6
        ui.put(screen, ui.fitted(name, size, room), (x, y), size, ui.DIM)
        y += place.line


SENSOR_NAMES = {"rgb": "colour", "depth": "depth", "semantic": "classes", "instance": "instances", "lidar": "lidar"}


def _compass(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    """Draw a tape of headings: north is N, and 30 degrees are a long tick."""
    area, size = place.compass, place.letter
    ui.draw_panel(screen, area)
    span = 120.0
    per_deg = (area.width - 2 * place.pad) / span
    first = int((now.heading_deg - span / 2) // 15) * 15
    for tick in range(first, first + int(span) + 31, 15):
        x = round(area.centerx + (tick - now.heading_deg) * per_deg)
        if not area.left + size < x < area.right - size:
            continue
        if tick % 45 == 0:
            name = measure.WINDS[(tick % 360) // 45]
            color = ui.ALARM if name == "N" else ui.TEXT
            ui.put(screen, name, (x, area.top + 3), size, color, bold=True, anchor="midtop")
        else:
            pygame.draw.line(screen, ui.DIM, (x, area.top + 7), (x, area.top + (13 if tick % 30 == 0 else 10)))
    tip = (area.centerx, area.top + place.line)
    pygame.draw.polygon(screen, ui.ACCENT, [tip, (tip[0] - 5, tip[1] + 6), (tip[0] + 5, tip[1] + 6)])
    words = f"{now.heading_deg:03.0f}°"
    ui.put(screen, words, (area.centerx + 10, area.bottom - 2), size - 2, ui.ACCENT, bold=True, anchor="bottomleft")


def _dash(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    area, size, pad = place.dash, place.letter, place.pad
    ui.draw_panel(screen, area, radius=12)
    controls = now.controls
    # The gear, in a box of its own.
    gear = pygame.Rect(area.left + pad, area.top + pad, round(size * 2.6), area.height - 2 * pad)
    pygame.draw.rect(screen, (30, 36, 44), gear, border_radius=8)
    color = ui.ALARM if now.gear == "R" else ui.TEXT
    ui.put(
        screen, now.gear, (gear.centerx, gear.centery - size // 3), round(size * 2.1), color, bold=True, anchor="center"
    )
    mode = "auto" if not controls.manual else "manual"
    ui.put(screen, mode, (gear.centerx, gear.bottom - 3), max(10, size - 3), ui.DIM, anchor="midbottom")
    # The sign that holds here, and the speed.
    limit = now.limit_kmh
    if limit is not None:
        center = (gear.right + pad + round(size * 1.3), area.centery)
        pygame.draw.circle(screen, ui.ALARM, center, round(size * 1.3))
        pygame.draw.circle(screen, (250, 250, 250), center, round(size * 1.0))
        ui.put(screen, f"{limit:.0f}", center, max(10, size - 2), (15, 15, 15), bold=True, anchor="center")
    speed_right = gear.right + pad + round(size * 9.0)
    over = limit is not None and now.speed_kmh > limit + 3.0
    ui.put(screen, f"{now.speed_kmh:.0f}", (speed_right, area.top + pad // 2 - 2), place.big,
           ui.WARN if over else ui.TEXT, bold=True, anchor="topright")  # fmt: skip
    ui.put(screen, f"{now.rpm:.0f} rpm", (speed_right - round(size * 3.6), area.bottom - pad // 2), size - 3, ui.FAINT,
           anchor="bottomright")  # fmt: skip
    ui.put(screen, "km/h", (speed_right, area.bottom - pad // 2), size, ui.DIM, anchor="bottomright")
    # Pedals, steering, and what is switched on.
    x = speed_right + round(size * 1.2)
    bars = pygame.Rect(x, area.top + pad, area.right - pad - x, area.height - 2 * pad)
    label = ui.width_of("brake", size - 2) + 8
    for row, (name, value, tint) in enumerate(
        (("gas", controls.throttle, ui.GOOD), ("brake", controls.brake, ui.ALARM), ("steer", controls.steer, ui.ACCENT))
    ):
        y = bars.top + round((row + 0.45) * bars.height / 4)
        ui.put(screen, name, (bars.left, y), size - 2, ui.DIM, anchor="midleft")
        track = pygame.Rect(bars.left + label, y - 4, bars.width - label, 8)
        if name == "steer":
            ui.centred_bar(screen, track, value, tint)
        else:
            ui.bar(screen, track, value, tint)
    _switches(screen, bars, size, now)
    _ttc(screen, place, now)


def _switches(screen: pygame.Surface, bars: pygame.Rect, size: int, now: Instruments) -> None:
    """Write what is switched on, in a row under the bars."""
    words = []
    if now.autopilot:
        words.append(("autopilot", ui.ACCENT))
    if now.controls.hand_brake:
        words.append(("hand brake", ui.ALARM))
    words += [(light, ui.GOOD) for light in now.lights]
    x, y = bars.left, bars.top + round(3.55 * bars.height / 4)
    for word, color in words or [("H help", ui.FAINT)]:
        if x + ui.width_of(word, size - 3) > bars.right:
            break
        x = ui.put(screen, word, (x, y), size - 3, color, bold=bool(words), anchor="midleft").right + 8


def _ttc(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    """Show the time to collision above the dashboard, the more urgent the shorter it is."""
    if now.ttc_s is None:
        return
    color = ui.ALARM if now.ttc_s < TTC_ALARM_S else ui.WARN if now.ttc_s < TTC_WARN_S else ui.DIM
    size = place.letter + (4 if now.ttc_s < TTC_WARN_S else 0)
    words = f"TTC {now.ttc_s:.1f} s   {now.ttc_with}"
    area = ui.text(words, size, color, True).get_rect().inflate(2 * place.pad, place.pad)
    area.midbottom = (place.dash.centerx, place.dash.top - 6)
    ui.draw_panel(screen, area)
    if now.ttc_s < TTC_ALARM_S:
        pygame.draw.rect(screen, ui.ALARM, area, width=2, border_radius=8)
    ui.put(screen, words, area.center, size, color, bold=True, anchor="center")


def _recording(screen: pygame.Surface, place: Layout, now: Instruments, filming_s: float | None, time_s: float) -> None:
    area = place.recording.copy()
    area.height = round(1.9 * place.letter)
    for name, seconds, count in (
        ("REC", now.rec_s, f"{now.rec_frames} frames"),
        ("MP4", filming_s, ""),
    ):
        if seconds is None:
            continue
        words = f"{name}  {seconds:.1f} s  {count}".rstrip()
        if ui.width_of(words, place.letter, True) > area.width - area.height - 8:
            words = f"{name}  {seconds:.1f} s"
        ui.draw_panel(screen, area, (120, 12, 16, 225), area.height // 2)
        dot = (area.left + area.height // 2, area.centery)
        if time_s % 1.0 < 0.6:
            pygame.draw.circle(screen, (255, 60, 60), dot, round(0.3 * area.height))
        pygame.draw.circle(screen, (255, 220, 220), dot, round(0.3 * area.height), 2)
        ui.put(screen, ui.fitted(words, place.letter, area.width - area.height - 8, True),
               (area.left + area.height, area.centery), place.letter, bold=True, anchor="midleft")  # fmt: skip
        area.top = area.bottom + 6


def _toasts(screen: pygame.Surface, place: Layout, toasts: Sequence[Toast], time_s: float) -> None:
    y = place.notices.top
    for toast in reversed(toasts):
        left_s = toast.until_s - time_s
        if left_s <= 0.0 or y > place.notices.bottom:
            continue
        color = NOTICE_COLORS[toast.notice.level]
        size = place.letter + (2 if toast.notice.level == "alarm" else 0)
        for line in ui.wrapped(toast.notice.text, size, place.notices.width - 2 * place.pad, True):
            area = ui.text(line, size, color, True).get_rect().inflate(2 * place.pad, 8)
            area.midtop = (place.notices.centerx, y)
            ui.draw_panel(screen, area, ui.DARK)
            if toast.notice.level == "alarm":
                pygame.draw.rect(screen, ui.ALARM, area, width=2, border_radius=8)
            surface = ui.text(line, size, color, True)
            surface.set_alpha(255 if left_s > 0.6 else round(255 * left_s / 0.6))
            screen.blit(surface, surface.get_rect(center=area.center))
            surface.set_alpha(255)
            y = area.bottom + 4


def _time_badge(screen: pygame.Surface, place: Layout, now: Instruments) -> None:
    """Say that time stands still, or runs slowly; the latter under the panel with the time."""
    words = "PAUSED   F7 goes on   F8 one step" if now.paused else f"slow motion 1/{round(1 / now.speed_factor)}"
    size = place.letter + (4 if now.paused else 0)
    area = ui.text(words, size, ui.TEXT, True).get_rect().inflate(2 * place.pad, place.pad)
    if now.paused:
        area.center = (place.size[0] // 2, round(place.size[1] * 0.36))
    else:
        area.topleft = (place.info.left, place.info.bottom + place.pad)
    ui.draw_panel(screen, area, ui.DARK)
    ui.put(screen, words, area.center, size, ui.WARN, bold=True, anchor="center")
