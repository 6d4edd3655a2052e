"""How a record's fields say which XML attribute or child element they come from.

A record is a frozen dataclass whose fields are made with :func:`attribute`, :func:`child`, :func:`children` and
:func:`wrapped`. ``reading.read_record`` walks those declarations; a record module therefore reads like the
standard's own tables.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field
from typing import Any

REQUIRED: Any = MISSING


@dataclass(frozen=True, slots=True)
class Attribute:
    """An XML attribute: its name, type and limits."""

    name: str
    kind: type
    default: Any
    at_least: float | None = None
    above: float | None = None
    largest: float = 1e9
    choices: frozenset[str] | None = None
    strict: bool = False


@dataclass(frozen=True, slots=True)
class Child:
    """Child elements: their tag, record class, whether one or many, and an optional wrapping element."""

    tag: str
    record: type
    many: bool = True
    wrapper: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Foreign:
    """An element the reader does not know, as it stood in the file."""

    tag: str
    line: int
    xml: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What every record has: its line, the attributes and the children this reader does not know."""

    line: int = 0
    extra: dict[str, str] = field(default_factory=dict)
    unknown: tuple[Foreign, ...] = ()


def attribute(
    name: str,
    kind: type = float,
    default: Any = REQUIRED,
    *,
    at_least: float | None = None,
    above: float | None = None,
    largest: float = 1e9,
    choices: str = "",
    strict: bool = False,
) -> Any:
    """Declare a field read from an XML attribute.

    Args:
        name: the attribute's name in the file.
        kind: float, int, str or bool.
        default: the value if it is missing; without one, a missing attribute refuses the file.
        at_least: the smallest value allowed.
        above: the value must be greater than this.
        largest: the largest magnitude allowed of a number.
        choices: the allowed words, separated by blanks; another word is reported and kept...
        strict: ...unless it is strict: then the file is refused.
    """
    words = frozenset(choices.split()) if choices else None
    spec = Attribute(name, kind, default, at_least, above, largest, words, strict)
    return field(metadata={"xml": spec}, **({} if default is REQUIRED else {"default": default}))


def child(tag: str, record: type, *, required: bool = False) -> Any:
    """Declare a field that holds one child element or None."""
    return field(default=None, metadata={"xml": Child(tag, record, many=False, required=required)})


def children(tag: str, record: type) -> Any:
    """Declare a field that holds all child elements of one tag, in file order."""
    return field(default=(), metadata={"xml": Child(tag, record)})


def wrapped(wrapper: str, tag: str, record: type, *, required: bool = False) -> Any:
    """Declare a field that holds the ``tag`` children of the (first) ``wrapper`` child."""
    return field(default=(), metadata={"xml": Child(tag, record, wrapper=wrapper, required=required)})
