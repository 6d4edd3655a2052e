"""``report.html``: one self-contained page that shows what a run produced."""

from bridge.report.page import write_report

__all__ = ["write_report"]
