"""``reality map``: check, draw, convert and compose OpenDRIVE road networks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import InputError

app = typer.Typer(no_args_is_help=True, help="Road networks: check, draw, convert and compose OpenDRIVE files.")

EXIT_ERRORS = 1
_LEVELS = {"error": 1, "warning": 2, "note": 3}


@app.command()
def check(
    files: Annotated[list[Path], typer.Argument(help=".xodr files.")],
    as_json: Annotated[bool, typer.Option("--json", help="One JSON list for machines instead of lines.")] = False,
    level: Annotated[str, typer.Option(help="Least severity that is printed: error, warning or note.")] = "note",
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors in the exit status.")] = False,
) -> None:
    """Validate OpenDRIVE files: gaps, kinks, overlaps, wrong links, dead ends, each with file, line, road and s.

    Exit status: 0 when no file has an error, 1 when one has, 2 when a file cannot be read from disk.
    """
    from scenarios.opendrive.check import check as check_file

    if level not in _LEVELS:
        raise InputError(f"--level {level}: expected error, warning or note", file="command line")
    reports = [check_file(path) for path in files]
    shown = {severity for severity, rank in _LEVELS.items() if rank <= _LEVELS[level]}
    if as_json:
        entries = [report.as_dict() for report in reports]
        for entry in entries:
            entry["findings"] = [finding for finding in entry["findings"] if finding["severity"] in shown]
        typer.echo(json.dumps(entries, indent=1))
    else:
        for report in reports:
            for finding in report:
                if finding.severity in shown:
                    typer.echo(finding.text(report.file))
            counts = report.counts
            typer.echo(f"{report.file}: {counts['error']} errors, {counts['warning']} warnings, {counts['note']} notes")
    if not all(report.sound and not (strict and report.counts["warning"]) for report in reports):
        raise typer.Exit(EXIT_ERRORS)


@app.command()
def show(
    file: Annotated[Path, typer.Argument(help="An .xodr file.")],
    out: Annotated[Path, typer.Option(help="The picture to write: .png or .svg.")],
    road: Annotated[list[str] | None, typer.Option(help="Only this road; may be repeated.")] = None,
    bbox: Annotated[str | None, typer.Option(help="Only this box: WEST,SOUTH,EAST,NORTH in metres.")] = None,
    heights: Annotated[bool, typer.Option(help="Shade the ground by its height.")] = True,
    labels: Annotated[bool, typer.Option(help="Write road ids.")] = True,
    inches: Annotated[float, typer.Option(min=3.0, max=60.0, help="Longer side of the plan.")] = 12.0,
    dpi: Annotated[int, typer.Option(min=40, max=600, help="Pixels an inch.")] = 150,
) -> None:
    """Draw a plan view: lanes by type, paint, signals, objects, road ids, direction of traffic, scale, legend.

    Examples: `reality map show town.xodr --out town.png`, `... --out corner.svg --bbox 60,60,140,120`.
    """
    from scenarios import opendrive
    from scenarios.opendrive.drawing import PlanOptions, draw

    box = None
    if bbox is not None:
        try:
            west, south, east, north = (float(word) for word in bbox.split(","))
        except ValueError:
            raise InputError(f"--bbox {bbox}: expected WEST,SOUTH,EAST,NORTH", file="command line") from None
        box = (west, south, east, north)
    options = PlanOptions(tuple(road or ()), box, heights, labels, inches, dpi)
    typer.echo(draw(opendrive.read(file), out, options))


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="An OpenStreetMap extract (.osm, XML).")],
    out: Annotated[Path, typer.Option(help="The .xodr file to write.")],
    lane_width: Annotated[float, typer.Option(min=2.0, max=6.0, help="Metres.")] = 4.0,
    lights: Annotated[bool, typer.Option(help="Make traffic lights where OSM has them.")] = True,
    center: Annotated[bool, typer.Option(help="Put the map's middle at the origin.")] = True,
) -> None:
    """Convert OpenStreetMap to OpenDRIVE by the converter of CARLA's client; the result is read before it is written.

    Example: `reality map convert quarter.osm --out quarter.xodr`, then `reality map check quarter.xodr`.
    """
    from scenarios.opendrive.converting import from_osm

    typer.echo(from_osm(file, out, lane_width_m=lane_width, lights=lights, center=center))


@app.command()
def compose(
    file: Annotated[Path, typer.Argument(help="A YAML file: kind, name and parameters of a network.")],
    out: Annotated[Path, typer.Option(help="The .xodr file to write.")],
) -> None:
    """Build a road network from a declarative file; kinds: corridor, street, junction, roundabout, town, small_town,
    motorway.

    Example: `kind: corridor`, `bend_deg: 40`, `crest_m: 3`, `features: [{kind: zebra, s_m: 60, island_m: 2}]`.
    Example: `kind: roundabout`, `arms: [{bearing_deg: 0}, {bearing_deg: 120}, {bearing_deg: 240}]`.
    """
    from scenarios.opendrive.compose.declared import compose_file

    text = compose_file(file)
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror}", file=out) from error
    typer.echo(out)
