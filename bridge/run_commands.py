"""Commands about runs: `reality run`, `reality report`, `reality compare`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import RealityError

EXIT_NOT_PASSED = 1


def run(
    targets: Annotated[
        list[str],
        typer.Argument(
            help="`catalogue` (every shipped scenario), names of catalogue scenarios, .xosc files (scenarios or "
            "parameter value distributions), folders of them; with --resume the folder of an earlier run."
        ),
    ],
    out: Annotated[Path | None, typer.Option(help="The run directory to write; report.html is in it.")] = None,
    samples: Annotated[int, typer.Option(min=1, help="Concrete scenarios drawn from each distribution.")] = 1,
    seed: Annotated[
        list[str] | None, typer.Option(help="Same seed, same bytes. Several: repeat it, or write 1,2,7 or 0-9. [0]")
    ] = None,
    rig: Annotated[
        list[str] | None,
        typer.Option(help="Sensors on the ego: a shipped rig, a YAML file, or none; may be repeated. [default]"),
    ] = None,
    workers: Annotated[int, typer.Option(min=1, help="Scenarios that run at the same time.")] = 1,
    simulator: Annotated[
        str, typer.Option(help="embedded, HOST:PORT, binary:PATH/CarlaUE4.sh or docker:IMAGE.")
    ] = "embedded",
    step: Annotated[float, typer.Option(min=0.001, max=0.1, help="Simulated seconds per frame.")] = 0.05,
    max_time: Annotated[float, typer.Option(min=0.1, help="Stop a scenario after so many simulated seconds.")] = 120.0,
    ego: Annotated[
        str,
        typer.Option(help="Who drives the ego: module:Class?option=value, constant, aeb, lane_keeper. [the scenario]"),
    ] = "",
    ego_deadline: Annotated[float, typer.Option(min=0.01, help="Seconds that --ego may take for a step.")] = 10.0,
    video: Annotated[bool, typer.Option(help="Keep the first camera of the rig as an MP4.")] = True,
    retries: Annotated[
        int, typer.Option(min=0, help="Further tries for a scenario whose worker or simulator was lost.")
    ] = 5,
    unit_timeout: Annotated[
        float | None, typer.Option(min=0.1, help="Wall seconds that one scenario may take. [no limit]")
    ] = None,
    unit_memory: Annotated[
        float | None, typer.Option(min=1.0, help="Megabytes that one scenario may need, engine included. [no limit]")
    ] = None,
    plan_only: Annotated[bool, typer.Option("--plan-only", help="Write plan.json and run nothing.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted run: `reality run --resume DIR`.")
    ] = False,
) -> None:
    """Run scenarios headless: synchronized labelled frames, outcomes, tables, junit.xml and report.html.

    An interrupted run goes on with the same command, or with `reality run --resume DIR`; nothing finished is lost or
    run twice.

    Examples: `reality run catalogue --out out/first --samples 3 --workers 2`,
    `reality run child_runs_out --rig none --seed 0-9 --ego aeb --out out/aeb`.

    Exit status: 0 when no scenario ended in an error, 1 when one did, 2 for unusable input.
    A scenario whose criteria fail is a result, not an error; look into junit.xml for those.
    """
    from bridge import run as runs

    effort = runs.Effort(workers, retries, runs.Limits(unit_timeout, unit_memory))
    if out is None:
        if not resume or len(targets) != 1:
            raise RealityError("--out is missing: the directory to write (or --resume DIR, to go on with a run)")
        out = Path(targets[0])
        results = runs.resume(out, effort)
    else:
        options = runs.RunOptions(
            tuple(targets), samples, _seeds(seed), tuple(rig or ("default",)), simulator, step, max_time, ego,
            ego_deadline, video,
        )  # fmt: skip
        if plan_only:
            plan = runs.prepare(options, out, command=sys.argv)
            typer.echo(f"{len(plan.units)} scenarios planned: {out / 'plan.json'} ({plan.digest[:12]})")
            return
        results = runs.run(options, out, effort, command=sys.argv)
    for result in results:
        typer.echo(f"{result.verdict:<13}{result.unit.name:<40}{'; '.join(result.reasons)}")
    frames = sum(result.frames for result in results)
    typer.echo(f"{len(results)} scenarios, {frames} frames; open {out / 'report.html'}")
    if any(result.verdict == "error" for result in results):
        raise typer.Exit(EXIT_NOT_PASSED)


def report(directory: Annotated[Path, typer.Argument(help="The --out of an earlier run.")]) -> None:
    """Write report.html and the tables of a run again, for instance while it still runs."""
    from bridge import planfile, tables
    from bridge.report import write_report
    from bridge.run import read_results

    results = read_results(planfile.read(directory), directory)
    tables.write(directory, results)
    typer.echo(write_report(directory))


def compare(
    before: Annotated[Path, typer.Argument(metavar="RUN_A", help="The --out of the run to compare with.")],
    after: Annotated[Path, typer.Argument(metavar="RUN_B", help="The --out of the run that is judged.")],
    tolerance: Annotated[
        float, typer.Option(min=0.0, help="Metrics that differ by less than this share are the same.")
    ] = 0.01,
    out: Annotated[Path | None, typer.Option(help="Also write the comparison as JSON.")] = None,
) -> None:
    """Compare two runs unit by unit: changed verdicts, differences of metrics.

    Units are the same when scenario, parameters, seed and rig are. Exit status: 0 when nothing got worse, 1 when
    something did (a verdict, or a metric that has a better and a worse side), 2 when they cannot be compared.
    """
    from bridge.compare import compare_runs, lines

    found = compare_runs(before, after, tolerance)
    if out is not None:
        from bridge.planfile import write_json

        write_json(out, found.as_dict())
    for line in lines(found):
        typer.echo(line)
    if found.worse:
        raise typer.Exit(EXIT_NOT_PASSED)


def register(app: typer.Typer) -> None:
    """Add the commands to the program."""
    for command in (run, report, compare):
        app.command()(command)


def _seeds(texts: list[str] | None) -> tuple[int, ...]:
    """Return the seeds of ``7``, ``1,2,7`` or ``0-9``, in order.

    Raises:
        RealityError: a text is none of these.
    """
    found: list[int] = []
    for text in texts or ["0"]:
        for part in text.split(","):
            first, dash, last = part.strip().rpartition("-")
            try:
                if dash and first:
                    found += range(int(first), int(last) + 1)
                else:
                    found.append(int(part))
            except ValueError:
                raise RealityError(f"--seed {text}: expected a number, 1,2,7 or 0-9") from None
    if not found:
        raise RealityError(f"--seed {' '.join(texts or [])}: holds no seed")
    return tuple(found)
