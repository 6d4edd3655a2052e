"""JUnit XML of a run, so that a CI system shows scenarios as tests."""

from __future__ import annotations

from pathlib import Path

from lxml import etree

from bridge.results import Result


def write(path: Path, results: list[Result], suite: str = "digital-reality") -> None:
    """Write one test case per result: fail is a failure, error an error, inconclusive is skipped.

    Parameters stand in ``system-out``, one a line: the schema that Jenkins and others check against knows no properties
    of a test case.
    """
    count = {verdict: sum(r.verdict == verdict for r in results) for verdict in ("fail", "error", "inconclusive")}
    root = etree.Element(
        "testsuite",
        name=suite,
        tests=str(len(results)),
        failures=str(count["fail"]),
        errors=str(count["error"]),
        skipped=str(count["inconclusive"]),
        time=f"{sum(r.duration_s for r in results):.3f}",
    )
    for result in results:
        case = etree.SubElement(
            root, "testcase", name=result.unit.name, classname=suite, time=f"{result.duration_s:.3f}"
        )
        tag = {"fail": "failure", "error": "error", "inconclusive": "skipped"}.get(result.verdict)
        if tag is not None:
            message = "; ".join(result.reasons) or result.verdict
            etree.SubElement(case, tag, message=_text(message))
        lines = [f"{name}={value}" for name, value in sorted(result.unit.parameters.items())]
        if lines:
            etree.SubElement(case, "system-out").text = _text("\n".join(lines))
    path.write_bytes(etree.tostring(root, pretty_print=True, xml_declaration=True, encoding="utf-8"))


def _text(value: str) -> str:
    """Drop the control characters that XML cannot hold."""
    return "".join(c for c in value if c in "\t\n\r" or (ord(c) >= 32 and not 0xD800 <= ord(c) <= 0xDFFF))
