"""The ``reality`` program: run catalogues, serve the engine, check files, rebuild reports."""

from __future__ import annotations

import logging
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path
from typing import Annotated

import typer

from bridge import run_commands
from bridge.map_commands import app as map_app
from bridge.scenario_commands import app as scenario
from bridge.space.command import app as space
from foundation.errors import InputError, RealityError

app = typer.Typer(
    name="reality",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Make labelled driving data and driving scenarios on purpose, with CARLA or without it.",
)

run_commands.register(app)
app.add_typer(space, name="space")
app.add_typer(map_app, name="map")
app.add_typer(scenario, name="scenario")

log = logging.getLogger(__name__)

EXIT_BAD_INPUT = 2
EXIT_INTERRUPTED = 130


@app.callback()
def _options(
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more about what is going on.")] = False,
) -> None:
    logging.basicConfig(
        level=logging.DEBUG if verbose else logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )


@app.command()
def drive(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="[SCENARIO|MAP]",
            help="A catalogue scenario or .xosc file to drive as its ego, or a map or .xodr file to drive on freely. "
            "Default: our town (on a CARLA server: the map that is loaded).",
        ),
    ] = None,
    simulator: Annotated[
        str, typer.Option(help="embedded, HOST:PORT, binary:PATH/CarlaUE4.sh or docker:IMAGE.")
    ] = "embedded",
    rig: Annotated[str, typer.Option(help="Cameras to look through, and what R records: a name or a file.")] = "demo",
    out: Annotated[Path, typer.Option(help="Folder of recordings, films and screenshots.")] = Path("out/drive"),
    vehicle: Annotated[str, typer.Option(help="Blueprint of the car, or a part of its name.")] = "vehicle.tesla.model3",
    cars: Annotated[int, typer.Option(min=0, max=200, help="Other cars at the start (J adds ten).")] = 0,
    people: Annotated[int, typer.Option(min=0, max=200, help="People at the start (K adds ten).")] = 0,
    weather: Annotated[str, typer.Option(help="clear, cloudy, wet, soft rain, rain, hard rain or fog.")] = "clear",
    hour: Annotated[float, typer.Option(min=0.0, max=23.99, help="Local time of day.")] = 14.0,
    view: Annotated[str, typer.Option(help="chase, hood, bird, or a camera of the rig.")] = "chase",
    size: Annotated[str, typer.Option(help="Of the window, WIDTHxHEIGHT.")] = "1280x720",
    quality: Annotated[
        str, typer.Option(help="Share of the window's size that the camera renders, 0.2 to 1; auto keeps it fluent.")
    ] = "auto",
    fps: Annotated[float, typer.Option(min=10.0, max=120.0, help="Frames per simulated second.")] = 20.0,
    spawn: Annotated[int, typer.Option(min=0, help="Number of the start on the map.")] = 0,
    seed: Annotated[int, typer.Option(help="Of the traffic, and of a scenario's samples.")] = 0,
    sample: Annotated[int, typer.Option(min=1, help="Which sample of a scenario's distribution.")] = 1,
    gamepad: Annotated[Path | None, typer.Option(help="YAML mapping of axes and buttons; see docs/driving.md.")] = None,
    script: Annotated[Path | None, typer.Option(help="Press keys by a file instead; see docs/driving.md.")] = None,
    headless: Annotated[bool, typer.Option("--headless", help="With --script: without a display.")] = False,
) -> None:
    """Drive in a window: freely on a map, or a scenario as its ego, with its verdict at the end. H shows the keys.

    Examples: `reality drive`, `reality drive child_runs_out --seed 4`, `reality drive RealityMotorway --cars 20
    --weather rain`, `reality drive --simulator localhost:2000`.
    """
    from bridge.drive.command import DriveOptions
    from bridge.drive.command import drive as start

    options = DriveOptions(
        target, out, simulator, rig, size, quality, fps, seed, sample, vehicle, spawn, cars, people, view, weather,
        hour, gamepad, script, headless,
    )  # fmt: skip
    status = 0
    try:
        start(options, typer.echo)
    except RealityError as error:
        typer.echo(f"reality: {error}", err=True)
        status = EXIT_BAD_INPUT
    except KeyboardInterrupt:
        status = EXIT_INTERRUPTED
    # The client library joins its threads in destructors that run in no particular order at exit; skip that.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []})
def serve(context: typer.Context) -> None:
    """Serve the embedded engine to any CARLA 0.9.16 client; `reality serve --help` lists its options."""
    os.execv(sys.executable, [sys.executable, "-m", "engine", *context.args])


@app.command("list")
def list_scenarios() -> None:
    """List the scenarios and maps that ship with the project."""
    from scenarios import catalogue

    for name, entry in sorted(catalogue.SCENARIOS.items()):
        typer.echo(f"{name:<28}{entry.title}")
    for name in sorted(catalogue.MAPS):
        typer.echo(f"{name:<28}map")


@app.command()
def check(files: Annotated[list[Path], typer.Argument(help=".xodr, .xosc, rig .yaml or .space.yaml files.")]) -> None:
    """Check files without running anything: one line each; exit status 2 if one cannot be used."""
    broken = 0
    for file in files:
        try:
            typer.echo(f"{file}: {_describe(file)}")
        except RealityError as error:
            broken += 1
            typer.echo(str(error), err=True)
    if broken:
        raise typer.Exit(EXIT_BAD_INPUT)


def _describe(file: Path) -> str:
    """Read a file as whatever its ending says and return one line on what is in it."""
    if file.suffix == ".xodr":
        from scenarios import opendrive

        network = opendrive.read(file)
        notes = "".join(f"\n  {note}" for note in network.diagnostics)
        return f"{len(network.roads)} roads, {len(network.junctions)} junctions{notes}"
    if file.suffix == ".xosc":
        from scenarios.openscenario import expand, load

        concretes = expand(file, samples=1, seed=0)
        for concrete in concretes:
            load(concrete.scenario_path, concrete.parameters)
        return "1 scenario" if len(concretes) == 1 else f"{len(concretes)} concrete scenarios"
    if file.name.endswith((".space.yaml", ".space.yml")):
        from scenarios.sampling import load_space

        return f"space of {load_space(file).dimension} parameters"
    if file.suffix in (".yaml", ".yml"):
        from sensors import rig

        return f"rig with {len(rig.load(file).sensors)} sensors"
    raise InputError("is not a kind of file this program knows", file=file, remedy="give .xodr, .xosc or .yaml")


def _load_plugins() -> None:
    """Add the commands that packages above this one announce in the entry point group ``reality.commands``."""
    for entry in sorted(entry_points(group="reality.commands"), key=lambda e: e.name):
        try:
            entry.load()(app)
        except ImportError as error:
            log.warning("the command `%s` is not available: %s", entry.name, error)


def main() -> None:
    """Entry point: a user's mistake is one line and status 2, never a traceback."""
    _load_plugins()
    try:
        app()
    except RealityError as error:
        typer.echo(f"reality: {error}", err=True)
        sys.exit(EXIT_BAD_INPUT)
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit) and end.code != EXIT_INTERRUPTED:  # that is what typer makes of Ctrl-C
            raise
        typer.echo("reality: interrupted; what a run has finished is kept, the same command goes on", err=True)
        sys.exit(EXIT_INTERRUPTED)


if __name__ == "__main__":
    main()
