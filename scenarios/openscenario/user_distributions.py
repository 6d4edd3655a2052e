"""User-defined distributions: kinds of values that the standard leaves to whoever runs the file.

``UserDefinedDistribution`` has a type and a text. What the text means is registered here by the type's name, by
projects in their own code or by this module::

    @deterministic("primes")
    def primes(content: str) -> list[str]: ...

    @stochastic("pareto")
    def pareto(content: str) -> Callable[[np.random.Generator], str]: ...

Registered from the start are ``list`` (deterministic: values separated by commas) and ``triangular`` (stochastic:
``low, mode, high``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scenarios.openscenario.expressions import text_of
from scenarios.openscenario.nodes import Node

Draw = Callable[[np.random.Generator], str]
Values = Callable[[str], Sequence[str]]
Draws = Callable[[str], Draw]
DETERMINISTIC_KINDS: dict[str, Values] = {}
STOCHASTIC_KINDS: dict[str, Draws] = {}


def deterministic(kind: str) -> Callable[[Values], Values]:
    """Register what gives the values of a type of deterministic distribution; ValueError for a type that is taken."""

    def add(values: Values) -> Values:
        if kind in DETERMINISTIC_KINDS:
            raise ValueError(f"distribution {kind} is registered twice")
        DETERMINISTIC_KINDS[kind] = values
        return values

    return add


def stochastic(kind: str) -> Callable[[Draws], Draws]:
    """Register what draws from a type of stochastic distribution; ValueError for a type that is taken."""

    def add(draws: Draws) -> Draws:
        if kind in STOCHASTIC_KINDS:
            raise ValueError(f"distribution {kind} is registered twice")
        STOCHASTIC_KINDS[kind] = draws
        return draws

    return add


def values_of(node: Node) -> list[str]:
    """Return the values of a deterministic ``UserDefinedDistribution``.

    Raises:
        OpenScenarioError: nobody registered its type, or its text cannot be understood.
    """
    kind = _kind(node, DETERMINISTIC_KINDS)
    try:
        return [str(value) for value in DETERMINISTIC_KINDS[kind](node.content())]
    except ValueError as error:
        raise node.error(f"distribution {kind}: {error}") from error


def draw_of(node: Node) -> Draw:
    """Return what draws values of a stochastic ``UserDefinedDistribution``; errors as :func:`values_of`."""
    kind = _kind(node, STOCHASTIC_KINDS)
    try:
        return STOCHASTIC_KINDS[kind](node.content())
    except ValueError as error:
        raise node.error(f"distribution {kind}: {error}") from error


def _kind(node: Node, known: dict[str, Values] | dict[str, Draws]) -> str:
    kind = node.text("type")
    if kind not in known:
        raise node.error(
            f"nobody registered a distribution of type {kind!r}", remedy="registered are " + ", ".join(sorted(known))
        )
    return kind


@deterministic("list")
def values_in_a_list(content: str) -> list[str]:
    """Return the values of a text ``a, b, c``; ValueError when one is empty."""
    values = [value.strip() for value in content.split(",")]
    if not all(values):
        raise ValueError("a value is empty")
    return values


@stochastic("triangular")
def triangular(content: str) -> Draw:
    """Return what draws from a triangular density given as ``low, mode, high``; ValueError for other texts."""
    numbers = [float(value) for value in content.split(",")]
    if len(numbers) != 3 or not numbers[0] <= numbers[1] <= numbers[2] or numbers[0] == numbers[2]:
        raise ValueError(f"low <= mode <= high are needed, not {content!r}")
    low, mode, high = numbers
    return lambda rng: text_of(float(rng.triangular(low, mode, high)))
