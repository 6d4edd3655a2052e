"""From what the user names to concrete units: catalogue entries, ``.xosc`` files, distributions, folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
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
                    label=_slug(label),
                    base_seed=seed,
                )
            )
    if not units:
        raise RealityError(f"nothing to run in {', '.join(targets)}: no .xosc file found")
    return units


def plan_all(targets: Sequence[str], samples: int, seeds: Sequence[int], rigs: Sequence[str]) -> list[Unit]:
    """Return the units of targets x samples x seeds x rigs, in this order from the outside: seed, target, sample, rig.

    A sample has the same parameters and the same seed with every rig, so that what differs is what the rig sees. Names
    carry the seed and the rig only where there are several.

    Args:
        targets, samples: see :func:`plan`.
        seeds: the run's seeds, each once.
        rigs: names of rigs, each once.

    Raises:
        RealityError, InputError: see :func:`plan`.
    """
    units = []
    for seed in seeds:
        for unit in plan(targets, samples, seed):
            for rig in rigs:
                name = unit.name + (f"-s{seed}" if len(seeds) > 1 else "") + (f"-{rig}" if len(rigs) > 1 else "")
                notes = [f"seed {seed}"] * (len(seeds) > 1) + [f"rig {rig}"] * (len(rigs) > 1)
                units.append(replace(unit, name=name, rig=rig, title=", ".join([unit.title, *notes])))
    names = [unit.name for unit in units]
    if doubles := sorted({name for name in names if names.count(name) > 1}):
        raise RealityError(f"two scenarios would be called {doubles[0]}; give one of the files another name")
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
