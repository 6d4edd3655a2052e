"""Kinds of parameters: named, typed, limited, each with a nominal distribution and a place in the unit cube.

Every parameter owns one axis of the cube. Numbers lie on it by their remap (evenly between the limits when they have
none); integers and choices own a cell of it each. :meth:`Parameter.density` is the nominal density p0 on that axis:
the distribution's density per value, divided by how densely the remap packs values there.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, cast

import numpy as np
import numpy.typing as npt

from scenarios.sampling.distributions import LEAST_MASS, Distribution, Uniform, distribution_from, weights_problem
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.remap import Remap

Floats = npt.NDArray[np.float64]
Value = bool | int | float | str
Condition = tuple[str, tuple[Value, ...]]
"""(parent's name, its choices under which the parameter exists)."""

MAX_CELLS = 1_000_000
_UNIFORM = Uniform()
_SLACK = 1e-9
"""Values may lie outside the limits by this share of the range, from rounding in files; they are clipped."""


@dataclass(frozen=True)
class Parameter:
    """What every kind can do. Arrays are (N,), along one axis of the unit cube.

    Attributes:
        name: unique in its space.
        unit: of the value, for people ("m", "km/h", "deg").
        provenance: where limits and distribution come from.
        condition: (parent, choices): the parameter exists only when the parent has one of them.
        scale: total influence T_p on the picture, the length of this axis relative to others; None: unknown.
    """

    name: str
    unit: str = field(default="", kw_only=True)
    provenance: str = field(default="", kw_only=True)
    condition: Condition | None = field(default=None, kw_only=True)
    scale: float | None = field(default=None, kw_only=True)
    kind: ClassVar[str]

    def decode(self, units: npt.ArrayLike) -> list[Value]:
        """Return the values at positions in [0, 1]."""
        raise NotImplementedError

    def encode(self, values: Sequence[Value]) -> Floats:
        """Return the positions of values; of an integer or a choice, the middle of its cell.

        Raises:
            SpaceError: a value is of the wrong type, not a number, or outside the limits.
        """
        raise NotImplementedError

    def checked(self, value: Value) -> Value:
        """Return a value in the parameter's own type; SpaceError when it is none of its values."""
        self.encode([value])
        return value

    def density(self, units: npt.ArrayLike) -> Floats:
        """Return the nominal density p0 at positions in [0, 1]; it integrates to 1 over them."""
        raise NotImplementedError

    def quantile(self, shares: npt.ArrayLike) -> Floats:
        """Return positions whose distribution is p0 when ``shares`` are uniform in [0, 1]."""
        raise NotImplementedError

    def with_remap(self, remap: Remap | None) -> Parameter:
        """Return the parameter with another remap, its scale taken from it."""
        raise SpaceError(f"{self.name}: {_article(self.kind)} parameter takes no remap", parameter=self.name)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :func:`parameter_from` reads."""
        data: dict[str, Any] = {"type": self.kind}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if isinstance(value, Distribution | Remap):
                value = value.to_dict()
            elif f.name == "condition" and value is not None:
                value = [value[0], list(value[1])]
            elif isinstance(value, tuple):
                value = list(value)
            data[f.name] = value
        return data

    def _checked(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise SpaceError("a parameter has no name", key="name")
        if self.scale is not None and not (math.isfinite(self.scale) and self.scale >= 0.0):
            raise self._error("scale", f"is {self.scale}", "it must be finite and at least 0")
        if self.condition is not None:
            parent, choices = self.condition
            object.__setattr__(self, "condition", (parent, tuple(choices)))
            if not tuple(choices):
                raise self._error("condition", f"names no choice of {parent!r}", "give at least one")

    def _error(self, key: str, problem: str, remedy: str | None = None) -> SpaceError:
        return SpaceError(f"{self.name}: {key} {problem}", remedy=remedy, parameter=self.name, key=key)

    def _value_error(self, value: object, problem: str, remedy: str) -> SpaceError:
        return SpaceError(f"{self.name}: value {value!r} {problem}", remedy=remedy, parameter=self.name)


@dataclass(frozen=True)
class _Numeric(Parameter):
    """Real, periodic and integer parameters."""

    # Unlimited unless said otherwise, and unlimited is refused: forgetting a limit gets the same clear error.
    low: float = -math.inf
    high: float = math.inf
    distribution: Distribution = _UNIFORM
    remap: Remap | None = None

    @property
    def _domain(self) -> tuple[float, float]:
        """The interval that the remap's knots span."""
        return self.low, self.high

    def _check_numeric(self) -> None:
        self._checked()
        for key, word in (("low", "lower"), ("high", "upper")):
            limit = getattr(self, key)
            if not _is_number(limit) or not math.isfinite(limit):
                missing = limit is None or limit in (-math.inf, math.inf)
                said = "" if missing else f" ({key} is {limit!r})"
                raise SpaceError(
                    f"{self.name}: the parameter has no finite {word} limit{said}",
                    remedy="give low and high; a distribution with tails is truncated there",
                    parameter=self.name,
                    key=key,
                )
        if not self.low < self.high:
            word = "is not below" if self.low == self.high else "is above"
            raise self._error(
                "low", f"{self.low:g} {word} high {self.high:g}", "swap them, or fix a parameter that does not vary"
            )
        self._check_distribution()
        if self.remap is not None:
            self._check_remap(self.remap)

    def _check_distribution(self) -> None:
        chosen, label = self.distribution, type(self.distribution).__name__
        for f in dataclasses.fields(chosen):
            value = getattr(chosen, f.name)
            for number in value if isinstance(value, tuple) else (value,):
                if not _is_number(number) or not math.isfinite(number):
                    raise self._error("distribution", f"{label} has {f.name} {number!r}", "give a finite number")
        if chosen.for_integers_only and not isinstance(self, Integer):
            raise self._error("distribution", f"{label} is for integer parameters")
        if chosen.for_periodic_only and not isinstance(self, Periodic):
            raise self._error("distribution", f"{label} is for periodic parameters")
        if problem := chosen.problem(self.low, self.high):
            raise self._error("distribution", f"{label}'s {problem[0]} {problem[1]}", problem[2])
        inside = float(chosen.mass(self.low, self.high, self.low, self.high))
        if isinstance(self, Integer):
            inside = float(chosen.mass(self.low - 0.5, self.high + 0.5, self.low, self.high))
        if not inside >= LEAST_MASS:
            raise self._error(
                "distribution",
                f"{label} has only {inside:.1g} of its probability within {self.low:g} to {self.high:g}",
                "move the limits or the distribution",
            )

    def _check_remap(self, remap: Remap) -> None:
        low, high = self._domain
        slack = _SLACK * (high - low)
        if abs(remap.knots[0] - low) > slack or abs(remap.knots[-1] - high) > slack:
            raise self._error(
                "remap",
                f"spans {remap.knots[0]:g} to {remap.knots[-1]:g}, the parameter {low:g} to {high:g}",
                "measure it again for these limits",
            )
        if remap.periodic != isinstance(self, Periodic):
            raise self._error("remap", "must be periodic exactly when the parameter is")

    def with_remap(self, remap: Remap | None) -> _Numeric:
        """See :meth:`Parameter.with_remap`."""
        return replace(self, remap=remap, scale=None if remap is None else remap.total)

    def checked(self, value: Value) -> Value:
        """See :meth:`Parameter.checked`."""
        self.encode([value])
        return int(value) if isinstance(self, Integer) else float(value)

    def _forward(self, values: npt.ArrayLike) -> Floats:
        if self.remap is not None:
            return self.remap.forward(values)
        low, high = self._domain
        return np.clip((np.asarray(values, dtype=np.float64) - low) / (high - low), 0.0, 1.0)

    def _inverse(self, units: npt.ArrayLike) -> Floats:
        if self.remap is not None:
            return self.remap.inverse(units)
        low, high = self._domain
        return np.clip(low + np.asarray(units, dtype=np.float64) * (high - low), low, high)

    def _numbers(self, values: Sequence[Value]) -> Floats:
        for value in values:
            if not _is_number(value) or not math.isfinite(cast(float, value)):
                raise self._value_error(value, "is not a finite number", f"give one in {self.low:g} to {self.high:g}")
        return np.asarray(values, dtype=np.float64)

    def _in_limits(self, numbers: Floats) -> Floats:
        slack = _SLACK * (self.high - self.low)
        for wrong in numbers[(numbers < self.low - slack) | (numbers > self.high + slack)]:
            raise self._value_error(float(wrong), "is outside the limits", f"they are {self.low:g} to {self.high:g}")
        return np.clip(numbers, self.low, self.high)


@dataclass(frozen=True)
class Real(_Numeric):
    """A real number within [low, high]."""

    kind: ClassVar[str] = "real"

    def __post_init__(self) -> None:
        self._check_numeric()

    def decode(self, units: npt.ArrayLike) -> list[Value]:
        """See :meth:`Parameter.decode`."""
        return cast(list[Value], self._inverse(units).tolist())

    def encode(self, values: Sequence[Value]) -> Floats:
        """See :meth:`Parameter.encode`."""
        return self._forward(self._in_limits(self._numbers(values)))

    def density(self, units: npt.ArrayLike) -> Floats:
        """See :meth:`Parameter.density`."""
        values = self._inverse(units)
        slope = 1.0 / (self.high - self.low) if self.remap is None else self.remap.slope(values)
        return self.distribution.density(values, self.low, self.high) / slope

    def quantile(self, shares: npt.ArrayLike) -> Floats:
        """See :meth:`Parameter.quantile`."""
        return self._forward(self.distribution.quantile(shares, self.low, self.high))


@dataclass(frozen=True)
class Periodic(Real):
    """A number on a circle, an angle for instance: high is low again, and distances wrap."""

    kind: ClassVar[str] = "periodic"

    def encode(self, values: Sequence[Value]) -> Floats:
        """See :meth:`Parameter.encode`; values outside [low, high) are wrapped into it."""
        period = self.high - self.low
        wrapped = self.low + np.mod(self._numbers(values) - self.low, period)
        # mod of a tiny negative number rounds up to the period itself.
        return self._forward(np.where(wrapped >= self.high, self.low, wrapped))


@dataclass(frozen=True)
class Cells(Parameter):
    """Parameters whose values own a cell of the axis each."""

    def cell_values(self) -> Sequence[Value]:
        """Return the K values."""
        raise NotImplementedError

    def edges(self) -> Floats:
        """Return the (K + 1,) borders of the cells, from 0 to 1."""
        raise NotImplementedError

    def masses(self) -> Floats:
        """Return the (K,) nominal probabilities of the cells."""
        raise NotImplementedError

    def index(self, units: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the number of the cell at each position."""
        edges = self.edges()
        return np.clip(np.searchsorted(edges, units, side="right") - 1, 0, len(edges) - 2)

    def middles(self) -> Floats:
        """Return the (K,) middles of the cells."""
        edges = self.edges()
        return 0.5 * (edges[:-1] + edges[1:])

    def density(self, units: npt.ArrayLike) -> Floats:
        """See :meth:`Parameter.density`; constant within a cell."""
        return (self.masses() / np.diff(self.edges()))[self.index(units)]

    def quantile(self, shares: npt.ArrayLike) -> Floats:
        """See :meth:`Parameter.quantile`."""
        edges = np.cumsum(self.masses())
        # Cells of mass 0 repeat the edge before them; side="right" steps over them.
        index = np.minimum(np.searchsorted(edges, shares, side="right"), int(np.flatnonzero(self.masses())[-1]))
        return self.middles()[index]


@dataclass(frozen=True)
class Integer(_Numeric, Cells):
    """A whole number within [low, high], both included. A remap spans [low - 1/2, high + 1/2]."""

    kind: ClassVar[str] = "integer"

    def __post_init__(self) -> None:
        for key in ("low", "high"):
            limit = getattr(self, key)
            if _is_number(limit) and math.isfinite(limit):
                if limit != int(limit):
                    raise self._error(key, f"is {limit}, an integer parameter needs whole limits")
                object.__setattr__(self, key, int(limit))
        self._check_numeric()
        if self.high - self.low >= MAX_CELLS:
            raise self._error("high", f"makes {self.high - self.low + 1} integers, at most {MAX_CELLS}", "use a real")
        low, high = int(self.low), int(self.high)
        object.__setattr__(self, "_edges", self._forward(np.arange(low, high + 2) - 0.5))
        object.__setattr__(self, "_masses", self.distribution.integer_masses(low, high))

    @property
    def _domain(self) -> tuple[float, float]:
        return self.low - 0.5, self.high + 0.5

    def cell_values(self) -> Sequence[Value]:
        """See :meth:`Cells.cell_values`."""
        return range(int(self.low), int(self.high) + 1)

    def edges(self) -> Floats:
        """See :meth:`Cells.edges`."""
        return cast(Floats, self.__dict__["_edges"])

    def masses(self) -> Floats:
        """See :meth:`Cells.masses`."""
        return cast(Floats, self.__dict__["_masses"])

    def decode(self, units: npt.ArrayLike) -> list[Value]:
        """See :meth:`Parameter.decode`."""
        return cast(list[Value], (self.index(units) + int(self.low)).tolist())

    def encode(self, values: Sequence[Value]) -> Floats:
        """See :meth:`Parameter.encode`."""
        numbers = self._in_limits(self._numbers(values))
        for wrong in numbers[numbers != np.round(numbers)]:
            raise self._value_error(float(wrong), "is not a whole number", "round it")
        return self.middles()[numbers.astype(np.intp) - int(self.low)]


@dataclass(frozen=True)
class Enum(Cells):
    """One of several choices; each owns an equal cell of the axis, whatever its nominal weight.

    Args:
        choices: texts, numbers or truth values, all different.
        weights: nominal weights (exposure), None for equal ones. A choice of weight 0 is never nominal but is sampled
            by designs that cover the space.
    """

    choices: tuple[Value, ...]
    weights: tuple[float, ...] | None = None
    kind: ClassVar[str] = "enum"

    def __post_init__(self) -> None:
        self._checked()
        object.__setattr__(self, "choices", tuple(self.choices))
        if not self.choices:
            raise self._error("choices", "are empty", "give at least one")
        for i, choice in enumerate(self.choices):
            if not isinstance(choice, bool | int | float | str) or (
                isinstance(choice, float) and not math.isfinite(choice)
            ):
                raise self._error("choices", f"hold {choice!r}", "use texts, finite numbers or truth values")
            if choice in self.choices[:i]:
                raise self._error("choices", f"hold {choice!r} twice", "drop one")
        if self.weights is not None:
            if any(not _is_number(w) for w in self.weights):
                raise self._error("weights", "are not all numbers")
            object.__setattr__(self, "weights", tuple(float(w) for w in self.weights))
            if len(self.weights) != len(self.choices):
                raise self._error(
                    "weights", f"are {len(self.weights)} for {len(self.choices)} choices", "give one for each"
                )
            if problem := weights_problem(self.weights):
                raise self._error(problem[0], problem[1], problem[2])

    def cell_values(self) -> Sequence[Value]:
        """See :meth:`Cells.cell_values`."""
        return self.choices

    def edges(self) -> Floats:
        """See :meth:`Cells.edges`."""
        return np.arange(len(self.choices) + 1) / len(self.choices)

    def masses(self) -> Floats:
        """See :meth:`Cells.masses`."""
        weights = np.ones(len(self.choices)) if self.weights is None else np.asarray(self.weights)
        return weights / weights.sum()

    def decode(self, units: npt.ArrayLike) -> list[Value]:
        """See :meth:`Parameter.decode`."""
        return [self.choices[i] for i in self.index(units)]

    def encode(self, values: Sequence[Value]) -> Floats:
        """See :meth:`Parameter.encode`."""
        positions = {choice: i for i, choice in enumerate(self.choices)}
        for value in values:
            if value not in positions:
                raise self._value_error(value, "is no choice", "choose " + ", ".join(str(c) for c in self.choices))
        return self.middles()[[positions[v] for v in values]]


KINDS: dict[str, type[Parameter]] = {cls.kind: cls for cls in (Real, Periodic, Integer, Enum)}
"""Kinds of parameters by the name used in files."""


def parameter_from(data: Mapping[str, Any]) -> Parameter:
    """Return the parameter that :meth:`Parameter.to_dict` wrote; SpaceError when it is none."""
    fields = dict(data)
    kind = fields.pop("type", None)
    name = fields.get("name", "?")
    if kind not in KINDS:
        raise SpaceError(
            f"{name}: there is no kind {kind!r} of parameters", remedy="use " + ", ".join(KINDS), key="type"
        )
    known = {f.name for f in dataclasses.fields(KINDS[kind])}
    for wrong in sorted(set(fields) - known):
        raise SpaceError(f"{name}: {_article(kind)} parameter has no field {wrong!r}", parameter=name, key=wrong)
    readers = (("distribution", distribution_from), ("remap", Remap.from_dict))
    for key, read in readers:
        if isinstance(fields.get(key), Mapping):
            try:
                fields[key] = read(fields[key])
            except SpaceError as error:
                raise SpaceError(f"{name}: {error.message}", remedy=error.remedy, parameter=name, key=key) from None
    if fields.get("condition") is not None:
        parent, choices = fields["condition"]
        fields["condition"] = (parent, tuple(choices))
    for key in ("name", "choices"):
        if key in known and key not in fields:
            raise SpaceError(f"{name}: {_article(kind)} parameter needs {key!r}", parameter=name, key=key)
    return KINDS[kind](**fields)


def _article(kind: str) -> str:
    return ("an " if kind[0] in "aeiou" else "a ") + kind


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
