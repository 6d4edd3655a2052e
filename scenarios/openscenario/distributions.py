"""Parameter value distributions: from one file to the concrete scenarios it stands for.

Deterministic distributions multiply: every value set with every value of every set and range. Stochastic ones draw
``numberOfTestRuns`` samples; each parameter has its own random stream, so adding one does not change the others.
"""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from foundation.seeds import generator
from scenarios.openscenario.errors import ConstraintError
from scenarios.openscenario.expressions import text_of
from scenarios.openscenario.nodes import Node, parse_file
from scenarios.openscenario.parameters import NUMERIC, Parameter, Scope, read_declarations, type_problem
from scenarios.openscenario.user_distributions import draw_of, values_of

REJECTED_AT_MOST = 100
"""How many samples may break constraints for each that is wanted."""
MAX_CONCRETE = 100_000
Draw = Callable[[np.random.Generator], str]


@dataclass(frozen=True, slots=True)
class Concrete:
    """One concrete scenario: the file, and the parameter values to load it with."""

    name: str
    scenario_path: Path
    parameters: Mapping[str, str]
    seed: int


def expand(path: str | Path, samples: int | None = None, seed: int = 0) -> list[Concrete]:
    """Return the concrete scenarios of a file.

    A scenario file stands for itself. A deterministic distribution is enumerated; with ``samples`` smaller than that,
    so many of its points are drawn without repetition, in order. A stochastic one is sampled ``samples`` times
    (default: as
    often as the file says).

    Args:
        path: a scenario or a parameter value distribution.
        samples: how many concrete scenarios are wanted at most (exactly, when stochastic).
        seed: of the caller's run. 0 with a ``randomSeed`` in the file uses the file's alone.

    Raises:
        OpenScenarioError: the distribution is wrong, or asks for parameters the scenario does not declare.
    """
    path = Path(path)
    root, node, scenario, declared = open_distribution(path)
    if node is None:
        return [Concrete(path.stem, path, {}, seed)]
    deterministic, stochastic = node.maybe("Deterministic"), node.maybe("Stochastic")
    if (deterministic is None) == (stochastic is None):
        raise node.error("exactly one of Deterministic and Stochastic is needed")
    if deterministic is not None:
        points = _deterministic(deterministic, declared)
        root.sweep()
        allowed = _constraints(scenario)
        total, points = len(points), [point for point in points if allowed(point)]
        if not points:
            raise deterministic.error(f"none of {total} parameter sets satisfies the constraints of {scenario.name}")
        if samples is not None and samples < len(points):
            chosen = generator(seed, "expand", path.stem).choice(len(points), size=samples, replace=False)
            points = [points[i] for i in sorted(chosen)]
    else:
        assert stochastic is not None
        points = _stochastic(stochastic, declared, samples, seed, path, _constraints(scenario))
        root.sweep()
    width = max(3, len(str(len(points) - 1)))
    return [Concrete(f"{path.stem}-{i:0{width}d}", scenario, point, seed) for i, point in enumerate(points)]


def parameter_sets(path: Path) -> list[dict[str, str]]:
    """Return the parameter sets of a deterministic distribution.

    When the scenario it names is not there, names and types of the parameters are not checked.

    Raises:
        OpenScenarioError: the distribution is wrong, or not deterministic.
    """
    root = Node(parse_file(path), path, Scope())
    node = root.maybe("ParameterValueDistribution")
    if node is None:
        raise root.error("this is no parameter value distribution")
    root.one("FileHeader").skip()
    file = Path(node.one("ScenarioFile").text("filepath"))
    scenario = file if file.is_absolute() else path.parent / file
    deterministic = node.maybe("Deterministic")
    if deterministic is None:
        raise node.error("a stochastic distribution has no end of parameter sets", remedy="draw samples of it")
    points = _deterministic(deterministic, _declared(scenario) if scenario.is_file() else None)
    root.sweep()
    return points


