"""The shipped scenarios and maps: what is there, by name. README.md beside this file describes each scenario."""

from __future__ import annotations

from collections.abc import Callable
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
    """

    name: str
    title: str
    scenario: Path
    distribution: Path
    map_name: str


def _entry(name: str, title: str, map_name: str) -> tuple[str, Entry]:
    return name, Entry(name, title, FOLDER / f"{name}.xosc", FOLDER / f"{name}_distribution.xosc", map_name)


MAPS = MappingProxyType(
    {name: FOLDER / "maps" / f"{name}.xodr" for name in ("RealityMotorway", "RealityStreet", "RealityTown")}
)
"""Map name -> OpenDRIVE file. The embedded engine finds the same files by their names."""

SCENARIOS = MappingProxyType(
    dict(
        [
            _entry("adult_jaywalks_night", "An adult crosses at night in front of a bus", "RealityTown"),
            _entry("child_runs_out", "A child runs out between parked vehicles", "RealityStreet"),
            _entry("motorway_cut_in_rain", "A car cuts in on a motorway in the rain", "RealityMotorway"),
        ]
    )
)
"""Scenario name -> what there is to know about it."""


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
    from scenarios.opendrive.compose import motorway, street, town

    composers: dict[str, Callable[[], str]] = {
        "RealityMotorway": motorway,
        "RealityStreet": street,
        "RealityTown": town,
    }
    if name not in composers:
        raise RealityError(f"the catalogue has no map called {name!r}; it has {', '.join(MAPS)}")
    return composers[name]()
