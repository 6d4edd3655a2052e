"""Validate OpenDRIVE files: everything that is wrong with one, each with its line, road and s."""

from scenarios.opendrive.check.findings import SEVERITIES, Finding, Report
from scenarios.opendrive.check.validator import check, check_text

__all__ = ["SEVERITIES", "Finding", "Report", "check", "check_text"]
