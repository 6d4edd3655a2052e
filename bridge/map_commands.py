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


@app.callback()
def _map() -> None:
    """Keep ``check`` a command of its own."""


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
