"""``reality improve CONFIG``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the program; whatever is heavy is imported when it is called."""
    app.command()(improve)


def improve(
    config: Annotated[Path, typer.Argument(help="A YAML file: task, rounds, samples, sampler, network, training.")],
    out: Annotated[Path | None, typer.Option(help="The run's folder; out/improve/CONFIG if left out.")] = None,
    rounds: Annotated[int | None, typer.Option(min=1, help="Instead of the config's; more continue a run.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue a run that was interrupted.")] = False,
    seed: Annotated[int | None, typer.Option(help="Instead of the config's; same seed, same bytes.")] = None,
    workers: Annotated[int, typer.Option(min=1, help="Processes that produce samples.")] = 1,
    inspect: Annotated[bool, typer.Option(help="Look into the last network: Grad-CAM, filters, occlusion.")] = True,
) -> None:
    """Improve a network by making the data it lacks: generate, train, evaluate, and sample where it errs; again.

    Example: `reality improve examples/improve_road_users.yaml --out out/road_users --workers 2`.
    """
    from learning.loop.config import load
    from learning.loop.improve import Loop
    from learning.loop.registry import find

    settings = load(config)
    changes = {key: value for key, value in (("rounds", rounds), ("seed", seed)) if value is not None}
    settings = settings.model_copy(update=changes)
    sys.path.insert(0, str(Path.cwd()))  # so that `task: my_module:task` finds what lies where the user is
    task = find(settings.task, str(config))
    folder = out or Path("out") / "improve" / config.stem
    loop = Loop(settings, task, folder, workers=workers, resume=resume, progress=lambda line: typer.echo(line))
    outcome = loop.run(inspect=inspect)
    last = outcome.rounds[-1]
    for sentence in (*last["test"]["weak_classes"], *(r["words"] for r in last["test"]["weak_regions"])):
        typer.echo(f"weak: {sentence}")
    typer.echo(
        f"{len(outcome.rounds)} networks, the last one trained on {last['trained_on']} samples; open {outcome.report}"
    )
