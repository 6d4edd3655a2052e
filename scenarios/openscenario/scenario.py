"""A scenario, read whole: everything is resolved and checked before anything runs."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from scenarios import opendrive
from scenarios.openscenario.board import Board
from scenarios.openscenario.catalogs import Catalogs
from scenarios.openscenario.criteria import Criterion
from scenarios.openscenario.entities import ControllerRecord, VehicleRecord
from scenarios.openscenario.nodes import Node, parse_file
from scenarios.openscenario.objects import EntityEntry, read_object
from scenarios.openscenario.parameters import Parameter, Scope, read_declarations, read_variables
from scenarios.openscenario.reading import Reader
from scenarios.openscenario.signals import SignalController, read_signals
from scenarios.openscenario.storyboard import Storyboard, read_storyboard

logger = logging.getLogger(__name__)
VERSIONS = ((1, 0), (1, 1), (1, 2), (1, 3))


@dataclass(frozen=True, slots=True, eq=False)
class Scenario:
    """A concrete scenario, ready to run.

    Attributes:
        path: its file. name: the file's stem. version: (major, minor). description: of the file header.
        road_path: the OpenDRIVE file it names, None when it names none.
        network: that road network.
        entities: by name, in file order; trailers follow what tows them.
        parameters, variables: with their values at the start.
        monitors: truth values by name, as they are at the start.
        criteria: what is demanded of the ego vehicle.
        assigned: controllers that actions assign.
        notes: what is allowed in the file but has no or another effect than one may think.
    """

    path: Path
    version: tuple[int, int]
    description: str
    road_path: Path | None
    network: opendrive.RoadNetwork | None
    entities: Mapping[str, EntityEntry]
    parameters: Mapping[str, Parameter]
    variables: Mapping[str, Parameter]
    signals: Mapping[str, SignalController]
    storyboard: Storyboard
    criteria: tuple[Criterion, ...]
    assigned: tuple[tuple[Node, ControllerRecord], ...]
    notes: tuple[str, ...]
    watch_off_road: frozenset[str] = frozenset()
    monitors: Mapping[str, bool] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The file's stem."""
        return self.path.stem

    @property
    def ego(self) -> str:
        """The entity under test: property type=ego_vehicle, else named Ego, hero or similar, else the first vehicle."""
        vehicles = [n for n, e in self.entities.items() if isinstance(e.record, VehicleRecord) and not e.towed_by]
        marked = [n for n in vehicles if self.entities[n].record.properties.get("type") == "ego_vehicle"]
        named = [n for n in vehicles if n.lower() in ("ego", "hero", "ego_vehicle", "egovehicle", "host")]
        candidates = marked or named or vehicles or list(self.entities)
        return candidates[0] if candidates else ""


def load(
    path: str | Path, parameters: Mapping[str, str] | None = None, *, network: opendrive.RoadNetwork | None = None
) -> Scenario:
    """Read an OpenSCENARIO XML 1.0-1.3 scenario, its catalogs and its road network.

    Args:
        path: the ``.xosc`` file.
        parameters: values that replace those of the file's ParameterDeclarations.
        network: the road network, when the caller has read it already; else the file's LogicFile is read.

    Raises:
        OpenScenarioError: something in it is wrong, or is not supported; names file, line and element.
        OpenDriveError: the road network cannot be used.
    """
    path = Path(path)
    root = Node(parse_file(path), path, Scope())
    if root.tag != "OpenSCENARIO":
        raise root.error("this is no OpenSCENARIO file", remedy="the root element must be OpenSCENARIO")
    version, description = _read_header(root)
    for tag, what in (("Catalog", "a catalog"), ("ParameterValueDistribution", "a parameter value distribution")):
        if root.element.find(tag) is not None:
            raise root.error(f"this is {what}, not a scenario", remedy="give the scenario it belongs to, or use expand")
    given = {k: str(v) for k, v in (parameters or {}).items()}
    scope = read_declarations(root, None, given)
    root.with_scope(scope)
    catalogs = Catalogs.read(root.maybe("CatalogLocations"), path.parent, scope)
    reader = Reader(path, scope, catalogs)
    reader.variables = read_variables(root)
    reader.monitors = _read_monitors(root)
    road_path, reader.network, reader.signals = _read_roads(root, path, network)
    entries = _read_entities(root, reader)
    board = read_storyboard(root.one("Storyboard"), reader)
    _check_references(board, reader)
    _sweep(root, reader)
    reader.run_checks()
    return Scenario(
        path, version, description, road_path, reader.network, entries, dict(scope.parameters), reader.variables,
        reader.signals, board, tuple(reader.criteria), tuple(reader.assigned), tuple(reader.notes),
        frozenset(reader.watch_off_road), reader.monitors,
    )  # fmt: skip


def _read_monitors(root: Node) -> dict[str, bool]:
    """Read ``MonitorDeclarations``: truth values that the scenario sets for whoever evaluates it."""
    found: dict[str, bool] = {}
    node = root.maybe("MonitorDeclarations")
    for declaration in node.many("MonitorDeclaration") if node is not None else []:
        name = declaration.text("name")
        if name in found:
            raise declaration.error(f"monitor {name} is declared twice")
        found[name] = declaration.boolean("value")
    return found


def _read_header(root: Node) -> tuple[tuple[int, int], str]:
    header = root.one("FileHeader")
    version = (header.integer("revMajor"), header.integer("revMinor"))
    if version not in VERSIONS:
        raise header.error(
            f"version {version[0]}.{version[1]} is not supported", remedy="supported are OpenSCENARIO XML 1.0 to 1.3"
        )
    description = header.label("description", "")
    header.skip()  # author, date, licence and properties do not change a run
    return version, description


