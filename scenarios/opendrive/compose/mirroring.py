"""Left-hand traffic: the mirror image of a network made for traffic that keeps to the right.

Mirrored about the x axis, lane ids change their signs, so that lanes with positive ids are driven along s: what the
standard says of roads with ``rule="LHT"``. Directions of traffic, contact points and s stay what they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree

_NEGATED: Mapping[str, tuple[str, ...]] = {
    "geometry": ("y", "hdg"),
    "arc": ("curvature",),
    "spiral": ("curvStart", "curvEnd"),
    "laneOffset": ("a", "b", "c", "d"),
    "superelevation": ("a", "b", "c", "d"),
    "lane": ("id",),
    "laneLink": ("from", "to"),
    "validity": ("fromLane", "toLane"),
    "object": ("t", "hdg", "roll"),
    "signal": ("t", "hOffset", "roll"),
    "repeat": ("tStart", "tEnd"),
    "cornerLocal": ("v",),
    "cornerRoad": ("t",),
}
_LANES_CHANGE = {"increase": "decrease", "decrease": "increase"}


def mirrored(text: str) -> str:
    """Return a composed network's text for traffic on the left, mirrored about the x axis."""
    root: Any = etree.fromstring(text.encode(), etree.XMLParser(remove_blank_text=True))
    for element in root.iter(etree.Element):
        for name in _NEGATED.get(element.tag, ()):
            if element.get(name) is not None:
                element.set(name, _negated(element.get(name)))
    for road in root.iter("road"):
        road.set("rule", "LHT")
        for end in road.findall("lanes/laneSection/*/lane/link/*"):
            end.set("id", _negated(end.get("id")))
        for mark in road.iter("roadMark"):
            change = mark.get("laneChange")
            mark.set("laneChange", _LANES_CHANGE.get(change, change)) if change else None
        for section in road.iter("laneSection"):
            _swap_sides(section)
    for outline in root.iter("outline"):
        outline[:] = list(reversed(outline))  # corners stay in counter-clockwise order
    for validity in root.iter("validity"):
        low, high = sorted((int(validity.get("fromLane")), int(validity.get("toLane"))))
        validity.set("fromLane", str(low))
        validity.set("toLane", str(high))
    header = root.find("header")
    north, south = header.get("north"), header.get("south")
    header.set("north", _negated(south))
    header.set("south", _negated(north))
    etree.indent(root, "  ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + etree.tostring(root, encoding="unicode") + "\n"


def _negated(number: str | None) -> str:
    """Return a number's text with the other sign; 0 stays 0."""
    assert number is not None
    if float(number) == 0.0:
        return number.lstrip("-")
    return number[1:] if number.startswith("-") else f"-{number}"


def _swap_sides(section: Any) -> None:
    left, centre, right = (section.find(side) for side in ("left", "center", "right"))
    for side, tag in ((left, "right"), (right, "left")):
        if side is not None:
            side.tag = tag
            side[:] = sorted(side, key=lambda lane: -int(lane.get("id")))
    section[:] = [side for side in (right, centre, left) if side is not None]
