"""What an audit found of each parameter, in one row and in words."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scenarios.sampling.auditing import Audit
from scenarios.sampling.influence import MAX_CV, MAX_RATIO
from scenarios.sampling.parameters import Enum

WELL, CHOICES, UNEVEN, NONE, CONDITIONAL = "well-behaved", "choices", "uneven", "no influence", "not separable"
PASSING = frozenset({WELL, CHOICES})


@dataclass(frozen=True)
class Row:
    """One parameter.

    Attributes:
        name, kind, unit, limits: of the parameter.
        total: total influence T_p in the audit's metric; of choices the mean distance of two. rank: 1 is the largest.
        also: totals in the other metrics.
        noise: distance of repeated pictures.
        cv_before, cv_after, ratio_before, ratio_after: evenness on fresh configurations; None for choices, infinite
            where a step changes nothing.
        changed_by: parameters that change the shape of its profile, with the rank correlation of both shapes.
        verdict: one of the words of this module. why: it, in words.
    """

    name: str
    kind: str
    unit: str
    limits: str
    total: float
    rank: int
    also: dict[str, float]
    noise: float
    cv_before: float | None
    cv_after: float | None
    ratio_before: float | None
    ratio_after: float | None
    changed_by: dict[str, float]
    verdict: str
    why: str

    @property
    def passes(self) -> bool:
        """Whether samplers can rely on it."""
        return self.verdict in PASSING


def rows(audit: Audit) -> list[Row]:
    """Return a row for each audited parameter, the most influential first."""
    measured = audit.fitted[audit.metric]
    order = sorted(measured, key=lambda name: -measured[name].total)
    return [_row(audit, name, rank) for rank, name in enumerate(order, start=1)]


def _row(audit: Audit, name: str, rank: int) -> Row:
    influence, parameter = audit.fitted[audit.metric][name], audit.space[name]
    before, after = audit.before[name], audit.after[name]
    choices = isinstance(parameter, Enum)
    changed_by = audit.not_separable(name)
    verdict, why = _verdict(audit, name)
    limits = (
        f"{len(parameter.choices)} choices"
        if isinstance(parameter, Enum)
        else f"{getattr(parameter, 'low', math.nan):g} to {getattr(parameter, 'high', math.nan):g}"
    )
    return Row(
        name,
        parameter.kind,
        str(parameter.unit),
        limits,
        influence.total,
        rank,
        {metric: found[name].total for metric, found in audit.fitted.items() if metric != audit.metric},
        influence.noise,
        None if choices else before.cv,
        None if choices else after.cv,
        None if choices else before.ratio,
        None if choices else after.ratio,
        changed_by,
        verdict,
        why,
    )


def _verdict(audit: Audit, name: str) -> tuple[str, str]:
    influence, after = audit.fitted[audit.metric][name], audit.after[name]
    if influence.profile.sum() == 0.0:
        return NONE, "The picture does not change with it: fix it, or render so that it shows."
    if isinstance(audit.space[name], Enum):
        return CHOICES, "Choices have no order; the mean distance of two of them is its length in the space."
    coarse = " The grid is too coarse: one step already changes all that can change." if influence.saturated else ""
    if after.well_behaved and getattr(audit.remapped[name], "remap", None) is None:
        return WELL, f"It is even as it is, and would be less so with a remap: it has none.{coarse}"
    if after.well_behaved:
        return WELL, f"After the remap, equal steps change the picture about equally.{coarse}"
    evenness = f"CV {after.cv:.2f} (at most {MAX_CV}), largest over least {after.ratio:.1f} (at most {MAX_RATIO:g})"
    others = audit.not_separable(name)
    if others:
        worst = sorted(others, key=lambda other: others[other])[:3]
        return CONDITIONAL, f"{evenness}: its influence depends on {', '.join(worst)}; no single remap fits.{coarse}"
    return UNEVEN, f"{evenness}.{coarse}"
