"""A road network: roads, lanes, junctions and the questions one asks about them. ASAM's frame, radians, metres."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.blending import JunctionGround, ground_where_roads_disagree
from scenarios.opendrive.building import RoadBuilder
from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.georeference import GeoReference, origin_of
from scenarios.opendrive.graph import LaneGraph
from scenarios.opendrive.locating import LanePositions, Locator
from scenarios.opendrive.reading import decode, read_document
from scenarios.opendrive.road import Poses, RoadGeometry, Section
from scenarios.opendrive.special_records import unapplied
from scenarios.opendrive.values import DRIVING_TYPES, LaneKey, LanePosition, Pose

Floats = npt.NDArray[np.float64]
DEFAULT_KERB_HEIGHT_M = 0.12
_TO_KMH = {"m/s": 3.6, "km/h": 1.0, "mph": 1.609344, "": 3.6}


class RoadNetwork:
    """A road network read from OpenDRIVE. Immutable; make one with :func:`read` or :func:`parse`.

    Attributes:
        name: the file's stem or the name given.
        text: the OpenDRIVE text as read.
        document: the records as they stood in the file.
        roads: geometry by road id, in file order.
        junctions: records by junction id.
        controllers: records by controller id.
        diagnostics: what is odd but usable in the file, in order of lines.
        geo_reference: the header's PROJ string, "" if none.
        origin_lat_lon: latitude and longitude of the origin in degrees; (42, 2) if the file gives none (as CARLA's
            client does).
    """

    def __init__(
        self, name: str, text: str, document: furniture.Document, file: str, diagnostics: list[Diagnostic], kerb: float
    ) -> None:
        self.name, self.text, self.document, self.file = name, text, document, file
        builder = RoadBuilder(file, diagnostics, kerb)
        self.roads: dict[str, RoadGeometry] = {}
        if not document.roads:
            raise OpenDriveError("there is no <road>", file=file, line=document.line, element="OpenDRIVE")
        for record in document.roads:
            if record.id in self.roads:
                first = self.roads[record.id].record.line
                raise OpenDriveError(
                    f"road id '{record.id}' is already used in line {first}",
                    file=file,
                    line=record.line,
                    element="road",
                    remedy="give each road its own id",
                )
            self.roads[record.id] = builder.build(record)
        self.junctions: dict[str, furniture.Junction] = {}
        for junction in document.junctions:
            if junction.id in self.junctions:
                raise OpenDriveError(
                    f"junction id '{junction.id}' is used twice", file=file, line=junction.line, element="junction"
                )
            self.junctions[junction.id] = junction
        self.controllers = {controller.id: controller for controller in document.controllers}
        self.geo_reference = document.geo_reference
        self.origin_lat_lon, note = origin_of(document.geo_reference)
        if note:
            diagnostics.append(Diagnostic(document.header.line if document.header else 1, "geoReference", note))
        diagnostics += _signal_notes(document)
        diagnostics += unapplied(document)
        self._grounds: dict[str, JunctionGround | None] = {}
        self._graph = LaneGraph(self.roads, self.junctions, file, diagnostics)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(sorted(diagnostics, key=lambda d: (d.line, d.element)))

    @cached_property
    def geography(self) -> GeoReference:
        """The map's projection: ``network.geography.to_lat_lon(x, y)``, ``.to_map(latitude, longitude)``.

        Unlike ``origin_lat_lon``, which says what CARLA's client makes of the file, this is PROJ with the header's
        offset. OpenDriveError if the file has no usable geoReference.
        """
        header = self.document.header
        return GeoReference(self.geo_reference, header.offset if header is not None else None)

    # Poses

    def road(self, road_id: str) -> RoadGeometry:
        """Return a road; OpenDriveError if there is none of that id."""
        try:
            return self.roads[road_id]
        except KeyError:
            raise OpenDriveError(
                f"there is no road '{road_id}'", file=self.file, element="road", remedy=_some(list(self.roads))
            ) from None

    def road_pose(self, road_id: str, s: float, t: float = 0.0) -> Pose:
        """Return the pose on the road's surface at (s, t), headed along s. Lane heights (kerbs) are left out."""
        return _first(self.road_poses(road_id, np.array([s]), np.array([t])))

    def road_poses(self, road_id: str, s: Floats, t: Floats) -> Poses:
        """Return poses at (N,) ``s`` and ``t``; see :meth:`road_pose`."""
        road = self.road(road_id)
        return road.poses(road.stations(s), np.asarray(t, dtype=np.float64))

    def lane_pose(self, road_id: str, lane_id: int, s: float, offset: float = 0.0) -> Pose:
        """Return the pose on a lane's surface, ``offset`` metres left of its centre, headed along the lane with s.

        The heading follows the lane's centre line, so it differs from the road's where widths change. In which
        direction traffic goes, :meth:`lane_drives_forward` says.

        Raises:
            OpenDriveError: the road has no such lane at ``s``.
        """
        section = self._section(road_id, lane_id, s)
        return _first(self.lane_poses(LaneKey(road_id, section.index, lane_id), np.array([s]), offset))

    def lane_poses(self, key: LaneKey, s: Floats, offset: Floats | float = 0.0) -> Poses:
        """Return poses at (N,) ``s`` of a lane; see :meth:`lane_pose`. ``s`` is held within the lane's section."""
        road, section = self._lane(key)
        s = np.clip(np.asarray(s, dtype=np.float64), section.start, section.end)
        middle, slope, _ = road.lane_middle(s, section, key.lane_id)
        t = middle + offset
        return road.poses(road.stations(s), t, slope, road.surface_height(s, t, section, key.lane_id))

    def lane_centre(self, key: LaneKey, step_m: float = 1.0) -> tuple[Floats, Floats]:
        """Return a lane's centre line in the direction of s.

        Args:
            key: the lane.
            step_m: largest distance of two points along s.

        Returns:
            (N, 3) points and (N,) headings; the first and last lie at the section's ends.
        """
        _, section = self._lane(key)
        count = max(2, int(np.ceil((section.end - section.start) / step_m)) + 1)
        pose = self.lane_poses(key, np.linspace(section.start, section.end, count))
        return np.stack([pose.x, pose.y, pose.z], axis=-1), pose.heading

    def project(self, road_id: str, x: float, y: float) -> tuple[float, float]:
        """Return the road coordinates (s, t) of a place on one road: those of its nearest cross-section."""
        s, t = self.project_many(road_id, np.array([[x, y]]))
        return float(s[0]), float(t[0])

    def project_many(self, road_id: str, places: Floats) -> tuple[Floats, Floats]:
        """Return (N,) s and t of (N, 2) places; see :meth:`project`."""
        self.road(road_id)
        return self._locator.project(road_id, places)

    def locate(
        self,
        x: float,
        y: float,
        z: float | None = None,
        heading: float | None = None,
        *,
        types: frozenset[str] | None = DRIVING_TYPES,
        max_distance_m: float = np.inf,
    ) -> LanePosition | None:
        """Return the lane a place lies on, or else the nearest.

        Lanes of ``types`` come first wherever the place lies within one; outside of all of them the nearest of
        them is taken if it is not farther than the nearest lane of any type plus 5 m. Among several lanes at one
        place (junctions, bridges) the nearest in height wins, then the one whose traffic goes most like ``heading``.

        Args:
            x, y, z: the place in metres; without ``z`` heights do not count.
            heading: direction of travel in radians.
            types: lane types preferred; None treats all alike.
            max_distance_m: None is returned if no lane is as near as that.
        """
        return self._locator.locate(x, y, z, heading, types, max_distance_m)

    def locate_many(
        self, points: Floats, headings: Floats | None = None, *, types: frozenset[str] | None = DRIVING_TYPES
    ) -> list[LanePosition | None]:
        """Return what :meth:`locate` says about (N, 2 or 3) points."""
        return self._locator.locate_many(np.asarray(points, dtype=np.float64), headings, types)

    def locate_arrays(
        self, points: Floats, headings: Floats | None = None, *, types: frozenset[str] | None = DRIVING_TYPES
    ) -> LanePositions:
        """Return what :meth:`locate_many` says, as arrays: several times as fast for many thousands of points."""
        return self._locator.locate_arrays(np.asarray(points, dtype=np.float64), headings, types)

    def heights_at(self, places: Floats) -> Floats:
        """Return (N,) heights of the ground at (N, 2) places: the nearest lane's, its kerb or lane height included.

        Beside the road the surface of the nearest lane goes on.
        """
        places = np.asarray(places, dtype=np.float64)
        heights = np.zeros(len(places))
        found = self.locate_arrays(places, types=None)
        lanes = np.stack([found.road, found.section, found.lane_id], axis=1)
        for number, section_number, lane_id in np.unique(lanes[found.road >= 0], axis=0).tolist():
            rows = np.flatnonzero((lanes == (number, section_number, lane_id)).all(axis=1))
            key = LaneKey(found.road_ids[number], section_number, lane_id)
            road, section = self._lane(key)
            s, t = found.s[rows], found.t[rows]
            raised = road.surface_height(s, t, section, key.lane_id)
            heights[rows] = road.points(road.stations(s), t, raised)[:, 2]
            ground = self.junction_ground(road.junction) if road.junction else None
            if ground is not None and section.has(key.lane_id) and section.lane(key.lane_id).type in DRIVING_TYPES:
                heights[rows], _ = ground.heights(places[rows], heights[rows])
        return heights

    def junction_ground(self, junction_id: str) -> JunctionGround | None:
        """Return the blended ground of a junction whose connecting roads disagree about its height, else None."""
        if junction_id not in self._grounds:
            self._grounds[junction_id] = ground_where_roads_disagree(self, junction_id)
        return self._grounds[junction_id]

    # Lanes

    def lane_keys(self, types: frozenset[str] | None = None) -> list[LaneKey]:
        """Return all lanes (of some types), roads in file order, lanes from right to left."""
        return [
            LaneKey(road.id, section.index, lane.id)
            for road in self.roads.values()
            for section in road.sections
            for lane in section.lanes
            if types is None or lane.type in types
        ]

    def successors(self, key: LaneKey) -> list[LaneKey]:
        """Return the lanes that traffic in this lane can go on to."""
        return self._graph.successors(key)

    def predecessors(self, key: LaneKey) -> list[LaneKey]:
        """Return the lanes from which traffic comes into this lane."""
        return self._graph.predecessors(key)

    def neighbours(self, key: LaneKey) -> tuple[LaneKey | None, LaneKey | None]:
        """Return the (left, right) neighbours as seen along s, the centre lane left out."""
        _, section = self._lane(key)
        ids = section.lane_ids
        rank = ids.index(key.lane_id)
        left = LaneKey(key.road_id, key.section, ids[rank + 1]) if rank + 1 < len(ids) else None
        right = LaneKey(key.road_id, key.section, ids[rank - 1]) if rank > 0 else None
        return left, right

    def lane_width(self, road_id: str, lane_id: int, s: float) -> float:
        """Return a lane's width at ``s`` in metres."""
        section = self._section(road_id, lane_id, s)
        return float(self.roads[road_id].lane_middle(np.array([s]), section, lane_id)[2][0])

    def lane_widths(self, key: LaneKey, s: Floats) -> Floats:
        """Return a lane's widths at (N,) ``s``."""
        road, section = self._lane(key)
        return road.lane_middle(np.asarray(s, dtype=np.float64), section, key.lane_id)[2]

    def lane_type(self, road_id: str, lane_id: int, s: float) -> str:
        """Return a lane's type at ``s`` as the file writes it."""
        return self._section(road_id, lane_id, s).lane(lane_id).type

    def lane_drives_forward(self, road_id: str, lane_id: int, section: int | None = None) -> bool:
        """Return whether traffic in the lane goes in the direction of s."""
        return self.road(road_id).drives_forward(lane_id, section)

    def lane_range(self, key: LaneKey) -> tuple[float, float]:
        """Return the s at which the lane's section starts and ends."""
        _, section = self._lane(key)
        return section.start, section.end

    def lane_length(self, key: LaneKey) -> float:
        """Return the length of the lane's centre line in metres."""
        points, _ = self.lane_centre(key, 2.0)
        return float(np.linalg.norm(np.diff(points, axis=0), axis=1).sum())

    def speed_limit_kmh(self, road_id: str, s: float, lane_id: int | None = None) -> float | None:
        """Return the speed limit in km/h at ``s``: the lane's if it has one, else the road type's, else None."""
        road = self.road(road_id)
        if lane_id is not None and lane_id != 0:
            lane = self._section(road_id, lane_id, s).lane(lane_id)
            here = [r for r in lane.record.speeds if lane.origin + r.s_offset <= s + 1e-9]
            if here:
                chosen = max(here, key=lambda r: r.s_offset)
                return chosen.max_ * _TO_KMH.get(chosen.unit, 3.6)
        types = [r for r in road.record.types if r.s <= s + 1e-9]
        speed = max(types, key=lambda r: r.s).speed if types else None
        if speed is None:
            return None
        try:
            return float(speed.max_) * _TO_KMH.get(speed.unit, 3.6)
        except ValueError:  # "no limit", "undefined"
            return None

    def route(self, start: LanePosition, end: LanePosition) -> list[LaneKey]:
        """Return the lanes from start to end: the shortest way, lane changes between driving lanes included.

        Raises:
            OpenDriveError: there is no way.
        """
        return self._graph.route(start, end)

    def lanes_at(self, road_id: str, s: float) -> Sequence[int]:
        """Return the ids of the lanes at ``s`` from right to left, without the centre lane."""
        return self.road(road_id).section_at(s).lane_ids

    def _lane(self, key: LaneKey) -> tuple[RoadGeometry, Section]:
        road = self.road(key.road_id)
        if not 0 <= key.section < len(road.sections):
            raise OpenDriveError(f"road '{road.id}' has no lane section {key.section}", file=self.file)
        section = road.sections[key.section]
        if key.lane_id != 0 and not section.has(key.lane_id):
            raise self._no_lane(road, section, key.lane_id)
        return road, section

    def _section(self, road_id: str, lane_id: int, s: float) -> Section:
        road = self.road(road_id)
        section = road.section_at(s)
        if lane_id != 0 and not section.has(lane_id):
            raise self._no_lane(road, section, lane_id)
        return section

    def _no_lane(self, road: RoadGeometry, section: Section, lane_id: int) -> OpenDriveError:
        return OpenDriveError(
            f"road '{road.id}' has no lane {lane_id} between s={section.start:g} and s={section.end:g}",
            file=self.file,
            line=road.record.line,
            element="road",
            remedy=f"its lanes there: {', '.join(str(i) for i in section.lane_ids)}",
        )

    @cached_property
    def _locator(self) -> Locator:
        return Locator(list(self.roads.values()))


