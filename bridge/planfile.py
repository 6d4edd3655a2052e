"""``plan.json``: what a run consists of, written before its first unit and never changed afterwards.

The plan holds everything that decides the bytes of the results and nothing else: no times, no paths of this machine.
Files are named by their last part and known by their digest; where they lie is in ``run.json``, which is rewritten at
each start. So two checkouts that are asked for the same have the same plan, and a run that is continued after one of
its files has changed is refused.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from bridge.plan import plan_all
from bridge.results import Unit
from foundation.errors import RealityError
from sensors import rig as rigs
from sensors.writers import versions

FORMAT = 2
PLAN_FILE = "plan.json"
RUN_FILE = "run.json"
NO_RIG = "none"
"""The rig without any sensor: scenarios run, nothing is recorded but motions and metrics."""


@dataclass(frozen=True)
class RunOptions:
    """What a user asks for that decides what a run produces.

    Attributes:
        targets, samples, seeds, rigs: see :func:`bridge.plan.plan_all`; rigs may be files here.
        simulator: see :meth:`bridge.simulators.SimulatorSpec.parse`.
        step_s: simulated seconds per frame.
        max_time_s: a scenario that has not ended by then is stopped.
        ego: who drives the ego instead of the scenario's controller, see :mod:`bridge.egos`; "" for nobody.
        ego_deadline_s: wall time that it may take for one decision.
        video: whether the first camera of the rig is kept as an MP4.
    """

    targets: tuple[str, ...]
    samples: int = 1
    seeds: tuple[int, ...] = (0,)
    rigs: tuple[str, ...] = ("default",)
    simulator: str = "embedded"
    step_s: float = 0.05
    max_time_s: float = 120.0
    ego: str = ""
    ego_deadline_s: float = 10.0
    video: bool = True


@dataclass(frozen=True)
class RunPlan:
    """A run's units and what they depend on.

    Attributes:
        options: as asked for, with the names of files instead of their paths.
        units: in order; their ``scenario`` and ``rig`` are keys of ``files`` and of ``rig_files``.
        files: name of a scenario -> digest over it and its road network.
        rig_files: name of a rig -> digest of its file.
        ego_digest: digest of the file that drives the ego, "" without.
        versions: of the program and the libraries that the bytes depend on.
        places: where this machine has the files, by ``scenario:NAME``, ``rig:NAME`` and ``ego``; not in the digest.
    """

    options: RunOptions
    units: tuple[Unit, ...]
    files: dict[str, str]
    rig_files: dict[str, str]
    ego_digest: str
    versions: dict[str, str]
    places: dict[str, str] = field(default_factory=dict, compare=False)

    @property
    def title(self) -> str:
        """What a person calls the run."""
        targets = self.options.targets
        named = ", ".join(targets) if len(targets) <= 3 else f"{targets[0]} and {len(targets) - 1} others"
        return f"Digital Reality run: {named}"

    def content(self) -> dict[str, Any]:
        """Return what is stored and hashed, as JSON values."""
        return {
            "format": FORMAT,
            "title": self.title,
            "options": _plain(asdict(self.options)),
            "units": [asdict(unit) for unit in self.units],
            "files": self.files,
            "rig_files": self.rig_files,
            "ego_digest": self.ego_digest,
            "versions": self.versions,
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the content: two runs with the same give the same bytes on the embedded engine."""
        return _digest(self.content())

    def scenario_path(self, unit: Unit) -> Path:
        """Return where the scenario of a unit lies on this machine."""
        return Path(self.places[f"scenario:{unit.scenario}"])

    def rig(self, unit: Unit) -> str:
        """Return what to load the rig of a unit from: a shipped rig's name or a path; "none" for no sensors."""
        return self.places.get(f"rig:{unit.rig}", unit.rig)


