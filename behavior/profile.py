"""Who a pedestrian is: age, speeds, patience, attention. People differ; each person is drawn once.

Every constant names its source; values marked "chosen" are defaults of ours and meant to be configured.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from enum import Enum

import numpy as np


class AgeClass(Enum):
    """Age classes with speeds and judgement of their own."""

    CHILD = "child"
    YOUNG = "young"
    ADULT = "adult"
    SENIOR = "senior"


# Free walking speed, mean and standard deviation in m/s.
# Adults: Weidmann 1993, N(1.34, 0.26). Seniors: mean 1.16 and 15th percentile 0.92 (Gates et al. 2006), so
# sd = (1.16 - 0.92) / 1.036. Young adults and children: chosen around the adult value.
_WALK_MPS = {
    AgeClass.CHILD: (1.30, 0.22),
    AgeClass.YOUNG: (1.42, 0.24),
    AgeClass.ADULT: (1.34, 0.26),
    AgeClass.SENIOR: (1.16, 0.23),
}
_WALK_LIMITS_MPS = (0.4, 2.2)

# Crossing is brisker than strolling: mean 1.51 (younger) and 1.25 m/s (older) across roads, Knoblauch et al. 1996,
# over the means above.
_CROSSING_FACTOR = {
    AgeClass.CHILD: 1.13,
    AgeClass.YOUNG: 1.13,
    AgeClass.ADULT: 1.13,
    AgeClass.SENIOR: 1.08,
}

# Running: children at play 2.0-3.5 m/s; the adult Euro NCAP running target does 8 km/h = 2.22 m/s, people in
# haste somewhat more (chosen); seniors chosen.
_RUN_MPS = {
    AgeClass.CHILD: (2.0, 3.5),
    AgeClass.YOUNG: (2.2, 3.8),
    AgeClass.ADULT: (2.2, 3.4),
    AgeClass.SENIOR: (1.5, 2.2),
}
_STATURE_M = {
    AgeClass.CHILD: (1.20, 0.08),
    AgeClass.YOUNG: (1.74, 0.09),
    AgeClass.ADULT: (1.719, 0.09),  # mean: SUMO's pedestrian class
    AgeClass.SENIOR: (1.68, 0.08),
}
_DISTRACTED_SHARE = 0.298  # Thompson et al. 2013, 1102 pedestrians
_OBEYS_LIGHTS_SHARE = 0.80  # same
_PATIENCE_S = (30.0, 10.0)  # HCM 2010: risk taking is likely when the mean delay exceeds 30 s; spread chosen
_START_UP_S = {AgeClass.SENIOR: 2.48}  # Knoblauch et al. 1996; the others 1.93
_START_UP_DEFAULT_S = 1.93


@dataclass(frozen=True)
class Profile:
    """One person. Make one with :func:`sample` or set every value by hand.

    Attributes:
        walk_mps: free walking speed; crossing_mps: speed across a road; run_mps: running.
        patience_s: how long it waits at a kerb before it accepts risk or looks for another way.
        attention: 1 looks at traffic, 0 is lost in a phone; scales the time to notice things.
        compliance: 0..1, how much detour or delay it takes on itself to follow the rules.
        impulsiveness: 0..1; from ``DART_OUT`` on a goal on the other side is run for without a look.
        reaction_s: from seeing something to acting upon it.
        glance_s: one glance to one side (0.5-1 s).
        start_up_s: from the decision to the first step where nothing presses (a light turns green).
        distance_judgement: 0..1, the weight of distance against arrival time when judging a gap: 0.5 for the old
            and for children, who go by distance (Lobjois and Cavallo 2007), 0 for the others.
        gap_noise: coefficient of variation of the perceived gap.
    """

    age: AgeClass = AgeClass.ADULT
    walk_mps: float = 1.34
    crossing_mps: float = 1.51
    run_mps: float = 2.8
    stature_m: float = 1.72
    patience_s: float = 30.0
    attention: float = 1.0
    compliance: float = 0.8
    impulsiveness: float = 0.0
    reaction_s: float = 0.5
    glance_s: float = 0.6
    start_up_s: float = 1.93
    distance_judgement: float = 0.0
    gap_noise: float = 0.15

    @property
    def is_distracted(self) -> bool:
        """Whether it is busy with something else than traffic."""
        return self.attention < 0.5


DART_OUT = 0.8
"""From this impulsiveness on, the plan that does not look at traffic is applicable."""


def sample(age: AgeClass, rng: np.random.Generator, **fixed: float) -> Profile:
    """Draw a person of an age class.

    Args:
        rng: this person's own stream; the number of draws does not depend on ``fixed``.
        fixed: attributes of :class:`Profile` that are given instead of drawn.

    Raises:
        TypeError: ``fixed`` names something that a profile does not have.
    """
    walk = float(np.clip(rng.normal(*_WALK_MPS[age]), *_WALK_LIMITS_MPS))
    run = float(rng.uniform(*_RUN_MPS[age]))
    stature = float(np.clip(rng.normal(*_STATURE_M[age]), 0.9, 2.1))
    patience = float(np.clip(rng.normal(*_PATIENCE_S), 5.0, 60.0))
    distracted = bool(rng.random() < _DISTRACTED_SHARE)
    attention = float(rng.uniform(0.1, 0.4) if distracted else rng.uniform(0.7, 1.0))
    obeys = bool(rng.random() < _OBEYS_LIGHTS_SHARE)
    compliance = float(rng.uniform(0.6, 1.0) if obeys else rng.uniform(0.0, 0.5))
    glance = float(rng.uniform(0.5, 1.0))
    impulsiveness = float(rng.beta(2.0, 4.0) if age is AgeClass.CHILD else rng.beta(1.0, 9.0))
    by_distance = age in (AgeClass.CHILD, AgeClass.SENIOR)
    person = Profile(
        age=age,
        walk_mps=walk,
        crossing_mps=min(walk * _CROSSING_FACTOR[age], run),
        run_mps=max(run, 1.2 * walk),
        stature_m=stature,
        patience_s=patience,
        attention=attention,
        compliance=compliance,
        impulsiveness=impulsiveness,
        reaction_s=0.5 + (0.5 if distracted else 0.0),  # +0.5 s when distracted: chosen
        glance_s=glance,
        start_up_s=_START_UP_S.get(age, _START_UP_DEFAULT_S),
        distance_judgement=0.5 if by_distance else 0.0,
        gap_noise=0.3 if distracted else 0.15,
    )
    unknown = set(fixed) - {field.name for field in fields(Profile)}
    if unknown:
        raise TypeError(f"a profile has no {', '.join(sorted(unknown))}")
    return replace(person, **fixed)  # type: ignore[arg-type]
