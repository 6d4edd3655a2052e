"""``reality scenario``: scenarios as files, without any server: trace, list, show, sample, expand."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Scenarios as files: look into them, make concrete ones, trace them.")

Target = Annotated[Path, typer.Argument(metavar="FILE", help="A .xosc file, or the name of a catalogue scenario.")]
Parameters = Annotated[
    list[str] | None, typer.Option("--param", metavar="NAME=VALUE", help="A parameter's value; may be repeated.")
]


def find(target: Path) -> Path:
    """Return the scenario file a word on the command line means: the file itself, or a catalogue entry's."""
    from scenarios import catalogue

    if not target.exists() and str(target) in catalogue.SCENARIOS:
        return catalogue.SCENARIOS[str(target)].scenario
    return target


@app.command("trace")
def trace_command(
    file: Target,
    out: Annotated[Path, typer.Option(help="The CSV file to write; .csv.gz is compressed.")],
    events: Annotated[
        Path | None, typer.Option(help="CSV file of the storyboard's transitions. Default: OUT with .events.csv.")
    ] = None,
    dt: Annotated[float, typer.Option(help="Seconds between rows.")] = 0.05,
    step: Annotated[float, typer.Option(help="Longest step of the executor in seconds, at most --dt.")] = 0.01,
    max_time: Annotated[float, typer.Option(help="Stop after so many simulated seconds.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of the scenario's own randomness (traffic).")] = 0,
    param: Parameters = None,
) -> None:
    """Run a scenario by the executor alone, with default controllers, and write where everybody was.

    Example: `reality scenario trace cut-in.xosc --out cut-in.csv --dt 0.05 --param HeadwayTime=0.5`.
    """
    from scenarios.openscenario import load
    from scenarios.openscenario.tracing import settings, trace

    scenario = load(find(file), settings(param or []))
    run = trace(scenario, out, events, dt_s=dt, step_s=step, max_time_s=max_time, seed=seed)
    for note in run.notes:
        typer.echo(f"note: {note}", err=True)
    end = "storyboard complete" if run.execution.finished else "cut by --max-time"
    typer.echo(f"{out}: {run.execution.time_s:.2f} s, {len(run.execution.events)} transitions, {end}")


@app.command("list")
def list_command() -> None:
    """List the scenarios of the catalogue by families: name, map, title."""
    from scenarios import catalogue

    for family, entries in catalogue.families().items():
        typer.echo(f"{family}:")
        for entry in entries:
            typer.echo(f"  {entry.name:<24}{entry.map_name:<20}{entry.title}")


@app.command("draw")
def draw_command(file: Target, out: Annotated[Path, typer.Option(help="The picture to write: .png or .svg.")]) -> None:
    """Draw a scenario from above at its defaults: map, entities, and everybody's way until the ego meets somebody.

    Example: `reality scenario draw ccftap --out ccftap.png`.
    """
    from scenarios.catalogue.diagrams import draw_scenario

    typer.echo(draw_scenario(find(file), out))


@app.command("show")
def show_command(file: Target) -> None:
    """Show a scenario's map, entities, parameters with their limits, and what a distribution draws them from."""
    from scenarios.openscenario.concrete import describe

    for line in describe(distribution_of(file)):
        typer.echo(line)


@app.command("sample")
def sample_command(
    file: Target,
    out: Annotated[Path, typer.Option(help="The folder to write concrete .xosc files and samples.csv into.")],
    samples: Annotated[int, typer.Option("--samples", "-n", min=1, help="How many concrete scenarios.")] = 10,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
) -> None:
    """Draw concrete scenarios from a distribution and write each as a file that can be kept, hashed and run.

    Example: `reality scenario sample child_runs_out --out out/samples -n 20 --seed 4`.
    """
    _write(file, out, samples, seed)


@app.command("expand")
def expand_command(
    file: Target,
    out: Annotated[
        Path | None, typer.Option(help="Write concrete .xosc files and samples.csv into this folder.")
    ] = None,
) -> None:
    """Expand a deterministic distribution into all its parameter sets: printed, or written as files with --out.

    A stochastic distribution has no end of them: use `sample`.
    """
    from scenarios.openscenario.concrete import point_line, points

    if out is not None:
        _write(file, out, None, 0)
        return
    for name, point in points(distribution_of(file)):
        typer.echo(point_line(name, point))


def distribution_of(target: Path) -> Path:
    """Return the file a word means: of a catalogue scenario its distribution."""
    from scenarios import catalogue

    if not target.exists() and str(target) in catalogue.SCENARIOS:
        return catalogue.SCENARIOS[str(target)].distribution
    return target


def _write(file: Path, out: Path, samples: int | None, seed: int) -> None:
    from scenarios.openscenario.concrete import write_concrete

    written = write_concrete(distribution_of(file), out, samples, seed)
    for path, digest in written:
        typer.echo(f"{digest}  {path}")
