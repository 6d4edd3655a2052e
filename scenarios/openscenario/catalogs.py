"""Catalogs: finding the files, and reading one entry with its parameters assigned."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from pathlib import Path

from lxml import etree

from scenarios.openscenario.nodes import Node, parse_file
from scenarios.openscenario.parameters import Scope, read_declarations

logger = logging.getLogger(__name__)

# element of CatalogLocations -> element of the entries
KINDS = {
    "VehicleCatalog": "Vehicle",
    "ControllerCatalog": "Controller",
    "PedestrianCatalog": "Pedestrian",
    "MiscObjectCatalog": "MiscObject",
    "EnvironmentCatalog": "Environment",
    "ManeuverCatalog": "Maneuver",
    "TrajectoryCatalog": "Trajectory",
    "RouteCatalog": "Route",
}


@dataclass(slots=True)
class Catalogs:
    """The catalogs a scenario may refer to.

    Attributes:
        folders: entry kind -> the folder its ``Directory`` names.
        scope: the scenario's own parameters; entries see them too. The standard wants an entry to declare all it
            uses, but real maneuver catalogs rely on the scenario's, and nothing is lost by allowing it.
        opened: the entries that were read, to be swept with the scenario.
    """

    folders: dict[str, Path] = field(default_factory=dict)
    scope: Scope = field(default_factory=Scope)
    opened: list[Node] = field(default_factory=list)
    _roots: dict[Path, etree._Element] = field(default_factory=dict)
    _depth: int = 0

    @classmethod
    def read(cls, node: Node | None, base: Path, scope: Scope) -> Catalogs:
        """Read ``CatalogLocations``. A folder that does not exist is an error only when an entry is wanted from it."""
        catalogs = cls(scope=scope)
        for location in node.children() if node is not None else []:
            if location.tag not in KINDS:
                raise location.error("unknown kind of catalog", remedy="use " + ", ".join(sorted(KINDS)))
            path = Path(location.one("Directory").text("path"))
            catalogs.folders[KINDS[location.tag]] = path if path.is_absolute() else base / path
        return catalogs

    def open(self, reference: Node, *kinds: str) -> Node:
        """Return the entry a ``CatalogReference`` names, with its declared and assigned parameters in force.

        Args:
            reference: the ``CatalogReference`` element.
            kinds: elements that may be meant, for instance ``"Vehicle", "Pedestrian"``.

        Raises:
            OpenScenarioError: there is no such catalog or entry.
        """
        catalog, entry = reference.text("catalogName"), reference.text("entryName")
        element, file = self._find(reference, catalog, entry, kinds)
        given = {}
        assignments = reference.maybe("ParameterAssignments")
        for assignment in assignments.many("ParameterAssignment") if assignments is not None else []:
            name = str(assignment.raw("parameterRef")).lstrip("$")
            given[name] = assignment.text("value")
        node = Node(element, file, self.scope)
        node.with_scope(read_declarations(node, self.scope, given, lenient=True))
        self.opened.append(node)
        if len(self.opened) > 100_000:
            raise reference.error(
                "more than 100000 catalog entries are used; do catalogs refer to each other in a circle?"
            )
        return node

    def _find(self, reference: Node, catalog: str, entry: str, kinds: tuple[str, ...]) -> tuple[etree._Element, Path]:
        known = [kind for kind in kinds if kind in self.folders]
        if not known:
            raise reference.error(
                f"no CatalogLocations entry gives a folder for {' or '.join(kinds)} catalogs",
                remedy="add it to CatalogLocations",
            )
        seen: list[str] = []
        for kind in known:
            folder = self.folders[kind]
            if not folder.is_dir():
                raise reference.error(f"catalog folder {folder} does not exist")
            # A catalog is known by the name it carries. Some tools go by the file's name: that is the second choice.
            files = sorted(folder.glob("*.xosc"))
            named = [f for f in files if self._catalog(f).get("name") == catalog]
            for file in named or [f for f in files if f.stem == catalog]:
                for element in self._catalog(file):
                    if element.tag in kinds and element.get("name") == entry:
                        return element, file
                    seen.append(str(element.get("name")))
        if seen:
            raise reference.error(
                f"catalog {catalog} has no {' or '.join(kinds)} called {entry!r}",
                remedy="it has " + ", ".join(sorted(set(seen))[:12]),
            )
        folders = ", ".join(str(self.folders[kind]) for kind in known)
        raise reference.error(f"catalog {catalog!r} was not found in {folders}")

    def _catalog(self, file: Path) -> etree._Element:
        if file not in self._roots:
            root = parse_file(file)
            found = root.find("Catalog")
            self._roots[file] = found if found is not None else etree.Element("Catalog")
        return self._roots[file]
