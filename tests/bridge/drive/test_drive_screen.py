"""What is drawn: labels on the right pixels, points on the right side, warnings that are seen."""

import numpy as np
import pygame
import pytest

from bridge.drive import hud, panels, scene, ui
from bridge.drive.keys import BINDINGS
from bridge.drive.layout import layout
from bridge.drive.pedals import Controls
from bridge.drive.shown import RAMP, colored_depth, colored_instances
from bridge.drive.state import Box, Instruments, Notice, Shot, Verdict
from foundation.ids import Tag


@pytest.fixture(autouse=True)
def _fonts():
    pygame.font.init()


def pixels(screen):
    return pygame.surfarray.array3d(screen).swapaxes(0, 1).astype(int)


def near(image, color, tolerance=12):
    return (np.abs(image - np.array(color)).max(axis=-1) <= tolerance).nonzero()


@pytest.mark.parametrize(("scale", "size"), [(1, (320, 240)), (2, (640, 480)), (3, (960, 720))])
def test_a_box_encloses_exactly_its_pixels_at_any_scale(scale, size):
    image = np.zeros((240, 320, 3), np.uint8)
    image[100:140, 50:90] = 255  # the object
    box = Box((50, 100, 90, 140), np.zeros((0, 2, 2)), "", (255, 0, 0))
    screen = pygame.Surface(size)
    scene.draw_shot(screen, Shot("", image=image, boxes=(box,)), screen.get_rect(), 12)
    rows, columns = near(pixels(screen), (255, 0, 0), 60)
    assert (columns.min(), columns.max() + 1) == (50 * scale, 90 * scale)
    assert rows.max() + 1 == 140 * scale


def test_a_picture_of_another_shape_is_shown_whole_and_its_labels_move_with_it():
    image = np.zeros((100, 100, 3), np.uint8)
    image[40:60, 40:60] = (0, 255, 0)
    box = Box((40, 40, 60, 60), np.zeros((0, 2, 2)), "", (255, 0, 0))
    screen = pygame.Surface((400, 200))
    scene.draw_shot(screen, Shot("", image=image, boxes=(box,)), screen.get_rect(), 12)
    rows, columns = near(pixels(screen), (255, 0, 0), 60)
    assert (columns.min(), columns.max() + 1) == (100 + 80, 100 + 120)
    assert (rows.max() + 1) == 120


def test_names_do_not_cover_one_another_and_the_nearest_has_its_own():
    screen = pygame.Surface((400, 300))
    far = Box((100, 100, 150, 180), np.zeros((0, 2, 2)), "far away", (0, 200, 0))
    close = Box((105, 102, 190, 200), np.zeros((0, 2, 2)), "close by", (200, 0, 0))
    scene.draw_boxes(screen, (far, close), screen.get_rect(), (400, 300), 14)
    above = pixels(screen)[88:100, 100:190]
    assert len(near(above, (200, 0, 0))[0]) > 100
    assert len(near(above, (0, 200, 0))[0]) == 0


def test_lidar_points_ahead_are_above_and_those_on_the_right_are_right():
    points = np.array([[20.0, 0.0, 0.0], [0.0, 15.0, 0.0], [0.0, 0.0, 0.0], [900.0, 0.0, 0.0]], np.float32)
    tags = np.array([Tag.CAR, Tag.ROADS, Tag.ROADS, Tag.ROADS], np.uint8)
    u, v, _ = scene.project_points(Shot("", points=points, tags=tags), (200, 200), (100, 120), 2.0)
    assert sorted(zip(u.tolist(), v.tolist())) == [(100, 80), (100, 120), (130, 120)]


def test_the_highest_point_is_drawn_last():
    points = np.array([[0, 0, 2.0], [0, 0, -1.0]], np.float32)
    tags = np.array([Tag.CAR, Tag.ROADS], np.uint8)
    _, _, color = scene.project_points(Shot("", points=points, tags=tags), (10, 10), (5, 5), 1.0)
    from sensors import overlay

    assert tuple(color[-1]) == overlay.COLORS[Tag.CAR]


def test_depth_gets_darker_with_distance_and_the_sky_is_black():
    image = colored_depth(np.array([[1.0, 3.0, 10.0, 40.0, 200.0, 1000.0]], np.float32))[0].astype(int).sum(axis=1)
    assert (np.diff(image) < 0).all()
    assert image[-1] == 0
    assert len(RAMP) == 256


def test_every_road_user_has_a_colour_of_its_own_and_houses_are_dark():
    tags = np.array([[Tag.CAR, Tag.CAR, Tag.BUILDINGS, Tag.BUILDINGS]], np.uint8)
    image = colored_instances(tags, np.array([[7, 8, 7, 8]], np.uint16))[0].astype(int)
    assert (image[0] != image[1]).any()
    assert (image[2] == image[3]).all()
    assert image[2].max() < 90 < image[0].max()


