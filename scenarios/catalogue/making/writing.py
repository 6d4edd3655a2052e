"""Recipes to OpenSCENARIO 1.3 text. The same recipe gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from xml.sax.saxutils import escape, quoteattr

from scenarios.catalogue.making.recipes import (
    Actor,
    After,
    AtTime,
    Closer,
    Deed,
    Door,
    Event,
    LaneChange,
    LaneOffset,
    Light,
    Number,
    Parameter,
    Place,
    Recipe,
    Speed,
    Travelled,
    When,
)

_HEAD = (
    '<OpenSCENARIO xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    'xsi:noNamespaceSchemaLocation="OpenSCENARIO.xsd">'
)
_CLOUDS = (("zeroOktas", 0.25), ("threeOktas", 0.25), ("sixOktas", 0.25), ("eightOktas", 0.25))
_RAINS = (("0", 0.7), ("4", 0.2), ("10", 0.1))
AT_ONCE = Speed(0)


def light_parameters(light: Light) -> list[Parameter]:
    """Return the parameters of weather and light that every scenario has."""
    varied = light.varied
    return [
        Parameter("TimeOfDay", light.time, None, None, "", "date and time", "fixed", "dateTime"),
        Parameter(
            "SunElevation",
            light.elevation,
            -1.2 if light.elevation < 0 else 0.03,
            1.2,
            "rad",
            "height of the sun",
            "uniform" if varied else "fixed",
        ),
        Parameter("SunAzimuth", light.azimuth, 0.0, 6.283, "rad", "direction of the sun", "fixed"),
        Parameter("CloudCover", light.clouds, None, None, "", "clouds", _CLOUDS if varied else "fixed", "string"),
        Parameter(
            "Rain", light.rain, 0.0, 20.0, "mm/h", "rain; 2 % of grip is lost per mm/h", _RAINS if varied else "fixed"
        ),
        Parameter("Visibility", light.visibility, 50.0, 100000.0, "m", "visual range", "fixed"),
    ]


def all_parameters(recipe: Recipe) -> list[Parameter]:
    """Return the parameters that may be set: the recipe's own, and weather and light."""
    return [*recipe.parameters, *light_parameters(recipe.light)]


def value(number: Number) -> str:
    """Return a number or an expression as an attribute's text."""
    if isinstance(number, str):
        return number if number.startswith("$") and number[1:].isidentifier() else f"${{{number}}}"
    return f"{round(number, 4):g}" if abs(number) < 1e5 else f"{number:.1f}"


def scenario_text(recipe: Recipe) -> str:
    """Return the scenario's file."""
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- {escape(recipe.title)}. {escape(recipe.text)}".replace("--", "-").replace("<!-", "<!--", 1),
        f"     Source: {escape(recipe.source)}. Described in docs/catalogue.md. -->",
        _HEAD,
        '  <FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" author="Digital Reality" '
        f"description={quoteattr(recipe.title)}/>",
        "  <ParameterDeclarations>",
        *_indented(4, (line for p in all_parameters(recipe) for line in _declaration(p))),
        "    <!-- Derived; do not set. -->",
        *(
            f'    <ParameterDeclaration name="{name}" parameterType="double" value="{value(text)}"/>'
            for name, text in recipe.derived
        ),
        "  </ParameterDeclarations>",
        "  <CatalogLocations>",
        '    <VehicleCatalog><Directory path="catalogs"/></VehicleCatalog>',
        '    <PedestrianCatalog><Directory path="catalogs"/></PedestrianCatalog>',
        "  </CatalogLocations>",
        f'  <RoadNetwork><LogicFile filepath="maps/{recipe.map_name}.xodr"/></RoadNetwork>',
        "  <Entities>",
        *(_entity(actor) for actor in recipe.actors),
        "  </Entities>",
        "  <Storyboard>",
        "    <Init>",
        "      <Actions>",
        *_indented(8, _environment()),
        *_indented(8, (line for name, state in recipe.signals for line in _signal(name, state))),
        *_indented(8, (line for actor in recipe.actors for line in _init(actor))),
        "      </Actions>",
        "    </Init>",
        f'    <Story name="{recipe.name}">',
        '      <Act name="Act">',
        *_indented(8, (line for event in recipe.events for line in _group(event))),
        "        <StartTrigger>",
        *_indented(10, _conditions("Begin", AtTime(0))),
        "        </StartTrigger>",
        "      </Act>",
        "    </Story>",
        "    <StopTrigger>",
        *_indented(6, _stop(recipe)),
        "    </StopTrigger>",
        "  </Storyboard>",
        "</OpenSCENARIO>",
    ]
    return "\n".join(lines) + "\n"