def open_distribution(path: Path) -> tuple[Node, Node | None, Path, dict[str, Parameter]]:
    """Return (root, distribution, scenario file, its declared parameters); the distribution is None for a scenario.

    Raises:
        OpenScenarioError: the file or its scenario cannot be read.
    """
    root = Node(parse_file(path), path, Scope())
    if root.tag != "OpenSCENARIO":
        raise root.error("this is no OpenSCENARIO file", remedy="the root element must be OpenSCENARIO")
    node = root.maybe("ParameterValueDistribution")
    if node is None:
        return root, None, path, {}
    root.one("FileHeader").skip()
    file = Path(node.one("ScenarioFile").text("filepath"))
    scenario = file if file.is_absolute() else path.parent / file
    if not scenario.is_file():
        raise node.one("ScenarioFile").error(f"scenario {file} does not exist", remedy=f"looked for {scenario}")
    return root, node, scenario, _declared(scenario)


def _declared(scenario: Path) -> dict[str, Parameter]:
    root = Node(parse_file(scenario), scenario, Scope())
    return read_declarations(root, None, {}).parameters


def _check(node: Node, declared: Mapping[str, Parameter] | None, name: str, text: str) -> str:
    if declared is None:
        return text
    if name not in declared:
        raise node.error(
            f"the scenario declares no parameter {name!r}", remedy="it declares " + ", ".join(sorted(declared))
        )
    if problem := type_problem(declared[name].type, text):
        raise node.error(f"parameter {name}: value {text!r} {problem}")
    return text


def _deterministic(node: Node, declared: Mapping[str, Parameter] | None) -> list[dict[str, str]]:
    axes: list[list[dict[str, str]]] = []
    taken: dict[str, Node] = {}
    for child in node.children():
        if child.tag == "DeterministicMultiParameterDistribution":
            axis = _value_sets(child, declared)
        elif child.tag == "DeterministicSingleParameterDistribution":
            axis = _single(child, declared)
        else:
            raise child.error("unknown kind of deterministic distribution")
        for name in {name for point in axis for name in point}:
            if name in taken:
                raise child.error(f"parameter {name!r} is distributed twice, first in line {taken[name].line}")
            taken[name] = child
        axes.append(axis)
        if math.prod(len(a) for a in axes) > MAX_CONCRETE:
            raise child.error(f"more than {MAX_CONCRETE} concrete scenarios")
    if not axes:
        raise node.error("there is no distribution in it")
    return [{k: v for part in combination for k, v in part.items()} for combination in itertools.product(*axes)]


def _value_sets(node: Node, declared: Mapping[str, Parameter] | None) -> list[dict[str, str]]:
    axis: list[dict[str, str]] = []
    child = node.only()
    if child.tag != "ValueSetDistribution":
        raise child.error("unknown kind of distribution")
    for group in child.many("ParameterValueSet"):
        point: dict[str, str] = {}
        for assignment in group.many("ParameterAssignment"):
            name = str(assignment.raw("parameterRef")).lstrip("$")
            if name in point:
                raise assignment.error(f"parameter {name!r} is assigned twice")
            point[name] = _check(assignment, declared, name, assignment.text("value"))
        # Sets may assign different parameters (files in use do): what one leaves out keeps its declared value.
        if not point:
            raise group.error("this set assigns nothing", remedy="it must assign at least one parameter")
        axis.append(point)
    if not axis:
        raise child.error("there is no value set in it")
    return axis


def _single(node: Node, declared: Mapping[str, Parameter] | None) -> list[dict[str, str]]:
    name = node.text("parameterName")
    child = node.only()
    if child.tag == "DistributionSet":
        values = [_check(e, declared, name, e.text("value")) for e in child.many("Element")]
    elif child.tag == "DistributionRange":
        values = [_check(child, declared, name, text) for text in _range(child, declared, name)]
    elif child.tag == "UserDefinedDistribution":
        values = [_check(child, declared, name, value) for value in values_of(child)]
    else:
        raise child.error("this distribution is not supported", remedy="use one of " + ", ".join(DETERMINISTIC[1:]))
    if not values:
        raise child.error("there is no value in it")
    return [{name: value} for value in values]


