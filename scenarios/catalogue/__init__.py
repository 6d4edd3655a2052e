"""The shipped scenarios and maps: what is there, by name. docs/catalogue.md describes each scenario."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from foundation.errors import RealityError

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Entry:
    """One scenario of the catalogue.

    Attributes:
        name: how it is called on the command line.
        title: one line for people.
        scenario: the OpenSCENARIO file with its parameters' default values.
        distribution: the parameter value distribution that samples are drawn from.
        map_name: the map it plays on.
        family: the group it is listed under.
    """

    name: str
    title: str
    scenario: Path
    distribution: Path
    map_name: str
    family: str


def _entry(name: str, family: str, title: str, map_name: str) -> tuple[str, Entry]:
    paths = FOLDER / f"{name}.xosc", FOLDER / f"{name}_distribution.xosc"
    return name, Entry(name, title, *paths, map_name, family)


MAPS = MappingProxyType({path.stem: path for path in sorted((FOLDER / "maps").glob("*.xodr"))})
"""Map name -> OpenDRIVE file. The embedded engine finds the same files by their names."""

INDEX = FOLDER / "index.json"
"""Name, family, title and map of every scenario, in the page's order; ``python -m scenarios.catalogue`` writes it."""

SCENARIOS = MappingProxyType(
    dict(
        _entry(item["name"], item["family"], item["title"], item["map"])
        for item in json.loads(INDEX.read_text(encoding="utf-8"))
    )
)
"""Scenario name -> what there is to know about it, family by family."""


def families() -> dict[str, list[Entry]]:
    """Return the scenarios of each family."""
    found: dict[str, list[Entry]] = {}
    for entry in SCENARIOS.values():
        found.setdefault(entry.family, []).append(entry)
    return found


def find(name: str) -> Path:
    """Return the file of a scenario or a map of the catalogue.

    Raises:
        RealityError: there is nothing of that name.
    """
    if name in SCENARIOS:
        return SCENARIOS[name].scenario
    if name in MAPS:
        return MAPS[name]
    known = ", ".join([*SCENARIOS, *MAPS])
    raise RealityError(f"the catalogue has no scenario or map called {name!r}; it has {known}")


def compose(name: str) -> str:
    """Return the OpenDRIVE text of a map of the catalogue, made anew from its parameters.

    Raises:
        RealityError: there is no map of that name.
    """
    # The composer needs scenariogeneration, which running a scenario does not.
    from scenarios.catalogue.making.maps import COMPOSERS

    if name not in COMPOSERS:
        raise RealityError(f"the catalogue has no map called {name!r}; it has {', '.join(MAPS)}")
    return COMPOSERS[name]()