def distribution_text(recipe: Recipe) -> str:
    """Return the file that samples are drawn from."""
    drawn = [p for p in all_parameters(recipe) if p.draw != "fixed"]
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f"<!-- What {recipe.name}.xosc is sampled from. -->",
        _HEAD,
        '  <FileHeader revMajor="1" revMinor="3" date="2026-01-01T00:00:00" author="Digital Reality" '
        f"description={quoteattr('Samples of ' + recipe.name)}/>",
        "  <ParameterValueDistribution>",
        f'    <ScenarioFile filepath="{recipe.name}.xosc"/>',
        '    <Stochastic numberOfTestRuns="10" randomSeed="1">',
        *_indented(6, (line for p in drawn for line in _drawn(p))),
        "    </Stochastic>",
        "  </ParameterValueDistribution>",
        "</OpenSCENARIO>",
    ]
    return "\n".join(lines) + "\n"


def _indented(spaces: int, lines: Iterable[str]) -> list[str]:
    return [" " * spaces + line for line in lines]


def _drawn(p: Parameter) -> list[str]:
    if isinstance(p.draw, str):
        inner = [
            f'  <UniformDistribution><Range lowerLimit="{p.low:g}" upperLimit="{p.high:g}"/></UniformDistribution>'
        ]
    elif isinstance(p.draw, float):
        inner = [
            f'  <NormalDistribution expectedValue="{p.value}" variance="{p.draw**2:g}">'
            f'<Range lowerLimit="{p.low:g}" upperLimit="{p.high:g}"/></NormalDistribution>'
        ]
    else:
        inner = [
            "  <ProbabilityDistributionSet>",
            *(f'    <Element value="{text}" weight="{weight:g}"/>' for text, weight in p.draw),
            "  </ProbabilityDistributionSet>",
        ]
    return [f'<StochasticDistribution parameterName="{p.name}">', *inner, "</StochasticDistribution>"]


def _declaration(p: Parameter) -> list[str]:
    default = p.value if isinstance(p.value, str) else value(p.value)
    opened = f'<ParameterDeclaration name="{p.name}" parameterType="{p.kind}" value="{default}"'
    comment = f"<!-- {p.meaning}{', ' + p.unit if p.unit else ''} -->"
    if p.low is None or p.high is None:
        return [comment, opened + "/>"]
    return [
        comment,
        opened + ">",
        "  <ConstraintGroup>",
        f'    <ValueConstraint rule="greaterOrEqual" value="{p.low:g}"/>',
        f'    <ValueConstraint rule="lessOrEqual" value="{p.high:g}"/>',
        "  </ConstraintGroup>",
        "</ParameterDeclaration>",
    ]


def _entity(actor: Actor) -> str:
    catalog = "RealityPedestrians" if actor.pedestrian else "RealityVehicles"
    return (
        f'    <ScenarioObject name="{actor.name}">'
        f'<CatalogReference catalogName="{catalog}" entryName="{actor.entry}"/></ScenarioObject>'
    )


def _environment() -> list[str]:
    return [
        "<GlobalAction>",
        "  <EnvironmentAction>",
        '    <Environment name="light">',
        '      <TimeOfDay animation="false" dateTime="$TimeOfDay"/>',
        '      <Weather fractionalCloudCover="$CloudCover">',
        '        <Sun azimuth="$SunAzimuth" elevation="$SunElevation" illuminance="50000"/>',
        '        <Fog visualRange="$Visibility"/>',
        '        <Precipitation precipitationType="rain" precipitationIntensity="$Rain"/>',
        "      </Weather>",
        '      <RoadCondition frictionScaleFactor="${1 - 0.02 * $Rain}"/>',
        "    </Environment>",
        "  </EnvironmentAction>",
        "</GlobalAction>",
    ]


