"""Thirty broken files, each one thing wrong: one clear line that names the file, never a traceback."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bridge.cli import app
from foundation.errors import RealityError

FOLDER = Path(__file__).parents[1] / "data" / "broken"
BROKEN = sorted(p for p in FOLDER.iterdir() if re.match(r"(xodr|xosc|rig)_\d\d_", p.name))
WITHOUT_LINE = {"xodr_02_empty.xodr", "rig_01_empty.yaml"}
"""Files whose error has no line to point at: there is nothing in them."""
NOTED = {"xodr_12_link_to_nowhere.xodr"}
"""Usable as far as they go, as other players take them: the fault is named, the file is accepted."""


def test_there_are_thirty():
    assert len(BROKEN) == 30


@pytest.mark.parametrize(
    "path", [FOLDER / "street.xodr", FOLDER / "valid.xosc", FOLDER / "valid.yaml"], ids=lambda p: p.name
)
def test_the_files_they_were_made_from_are_fine(path):
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("path", [p for p in BROKEN if p.name not in NOTED], ids=lambda p: p.name)
def test_a_broken_file_is_one_clear_line(path):
    result = CliRunner().invoke(app, ["check", str(path)])
    assert result.exit_code == 2, f"accepted: {result.output}"
    lines = result.output.strip().splitlines()
    assert len(lines) == 1, lines
    assert path.name in lines[0] or "street.xodr" in lines[0]
    if path.name not in WITHOUT_LINE and path.suffix != ".yaml":
        assert re.search(r"\.(xodr|xosc):\d+", lines[0]), lines[0]
    assert "Traceback" not in result.output
    assert not isinstance(result.exception, RealityError)


def test_a_link_to_nowhere_is_noted_and_is_a_fault_of_the_map():
    path = str(FOLDER / "xodr_12_link_to_nowhere.xodr")
    checked = CliRunner().invoke(app, ["check", path])
    assert checked.exit_code == 0
    assert "line 6: <link>: road '1' is linked to road '99', which does not exist" in checked.output
    faults = CliRunner().invoke(app, ["map", "check", path])
    assert faults.exit_code == 1
    assert "99" in faults.output


def test_an_unknown_kind_of_file_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    result = CliRunner().invoke(app, ["check", str(tmp_path / "a.txt")])
    assert result.exit_code == 2
    assert "not a kind of file" in result.output


def test_a_missing_file_is_refused(tmp_path):
    for name in ("a.xodr", "a.xosc", "a.yaml"):
        result = CliRunner().invoke(app, ["check", str(tmp_path / name)])
        assert result.exit_code == 2, name
        assert name in result.output
