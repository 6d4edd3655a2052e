"""What two other players of OpenSCENARIO say of themselves, element by element, for the table beside ours.

Sources, read in 2026: esmini's ``osc_coverage.txt`` and scenario_runner's ``Docs/openscenario_support.md``. What a page
does not name is left empty rather than guessed. Names are those of :data:`scenarios.openscenario.coverage.STANDARD`.
"""

from __future__ import annotations

_LATERAL = ("LateralAction/LaneChangeAction", "LateralAction/LaneOffsetAction", "LateralAction/LateralDistanceAction")
_LONGITUDINAL = ("LongitudinalAction/SpeedAction", "LongitudinalAction/LongitudinalDistanceAction")
_ROUTING = (
    "RoutingAction/AssignRouteAction", "RoutingAction/FollowTrajectoryAction", "RoutingAction/AcquirePositionAction",
)  # fmt: skip
_CATALOGS = (
    "VehicleCatalog", "ControllerCatalog", "PedestrianCatalog", "MiscObjectCatalog", "EnvironmentCatalog",
    "ManeuverCatalog", "TrajectoryCatalog", "RouteCatalog",
)  # fmt: skip

ESMINI: dict[str, str] = {
    **dict.fromkeys(
        (
            *_LATERAL, *_LONGITUDINAL, *_ROUTING, *_CATALOGS, "LongitudinalAction/SpeedProfileAction",
            "VisibilityAction", "SynchronizeAction", "ActivateControllerAction", "ControllerAction", "TeleportAction",
            "EnvironmentAction", "EntityAction", "ParameterAction", "VariableAction", "CustomCommandAction",
            "ParameterCondition", "SimulationTimeCondition", "AngleCondition", "TrajectoryPosition", "Polyline",
            "Clothoid", "ClothoidSpline", "Nurbs",
        ),
        "yes",
    ),
    "TrafficAction/TrafficSwarmAction": "limited",
    **dict.fromkeys(
        (
            "AppearanceAction/LightStateAction", "AppearanceAction/AnimationAction",
            "InfrastructureAction/TrafficSignalAction", "TrafficAction/TrafficSourceAction",
            "TrafficAction/TrafficSinkAction", "TrafficAction/TrafficStopAction", "TimeOfDayCondition",
            "TrafficSignalCondition", "TrafficSignalControllerCondition", "UserDefinedValueCondition",
            "VariableCondition", "GeoPosition",
        ),
        "no",
    ),
}  # fmt: skip

SCENARIO_RUNNER: dict[str, str] = {
    **dict.fromkeys(
        (
            *_LATERAL, *_LONGITUDINAL, *_ROUTING, *_CATALOGS, "ActivateControllerAction", "ControllerAction",
            "TeleportAction", "EnvironmentAction", "EntityAction", "ParameterAction", "CustomCommandAction",
            "AccelerationCondition", "CollisionCondition", "DistanceCondition", "EndOfRoadCondition",
            "OffroadCondition", "ReachPositionCondition", "RelativeDistanceCondition", "RelativeSpeedCondition",
            "SpeedCondition", "StandStillCondition", "TimeHeadwayCondition", "TimeToCollisionCondition",
            "TraveledDistanceCondition", "ParameterCondition", "SimulationTimeCondition",
            "StoryboardElementStateCondition", "TimeOfDayCondition", "TrafficSignalCondition",
            "TrafficSignalControllerCondition", "LanePosition", "RelativeLanePosition", "RelativeObjectPosition",
            "RelativeRoadPosition", "RelativeWorldPosition", "RoadPosition", "WorldPosition",
        ),
        "yes",
    ),
    **dict.fromkeys(
        ("SynchronizeAction", "VisibilityAction", "UserDefinedValueCondition", "RoutePosition"), "no",
    ),
}  # fmt: skip
