"""``reality space``: the command line of space audits."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Parameter spaces: what their parameters do to the picture.")

EXIT_NOT_PASSED = 1


@app.callback()
def _space() -> None:
    """Keep ``audit`` a command of its own, though it is the only one."""


@app.command()
def audit(
    target: Annotated[
        str,
        typer.Argument(
            help="`road_users`, a catalogue scenario, an OpenSCENARIO parameter value distribution (.xosc) or a space "
            "file (.yaml)."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The directory to write; audit.html is in it. Run again to go on.")],
    parameter: Annotated[list[str] | None, typer.Option(help="Only this parameter; may be repeated.")] = None,
    metric: Annotated[str, typer.Option(help="rmse or dssim: what the remaps follow; both are measured.")] = "rmse",
    configurations: Annotated[int, typer.Option(min=2, help="Base configurations to measure at.")] = 16,
    check_configurations: Annotated[int, typer.Option(min=2, help="Fresh configurations to test at.")] = 8,
    grid: Annotated[int, typer.Option(min=3, help="Values of each parameter.")] = 17,
    repeats: Annotated[int, typer.Option(min=1, help="Further renderings of a configuration, for the noise.")] = 2,
    at: Annotated[list[float] | None, typer.Option(help="Seconds into a scenario; may be repeated (3).")] = None,
    store: Annotated[Path | None, typer.Option(help="The remap file to write (OUT/remaps.json).")] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Fit nothing: test whether the remaps in --store still hold.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Engines at work; 0 takes one for each processor core.")] = 0,
    seed: Annotated[int, typer.Option(help="Of configurations and world; same seed, same figures.")] = 0,
) -> None:
    """Measure how much each parameter changes the picture, fit the remaps that even it out, and test them.

    Examples: `reality space audit road_users --parameter distance --out out/audit`,
    `reality space audit child_runs_out --at 3 --out out/child`.

    Exit status: 0 when every parameter is well-behaved after its remap (choices have no order and pass), 1 when one is
    uneven, not separable or has no influence, 2 for unusable input.
    """
    from bridge.space import measuring, page, targets, verdicts
    from bridge.studio.pool import default_workers
    from foundation.errors import RealityError
    from scenarios.sampling.files import save_remaps

    if metric not in measuring.METRICS:
        raise RealityError(f"--metric {metric}: expected {' or '.join(measuring.METRICS)}")
    if any(not 0.0 < moment <= 600.0 for moment in at or ()):
        raise RealityError(f"--at {min(at or ())}: expected seconds above 0 and up to 600")
    chosen = targets.resolve(target, tuple(at or (3.0,)))
    names = tuple(dict.fromkeys(parameter or chosen.space.names))
    for name in names:
        chosen.space.axis(name)
    where = store or out / "remaps.json"
    options = measuring.Options(metric, configurations, check_configurations, grid, repeats, seed)
    fresh = not (out / "work").exists()
    began = time.monotonic()
    console = _Console()
    with chosen.renderer(workers or default_workers(), seed) as renderer:
        if check:
            found = measuring.check(chosen, names, options, out, renderer, console.tell, where)
        else:
            found = measuring.audit(chosen, names, options, out, renderer, console.tell)
        seconds = time.monotonic() - began
        strips = {name: measuring.strip(chosen.space, name, options, renderer) for name in names}
    console.end()
    if not check:
        save_remaps(where, found.remapped)
    path = page.write(found, chosen, options, strips, out, seconds if fresh else None)
    rows = verdicts.rows(found)
    for row in rows:
        evenness = "" if row.cv_before is None else f"CV {row.cv_before:.2f} -> {row.cv_after:.2f}"
        typer.echo(f"{row.rank:>3} {row.name:<22}{row.total:9.4f}  {evenness:<18}{row.verdict}")
    typer.echo(f"noise {max(row.noise for row in rows):.2g}; open {path}" + ("" if check else f"; remaps: {where}"))
    if not all(row.passes for row in rows):
        raise typer.Exit(EXIT_NOT_PASSED)


class _Console:
    """Says on standard error how far the audit is and how long it will take."""

    PERIOD_S = 1.0

    def __init__(self) -> None:
        self._last = 0.0
        self._what = ""
        self._terminal = sys.stderr.isatty()
        self._drawn = 0

    def tell(self, progress: object) -> None:
        """Take a measuring.Progress."""
        from bridge.space.measuring import Progress

        assert isinstance(progress, Progress)
        self._drawn += 1
        now = time.monotonic()
        due = now - self._last >= self.PERIOD_S if self._terminal else progress.what != self._what
        if not due:
            return
        self._last, self._what = now, progress.what
        left = "" if progress.left_s is None else f", {_duration(progress.left_s)} left"
        line = f"{progress.done}/{progress.total} pictures, {progress.what}{left}"
        typer.echo(f"\r{line:<78}" if self._terminal else line, nl=not self._terminal, err=True)

    def end(self) -> None:
        """Leave the line."""
        if self._terminal and self._drawn:
            typer.echo("", err=True)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
