"""Concrete scenarios as files, and what is in a scenario or a distribution, told in lines for people.

A concrete file is the scenario with the drawn values put into its ParameterDeclarations, and with its relative paths
made relative to the folder it is written to. Nothing else is touched, so two samples differ in their values alone.
"""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from lxml import etree

from foundation.errors import InputError
from scenarios.openscenario.distributions import expand, open_distribution, parameter_sets
from scenarios.openscenario.nodes import Node, parse_file
from scenarios.openscenario.parameters import Scope, read_declarations
from scenarios.openscenario.scenario import load

PATHS = (("Directory", "path"), ("LogicFile", "filepath"), ("SceneGraphFile", "filepath"))


def points(path: Path) -> list[tuple[str, Mapping[str, str]]]:
    """Return (name, values) of every parameter set of a deterministic distribution; its scenario need not exist.

    Raises:
        OpenScenarioError: the file is no deterministic distribution, or wrong.
    """
    found = parameter_sets(path)
    width = max(3, len(str(len(found) - 1)))
    return [(f"{path.stem}-{i:0{width}d}", point) for i, point in enumerate(found)]


def point_line(name: str, point: Mapping[str, str]) -> str:
    """Return one line: the name and NAME=VALUE words."""
    return " ".join([name, *(f"{key}={value}" for key, value in point.items())])


def concrete_text(scenario: Path, values: Mapping[str, str], folder: Path) -> bytes:
    """Return the XML of a scenario with these parameter values, to be kept in ``folder``.

    Raises:
        OpenScenarioError: the scenario cannot be read. InputError: it declares no parameter of a name.
    """
    root = parse_file(scenario)
    declared = {str(d.get("name")): d for d in root.iterfind("ParameterDeclarations/ParameterDeclaration")}
    for name, value in values.items():
        if name not in declared:
            raise InputError(f"the scenario declares no parameter {name!r}", file=scenario)
        declared[name].set("value", value)
    for tag, attribute in PATHS:
        for element in root.iter(tag):
            written = element.get(attribute, "")
            # What a parameter names cannot be moved by its text.
            if written and not written.startswith("$") and not os.path.isabs(written):
                target = (scenario.parent / written).resolve()
                element.set(attribute, Path(os.path.relpath(target, folder.resolve())).as_posix())
            elif written.startswith("$"):
                raise InputError(f"the path {written} of <{tag}> is a parameter: it cannot be moved", file=scenario)
    return etree.tostring(root.getroottree(), xml_declaration=True, encoding="UTF-8")


def write_concrete(path: Path, out: Path, samples: int | None, seed: int) -> list[tuple[Path, str]]:
    """Write the concrete scenarios of a file and ``samples.csv`` with their values; return (file, SHA-256) of each.

    Args:
        path: a distribution, or a scenario, which stands for itself.
        out: the folder; it is made.
        samples: how many are drawn; None takes all of a deterministic distribution.
        seed: of the drawing.

    Raises:
        OpenScenarioError: the file, or a concrete scenario made of it, is wrong.
        InputError: a file cannot be written.
    """
    found = expand(path, samples, seed)
    names = sorted({name for concrete in found for name in concrete.parameters})
    table = io.StringIO(newline="")
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(["file", "sha256", *names])
    written = []
    try:
        out.mkdir(parents=True, exist_ok=True)
        for concrete in found:
            data = concrete_text(concrete.scenario_path, concrete.parameters, out)
            file, digest = out / f"{concrete.name}.xosc", hashlib.sha256(data).hexdigest()
            file.write_bytes(data)
            written.append((file, digest))
            rows.writerow([file.name, digest, *(concrete.parameters.get(name, "") for name in names)])
        (out / "samples.csv").write_text(table.getvalue(), encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=out) from error
    return written


def describe(path: Path) -> Iterator[str]:
    """Yield lines about a scenario, or about a distribution and the scenario it belongs to."""
    _, node, file, _ = open_distribution(path)
    if node is not None:
        yield f"distribution {path}"
    scenario = load(file)
    yield f"scenario {file}"
    if scenario.description:
        yield f"  {scenario.description}"
    yield f"map {scenario.road_path or 'none'}"
    for name, entry in scenario.entities.items():
        record = entry.record
        towed = f", towed by {entry.towed_by}" if entry.towed_by else ""
        ego = ", ego" if name == scenario.ego else ""
        yield f"entity {name}: {record.kind} {record.category} {record.name}{towed}{ego}"
    limits = _limits(file)
    for parameter in scenario.parameters.values():
        bounds = f" ({'; or '.join(limits[parameter.name])})" if parameter.name in limits else ""
        yield f"parameter {parameter.name}: {parameter.type} = {parameter.text}{bounds}"
    if node is not None:
        yield from _distributions(node)


def _limits(file: Path) -> dict[str, list[str]]:
    """Return the constraint groups of each parameter: one group has to hold whole."""
    root = Node(parse_file(file), file, Scope())
    read_declarations(root, None, {})
    signs = {"lessThan": "<", "greaterThan": ">", "equalTo": "=", "lessOrEqual": "<=", "greaterOrEqual": ">="}
    found: dict[str, list[str]] = {}
    for item in root.element.iterfind("ParameterDeclarations/ParameterDeclaration"):
        for group in item.iterfind("ConstraintGroup"):
            words = [f"{signs.get(str(c.get('rule')), c.get('rule'))} {c.get('value')}" for c in group]
            found.setdefault(str(item.get("name")), []).append(" and ".join(words))
    return found


def _distributions(node: Node) -> Iterator[str]:
    for kind in node.element.iterchildren("Deterministic", "Stochastic"):
        yield f"{str(kind.tag).lower()} " + " ".join(f"{k}={v}" for k, v in kind.attrib.items())
        for item in kind:
            name = item.get("parameterName") or "several parameters"
            inner = item[0] if len(item) else item
            parts = [" ".join([str(e.tag), *(f"{k}={v}" for k, v in e.attrib.items())]) for e in inner.iter()]
            yield f"  {name}: {'; '.join(parts)}"
