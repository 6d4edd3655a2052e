# ruff: noqa: RUF009  the calls are field declarations; they return dataclasses.field
"""Records of signals, the boards they are made of, what they mean (1.8), and the controllers that switch them."""

from __future__ import annotations

from dataclasses import dataclass

from scenarios.opendrive.fields import Record, attribute, child, children
from scenarios.opendrive.records import LIMIT_M

ORIENTATION = "+ - none both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validity(Record):
    """``<validity>``: the lanes an object or signal is valid for."""

    from_lane: int = attribute("fromLane", int)
    to_lane: int = attribute("toLane", int)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalDependency(Record):
    """``<dependency>``: this signal limits another one."""

    id: str = attribute("id", str)
    type_: str = attribute("type", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLink(Record):
    """``<reference>`` of a signal to another element (1.6 and later)."""

    element_id: str = attribute("elementId", str)
    element_type: str = attribute("elementType", str, "")
    type_: str = attribute("type", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionRoad(Record):
    """``<positionRoad>``: where the signal stands physically."""

    road_id: str = attribute("roadId", str)
    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    z_offset: float = attribute("zOffset", float, 0.0)
    h_offset: float = attribute("hOffset", float, 0.0)
    pitch: float = attribute("pitch", float, 0.0)
    roll: float = attribute("roll", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionInertial(Record):
    """``<positionInertial>``: where the signal stands physically."""

    x: float = attribute("x", largest=LIMIT_M)
    y: float = attribute("y", largest=LIMIT_M)
    z: float = attribute("z", largest=LIMIT_M)
    hdg: float = attribute("hdg", float, 0.0)
    pitch: float = attribute("pitch", float, 0.0)
    roll: float = attribute("roll", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning(Record):
    """A child of ``<semantics>`` that says nothing but its name: prohibited, warning, routing, parking and others."""

    type_: str = attribute("type", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedMeaning(Record):
    """``<speed>`` of ``<semantics>``: maximum, minimum, recommended, a zone, or the end of one of them."""

    type_: str = attribute("type", str, "")
    value: float | None = attribute("value", float, None)
    unit: str = attribute("unit", str, "", choices="m/s km/h mph")


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredMeaning(Record):
    """``<supplementaryDistance>`` or ``<supplementaryTime>`` of ``<semantics>``."""

    type_: str = attribute("type", str, "")
    value: float | None = attribute("value", float, None)
    unit: str = attribute("unit", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Semantics(Record):
    """``<semantics>`` (1.8): what a signal means, whatever its country calls it."""

    speeds: tuple[SpeedMeaning, ...] = children("speed", SpeedMeaning)
    lanes: tuple[Meaning, ...] = children("lane", Meaning)
    priorities: tuple[Meaning, ...] = children("priority", Meaning)
    prohibited: tuple[Meaning, ...] = children("prohibited", Meaning)
    warnings: tuple[Meaning, ...] = children("warning", Meaning)
    routings: tuple[Meaning, ...] = children("routing", Meaning)
    street_names: tuple[Meaning, ...] = children("streetname", Meaning)
    parkings: tuple[Meaning, ...] = children("parking", Meaning)
    tourists: tuple[Meaning, ...] = children("tourist", Meaning)
    times: tuple[MeasuredMeaning, ...] = children("supplementaryTime", MeasuredMeaning)
    allows: tuple[Meaning, ...] = children("supplementaryAllows", Meaning)
    prohibits: tuple[Meaning, ...] = children("supplementaryProhibits", Meaning)
    distances: tuple[MeasuredMeaning, ...] = children("supplementaryDistance", MeasuredMeaning)
    environments: tuple[Meaning, ...] = children("supplementaryEnvironment", Meaning)
    explanations: tuple[Meaning, ...] = children("supplementaryExplanatory", Meaning)


@dataclass(frozen=True, slots=True, kw_only=True)
class DisplayArea(Record):
    """``<displayArea>`` of a board that changes."""

    index: int | None = attribute("index", int, None)
    v: float = attribute("v", float, 0.0, largest=LIMIT_M)
    z: float = attribute("z", float, 0.0, largest=LIMIT_M)
    width: float = attribute("width", float, 0.0, at_least=0.0, largest=LIMIT_M)
    height: float = attribute("height", float, 0.0, at_least=0.0, largest=LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmsBoard(Record):
    """``<vmsBoard>`` (1.8) of a signal: a variable message sign."""

    display_type: str = attribute("displayType", str, "")
    display_width: float = attribute("displayWidth", float, 0.0, at_least=0.0, largest=LIMIT_M)
    display_height: float = attribute("displayHeight", float, 0.0, at_least=0.0, largest=LIMIT_M)
    v: float = attribute("v", float, 0.0, largest=LIMIT_M)
    z: float = attribute("z", float, 0.0, largest=LIMIT_M)
    areas: tuple[DisplayArea, ...] = children("displayArea", DisplayArea)
    validities: tuple[Validity, ...] = children("validity", Validity)
    dependencies: tuple[SignalDependency, ...] = children("dependency", SignalDependency)
    references: tuple[SignalLink, ...] = children("reference", SignalLink)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown(Record):
    """What signals and the signs on boards have in common."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    h_offset: float = attribute("hOffset", float, 0.0)
    pitch: float = attribute("pitch", float, 0.0)
    roll: float = attribute("roll", float, 0.0)
    orientation: str = attribute("orientation", str, "none", choices=ORIENTATION)
    dynamic: str = attribute("dynamic", str, "no", choices="yes no")
    country: str = attribute("country", str, "")
    country_revision: str = attribute("countryRevision", str, "")
    type_: str = attribute("type", str, "")
    subtype: str = attribute("subtype", str, "")
    value: float | None = attribute("value", float, None)
    unit: str = attribute("unit", str, "")
    text: str = attribute("text", str, "")
    width: float = attribute("width", float, 0.0)
    height: float = attribute("height", float, 0.0)
    length: float = attribute("length", float, 0.0)
    validities: tuple[Validity, ...] = children("validity", Validity)
    dependencies: tuple[SignalDependency, ...] = children("dependency", SignalDependency)
    references: tuple[SignalLink, ...] = children("reference", SignalLink)
    position_road: PositionRoad | None = child("positionRoad", PositionRoad)
    position_inertial: PositionInertial | None = child("positionInertial", PositionInertial)
    semantics: Semantics | None = child("semantics", Semantics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign(_Shown):
    """``<sign>`` (1.8) on a static board, at (v, z) of it. Boards on signs are kept in ``unknown``."""

    v: float = attribute("v", float, 0.0, largest=LIMIT_M)
    z: float = attribute("z", float, 0.0, largest=LIMIT_M)


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticBoard(Record):
    """``<staticBoard>`` (1.8) of a signal: a board that carries several signs."""

    signs: tuple[Sign, ...] = children("sign", Sign)
    validities: tuple[Validity, ...] = children("validity", Validity)
    dependencies: tuple[SignalDependency, ...] = children("dependency", SignalDependency)
    references: tuple[SignalLink, ...] = children("reference", SignalLink)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmsBoardReference(Record):
    """``<vmsBoardReference>``: a board of a group."""

    signal_id: str = attribute("signalId", str, "")
    vms_index: int | None = attribute("vmsIndex", int, None)
    group_index: int | None = attribute("groupIndex", int, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class VmsGroup(Record):
    """``<vmsGroup>`` (1.8): variable message signs that belong together."""

    id: str = attribute("id", str, "")
    boards: tuple[VmsBoardReference, ...] = children("vmsBoardReference", VmsBoardReference)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation(Record):
    """``<roadRegulations>`` or ``<signalRegulations>`` (1.8): what holds by law for a type of roads or signals."""

    type_: str = attribute("type", str, "")
    subtype: str = attribute("subtype", str, "")
    semantics: Semantics | None = child("semantics", Semantics)


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal(_Shown):
    """``<signal>``."""

    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    z_offset: float = attribute("zOffset", float, 0.0, largest=LIMIT_M)
    static_boards: tuple[StaticBoard, ...] = children("staticBoard", StaticBoard)
    vms_boards: tuple[VmsBoard, ...] = children("vmsBoard", VmsBoard)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalReference(Record):
    """``<signalReference>``: a signal of another road that also counts here."""

    id: str = attribute("id", str)
    s: float = attribute("s", largest=LIMIT_M)
    t: float = attribute("t", largest=LIMIT_M)
    orientation: str = attribute("orientation", str, "none", choices=ORIENTATION)
    validities: tuple[Validity, ...] = children("validity", Validity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Control(Record):
    """``<control>``: a signal of a controller."""

    signal_id: str = attribute("signalId", str)
    type_: str = attribute("type", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Controller(Record):
    """``<controller>``: signals that change together."""

    id: str = attribute("id", str)
    name: str = attribute("name", str, "")
    sequence: int = attribute("sequence", int, 0)
    controls: tuple[Control, ...] = children("control", Control)