def _signal(name: str, state: str) -> list[str]:
    return [
        "<GlobalAction>",
        "  <InfrastructureAction>",
        f'    <TrafficSignalAction><TrafficSignalStateAction name="{name}" state="{state}"/></TrafficSignalAction>',
        "  </InfrastructureAction>",
        "</GlobalAction>",
    ]


def _position(place: Place) -> str:
    heading = "" if place.heading is None else f'<Orientation type="relative" h="{value(place.heading)}"/>'
    a, b = value(place.a), value(place.b)
    if place.road == "":
        turned = "" if place.heading is None else f' h="{value(place.heading)}"'
        return f'<Position><WorldPosition x="{a}" y="{b}"{turned}/></Position>'
    if place.lane:
        name, rest = "LanePosition", f'laneId="{place.lane}" s="{a}" offset="{b}"'
    else:
        name, rest = "RoadPosition", f's="{a}" t="{b}"'
    return f'<Position><{name} roadId="{place.road}" {rest}>{heading}</{name}></Position>'


def _init(actor: Actor) -> list[str]:
    lines = [
        f'<Private entityRef="{actor.name}">',
        f"  <PrivateAction><TeleportAction>{_position(actor.start)}</TeleportAction></PrivateAction>",
    ]
    if actor.speed:
        lines += _indented(2, _deed(Speed(actor.speed), actor.name))
    if actor.driver:
        lines += [
            "  <PrivateAction>",
            "    <ControllerAction>",
            '      <AssignControllerAction activateLateral="true" activateLongitudinal="true">',
            '        <Controller name="ego_aeb">',
            "          <Properties>",
            f'            <Property name="cruiseSpeed" value="{value(actor.speed)}"/>',
            '            <Property name="brakeTtc" value="$BrakeTtc"/>',
            "          </Properties>",
            "        </Controller>",
            "      </AssignControllerAction>",
            "    </ControllerAction>",
            "  </PrivateAction>",
        ]
    return [*lines, "</Private>"]


def _deed(deed: Deed, actor: str) -> list[str]:
    """Return a ``<PrivateAction>``."""
    if isinstance(deed, Speed):
        inner = [
            "<LongitudinalAction>",
            "  <SpeedAction>",
            f'    <SpeedActionDynamics dynamicsShape="{deed.shape}" dynamicsDimension="{deed.dimension}" '
            f'value="{value(deed.amount)}"/>',
            f'    <SpeedActionTarget><AbsoluteTargetSpeed value="{value(deed.value)}"/></SpeedActionTarget>',
            "  </SpeedAction>",
            "</LongitudinalAction>",
        ]
    elif isinstance(deed, LaneChange):
        inner = [
            "<LateralAction>",
            "  <LaneChangeAction>",
            '    <LaneChangeActionDynamics dynamicsShape="sinusoidal" '
            f'dynamicsDimension="{deed.dimension}" value="{value(deed.amount)}"/>',
            f'    <LaneChangeTarget><RelativeTargetLane entityRef="{deed.of or actor}" value="{deed.lanes}"/>'
            "</LaneChangeTarget>",
            "  </LaneChangeAction>",
            "</LateralAction>",
        ]
    elif isinstance(deed, Door):
        inner = [
            "<AppearanceAction>",
            "  <AnimationAction>",
            f'    <AnimationType><ComponentAnimation><VehicleComponent vehicleComponentType="{deed.name}"/>'
            "</ComponentAnimation></AnimationType>",
            '    <AnimationState state="1"/>',
            "  </AnimationAction>",
            "</AppearanceAction>",
        ]
    elif isinstance(deed, LaneOffset):
        inner = [
            "<LateralAction>",
            '  <LaneOffsetAction continuous="false">',
            f'    <LaneOffsetActionDynamics dynamicsShape="sinusoidal" '
            f'maxLateralAcc="{value(deed.max_lateral_acceleration)}"/>',
            f'    <LaneOffsetTarget><AbsoluteTargetLaneOffset value="{value(deed.offset)}"/></LaneOffsetTarget>',
            "  </LaneOffsetAction>",
            "</LateralAction>",
        ]
    else:
        inner = [
            "<RoutingAction>",
            "  <FollowTrajectoryAction>",
            "    <TrajectoryRef>",
            f'      <Trajectory name="way of {actor}" closed="false">',
            "        <Shape>",
            "          <Polyline>",
            *(f'            <Vertex time="0">{_position(place)}</Vertex>' for place in deed.places),
            "          </Polyline>",
            "        </Shape>",
            "      </Trajectory>",
            "    </TrajectoryRef>",
            "    <TimeReference><None/></TimeReference>",
            '    <TrajectoryFollowingMode followingMode="position"/>',
            "  </FollowTrajectoryAction>",
            "</RoutingAction>",
        ]
    return ["<PrivateAction>", *_indented(2, inner), "</PrivateAction>"]


