"""Space files (YAML) and remap files (JSON).

A space file composes a space::

    name: night street
    scenario: child_runs_out_distribution.xosc     # optional, relative to this file
    weather: {names: [cloudiness, fog_density], limits: {fog_density: [0, 60]}}
    rig: {mounts: {front: {x: 1.2, z: 1.5, fov_deg: 90}}, offset_m: 0.05}
    parameters:
      - {name: distance, type: real, low: 4, high: 40, unit: m,
         distribution: {type: lognormal, mean: 2.5, sd: 0.6}}
      - {name: class, type: enum, choices: [pedestrian, cyclist], weights: [3, 1]}
      - {name: speed, type: real, low: 1, high: 8, unit: m/s,
         condition: {parent: class, choices: [cyclist]}}
    fixed: {BrakeTtc: 1.2}
    remaps: remaps.json                            # what an audit stored

A remap file belongs to the parameters it was measured on; a space with other limits refuses it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pydantic
import yaml

from foundation.errors import InputError
from scenarios.sampling.errors import SpaceError
from scenarios.sampling.parameters import parameter_from
from scenarios.sampling.presets import rig_space, weather_space
from scenarios.sampling.remap import Remap
from scenarios.sampling.scenario import scenario_space
from scenarios.sampling.space import Space

VERSION = 1
Where = tuple[int | str, ...]
Scalar = pydantic.StrictBool | pydantic.StrictInt | pydantic.StrictFloat | pydantic.StrictStr
Number = pydantic.StrictInt | pydantic.StrictFloat


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True)


class _Condition(_Strict):
    parent: str
    choices: tuple[Scalar, ...]


class _Parameter(_Strict):
    name: str
    type: Literal["real", "periodic", "integer", "enum"]
    low: Number | None = None
    high: Number | None = None
    choices: tuple[Scalar, ...] | None = None
    weights: tuple[Number, ...] | None = None
    distribution: dict[str, Any] | None = None
    condition: _Condition | None = None
    unit: str = ""
    provenance: str = ""
    scale: Number | None = None
    remap: dict[str, Any] | None = None


class _Weather(_Strict):
    names: tuple[str, ...] | None = None
    limits: dict[str, tuple[Number, Number]] = {}
    fixed: dict[str, Scalar] = {}


class _Rig(_Strict):
    mounts: dict[str, dict[str, Number]]
    offset_m: Number = 0.05
    angle_deg: Number = 1.0
    fov_deg: Number = 2.0


class _SpaceFile(_Strict):
    name: str = pydantic.Field(min_length=1)
    scenario: str | None = None
    weather: _Weather | None = None
    rig: _Rig | None = None
    parameters: tuple[_Parameter, ...] = ()
    fixed: dict[str, Scalar] = {}
    remaps: str | None = None


def load_space(path: str | Path) -> Space:
    """Read a space from a YAML space file, or from an OpenSCENARIO parameter value distribution (``.xosc``).

    Raises:
        InputError: the file is missing, is no such file, or defines a space that cannot be; with line and key.
    """
    path = Path(path)
    if path.suffix == ".xosc":
        return scenario_space(path)
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise InputError(f"the space cannot be read: {error.strerror}", file=path) from None
    except UnicodeDecodeError:
        raise InputError("the space is not a text file", file=path) from None
    return parse_space(text, path)


def parse_space(text: str, path: str | Path) -> Space:
    """Read a space from YAML text; ``path`` is for messages and for relative files. Raises like :func:`load_space`."""
    path = Path(path)
    tree, content = _yaml(text, path)
    if not isinstance(content, dict):
        raise InputError("a space is a mapping with 'name' and 'parameters'", file=path, line=1)
    try:
        record = _SpaceFile.model_validate(content)
    except pydantic.ValidationError as error:
        raise _input_error(error, tree, path) from None
    builder = _Builder(path, tree)
    space = builder.build(record)
    if not space.dimension and not space.constants:
        raise InputError("the space has no parameter", file=path, line=1, remedy="give parameters, scenario or weather")
    return space


class _Builder:
    """Composes the space of a file; what the parts refuse is placed at its line and key."""

    def __init__(self, path: Path, tree: yaml.Node | None) -> None:
        self._path, self._tree = path, tree

    def build(self, record: _SpaceFile) -> Space:
        parts: list[tuple[Where, Space]] = []
        if record.scenario is not None:
            parts.append((("scenario",), scenario_space(self._path.parent / record.scenario)))
        with self._at(("weather",)):
            if record.weather is not None:
                w = record.weather
                limits = {name: (float(low), float(high)) for name, (low, high) in w.limits.items()}
                parts.append((("weather",), weather_space(w.names, limits=limits, fixed=w.fixed)))
        with self._at(("rig",)):
            if record.rig is not None:
                r = record.rig
                made = rig_space(r.mounts, offset_m=r.offset_m, angle_deg=r.angle_deg, fov_deg=r.fov_deg)
                parts.append((("rig",), made))
        parts.append((("parameters",), self._own(record)))
        space = Space(record.name, ())
        for where, part in parts:
            with self._at(where):
                space = space.joined(part)
        space = Space(record.name, space.parameters, space.constants)
        with self._at(("fixed",)):
            space = space.fixed(record.fixed) if record.fixed else space
        if record.remaps is not None:
            space = apply_remaps(space, self._path.parent / record.remaps)
        return space

    def _own(self, record: _SpaceFile) -> Space:
        parameters = []
        for i, row in enumerate(record.parameters):
            data = row.model_dump(exclude_unset=True)
            if row.condition is not None:
                data["condition"] = [row.condition.parent, list(row.condition.choices)]
            with self._at(("parameters", i)):
                parameters.append(parameter_from(data))
        with self._at(("parameters",), [row.name for row in record.parameters]):
            return Space(record.name, tuple(parameters))

    def _at(self, where: Where, names: list[str] | None = None) -> _Place:
        return _Place(self._path, self._tree, where, names or [])


class _Place:
    """Context: a SpaceError inside becomes an InputError at this place of the file."""

    def __init__(self, path: Path, tree: yaml.Node | None, where: Where, names: list[str]) -> None:
        self._path, self._tree, self._where, self._names = path, tree, where, names

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, SpaceError):
            return
        where = self._where
        if error.parameter in self._names:
            # The last of that name: the one that is too many when there are two.
            where = (*where, len(self._names) - 1 - self._names[::-1].index(error.parameter))
        if error.key is not None and _find(self._tree, (*where, error.key)) is not None:
            where = (*where, error.key)
        raise InputError(
            error.message, file=self._path, line=_line(self._tree, where), element=_spell(where), remedy=error.remedy
        ) from None


# ---- remap files


def save_remaps(path: str | Path, space: Space, scales: Mapping[str, float] | None = None) -> None:
    """Store the remaps and scales that a space has, for :func:`apply_remaps`; the file is replaced as a whole.

    Args:
        path: of the JSON file.
        space: whose parameters' remaps and scales are stored.
        scales: further total influences, of parameters that the space does not scale itself.
    """
    remaps = {p.name: r.to_dict() for p in space.parameters if (r := getattr(p, "remap", None)) is not None}
    known = {p.name: p.scale for p in space.parameters if p.scale is not None} | dict(scales or {})
    data = {"version": VERSION, "space": space.name, "remaps": remaps, "scales": known}
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".part")
    draft.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
    os.replace(draft, path)


def apply_remaps(space: Space, path: str | Path) -> Space:
    """Return the space with the remaps and scales of a file.

    Raises:
        InputError: the file cannot be read, is no remap file, or was measured on other parameters.
    """
    try:
        data = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"the remaps cannot be read: {error.strerror}", file=path) from None
    except ValueError as error:
        raise InputError(f"not valid JSON: {error}", file=path) from None
    try:
        if not isinstance(data, dict) or data.get("version") != VERSION:
            raise SpaceError(f"this is no remap file of version {VERSION}")
        # What has been fixed since the audit needs no remap any more; what nobody knows is an error.
        remaps = {n: Remap.from_dict(remap) for n, remap in data["remaps"].items() if n not in space.constants}
        scales = {n: float(scale) for n, scale in data["scales"].items() if n not in space.constants}
        return space.with_remaps(remaps).with_scales(scales)
    except SpaceError as error:
        raise InputError(error.message, file=path, element=error.parameter, remedy=error.remedy) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"the remap file is damaged: {error!r}", file=path) from None


# ---- YAML with places


def _yaml(text: str, path: Path) -> tuple[yaml.Node | None, Any]:
    try:
        tree = yaml.compose(text, Loader=yaml.SafeLoader)
        _refuse_repeated_keys(tree, path)
        return tree, yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = None if mark is None else mark.line + 1
        raise InputError(f"not valid YAML: {error.problem or error.context}", file=path, line=at) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise InputError(f"not valid YAML: {error}".splitlines()[0], file=path) from None


def _refuse_repeated_keys(tree: yaml.Node | None, path: Path) -> None:
    """YAML would silently take the last of two equal keys."""
    if isinstance(tree, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in tree.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise InputError("the key is given twice", file=path, line=key.start_mark.line + 1, element=key.value)
            seen.add(str(getattr(key, "value", "")))
            _refuse_repeated_keys(value, path)
    elif isinstance(tree, yaml.SequenceNode):
        for item in tree.value:
            _refuse_repeated_keys(item, path)


def _input_error(error: pydantic.ValidationError, tree: yaml.Node | None, path: Path) -> InputError:
    """Turn pydantic's first error into one clear line; say how many more there are."""
    problems = error.errors()
    first = problems[0]
    where: Where = first["loc"]
    message = first["msg"].removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        message = f"unknown key {where[-1]!r}"
    elif first["type"] == "missing":
        message = f"{where[-1]!r} is missing"
    elif first["type"] in ("int_type", "float_type") and not isinstance(first["input"], dict | list):
        message = f"{first['input']!r} is not a number"
    # Of a union pydantic reports each branch, with the branch's name at the end of the place.
    while where and _find(tree, where) is None and first["type"] not in ("missing", "extra_forbidden"):
        where = where[:-1]
    more = len({tuple(p["loc"][: len(where)]) for p in problems}) - 1
    if more:
        message += f" (and {more} more)"
    return InputError(message, file=path, line=_line(tree, where), element=_spell(where) or None)


def _find(tree: yaml.Node | None, where: Where) -> yaml.Node | None:
    for part in where:
        if isinstance(tree, yaml.MappingNode):
            tree = next((value for key, value in tree.value if key.value == str(part)), None)
        elif isinstance(tree, yaml.SequenceNode) and isinstance(part, int) and part < len(tree.value):
            tree = tree.value[part]
        else:
            return None
    return tree


def _line(tree: yaml.Node | None, where: Where) -> int | None:
    """Return the line, from 1, of the deepest part of a path that the file has."""
    for length in range(len(where), -1, -1):
        node = _find(tree, where[:length])
        if node is not None:
            return int(node.start_mark.line) + 1
    return None


def _spell(where: Where) -> str:
    """Return ``parameters[2].low`` for a path."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in where).lstrip(".")
