import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sampling_spaces import MIXED, PLAIN
from scipy.stats import qmc

from scenarios.sampling import Enum, Integer, LogUniform, Periodic, Real, Remap, Space, SpaceError

UNIT = arrays(np.float64, MIXED.dimension, elements=st.floats(0, 1))


@settings(deadline=None)
@given(UNIT)
def test_values_and_back(unit):
    values = MIXED.values(unit)
    again = MIXED.unit(values)
    assert list(MIXED.values(again)) == list(values)
    canonical = MIXED.points(unit).unit[0]
    # A periodic end is the same value as its beginning.
    difference = np.abs(again - canonical)
    difference[2] = min(difference[2], 1.0 - difference[2])
    np.testing.assert_allclose(difference, 0.0, atol=1e-9)


@settings(deadline=None)
@given(UNIT)
def test_conditions_decide_what_exists(unit):
    values = MIXED.values(unit)
    assert ("stride" in values) == (values["class"] in ("ped", "car"))
    assert ("roof" in values) == (values["class"] in ("cyc", "car"))
    assert ("box height" in values) == (values.get("roof") == "box")
    assert values["town"] == "ours"


def test_the_nominal_density_integrates_to_one():
    points = MIXED.points(qmc.Sobol(MIXED.dimension, seed=1).random(2**16))
    assert MIXED.densities(points).mean() == pytest.approx(1.0, abs=5e-3)


def test_the_nominal_density_is_the_product_of_its_parts():
    values = {"class": "b", "x": 0.3, "y": 0.9}
    assert PLAIN.density(values) == pytest.approx(1.0)
    weighted = Space("w", (Enum("class", ("a", "b", "c"), (1, 2, 1)), Integer("n", 0, 3)))
    # The class's probability 1/2 on a third of the axis, the integer's 1/4 on a quarter.
    assert weighted.density({"class": "b", "n": 2}) == pytest.approx(1.5)


def test_an_absent_parameter_leaves_no_factor():
    parameters = (Enum("c", ("p", "q")), Real("x", 1, 100, LogUniform(), condition=("c", ("p",))))
    space = Space("s", parameters)
    assert space.density({"c": "q"}) == pytest.approx(1.0)
    assert space.density({"c": "p", "x": 1.0}) == pytest.approx(99 / math.log(100))


@settings(deadline=None)
@given(st.floats(-2000, 2000), st.integers(-3, 3))
def test_periodic_values_wrap(angle, turns):
    heading = Periodic("h", -180, 180)
    one, other = heading.encode([angle, angle + 360.0 * turns])
    assert min(abs(one - other), 1 - abs(one - other)) < 1e-9
    assert -180 <= heading.decode([one])[0] <= 180


def test_distances_wrap_and_know_the_metric():
    space = Space("s", (Periodic("h", 0, 360, scale=0.2), Real("x", 0, 1, scale=0.4), Enum("c", ("p", "q"), scale=0.1)))
    np.testing.assert_allclose(space.metric, [0.5, 1.0, 0.25])
    at = {"h": 1.0, "x": 0.5, "c": "p"}
    assert space.distance(at, {**at, "h": 359.0}) == pytest.approx(0.5 * 2 / 360, rel=1e-3)
    assert space.distance(at, {**at, "x": 0.8}) == pytest.approx(0.3)
    assert space.distance(at, {**at, "c": "q"}) == pytest.approx(0.25)


def test_every_cell_is_reached_and_returned():
    for parameter in (MIXED["class"], MIXED["people"], Integer("n", -2, 7)):
        values = parameter.cell_values()
        assert parameter.decode(parameter.encode(list(values))) == list(values)
        assert parameter.decode([0.0, 1.0]) == [values[0], values[-1]]


def test_an_integers_remap_gives_cells_their_width():
    remap = Remap((-0.5, 0.5, 1.5, 2.5), (0.0, 0.2, 0.7, 1.0))
    number = Integer("n", 0, 2, remap=remap)
    np.testing.assert_allclose(number.edges(), [0, 0.2, 0.7, 1.0])
    assert number.decode([0.1, 0.3, 0.69, 0.8]) == [0, 1, 1, 2]
    np.testing.assert_allclose(number.density([0.1, 0.3, 0.8]), [1 / 3 / 0.2, 1 / 3 / 0.5, 1 / 3 / 0.3])


def test_joined_has_both_and_refuses_clashes():
    both = PLAIN.joined(Space("more", (Real("z", 0, 1),), {"k": 1}))
    assert both.names == ("class", "x", "y", "z")
    assert both.constants == {"k": 1}
    with pytest.raises(SpaceError, match="both have a parameter 'x'"):
        PLAIN.joined(Space("more", (Real("x", 0, 1),)))
    with pytest.raises(SpaceError, match="'town'"):
        MIXED.joined(Space("more", (Real("town", 0, 1),)))


