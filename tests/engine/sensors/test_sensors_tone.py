"""The film curve: slope, toe, shoulder and clips of colour cameras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.sensors.tone import MIDDLE_GREY, Film, toned

DARK, GREY, BRIGHT = 40, 118, 230


def test_the_default_leaves_every_byte() -> None:
    picture = np.arange(64, dtype=np.uint8).reshape(4, 4, 4)
    assert Film().table() is None
    assert Film.read({"slope": "0.88", "toe": "0.55"}).table() is None
    assert toned(picture, None) is picture


def test_middle_grey_stays_and_light_grows() -> None:
    light = np.geomspace(1e-5, 1e3, 500)
    shown = Film().curve(np.log10(light))
    assert (np.diff(shown) >= -1e-9).all()
    assert float(Film().curve(np.log10(np.array([MIDDLE_GREY])))[0]) == pytest.approx(MIDDLE_GREY, abs=0.01)
    assert shown[0] == pytest.approx(0.0, abs=1e-3)
    assert shown[-1] == 1.0


@pytest.mark.parametrize(
    ("name", "value", "dark", "bright"),
    [
        ("slope", 1.0, -1, +1),  # more contrast
        ("slope", 0.5, +1, -1),
        ("toe", 0.45, +1, 0),
        ("toe", 0.9, -1, 0),
        ("shoulder", 1.0, 0, +1),
        ("shoulder", 0.0, 0, -1),
        ("black_clip", 0.5, -1, 0),
        ("white_clip", 0.0, 0, 0),
        ("white_clip", 0.9, 0, +1),
    ],
)
def test_each_number_does_what_it_is_called(name: str, value: float, dark: int, bright: int) -> None:
    table = replace(Film(), **{name: value}).table()
    assert table is not None
    for at, sign in ((DARK, dark), (BRIGHT, bright)):
        change = int(table[at]) - at
        assert change * sign >= 2 if sign else abs(change) <= 8
    assert abs(int(table[GREY]) - GREY) <= 12


@given(*[st.floats(0.0, 1.0)] * 5)
def test_any_curve_is_finite(slope: float, toe: float, shoulder: float, black: float, white: float) -> None:
    shown = Film(slope, toe, shoulder, black, white).curve(np.linspace(-6.0, 3.0, 50))
    assert np.isfinite(shown).all()
    assert (shown >= 0.0).all()
    assert (shown <= 1.0).all()


def test_numbers_are_held_to_their_limits_and_words_are_refused() -> None:
    assert Film.read({"slope": "-2", "toe": "3"}) == Film(slope=0.0, toe=1.0)
    with pytest.raises(ValueError, match="slope"):
        Film.read({"slope": "steep"})
