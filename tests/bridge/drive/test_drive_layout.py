"""Nothing on the screen covers anything else, at any size."""

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.drive.layout import LEAST_LETTER_PX, layout


def areas(place):
    return {
        "info": place.info, "machine": place.machine, "compass": place.compass, "dash": place.dash,
        "notices": place.notices, "recording": place.recording, "inset": place.inset,
    }  # fmt: skip


@given(st.integers(640, 3840), st.integers(480, 2160))
def test_instruments_stay_inside_and_apart(width, height):
    place = layout(width, height)
    found = areas(place)
    for name, area in found.items():
        assert area.left >= 0, name
        assert area.top >= 0, name
        assert area.right <= width, name
        assert area.bottom <= height, name
    for (a, first), (b, second) in combinations(found.items(), 2):
        assert not first.colliderect(second), (a, b, first, second)


@pytest.mark.parametrize("size", [(640, 480), (1280, 720), (1920, 1080), (320, 240)])
def test_letters_never_get_too_small_to_read(size):
    assert layout(*size).letter >= LEAST_LETTER_PX


def test_a_large_window_shows_more_and_larger():
    small, large = layout(640, 480), layout(1920, 1080)
    assert small.small
    assert not large.small
    assert large.letter > small.letter


def test_the_inset_keeps_the_shape_of_its_picture():
    for size in ((640, 480), (1280, 720), (2560, 1440)):
        inset = layout(*size).inset
        assert inset.width / inset.height == pytest.approx(4 / 3, rel=0.02)