def _limits(node: Node) -> tuple[float, float]:
    low, high = node.number("lowerLimit"), node.number("upperLimit")
    if not (math.isfinite(low) and math.isfinite(high)):
        raise node.error("limits must be finite")
    if high < low:
        raise node.error(f"the upper limit {high:g} is below the lower limit {low:g}")
    return low, high


def _range(node: Node, declared: Mapping[str, Parameter] | None, name: str) -> list[str]:
    """Return lower, lower + step, ... up to and including upper when the steps meet it (within 1e-6 of a step)."""
    low, high = _limits(node.one("Range"))
    step = node.number("stepWidth")
    if step <= 0.0:
        raise node.error("stepWidth must be above 0")
    if (high - low) / step > MAX_CONCRETE:
        raise node.error(f"more than {MAX_CONCRETE} values")
    count = math.floor((high - low) / step + 1e-6) + 1
    if declared and name in declared and declared[name].type not in NUMERIC:
        raise node.error(f"parameter {name} is a {declared[name].type}, a range has no meaning for it")
    # Rounded to nine digits of the step, so that 1.1 + 2 * 0.2 reads 1.5.
    digits = max(0, 9 - math.floor(math.log10(step)))
    return [text_of(round(low + i * step, digits)) for i in range(count)]


def _stochastic(
    node: Node,
    declared: Mapping[str, Parameter],
    samples: int | None,
    seed: int,
    path: Path,
    allowed: Callable[[Mapping[str, str]], bool],
) -> list[dict[str, str]]:
    runs = node.integer("numberOfTestRuns", minimum=1)
    own_seed: int | str = text_of(node.number("randomSeed", 0.0))  # a double in the standard
    with contextlib.suppress(ValueError):
        own_seed = int(own_seed)
    draws: dict[str, tuple[Node, Draw]] = {}
    for child in node.many("StochasticDistribution"):
        name = child.text("parameterName")
        if name in draws:
            raise child.error(f"parameter {name!r} is distributed twice")
        if name not in declared:
            raise child.error(f"the scenario declares no parameter {name!r}")
        draws[name] = (child, _draw(child, declared[name]))
    if not draws:
        raise node.error("there is no distribution in it")
    count = runs if samples is None else samples
    if count > MAX_CONCRETE:
        raise node.error(f"more than {MAX_CONCRETE} samples")
    streams = {name: generator(seed, "expand", path.stem, own_seed, name) for name in draws}
    points: list[dict[str, str]] = []
    tries = 0
    while len(points) < count:
        if tries >= REJECTED_AT_MOST * max(count, 10):
            raise node.error(
                f"only {len(points)} of {tries} samples satisfy the constraints of the scenario's parameters",
                remedy="distribute over what the constraint groups allow",
            )
        tries += 1
        point = {name: _check(child, declared, name, draw(streams[name])) for name, (child, draw) in draws.items()}
        if allowed(point):
            points.append(point)
    return points


def _constraints(scenario: Path) -> Callable[[Mapping[str, str]], bool]:
    """Return a test whether parameter values satisfy the constraint groups of a scenario's declarations."""
    root = Node(parse_file(scenario), scenario, Scope())

    def allowed(point: Mapping[str, str]) -> bool:
        try:
            read_declarations(root, None, point)
        except ConstraintError:
            return False
        return True

    return allowed


