"""The report of an audit: one page, one picture for each parameter, and the figures as JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import jinja2

from bridge.space.charts import draw
from bridge.space.measuring import Options
from bridge.space.targets import Picture, Target
from bridge.space.verdicts import Row, rows
from scenarios.sampling.auditing import Audit

Strips = Mapping[str, tuple[list[Any], list[Picture]]]


def write(audit: Audit, target: Target, options: Options, strips: Strips, out: Path, seconds: float | None) -> Path:
    """Write ``audit.html``, ``audit.json`` and ``charts/*.png`` into ``out`` and return the page's path.

    Args:
        strips: some values and pictures of each parameter.
        seconds: that measuring took, None when part of it was there from an earlier run.
    """
    found = rows(audit)
    folder = out / "charts"
    folder.mkdir(parents=True, exist_ok=True)
    charts = {}
    for number, row in enumerate(found, start=1):
        name = f"{number:02d}-{re.sub(r'[^A-Za-z0-9_.-]+', '_', row.name)}.png"
        draw(audit, row.name, *strips[row.name], folder / name)
        charts[row.name] = f"charts/{name}"
    measured = [
        *(influence for influence in audit.fitted[audit.metric].values()),
        *audit.before.values(),
        *audit.after.values(),
    ]
    figures = {
        "target": target.name,
        "options": asdict(options),
        "seconds": seconds,
        "space": audit.space.to_dict(),
        "rows": [_jsonable(row) for row in found],
        "fitted": {m: {n: i.to_dict() for n, i in by.items()} for m, by in audit.fitted.items()},
        "before": {n: i.to_dict() for n, i in audit.before.items()},
        "after": {n: i.to_dict() for n, i in audit.after.items()},
    }
    (out / "audit.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("bridge", "templates"), autoescape=True, undefined=jinja2.StrictUndefined
    )
    html = environment.get_template("space_audit.html.j2").render(
        target=target,
        options=options,
        rows=found,
        charts=charts,
        also=[metric for metric in audit.fitted if metric != audit.metric],
        largest=max((row.total for row in found), default=0.0),
        noise=max((row.noise for row in found), default=0.0),
        pictures=sum(influence.renders for influence in measured),
        seconds=seconds,
        fmt=_number,
    )
    path = out / "audit.html"
    path.write_text(html, encoding="utf-8")
    return path


def _number(value: float | None, digits: int) -> str:
    if value is None:
        return "–"
    return f"{value:.{digits}f}" if math.isfinite(value) else "∞"


def _jsonable(row: Row) -> dict[str, Any]:
    data = asdict(row)
    return {k: None if isinstance(v, float) and not math.isfinite(v) else v for k, v in data.items()}
