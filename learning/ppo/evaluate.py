"""The comparison: untrained, trained and hand-written drivers on the same held-out episodes."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from foundation.errors import RealityError
from learning.episodes.record import Outcome
from learning.episodes.run import EpisodesOptions, collect
from learning.episodes.statistics import Mean, Rate, mean, rate
from learning.ppo import ENV_NAME

log = logging.getLogger(__name__)

SEED = 987_654
"""Of the held-out episodes: the same for every training, whatever its seed, so that figures can be compared."""
TABLE = "table.md"
NAMES = ("random", "untrained", "untrained-mode", "idm", "aeb", "trained")
"""Who can be compared. ``untrained`` draws its actions, as PPO does before its first update; ``-mode`` does not."""
USUAL = ("random", "untrained", "idm", "aeb", "trained")


@dataclass(frozen=True)
class Contestant:
    """Who drives: the name in the table, the policy, and whether it drives through the cruise control."""

    name: str
    policy: str
    cruise: bool = True


@dataclass(frozen=True)
class Row:
    """What became of a contestant in the held-out episodes.

    Attributes:
        name: of the contestant.
        collision, goal: rates with intervals. ``goal``: past the child, the storyboard's own end.
        way: share of the way to the goal that was covered, mean over all episodes.
        relative_speed: mean speed over the speed the episode began with, mean over all episodes.
        goal_time_s: how long it took those who arrived, and relative to keeping the speed all the time.
        goal_delay_s: seconds lost by those who arrived against keeping the speed.
        impact_mps: of those who collided.
    """

    name: str
    collision: Rate
    goal: Rate
    way: Mean
    speed_mps: Mean
    relative_speed: Mean
    goal_time_s: Mean
    goal_delay_s: Mean
    impact_mps: Mean
    reward: Mean


def contestants(untrained: Path, trained: Path, names: Sequence[str] = NAMES) -> tuple[Contestant, ...]:
    """Return those of ``names``, in the order of the table.

    Raises:
        RealityError: there is no driver of that name.
    """
    everybody = (
        Contestant("random", "random"),
        Contestant("untrained", f"{untrained}:sampled"),
        Contestant("untrained-mode", str(untrained)),
        Contestant("idm", "idm", cruise=False),
        Contestant("aeb", "aeb", cruise=False),
        Contestant("trained", str(trained)),
    )
    unknown = sorted(set(names) - set(NAMES))
    if unknown:
        raise RealityError(f"--drivers: there is no driver {unknown[0]!r}; there are {', '.join(NAMES)}")
    return tuple(entry for entry in everybody if entry.name in names)


def evaluate(
    who: Sequence[Contestant],
    out: Path,
    episodes: int,
    *,
    seed: int = SEED,
    workers: int = 2,
    simulator: str = "embedded",
    console: Console | None = None,
) -> list[Row]:
    """Play the held-out episodes with everybody (what is finished in ``out`` stays) and return the table's rows.

    Each contestant's episodes are a Minari data set of its own below ``out``.
    """
    console = console or Console(stderr=True)
    rows = []
    for entry in who:
        console.print(f"held-out episodes: {entry.name}")
        arguments: dict[str, object] = {"split": "held_out"}
        if not entry.cruise:
            arguments["cruise"] = False
        options = EpisodesOptions(ENV_NAME, entry.policy, episodes, seed=seed, simulator=simulator, arguments=arguments)
        folder = out / entry.name
        collected = collect(options, folder, workers=workers, resume=folder.exists(), console=console)
        rows.append(row(entry.name, collected.outcomes))
    return rows


def goal_m(outcome: Outcome) -> float:
    """Return the length of an episode's way: the storyboard's $_PassedDistance."""
    return 5.5 * begun_mps(outcome) + 30.0


def begun_mps(outcome: Outcome) -> float:
    """Return the speed an episode began with."""
    return float(outcome.parameters["EgoSpeedKmh"]) / 3.6


def row(name: str, outcomes: Sequence[Outcome]) -> Row:
    """Return the row of a contestant."""
    arrived = [o for o in outcomes if o.goal]
    return Row(
        name=name,
        collision=rate(o.collision for o in outcomes),
        goal=rate(o.goal for o in outcomes),
        way=mean(min(1.0, max(0.0, o.distance_m / goal_m(o))) for o in outcomes),
        speed_mps=mean(o.mean_speed_mps for o in outcomes),
        relative_speed=mean(o.mean_speed_mps / begun_mps(o) for o in outcomes),
        goal_time_s=mean(o.duration_s for o in arrived),
        goal_delay_s=mean(o.duration_s - goal_m(o) / begun_mps(o) for o in arrived),
        impact_mps=mean(o.impact_speed_mps for o in outcomes),
        reward=mean(o.reward for o in outcomes),
    )


def markdown(rows: Sequence[Row]) -> str:
    """Return the table as Markdown."""
    head = (
        "driver", "collision rate (95 %)", "goal reached", "way covered", "mean speed, m/s", "of begun speed",
        "time to goal, s", "delay, s", "impact, m/s", "return",
    )  # fmt: skip
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    for entry in rows:
        cells = (
            entry.name,
            _rate(entry.collision),
            f"{100 * entry.goal.value:.1f} %",
            f"{100 * entry.way.value:.1f} %",
            _number(entry.speed_mps),
            _number(entry.relative_speed),
            _number(entry.goal_time_s, 1),
            _number(entry.goal_delay_s, 1),
            _number(entry.impact_mps, 1),
            _number(entry.reward),
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def verdict(rows: Sequence[Row]) -> str:
    """Return in words whether collisions fell at least fivefold with progress kept; "" if not all three were compared.

    Progress is kept when the trained driver covers at least 90 % of what ``aeb`` covers of its way, arrives at least
    90 % as often, and those who arrive are at least 90 % as fast on average.
    """
    by_name = {entry.name: entry for entry in rows}
    if not {"untrained", "trained", "aeb"} <= set(by_name):
        return ""
    before, after, careful = by_name["untrained"], by_name["trained"], by_name["aeb"]
    if after.collision.value:
        fall = f"{before.collision.value / after.collision.value:.1f}-fold"
    else:
        fall = f"to none, at least {before.collision.value / after.collision.high:.1f}-fold at the interval's limit"
    fivefold = 0.0 < before.collision.value >= 5.0 * after.collision.value
    way, arrivals = _ratio(after.way.value, careful.way.value), _ratio(after.goal.value, careful.goal.value)
    pace = _ratio(careful.goal_time_s.value, after.goal_time_s.value)
    kept = min(way, arrivals, pace) >= 0.9 and not math.isnan(way + arrivals + pace)
    return (
        f"collision rate {100 * before.collision.value:.1f} % -> {100 * after.collision.value:.1f} % ({fall}): "
        f"fivefold {'reached' if fivefold else 'MISSED'}; beside aeb {way:.2f} of the way, {arrivals:.2f} of the "
        f"arrivals, {pace:.2f} of the pace of those who arrive: progress {'kept' if kept else 'NOT KEPT'}"
    )


def _ratio(value: float, reference: float) -> float:
    return value / reference if reference else math.nan


def _rate(value: Rate) -> str:
    return f"{100 * value.value:.1f} % ({100 * value.low:.1f}..{100 * value.high:.1f})"


def _number(value: Mean, digits: int = 2) -> str:
    return f"{value.value:.{digits}f}" if value.total else "-"
