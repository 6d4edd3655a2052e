"""Named streams, one-line errors, and tags that equal the client's."""

import carla
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from foundation import seeds
from foundation.errors import InputError
from foundation.ids import PALETTE, Tag

part = st.one_of(st.text(max_size=8), st.integers())


def test_streams_are_the_same_on_every_machine():
    # Golden numbers: changing them changes every dataset ever made.
    assert seeds.derive(7, "walker", 3) == 6708805019365941818
    assert seeds.generator(7, "walker", 3).integers(0, 1000, 3).tolist() == [795, 670, 457]


@given(st.lists(part, max_size=4), st.lists(part, max_size=4))
def test_different_addresses_get_different_seeds(a, b):
    same = [(type(x), x) for x in a] == [(type(x), x) for x in b]
    assert (seeds.derive(1, *a) == seeds.derive(1, *b)) == same


def test_an_input_error_names_file_line_element_and_remedy():
    error = InputError("is not a number", file="a.xodr", line=3, element="road", remedy="write a number")
    assert str(error) == "a.xodr:3: <road>: is not a number (write a number)"


def test_tags_are_the_clients():
    theirs = {int(value) for name, value in carla.CityObjectLabel.names.items() if name not in ("Any",)}
    assert theirs == {int(tag) for tag in Tag}


def test_palette_is_what_the_client_paints():
    # carla.Image cannot be made in Python; the documented table is the reference (protocol notes, section 7).
    assert PALETTE.shape == (29, 3)
    assert tuple(PALETTE[Tag.PEDESTRIANS]) == (220, 20, 60)
    assert len(np.unique(PALETTE, axis=0)) == 29
