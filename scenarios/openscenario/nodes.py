"""Strict reading of XML: every attribute and child must be asked for, or the file is refused.

A :class:`Node` is an element together with the parameters in force there. Readers take what they know; when a
document has been read, :meth:`Node.sweep` refuses whatever nobody asked for. So nothing is ever ignored by accident.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from lxml import etree

from scenarios.openscenario.errors import OpenScenarioError
from scenarios.openscenario.expressions import ExpressionError, evaluate, text_of
from scenarios.openscenario.parameters import Scope

T = TypeVar("T")
MAX_FILE_BYTES = 64 * 2**20
_XSI = "{http://www.w3.org/2001/XMLSchema-instance}"


class _Required:
    """Marks an attribute that has no default."""


REQUIRED = _Required()


def parse_file(path: Path) -> etree._Element:
    """Return the root element of an XML file, read without entities, network or DTD.

    Raises:
        OpenScenarioError: the file is missing, too large, not XML, or carries a DOCTYPE.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise OpenScenarioError(f"file of {size} bytes, limit is {MAX_FILE_BYTES}", file=path)
        data = path.read_bytes()
    except OSError as error:
        raise OpenScenarioError(f"cannot be read: {error.strerror}", file=path) from error
    return parse_bytes(data, path)


def parse_bytes(data: bytes, path: Path) -> etree._Element:
    """Return the root element of XML bytes; ``path`` is only for messages. See :func:`parse_file`."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise OpenScenarioError(f"not well-formed XML: {error.msg}", file=path, line=error.lineno) from error
    if root.getroottree().docinfo.doctype:
        raise OpenScenarioError("a DOCTYPE is not allowed", file=path, line=1, remedy="remove it")
    return root


class Node:
    """One element, the file it is in, and the parameters in force."""

    def __init__(self, element: etree._Element, file: Path, scope: Scope) -> None:
        self.element = element
        self.file = file
        self.scope = scope
        self._attributes: set[str] = set()
        self._children: dict[etree._Element, Node] = {}
        self._all_read = False

    @property
    def tag(self) -> str:
        """The element's name."""
        return str(self.element.tag)

    @property
    def line(self) -> int:
        """The line of the element in its file, from 1."""
        return int(self.element.sourceline or 0)

    def error(self, message: str, remedy: str | None = None) -> OpenScenarioError:
        """Return (not raise) an error placed at this element."""
        return OpenScenarioError(message, file=self.file, line=self.line, element=self.tag, remedy=remedy)

    # ---- attributes

    def has(self, name: str) -> bool:
        """Whether the attribute is there; does not count as reading it."""
        return name in self.element.attrib

    def raw(self, name: str, default: str | _Required | None = REQUIRED) -> str | None:
        """Return the attribute's text with nothing replaced."""
        self._attributes.add(name)
        value = self.element.get(name)
        if value is not None:
            return str(value)
        if isinstance(default, _Required):
            raise self.error(f"attribute {name} is missing")
        return default

    def text(self, name: str, default: str | _Required = REQUIRED) -> str:
        """Return the attribute with parameters and expressions replaced by their values."""
        value = self.raw(name, None if not isinstance(default, _Required) else REQUIRED)
        if value is None:
            assert isinstance(default, str)
            return default
        return self.resolve(value, name)

    def label(self, name: str, default: str | _Required = REQUIRED) -> str:
        """Return a name that nothing computes with: like :meth:`text`, but ``+`` also joins texts.

        The standard's expressions know numbers only; real files contain names such as ``${$entity + overtakes}``,
        where parameters stand for their text, and whatever else is between two ``+`` for itself.
        """
        try:
            return self.text(name, default)
        except OpenScenarioError:
            value = self.raw(name)
            if value is None or not (value.startswith("${") and value.endswith("}")):
                raise
            words = [word.strip() for word in value[2:-1].split("+")]
            return "".join(self.resolve(word, name) if word.startswith("$") else word for word in words)

    def resolve(self, value: str, name: str) -> str:
        """Return ``value`` with ``$parameter`` or ``${expression}`` replaced; ``name`` is for messages."""
        value = value.strip() if value[:1].isspace() or value[-1:].isspace() else value
        if value.startswith("\\$"):
            return value[1:]
        if not value.startswith("$"):
            return value
        try:
            if value.startswith("${"):
                if not value.endswith("}"):
                    raise ExpressionError("the closing } is missing")
                return text_of(evaluate(value[2:-1], self.scope.value))
            return self.scope.text(value[1:])
        except ExpressionError as error:
            raise self.error(f"attribute {name}={value!r}: {error}") from error

    def number(self, name: str, default: float | _Required = REQUIRED, *, minimum: float = -math.inf) -> float:
        """Return the attribute as a finite number not below ``minimum``; ``INF`` is allowed where a number is."""
        if not self.has(name) and not isinstance(default, _Required):
            self._attributes.add(name)
            return default
        text = self.text(name)
        try:
            value = math.inf if text in ("INF", "+INF", "inf") else float(text)
        except ValueError:
            raise self.error(f"attribute {name}={text!r} is not a number") from None
        if math.isnan(value):
            raise self.error(f"attribute {name} is not a number")
        if value < minimum:
            raise self.error(f"attribute {name}={text} must not be below {minimum:g}")
        return value

    def maybe_number(self, name: str, *, minimum: float = -math.inf) -> float | None:
        """Return the attribute as a number, None when it is absent."""
        self._attributes.add(name)
        return self.number(name, minimum=minimum) if self.has(name) else None

    def integer(self, name: str, default: int | _Required = REQUIRED, *, minimum: int | None = None) -> int:
        """Return the attribute as a whole number."""
        if not self.has(name) and not isinstance(default, _Required):
            self._attributes.add(name)
            return default
        value = self.number(name)
        if math.isinf(value) or value != int(value):
            raise self.error(f"attribute {name}={self.text(name)!r} is not a whole number")
        if minimum is not None and value < minimum:
            raise self.error(f"attribute {name}={int(value)} must not be below {minimum}")
        return int(value)

    def boolean(self, name: str, default: bool | _Required = REQUIRED) -> bool:
        """Return the attribute as a truth value: true, false, 1 or 0."""
        if not self.has(name) and not isinstance(default, _Required):
            self._attributes.add(name)
            return default
        text = self.text(name)
        if text not in ("true", "false", "1", "0", "True", "False"):
            raise self.error(f"attribute {name}={text!r} is neither true nor false")
        return text in ("true", "1", "True")

    def choice(self, name: str, allowed: Iterable[str], default: str | _Required = REQUIRED) -> str:
        """Return the attribute, which must be one of ``allowed``."""
        text = self.text(name, default)
        options = sorted(allowed)
        if text not in options:
            raise self.error(f"attribute {name}={text!r} is unknown or unsupported", remedy="use " + ", ".join(options))
        return text

    # ---- children

    def _node(self, element: etree._Element) -> Node:
        if element not in self._children:
            self._children[element] = Node(element, self.file, self.scope)
        return self._children[element]

    def children(self) -> list[Node]:
        """Return all child elements."""
        return [self._node(child) for child in self.element]

    def many(self, tag: str) -> list[Node]:
        """Return the children called ``tag``."""
        return [self._node(child) for child in self.element if child.tag == tag]

    def maybe(self, tag: str) -> Node | None:
        """Return the only child called ``tag``, or None."""
        found = self.many(tag)
        if len(found) > 1:
            raise found[1].error("may be there only once")
        return found[0] if found else None

    def one(self, tag: str) -> Node:
        """Return the only child called ``tag``, which must be there."""
        found = self.maybe(tag)
        if found is None:
            raise self.error(f"child element <{tag}> is missing")
        return found

    def content(self) -> str:
        """Return the text between the element's tags, without the space around it."""
        return "".join(self.element.itertext()).strip()

    def only(self) -> Node:
        """Return the single child element of a choice."""
        children = self.children()
        if len(children) != 1:
            raise self.error(f"exactly one child element is needed, {len(children)} found")
        return children[0]

    def pick(self, readers: dict[str, T], what: str) -> tuple[Node, T]:
        """Return the single child and what ``readers`` holds for its tag; refuse what is not in there."""
        child = self.only()
        if child.tag not in readers:
            raise child.error(f"this {what} is not supported", remedy="supported are " + ", ".join(sorted(readers)))
        return child, readers[child.tag]

    def with_scope(self, scope: Scope) -> Node:
        """Put further parameters in force for this element and all children not yet asked for."""
        self.scope = scope
        for child in self._children.values():
            child.with_scope(scope)
        return self

    # ---- the promise

    def skip(self) -> None:
        """Declare that this element has no effect on a run (licences, 3D model names), whatever it holds."""
        self._all_read = True

    def sweep(self) -> None:
        """Refuse the first attribute or child below here that no reader asked for.

        Raises:
            OpenScenarioError: names it.
        """
        if self._all_read:
            return
        for name in self.element.attrib:
            if name not in self._attributes and not str(name).startswith(_XSI):
                raise self.error(f"attribute {name} is unknown or unsupported")
        for child in self.element:
            if child not in self._children:
                raise Node(child, self.file, self.scope).error(f"unknown or unsupported inside <{self.tag}>")
            self._children[child].sweep()