NOW = Instruments(
    frame=1, time_s=83.4, speed_kmh=123.0, limit_kmh=50.0, gear="4", rpm=2500.0, controls=Controls(0.7, 0.0, -0.4),
    heading_deg=359.0, ttc_s=1.2, ttc_with="pedestrian", gap_m=12.0, lane="road 12  lane -1", lane_offset_m=-0.3,
    lane_width_m=3.5, place="x 1.0  y 2.0", vehicle="Mercedes Coupe 2020", map_name="RealityMotorway",
    weather="hard rain", clock="22:00", lights=("low beam", "left"), rate_hz=20.0, view="Chase", sensor="rgb",
    detail="1280×720", rec_s=12.3, rec_frames=245,
)  # fmt: skip


def draw(size, now=NOW, level="all", toasts=(), time_s=0.1):
    screen = pygame.Surface(size)
    screen.fill((128, 128, 128))
    hud.draw(screen, layout(*size), now, toasts, level=level, client_ms=4.0, filming_s=3.0, time_s=time_s)
    return pixels(screen)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080)])
def test_a_recording_is_red_and_is_never_hidden(size):
    place = layout(*size)
    for level in hud.LEVELS:
        area = place.recording
        part = draw(size, level=level)[area.top : area.bottom, area.left : area.right]
        assert len(near(part, (255, 60, 60), 5)[0]) > 20, level
    off = draw(size, now=Instruments(), level="none")
    assert (off != 128).any()  # the film's, which goes on


def test_levels_show_less_and_less():
    covered = [(draw((1280, 720), level=level) != 128).any(axis=-1).sum() for level in hud.LEVELS]
    assert covered[0] > covered[1] > covered[2]


def test_a_short_time_to_collision_is_framed_in_red():
    place = layout(1280, 720)
    above = slice(place.dash.top - 60, place.dash.top)
    alarm = near(draw((1280, 720))[above], ui.ALARM, 5)[0]
    from dataclasses import replace

    calm = near(draw((1280, 720), now=replace(NOW, ttc_s=8.0))[above], ui.ALARM, 5)[0]
    assert len(alarm) > 100
    assert len(calm) == 0


def test_long_messages_are_broken_and_stay_between_the_panels():
    place = layout(640, 480)
    toast = hud.Toast(Notice("a data set of a great many frames in a folder with a long name " * 3), 10.0)
    image = draw((640, 480), now=Instruments(), level="none", toasts=(toast,))
    image[place.recording.top : place.recording.bottom, place.recording.left :] = 128
    changed = (image != 128).any(axis=-1)
    assert changed.any()
    columns = changed.any(axis=0).nonzero()[0]
    assert columns.min() >= place.info.right
    assert columns.max() < place.machine.left


def listen(monkeypatch):
    """A list of everything that is written from now on."""
    written, put = [], ui.put

    def spy(screen, words, *arguments, **options):
        written.append(words)
        return put(screen, words, *arguments, **options)

    monkeypatch.setattr(panels.ui, "put", spy)
    return written


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
def test_the_help_names_every_key(size, monkeypatch):
    written = []
    put = ui.put
    monkeypatch.setattr(
        panels.ui, "put", lambda screen, words, *a, **k: written.append(words) or put(screen, words, *a, **k)
    )
    screen = pygame.Surface(size)
    panels.draw_help(screen, layout(*size))
    for binding in BINDINGS:
        assert any(word.startswith(binding.help[:18]) for word in written), binding.help


@pytest.mark.parametrize("size", [(640, 480), (1280, 720)])
def test_a_verdict_fits_with_all_its_lines(size, monkeypatch):
    written = []
    put = ui.put
    monkeypatch.setattr(
        panels.ui, "put", lambda screen, words, *a, **k: written.append(words) or put(screen, words, *a, **k)
    )
    verdict = Verdict(
        "fail", "A child runs out", ("You touched Child at 3.9 s, 42 km/h fast.",),
        ((False, "Collision: collision at 3.90 s; demanded: the ego vehicle touches nothing"),
         (True, "Minimum time to collision: met")), (("Duration", "5.2 s"), ("Smallest TTC", "0.00 s  (Child)")),
    )  # fmt: skip
    panels.draw_verdict(pygame.Surface(size), layout(*size), verdict)
    text = " ".join(written)
    for words in ("FAILED", "You touched Child", "demanded:", "✔", "✘", "Duration", "F5 again", "F6 next sample"):
        assert words in text


def test_text_is_cut_with_an_ellipsis_and_wrapped_between_words():
    assert ui.fitted("short", 14, 500) == "short"
    cut = ui.fitted("a rather long line of words", 14, 80)
    assert cut.endswith("…")
    assert ui.width_of(cut, 14) <= 80
    lines = ui.wrapped("one two three four five six", 14, 90)
    assert " ".join(lines) == "one two three four five six"
    assert all(ui.width_of(line, 14) <= 90 for line in lines)
