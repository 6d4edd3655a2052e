"""Expressions: against Python's own arithmetic, and against the rules of the standard."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.openscenario.expressions import ExpressionError, evaluate, text_of


def value(text: str, **names: float | bool) -> float | bool:
    def lookup(name: str) -> float | bool:
        if name not in names:
            raise ExpressionError(f"no {name}")
        return names[name]

    return evaluate(text, lookup)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("-2 - -3", 1.0),
        ("10 / 4", 2.5),
        ("7 % 4", 3.0),
        ("-7 % 4", -3.0),
        ("pow(2, 10)", 1024.0),
        ("sqrt(2)", math.sqrt(2.0)),
        ("round(2.5) + floor(2.5) + ceil(2.1)", 8.0),
        ("round(-2.5)", -2.0),
        ("min(3, max(1, 2))", 2.0),
        ("sign(-3) + sign(0) + abs(-2)", 1.0),
        ("cos(0) + sin(0) + tan(0)", 1.0),
        ("asin(1) - acos(0) + atan(0)", 0.0),
        ("$speed / 3.6", 10.0),
        ("not false and true or false", True),
        ("$flag or false", True),
        ("2e3 + .5", 2000.5),
        ("pi / pi", 1.0),
        ("1 < 2 and 2 >= 2 and 1 != 2", True),
    ],
)
def test_values(text: str, expected: float | bool) -> None:
    assert value(text, speed=36.0, flag=True) == pytest.approx(expected)


@pytest.mark.parametrize(
    "text",
    ["", "1 +", "1 2", "(1", "1)", "foo", "foo(1)", "pow(1)", "sqrt(-1)", "1/0", "1 % 0", "pow(10, 400)", "true + 1",
     "not 1", "$missing", "1 ; 2", "__import__('os')", "(" * 500 + "1" + ")" * 500, "log(0)", "a.b", "'text'"],
)  # fmt: skip
def test_what_has_no_value_says_so(text: str) -> None:
    with pytest.raises(ExpressionError):
        value(text)


NUMBERS = st.integers(-50, 50).map(lambda n: f"({n})" if n < 0 else str(n)) | st.floats(0.1, 9.0).map(
    lambda x: f"{x:.3f}"
)
FORMULAS = st.recursive(
    NUMBERS,
    lambda inner: (
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda t: f"{t[0]} {t[1]} {t[2]}")
        | inner.map(lambda t: f"({t})")
        | inner.map(lambda t: f"-({t})")
    ),
    max_leaves=12,
)


@given(FORMULAS)
def test_agrees_with_python(text: str) -> None:
    assert value(text) == pytest.approx(float(eval(text)), rel=1e-12, abs=1e-9)


@given(st.floats(-1e6, 1e6))
def test_text_of_a_number_reads_back(number: float) -> None:
    assert float(text_of(number)) == number


def test_text_of_spells_like_xml() -> None:
    assert [text_of(True), text_of(3.0), text_of(2.5)] == ["true", "3", "2.5"]