def _read_roads(
    root: Node, path: Path, network: opendrive.RoadNetwork | None
) -> tuple[Path | None, opendrive.RoadNetwork | None, dict[str, SignalController]]:
    node = root.one("RoadNetwork")
    if (scene := node.maybe("SceneGraphFile")) is not None:
        scene.skip()  # a 3D model of another tool; the world is made from the road network
    if (area := node.maybe("UsedArea")) is not None:
        area.skip()  # says which part of the map matters; the whole of it is there
    signals = read_signals(node.maybe("TrafficSignals"))
    logic = node.maybe("LogicFile")
    if logic is None:
        return None, network, signals
    file = Path(logic.text("filepath"))
    road_path = file if file.is_absolute() else path.parent / file
    if network is None:
        if road_path.suffix.lower() != ".xodr":
            raise logic.error(f"{file} is no OpenDRIVE file", remedy="give a path that ends in .xodr")
        if not road_path.is_file():
            raise logic.error(f"road network {file} does not exist", remedy=f"looked for {road_path}")
        network = opendrive.read(road_path)
    return road_path, network, signals


def _read_entities(root: Node, reader: Reader) -> dict[str, EntityEntry]:
    node = root.one("Entities")
    objects = node.many("ScenarioObject")
    names = [o.text("name") for o in objects]
    for i, name in enumerate(names):
        if name in names[:i]:
            raise objects[i].error(f"two entities are called {name!r}")
    reader.entities = tuple(names)
    entries: dict[str, EntityEntry] = {}
    for item, name in zip(objects, names):
        entries[name] = read_object(item, reader)
    _add_trailers(entries, objects, reader)
    reader.entities = tuple(entries)
    for selection in node.many("EntitySelection"):
        _read_selection(selection, reader, entries)
    return entries


def _add_trailers(entries: dict[str, EntityEntry], objects: list[Node], reader: Reader) -> None:
    """Give every trailer that is written inside a vehicle its own entity, named after what tows it and a plus sign."""
    for node, name in zip(objects, list(entries)):
        front, record = name, entries[name].record
        for _ in range(10):
            if not isinstance(record, VehicleRecord):
                break
            if record.trailer_ref:
                if record.trailer_ref not in entries or record.trailer_ref == front:
                    raise node.error(f"trailer {record.trailer_ref!r} is no entity")
                entries[record.trailer_ref] = replace(entries[record.trailer_ref], towed_by=front)
                front, record = record.trailer_ref, entries[record.trailer_ref].record
            elif record.trailer is not None:
                back = front + "+"
                if back in entries:
                    raise node.error(f"an entity is called {back!r}, which is the name of the trailer of {front!r}")
                entries[back] = EntityEntry(record.trailer, (), front)
                front, record = back, record.trailer
            else:
                break
            if not isinstance(record, VehicleRecord) or record.coupler_x is None:
                raise node.error(f"{front!r} is towed and has no TrailerCoupler")
        else:
            raise node.error("more than ten trailers, or trailers in a circle")


def _read_selection(node: Node, reader: Reader, entries: Mapping[str, EntityEntry]) -> None:
    name = node.text("name")
    if name in entries or name in reader.selections:
        raise node.error(f"{name!r} is used twice")
    members: list[str] = []
    for child in node.one("Members").children():
        if child.tag == "EntityRef":
            members.append(reader.entity(child))
        elif child.tag == "ByType":
            kind = child.choice("objectType", ("vehicle", "pedestrian", "miscellaneous"))
            members += [n for n, e in entries.items() if e.record.kind == kind]
        else:
            raise child.error("unknown kind of member")
    reader.selections[name] = tuple(dict.fromkeys(members))


def _check_references(storyboard: Storyboard, reader: Reader) -> None:
    """Refuse conditions on storyboard elements that do not exist."""
    board = Board()
    for story in storyboard.stories:
        board.add("story", (story.name,))
        for act in story.acts:
            path: tuple[str, ...] = (story.name, act.name)
            board.add("act", path)
            for group in act.groups:
                board.add("maneuverGroup", (*path, group.name))
                for maneuver in group.maneuvers:
                    board.add("maneuver", (*path, group.name, maneuver.name))
                    for event in maneuver.events:
                        below = (*path, group.name, maneuver.name, event.name)
                        board.add("event", below)
                        for action in event.actions:
                            board.add("action", (*below, action.name))
    for node, kind, reference, scope in reader.references:
        if not board.find(kind, reference, scope):
            same = sorted({e.name for e in board.elements if e.kind == kind})
            raise node.error(f"there is no {kind} {reference!r}", remedy="there are " + ", ".join(same[:12]))


def _sweep(root: Node, reader: Reader) -> None:
    root.sweep()
    for entry in reader.catalogs.opened:
        entry.sweep()


def road_file(path: str | Path) -> Path | None:
    """Return the road network file a scenario names, without reading the rest; None when it names none.

    Raises:
        OpenScenarioError: the file is no readable XML, or its path depends on parameters that cannot be resolved.
    """
    path = Path(path)
    root = Node(parse_file(path), path, Scope())
    root.with_scope(read_declarations(root, None, {}))
    logic = root.element.find("RoadNetwork/LogicFile")
    if logic is None:
        return None
    file = Path(Node(logic, path, root.scope).text("filepath"))
    return file if file.is_absolute() else path.parent / file
