"""``reality episodes``: added to the program through the entry point group ``reality.commands``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from foundation.errors import RealityError


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("episodes")(episodes)


def episodes(
    env: Annotated[
        str, typer.Argument(help="A registered environment's id, the name of a catalogue scenario, or an .xosc file.")
    ],
    policy: Annotated[
        str, typer.Option(help="random, idm, aeb, module:Class, or FILE.zip saved by Stable-Baselines3.")
    ],
    out: Annotated[Path, typer.Option(help="The directory to write; MINARI_DATASETS_PATH for who loads the data set.")],
    number: Annotated[int, typer.Option("--episodes", "-n", min=1, help="How many.")] = 10,
    seed: Annotated[int, typer.Option(help="Same seed, same content, whatever the number of workers.")] = 0,
    workers: Annotated[int, typer.Option(min=1, help="Processes, each with a simulator of its own.")] = 1,
    video: Annotated[bool, typer.Option("--video", help="Write an MP4 of each episode, too.")] = False,
    observation: Annotated[
        str | None, typer.Option(help="What the policy sees, instead of the environment's default: state, ...")
    ] = None,
    setting: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Another argument of the environment; VALUE as JSON or text."),
    ] = None,
    simulator: Annotated[
        str, typer.Option(help="embedded, HOST:PORT, binary:PATH/CarlaUE4.sh or docker:IMAGE.")
    ] = "embedded",
    resume: Annotated[bool, typer.Option("--resume", help="Keep what an equal, interrupted run finished.")] = False,
) -> None:
    """Play episodes and write them as a Minari data set, with a table of outcomes and a summary.

    Examples: `reality episodes child_runs_out --policy aeb --episodes 20 --out out/aeb --workers 2`,
    `reality episodes reality/child_runs_out-v0 --policy my_policy:Mine --video --out out/mine`.

    A policy is an object with reset(seed) and act(observation, info); docs/episodes.md says more. Exit status: 0 when
    all episodes were played (whatever became of them), 2 when not; the finished ones are then kept for --resume.
    """
    from learning.episodes.run import EpisodesOptions, collect

    arguments = _arguments(setting or [])
    if observation is not None:
        arguments["observation"] = observation
    options = EpisodesOptions(env, policy, number, seed, video, simulator, arguments)
    collected = collect(options, out, workers=workers, resume=resume)
    for line in collected.summary.lines():
        typer.echo(line)
    if collected.repeated:
        typer.echo(f"repeated        {', '.join(str(n) for n in sorted(collected.repeated))} (after a failure)")
    typer.echo(f"MINARI_DATASETS_PATH={out} holds the data set {collected.dataset_id}")


def _arguments(settings: list[str]) -> dict[str, Any]:
    """Read NAME=VALUE pairs; a value that is no JSON is a text."""
    arguments: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        if not sign or not name.isidentifier():
            raise RealityError(f"--set {setting}: expected NAME=VALUE")
        try:
            arguments[name] = json.loads(value)
        except json.JSONDecodeError:
            arguments[name] = value
    return arguments
