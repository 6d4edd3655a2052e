"""The coverage table of the documentation says what the reader declares."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from scenarios.opendrive.fields import Child
from scenarios.opendrive.furniture_records import Document

TABLE = Path(__file__).resolve().parents[3] / "docs" / "opendrive-coverage.md"


def declared(record: type) -> set[str]:
    tags = set()
    for field in dataclasses.fields(record):
        spec = field.metadata.get("xml")
        if isinstance(spec, Child):
            tags |= {spec.tag} | declared(spec.record)
    return tags


def test_the_table_lists_what_is_read():
    rows = re.findall(r"^\| `(\w+)` \| (used|kept) \|", TABLE.read_text(), re.MULTILINE)
    names = [name for name, _ in rows]
    assert len(names) == len(set(names))
    assert set(names) == declared(Document)
