# ruff: noqa: RUF009  the calls are field declarations; they return dataclasses.field
"""What any OpenDRIVE element may carry beside its own content: user data, files to include, and how good the data are.

A file may hold such elements by the thousand, and hardly anybody asks: they are kept as text and read when asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from lxml import etree

from scenarios.opendrive.fields import Record, attribute, child


@dataclass(frozen=True, slots=True, kw_only=True)
class UserData(Record):
    """``<userData>``: what a program keeps for itself. ``unknown`` holds the elements within."""

    code: str = attribute("code", str, "")
    value: str = attribute("value", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Include(Record):
    """``<include>``: a file that is to be put here. It is not: the reader says so."""

    file: str = attribute("file", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataError(Record):
    """``<error>`` of the data quality: deviations in metres."""

    xy_absolute: float = attribute("xyAbsolute", float, 0.0)
    xy_relative: float = attribute("xyRelative", float, 0.0)
    z_absolute: float = attribute("zAbsolute", float, 0.0)
    z_relative: float = attribute("zRelative", float, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawData(Record):
    """``<rawData>`` of the data quality: where the data come from."""

    date: str = attribute("date", str, "")
    source: str = attribute("source", str, "", choices="sensor cadaster custom")
    source_comment: str = attribute("sourceComment", str, "")
    post_processing: str = attribute("postProcessing", str, "", choices="raw cleaned processed fused")
    post_processing_comment: str = attribute("postProcessingComment", str, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DataQuality(Record):
    """``<dataQuality>``."""

    error: DataError | None = child("error", DataError)
    raw_data: RawData | None = child("rawData", RawData)


R = TypeVar("R", UserData, Include, DataQuality)
_TAGS = {UserData: "userData", Include: "include", DataQuality: "dataQuality"}


def additional(record: Record, kind: type[R]) -> list[R]:
    """Return the ``UserData``, ``Include`` or ``DataQuality`` records of an element, with their lines.

    Raises:
        OpenDriveError: one of them is broken (a number that is none).
    """
    from scenarios.opendrive.reading import RecordReader

    reader, found = RecordReader(_TAGS[kind], []), []
    for item in record.unknown:
        if item.tag == _TAGS[kind]:
            element = etree.fromstring(item.xml.encode())
            element.sourceline = item.line  # type: ignore[misc]
            found.append(reader.read(kind, element))
    return found
