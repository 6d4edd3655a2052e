"""What a decision is worth: a weighted sum of named terms, each a function of the instants before and after it.

Terms are per decision; those that measure a state (comfort, lane, ttc, rule, speed, time) are multiplied by the
decision's length, so that the return does not depend on how often the agent is asked.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from foundation.errors import RealityError
from learning.envs.route import Route
from learning.envs.scene import Scene

IMPACT_MPS = 15.0
"""An impact this fast counts as the worst."""
JERK_MPS3 = 10.0
TTC_S = 3.0


@dataclass(slots=True)
class Step:
    """What a term may look at.

    Attributes:
        before, after: the scenes at the decision's begin and end.
        route: of the ego. dt_s: the decision's length.
        reason: why the episode ends with this decision, "" if it goes on.
        free_mps: the speed the ego would like to drive: the road's limit, else what the episode began with.
    """

    before: Scene
    after: Scene
    route: Route
    dt_s: float
    reason: str
    free_mps: float


Term = Callable[[Step], float]


def progress(step: Step) -> float:
    """Metres along the route."""
    return step.after.s - step.before.s


def speed(step: Step) -> float:
    """1 at the wished speed, falling to 0 at rest and at twice it; times seconds."""
    return max(0.0, 1.0 - abs(step.after.ego.speed - step.free_mps) / max(step.free_mps, 1.0)) * step.dt_s


def collision(step: Step) -> float:
    """-0.5 for a touch down to -1 for an impact of 15 m/s or more; 0 without one."""
    hit = step.after.collision
    return 0.0 if hit is None else -0.5 - 0.5 * min(hit.impact_mps / IMPACT_MPS, 1.0)


def off_road(step: Step) -> float:
    """-1 when the ego has left the carriageway."""
    return -1.0 if step.after.off_road else 0.0


def comfort(step: Step) -> float:
    """Minus the squared jerk over 10 m/s^3, at most 1; times seconds."""
    jerk = (step.after.ego.accel - step.before.ego.accel) / step.dt_s
    return -min((jerk / JERK_MPS3) ** 2, 1.0) * step.dt_s


def lane(step: Step) -> float:
    """Minus the squared distance from the lane's centre over half its width, at most 1; times seconds."""
    half = 0.5 * float(step.route.width[step.route.index(step.after.s)])
    return -min((step.after.offset / max(half, 0.5)) ** 2, 1.0) * step.dt_s


def ttc(step: Step) -> float:
    """Minus how far the time to collision is below 3 s, over 3 s; times seconds."""
    return -max(0.0, 1.0 - min_ttc_s(step.after) / TTC_S) * step.dt_s


def rule(step: Step) -> float:
    """Minus the share by which the speed limit is exceeded (at most 1), minus 1 in an oncoming lane; times seconds."""
    i = step.route.index(step.after.s)
    limit, offset = float(step.route.limit[i]), step.after.offset
    over = 0.0 if math.isnan(limit) else min(max(step.after.ego.speed / max(limit, 1.0) - 1.0, 0.0), 1.0)
    wrong = offset > float(step.route.same_right[i]) or -offset > float(step.route.same_left[i])
    return -(over + float(wrong)) * step.dt_s


def goal(step: Step) -> float:
    """1 when the end of the route is reached."""
    return 1.0 if step.reason == "goal" else 0.0


def time(step: Step) -> float:
    """Minus the seconds gone by."""
    return -step.dt_s


def min_ttc_s(scene: Scene) -> float:
    """Return the smallest time to collision with anybody within 80 m, inf without a conflict."""
    if not len(scene.others):
        return math.inf
    return float(scene.times_to_collision().min())


TERMS: Mapping[str, Term] = MappingProxyType(
    {f.__name__: f for f in (progress, speed, collision, off_road, comfort, lane, ttc, rule, goal, time)}
)
"""The shipped terms by name."""

DEFAULT_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"progress": 0.02, "collision": 10.0, "off_road": 5.0, "comfort": 0.1, "lane": 0.1, "ttc": 0.5, "rule": 0.5}
)
"""100 m of quiet driving are worth 2, a hard impact costs 10."""


class Reward:
    """A weighted sum of terms.

    Args:
        weights: by the term's name: a weight, or (weight, function of a :class:`Step`) for a term of one's own. None
            takes :data:`DEFAULT_WEIGHTS`. Terms that are not named do not count and are not worked out.

    Raises:
        RealityError: an unknown term, or a weight that is no finite number.
    """

    def __init__(self, weights: Mapping[str, float | tuple[float, Term]] | None = None) -> None:
        self.weights: dict[str, float] = {}
        self._terms: dict[str, Term] = {}
        for name, value in (DEFAULT_WEIGHTS if weights is None else weights).items():
            weight, term = value if isinstance(value, tuple) else (value, TERMS.get(name))
            if term is None:
                near = difflib.get_close_matches(name, TERMS, 1)
                hint = f"do you mean {near[0]!r}? " if near else ""
                raise RealityError(f"there is no reward term {name!r}; {hint}there are {', '.join(TERMS)}")
            if not isinstance(weight, int | float) or not math.isfinite(weight):
                raise RealityError(f"reward term {name!r}: the weight {weight!r} is no finite number")
            self.weights[name], self._terms[name] = float(weight), term

    def __call__(self, step: Step) -> tuple[float, dict[str, float]]:
        """Return the reward and what each term adds to it, weights included."""
        parts = {name: self.weights[name] * term(step) for name, term in self._terms.items()}
        return sum(parts.values()), parts


__all__ = ["DEFAULT_WEIGHTS", "TERMS", "Reward", "Step", "Term", "min_ttc_s"]
