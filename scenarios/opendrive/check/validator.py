"""The validator: reads as far as it can, then looks at every road, link, junction, signal and object."""

from __future__ import annotations

from pathlib import Path

from scenarios.opendrive import furniture_records as furniture
from scenarios.opendrive.building import RoadBuilder
from scenarios.opendrive.check.findings import Report
from scenarios.opendrive.check.furniture import check_furniture
from scenarios.opendrive.check.junctions import check_junctions
from scenarios.opendrive.check.links import check_links
from scenarios.opendrive.check.overlaps import check_overlaps
from scenarios.opendrive.check.profiles import check_profiles
from scenarios.opendrive.check.sections import check_sections
from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.network import DEFAULT_KERB_HEIGHT_M, parse
from scenarios.opendrive.reading import decode, read_document
from scenarios.opendrive.road import RoadGeometry
from scenarios.opendrive.special_records import unapplied

_NEWEST_MINOR = 8
_NOTES = ("it is ignored", "has no effect", "the standard knows", "has no <link>")
"""Diagnostics of the reader that tell of leftovers, not of faults, contain one of these."""
_TOLD_BETTER = ("gap of", "kink of", "is already used", "there is no signal", "starts at s=", "not in order of s")
"""Diagnostics of the reader that checks of this package tell more exactly contain one of these."""


def check(path: str | Path) -> Report:
    """Return what is wrong with an OpenDRIVE file.

    Raises:
        OpenDriveError: the file cannot be read from disk.
    """
    path = Path(path)
    try:
        data = path.read_bytes()
    except OSError as error:
        raise OpenDriveError(f"cannot be read: {error.strerror}", file=path, remedy="check the path") from error
    report = Report(str(path))
    try:
        text = decode(data, str(path))
    except OpenDriveError as error:
        report.refuse(error, "text")
        return report
    return check_text(text, str(path))


def check_text(text: str, name: str = "network") -> Report:
    """Return what is wrong with an OpenDRIVE text; ``name`` stands for the file in messages. Never raises."""
    report = Report(name)
    diagnostics: list[Diagnostic] = []
    refusals: list[OpenDriveError] = []
    try:
        document = read_document(text, name, diagnostics, refusals)
    except OpenDriveError as error:
        report.refuse(error, "xml")
        return report
    broken = _refused(document, refusals, report)
    roads = _roads(document, broken, diagnostics, report)
    _header(document, report)
    _ids(document, report)
    for road in roads.values():
        check_profiles(road, report)
        check_sections(road, report)
    check_links(document, roads, report)
    check_junctions(document, roads, report)
    check_furniture(document, roads, report)
    check_overlaps(document, roads, report)
    if report.sound:
        _last_word(text, name, report)
    _told_by_the_reader([*diagnostics, *unapplied(document)], document, report)
    report.sort()
    return report


def _refused(document: furniture.Document, refusals: list[OpenDriveError], report: Report) -> set[str]:
    """Report faulty attributes and missing elements; return the ids of the roads they are in."""
    starts = sorted((record.line, record) for record in document.roads) if _lines_differ(document) else []
    ends = sorted(record.line for record in (*document.junctions, *document.controllers))
    broken = set()
    for error in refusals:
        road = ""
        before = [record for line, record in starts if line <= (error.line or 0)]
        if before and not any(before[-1].line < line <= (error.line or 0) for line in ends):
            road = before[-1].id
            broken.add(road)
        report.refuse(error, "attribute" if "attribute" in error.message else "element", road)
    if refusals and not starts:
        broken |= {record.id for record in document.roads}
    return broken


def _lines_differ(document: furniture.Document) -> bool:
    """Whether roads can be told apart by their lines (not so in a file without line breaks)."""
    lines = [record.line for record in document.roads]
    return len(lines) == len(set(lines))


def _roads(
    document: furniture.Document, broken: set[str], diagnostics: list[Diagnostic], report: Report
) -> dict[str, RoadGeometry]:
    """Return the geometry of all roads that have one; the first of two with one id."""
    builder = RoadBuilder(report.file, diagnostics, DEFAULT_KERB_HEIGHT_M)
    roads: dict[str, RoadGeometry] = {}
    if not document.roads:
        report.add("error", "no-road", document.line, "OpenDRIVE", "there is no <road>")
    for record in document.roads:
        if record.id in broken:
            report.add("note", "road-skipped", record.line, "road", "not looked at further; correct its errors first",
                       record.id)  # fmt: skip
            continue
        try:
            road = builder.build(record)
        except OpenDriveError as error:
            report.refuse(error, "road-geometry", record.id)
            continue
        roads.setdefault(record.id, road)
    return roads


def _header(document: furniture.Document, report: Report) -> None:
    header = document.header
    if header is None:
        report.add(
            "warning", "header", document.line, "OpenDRIVE", "there is no <header>: revision and bounds are open"
        )
    elif header.rev_major != 1 or not 4 <= header.rev_minor <= _NEWEST_MINOR:
        text = f"revision {header.rev_major}.{header.rev_minor} is none of 1.4 to 1.{_NEWEST_MINOR}; read like 1.8"
        report.add("warning", "header", header.line, "header", text)


def _ids(document: furniture.Document, report: Report) -> None:
    """Report ids used twice within one class."""
    objects = [item for road in document.roads for item in road.objects]
    signals = [item for road in document.roads for item in road.signals]
    groups = (
        ("road", "error", document.roads), ("junction", "error", document.junctions),
        ("controller", "error", document.controllers), ("signal", "warning", signals), ("object", "warning", objects),
    )  # fmt: skip
    for element, severity, records in groups:
        lines: dict[str, int] = {}
        for record in records:
            record_id = str(getattr(record, "id", ""))
            if record_id in lines:
                text = f"{element} id '{record_id}' is already used in line {lines[record_id]}"
                report.add(severity, "duplicate-id", record.line, element, text)
            lines.setdefault(record_id, record.line)
    for junction_id in sorted({road.id for road in document.roads} & {j.id for j in document.junctions}):
        line = next(j.line for j in document.junctions if j.id == junction_id)
        report.add("note", "shared-id", line, "junction", f"road and junction share the id '{junction_id}'")


def _last_word(text: str, name: str, report: Report) -> None:
    """The reader must agree that there is no error."""
    try:
        parse(text, name)
    except OpenDriveError as error:
        report.refuse(error, "reader")


def _told_by_the_reader(diagnostics: list[Diagnostic], document: furniture.Document, report: Report) -> None:
    for diagnostic in diagnostics:
        if any(words in diagnostic.message for words in _TOLD_BETTER):
            continue
        severity = "note" if any(words in diagnostic.message for words in _NOTES) else "warning"
        report.add(severity, "reader", diagnostic.line, diagnostic.element, diagnostic.message)
