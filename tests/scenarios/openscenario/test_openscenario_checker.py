"""The official checker has nothing to say about what we write: the catalogue, and concrete files sampled from it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from lxml import etree

from scenarios.openscenario.concrete import write_concrete

CATALOGUE = Path(__file__).resolve().parents[3] / "scenarios" / "catalogue"


def _checker() -> str | None:
    own = Path(sys.executable).parent.parent / "checkers" / "bin" / "qc_openscenario"  # in .venv
    return os.environ.get("QC_OPENSCENARIO") or (str(own) if own.exists() else shutil.which("qc_openscenario"))


def issues(file: Path, folder: Path) -> list[str]:
    """Return what the checker says about a file."""
    config, result = folder / f"{file.stem}.config.xml", folder / f"{file.stem}.xqar"
    config.write_text(
        f'<Config><Param name="InputFile" value="{file}"/><CheckerBundle application="xoscBundle">'
        f'<Param name="resultFile" value="{result}"/></CheckerBundle></Config>',
        encoding="utf-8",
    )
    subprocess.run([str(_checker()), "-c", str(config)], check=True, capture_output=True, timeout=120.0, cwd=folder)
    report = etree.parse(result)
    assert list(report.iter("Checker")), "it checked nothing"
    return [f"{issue.get('ruleUID')}: {issue.get('description')}" for issue in report.iter("Issue")]


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        _checker() is None, reason="asam-qc-openscenarioxml is not installed (or name it in QC_OPENSCENARIO)"
    ),
]


def test_the_catalogue_passes_the_official_checker(tmp_path: Path) -> None:
    for file in sorted(CATALOGUE.glob("*.xosc"))[::4]:  # the generator writes all alike
        assert issues(file, tmp_path) == [], file.name


def test_concrete_files_pass_the_official_checker(tmp_path: Path) -> None:
    distribution = CATALOGUE / "child_runs_out_distribution.xosc"
    for file, _ in write_concrete(distribution, tmp_path, 2, 3):
        assert issues(file, tmp_path) == [], file.name


def test_it_would_say_something(tmp_path: Path) -> None:
    broken = tmp_path / "broken.xosc"
    text = (CATALOGUE / "child_runs_out.xosc").read_text(encoding="utf-8")
    broken.write_text(text.replace("<Storyboard>", "<Storybord>").replace("</Storyboard>", "</Storybord>"))
    assert issues(broken, tmp_path)
