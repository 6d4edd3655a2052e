"""What a check of an OpenDRIVE file has to say, and where in the file and on the road."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from scenarios.opendrive.errors import OpenDriveError

SEVERITIES = ("error", "warning", "note")
"""error: the file is wrong and simulators will trip over it; warning: likely wrong; note: worth knowing."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found.

    Attributes:
        severity: one of :data:`SEVERITIES`.
        rule: short name of the check, such as ``plan-gap``.
        line: line in the file, counted from 1; None where no line can be named.
        element: XML tag.
        message: what is wrong, in one line.
        road: id of the road it is on, "" if none.
        s: where on that road, in metres; None where it does not lie at one place.
    """

    severity: str
    rule: str
    line: int | None
    element: str
    message: str
    road: str = ""
    s: float | None = None

    def text(self, file: str) -> str:
        """Return ``file:line: severity: <element> [road, s]: message [rule]``."""
        place = file if self.line is None else f"{file}:{self.line}"
        on = f" road {self.road}" if self.road else ""
        at = f" s={self.s:.2f}" if self.s is not None else ""
        return f"{place}: {self.severity}: <{self.element}>{on}{at}: {self.message} [{self.rule}]"


@dataclass
class Report:
    """All findings of one file, in order of severity and line."""

    file: str
    findings: list[Finding] = field(default_factory=list)

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.findings)

    @property
    def counts(self) -> dict[str, int]:
        """How many findings of each severity."""
        found = Counter(finding.severity for finding in self.findings)
        return {severity: found[severity] for severity in SEVERITIES}

    @property
    def sound(self) -> bool:
        """True if there is no error."""
        return not self.counts["error"]

    def add(
        self, severity: str, rule: str, line: int | None, element: str, message: str, road: str = "",
        s: float | None = None,
    ) -> None:  # fmt: skip
        """Add a finding; line breaks in ids of the file become blanks."""
        where = None if s is None else float(s)
        self.findings.append(Finding(severity, rule, line, element, " ".join(message.split()), road, where))

    def refuse(self, error: OpenDriveError, rule: str, road: str = "") -> None:
        """Add an error the reader would stop at."""
        remedy = f" ({error.remedy})" if error.remedy else ""
        self.add("error", rule, error.line, error.element or "OpenDRIVE", error.message + remedy, road)

    def sort(self) -> None:
        """Put errors first, then by line."""
        self.findings = sorted(
            dict.fromkeys(self.findings), key=lambda f: (SEVERITIES.index(f.severity), f.line or 0, f.rule, f.message)
        )

    def as_dict(self) -> dict[str, Any]:
        """Return what ``--json`` prints."""
        return {"file": self.file, "counts": self.counts, "findings": [asdict(finding) for finding in self.findings]}