def test_fixed_takes_the_axis_away_and_decides_conditions():
    cyclists = MIXED.fixed({"class": "cyc"})
    assert "stride" not in cyclists.names
    assert cyclists["roof"].condition is None
    assert cyclists.dimension == MIXED.dimension - 2
    values = cyclists.values(np.full(cyclists.dimension, 0.9))
    assert values["class"] == "cyc"
    assert values["roof"] == "box"
    pedestrians = MIXED.fixed({"class": "ped", "stride": 1.5})
    assert pedestrians.names == ("distance", "heading", "people")
    assert pedestrians.values([0.5, 0.5, 0.5])["stride"] == 1.5


def test_fixed_density_is_the_conditional_one():
    values = MIXED.values(np.full(MIXED.dimension, 0.4))
    whole, part = MIXED.density(values), MIXED.fixed({"class": "cyc"}).density(values)
    assert values["class"] == "cyc"
    assert whole == pytest.approx(part * 0.1 * 3)


@pytest.mark.parametrize(
    ("fixed", "words"),
    [
        ({"nothing": 1}, "no free parameter 'nothing'"),
        ({"distance": 400}, "outside the limits"),
        ({"class": "dog"}, "no choice"),
        ({"class": "cyc", "stride": 1.5}, "does not exist"),
        ({"stride": 1.5}, "only for some choices"),
        ({"people": 2.5}, "not a whole number"),
        ({"distance": float("nan")}, "not a finite number"),
    ],
)
def test_fixed_refuses(fixed, words):
    with pytest.raises(SpaceError, match=words):
        MIXED.fixed(fixed)


def test_storing_keeps_a_space():
    again = Space.from_dict(json.loads(json.dumps(MIXED.to_dict())))
    assert again == MIXED
    assert hash(again) == hash(MIXED)
    assert again.to_dict() == MIXED.to_dict()


def test_the_fingerprint_knows_what_matters():
    first = Space("s", (Real("x", 0, 1, unit="m", provenance="here"),))
    assert first.fingerprint == Space("s", (Real("x", 0, 1, provenance="there"),)).fingerprint
    for other in (Real("x", 0, 1.1), Real("x", 0, 1, scale=2.0), Periodic("x", 0, 1), Real("y", 0, 1)):
        assert first.fingerprint != Space("s", (other,)).fingerprint


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Real("speed", 0, None), "speed: the parameter has no finite upper limit"),
        (lambda: Real("speed", 0), "speed: the parameter has no finite upper limit"),
        (lambda: Integer("count"), "count: the parameter has no finite lower limit"),
        (lambda: Real("speed", -math.inf, 1), "speed: the parameter has no finite lower limit"),
        (lambda: Real("speed", math.nan, 1), "lower limit"),
        (lambda: Real("speed", 3, 1), "low 3 is above high 1"),
        (lambda: Real("speed", 1, 1), "low 1 is not below high 1"),
        (lambda: Integer("n", 0.5, 3), "whole limits"),
        (lambda: Enum("c", ()), "choices are empty"),
        (lambda: Enum("c", ("a", "a")), "twice"),
        (lambda: Real("", 0, 1), "no name"),
        (lambda: Space("s", (Real("x", 0, 1), Real("x", 0, 2))), "two parameters 'x'"),
        (lambda: Space("s", (Real("x", 0, 1, condition=("c", ("p",))),)), "no parameter of space"),
        (lambda: Space("s", (Real("c", 0, 1), Real("x", 0, 1, condition=("c", (1,))))), "a real parameter"),
        (lambda: Space("s", (Enum("c", ("p",)), Real("x", 0, 1, condition=("c", ("q",))))), "no choice 'q'"),
        (
            lambda: Space(
                "s", (Enum("a", ("p",), condition=("b", ("p",))), Enum("b", ("p",), condition=("a", ("p",))))
            ),
            "circle",
        ),
        (lambda: PLAIN.values([0.5, 0.5, 1.5]), "outside the unit cube"),
        (lambda: PLAIN.values([0.5, math.nan, 0.5]), "outside the unit cube"),
        (lambda: PLAIN.unit({"class": "a", "x": 0.5}), "'y' has no value"),
        (lambda: PLAIN.unit({"class": "a", "x": 0.5, "y": 0.5, "z": 1}), "no parameter 'z'"),
        (lambda: PLAIN.unit({"class": "a", "x": math.nan, "y": 0.5}), "not a finite number"),
        (lambda: PLAIN.unit({"class": "a", "x": True, "y": 0.5}), "not a finite number"),
        (lambda: PLAIN.classes("x"), "no classes"),
        (lambda: PLAIN.with_remaps({"class": Remap((0, 1), (0, 1))}), "takes no remap"),
        (lambda: Space.from_dict({"version": 99}), "version 99"),
    ],
)
def test_bad_input_is_one_clear_line(make, words):
    with pytest.raises(SpaceError, match=words) as caught:
        make()
    assert "\n" not in str(caught.value)
