"""Spaces from OpenSCENARIO parameter value distributions.

A stochastic distribution becomes a numeric parameter or an enum with the same nominal density, including what
:func:`scenarios.openscenario.distributions.expand` does with whole numbers: it draws and then rounds. In a
deterministic one, a set of values becomes an enum with equal weights and a range of a ``double`` the real interval it
spans (its steps are an enumeration, not a limit); value sets of several parameters become one enum whose choices are
the sets, written as JSON.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from scenarios.openscenario.distributions import MAX_CONCRETE, open_distribution
from scenarios.openscenario.expressions import text_of
from scenarios.openscenario.nodes import Node
from scenarios.openscenario.parameters import NUMERIC, type_problem
from scenarios.openscenario.parameters import Parameter as Declared
from scenarios.sampling.distributions import (
    Discrete,
    Distribution,
    Histogram,
    LogNormal,
    Normal,
    Poisson,
    Uniform,
    weights_problem,
)
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import MAX_CELLS, Enum, Integer, Parameter, Real, Value
from scenarios.sampling.space import Space

_SET_MARK = "+"
Law = tuple[Distribution, float, float]
"""A distribution and its limits."""


def scenario_space(path: str | Path) -> Space:
    """Return the space of an OpenSCENARIO parameter value distribution.

    Raises:
        OpenScenarioError: the file is wrong, asks for parameters the scenario does not declare, or leaves a parameter
            without limits; with file, line and element.
    """
    path = Path(path)
    root, node, _, declared = open_distribution(path)
    if node is None:
        raise root.error(
            "this scenario has no distribution, so it spans no space",
            remedy="give its ParameterValueDistribution file, in the catalogue NAME_distribution.xosc",
        )
    deterministic, stochastic = node.maybe("Deterministic"), node.maybe("Stochastic")
    if (deterministic is None) == (stochastic is None):
        raise node.error("exactly one of Deterministic and Stochastic is needed")
    found: list[tuple[Node, Parameter | tuple[str, Value]]] = []
    if stochastic is not None:
        # Both belong to drawing concrete scenarios, not to the space; read, so that they are checked.
        stochastic.integer("numberOfTestRuns", minimum=1)
        stochastic.number("randomSeed", 0.0)
        found = [(child, _stochastic(child, declared)) for child in stochastic.many("StochasticDistribution")]
    else:
        assert deterministic is not None
        found = [(child, _deterministic(child, declared)) for child in deterministic.children()]
    root.sweep()
    if not found:
        raise node.error("there is no distribution in it")
    return _assemble(path, found)


def _assemble(path: Path, found: list[tuple[Node, Parameter | tuple[str, Value]]]) -> Space:
    parameters: list[Parameter] = []
    constants: dict[str, Value] = {}
    taken: set[str] = set()
    for child, item in found:
        for name in (item.name if isinstance(item, Parameter) else item[0]).split(_SET_MARK):
            if name in taken:
                raise child.error(f"parameter {name!r} is distributed twice")
            taken.add(name)
        if isinstance(item, Parameter):
            parameters.append(item)
        else:
            constants[item[0]] = item[1]
    return Space(path.stem, tuple(parameters), constants)


def scenario_parameters(values: Mapping[str, Value]) -> dict[str, str]:
    """Return values of a :func:`scenario_space` as parameter texts, ready for ``scenarios.openscenario.load``."""
    texts: dict[str, str] = {}
    for name, value in values.items():
        if _SET_MARK in name and isinstance(value, str):
            texts.update(json.loads(value))
        elif isinstance(value, bool):
            texts[name] = "true" if value else "false"
        else:
            texts[name] = value if isinstance(value, str) else text_of(float(value))
    return texts


def _declaration(node: Node, declared: Mapping[str, Declared], name: str) -> Declared:
    if name not in declared:
        raise node.error(
            f"the scenario declares no parameter {name!r}", remedy="it declares " + ", ".join(sorted(declared))
        )
    return declared[name]


def _checked_text(node: Node, parameter: Declared, attribute: str = "value") -> str:
    text = node.text(attribute)
    if problem := type_problem(parameter.type, text):
        raise node.error(f"parameter {parameter.name}: value {text!r} {problem}")
    return text


def _built(node: Node, make: Callable[[], Parameter]) -> Parameter:
    """Return what ``make`` makes; what it refuses is placed at the element."""
    try:
        return make()
    except SpaceError as error:
        raise node.error(error.message, remedy=error.remedy) from None


def _source(node: Node) -> str:
    return f"{node.file.name}:{node.line}"


def _choices(node: Node, name: str, weighted: list[tuple[str, float]]) -> Parameter:
    """Return an enum; a value given twice has the weights of both."""
    merged: dict[str, float] = {}
    for text, weight in weighted:
        merged[text] = merged.get(text, 0.0) + weight
    if problem := weights_problem(tuple(merged.values())):
        raise node.error(f"parameter {name}: weights {problem[1]}", remedy=problem[2])
    return _built(node, lambda: Enum(name, tuple(merged), tuple(merged.values()), provenance=_source(node)))


# ---- stochastic


def _stochastic(node: Node, declared: Mapping[str, Declared]) -> Parameter | tuple[str, Value]:
    parameter = _declaration(node, declared, node.text("parameterName"))
    child = node.only()
    if child.tag == "ProbabilityDistributionSet":
        elements = [(_checked_text(e, parameter), e.number("weight", minimum=0.0)) for e in child.many("Element")]
        if not elements:
            raise child.error("there is no value in it")
        return _choices(child, parameter.name, elements)
    if child.tag not in _LAWS:
        known = ", ".join(["ProbabilityDistributionSet", *_LAWS])
        raise child.error("this distribution is not supported", remedy=f"use one of {known}")
    if parameter.type not in NUMERIC:
        raise child.error(
            f"parameter {parameter.name} is a {parameter.type}; only numbers can be distributed like this"
        )
    law = _LAWS[child.tag](child, parameter.name)
    return _numeric(child, parameter, law)


def _numeric(node: Node, parameter: Declared, law: Law) -> Parameter | tuple[str, Value]:
    distribution, low, high = law
    name, whole = parameter.name, parameter.type != "double"
    if isinstance(distribution, Poisson):
        first, last = max(math.ceil(low), 0), math.floor(high)
        if first > last:
            raise node.error(f"parameter {name}: there is no whole number within {low:g} to {high:g}")
        if first == last:
            return name, first
        return _built(node, lambda: Integer(name, first, last, distribution, provenance=_source(node)))
    if low == high:
        return name, round(low) if whole else low
    if not whole:
        return _built(node, lambda: Real(name, low, high, distribution, provenance=_source(node)))
    real = _built(node, lambda: Real(name, low, high, distribution))
    assert isinstance(real, Real)
    return _rounded(node, real)


def _rounded(node: Node, real: Real) -> Parameter | tuple[str, Value]:
    """Return the whole numbers that drawing from ``real`` and rounding gives, with their exact probabilities."""
    first, last = math.ceil(real.low - 0.5), math.floor(real.high + 0.5)
    if last - first >= MAX_CELLS:
        raise node.error(f"parameter {real.name} has more than {MAX_CELLS} whole values", remedy="declare it double")
    edges = np.clip(np.arange(first, last + 2) - 0.5, real.low, real.high)
    masses = np.diff(real.distribution.cumulative(edges, real.low, real.high))
    kept = np.flatnonzero(masses > 0.0)
    first, last, masses = first + int(kept[0]), first + int(kept[-1]), masses[kept[0] : kept[-1] + 1]
    if first == last:
        return real.name, first
    weights = Discrete(tuple(masses.tolist()))
    return _built(node, lambda: Integer(real.name, first, last, weights, provenance=_source(node)))


def _limits(node: Node | None, owner: Node, name: str) -> tuple[float, float]:
    """Return the limits of a Range element; a missing or infinite one is refused."""
    if node is None:
        raise owner.error(
            f"parameter {name} has no limits", remedy="add <Range lowerLimit=... upperLimit=.../> to the distribution"
        )
    low, high = node.number("lowerLimit"), node.number("upperLimit")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise node.error(f"parameter {name} has no finite limits", remedy="give finite lowerLimit and upperLimit")
    if high < low:
        raise node.error(f"the upper limit {high:g} is below the lower limit {low:g}")
    return low, high


def _uniform(node: Node, name: str) -> Law:
    return (Uniform(), *_limits(node.one("Range"), node, name))


def _normal(node: Node, name: str) -> Law:
    return _gaussian(Normal, node, name)


def _log_normal(node: Node, name: str) -> Law:
    return _gaussian(LogNormal, node, name)


def _gaussian(kind: type[Normal] | type[LogNormal], node: Node, name: str) -> Law:
    mean, variance = node.number("expectedValue"), node.number("variance", minimum=0.0)
    low, high = _limits(node.maybe("Range"), node, name)
    if variance == 0.0:
        value = mean if kind is Normal else math.exp(mean)
        if not low <= value <= high:
            raise node.error("hardly any value of the distribution lies in this range")
        return Uniform(), value, value
    return kind(mean, math.sqrt(variance)), low, high


def _poisson(node: Node, name: str) -> Law:
    return (Poisson(node.number("expectedValue", minimum=0.0)), *_limits(node.maybe("Range"), node, name))


def _histogram(node: Node, name: str) -> Law:
    """Return the bins as one histogram; where bins overlap their densities add, as drawing from them does."""
    bins = [(*_limits(b.one("Range"), b, name), b.number("weight", minimum=0.0)) for b in node.many("Bin")]
    if not bins:
        raise node.error("there is no bin in it")
    for (low, high, _), element in zip(bins, node.many("Bin")):
        if low == high:
            raise element.error("the bin is empty: its limits are equal", remedy="widen or drop it")
    if problem := weights_problem(tuple(w for *_, w in bins)):
        raise node.error(f"parameter {name}: weights {problem[1]}", remedy=problem[2])
    edges = sorted({edge for low, high, _ in bins for edge in (low, high)})
    weights = [
        math.fsum(w * (b - a) / (high - low) for low, high, w in bins if low <= a and b <= high)
        for a, b in itertools.pairwise(edges)
    ]
    return Histogram(tuple(edges), tuple(weights)), edges[0], edges[-1]


_LAWS: dict[str, Callable[[Node, str], Law]] = {
    "UniformDistribution": _uniform,
    "NormalDistribution": _normal,
    "LogNormalDistribution": _log_normal,
    "PoissonDistribution": _poisson,
    "Histogram": _histogram,
}


# ---- deterministic


def _deterministic(node: Node, declared: Mapping[str, Declared]) -> Parameter | tuple[str, Value]:
    if node.tag == "DeterministicMultiParameterDistribution":
        return _value_sets(node, declared)
    if node.tag != "DeterministicSingleParameterDistribution":
        raise node.error("unknown kind of deterministic distribution")
    parameter = _declaration(node, declared, node.text("parameterName"))
    child = node.only()
    if child.tag == "DistributionSet":
        texts = [_checked_text(e, parameter) for e in child.many("Element")]
        if not texts:
            raise child.error("there is no value in it")
        return _choices(child, parameter.name, [(text, 1.0) for text in texts])
    if child.tag == "DistributionRange":
        return _range(child, parameter)
    raise child.error("this distribution is not supported", remedy="use DistributionSet or DistributionRange")


def _range(node: Node, parameter: Declared) -> Parameter | tuple[str, Value]:
    if parameter.type not in NUMERIC:
        raise node.error(f"parameter {parameter.name} is a {parameter.type}, a range has no meaning for it")
    low, high = _limits(node.one("Range"), node, parameter.name)
    step = node.number("stepWidth")
    if not step > 0.0:
        raise node.error("stepWidth must be above 0")
    if low == high:
        return parameter.name, low if parameter.type == "double" else round(low)
    if parameter.type == "double":
        return _built(node, lambda: Real(parameter.name, low, high, provenance=_source(node)))
    count = math.floor((high - low) / step + 1e-6) + 1
    if count > MAX_CONCRETE:
        raise node.error(f"more than {MAX_CONCRETE} values")
    numbers = [low + i * step for i in range(count)]
    for number in numbers:
        if abs(number - round(number)) > 1e-6:
            raise node.error(f"parameter {parameter.name} is a {parameter.type}, {number:g} is not a whole number")
    if step == 1.0 and count > 1:
        return _built(node, lambda: Integer(parameter.name, low, high, provenance=_source(node)))
    return _choices(node, parameter.name, [(str(round(number)), 1.0) for number in numbers])


def _value_sets(node: Node, declared: Mapping[str, Declared]) -> Parameter:
    child = node.only()
    if child.tag != "ValueSetDistribution":
        raise child.error("unknown kind of distribution")
    sets: list[dict[str, str]] = []
    for group in child.many("ParameterValueSet"):
        point: dict[str, str] = {}
        for assignment in group.many("ParameterAssignment"):
            name = str(assignment.raw("parameterRef")).lstrip("$")
            if name in point:
                raise assignment.error(f"parameter {name!r} is assigned twice")
            point[name] = _checked_text(assignment, _declaration(assignment, declared, name))
        if not point or (sets and sorted(point) != sorted(sets[0])):
            raise group.error("every value set must assign the same parameters")
        sets.append(dict(sorted(point.items())))
    if not sets:
        raise child.error("there is no value set in it")
    if len(sets[0]) == 1:
        (name,) = sets[0]
        return _choices(child, name, [(point[name], 1.0) for point in sets])
    return _choices(child, _SET_MARK.join(sets[0]), [(json.dumps(point), 1.0) for point in sets])
