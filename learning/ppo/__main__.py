"""``python -m learning.ppo --out out/ppo``: train, compare on held-out parameters, write curve and table."""

from __future__ import annotations

import json
import logging
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from foundation.errors import RealityError
from learning.ppo.evaluate import USUAL

CURVE_PICTURE = "curve.png"


def main(
    out: Annotated[Path, typer.Option(help="The directory to write.")],
    steps: Annotated[int, typer.Option(min=1, help="Decisions to train for, in all environments together.")] = 40_000,
    envs: Annotated[int, typer.Option(min=1, help="Environments, each with an engine of its own.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the training; the held-out episodes stay the same.")] = 0,
    episodes: Annotated[int, typer.Option(min=1, help="Held-out episodes for each driver.")] = 200,
    held_out_seed: Annotated[
        int | None, typer.Option(min=0, help="Other held-out episodes than the usual ones.")
    ] = None,
    drivers: Annotated[str, typer.Option(help="Who is compared, separated by commas.")] = ",".join(USUAL),
    rollout: Annotated[int, typer.Option(min=16, help="Decisions of each environment between two updates.")] = 128,
    simulator: Annotated[str, typer.Option(help="embedded, HOST:PORT, binary:PATH or docker:IMAGE.")] = "embedded",
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the last checkpoint and evaluation.")] = False,
) -> None:
    """Learn not to hit the child in child_runs_out, and compare the result with others on held-out episodes.

    Writes model.zip, untrained.zip, curve.csv, curve.png, table.md and evaluation/ (a Minari data set of each driver).
    """
    from learning.ppo import chart, evaluate
    from learning.ppo.train import CURVE, MODEL, UNTRAINED, Point, TrainOptions, read_curve, train

    def tell(point: Point) -> None:
        typer.echo(
            f"{point.steps:>8} decisions {point.wall_s:>6.0f} s  return {point.mean_return:>7.2f}  "
            f"collisions {100 * point.collision_rate:>5.1f} %  goal {100 * point.goal_rate:>5.1f} %  "
            f"speed {point.mean_speed_mps:>5.2f} m/s"
        )

    # The last rollout is collected whole, so a number of steps that rollouts do not divide would be exceeded.
    options = TrainOptions(
        steps=max(1, round(steps / (envs * rollout))) * envs * rollout, envs=envs, seed=seed, rollout=rollout,
        batch=min(64, envs * rollout), simulator=simulator,
    )  # fmt: skip
    who = evaluate.contestants(out / UNTRAINED, out / MODEL, [name.strip() for name in drivers.split(",")])
    train(options, out, resume=resume, tell=tell)
    curve = read_curve(out / CURVE)
    chart.draw(out / CURVE_PICTURE, [(f"seed {seed}", curve)])
    rows = evaluate.evaluate(
        who,
        out / "evaluation",
        episodes,
        seed=evaluate.SEED if held_out_seed is None else held_out_seed,
        workers=envs,
        simulator=simulator,
    )
    table, verdict = evaluate.markdown(rows), evaluate.verdict(rows)
    (out / evaluate.TABLE).write_text(f"{table}\n{verdict}\n", encoding="utf-8")
    (out / "evaluation.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    wall_s = curve[-1].wall_s if curve else 0.0
    typer.echo(f"\n{table}\ntrained for {curve[-1].steps} decisions in {wall_s / 60:.1f} min\n{verdict}")


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        typer.run(main)
    except RealityError as error:
        typer.echo(f"learning.ppo: {error}", err=True)
        sys.exit(2)
    except KeyboardInterrupt:
        typer.echo("learning.ppo: interrupted; continue with --resume", err=True)
        sys.exit(130)
