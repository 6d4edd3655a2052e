"""Two runs side by side: which verdicts changed, which metrics moved, and whether anything got worse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from bridge import planfile
from bridge.results import Result, Unit
from bridge.run import read_results
from foundation.errors import RealityError

RANK = {"pass": 0, "inconclusive": 1, "fail": 2, "error": 3}
"""Verdicts from good to bad. One that is not known any more is worse than a pass, and better than a fail."""

MORE_IS_BETTER = frozenset(
    {
        "criteria_met", "min_ttc_s", "min_headway_s", "min_distance_m", "pet_s", "rss_min_margin_m", "ncap_points",
    }
)  # fmt: skip
LESS_IS_BETTER = frozenset(
    {
        "collisions", "impact_speed_kmh", "risk_of_death", "max_drac_mps2", "tet_s", "tit_s2", "rss_danger_s",
        "red_lights_run", "speeding_s", "max_speeding_kmh", "lane_departures", "outside_lane_s", "max_lane_offset_m",
        "rms_lane_offset_m", "max_jerk_mps3", "rms_jerk_mps3", "max_lateral_jerk_mps3", "rms_lateral_jerk_mps3",
        "max_deceleration_mps2", "max_lateral_acceleration_mps2",
    }
)  # fmt: skip
COMFORT = frozenset(
    name for name in LESS_IS_BETTER if "jerk" in name or "acceleration" in name or "deceleration" in name
)
"""Told, but no reason to call a run worse: an emergency brake that saves somebody is uncomfortable."""
ABSENT_IS_GOOD = LESS_IS_BETTER | {"min_ttc_s", "min_headway_s", "min_distance_m", "pet_s", "rss_min_margin_m"}
"""What does not exist is as good as can be: no conflict, no impact."""


@dataclass(frozen=True)
class Difference:
    """A metric that is not the same in the two runs; ``better`` is None where neither side is the better one."""

    metric: str
    before: Any
    after: Any
    better: bool | None

    @property
    def worse(self) -> bool:
        """Whether it makes the unit worse."""
        return self.better is False and self.metric not in COMFORT


@dataclass(frozen=True)
class UnitComparison:
    """A unit that is in both runs."""

    unit: str
    before: str
    after: str
    reasons: list[str]
    differences: list[Difference]

    @property
    def verdict_change(self) -> int:
        """Positive when the verdict got worse, negative when it got better."""
        return RANK[self.after] - RANK[self.before]

    @property
    def worse(self) -> bool:
        """Whether the verdict or a metric got worse, and the verdict did not get better."""
        return self.verdict_change > 0 or (self.verdict_change == 0 and any(d.worse for d in self.differences))


@dataclass(frozen=True)
class Comparison:
    """What :func:`compare_runs` found; the lists of names are units that only one run has a result for."""

    units: list[UnitComparison]
    only_before: list[str]
    only_after: list[str]
    same: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def worse(self) -> bool:
        """Whether anything got worse; a unit that has no result any more did."""
        return bool(self.only_before) or any(unit.worse for unit in self.units)

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain values for JSON."""
        return {**asdict(self), "worse": self.worse, "worse_units": [u.unit for u in self.units if u.worse]}


def compare_runs(before: Path, after: Path, tolerance: float = 0.01) -> Comparison:
    """Compare the results of two run directories.

    Args:
        before, after: directories that `reality run` has written.
        tolerance: a number differs when it does by more than this share of the larger one.

    Raises:
        RealityError: one is no run, or no unit is in both.
    """
    plans = [planfile.read(folder) for folder in (before, after)]
    old, new = (
        {key_of(r.unit): r for r in read_results(plan, folder)}
        for plan, folder in zip(plans, (before, after), strict=True)
    )
    common = [key for key in old if key in new]
    if not common:
        raise RealityError(f"{before} and {after} have no unit in common (scenario, parameters, seed and rig)")
    notes = [
        f"{name} differs: {getattr(plans[0].options, name) or 'none'} -> {getattr(plans[1].options, name) or 'none'}"
        for name in ("ego", "simulator", "step_s", "max_time_s")
        if getattr(plans[0].options, name) != getattr(plans[1].options, name)
    ]
    notes += [
        f"the scenario {name} or its road network has changed between the runs"
        for name, digest in plans[0].files.items()
        if plans[1].files.get(name, digest) != digest
    ]
    units = []
    for key in common:
        found = _compare(old[key], new[key], tolerance)
        if found.differences or found.before != found.after:
            units.append(found)
    return Comparison(
        units,
        [old[key].unit.name for key in old if key not in new],
        [new[key].unit.name for key in new if key not in old],
        len(common) - len(units),
        notes,
    )


def key_of(unit: Unit) -> str:
    """Return what makes two units of different runs the same one."""
    return json.dumps([unit.scenario, unit.parameters, unit.seed, unit.rig], sort_keys=True)


def _compare(old: Result, new: Result, tolerance: float) -> UnitComparison:
    differences = []
    for name in sorted({*old.metrics, *new.metrics}):
        a, b = old.metrics.get(name), new.metrics.get(name)
        if _differ(a, b, tolerance):
            differences.append(Difference(name, a, b, _better(name, a, b)))
    return UnitComparison(new.unit.name, old.verdict, new.verdict, new.reasons, differences)


def _differ(a: Any, b: Any, tolerance: float) -> bool:
    if isinstance(a, int | float) and isinstance(b, int | float):
        return abs(a - b) > max(1e-6, tolerance * max(abs(a), abs(b)))
    return bool(a != b)


def _better(name: str, a: Any, b: Any) -> bool | None:
    """Return whether the second value is the better one; None where that cannot be said."""
    if a is None or b is None:
        return (b is None) if name in ABSENT_IS_GOOD else None
    if name in MORE_IS_BETTER:
        return bool(b > a)
    if name in LESS_IS_BETTER:
        return bool(b < a)
    return None


def lines(found: Comparison) -> Iterator[str]:
    """Yield a comparison as lines for people."""
    yield from found.notes
    for unit in found.units:
        if unit.verdict_change:
            word = "worse " if unit.verdict_change > 0 else "better"
            reasons = f"  {'; '.join(unit.reasons)}" if unit.reasons else ""
            yield f"{word}  {unit.unit}: {unit.before} -> {unit.after}{reasons}"
    for unit in found.units:
        for d in unit.differences:
            word = {True: "better", False: "worse ", None: "differs"}[d.better]
            yield f"{word:<7} {unit.unit}: {d.metric} {_text(d.before)} -> {_text(d.after)}"
    for name in found.only_before:
        yield f"missing {name}: only the first run has a result"
    for name in found.only_after:
        yield f"new     {name}: only the second run has a result"
    worse = sum(unit.worse for unit in found.units) + len(found.only_before)
    better = sum(unit.verdict_change < 0 for unit in found.units)
    yield f"{found.same} units the same, {len(found.units)} different: {worse} worse, {better} with a better verdict"


def _text(value: Any) -> str:
    return "none" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
