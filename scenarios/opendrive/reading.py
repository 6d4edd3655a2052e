"""From text to records: a parser without entities and network, and one reader for every record class."""

from __future__ import annotations

import codecs
import dataclasses
import math
import re
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from lxml import etree

from scenarios.opendrive.errors import Diagnostic, OpenDriveError
from scenarios.opendrive.fields import Attribute, Child, Foreign, Record
from scenarios.opendrive.furniture_records import Document
from scenarios.opendrive.records import MarkLine
from scenarios.opendrive.signal_records import SpeedMeaning

MAX_BYTES = 512 * 2**20
"""The largest file read; the largest public networks are below 100 MB."""

_ANCILLARY = frozenset({"userData", "dataQuality"})
"""Elements that say nothing about the road's geometry or rules: kept, and not worth a diagnostic."""

_DECLARATION = re.compile(r"^\s*<\?xml[^>]*?encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"'][^>]*\?>")
_BEFORE_ROOT = re.compile(r"\s*(<\?.*?\?>|<!--.*?-->)\s*", re.DOTALL)
_TRUE, _FALSE = frozenset({"true", "1", "yes"}), frozenset({"false", "0", "no"})

R = TypeVar("R", bound=Record)


def decode(data: bytes, file: str) -> str:
    """Return the text of an XML file's bytes by its byte order mark or its declared encoding.

    Raises:
        OpenDriveError: the file is empty, too large or not text in the encoding it declares.
    """
    if not data.strip():
        raise OpenDriveError("the file is empty", file=file, remedy="give an OpenDRIVE file (.xodr)")
    if len(data) > MAX_BYTES:
        raise OpenDriveError(f"the file has {len(data)} bytes, the limit is {MAX_BYTES}", file=file)
    encoding = "utf-8-sig"
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    elif declared := _DECLARATION.match(data[:200].decode("latin-1").removeprefix("\xef\xbb\xbf")):
        encoding = declared.group(1)
        encoding = "utf-8-sig" if encoding.lower() in ("utf-8", "utf8") else encoding
    try:
        return data.decode(encoding)
    except (UnicodeDecodeError, LookupError) as error:
        raise OpenDriveError(
            f"not readable as {encoding}: {error}", file=file, remedy="save the file as UTF-8"
        ) from error


def parse_xml(text: str, file: str) -> etree._Element:
    """Return the root element of an OpenDRIVE text, without namespaces mattering.

    Document type declarations are refused, so there are no entities to expand and nothing to fetch.

    Raises:
        OpenDriveError: not well-formed XML, a DOCTYPE, or a root other than ``<OpenDRIVE>``.
    """
    if not text.strip():
        raise OpenDriveError("the text is empty", file=file, remedy="give an OpenDRIVE file (.xodr)")
    position = 0
    while found := _BEFORE_ROOT.match(text, position):
        position = found.end()
    if text[position:].lstrip().startswith("<!DOCTYPE"):
        raise OpenDriveError(
            "document type declarations are not accepted", file=file, element="!DOCTYPE", remedy="remove it"
        )
    parser = etree.XMLParser(
        encoding="utf-8", resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(text.encode("utf-8", "surrogatepass"), parser)
    except etree.XMLSyntaxError as error:
        line = error.lineno or None
        raise OpenDriveError(
            f"not well-formed XML: {error.msg}", file=file, line=line, remedy="is the file complete?"
        ) from error
    if root.getroottree().docinfo.doctype:
        raise OpenDriveError("document type declarations are not accepted", file=file, element="!DOCTYPE")
    if local_name(root) != "OpenDRIVE":
        raise OpenDriveError(
            "the root element is not <OpenDRIVE>",
            file=file,
            line=root.sourceline,
            element=local_name(root),
            remedy="give an OpenDRIVE file (.xodr)",
        )
    return root


def local_name(element: etree._Element) -> str:
    """Return an element's tag without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


class RecordReader:
    """Turn elements into records; collect diagnostics on the way.

    Args:
        file: name for messages.
        diagnostics: gets one entry for every unknown attribute, element or word, each kind once per line.
        refusals: None to raise at the first fault; a list to go on with a stand-in (0, "", False) and gather all
            faults in it, as a validator wants.
    """

    def __init__(self, file: str, diagnostics: list[Diagnostic], refusals: list[OpenDriveError] | None = None) -> None:
        self._file = file
        self._diagnostics = diagnostics
        self._refusals = refusals

    def document(self, root: etree._Element) -> Document:
        """Read a whole file."""
        document = self.read(Document, root)
        texts = [e.text or "" for e in root.iter() if local_name(e) == "geoReference"]
        return dataclasses.replace(document, geo_reference=texts[0].strip() if texts else "")

    def read(self, record: type[R], element: etree._Element) -> R:
        """Read one element and all below it as ``record``."""
        attributes, children = _declarations(record)  # type: ignore[arg-type]
        tag, line = local_name(element), int(element.sourceline or 0)
        values: dict[str, Any] = {"line": line}
        extra = {}
        given = {name.rpartition("}")[2]: str(value) for name, value in element.attrib.items()}
        if record is SpeedMeaning:  # 1.8.0's schema has elements where its text, and 1.8.1, have attributes
            given |= {local_name(e): (e.text or "").strip() for e in element if local_name(e) in attributes}
        for name, value in given.items():
            if name not in attributes and not (record is Document or name == "schemaLocation"):
                extra[name] = value
                self._note(line, tag, f"attribute '{name}' is not known; it is ignored")
        for name, (field_name, spec, required) in attributes.items():
            if name in given:
                try:
                    values[field_name] = self._convert(given[name], spec, tag, line)
                except OpenDriveError as error:
                    self._refuse(error)
                    values[field_name] = spec.kind() if required else spec.default
            elif required:
                self._refuse(
                    OpenDriveError(
                        f"attribute '{name}' is missing",
                        file=self._file,
                        line=line,
                        element=tag,
                        remedy=f"add {name}=...",
                    )
                )
                values[field_name] = spec.kind()
        if record is MarkLine and "length" not in given:
            self._note(line, tag, "attribute 'length' is missing; the line is painted without gaps")
        values |= self._children(children, element, tag, line)
        return record(extra=extra, **values)

    def _children(self, children: dict[str, Child], element: etree._Element, tag: str, line: int) -> dict[str, Any]:
        """Read the declared children of ``element``; keep the others as Foreign."""
        by_place: dict[tuple[str, str], list[tuple[str, Child]]] = {}
        for field_name, spec in children.items():
            by_place.setdefault((spec.wrapper, spec.tag), []).append((field_name, spec))
        wrappers = {spec.wrapper for spec in children.values() if spec.wrapper}
        found: dict[str, list[Record]] = {field_name: [] for field_name in children}
        present: set[str] = set()
        unknown: list[Foreign] = []

        def take(wrapper: str, below: etree._Element) -> None:
            name = local_name(below)
            if not name:
                return
            for field_name, spec in by_place.get((wrapper, name), ()):
                found[field_name].append(self.read(spec.record, below))
            if tag == "speed" and name in ("type", "value", "unit"):
                return
            if (wrapper, name) not in by_place and (wrapper or name not in wrappers):
                unknown.append(self._foreign(below, tag))

        for below in element:
            name = local_name(below)
            present.add(name)
            take("", below)
            if name in wrappers:
                for inner in below:
                    take(name, inner)
        values: dict[str, Any] = {}
        for field_name, spec in children.items():
            records = found[field_name]
            if spec.required and (spec.wrapper or spec.tag) not in present:
                missing = spec.wrapper or spec.tag
                self._refuse(
                    OpenDriveError(
                        f"element <{missing}> is missing",
                        file=self._file,
                        line=line,
                        element=tag,
                        remedy=f"add <{missing}>",
                    )
                )
            if not spec.many and len(records) > 1:
                self._note(records[1].line, spec.tag, f"there may be only one in <{tag}>; the first is used")
            values[field_name] = tuple(records) if spec.many else (records[0] if records else None)
        return {**values, "unknown": tuple(unknown)}

    def _foreign(self, element: etree._Element, parent: str) -> Foreign:
        name, line = local_name(element), int(element.sourceline or 0)
        says_something = len(element) > 0 or len(element.attrib) > 0 or bool((element.text or "").strip())
        if says_something and name not in _ANCILLARY and name != "geoReference":
            what = "put the file's content here" if name == "include" else "it is kept but has no effect"
            self._note(line, name, f"not used here (in <{parent}>); {what}")
        return Foreign(name, line, etree.tostring(element, encoding="unicode", with_tail=False))

    def _convert(self, text: str, spec: Attribute, tag: str, line: int) -> Any:
        """Turn an attribute's text into its type and check its limits."""

        def refuse(problem: str, remedy: str = "") -> OpenDriveError:
            shown = text if len(text) <= 40 else text[:37] + "..."
            return OpenDriveError(
                f"attribute '{spec.name}' is '{shown}', {problem}",
                file=self._file,
                line=line,
                element=tag,
                remedy=remedy or None,
            )

        if spec.kind is str:
            if spec.choices is not None and text not in spec.choices and text != "":
                words = ", ".join(sorted(spec.choices))
                if spec.strict:
                    raise refuse(f"not one of: {words}")
                self._note(line, tag, f"'{spec.name}' is '{text}', the standard knows: {words}")
            return text
        word = text.strip()
        if spec.kind is bool:
            if word.lower() in _TRUE | _FALSE:
                return word.lower() in _TRUE
            raise refuse("not true or false")
        if word == "" and not _is_required(spec):
            self._note(line, tag, f"'{spec.name}' is empty; taken as not given")
            return spec.default
        try:
            number = float(word)
        except ValueError:
            raise refuse("not a number") from None
        if not math.isfinite(number):
            raise refuse("not a finite number")
        if abs(number) > spec.largest:
            raise refuse(f"beyond the limit of {spec.largest:g}")
        if spec.at_least is not None and number < spec.at_least:
            raise refuse(f"less than {spec.at_least:g}")
        if spec.above is not None and number <= spec.above:
            raise refuse(f"not more than {spec.above:g}")
        if spec.kind is int:
            if number != int(number):
                raise refuse("not a whole number")
            return int(number)
        return number

    def _note(self, line: int, element: str, message: str) -> None:
        self._diagnostics.append(Diagnostic(line, element, message))

    def _refuse(self, error: OpenDriveError) -> None:
        if self._refusals is None:
            raise error
        self._refusals.append(error)


def _is_required(spec: Attribute) -> bool:
    return spec.default is dataclasses.MISSING


@cache
def _declarations(record: type[Record]) -> tuple[dict[str, tuple[str, Attribute, bool]], dict[str, Child]]:
    """Return a record's declared attributes by XML name and children by field name."""
    attributes: dict[str, tuple[str, Attribute, bool]] = {}
    children: dict[str, Child] = {}
    for item in dataclasses.fields(record):
        spec = item.metadata.get("xml")
        if isinstance(spec, Attribute):
            attributes[spec.name] = (item.name, spec, _is_required(spec))
        elif isinstance(spec, Child):
            children[item.name] = spec
    return attributes, children


def read_document(
    text: str, file: str | Path, diagnostics: list[Diagnostic], refusals: list[OpenDriveError] | None = None
) -> Document:
    """Return the records of an OpenDRIVE text.

    Args:
        text: the file's content.
        file: its name, for messages.
        diagnostics: gets what is odd but usable.
        refusals: see :class:`RecordReader`.

    Raises:
        OpenDriveError: the text is not well-formed, not OpenDRIVE, or an element is broken.
    """
    name = str(file)
    root = parse_xml(text, name)
    try:
        return RecordReader(name, diagnostics, refusals).document(root)
    except RecursionError:  # pragma: no cover - libxml2 limits the depth before we do
        raise OpenDriveError("elements are nested too deeply", file=name) from None