def _signal_notes(document: furniture.Document) -> list[Diagnostic]:
    """Return what is odd about signal ids: used twice, or named by a reference or controller but not there."""
    notes: list[Diagnostic] = []
    lines: dict[str, int] = {}
    for road in document.roads:
        for signal in road.signals:
            if signal.id in lines:
                text = f"signal id '{signal.id}' is already used in line {lines[signal.id]}"
                notes.append(Diagnostic(signal.line, "signal", text))
            lines.setdefault(signal.id, signal.line)
    for road in document.roads:
        for reference in road.signal_references:
            if reference.id not in lines:
                notes.append(Diagnostic(reference.line, "signalReference", f"there is no signal '{reference.id}'"))
    for controller in document.controllers:
        for control in controller.controls:
            if control.signal_id not in lines:
                notes.append(Diagnostic(control.line, "control", f"there is no signal '{control.signal_id}'"))
    return notes


def _first(poses: Poses) -> Pose:
    return Pose(*(float(column[0]) for column in poses))


def _some(names: list[str]) -> str:
    return "roads: " + ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")


def parse(text: str, name: str = "network", *, kerb_height_m: float = DEFAULT_KERB_HEIGHT_M) -> RoadNetwork:
    """Return the road network of an OpenDRIVE text.

    Args:
        text: the content of an .xodr file.
        name: the network's name; also stands for the file in messages.
        kerb_height_m: height of sidewalks for which the file gives no lane height.

    Raises:
        OpenDriveError: the text cannot be used; the message names file, line, element and remedy.
    """
    return _build(text, name, name, kerb_height_m)


def read(path: str | Path, *, kerb_height_m: float = DEFAULT_KERB_HEIGHT_M) -> RoadNetwork:
    """Return the road network of an OpenDRIVE file; see :func:`parse`.

    Raises:
        OpenDriveError: the file cannot be read or used.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OpenDriveError(f"cannot be read: {error.strerror}", file=path, remedy="check the path") from error
    return _build(decode(data, str(path)), path.stem, str(path), kerb_height_m)


def _build(text: str, name: str, file: str, kerb_height_m: float) -> RoadNetwork:
    diagnostics: list[Diagnostic] = []
    document = read_document(text, file, diagnostics)
    return RoadNetwork(name, text, document, file, diagnostics, kerb_height_m)
