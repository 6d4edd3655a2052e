"""Criteria: what a scenario demands of the ego vehicle, written as ScenarioRunner does.

A condition of the storyboard's stop trigger whose name is ``criteria_`` and a test's name does not stop anything; it
names a
test. Its ``ParameterCondition`` gives the test's parameter, if it has one, as ``parameterRef`` and ``value``.
"""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.openscenario.nodes import Node

# test -> (its parameter, what it demands)
TESTS: dict[str, tuple[str, str]] = {
    "CollisionTest": ("", "the ego vehicle touches nothing"),
    "DrivenDistanceTest": ("distance_success", "it drives at least this many metres"),
    "MaxVelocityTest": ("max_velocity", "it never drives faster than this, m/s"),
    "KeepLaneTest": ("", "it stays in its lane"),
    "WrongLaneTest": ("", "it never drives against its lane's direction"),
    "OffRoadTest": ("", "it stays on the road"),
    "OnSidewalkTest": ("", "it never drives on a pavement"),
    "MinimumTimeToCollisionTest": ("ttc", "its time to collision never falls below this, s"),
    "MinimumDistanceTest": ("distance", "it never comes closer to anybody than this, m"),
}


@dataclass(frozen=True, slots=True)
class Criterion:
    """A test and its parameter's value (0 when it has none)."""

    test: str
    value: float

    @property
    def demand(self) -> str:
        """What it demands, in words."""
        parameter, text = TESTS[self.test]
        return f"{text} ({self.value:g})" if parameter else text


def read_criterion(node: Node) -> Criterion:
    """Read a ``criteria_`` condition."""
    test = str(node.raw("name")).removeprefix("criteria_")
    node.number("delay", 0.0)
    node.text("conditionEdge", "none")
    if test not in TESTS:
        raise node.error(f"criterion {test} is not supported", remedy="supported are " + ", ".join(sorted(TESTS)))
    condition = node.only().only()
    if condition.tag != "ParameterCondition":
        raise condition.error("a criterion needs a ParameterCondition")
    parameter = TESTS[test][0]
    given = condition.text("parameterRef", "")
    condition.text("rule", "lessThan")
    if parameter and given != parameter:
        raise condition.error(f"{test} needs the parameter {parameter}", remedy=f'write parameterRef="{parameter}"')
    if not parameter:
        condition.text("value", "")
        return Criterion(test, 0.0)
    return Criterion(test, condition.number("value", minimum=0.0))