def _group(event: Event) -> list[str]:
    actions = []
    for number, deed in enumerate(event.deeds):
        name = event.name if len(event.deeds) == 1 else f"{event.name} {number + 1}"
        actions += [f'<Action name="{name}">', *_indented(2, _deed(deed, event.actor)), "</Action>"]
    return [
        f'<ManeuverGroup name="{event.name} group" maximumExecutionCount="1">',
        f'  <Actors selectTriggeringEntities="false"><EntityRef entityRef="{event.actor}"/></Actors>',
        f'  <Maneuver name="{event.name} maneuver">',
        f'    <Event name="{event.name} event" priority="parallel" maximumExecutionCount="1">',
        *_indented(6, actions),
        "      <StartTrigger>",
        *_indented(8, _conditions(f"{event.name} begins", event.when)),
        "      </StartTrigger>",
        "    </Event>",
        "  </Maneuver>",
        "</ManeuverGroup>",
    ]


def _by_entity(who: str, condition: str) -> list[str]:
    return [
        "<ByEntityCondition>",
        f'  <TriggeringEntities triggeringEntitiesRule="any"><EntityRef entityRef="{who}"/></TriggeringEntities>',
        f"  <EntityCondition>{condition}</EntityCondition>",
        "</ByEntityCondition>",
    ]


def _conditions(name: str, when: When, delay: float = 0.0) -> list[str]:
    if isinstance(when, AtTime):
        test = [
            f'<ByValueCondition><SimulationTimeCondition value="{value(when.time)}" rule="greaterOrEqual"/>'
            "</ByValueCondition>"
        ]
    elif isinstance(when, After):
        test = [
            '<ByValueCondition><StoryboardElementStateCondition storyboardElementType="event" '
            f'storyboardElementRef="{when.event} event" state="completeState"/></ByValueCondition>'
        ]
    elif isinstance(when, Travelled):
        test = _by_entity(when.who, f'<TraveledDistanceCondition value="{value(when.distance)}"/>')
    else:
        test = _by_entity(
            when.who,
            f'<TimeHeadwayCondition entityRef="{when.whom}" value="{value(when.headway)}" freespace="true" '
            'coordinateSystem="road" relativeDistanceType="longitudinal" rule="lessThan"/>',
        )
    return _grouped([_condition(name, test, delay)])


def _condition(name: str, test: Sequence[str], delay: float = 0.0) -> list[str]:
    return [f'<Condition name="{name}" delay="{delay:g}" conditionEdge="none">', *_indented(2, test), "</Condition>"]


def _grouped(conditions: Sequence[Sequence[str]]) -> list[str]:
    return ["<ConditionGroup>", *_indented(2, (line for c in conditions for line in c)), "</ConditionGroup>"]


def _stop(recipe: Recipe) -> list[str]:
    others = "".join(
        f'<EntityRef entityRef="{actor.name}"/>' for actor in recipe.actors if actor.name == recipe.meeting.actor
    )
    criteria = [("CollisionTest", "", ""), ("MinimumTimeToCollisionTest", "ttc", f"{recipe.least_ttc_s:g}")]
    return [
        *_conditions("TimeIsUp", AtTime(recipe.stop_s)),
        *_grouped([_condition("Hit", _by_entity("Ego", f"<CollisionCondition>{others}</CollisionCondition>"), 1.5)]),
        *_grouped(
            [
                _condition(
                    f"criteria_{test}",
                    [
                        f'<ByValueCondition><ParameterCondition parameterRef="{name}" value="{text}" rule="lessThan"/>'
                        "</ByValueCondition>"
                    ],
                )
                for test, name, text in criteria
            ]
        ),
    ]


__all__ = ["AT_ONCE", "Closer", "all_parameters", "distribution_text", "light_parameters", "scenario_text", "value"]
