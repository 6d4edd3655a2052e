"""``reality drive``: from what the user asked for to a running window. Everything is checked before anything starts."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from bridge import simulators
from bridge.drive import gamepad, script
from bridge.drive import sky as skies
from bridge.drive.scenario import choose
from bridge.drive.session import Plan
from bridge.drive.stage import DEFAULT_VEHICLE
from bridge.drive.views import views_of
from bridge.drive.window import Look, Window
from bridge.drive.worker import Quality, Where, Worker
from foundation.errors import RealityError
from scenarios import catalogue, opendrive
from scenarios.openscenario import road_file
from sensors import rig as rigs

SMALLEST, LARGEST = (320, 240), (3840, 2160)


@dataclass(frozen=True)
class DriveOptions:
    """What the command line says; see ``reality drive --help``."""

    target: str | None = None
    out: Path = Path("out/drive")
    simulator: str = "embedded"
    rig: str = "demo"
    size: str = "1280x720"
    quality: str = "auto"
    fps: float = 20.0
    seed: int = 0
    sample: int = 1
    vehicle: str = DEFAULT_VEHICLE
    spawn: int = 0
    cars: int = 0
    people: int = 0
    view: str = "chase"
    weather: str = "clear"
    hour: float = 14.0
    gamepad: Path | None = None
    script: Path | None = None
    headless: bool = False


def drive(options: DriveOptions, say: Callable[[str], None] = lambda text: None) -> None:
    """Open the window and drive until the person ends it; ``say`` takes a line for everything that was recorded.

    Raises:
        RealityError: an input cannot be used, there is no display, or the simulator failed.
    """
    spec = simulators.SimulatorSpec.parse(options.simulator)
    rig = rigs.load(options.rig)
    names = [view.name for view in views_of(rig)]
    if options.view not in names:
        raise RealityError(f"--view {options.view}: the views are {', '.join(names)}")
    if options.weather not in skies.NAMES:
        raise RealityError(f"--weather {options.weather}: it can be {', '.join(skies.NAMES)}")
    events = script.read(options.script) if options.script is not None else None
    if options.headless and events is None:
        raise RealityError("--headless: nobody can press a key there; give --script FILE too")
    where, scenario = resolve(options, spec)
    size = parse_size(options.size)
    plan = Plan(
        rig=rig,
        out=options.out,
        step_s=1.0 / options.fps,
        size=size,
        scenario=scenario,
        sample=options.sample - 1,
        seed=options.seed,
        vehicle=options.vehicle,
        spawn=options.spawn,
        cars=options.cars,
        people=options.people,
        view=options.view,
        sky=skies.Sky(skies.NAMES.index(options.weather), 60.0 * options.hour),
        rig_name=options.rig,
    )
    mapping = gamepad.load(options.gamepad) if options.gamepad is not None else None
    worker = Worker(where, plan, Quality(parse_quality(options.quality)), scripted=events is not None)
    look = Look(size, options.out, events, options.headless, mapping)
    window = Window(look, worker, plan.step_s)
    # A terminal that is closed, or a service manager, asks like this: leave in order then, too.
    before = signal.signal(signal.SIGTERM, _terminate)
    try:
        window.run()
    finally:
        signal.signal(signal.SIGTERM, before)
        for line in (*window.saved, worker.summary):
            if line:
                say(line)


def _terminate(number: int, _frame: object) -> None:
    raise SystemExit(128 + number)


def resolve(options: DriveOptions, spec: simulators.SimulatorSpec) -> tuple[Where, str | None]:
    """Return the map that is needed, and the scenario if it is one.

    Raises:
        RealityError: the target is neither a scenario nor a map that is known, or its file cannot be used.
    """
    target = options.target
    if target is None:
        return Where(spec, "RealityTown" if spec.kind == "embedded" else None), None
    path = Path(target)
    if target in catalogue.SCENARIOS or path.suffix == ".xosc":
        course = choose(target, options.sample - 1, options.seed)
        try:
            file = road_file(course.unit.scenario)
        except RealityError:
            file = None  # its name depends on parameters; the server gets the text instead
        return Where(spec, network=course.network, network_file=None if file is None else str(file)), target
    if target in catalogue.MAPS and spec.kind == "embedded":
        return Where(spec, target), None
    if target in catalogue.MAPS or path.suffix == ".xodr":
        file = catalogue.MAPS.get(target, path)
        network = opendrive.read(file)
        return Where(spec, network=network, network_file=str(file)), None
    if spec.kind == "embedded" or "/" in target or "." in target:
        known = ", ".join([*sorted(catalogue.SCENARIOS), *sorted(catalogue.MAPS)])
        raise RealityError(f"{target}: neither a scenario nor a map; there are {known}, and .xosc and .xodr files")
    return Where(spec, target), None


def parse_size(text: str) -> tuple[int, int]:
    """Read ``1280x720``.

    Raises:
        RealityError: it is no size, or out of range.
    """
    width, _, height = text.lower().partition("x")
    if not (width.isdigit() and height.isdigit()):
        raise RealityError(f"--size {text}: expected WIDTHxHEIGHT, for instance 1280x720")
    size = int(width), int(height)
    if not (SMALLEST[0] <= size[0] <= LARGEST[0] and SMALLEST[1] <= size[1] <= LARGEST[1]):
        raise RealityError(f"--size {text}: from {SMALLEST[0]}x{SMALLEST[1]} to {LARGEST[0]}x{LARGEST[1]}")
    return size


def parse_quality(text: str) -> float | None:
    """Read ``auto`` (None) or a share of the window's width and height, 0.2 to 1.

    Raises:
        RealityError: it is neither.
    """
    if text == "auto":
        return None
    try:
        share = float(text)
    except ValueError:
        share = 0.0
    if not 0.2 <= share <= 1.0:
        raise RealityError(f"--quality {text}: expected auto, or a number from 0.2 to 1")
    return share
