"""From what the user names to concrete units: catalogue entries, ``.xosc`` files, distributions, folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bridge.results import Unit
from foundation.errors import RealityError
from foundation.seeds import derive
from scenarios import catalogue
from scenarios.openscenario import expand

CATALOGUE = "catalogue"


def plan(targets: Sequence[str], samples: int, seed: int) -> list[Unit]:
    """Return the concrete units of a run, in a fixed order.

    Args:
        targets: ``catalogue`` (all shipped scenarios), names of catalogue scenarios, ``.xosc`` files (scenarios or
            parameter value distributions), folders of them.
        samples: concrete scenarios drawn from each distribution; a plain scenario gives one.
        seed: the run's seed.

    Raises:
        RealityError: a name that is neither a file nor in the catalogue, or nothing to run.
        InputError: a file that cannot be read.
    """
    units: list[Unit] = []
    taken: set[str] = set()
    for label, path in _resolve(targets):
        concretes = expand(path, samples=samples, seed=derive(seed, "expand", label))
        for number, concrete in enumerate(concretes):
            name = f"{_slug(label)}-{number:03d}"
            if name in taken:
                raise RealityError(f"two scenarios are called {label}; give one of the files another name")
            taken.add(name)
            units.append(
                Unit(
                    name=name,
                    scenario=str(concrete.scenario_path),
                    parameters=dict(concrete.parameters),
                    seed=derive(seed, "unit", label, number),
                    title=_title(label) + (f", sample {number + 1}" if len(concretes) > 1 else ""),
                )
            )
    if not units:
        raise RealityError(f"nothing to run in {', '.join(targets)}: no .xosc file found")
    return units


def _resolve(targets: Sequence[str]) -> list[tuple[str, Path]]:
    found: list[tuple[str, Path]] = []
    for target in targets:
        path = Path(target)
        if target == CATALOGUE:
            found += [(name, entry.distribution) for name, entry in sorted(catalogue.SCENARIOS.items())]
        elif target in catalogue.SCENARIOS:
            found.append((target, catalogue.SCENARIOS[target].distribution))
        elif path.is_dir():
            found += [(file.stem, file) for file in sorted(path.glob("*.xosc"))]
        elif path.is_file():
            found.append((path.stem, path))
        else:
            known = ", ".join([CATALOGUE, *sorted(catalogue.SCENARIOS)])
            raise RealityError(f"{target}: neither a file, a folder nor a catalogue scenario ({known})")
    return found


def _slug(text: str) -> str:
    return re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-.") or "scenario"


def _title(label: str) -> str:
    text = re.sub(r"[_-]+", " ", label).strip()
    return text[:1].upper() + text[1:]