def _draw(node: Node, parameter: Parameter) -> Draw:
    """Return a function that draws one value of the parameter as text."""
    child = node.only()
    if child.tag == "ProbabilityDistributionSet":
        return _weighted_texts(child)
    if child.tag == "UserDefinedDistribution":
        return draw_of(child)
    if child.tag not in STOCHASTIC:
        raise child.error("this distribution is not supported", remedy="use one of " + ", ".join(STOCHASTIC))
    if parameter.type not in NUMERIC:
        raise child.error(
            f"parameter {parameter.name} is a {parameter.type}; only numbers can be distributed like this"
        )
    draw = _NUMERIC[child.tag](child)
    whole = parameter.type != "double"

    def text(rng: np.random.Generator) -> str:
        try:
            value = float(draw(rng))
        except (ValueError, OverflowError):  # numpy's word for limits or means beyond its reach
            value = math.inf
        if not math.isfinite(value):
            raise child.error("it has values beyond what a number can hold", remedy="use smaller figures or a Range")
        return text_of(float(round(value)) if whole else value)

    return text


def _weight(node: Node) -> float:
    weight = node.number("weight", minimum=0.0)
    if weight > 1e300:  # so that a sum of them is a number
        raise node.error("a weight must be finite, at most 1e300")
    return weight


def _weighted_texts(node: Node) -> Draw:
    elements = [(e.text("value"), _weight(e)) for e in node.many("Element")]
    total = sum(weight for _, weight in elements)
    if total <= 0.0:
        raise node.error("weights must add up to more than 0")
    shares = [weight / total for _, weight in elements]
    return lambda rng: elements[int(rng.choice(len(elements), p=shares))][0]


def _uniform(node: Node) -> Callable[[np.random.Generator], float]:
    low, high = _limits(node.one("Range"))
    return lambda rng: float(rng.uniform(low, high))


def _within(node: Node, draw: Callable[[np.random.Generator], float]) -> Callable[[np.random.Generator], float]:
    """Return ``draw`` restricted to the optional Range: values outside are drawn again."""
    limits = node.maybe("Range")
    if limits is None:
        return draw
    low, high = _limits(limits)

    def bounded(rng: np.random.Generator) -> float:
        for _ in range(10_000):
            value = draw(rng)
            if low <= value <= high:
                return value
        raise limits.error("hardly any value of the distribution lies in this range")

    return bounded


def _normal(node: Node) -> Callable[[np.random.Generator], float]:
    mean, variance = node.number("expectedValue"), node.number("variance", minimum=0.0)
    return _within(node, lambda rng: float(rng.normal(mean, math.sqrt(variance))))


def _log_normal(node: Node) -> Callable[[np.random.Generator], float]:
    """Expected value and variance are those of the underlying normal distribution (ASAM: ln X ~ N)."""
    mean, variance = node.number("expectedValue"), node.number("variance", minimum=0.0)
    return _within(node, lambda rng: float(rng.lognormal(mean, math.sqrt(variance))))


def _poisson(node: Node) -> Callable[[np.random.Generator], float]:
    mean = node.number("expectedValue", minimum=0.0)
    return _within(node, lambda rng: float(rng.poisson(mean)))


def _histogram(node: Node) -> Callable[[np.random.Generator], float]:
    bins = [(*_limits(b.one("Range")), _weight(b)) for b in node.many("Bin")]
    if not bins:
        raise node.error("there is no bin in it")
    total = sum(weight for _, _, weight in bins)
    if total <= 0.0:
        raise node.error("weights must add up to more than 0")
    shares = [weight / total for _, _, weight in bins]

    def draw(rng: np.random.Generator) -> float:
        low, high, _ = bins[int(rng.choice(len(bins), p=shares))]
        return float(rng.uniform(low, high))

    return draw


_NUMERIC: dict[str, Callable[[Node], Callable[[np.random.Generator], float]]] = {
    "UniformDistribution": _uniform,
    "NormalDistribution": _normal,
    "LogNormalDistribution": _log_normal,
    "PoissonDistribution": _poisson,
    "Histogram": _histogram,
}
DETERMINISTIC = ("ValueSetDistribution", "DistributionSet", "DistributionRange", "UserDefinedDistribution")
STOCHASTIC = ("ProbabilityDistributionSet", *_NUMERIC, "UserDefinedDistribution")
