"""Spaces: named parameters together, the unit cube they span, and densities on it."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import Cells, Enum, Parameter, Periodic, Value, parameter_from
from scenarios.sampling.remap import Remap

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

VERSION = 1
ABSENT = 0.5
"""Coordinate of a parameter that does not exist at a point."""
_DESCRIPTIVE = ("unit", "provenance")


@dataclass(frozen=True, eq=False)
class Points:
    """Points of a space in canonical form.

    Attributes:
        unit: (N, d) in [0, 1]; cells at their middle, absent parameters at :data:`ABSENT`.
        active: (N, d), whether the parameter exists there. Densities take no factor from one that does not, which is
            the same as having integrated it out.
    """

    unit: Floats
    active: Bools

    def __len__(self) -> int:
        return len(self.unit)

    def take(self, rows: npt.NDArray[Any] | slice) -> Points:
        """Return the points of these rows."""
        return Points(self.unit[rows], self.active[rows])


@dataclass(frozen=True, eq=False)
class Space:
    """Named, typed, limited parameters, and constants beside them.

    Coordinates are those of the remapped unit cube, one axis for each parameter in the order given. A conditional
    parameter keeps its axis where it does not exist, so that dimension and densities are the same everywhere.

    Args:
        name: of the space, for messages.
        parameters: all named differently; a condition's parent is an enum or an integer among them.
        constants: further values that belong to every point.

    Raises:
        SpaceError: duplicate names, unknown parent, unknown choice of it, or conditions in a circle.
    """

    name: str
    parameters: tuple[Parameter, ...]
    constants: Mapping[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", tuple(self.parameters))
        object.__setattr__(self, "constants", dict(self.constants))
        seen: set[str] = set()
        for name in (*(p.name for p in self.parameters), *self.constants):
            if name in seen:
                raise SpaceError(
                    f"space {self.name}: there are two parameters {name!r}", remedy="rename one", parameter=name
                )
            seen.add(name)
        object.__setattr__(self, "_order", self._dependency_order())

    # ---- names

    @property
    def dimension(self) -> int:
        """Number of axes of the cube: parameters that are not constant."""
        return len(self.parameters)

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters in the order of the axes."""
        return tuple(p.name for p in self.parameters)

    def axis(self, name: str) -> int:
        """Return the axis of a parameter; SpaceError when there is none of that name."""
        axes: dict[str, int] = self._axes
        if name not in axes:
            hint = "it is constant here" if name in self.constants else "there are " + (", ".join(axes) or "none")
            raise SpaceError(f"space {self.name} has no free parameter {name!r}", remedy=hint, parameter=name)
        return axes[name]

    def __getitem__(self, name: str) -> Parameter:
        return self.parameters[self.axis(name)]

    def __contains__(self, name: object) -> bool:
        return name in self._axes

    @functools.cached_property
    def _axes(self) -> dict[str, int]:
        return {p.name: i for i, p in enumerate(self.parameters)}

    def classes(self, parameter: str) -> tuple[str, ...]:
        """Return the choices of an enum (or integer) as texts: the classes it asks for."""
        return tuple(str(c) for c in self.cells(parameter).cell_values())

    def cells(self, name: str) -> Cells:
        """Return a parameter that has cells; SpaceError when it has none."""
        parameter = self[name]
        if not isinstance(parameter, Cells):
            raise SpaceError(
                f"{name}: a {parameter.kind} parameter has no classes", remedy="use an enum", parameter=name
            )
        return parameter

    # ---- points and values

    def points(self, unit: npt.ArrayLike) -> Points:
        """Return (N, d) or (d,) coordinates in canonical form: cells at their middle, absent parameters at 0.5."""
        unit = np.array(unit, dtype=np.float64)
        unit = unit[None, :] if unit.ndim == 1 else unit
        if unit.ndim != 2 or unit.shape[1] != self.dimension:
            raise SpaceError(f"space {self.name}: points of shape {unit.shape} are not (N, {self.dimension})")
        if not bool(np.all((unit >= 0.0) & (unit <= 1.0))):
            raise SpaceError(f"space {self.name}: a point lies outside the unit cube")
        for axis, parameter in enumerate(self.parameters):
            if isinstance(parameter, Cells):
                unit[:, axis] = parameter.middles()[parameter.index(unit[:, axis])]
        active = self._existing(unit)
        unit[~active] = ABSENT
        return Points(unit, active)

    def _existing(self, unit: Floats) -> Bools:
        active = np.ones(unit.shape, dtype=bool)
        for axis in self._order:  # type: ignore[attr-defined]
            condition = self.parameters[axis].condition
            if condition is not None:
                parent = self._axes[condition[0]]
                allowed = self._allowed[axis]
                cell = self.cells(condition[0]).index(unit[:, parent])
                active[:, axis] = active[:, parent] & allowed[cell]
        return active

    @functools.cached_property
    def _allowed(self) -> dict[int, Bools]:
        """For each conditional axis: which cells of its parent let it exist."""
        table = {}
        for axis, parameter in enumerate(self.parameters):
            if parameter.condition is not None:
                parent = self.cells(parameter.condition[0])
                table[axis] = np.array([c in parameter.condition[1] for c in parent.cell_values()])  # type: ignore[attr-defined]
        return table

    def values_of(self, points: Points) -> list[dict[str, Value]]:
        """Return the values at many points; parameters that do not exist there are left out."""
        columns = [p.decode(points.unit[:, axis]) for axis, p in enumerate(self.parameters)]
        names, everywhere = self.names, bool(points.active.all())
        rows = []
        for i in range(len(points)):
            row: dict[str, Value] = {
                name: column[i]
                for axis, (name, column) in enumerate(zip(names, columns))
                if everywhere or points.active[i, axis]
            }
            rows.append(row | dict(self.constants))
        return rows

    def values(self, unit: npt.ArrayLike) -> dict[str, Value]:
        """Return the values at one point of the cube, (d,)."""
        return self.values_of(self.points(np.asarray(unit, dtype=np.float64).reshape(1, -1)))[0]

    def points_of(self, values: Sequence[Mapping[str, Value]]) -> Points:
        """Return the points where the parameters have these values.

        Raises:
            SpaceError: a value is missing, unknown, of the wrong type or outside its limits, or belongs to a
                parameter that does not exist there.
        """
        unit = np.full((len(values), self.dimension), ABSENT)
        for axis in self._order:  # type: ignore[attr-defined]
            name = self.parameters[axis].name
            rows = [i for i, row in enumerate(values) if name in row]
            if rows:
                unit[rows, axis] = self.parameters[axis].encode([values[i][name] for i in rows])
        active = self._existing(unit)
        for i, row in enumerate(values):
            self._check_row(row, active[i])
        return Points(unit, active)

    def _check_row(self, row: Mapping[str, Value], active: Bools) -> None:
        for name, exists in zip(self.names, active):
            if exists and name not in row:
                raise SpaceError(f"space {self.name}: parameter {name!r} has no value", parameter=name)
            if not exists and name in row:
                raise SpaceError(
                    f"space {self.name}: parameter {name!r} does not exist at this point", remedy="leave it out",
                    parameter=name,
                )  # fmt: skip
        for name, value in row.items():
            if name in self.constants and self.constants[name] != value:
                raise SpaceError(f"{name}: it is constant here, {self.constants[name]!r}", parameter=name)
            if name not in self._axes and name not in self.constants:
                raise SpaceError(f"space {self.name} has no parameter {name!r}", parameter=name)

    def unit(self, values: Mapping[str, Value]) -> Floats:
        """Return the (d,) point where the parameters have these values; see :meth:`points_of`."""
        return np.asarray(self.points_of([values]).unit[0])

    # ---- densities and distances

    def densities(self, points: Points) -> Floats:
        """Return the (N,) nominal densities p0 on the remapped unit cube."""
        density = np.ones(len(points))
        for axis, parameter in enumerate(self.parameters):
            density *= np.where(points.active[:, axis], parameter.density(points.unit[:, axis]), 1.0)
        return density

    def density(self, values: Mapping[str, Value]) -> float:
        """Return the nominal density p0 on the remapped unit cube at one point.

        It integrates to 1 over the cube; axes of parameters that do not exist at a point count as uniform there.
        """
        return float(self.densities(self.points_of([values]))[0])

    @functools.cached_property
    def metric(self) -> Floats:
        """(d,) lengths of the axes: total influence over the largest one; 1 where it is unknown."""
        known = [p.scale for p in self.parameters if p.scale is not None]
        largest = max(known, default=0.0)
        if largest <= 0.0:
            return np.ones(self.dimension)
        return np.array([1.0 if p.scale is None else p.scale / largest for p in self.parameters])

    def embedding(self, points: Points) -> Floats:
        """Return (N, e) coordinates whose Euclidean distances are those of the space.

        An axis has the length its metric says. A periodic one becomes a circle: positions ``du`` apart are
        ``sin(pi du)/pi`` apart, which is ``du`` for neighbours and the same across the wrap. Different choices of an
        enum are 1 apart. A parameter that exists at one point only adds nothing: its parent differs already.
        """
        columns: list[Floats] = []
        for axis, parameter in enumerate(self.parameters):
            unit, length = points.unit[:, axis], self.metric[axis]
            if isinstance(parameter, Periodic):
                angle = 2.0 * np.pi * unit
                circle = np.stack([np.cos(angle), np.sin(angle)], axis=1) * (length / (2.0 * np.pi))
                columns.append(np.where(points.active[:, axis, None], circle, 0.0))
            elif isinstance(parameter, Enum):
                one_hot = np.eye(len(parameter.choices))[parameter.index(unit)]
                columns.append(np.where(points.active[:, axis, None], one_hot, 0.0) * (length / np.sqrt(2.0)))
            else:
                columns.append((unit * length)[:, None])
        return np.concatenate(columns, axis=1) if columns else np.zeros((len(points), 0))

    def distance(self, a: Mapping[str, Value], b: Mapping[str, Value]) -> float:
        """Return the distance of two points in the remapped, scaled space; see :meth:`embedding`."""
        first, second = self.embedding(self.points_of([a, b]))
        return float(np.linalg.norm(first - second))

    # ---- other spaces from this one

    def joined(self, other: Space) -> Space:
        """Return the space of both sets of parameters; SpaceError when a name is in both."""
        clash = sorted((set(self.names) | set(self.constants)) & (set(other.names) | set(other.constants)))
        if clash:
            raise SpaceError(
                f"spaces {self.name} and {other.name} both have a parameter {clash[0]!r}",
                remedy="rename it in one of them", parameter=clash[0],
            )  # fmt: skip
        constants = dict(self.constants) | dict(other.constants)
        return Space(f"{self.name}+{other.name}", self.parameters + other.parameters, constants)

    def fixed(self, values: Mapping[str, Value]) -> Space:
        """Return the space with some parameters held constant; their axes are gone.

        A parameter whose condition this decides loses the condition, or vanishes.

        Raises:
            SpaceError: an unknown parameter, a value outside its limits, or one for a parameter that cannot exist.
        """
        constants = dict(self.constants)
        for name, value in values.items():
            parameter = self[name]
            constants[name] = parameter.checked(value)
        left: list[Parameter] = []
        gone: set[str] = set()
        for axis in self._order:  # type: ignore[attr-defined]
            parameter = self.parameters[axis]
            if parameter.condition is not None:
                parent, choices = parameter.condition
                if parent in gone or (parent in constants and constants[parent] not in choices):
                    gone.add(parameter.name)
                    continue
                if parent in constants:
                    parameter = replace(parameter, condition=None)
                elif parameter.name in values:
                    raise SpaceError(
                        f"{parameter.name}: it exists only for some choices of {parent}, which is free",
                        remedy=f"fix {parent} too", parameter=parameter.name,
                    )  # fmt: skip
            if parameter.name not in values:
                left.append(parameter)
        for name in sorted(gone & set(values)):
            raise SpaceError(f"{name}: it does not exist under the other fixed values", parameter=name)
        left.sort(key=lambda p: self._axes[p.name])
        return Space(self.name, tuple(left), constants)

    def with_remaps(self, remaps: Mapping[str, Remap]) -> Space:
        """Return the space with some remaps exchanged, the scales taken from them."""
        changed = {name: self[name].with_remap(remap) for name, remap in remaps.items()}
        return replace(self, parameters=tuple(changed.get(p.name, p) for p in self.parameters))

    def with_scales(self, scales: Mapping[str, float]) -> Space:
        """Return the space with total influences T_p set, of enums for instance, which have no remap."""
        changed = {name: replace(self[name], scale=scale) for name, scale in scales.items()}
        return replace(self, parameters=tuple(changed.get(p.name, p) for p in self.parameters))

    # ---- storing

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data that :meth:`from_dict` reads."""
        return {
            "version": VERSION,
            "name": self.name,
            "parameters": [p.to_dict() for p in self.parameters],
            "constants": dict(self.constants),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Space:
        """Return the space that :meth:`to_dict` wrote.

        Raises:
            SpaceError: another version, or data that is no space.
        """
        if data.get("version") != VERSION:
            raise SpaceError(
                f"a space of version {data.get('version')!r} cannot be read, only {VERSION}", key="version"
            )
        unknown = sorted(set(data) - {"version", "name", "parameters", "constants"})
        if unknown:
            raise SpaceError(f"a space has no field {unknown[0]!r}", key=unknown[0])
        return cls(
            str(data.get("name", "")),
            tuple(parameter_from(p) for p in data.get("parameters", ())),
            dict(data.get("constants", {})),
        )

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits that change with anything that changes a sample: all but units and provenance."""
        data = self.to_dict()
        for parameter in data["parameters"]:
            for name in _DESCRIPTIVE:
                parameter.pop(name, None)
        text = json.dumps(data, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Space) and self.fingerprint == other.fingerprint

    def __hash__(self) -> int:
        return hash(self.fingerprint)

    # ---- conditions

    def _dependency_order(self) -> tuple[int, ...]:
        """Return the axes with every parent before its children."""
        order: list[int] = []
        placed: set[str] = set()
        waiting: Iterable[int] = range(len(self.parameters))
        for axis in waiting:
            self._check_condition(self.parameters[axis])
        while remaining := [a for a in waiting if self.parameters[a].name not in placed]:
            ready = [a for a in remaining if (c := self.parameters[a].condition) is None or c[0] in placed]
            if not ready:
                names = ", ".join(self.parameters[a].name for a in remaining)
                raise SpaceError(f"space {self.name}: conditions go in a circle: {names}", key="condition")
            order += ready
            placed |= {self.parameters[a].name for a in ready}
        return tuple(order)

    def _check_condition(self, parameter: Parameter) -> None:
        if parameter.condition is None:
            return
        parent, choices = parameter.condition
        if parent not in self._axes:
            raise SpaceError(
                f"{parameter.name}: it depends on {parent!r}, which is no parameter of space {self.name}",
                remedy="add the parent, or drop the condition", parameter=parameter.name, key="condition",
            )  # fmt: skip
        cells = self.parameters[self._axes[parent]]
        if not isinstance(cells, Cells):
            raise SpaceError(
                f"{parameter.name}: it depends on {parent!r}, a {cells.kind} parameter",
                remedy="a parent is an enum or an integer", parameter=parameter.name, key="condition",
            )  # fmt: skip
        for choice in choices:
            if choice not in cells.cell_values():
                raise SpaceError(
                    f"{parameter.name}: {parent!r} has no choice {choice!r}", parameter=parameter.name, key="condition"
                )


def describe(space: Space) -> list[dict[str, Any]]:
    """Return one row per parameter for tables: name, kind, limits or choices, distribution, unit, provenance."""
    rows = []
    for p in space.parameters:
        fields = {f.name: getattr(p, f.name) for f in dataclasses.fields(p)}
        limits = (
            ", ".join(str(c) for c in fields["choices"])
            if "choices" in fields
            else f"{fields['low']:g} to {fields['high']:g}"
        )
        law = type(fields["distribution"]).__name__.lower() if "distribution" in fields else "weights"
        rows.append(
            {"name": p.name, "kind": p.kind, "limits": limits, "distribution": law, "unit": p.unit,
             "provenance": p.provenance, "condition": p.condition, "remap": fields.get("remap") is not None}
        )  # fmt: skip
    return rows
