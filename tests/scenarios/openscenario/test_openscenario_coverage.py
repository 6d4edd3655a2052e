"""The coverage page says what the registries say, and names what the standard's schema names."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.openscenario import coverage

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_is_what_the_registries_make() -> None:
    page = (ROOT / "docs" / "openscenario-coverage.md").read_text(encoding="utf-8")
    assert page == coverage.table(), (
        "run: python -m scenarios.openscenario.coverage --write docs/openscenario-coverage.md"
    )


def test_everything_registered_is_in_the_standard() -> None:
    for group, names in coverage.registered().items():
        assert set(names) <= set(coverage.STANDARD[group]), group


def test_the_names_are_the_schemas() -> None:
    found = sorted(ROOT.glob(".venv/lib/python*/site-packages/schemas/OpenSCENARIO_1_3*.xsd"))
    if not found:
        pytest.skip("no schema installed")
    schema = found[-1].read_text(encoding="utf-8")
    for names in coverage.STANDARD.values():
        for name in names:
            for part in name.split("/"):
                assert f'name="{part}"' in schema, part
