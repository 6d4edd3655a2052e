"""Look into a trained network: what it looks at, what its filters do, and what to sample because of it.

    findings = inspect(network, samples, classes, training=training_samples)
    html = section(findings, folder)

torch and captum are imported when :func:`inspect` is called, not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from learning.inspection.findings import Findings

if TYPE_CHECKING:
    from learning.inspection.inspecting import Effort, inspect
    from learning.inspection.reporting import section

__all__ = ["Effort", "Findings", "inspect", "section"]


def __getattr__(name: str) -> Any:
    if name in ("inspect", "Effort"):
        from learning.inspection import inspecting

        return getattr(inspecting, name)
    if name == "section":
        # The module of the same name is what stands here after its own import; the function is what is asked for.
        from learning.inspection.reporting import section

        globals()["section"] = section
        return section
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
