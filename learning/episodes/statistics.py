"""What a number of episodes says about a policy: rates with exact intervals, means with their spread."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from learning.episodes.record import Outcome


@dataclass(frozen=True)
class Rate:
    """A share of episodes and its two-sided Clopper-Pearson interval.

    Attributes:
        count, total: in how many of how many episodes it happened.
        low, high: limits of the interval; with a probability of at least ``confidence`` they enclose the true rate.
    """

    count: int
    total: int
    low: float
    high: float
    confidence: float = 0.95

    @property
    def value(self) -> float:
        """The share itself, NaN without an episode."""
        return self.count / self.total if self.total else float("nan")

    def __str__(self) -> str:
        if not self.total:
            return "no episode"
        return f"{100 * self.value:.1f} % ({100 * self.low:.1f}..{100 * self.high:.1f} %, {self.count} of {self.total})"


def rate(happened: Iterable[bool], confidence: float = 0.95) -> Rate:
    """Return the share of true values with its exact interval (Clopper and Pearson, Biometrika 26, 1934).

    The limits are quantiles of beta distributions: B(a/2; k, n - k + 1) and B(1 - a/2; k + 1, n - k), with
    a = 1 - confidence; 0 and 1 where k = 0 and k = n.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    from scipy.special import betaincinv

    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence {confidence} is not between 0 and 1")
    values = [bool(value) for value in happened]
    k, n, tail = sum(values), len(values), 0.5 * (1.0 - confidence)
    low = 0.0 if k == 0 else float(betaincinv(k, n - k + 1, tail))
    high = 1.0 if k == n else float(betaincinv(k + 1, n - k, 1.0 - tail))
    return Rate(k, n, low, high, confidence)


@dataclass(frozen=True)
class Mean:
    """A mean over episodes: value, its standard error, and how many episodes had the quantity at all."""

    value: float
    standard_error: float
    total: int

    def __str__(self) -> str:
        return f"{self.value:.2f} +- {self.standard_error:.2f}" if self.total else "no episode"


def mean(values: Iterable[float | None]) -> Mean:
    """Return the mean of those values that exist (None and NaN do not)."""
    present = np.array([v for v in values if v is not None and not np.isnan(v)], dtype=np.float64)
    if not len(present):
        return Mean(float("nan"), float("nan"), 0)
    error = float(present.std(ddof=1) / np.sqrt(len(present))) if len(present) > 1 else float("nan")
    return Mean(float(present.mean()), error, len(present))


@dataclass(frozen=True)
class Summary:
    """A policy's episodes in figures; see :class:`~learning.episodes.record.Outcome` for what each one is."""

    episodes: int
    steps: int
    collision: Rate
    goal: Rate
    reasons: dict[str, int]
    reward: Mean
    min_ttc_s: Mean
    impact_speed_mps: Mean
    mean_speed_mps: Mean
    distance_m: Mean
    goal_time_s: Mean

    def lines(self) -> list[str]:
        """Return the summary for people, one figure a line."""
        ended = ", ".join(f"{reason} {count}" for reason, count in sorted(self.reasons.items()))
        return [
            f"episodes        {self.episodes} ({self.steps} steps)",
            f"ended           {ended}",
            f"collision       {self.collision}",
            f"goal reached    {self.goal}",
            f"return          {self.reward}",
            f"min TTC         {self.min_ttc_s} s",
            f"impact speed    {self.impact_speed_mps} m/s ({self.impact_speed_mps.total} collisions)",
            f"mean speed      {self.mean_speed_mps} m/s",
            f"distance        {self.distance_m} m",
            f"time to goal    {self.goal_time_s} s",
        ]


def summarize(outcomes: Sequence[Outcome]) -> Summary:
    """Return the figures of a set of episodes; an average over none of them is NaN, and its text says so."""
    return Summary(
        episodes=len(outcomes),
        steps=sum(o.steps for o in outcomes),
        collision=rate(o.collision for o in outcomes),
        goal=rate(o.goal for o in outcomes),
        reasons=dict(Counter(o.reason for o in outcomes)),
        reward=mean(o.reward for o in outcomes),
        min_ttc_s=mean(o.min_ttc_s for o in outcomes),
        impact_speed_mps=mean(o.impact_speed_mps for o in outcomes),
        mean_speed_mps=mean(o.mean_speed_mps for o in outcomes),
        distance_m=mean(o.distance_m for o in outcomes),
        goal_time_s=mean(o.duration_s if o.goal else None for o in outcomes),
    )
