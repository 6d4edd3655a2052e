"""What of OpenSCENARIO XML 1.0-1.3 is supported, as a table made from the registries.

``python -m scenarios.openscenario.coverage`` prints it; with ``--write FILE`` it writes
docs/openscenario-coverage.md. A test
keeps the file equal to what this makes, so the page cannot promise what the code does not do.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from pathlib import Path

from scenarios.openscenario.actions import GLOBAL_ACTIONS, PRIVATE_ACTIONS
from scenarios.openscenario.actions.user_defined import USER_ACTIONS
from scenarios.openscenario.catalogs import KINDS
from scenarios.openscenario.conditions import ENTITY_CONDITIONS, VALUE_CONDITIONS
from scenarios.openscenario.coverage_peers import ESMINI, SCENARIO_RUNNER
from scenarios.openscenario.criteria import TESTS
from scenarios.openscenario.distributions import DETERMINISTIC, STOCHASTIC
from scenarios.openscenario.positions import POSITIONS
from scenarios.openscenario.trajectories import SHAPES

# group -> (what the standard has, what the registries have)
STANDARD: dict[str, tuple[str, ...]] = {
    "Private actions": (
        "LongitudinalAction/SpeedAction", "LongitudinalAction/SpeedProfileAction",
        "LongitudinalAction/LongitudinalDistanceAction", "LateralAction/LaneChangeAction",
        "LateralAction/LaneOffsetAction", "LateralAction/LateralDistanceAction", "VisibilityAction",
        "SynchronizeAction", "ActivateControllerAction", "ControllerAction", "TeleportAction",
        "RoutingAction/AssignRouteAction", "RoutingAction/FollowTrajectoryAction",
        "RoutingAction/AcquirePositionAction", "RoutingAction/RandomRouteAction",
        "AppearanceAction/LightStateAction", "AppearanceAction/AnimationAction",
        "TrailerAction/ConnectTrailerAction", "TrailerAction/DisconnectTrailerAction",
    ),
    "Global actions": (
        "EnvironmentAction", "EntityAction", "InfrastructureAction/TrafficSignalAction", "ParameterAction",
        "VariableAction", "SetMonitorAction", "TrafficAction/TrafficSourceAction", "TrafficAction/TrafficSinkAction",
        "TrafficAction/TrafficSwarmAction", "TrafficAction/TrafficAreaAction", "TrafficAction/TrafficStopAction",
    ),
    "User-defined actions": ("CustomCommandAction",),
    "Conditions by entity": (
        "EndOfRoadCondition", "CollisionCondition", "OffroadCondition", "TimeHeadwayCondition",
        "TimeToCollisionCondition", "AccelerationCondition", "StandStillCondition", "SpeedCondition",
        "RelativeSpeedCondition", "TraveledDistanceCondition", "ReachPositionCondition", "DistanceCondition",
        "RelativeDistanceCondition", "RelativeClearanceCondition", "AngleCondition", "RelativeAngleCondition",
    ),
    "Conditions by value": (
        "ParameterCondition", "VariableCondition", "TimeOfDayCondition", "SimulationTimeCondition",
        "StoryboardElementStateCondition", "TrafficSignalCondition", "TrafficSignalControllerCondition",
        "UserDefinedValueCondition",
    ),
    "Positions": (
        "WorldPosition", "RelativeWorldPosition", "RelativeObjectPosition", "RoadPosition", "RelativeRoadPosition",
        "LanePosition", "RelativeLanePosition", "RoutePosition", "GeoPosition", "TrajectoryPosition",
    ),
    "Trajectory shapes": ("Polyline", "Clothoid", "ClothoidSpline", "Nurbs"),
    "Catalogs": (
        "VehicleCatalog", "ControllerCatalog", "PedestrianCatalog", "MiscObjectCatalog", "EnvironmentCatalog",
        "ManeuverCatalog", "TrajectoryCatalog", "RouteCatalog",
    ),
    "Deterministic distributions": (
        "ValueSetDistribution", "DistributionSet", "DistributionRange", "UserDefinedDistribution",
    ),
    "Stochastic distributions": (
        "ProbabilityDistributionSet", "NormalDistribution", "LogNormalDistribution", "UniformDistribution",
        "PoissonDistribution", "Histogram", "UserDefinedDistribution",
    ),
}  # fmt: skip

NOTES = {
    "LongitudinalAction/SpeedAction": "the whole change covers a distance; curved shapes take a rate as peak rate",
    "LongitudinalAction/SpeedProfileAction": "linear between entries; corners rounded by jerk limits (mode follow)",
    "LateralAction/LateralDistanceAction": "measured across the road",
    "SynchronizeAction": "the master is taken to keep its speed, replanned every step",
    "RoutingAction/FollowTrajectoryAction": "the path exactly; mode follow: no jumps of speed on timed polylines",
    "RoutingAction/AssignRouteAction": "all route strategies; fastest by speed limits, random by seed",
    "RoutingAction/RandomRouteAction": "5 km of way drawn by seed",
    "ControllerAction": "overrides act on controllers that drive with pedals",
    "TrailerAction/DisconnectTrailerAction": "the trailer stands from then on",
    "CustomCommandAction": "handlers given to Execution; without one a note",
    "UserDefinedValueCondition": "set by Execution.set_user_value; false before",
    "GeoPosition": "by the map's geoReference and header offset (pyproj)",
    "VisibilityAction": "cameras and sensors together (CARLA cannot hide from one of them)",
    "AppearanceAction/LightStateAction": "on, off, flashing; intensity and colour have no effect",
    "AppearanceAction/AnimationAction": "doors of vehicles whose doors move in CARLA, open or shut at once",
    "TimeHeadwayCondition": "false while the entity stands or the reference is not ahead",
    "TimeToCollisionCondition": "false while the distance does not shrink",
    "ReachPositionCondition": "distance in the plane",
    "ClothoidSpline": "segments continue each other; heading offsets and times inside are refused",
    "EnvironmentAction": "no dome image, no fog in a box; snow is shown as rain",
}


def registered() -> dict[str, Collection[str]]:
    """Return what is supported, by the same groups as :data:`STANDARD`."""
    return {
        "Private actions": PRIVATE_ACTIONS,
        "Global actions": GLOBAL_ACTIONS,
        "User-defined actions": USER_ACTIONS,
        "Conditions by entity": ENTITY_CONDITIONS,
        "Conditions by value": VALUE_CONDITIONS,
        "Positions": POSITIONS,
        "Trajectory shapes": SHAPES,
        "Catalogs": KINDS,
        "Deterministic distributions": DETERMINISTIC,
        "Stochastic distributions": STOCHASTIC,
    }


def table() -> str:
    """Return the page as Markdown."""
    lines = [
        "# OpenSCENARIO coverage",
        "",
        "Made from the registries by `python -m scenarios.openscenario.coverage --write",
        "docs/openscenario-coverage.md`; do not edit.",
        "What is not supported is refused before a run starts, with file, line and element. Whatever",
        "attribute or element no reader asks for is refused too: nothing is ignored. The columns of esmini and",
        "scenario_runner are what those say of themselves; an empty cell is an element they do not name.",
        "",
    ]
    have = registered()
    total = sum(len(names) for names in STANDARD.values())
    supported = sum(name in have[group] for group, names in STANDARD.items() for name in names)
    lines += [f"Supported: {supported} of {total}.", ""]
    for group, names in STANDARD.items():
        lines += [f"## {group}", "", "| element | ours | esmini | scenario_runner | note |", "|---|---|---|---|---|"]
        lines += [
            f"| {n} | {'yes' if n in have[group] else 'refused'} | {ESMINI.get(n, '')} | "
            f"{SCENARIO_RUNNER.get(n, '')} | {NOTES.get(n, '')} |"
            for n in names
        ]
        lines.append("")
    lines += [
        "## Criteria (`criteria_...` conditions of the storyboard's stop trigger)",
        "",
        "| test | demand |",
        "|---|---|",
    ]
    lines += [f"| {name} | {demand}{f' (`{p}`)' if p else ''} |" for name, (p, demand) in TESTS.items()]
    return "\n".join(lines) + "\n"


def main(arguments: list[str] | None = None) -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description="What of OpenSCENARIO XML is supported.")
    parser.add_argument("--write", type=Path, metavar="FILE", help="write the page instead of printing it")
    chosen = parser.parse_args(arguments)
    if chosen.write:
        chosen.write.write_text(table(), encoding="utf-8")
    else:
        sys.stdout.write(table())


if __name__ == "__main__":
    main()