def build(options: RunOptions) -> RunPlan:
    """Return the plan of a run, with every input read and checked.

    Raises:
        RealityError: a target that does not exist, options that contradict each other.
        InputError: a file that cannot be used.
    """
    if len(set(options.seeds)) != len(options.seeds) or len(set(options.rigs)) != len(options.rigs):
        raise RealityError("a seed or a rig is given twice")
    places: dict[str, str] = {}
    rig_files = {}
    for rig in options.rigs:
        name, place = _rig(rig)
        if name in rig_files:
            raise RealityError(f"two rigs are called {name}; give one of the files another name")
        rig_files[name] = "" if name == NO_RIG else _hash(Path(place))
        if place != name:
            places[f"rig:{name}"] = place
    units = plan_all(options.targets, options.samples, options.seeds, tuple(rig_files))
    names = _names([unit.scenario for unit in units])
    digests = _check(units)
    files = {names[path]: digest for path, digest in digests.items()}
    places |= {f"scenario:{names[path]}": str(Path(path).resolve()) for path in names}
    ego_digest = ""
    ego = options.ego
    if ego:
        from bridge import egos

        ego, file = egos.located(options.ego)
        ego_digest, places["ego"] = _hash(file), str(file)
    told = replace(options, targets=tuple(_told(target) for target in options.targets), rigs=tuple(rig_files), ego=ego)
    found = tuple(replace(unit, scenario=names[unit.scenario]) for unit in units)
    return RunPlan(told, found, files, rig_files, ego_digest, versions(), places)


