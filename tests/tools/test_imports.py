"""Arrows are tested: the table of allowed imports holds, and the check itself can fail."""

from pathlib import Path

from tools.check_imports import ALLOWED, ROOT, violations


def test_imports_point_one_way():
    assert violations() == []


def test_a_backward_arrow_is_found(tmp_path: Path):
    for package in ALLOWED:
        (tmp_path / package).mkdir()
    (tmp_path / "foundation" / "a.py").write_text("import bridge.cli\n")
    (tmp_path / "engine" / "b.py").write_text("\nimport carla\nfrom scenarios import openscenario\n")
    assert violations(tmp_path) == [
        "foundation/a.py:1: foundation may not import bridge.cli",
        "engine/b.py:2: imports carla; this part must not know the client",
        "engine/b.py:3: engine may not import scenarios.openscenario",
    ]


def test_the_table_in_the_docs_is_the_checked_one():
    page = (ROOT / "docs" / "architecture.md").read_text()
    for package in ALLOWED:
        assert f"`{package}`" in page