def write(plan: RunPlan, out: Path, command: Sequence[str] = ()) -> None:
    """Write ``plan.json`` if it is not there yet, and ``run.json`` anew.

    Raises:
        RealityError: ``out`` holds another run, or cannot be written.
    """
    file = out / PLAN_FILE
    if file.is_file():
        _refuse_other(plan, out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            write_json(file, {**plan.content(), "digest": plan.digest})
        write_json(
            out / RUN_FILE,
            {
                "digest": plan.digest,
                "places": plan.places,
                "directory": os.getcwd(),
                "command": list(command),
                "started": datetime.now(timezone.utc).isoformat(timespec="seconds"),
                "host": platform.node(),
                "platform": platform.platform(),
            },
        )
    except OSError as error:
        raise RealityError(f"{out}: cannot create the run directory: {error.strerror}") from error


def read(out: Path) -> RunPlan:
    """Read the plan of a run directory.

    Raises:
        RealityError: there is none, or it was changed after it was written.
    """
    try:
        stored = json.loads((out / PLAN_FILE).read_text(encoding="utf-8"))
        options = options_of(stored["options"])
        plan = RunPlan(
            options,
            tuple(Unit(**unit) for unit in stored["units"]),
            stored["files"],
            stored["rig_files"],
            stored["ego_digest"],
            stored["versions"],
        )
        digest = stored["digest"]
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise RealityError(f"{out}: is no run directory: {PLAN_FILE} cannot be read: {error}") from error
    if plan.digest != digest:
        raise RealityError(f"{out / PLAN_FILE}: was changed after it was written; start a new run")
    try:
        places = json.loads((out / RUN_FILE).read_text(encoding="utf-8"))["places"]
    except (OSError, ValueError, KeyError):
        places = {}  # looking at a run needs none; going on does, and :func:`verify` says so
    return replace(plan, places=places)


def options_of(stored: Mapping[str, Any]) -> RunOptions:
    """Return options that were stored as JSON values, where tuples are lists."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in stored.items()}
    return RunOptions(**values)


def verify(plan: RunPlan, out: Path) -> None:
    """Check that this machine still has the files a run was planned with.

    Raises:
        RealityError: one is missing or has changed, or the program has.
    """
    remedy = "give the command that began it, or start a new run"
    for name, digest in plan.files.items():
        path = Path(plan.places.get(f"scenario:{name}", ""))
        if not path.is_file():
            raise RealityError(f"{out}: its scenario {name} is not where it was ({path}); {remedy}")
        if _file_digest(path) != digest:
            raise RealityError(f"{out}: its scenario {path} or the road network of it has changed; {remedy}")
    for name, digest in plan.rig_files.items():
        if name != NO_RIG and _hash(_rig_file(plan.places.get(f"rig:{name}", name))) != digest:
            raise RealityError(f"{out}: its rig {name} has changed; {remedy}")
    if plan.ego_digest and _hash(Path(plan.places.get("ego", ""))) != plan.ego_digest:
        raise RealityError(f"{out}: who drives its ego ({plan.places.get('ego')}) has changed; {remedy}")
    if plan.versions != versions():
        raise RealityError(f"{out}: was begun with other versions ({plan.versions}); {remedy}")


def write_json(path: Path, content: Any) -> None:
    """Write JSON so that after a power cut either the old file is there or the whole new one."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("w", encoding="utf-8") as file:
        file.write(json.dumps(content, indent=1, sort_keys=True) + "\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _refuse_other(plan: RunPlan, out: Path) -> None:
    earlier = read(out).content()
    now = plan.content()
    # In JSON's types: what was stored has lists where dataclasses have tuples.
    differs = sorted(k for k in now if json.dumps(now[k], sort_keys=True) != json.dumps(earlier.get(k), sort_keys=True))
    if "options" in differs:
        differs[differs.index("options")] = ", ".join(
            sorted(k for k, v in now["options"].items() if earlier["options"].get(k) != v)
        )
    if differs:
        raise RealityError(f"{out} holds another run (different: {', '.join(differs)}); choose another --out")


def _check(units: Sequence[Unit]) -> dict[str, str]:
    """Read every scenario as it will be run, and return the digests by path."""
    from scenarios.openscenario import load

    seen: set[tuple[str, str]] = set()
    digests: dict[str, str] = {}
    for unit in units:
        key = (unit.scenario, json.dumps(unit.parameters, sort_keys=True))
        if key in seen:
            continue
        seen.add(key)
        scenario = load(unit.scenario, unit.parameters)
        if unit.scenario not in digests:
            digests[unit.scenario] = _combined(Path(unit.scenario), scenario.road_path)
    return digests


def _file_digest(path: Path) -> str:
    from scenarios.openscenario import load

    return _combined(path, load(path).road_path)


def _combined(scenario: Path, road: Path | None) -> str:
    digest = hashlib.sha256(scenario.read_bytes())
    if road is not None and Path(road).is_file():
        digest.update(Path(road).read_bytes())
    return digest.hexdigest()


def _names(paths: Sequence[str]) -> dict[str, str]:
    """Give each file a name of its own: its last part, with as much of its folders as tells it from the others."""
    names: dict[str, str] = {}
    for path in dict.fromkeys(paths):
        parts = Path(path).resolve().parts
        length = 1
        while length < len(parts) and "/".join(parts[-length:]) in names.values():
            length += 1
        names[path] = "/".join(parts[-length:])
    return names


def _rig(text: str) -> tuple[str, str]:
    """Return (name, what to load it from) of a rig that can be used."""
    if text == NO_RIG:
        return NO_RIG, NO_RIG
    rigs.load(text)
    file = Path(text)
    if file.suffix in (".yaml", ".yml") or file.exists():
        return file.stem, str(file.resolve())
    return text, text


def _rig_file(place: str) -> Path:
    file = Path(place)
    return file if file.suffix in (".yaml", ".yml") else rigs.BUILTIN / f"{place}.yaml"


def _told(target: str) -> str:
    path = Path(target)
    return path.name if path.exists() and path.name else target


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256((path if path.is_file() else _rig_file(str(path))).read_bytes()).hexdigest()
    except OSError as error:
        raise RealityError(f"{path}: cannot be read: {error.strerror}") from error


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _plain(value: Any) -> Any:
    return json.loads(json.dumps(value))
